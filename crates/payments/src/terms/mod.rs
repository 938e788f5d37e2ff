//! Terms: what the tenant charges the merchant for a captured amount, and when the merchant can have the money.
//!
//! Terms are for a currency, and for payment methods that begin with a text, or for all. They are never changed: new
//! terms are the next version. A payment takes the terms with the longest fitting beginning, and of these the newest,
//! at the moment in which its capture is submitted. Without terms there is no fee, and the money is available two
//! business days after the capture, by the calendar of the currency's payment system.

mod codes;
pub(crate) mod http;
mod shelf;
pub mod show;

use calendars::Calendar;
use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use money::{Amount, Currency, Rounding, divide};
use store::Timestamp;

use crate::tariff::Tariff;

pub use shelf::TermsShelf;
pub(crate) use shelf::versions;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Greatest number of versions that a tenant may have.
const MAX_VERSIONS: usize = 200;
/// Business days after which money is available, if no terms say otherwise.
const DEFAULT_DELAY: u16 = 2;
/// The divisor of rates.
const MILLION: i128 = 1_000_000;

/// When captured money is available: so many business days after the day of the capture in UTC, by a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The calendar.
    pub calendar: Calendar,
    /// The number of business days.
    pub days: u16,
}

/// What is held back of the money of a capture when it becomes available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReserveTerms {
    /// The share of each million of the money that becomes available; 0 to hold nothing back.
    pub rate_millionths: i64,
    /// The number of days for which it is held back.
    pub days: i32,
}

impl ReserveTerms {
    /// The share of this amount, in minor units, rounded half-even.
    #[must_use]
    pub fn share(self, amount: i64) -> i64 {
        let product = i128::from(amount).checked_mul(i128::from(self.rate_millionths));
        let share = product.and_then(|product| divide(product, MILLION, Rounding::HalfEven));
        i64::try_from(share.unwrap_or_default()).unwrap_or_default()
    }
}

/// What happens by itself to money that is taken after its operation has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LateMoney {
    /// It is held until a person decides.
    #[default]
    Hold,
    /// It goes back to the payer.
    Refund,
}

impl LateMoney {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Hold, Self::Refund];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Refund => "refund",
        }
    }

    /// The value with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.name() == name)
    }
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Number of the version among those of the tenant, from 1.
    pub version: i32,
    /// The currency.
    pub currency: Currency,
    /// The beginning of the payment methods; empty for all.
    pub method: String,
    /// The fee for each million of the captured amount.
    pub rate_millionths: i64,
    /// The fixed part of the fee, in minor units.
    pub fixed: i64,
    /// The least fee, in minor units.
    pub least: i64,
    /// The greatest fee, in minor units; `None` for no limit.
    pub most: Option<i64>,
    /// The fee for a dispute, in minor units.
    pub dispute_fee: i64,
    /// When the money is available.
    pub delay: Delay,
    /// What is held back of the money when it becomes available.
    pub reserve: ReserveTerms,
    /// What happens to money that is taken after its operation has failed.
    pub late_money: LateMoney,
    /// Time at which the version was made.
    pub created_at: Timestamp,
}

/// The terms of one capture: its fee, and when the money will be available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureTerms {
    /// The version; `None` if the tenant has no terms for it.
    pub version: Option<i32>,
    /// The fee, in minor units. It is at most the captured amount.
    pub fee: i64,
    /// When the money is available.
    pub delay: Delay,
}

impl Delay {
    /// The delay of a currency without terms.
    #[must_use]
    pub fn of_currency(currency: Currency) -> Self {
        Self {
            calendar: Calendar::of_currency(currency.code()),
            days: DEFAULT_DELAY,
        }
    }

    /// The delay as it is stored: `target+2`.
    #[must_use]
    pub fn stored(self) -> String {
        format!("{}+{}", self.calendar.name(), self.days)
    }

    /// A stored delay.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let (calendar, days) = text.split_once('+')?;
        Some(Self {
            calendar: Calendar::from_name(calendar)?,
            days: days.parse().ok()?,
        })
    }

    /// The day on which money that is captured now will be available, in days since 1970. Beyond the end of what a
    /// calendar knows, its rule decides.
    #[must_use]
    pub fn available_on(self, captured_at: Timestamp) -> i32 {
        let days = captured_at.unix_seconds().div_euclid(86_400);
        let date = calendars::date_of(i32::try_from(days).unwrap_or(i32::MAX));
        let available = self.calendar.after(date, self.days);
        calendars::days_of(available.unwrap_or_else(|beyond| beyond.by_rule))
    }
}

impl Terms {
    /// The fee of a captured amount: the rate, rounded half-even to a minor unit, and the fixed part, within the least
    /// and the greatest fee; at most the amount itself.
    #[must_use]
    pub fn fee(&self, amount: Amount) -> i64 {
        let tariff = Tariff {
            rate_millionths: self.rate_millionths,
            fixed: self.fixed,
            least: self.least,
            most: self.most,
        };
        tariff.fee(amount.get()).min(amount.get())
    }

    fn fits(&self, currency: Currency, method: &str) -> bool {
        self.currency == currency && method.starts_with(&self.method)
    }
}

/// The terms for this payment method: those with the longest beginning, and of these the newest.
pub(crate) fn fitting<'t>(
    all: impl Iterator<Item = &'t Terms>,
    currency: Currency,
    method: &str,
) -> Option<&'t Terms> {
    let fitting = all.filter(|terms| terms.fits(currency, method));
    fitting.max_by_key(|terms| (terms.method.len(), terms.version))
}

/// The terms of a capture of this amount, by this payment method.
pub(crate) fn choose<'t>(
    all: impl Iterator<Item = &'t Terms>,
    currency: Currency,
    method: &str,
    amount: Amount,
) -> CaptureTerms {
    match fitting(all, currency, method) {
        Some(terms) => CaptureTerms {
            version: Some(terms.version),
            fee: terms.fee(amount),
            delay: terms.delay,
        },
        None => CaptureTerms {
            version: None,
            fee: 0,
            delay: Delay::of_currency(currency),
        },
    }
}

/// The terms that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTerms {
    /// The currency.
    pub currency: Currency,
    /// The beginning of the payment methods; empty for all.
    pub method: String,
    /// The fee for each million of the captured amount.
    pub rate_millionths: i64,
    /// The fixed part of the fee, in minor units.
    pub fixed: i64,
    /// The least fee, in minor units.
    pub least: i64,
    /// The greatest fee, in minor units.
    pub most: Option<i64>,
    /// The fee for a dispute, in minor units.
    pub dispute_fee: i64,
    /// When the money is available.
    pub delay: Delay,
    /// What is held back of the money when it becomes available.
    pub reserve: ReserveTerms,
    /// What happens to money that is taken after its operation has failed.
    pub late_money: LateMoney,
}

/// Why no terms were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The greatest fee is less than the least.
    #[error("the greatest fee is less than the least")]
    MostBelowLeast,
    /// The tenant has as many versions as it may have.
    #[error("a tenant has at most 200 versions of terms")]
    TooMany,
    /// A share is held back for no time, or nothing is held back for some days.
    #[error("a reserve has both a rate above 0 and at least one day, or neither of them")]
    HalfAReserve,
}

impl Command for CreateTerms {
    type Done = Terms;
    type Refusal = TermsError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<TermsShelf>() {
            wanted.all = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Terms>, TermsError> {
        if self.most.is_some_and(|most| most < self.least) {
            return Err(TermsError::MostBelowLeast);
        }
        if (self.reserve.rate_millionths == 0) != (self.reserve.days == 0) {
            return Err(TermsError::HalfAReserve);
        }
        let created_at = book.now();
        let (shelf, _) = book.shelf_mut::<TermsShelf>();
        let versions = shelf.terms().count();
        if versions >= MAX_VERSIONS {
            return Err(TermsError::TooMany);
        }
        let newest = shelf.terms().map(|terms| terms.version).max();
        let terms = Terms {
            version: newest.unwrap_or(0).saturating_add(1),
            currency: self.currency,
            method: self.method.clone(),
            rate_millionths: self.rate_millionths,
            fixed: self.fixed,
            least: self.least,
            most: self.most,
            dispute_fee: self.dispute_fee,
            delay: self.delay,
            reserve: self.reserve,
            late_money: self.late_money,
            created_at,
        };
        shelf.add(terms.clone());
        let (version, rate, fixed) = (
            terms.version.to_string(),
            terms.rate_millionths.to_string(),
            terms.fixed.to_string(),
        );
        let (least, most) = (
            terms.least.to_string(),
            terms.most.map(|most| most.to_string()),
        );
        let delay = terms.delay.stored();
        let dispute_fee = terms.dispute_fee.to_string();
        let mut delta = vec![
            set("currency", terms.currency.code()),
            set("method", &terms.method),
            set("rate_millionths", &rate),
            set("fixed", &fixed),
            set("least", &least),
            set("dispute_fee", &dispute_fee),
            set("available", &delay),
        ];
        delta.extend(most.iter().map(|most| set("most", most)));
        let (share, days) = (
            terms.reserve.rate_millionths.to_string(),
            terms.reserve.days.to_string(),
        );
        if terms.late_money != LateMoney::Hold {
            delta.push(set("late_money", terms.late_money.name()));
        }
        if terms.reserve != ReserveTerms::default() {
            delta.push(set("reserve_millionths", &share));
            delta.push(set("reserve_days", &days));
        }
        book.record(&AuditEvent::done(
            "terms.created",
            ("terms", &version),
            &delta,
        ));
        Ok(Decision::now(terms))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "terms.create",
            kind: "terms",
            id: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn terms(version: i32, method: &str, rate_millionths: i64, fixed: i64) -> Terms {
        Terms {
            version,
            currency: Currency::from_code("EUR").unwrap(),
            method: method.to_owned(),
            rate_millionths,
            fixed,
            least: 0,
            most: None,
            dispute_fee: 0,
            delay: Delay {
                calendar: Calendar::EveryDay,
                days: 0,
            },
            reserve: ReserveTerms::default(),
            late_money: LateMoney::Hold,
            created_at: Timestamp::from_micros(0),
        }
    }

    fn fee(terms: &Terms, amount: i64) -> i64 {
        terms.fee(Amount::new(amount).unwrap())
    }

    #[test]
    fn a_fee_is_rounded_half_even_and_kept_within_its_limits() {
        let plain = terms(1, "", 29_000, 30);
        // 1099 × 0.029 = 31.871; 50 × 0.029 = 1.45; 500 × 0.029 = 14.5; 1500 × 0.029 = 43.5.
        for (amount, expected) in [
            (1099, 62),
            (50, 31),
            (500, 44),
            (1500, 74),
            (10, 10),
            (1, 1),
        ] {
            assert_eq!(fee(&plain, amount), expected, "{amount}");
        }
        let limited = Terms {
            least: 40,
            most: Some(60),
            ..plain
        };
        for (amount, expected) in [(50, 40), (1099, 60), (39, 39), (i64::MAX, 60)] {
            assert_eq!(fee(&limited, amount), expected, "{amount}");
        }
        assert_eq!(fee(&terms(1, "", 1_000_000, i64::MAX), i64::MAX), i64::MAX);
        assert_eq!(fee(&terms(1, "", 0, 0), 1099), 0);
    }

    #[test]
    fn a_share_is_rounded_half_even_and_never_more_than_the_amount() {
        let share = |rate_millionths, amount| {
            let days = 1;
            ReserveTerms {
                rate_millionths,
                days,
            }
            .share(amount)
        };
        // 1099 × 0.1 = 109.9; 5 × 0.1 = 0.5; 15 × 0.1 = 1.5.
        for (amount, expected) in [(1099, 110), (5, 0), (15, 2), (0, 0)] {
            assert_eq!(share(100_000, amount), expected, "{amount}");
        }
        assert_eq!(share(1_000_000, i64::MAX), i64::MAX);
        assert_eq!(share(0, i64::MAX), 0);
    }

    #[test]
    fn the_longest_beginning_counts_and_then_the_newest_version() {
        let all = [
            terms(1, "", 10_000, 0),
            terms(2, "pm_card_", 20_000, 0),
            terms(3, "", 30_000, 0),
            terms(4, "pm_card_", 40_000, 0),
        ];
        let chosen = |code: &str, method: &str| {
            let currency = Currency::from_code(code).unwrap();
            choose(all.iter(), currency, method, Amount::new(1_000).unwrap()).version
        };
        assert_eq!(chosen("EUR", "pm_card_1"), Some(4));
        assert_eq!(chosen("EUR", "pm_bank"), Some(3));
        assert_eq!(chosen("USD", "pm_card_1"), None);
    }

    #[test]
    fn a_delay_is_read_back_and_gives_a_day() {
        for calendar in Calendar::ALL {
            let delay = Delay { calendar, days: 17 };
            assert_eq!(Delay::from_stored(&delay.stored()), Some(delay));
        }
        for text in ["", "target", "target+", "target+x", "moon+1", "target+-1"] {
            assert_eq!(Delay::from_stored(text), None, "{text}");
        }
        // Friday 27 November 2026, one microsecond before midnight.
        let friday = Timestamp::from_rfc3339("2026-11-27T23:59:59.999999Z").unwrap();
        let euro = Delay::of_currency(Currency::from_code("EUR").unwrap());
        assert_eq!(
            calendars::date_of(euro.available_on(friday)).to_string(),
            "2026-12-01"
        );
    }
}
