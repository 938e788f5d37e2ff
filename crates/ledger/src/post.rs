//! Where a posting is decided.

use money::{Amount, Currency, MinorUnits};
use store::Timestamp;

use crate::{Account, AccountId, AccountStatus, Shelf};

store::typed_id!(
    /// A transaction's id: `txn_…`.
    TransactionId,
    "txn"
);

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// From wallet to wallet.
    Transfer,
    /// What a provider took from a payer for us.
    Capture,
}

impl Kind {
    /// As it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Capture => "capture",
        }
    }

    /// From its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Transfer, Self::Capture]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// One movement: `amount` goes onto the debit side of `debit` and the credit side of `credit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The debited account.
    pub debit: AccountId,
    /// The credited account.
    pub credit: AccountId,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

/// What is asked for. Time and id are given, so that a run can be repeated exactly.
#[derive(Debug, Clone)]
pub struct NewTransaction {
    /// Its id.
    pub id: TransactionId,
    /// What it is for.
    pub kind: Kind,
    /// One or more movements, applied together or not at all.
    pub postings: Vec<Posting>,
    /// The caller's own name for it; unique per tenant.
    pub external_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// When it happened.
    pub effective_at: Timestamp,
    /// When we wrote it.
    pub recorded_at: Timestamp,
}

/// A posting with its place in each account's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedPosting {
    /// What moved.
    pub posting: Posting,
    /// The number of this entry on the debited account.
    pub debit_version: i64,
    /// That account's posted balance afterwards.
    pub debit_balance: MinorUnits,
    /// The number of this entry on the credited account.
    pub credit_version: i64,
    /// That account's posted balance afterwards.
    pub credit_balance: MinorUnits,
}

/// A transaction that is part of the books.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its id.
    pub id: TransactionId,
    /// What it is for.
    pub kind: Kind,
    /// Its movements, in the order given.
    pub postings: Vec<PostedPosting>,
    /// The caller's own name for it.
    pub external_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// When it happened.
    pub effective_at: Timestamp,
    /// When we wrote it.
    pub recorded_at: Timestamp,
}

/// Why a transaction was refused: the first broken rule, in the order of the variants. `posting`
/// counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// A transaction moves something.
    #[error("a transaction needs at least one posting")]
    NoPostings,
    /// An account does not move money to itself.
    #[error("a posting's two accounts must differ")]
    SameAccount {
        /// Which posting.
        posting: usize,
    },
    /// The external id names another transaction.
    #[error("the external id is taken by {by}")]
    ExternalIdTaken {
        /// The transaction that has it.
        by: TransactionId,
    },
    /// No such account, or another tenant's.
    #[error("account {account} does not exist")]
    AccountNotFound {
        /// Which posting.
        posting: usize,
        /// The account asked for.
        account: AccountId,
    },
    /// An account holds one currency.
    #[error("account {account} holds {holds}, not {asked}")]
    CurrencyMismatch {
        /// Which posting.
        posting: usize,
        /// The account.
        account: AccountId,
        /// What it holds.
        holds: Currency,
        /// What the posting moves.
        asked: Currency,
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
    /// A counter would pass `i64::MAX`.
    #[error("a counter of account {account} would overflow")]
    Overflow {
        /// The account.
        account: AccountId,
    },
    /// The account's floor.
    #[error("account {account} has {available} available, its floor is {floor}")]
    InsufficientFunds {
        /// The account.
        account: AccountId,
        /// What is available before the transaction, in minor units.
        available: i64,
        /// The least that must be left, in minor units.
        floor: i64,
    },
}

/// Posts a transaction: all of it or nothing.
///
/// # Errors
/// [`PostError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn post(shelf: &mut Shelf, new: NewTransaction) -> Result<Posted, PostError> {
    if new.postings.is_empty() {
        return Err(PostError::NoPostings);
    }
    for (posting, p) in new.postings.iter().enumerate() {
        if p.debit == p.credit {
            return Err(PostError::SameAccount { posting });
        }
    }
    if let Some(by) = new
        .external_id
        .as_ref()
        .and_then(|x| shelf.transaction_named(x))
    {
        return Err(PostError::ExternalIdTaken { by });
    }
    let mut accounts = find_accounts(shelf, &new.postings)?;
    check_currencies(&accounts, &new.postings)?;
    check_status(&accounts)?;
    let postings = apply(&mut accounts, &new.postings)?;
    check_floors(shelf, &accounts)?;
    // After this point it must succeed.
    for account in accounts {
        shelf.put_changed(account);
    }
    let posted = Posted {
        id: new.id,
        kind: new.kind,
        postings,
        external_id: new.external_id,
        description: new.description,
        effective_at: new.effective_at,
        recorded_at: new.recorded_at,
    };
    shelf.put_posted(posted.clone());
    Ok(posted)
}

/// Copies of the accounts concerned, each once, in the order they are first named.
fn find_accounts(shelf: &Shelf, postings: &[Posting]) -> Result<Vec<Account>, PostError> {
    let mut found: Vec<Account> = Vec::with_capacity(2);
    for (posting, p) in postings.iter().enumerate() {
        for account in [p.debit, p.credit] {
            if !found.iter().any(|known| known.id == account) {
                let known = shelf.account(&account);
                let known = known.ok_or(PostError::AccountNotFound { posting, account })?;
                found.push(known.clone());
            }
        }
    }
    Ok(found)
}

fn check_currencies(accounts: &[Account], postings: &[Posting]) -> Result<(), PostError> {
    for (posting, p) in postings.iter().enumerate() {
        for account in accounts {
            let concerned = account.id == p.debit || account.id == p.credit;
            if concerned && account.currency != p.currency {
                return Err(PostError::CurrencyMismatch {
                    posting,
                    account: account.id,
                    holds: account.currency,
                    asked: p.currency,
                });
            }
        }
    }
    Ok(())
}

fn check_status(accounts: &[Account]) -> Result<(), PostError> {
    for account in accounts {
        match account.status {
            AccountStatus::Open => {}
            AccountStatus::Frozen => {
                return Err(PostError::AccountFrozen {
                    account: account.id,
                });
            }
            AccountStatus::Closed => {
                return Err(PostError::AccountClosed {
                    account: account.id,
                });
            }
        }
    }
    Ok(())
}

/// Moves the amounts on the copies, one posting after another.
fn apply(accounts: &mut [Account], postings: &[Posting]) -> Result<Vec<PostedPosting>, PostError> {
    let mut applied = Vec::with_capacity(postings.len());
    for posting in postings {
        let amount = posting.amount.get();
        let debit = side(accounts, posting.debit, |a| &mut a.debits_posted, amount)?;
        let credit = side(accounts, posting.credit, |a| &mut a.credits_posted, amount)?;
        applied.push(PostedPosting {
            posting: *posting,
            debit_version: debit.0,
            debit_balance: debit.1,
            credit_version: credit.0,
            credit_balance: credit.1,
        });
    }
    Ok(applied)
}

/// Adds to one counter of one account; returns the entry's number and the balance afterwards.
fn side(
    accounts: &mut [Account],
    id: AccountId,
    counter: fn(&mut Account) -> &mut i64,
    amount: i64,
) -> Result<(i64, MinorUnits), PostError> {
    let overflow = PostError::Overflow { account: id };
    let account = accounts.iter_mut().find(|a| a.id == id).ok_or(overflow)?;
    let sum = counter(account).checked_add(amount).ok_or(overflow)?;
    *counter(account) = sum;
    // A limit on what is pending plus what is posted keeps every later step within an i64.
    let debits = account.debits_posted.checked_add(account.debits_pending);
    let credits = account.credits_posted.checked_add(account.credits_pending);
    debits.and(credits).ok_or(overflow)?;
    account.version = account.version.checked_add(1).ok_or(overflow)?;
    Ok((account.version, account.posted()))
}

/// A floor is looked at once the whole transaction is applied, and only on accounts it lowers.
fn check_floors(shelf: &Shelf, accounts: &[Account]) -> Result<(), PostError> {
    for account in accounts {
        let Some(floor) = account.floor else { continue };
        let before = shelf
            .account(&account.id)
            .map_or(MinorUnits::ZERO, Account::available);
        let after = account.available();
        if after < before && after < floor {
            return Err(PostError::InsufficientFunds {
                account: account.id,
                available: before.get(),
                floor: floor.get(),
            });
        }
    }
    Ok(())
}
