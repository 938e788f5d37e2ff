//! Times that are settings: of authorizations, of idempotency keys, of outcomes that do not come, and of events that
//! were received.

use payments::notices::InboxPolicy;

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

/// The number of days for which an event waits for its cause, if no setting says otherwise.
const WAIT_DAYS: u16 = 30;

/// The times of events that were received, as they are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct InboxTimes {
    /// Days for which a webhook waits for its cause before it is a dead letter, 1 to 3650 (default: 30)
    #[arg(
        long,
        global = true,
        env = "FLORIN_WEBHOOK_WAIT_DAYS",
        value_parser = clap::value_parser!(u16).range(1..=MAX_KEY_DAYS)
    )]
    webhook_wait_days: Option<u16>,
    /// Days for which the bytes of a webhook are kept after it is done with, 1 to 3650 (default: for ever)
    #[arg(
        long,
        global = true,
        env = "FLORIN_WEBHOOK_KEEP_DAYS",
        value_parser = clap::value_parser!(u16).range(1..=MAX_KEY_DAYS)
    )]
    webhook_keep_days: Option<u16>,
}

/// The times of events that were received. What is given goes before what the file says.
pub(super) fn inbox_policy(
    given: InboxTimes,
    (wait, keep): (Option<u16>, Option<u16>),
) -> Result<InboxPolicy, WrongSetting> {
    let seconds = |name: &str, days: u16| {
        let days = i64::from(days);
        let is_right = (1..=MAX_KEY_DAYS).contains(&days);
        let wrong = || WrongSetting(format!("{name}: {days} is not from 1 to {MAX_KEY_DAYS}"));
        is_right
            .then(|| days.saturating_mul(86_400))
            .ok_or_else(wrong)
    };
    let wait = given.webhook_wait_days.or(wait);
    let keep = given.webhook_keep_days.or(keep);
    Ok(InboxPolicy {
        wait_seconds: seconds("webhook_wait_days", wait.unwrap_or(WAIT_DAYS))?,
        keep_seconds: keep
            .map(|days| seconds("webhook_keep_days", days))
            .transpose()?,
    })
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
