//! Opening an account.

use money::Currency;
use store::Timestamp;

use crate::{
    Account, AccountClass, AccountCode, AccountId, AccountName, AccountStatus, Limits, Metadata,
    Shelf,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its place in the chart of accounts; unique per tenant.
    pub code: AccountCode,
    /// What people call it.
    pub name: AccountName,
    /// The one currency it will hold.
    pub currency: Currency,
    /// What kind of account it is; gives the side on which its balance grows.
    pub class: AccountClass,
    /// What its balance may be.
    pub limits: Limits,
    /// What the tenant keeps with it.
    pub metadata: Option<Metadata>,
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
    /// What it would hold is no currency of ISO 4217 and no asset that is registered, with this exponent.
    #[error("{currency:?} is not registered")]
    AssetNotRegistered {
        /// What was asked for.
        currency: Currency,
    },
}

impl OpenError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        ("code_taken", "A code names one account of a tenant."),
        (
            "asset_not_registered",
            "What an account holds is of ISO 4217, or registered with the exponent that is meant.",
        ),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CodeTaken { .. } => "code_taken",
            Self::AssetNotRegistered { .. } => "asset_not_registered",
        }
    }
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
) -> Result<Account, OpenError> {
    if let Some(by) = shelf.id_of(&new.code) {
        return Err(OpenError::CodeTaken { by });
    }
    let currency = new.currency;
    if currency.is_custom()
        && shelf.asset(currency.code()).map(|asset| asset.currency) != Some(currency)
    {
        return Err(OpenError::AssetNotRegistered { currency });
    }
    // After this point it must succeed.
    let account = Account {
        id,
        code: new.code.into(),
        name: new.name.into(),
        currency: new.currency,
        normal_side: new.class.normal_side(),
        class: Some(new.class),
        limits: new.limits,
        status: AccountStatus::Open,
        metadata: new.metadata,
        debits_pending: 0,
        debits_posted: 0,
        debits_released: 0,
        credits_pending: 0,
        credits_posted: 0,
        credits_released: 0,
        version: 0,
        revision: 0,
        opened_at: now,
    };
    shelf.put_new(account.clone());
    Ok(account)
}
