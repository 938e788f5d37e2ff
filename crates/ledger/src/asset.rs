//! Custom assets: a tenant's own register of what ISO 4217 does not list. A code has one exponent, for
//! ever, because every amount that was written relies on it.

use money::{AssetError, Currency};
use store::Timestamp;

use crate::{AssetName, Shelf};

/// A custom asset that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its code and exponent.
    pub currency: Currency,
    /// What people call it.
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What is asked for: never a currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    currency: Currency,
    name: String,
}

impl NewAsset {
    /// An asset with this code and so many decimal places. Without a name it is called by its code.
    ///
    /// # Errors
    /// [`AssetError`], as [`Currency::custom`] says.
    pub fn new(code: &str, exponent: u8, name: Option<AssetName>) -> Result<Self, AssetError> {
        let currency = Currency::custom(code, exponent)?;
        let name = name.map_or_else(|| code.to_owned(), String::from);
        Ok(Self { currency, name })
    }

    /// An asset as other books name it; `None` for a currency of ISO 4217, which needs no registering.
    #[must_use]
    pub fn of(currency: Currency) -> Option<Self> {
        let name = currency.code().to_owned();
        currency.is_custom().then_some(Self { currency, name })
    }

    /// Its code and exponent.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

/// Why no asset was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The code is an asset's already, be its exponent another or the same.
    #[error("the code is registered already, with {} decimal places", .by.exponent())]
    CodeTaken {
        /// The asset that has it.
        by: Currency,
    },
}

impl RegisterError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[(
        "code_taken",
        "A code names one asset of a tenant, with one exponent.",
    )];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CodeTaken { .. } => "code_taken",
        }
    }
}

/// Registers an asset, so that accounts may hold it.
///
/// # Errors
/// [`RegisterError`] names the rule; the shelf is then as it was.
pub fn register(shelf: &mut Shelf, new: NewAsset, now: Timestamp) -> Result<Asset, RegisterError> {
    if let Some(known) = shelf.asset(new.currency.code()) {
        return Err(RegisterError::CodeTaken { by: known.currency });
    }
    // After this point it must succeed.
    let asset = Asset {
        currency: new.currency,
        name: new.name,
        created_at: now,
    };
    shelf.put_registered(asset.clone());
    Ok(asset)
}
