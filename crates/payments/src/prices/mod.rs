//! Prices: what a provider may charge us, by agreement.
//!
//! A price is for a provider, a currency and a kind of lines of its reports, from a day on. Prices are never changed: a
//! new price is the next version. For a line, the price with the latest day that is not after the line counts, and of
//! these the newest version. So a report of last month is compared with the prices of last month.
//!
//! A price changes nothing that is posted: the money is what the provider says. If the reported fee is further from the
//! price than the tolerance, reconciliation opens an exception. Without a price there is nothing to compare with.

mod codes;
mod http;
mod shelf;
pub mod show;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use money::Currency;
use store::Timestamp;

pub use shelf::PriceShelf;
pub(crate) use shelf::versions;

use crate::settlement::{LineKind, ReportLine};
use crate::tariff::Tariff;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Greatest number of versions that a tenant may have.
const MAX_VERSIONS: usize = 500;
/// The tolerance if a request names none, in minor units: providers round in other ways.
const DEFAULT_TOLERANCE: i64 = 1;
/// The first day on which a price holds if a request names none, in days since 1970.
const ALWAYS: i32 = 0;
/// The kinds of lines that can have a price: those that settle an operation or a dispute.
const PRICED: [LineKind; 5] = [
    LineKind::Capture,
    LineKind::Refund,
    LineKind::RefundReturn,
    LineKind::Dispute,
    LineKind::DisputeReversal,
];

/// The terms of a price, and the lines that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice {
    /// Name of the provider.
    pub provider: String,
    /// The currency.
    pub currency: Currency,
    /// The kind of lines.
    pub kind: LineKind,
    /// The rule by which the fee follows from the amount.
    pub tariff: Tariff,
    /// Greatest difference that is no exception, in minor units.
    pub tolerance: i64,
    /// The first day of the lines that it is for, in days since 1970.
    pub valid_from: i32,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Number of the version among those of the tenant, from 1.
    pub version: i32,
    /// Its terms.
    pub agreed: NewPrice,
    /// Time at which the version was made.
    pub created_at: Timestamp,
}

/// A fee that is not the agreed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongFee {
    /// The version of the price.
    pub(crate) version: i32,
    /// The agreed fee, in minor units.
    pub(crate) expected: i64,
    /// The reported fee, in minor units.
    pub(crate) reported: i64,
}

impl Price {
    fn fits(&self, provider: &str, line: &ReportLine) -> bool {
        let agreed = &self.agreed;
        agreed.provider == provider
            && agreed.currency == line.currency
            && agreed.kind == line.kind
            && agreed.valid_from <= line.day
    }

    /// The agreed fee for a line, in minor units. Of money that comes in, a fee is at most the amount.
    fn fee(&self, line: &ReportLine) -> i64 {
        let amount = line.gross.saturating_abs();
        let fee = self.agreed.tariff.fee(amount);
        match line.kind.sign() {
            1 => fee.min(amount),
            _ => fee,
        }
    }
}

/// Compares the fee of a line with the price that counts for it; `None` if it is right, or there is no price.
pub(crate) fn wrong_fee<'p>(
    prices: impl Iterator<Item = &'p Price>,
    provider: &str,
    line: &ReportLine,
) -> Option<WrongFee> {
    let fitting = prices.filter(|price| price.fits(provider, line));
    let price = fitting.max_by_key(|price| (price.agreed.valid_from, price.version))?;
    let (expected, reported) = (price.fee(line), line.fee);
    let is_wrong = expected.abs_diff(reported) > price.agreed.tolerance.unsigned_abs();
    is_wrong.then_some(WrongFee {
        version: price.version,
        expected,
        reported,
    })
}

/// Makes a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePrice(pub NewPrice);

/// Why no price was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The greatest fee is less than the least.
    #[error("the greatest fee is less than the least")]
    MostBelowLeast,
    /// The tenant has as many versions as it may have.
    #[error("a tenant has at most 500 versions of prices")]
    TooMany,
}

impl Command for CreatePrice {
    type Done = Price;
    type Refusal = PriceError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<PriceShelf>() {
            wanted.all = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Price>, PriceError> {
        let agreed = &self.0;
        let tariff = agreed.tariff;
        if tariff.most.is_some_and(|most| most < tariff.least) {
            return Err(PriceError::MostBelowLeast);
        }
        let created_at = book.now();
        let (shelf, _) = book.shelf_mut::<PriceShelf>();
        if shelf.prices().count() >= MAX_VERSIONS {
            return Err(PriceError::TooMany);
        }
        let newest = shelf.prices().map(|price| price.version).max();
        let price = Price {
            version: newest.unwrap_or(0).saturating_add(1),
            agreed: agreed.clone(),
            created_at,
        };
        shelf.add(price.clone());
        let (version, rate, fixed) = (
            price.version.to_string(),
            tariff.rate_millionths.to_string(),
            tariff.fixed.to_string(),
        );
        let (least, most) = (
            tariff.least.to_string(),
            tariff.most.map(|most| most.to_string()),
        );
        let (tolerance, day) = (
            agreed.tolerance.to_string(),
            calendars::date_of(agreed.valid_from).to_string(),
        );
        let mut delta = vec![
            set("provider", &agreed.provider),
            set("currency", agreed.currency.code()),
            set("line_kind", agreed.kind.name()),
            set("rate_millionths", &rate),
            set("fixed", &fixed),
            set("least", &least),
            set("tolerance", &tolerance),
            set("valid_from", &day),
        ];
        delta.extend(most.iter().map(|most| set("most", most)));
        book.record(&AuditEvent::done(
            "price.created",
            ("price", &version),
            &delta,
        ));
        Ok(Decision::now(price))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "price.create",
            kind: "price",
            id: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn price(version: i32, valid_from: i32, kind: LineKind, tariff: Tariff) -> Price {
        Price {
            version,
            agreed: NewPrice {
                provider: "north".to_owned(),
                currency: Currency::from_code("EUR").unwrap(),
                kind,
                tariff,
                tolerance: DEFAULT_TOLERANCE,
                valid_from,
            },
            created_at: Timestamp::from_micros(0),
        }
    }

    fn line(kind: LineKind, gross: i64, fee: i64, day: i32) -> ReportLine {
        ReportLine {
            number: 1,
            content: [0; 32],
            kind,
            reference: String::new(),
            our_reference: String::new(),
            gross,
            fee,
            currency: Currency::from_code("EUR").unwrap(),
            day,
            settlement: String::new(),
        }
    }

    fn tariff(rate_millionths: i64, fixed: i64) -> Tariff {
        Tariff {
            rate_millionths,
            fixed,
            ..Tariff::default()
        }
    }

    #[test]
    fn a_fee_may_differ_by_the_tolerance_and_is_rounded_half_even() {
        let prices = [price(1, 0, LineKind::Capture, tariff(29_000, 30))];
        let wrong = |gross, fee| {
            let line = line(LineKind::Capture, gross, fee, 5);
            wrong_fee(prices.iter(), "north", &line).map(|wrong| wrong.expected)
        };
        // 500 × 0.029 = 14.5, and 1500 × 0.029 = 43.5.
        for (gross, expected) in [(500, 44), (1_500, 74), (1_099, 62), (10, 10)] {
            for difference in [-1, 0, 1] {
                assert_eq!(wrong(gross, expected + difference), None, "{gross}");
            }
            for difference in [-2, 2] {
                assert_eq!(wrong(gross, expected + difference), Some(expected));
            }
        }
    }

    #[test]
    fn the_price_of_the_day_counts_and_of_these_the_newest() {
        let of = |version, from, fixed| price(version, from, LineKind::Refund, tariff(0, fixed));
        let prices = [of(1, 0, 10), of(2, 100, 20), of(3, 50, 30), of(4, 100, 40)];
        let expected = |provider: &str, kind, day| {
            // A fee of a refund may be more than its amount.
            let line = line(kind, -5, 999, day);
            wrong_fee(prices.iter(), provider, &line).map(|wrong| (wrong.version, wrong.expected))
        };
        let refund = LineKind::Refund;
        assert_eq!(expected("north", refund, 0), Some((1, 10)));
        assert_eq!(expected("north", refund, 99), Some((3, 30)));
        assert_eq!(expected("north", refund, 100), Some((4, 40)));
        assert_eq!(expected("north", refund, -1), None);
        assert_eq!(expected("south", refund, 100), None);
        assert_eq!(expected("north", LineKind::Capture, 100), None);
    }
}
