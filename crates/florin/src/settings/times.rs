//! Times that are settings: of authorizations, of idempotency keys, and of outcomes that do not come.

use super::WrongSetting;

/// The greatest time for which an authorization may last, in seconds: a year.
pub(super) const MAX_AUTHORIZATION_SECONDS: i64 = 31_536_000;
/// The time for which an authorization lasts, in seconds, if no setting says otherwise.
const AUTHORIZATION_SECONDS: u32 = 604_800;

/// The time for which an authorization lasts.
pub(super) fn seconds(set: Option<u32>) -> Result<u32, WrongSetting> {
    let seconds = set.unwrap_or(AUTHORIZATION_SECONDS);
    if (1..=MAX_AUTHORIZATION_SECONDS).contains(&i64::from(seconds)) {
        return Ok(seconds);
    }
    Err(WrongSetting(format!(
        "authorization_seconds: {seconds} is not from 1 to {MAX_AUTHORIZATION_SECONDS}"
    )))
}

/// The greatest number of days for which an answered idempotency key counts: ten years.
pub(super) const MAX_KEY_DAYS: i64 = 3_650;
/// The number of days for which an answered idempotency key counts, if no setting says otherwise.
const KEY_DAYS: u16 = 30;

/// The time for which an answered idempotency key counts, in seconds.
pub(super) fn key_life(days: Option<u16>) -> Result<i64, WrongSetting> {
    let days = i64::from(days.unwrap_or(KEY_DAYS));
    if (1..=MAX_KEY_DAYS).contains(&days) {
        return Ok(days.saturating_mul(86_400));
    }
    Err(WrongSetting(format!(
        "key_days: {days} is not from 1 to {MAX_KEY_DAYS}"
    )))
}

/// The greatest number of bank days after which an outcome is overdue.
pub(super) const MAX_OVERDUE_DAYS: i64 = 60;

/// The number of bank days after which an outcome is overdue.
pub(super) fn overdue_days(set: Option<u16>) -> Result<u16, WrongSetting> {
    let days = set.unwrap_or(payments::overdue::DAYS);
    if (1..=MAX_OVERDUE_DAYS).contains(&i64::from(days)) {
        return Ok(days);
    }
    Err(WrongSetting(format!(
        "overdue_days: {days} is not from 1 to {MAX_OVERDUE_DAYS}"
    )))
}
