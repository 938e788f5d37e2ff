//! What may change of an account besides its counters: whether it takes postings, its limits, and what
//! the tenant keeps with it. Each change counts in the account's `revision`, so that nobody posts to it
//! as it was before.

use crate::{Account, AccountId, AccountStatus, Limits, Metadata, Shelf};

/// Why an account was not changed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such account, or another tenant's.
    #[error("account {account} does not exist")]
    AccountNotFound {
        /// The account asked for.
        account: AccountId,
    },
    /// Open and frozen take turns, closed is the end; and a closed account has no limits.
    #[error("account {account} is {status}")]
    WrongStatus {
        /// The account.
        account: AccountId,
        /// How it is.
        status: AccountStatus,
    },
    /// What is pending on it could no longer be posted.
    #[error("account {account} has pending entries")]
    HasPending {
        /// The account.
        account: AccountId,
    },
    /// What is on it could no longer be moved.
    #[error("account {account} has a balance of {balance}")]
    HasBalance {
        /// The account.
        account: AccountId,
        /// Its posted balance, in minor units.
        balance: i64,
    },
}

impl ChangeError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "account_not_found",
            "The account exists, and is the tenant's.",
        ),
        (
            "wrong_status",
            "An open account is frozen, a frozen one opened again, and either closed; no limits are set on a closed one.",
        ),
        (
            "has_pending",
            "An account that is closed has nothing pending.",
        ),
        (
            "has_balance",
            "An account that is closed has a posted balance of zero.",
        ),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound { .. } => "account_not_found",
            Self::WrongStatus { .. } => "wrong_status",
            Self::HasPending { .. } => "has_pending",
            Self::HasBalance { .. } => "has_balance",
        }
    }
}

/// Lets an open account take no postings for now.
///
/// # Errors
/// [`ChangeError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn freeze(shelf: &mut Shelf, id: AccountId) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Open])?;
    turn(shelf, account, AccountStatus::Frozen)
}

/// Lets a frozen account take postings again.
///
/// # Errors
/// As [`freeze`].
pub fn unfreeze(shelf: &mut Shelf, id: AccountId) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Frozen])?;
    turn(shelf, account, AccountStatus::Open)
}

/// Lets an account that holds nothing take no postings ever again.
///
/// # Errors
/// As [`freeze`].
pub fn close(shelf: &mut Shelf, id: AccountId) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Open, AccountStatus::Frozen])?;
    if account.outstanding_debits() != 0 || account.outstanding_credits() != 0 {
        return Err(ChangeError::HasPending { account: id });
    }
    let balance = account.posted().get();
    if balance != 0 {
        return Err(ChangeError::HasBalance {
            account: id,
            balance,
        });
    }
    turn(shelf, account, AccountStatus::Closed)
}

/// Sets what the balance may be from now on. A balance that is beyond them already stays, and may only
/// move towards them.
///
/// # Errors
/// As [`freeze`].
pub fn set_limits(
    shelf: &mut Shelf,
    id: AccountId,
    limits: Limits,
) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Open, AccountStatus::Frozen])?;
    revise(shelf, Account { limits, ..account })
}

/// Replaces what the tenant keeps with an account.
///
/// # Errors
/// As [`freeze`].
pub fn set_metadata(
    shelf: &mut Shelf,
    id: AccountId,
    metadata: Option<Metadata>,
) -> Result<&Account, ChangeError> {
    const ANY: [AccountStatus; 3] = [
        AccountStatus::Open,
        AccountStatus::Frozen,
        AccountStatus::Closed,
    ];
    let account = find(shelf, id, &ANY)?;
    revise(
        shelf,
        Account {
            metadata,
            ..account
        },
    )
}

/// A copy of the account, if it is as it must be.
fn find(
    shelf: &Shelf,
    account: AccountId,
    allowed: &[AccountStatus],
) -> Result<Account, ChangeError> {
    let known = shelf.account(&account);
    let known = known.ok_or(ChangeError::AccountNotFound { account })?;
    if allowed.contains(&known.status) {
        return Ok(known.clone());
    }
    Err(ChangeError::WrongStatus {
        account,
        status: known.status,
    })
}

fn turn(
    shelf: &mut Shelf,
    account: Account,
    status: AccountStatus,
) -> Result<&Account, ChangeError> {
    revise(shelf, Account { status, ..account })
}

fn revise(shelf: &mut Shelf, account: Account) -> Result<&Account, ChangeError> {
    let missing = ChangeError::AccountNotFound {
        account: account.id,
    };
    shelf.put_revised(account).ok_or(missing)
}
