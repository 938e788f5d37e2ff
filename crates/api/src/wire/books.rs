//! What comes in about the books.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::texts::*;

/// Posts a transaction, or promises it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTransaction {
    /// What it is for: 1 to 32 of a-z, 0-9 and _, beginning with a letter, and none of the names that
    /// other routes give: `transfer`, `capture`, `exchange`, `post`, `void`, `expiry`, `reversal`.
    #[schema(value_type = Kind)]
    pub kind: String,
    /// Its movements, applied together or not at all.
    #[schema(min_items = 1, max_items = 100)]
    pub postings: Vec<NewPosting>,
    /// Whether it is only promised, and how long; false if absent.
    #[schema(nullable = false)]
    pub pending: Option<NewPending>,
    /// What else must be so of accounts that the postings name.
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

/// A movement from the credited to the debited account.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPosting {
    /// The debited account.
    #[schema(value_type = AccountId)]
    pub debit: String,
    /// The credited account.
    #[schema(value_type = AccountId)]
    pub credit: String,
    /// Minor units, 1 to 2^63 - 1.
    #[schema(value_type = Amount)]
    pub amount: i64,
    /// ISO 4217 code, or that of a custom asset; both accounts hold it.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
}

/// Whether a transaction is only promised, and how long.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum NewPending {
    /// True: until it is posted or voided. False: it is final at once.
    Is(bool),
    /// Until it is posted or voided, or until a moment, whichever comes first.
    Until(NewExpiry),
}

/// When what is pending expires: one of the two.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewExpiry {
    /// At this moment (RFC 3339).
    #[schema(value_type = Option<NewMoment>, nullable = false)]
    pub expires_at: Option<String>,
    /// In so many seconds, 1 to 315,360,000.
    #[schema(
        minimum = 1,
        maximum = 315_360_000,
        example = 604_800,
        nullable = false
    )]
    pub expires_in: Option<i64>,
}

/// What must be so of an account: one of the two.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewCondition {
    /// The account.
    #[schema(value_type = AccountId)]
    pub account: String,
    /// So much is available afterwards, in minor units.
    #[schema(value_type = Option<MinorUnits>, nullable = false)]
    pub available_at_least: Option<i64>,
    /// It had so many entries before.
    #[schema(value_type = Option<Count>, nullable = false)]
    pub version: Option<i64>,
}

/// Posts a pending transaction, or a part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostPending {
    /// How much of which posting; all that remains, if absent.
    #[schema(min_items = 1, max_items = 100)]
    pub amounts: Option<Vec<NewPart>>,
    /// Whether all that remains afterwards is released; false if absent.
    #[schema(nullable = false)]
    pub last: Option<bool>,
    /// Whether an amount may be more than its posting still holds; false if absent. The difference is posted
    /// at once, if the limits of the accounts allow it.
    #[schema(nullable = false)]
    pub exceed: Option<bool>,
    /// What else must be so of accounts that it moves.
    #[schema(max_items = 100, nullable = false)]
    pub conditions: Option<Vec<NewCondition>>,
    /// Your own name for this step, unique among all transactions.
    #[schema(value_type = Option<ShortText>)]
    pub external_id: Option<String>,
    /// For people.
    #[schema(value_type = Option<LongText>)]
    pub description: Option<String>,
    /// What you keep with it.
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened (RFC 3339); now, if absent.
    #[schema(value_type = Option<NewMoment>)]
    pub effective_at: Option<String>,
    /// Whether it is only asked what would happen; false if absent.
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
}

/// Releases all that a pending transaction still holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct VoidPending {
    /// What else must be so of accounts that it moves.
    #[schema(max_items = 100, nullable = false)]
    pub conditions: Option<Vec<NewCondition>>,
    /// Your own name for this step, unique among all transactions.
    #[schema(value_type = Option<ShortText>)]
    pub external_id: Option<String>,
    /// For people.
    #[schema(value_type = Option<LongText>)]
    pub description: Option<String>,
    /// What you keep with it.
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened (RFC 3339); now, if absent.
    #[schema(value_type = Option<NewMoment>)]
    pub effective_at: Option<String>,
    /// Whether it is only asked what would happen; false if absent.
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
}

/// Undoes what was posted, or a part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reverse {
    /// How much of which posting; all that remains, if absent. Of an exchange, both postings in one share.
    #[schema(min_items = 1, max_items = 100)]
    pub amounts: Option<Vec<NewPart>>,
    /// Of an exchange: how much of what was sold, in minor units. What was bought follows.
    #[schema(value_type = Option<Amount>)]
    pub sell: Option<i64>,
    /// Of an exchange: how much of what was bought, in minor units. What was sold follows.
    #[schema(value_type = Option<Amount>)]
    pub buy: Option<i64>,
    /// What else must be so of accounts that it moves.
    #[schema(max_items = 100, nullable = false)]
    pub conditions: Option<Vec<NewCondition>>,
    /// Your own name for this step, unique among all transactions.
    #[schema(value_type = Option<ShortText>)]
    pub external_id: Option<String>,
    /// For people.
    #[schema(value_type = Option<LongText>)]
    pub description: Option<String>,
    /// What you keep with it.
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it happened (RFC 3339); now, if absent.
    #[schema(value_type = Option<NewMoment>)]
    pub effective_at: Option<String>,
    /// Whether it is only asked what would happen; false if absent.
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
}

/// So much of one posting.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPart {
    /// The posting's place in its transaction, from 0; to reverse what was posted beyond a hold, the ordinal
    /// that the answer gave it.
    #[schema(minimum = 0, maximum = 299)]
    pub ordinal: i16,
    /// Minor units.
    #[schema(value_type = Amount)]
    pub amount: i64,
}

/// Makes many steps in one commit.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewBulk {
    /// True: all or none. False: each by itself.
    pub atomic: bool,
    /// The steps, in order; each sees those before it.
    #[schema(min_items = 1, max_items = 1000)]
    pub transactions: Vec<NewBulkItem>,
    /// Whether it is only asked what would happen; false if absent.
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
}

/// One of many: a transaction, an exchange, or a step about another transaction (one of `post`, `void`
/// and `reverse`, and the fields that the step has alone), each without `dry_run`. The description makes
/// it of the bodies that these have alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewBulkItem {}

/// Changes an account: its three limits, or its metadata.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AccountPatch {
    /// All limits at once; null: no such limit.
    Limits(NewLimits),
    /// What you keep with it; null or an empty object: nothing.
    Metadata(NewMetadata),
}

/// An account's limits, in minor units; each must be there.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewLimits {
    /// The least available balance.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub floor: Option<i64>,
    /// The greatest possible balance.
    #[schema(value_type = Option<MinorUnits>, required)]
    pub ceiling: Option<i64>,
    /// How far below the floor it may go.
    #[schema(value_type = Option<Count>, required)]
    pub credit_line: Option<i64>,
}

/// What is kept with an account or a transaction from now on, in place of what was: null or an empty object:
/// nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewMetadata {
    /// At most 50 texts of at most 500 characters.
    #[schema(value_type = Option<Metadata>, required)]
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Closes everything that happened before a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosePeriod {
    /// The earliest moment that stays open (RFC 3339), not in the future.
    #[schema(value_type = NewMoment)]
    pub closed_before: String,
}

/// An empty object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Nothing {}
