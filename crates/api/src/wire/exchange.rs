//! A currency exchange, as it is asked for and as it was made.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::texts::*;
use super::{NewCondition, Transaction};

/// A currency exchange. Exactly one of `sell` and `buy` is given; the other follows from the rate.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewExchange {
    /// The account that gives: its balance falls by what is sold.
    #[schema(value_type = AccountId)]
    pub from: String,
    /// The account that gets: its balance grows by what is bought.
    #[schema(value_type = AccountId)]
    pub to: String,
    /// The liquidity account of the sold currency.
    #[schema(value_type = AccountId)]
    pub sold_to: String,
    /// The liquidity account of the bought currency.
    #[schema(value_type = AccountId)]
    pub bought_from: String,
    /// What is sold, in minor units.
    #[schema(value_type = Option<Amount>, nullable = false)]
    pub sell: Option<i64>,
    /// What is bought, in minor units.
    #[schema(value_type = Option<Amount>, nullable = false)]
    pub buy: Option<i64>,
    /// Units of the bought currency for one unit of the sold one: a decimal of at most 18 digits.
    #[schema(value_type = Rate)]
    pub rate: String,
    /// How the other amount becomes minor units: `half_even` (if nothing is said), `half_up`, `down`, `up`.
    #[schema(value_type = Option<RoundingMode>, nullable = false)]
    pub rounding: Option<String>,
    /// Who quotes the rate.
    #[schema(value_type = SourceText)]
    pub source: String,
    /// When they quoted it (RFC 3339).
    #[schema(value_type = NewMoment)]
    pub quoted_at: String,
    /// What else must be so of these accounts.
    #[schema(max_items = 100, nullable = false)]
    pub conditions: Option<Vec<NewCondition>>,
    /// Your own name for it, unique among all transactions: at most 255 characters.
    #[schema(value_type = Option<ShortText>)]
    pub external_id: Option<String>,
    /// For people: at most 500 characters.
    #[schema(value_type = Option<LongText>)]
    pub description: Option<String>,
    /// What you keep with it: at most 50 texts of at most 500 characters.
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened (RFC 3339); now, if absent.
    #[schema(value_type = Option<NewMoment>)]
    pub effective_at: Option<String>,
    /// Whether it is only asked what would happen; false if absent.
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
}

/// An amount of a currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct Money {
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
}

/// A currency exchange that was made, or (in a dry run) would have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exchange {
    /// Always `exchange`.
    pub object: &'static str,
    /// What was sold.
    pub sold: Money,
    /// What was bought.
    pub bought: Money,
    /// Which of the two was given: `sold` or `bought`. The other follows from it.
    #[schema(value_type = GivenSide)]
    pub given: &'static str,
    /// Units of the bought currency for one unit of the sold one.
    #[schema(value_type = Rate)]
    pub rate: String,
    /// How the other amount became minor units.
    #[schema(value_type = RoundingMode)]
    pub rounding: &'static str,
    /// Who quoted the rate.
    #[schema(value_type = SourceText)]
    pub source: String,
    /// When they quoted it.
    #[schema(value_type = Moment)]
    pub quoted_at: String,
    /// The transaction that made it: posting 0 is what was sold, posting 1 what was bought.
    pub transaction: Transaction,
}
