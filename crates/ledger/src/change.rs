//! Changes of an account besides its counters: its status, its limits and its metadata. Each change adds one
//! to the account's `revision`, so a batch that read the account before the change cannot post to it.

use crate::{Account, AccountId, AccountStatus, Limits, Metadata, Shelf};

/// Why an account was not changed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such account, or it belongs to another tenant.
    #[error("account {account} does not exist")]
    AccountNotFound {
        /// The id that was not found.
        account: AccountId,
    },
    /// The account has the wrong status for the change: only an open account can be frozen, only a frozen one
    /// can be unfrozen, nothing follows after closed, and a closed account has no limits.
    #[error("account {account} is {status}")]
    WrongStatus {
        /// The account.
        account: AccountId,
        /// The present status.
        status: AccountStatus,
    },
    /// Amounts are pending on the account; in a closed account they could never be fulfilled.
    #[error("account {account} has pending entries")]
    HasPending {
        /// The account.
        account: AccountId,
    },
    /// The balance is not zero; in a closed account it could never be moved.
    #[error("account {account} has a balance of {balance}")]
    HasBalance {
        /// The account.
        account: AccountId,
        /// The posted balance, in minor units.
        balance: i64,
    },
}

impl ChangeError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
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

    /// The code of the broken rule; a code never changes.
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

/// Freezes an open account: it takes no postings for now.
///
/// # Errors
/// [`ChangeError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn freeze(shelf: &mut Shelf, id: AccountId) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Open])?;
    turn(shelf, account, AccountStatus::Frozen)
}

/// Unfreezes a frozen account: it takes postings again.
///
/// # Errors
/// As [`freeze`].
pub fn unfreeze(shelf: &mut Shelf, id: AccountId) -> Result<&Account, ChangeError> {
    let account = find(shelf, id, &[AccountStatus::Frozen])?;
    turn(shelf, account, AccountStatus::Open)
}

/// Closes an account with no balance and nothing pending: it never takes postings again.
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

/// Sets the limits of the balance from now on. A balance that is already beyond the new limits stays; it
/// may then only move towards them.
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

/// Replaces the metadata of an account.
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

/// A copy of the account, if its status is one of those that are allowed.
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
