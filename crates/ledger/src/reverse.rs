//! Here a reversal is decided: a new transaction with debit and credit swapped, which counts against the
//! transaction that it reverses. Final postings can be reversed, and so can the fulfilled part of a pending
//! transaction: wholly or in part, but never more than was posted. A reversal cannot be reversed; if it was
//! wrong, the transaction is posted again. A pending transaction is voided instead. An exchange is reversed
//! as a whole, or by the same share of both legs.

mod parts;

use money::Amount;

use crate::entries::{self, Movement};
use crate::refusal::order;
use crate::transaction::{Part, check_amounts};
use crate::{
    AccountId, Condition, Heading, Leg, Phase, Posting, RecordedTransaction, Refusal, Shelf, Step,
    TransactionId, condition, limits,
};

/// A request to reverse a transaction.
#[derive(Debug, Clone)]
pub struct NewReversal {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The transaction to reverse.
    pub of: TransactionId,
    /// The part of that transaction to reverse.
    pub amounts: Amounts,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// The part of a transaction that is reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amounts {
    /// All that remains.
    Rest,
    /// The named amounts of the named postings. For an exchange both postings are named, in proportion.
    OfPostings(Vec<Part>),
    /// An amount of one leg of an exchange, and the same share of the other leg.
    OfLeg(Leg, Amount),
}

/// All that remains, if no postings are named.
impl From<Option<Vec<Part>>> for Amounts {
    fn from(named: Option<Vec<Part>>) -> Self {
        named.map_or(Self::Rest, Self::OfPostings)
    }
}

/// The reversed amount of a posting. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The transaction that is reversed.
    pub transaction: TransactionId,
    /// The ordinal of its posting.
    pub ordinal: i16,
    /// The amount that was posted.
    pub amount: i64,
    /// The part of that amount that was reversed.
    pub reversed: i64,
}

impl Correction {
    /// The amount that can still be reversed.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.amount.saturating_sub(self.reversed)
    }
}

/// Reverses a transaction, or a part of it.
///
/// # Errors
/// The first broken rule of [`order::REVERSE`]; the shelf is then unchanged.
pub fn reverse(shelf: &mut Shelf, new: NewReversal) -> Result<RecordedTransaction, Refusal> {
    undo(shelf, new).map_err(|refusal| refusal.among(order::REVERSE))
}

fn undo(shelf: &mut Shelf, new: NewReversal) -> Result<RecordedTransaction, Refusal> {
    shelf.check_external_id(new.heading.external_id.as_ref())?;
    if let Amounts::OfPostings(parts) = &new.amounts {
        check_amounts(parts, Step::Reversal)?;
    }
    new.heading.check_moment()?;
    let transaction = new.of;
    let parts = parts::reversed_parts(shelf, transaction, &new.amounts)?;
    let mut accounts = entries::copies(shelf, parts.iter().map(|part| &part.posted.posting))
        .map_err(|_missing| Refusal::TransactionNotFound { transaction })?;
    let conditions = &new.conditions;
    let moves = |id: &AccountId| accounts.iter().any(|account| account.id == *id);
    condition::check_accounts(conditions, Step::Reversal, moves)?;
    entries::check_open(&accounts, |_| true)?;
    let heading = &new.heading;
    shelf.check_period(heading.effective_at, heading.recorded_at)?;
    condition::check_versions(conditions, &accounts)?;
    let movements = parts.iter().filter_map(|part| {
        let was = part.posted.posting;
        let posting = Posting {
            debit: was.credit,
            credit: was.debit,
            ..was
        };
        Movement::of(posting, part.posted.ordinal, Phase::Posted, part.amount)
    });
    let postings = entries::apply(&mut accounts, movements)?;
    limits::check(shelf, &accounts)?;
    condition::check_available(conditions, &accounts)?;
    // After this point it must succeed.
    for part in parts {
        shelf.put_correction(Correction {
            reversed: part.correction.reversed.saturating_add(part.amount),
            ..part.correction
        });
    }
    let posted = new.heading.becomes(Step::Reversal, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}
