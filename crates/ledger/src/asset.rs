//! Custom assets: the tenant's own register of currencies that ISO 4217 does not list. The exponent of a
//! code never changes, because every stored amount relies on it.

use money::{AssetError, Currency};
use store::Timestamp;

use crate::{AssetName, Shelf};

/// A registered custom asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Code and exponent.
    pub currency: Currency,
    /// The name that people read.
    pub name: String,
    /// The time at which the asset was registered.
    pub created_at: Timestamp,
}

/// A request to register an asset; never a currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    currency: Currency,
    name: String,
}

impl NewAsset {
    /// An asset with this code and `exponent` decimal places. Without a name, the code is its name.
    ///
    /// # Errors
    /// [`AssetError`], as described at [`Currency::custom`].
    pub fn new(code: &str, exponent: u8, name: Option<AssetName>) -> Result<Self, AssetError> {
        let currency = Currency::custom(code, exponent)?;
        let name = name.map_or_else(|| code.to_owned(), String::from);
        Ok(Self { currency, name })
    }

    /// The asset that other books name; `None` for a currency of ISO 4217, which is not registered.
    #[must_use]
    pub fn of(currency: Currency) -> Option<Self> {
        let name = currency.code().to_owned();
        currency.is_custom().then_some(Self { currency, name })
    }

    /// Code and exponent.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

/// Why no asset was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// An asset with this code is registered already, with the same exponent or another one.
    #[error("the code is registered already, with {} decimal places", .by.exponent())]
    CodeTaken {
        /// The asset that has this code.
        by: Currency,
    },
}

impl RegisterError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[(
        "code_taken",
        "A code names one asset of a tenant, with one exponent.",
    )];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CodeTaken { .. } => "code_taken",
        }
    }
}

/// Registers an asset, so that accounts may be opened in it.
///
/// # Errors
/// [`RegisterError`] names the broken rule; the shelf is then unchanged.
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
