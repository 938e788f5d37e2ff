//! Opening an account.

use money::{Currency, MinorUnits};
use store::Timestamp;

use crate::{Account, AccountId, AccountStatus, NormalSide, Shelf};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its place in the chart of accounts; unique per tenant.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The one currency it will hold.
    pub currency: Currency,
    /// The side on which its balance grows.
    pub normal_side: NormalSide,
    /// The least balance that may be left available; `None`: no limit.
    pub floor: Option<MinorUnits>,
}

/// Why no account was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another account has this code.
    #[error("the code is taken by {by}")]
    CodeTaken {
        /// The account that has it.
        by: AccountId,
    },
}

/// Opens an account with nothing on it.
///
/// # Errors
/// [`OpenError`] names the rule; the shelf is then as it was.
pub fn open(
    shelf: &mut Shelf,
    id: AccountId,
    new: NewAccount,
    now: Timestamp,
) -> Result<&Account, OpenError> {
    if let Some(by) = shelf.id_of(&new.code) {
        return Err(OpenError::CodeTaken { by });
    }
    // After this point it must succeed.
    Ok(shelf.put_new(Account {
        id,
        code: new.code,
        name: new.name,
        currency: new.currency,
        normal_side: new.normal_side,
        floor: new.floor,
        status: AccountStatus::Open,
        debits_pending: 0,
        debits_posted: 0,
        credits_pending: 0,
        credits_posted: 0,
        version: 0,
        opened_at: now,
    }))
}
