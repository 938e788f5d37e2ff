//! Where the posting of a pending transaction is decided: whole or in part, once or several times.
//!
//! No limit is looked at: they were when the pending one was made, so that posting it cannot breach
//! them. An account that was frozen since lets nothing be posted, and what is held expires or is
//! voided. A closed one holds nothing.

use store::Timestamp;

use crate::entries::{self, Movement, Overflow};
use crate::hold::{self, NotHeld};
use crate::transaction::{Part, RELEASES_FROM, named_twice};
use crate::{
    Account, AccountId, AccountStatus, Heading, Hold, HoldStatus, Phase, Posted, PostedPosting,
    Shelf, Step, TransactionId,
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewSettlement {
    /// What it says of itself.
    pub heading: Heading,
    /// The pending transaction.
    pub pending: TransactionId,
    /// How much of which of its postings; `None`: all that remains.
    pub amounts: Option<Vec<Part>>,
    /// Whether all that remains then is released.
    pub last: bool,
}

/// Why nothing was posted: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// The external id names another transaction.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has it.
        by: TransactionId,
    },
    /// A transaction moves something.
    #[error("a settlement needs at least one amount")]
    NoAmounts,
    /// A posting has one amount.
    #[error("posting {ordinal} is named twice")]
    PostingNamedTwice {
        /// Which posting.
        ordinal: i16,
    },
    /// No such transaction, or another tenant's.
    #[error("transaction {transaction} does not exist")]
    TransactionNotFound {
        /// The transaction asked for.
        transaction: TransactionId,
    },
    /// The transaction has fewer postings.
    #[error("there is no posting {ordinal}")]
    PostingNotFound {
        /// Which posting.
        ordinal: i16,
    },
    /// Only what is pending can be posted.
    #[error("the transaction is not a pending one, it is a {step} one")]
    NotPending {
        /// What it is.
        step: Step,
    },
    /// Nothing of it is held any more.
    #[error("the transaction is {how} already")]
    Ended {
        /// How it has ended.
        how: HoldStatus,
    },
    /// Its time is over, whether anybody has swept it up or not.
    #[error("the transaction has expired at {expires_at}")]
    Expired {
        /// When.
        expires_at: Timestamp,
    },
    /// Never more than was promised.
    #[error("posting {ordinal} still holds {remaining}")]
    ExceedsPending {
        /// Which posting.
        ordinal: i16,
        /// What it still holds, in minor units.
        remaining: i64,
    },
    /// A frozen account takes no postings.
    #[error("account {account} is frozen")]
    AccountFrozen {
        /// The account.
        account: AccountId,
    },
    /// A closed account takes no postings.
    #[error("account {account} is closed")]
    AccountClosed {
        /// The account.
        account: AccountId,
    },
    /// A closed period takes no transactions.
    #[error("the books are closed before {closed_before}")]
    PeriodClosed {
        /// The earliest moment that is open.
        closed_before: Timestamp,
    },
    /// A counter would pass `i64::MAX`.
    #[error("a counter of account {account} would overflow")]
    Overflow {
        /// The account.
        account: AccountId,
    },
}

impl SettleError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "external_id_taken",
            "An external id names one transaction of a tenant.",
        ),
        (
            "no_amounts",
            "Amounts, where they are given, are at least one.",
        ),
        ("posting_named_twice", "A posting is given one amount."),
        (
            "transaction_not_found",
            "The pending transaction exists, and is the tenant's.",
        ),
        (
            "posting_not_found",
            "The pending transaction has the postings that are named.",
        ),
        ("not_pending", "Only a pending transaction is posted."),
        ("ended", "Something of it is still held."),
        ("expired", "Its time is not over."),
        (
            "exceeds_pending",
            "No more of a posting is posted than it still holds.",
        ),
        ("account_frozen", "No account is frozen."),
        ("account_closed", "No account is closed."),
        (
            "period_closed",
            "What happened, happened in an open period.",
        ),
        ("balance_overflow", "No counter passes 2^63 - 1."),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::NoAmounts => "no_amounts",
            Self::PostingNamedTwice { .. } => "posting_named_twice",
            Self::TransactionNotFound { .. } => "transaction_not_found",
            Self::PostingNotFound { .. } => "posting_not_found",
            Self::NotPending { .. } => "not_pending",
            Self::Ended { .. } => "ended",
            Self::Expired { .. } => "expired",
            Self::ExceedsPending { .. } => "exceeds_pending",
            Self::AccountFrozen { .. } => "account_frozen",
            Self::AccountClosed { .. } => "account_closed",
            Self::PeriodClosed { .. } => "period_closed",
            Self::Overflow { .. } => "balance_overflow",
        }
    }
}

/// Posts what a pending transaction promised, or a part of it.
///
/// # Errors
/// [`SettleError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn settle(shelf: &mut Shelf, new: NewSettlement) -> Result<Posted, SettleError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(SettleError::ExternalIdTaken { by });
    }
    let named = new.amounts.as_deref();
    check_amounts(named)?;
    let transaction = new.pending;
    let (postings, mut accounts) = entries::concerned(shelf, &transaction)
        .ok_or(SettleError::TransactionNotFound { transaction })?;
    check_named(named, &postings)?;
    let held = hold::held(shelf, &transaction, &postings).map_err(|not| match not {
        NotHeld::NotPending(step) => SettleError::NotPending { step },
        NotHeld::Ended(how) => SettleError::Ended { how },
    })?;
    check_time(&held, new.heading.recorded_at)?;
    check_remaining(named, &held)?;
    let concerned = |id: &AccountId| moves(named, &held, id);
    check_open(&accounts, concerned)?;
    let heading = &new.heading;
    if let Some(closed_before) = shelf.closes(heading.effective_at, heading.recorded_at) {
        return Err(SettleError::PeriodClosed { closed_before });
    }
    let next: Vec<(PostedPosting, Hold, Hold)> = held
        .iter()
        .map(|(posted, hold)| (*posted, *hold, advance(*hold, named, new.last)))
        .collect();
    let settled = next.iter().filter_map(|(p, hold, next)| {
        let amount = next.posted.saturating_sub(hold.posted);
        Movement::of(p.posting, p.ordinal, Phase::Settled, amount)
    });
    let released = next.iter().filter_map(|(p, hold, next)| {
        let amount = next.released.saturating_sub(hold.released);
        let ordinal = p.ordinal.saturating_add(RELEASES_FROM);
        Movement::of(p.posting, ordinal, Phase::Released, amount)
    });
    let postings = entries::apply(&mut accounts, settled.chain(released))
        .map_err(|Overflow(account)| SettleError::Overflow { account })?;
    // After this point it must succeed.
    for (_, _, hold) in next {
        shelf.put_hold(hold);
    }
    let posted = new.heading.becomes(Step::Settlement, transaction, postings);
    shelf.put_posted(accounts, posted.clone());
    Ok(posted)
}

fn check_amounts(named: Option<&[Part]>) -> Result<(), SettleError> {
    let Some(parts) = named else { return Ok(()) };
    if parts.is_empty() {
        return Err(SettleError::NoAmounts);
    }
    match named_twice(parts) {
        Some(ordinal) => Err(SettleError::PostingNamedTwice { ordinal }),
        None => Ok(()),
    }
}

fn check_named(named: Option<&[Part]>, postings: &[PostedPosting]) -> Result<(), SettleError> {
    for (ordinal, _) in named.unwrap_or_default() {
        if !postings.iter().any(|posted| posted.ordinal == *ordinal) {
            return Err(SettleError::PostingNotFound { ordinal: *ordinal });
        }
    }
    Ok(())
}

fn check_time(held: &[(PostedPosting, Hold)], now: Timestamp) -> Result<(), SettleError> {
    let over = held.iter().find(|(_, hold)| hold.has_expired(now));
    match over.and_then(|(_, hold)| hold.expires_at) {
        Some(expires_at) => Err(SettleError::Expired { expires_at }),
        None => Ok(()),
    }
}

fn check_remaining(
    named: Option<&[Part]>,
    held: &[(PostedPosting, Hold)],
) -> Result<(), SettleError> {
    for (ordinal, amount) in named.unwrap_or_default() {
        let of_it = held.iter().find(|(_, hold)| hold.ordinal == *ordinal);
        let remaining = of_it.map_or(0, |(_, hold)| hold.remaining());
        if amount.get() > remaining {
            return Err(SettleError::ExceedsPending {
                ordinal: *ordinal,
                remaining,
            });
        }
    }
    Ok(())
}

/// Only the accounts whose posted balance will move must be open: releasing is always allowed.
fn check_open(
    accounts: &[Account],
    concerned: impl Fn(&AccountId) -> bool,
) -> Result<(), SettleError> {
    let moved: Vec<Account> = accounts
        .iter()
        .filter(|account| concerned(&account.id))
        .cloned()
        .collect();
    if let Some(account) = entries::first_that_is(&moved, AccountStatus::Frozen) {
        return Err(SettleError::AccountFrozen { account });
    }
    if let Some(account) = entries::first_that_is(&moved, AccountStatus::Closed) {
        return Err(SettleError::AccountClosed { account });
    }
    Ok(())
}

/// Whether something is posted that moves this account.
fn moves(named: Option<&[Part]>, held: &[(PostedPosting, Hold)], id: &AccountId) -> bool {
    held.iter().any(|(posted, hold)| {
        let posting = posted.posting;
        wanted(*hold, named) > 0 && (posting.debit == *id || posting.credit == *id)
    })
}

/// How much of a hold is to be posted.
fn wanted(hold: Hold, named: Option<&[Part]>) -> i64 {
    match named {
        None => hold.remaining(),
        Some(parts) => {
            let part = parts.iter().find(|(ordinal, _)| *ordinal == hold.ordinal);
            part.map_or(0, |(_, amount)| amount.get())
        }
    }
}

fn advance(hold: Hold, named: Option<&[Part]>, last: bool) -> Hold {
    let posted = wanted(hold, named);
    let rest = if last {
        hold.remaining().saturating_sub(posted)
    } else {
        0
    };
    hold.moved_on(posted, rest, HoldStatus::Posted)
}
