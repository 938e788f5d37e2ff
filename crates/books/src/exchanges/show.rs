//! The replies about currency exchanges.

use edge::reply::{json, moment};
use engine::Reply;
use ledger::{Leg, RecordedTransaction};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Form;
use crate::shapes::*;
use crate::transactions::show::{Transaction, transaction};

/// An amount of a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Money {
    /// The amount in minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
}

/// A currency exchange that was made, or (in a dry run) would have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exchange {
    /// Always `exchange`.
    pub object: &'static str,
    /// The sold amount.
    pub sold: Money,
    /// The bought amount.
    pub bought: Money,
    /// The amount that the request gave: `sold` or `bought`. The other amount follows from it.
    #[schema(value_type = GivenSide)]
    pub given: &'static str,
    /// Units of the bought currency for one unit of the sold currency.
    #[schema(value_type = Rate)]
    pub rate: String,
    /// How the other amount was rounded to minor units.
    #[schema(value_type = RoundingMode)]
    pub rounding: &'static str,
    /// Who quoted the rate.
    #[schema(value_type = SourceText)]
    pub source: String,
    /// When the rate was quoted.
    #[schema(value_type = Moment)]
    pub quoted_at: String,
    /// The transaction of the exchange. Posting 0 moves the sold amount, posting 1 the bought amount.
    pub transaction: Transaction,
}

/// The reply with an exchange that was made or, in a dry run, would have been made.
pub(crate) fn reply(posted: &RecordedTransaction, made: &ledger::Exchange, dry_run: bool) -> Reply {
    json(
        if dry_run { 200 } else { 201 },
        &exchange(posted, made, dry_run),
    )
}

pub(crate) fn exchange(
    posted: &RecordedTransaction,
    made: &ledger::Exchange,
    dry_run: bool,
) -> Exchange {
    let currency = |leg: Leg| {
        let mut legs = posted.postings.iter();
        let moved = legs.find(|moved| moved.ordinal == leg.ordinal());
        moved.map_or_else(String::new, |moved| {
            moved.posting.currency.code().to_owned()
        })
    };
    Exchange {
        object: "exchange",
        sold: Money {
            amount: made.sold.get(),
            currency: currency(Leg::Sold),
        },
        bought: Money {
            amount: made.bought.get(),
            currency: currency(Leg::Bought),
        },
        given: match made.given {
            Leg::Sold => "sold",
            Leg::Bought => "bought",
        },
        rate: made.quote.rate.to_string(),
        rounding: made.quote.rounding.name(),
        source: made.quote.source.to_string(),
        quoted_at: moment(made.quote.quoted_at),
        transaction: transaction(posted, dry_run, Form::Now),
    }
}
