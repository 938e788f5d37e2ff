//! Opening of accounts.

use money::Currency;
use store::Timestamp;

use crate::{
    Account, AccountClass, AccountCode, AccountId, AccountName, AccountStatus, Limits, Metadata,
    Shelf,
};

/// A request to open an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The place in the chart of accounts; unique per tenant.
    pub code: AccountCode,
    /// The name that people read.
    pub name: AccountName,
    /// The one currency of the account.
    pub currency: Currency,
    /// The kind of the account. It gives the side on which the balance grows.
    pub class: AccountClass,
    /// The least and the greatest balance that are allowed.
    pub limits: Limits,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
}

/// Why no account was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another account has this code.
    #[error("the code is taken by {by}")]
    CodeTaken {
        /// The account that has this code.
        by: AccountId,
    },
    /// The currency is neither in ISO 4217 nor a registered asset with this exponent.
    #[error("{currency:?} is not registered")]
    AssetNotRegistered {
        /// The currency that was requested.
        currency: Currency,
    },
}

impl OpenError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        ("code_taken", "A code names one account of a tenant."),
        (
            "asset_not_registered",
            "What an account holds is of ISO 4217, or registered with the exponent that is meant.",
        ),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CodeTaken { .. } => "code_taken",
            Self::AssetNotRegistered { .. } => "asset_not_registered",
        }
    }
}

/// Opens an account with a balance of zero.
///
/// # Errors
/// [`OpenError`] names the broken rule; the shelf is then unchanged.
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
