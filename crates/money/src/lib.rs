//! Currencies, integer amounts in minor units, and conversion from and to decimal text.
//!
//! Money inside Florin is a whole number of minor units (cents, yen, fils) beside a currency. This crate owns
//! these two values and the few operations on them:
//!
//! - [`Currency`]: a code of ISO 4217 or of a custom asset, and its exponent, the number of decimal
//!   places of its minor unit;
//! - [`Amount`]: an amount that moves, always from 1 to `i64::MAX`;
//! - [`MinorUnits`]: a balance or a difference, of either sign;
//! - [`Money`]: an amount with its currency, and the conversion from and to decimal text;
//! - [`allocate`]: splits an amount so that the parts add up to it;
//! - [`round`], and [`divide`] for exact ratios: the only places where digits may get lost, by a named
//!   [`Rounding`].
//!
//! ```
//! use money::{Amount, Currency, Money, allocate};
//!
//! let eur = Currency::from_code("EUR")?;
//! let price = Money::from_decimal("10.99", eur)?;
//! assert_eq!(price.amount, Amount::new(1099)?);
//! assert_eq!(price.to_string(), "EUR 10.99");
//!
//! // A third of a cent does not exist: it is refused, not rounded away.
//! assert!(Money::from_decimal("10.993", eur).is_err());
//!
//! // The odd cent goes to a part instead of getting lost.
//! assert_eq!(allocate(price.amount, &[1, 1, 1])?, [367, 366, 366]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! - An [`Amount`] is never zero and never negative.
//! - A [`Currency`] always has an exponent; a code without a minor unit (gold, "no currency") is not a currency.
//! - Arithmetic is checked: a result that does not fit is `None` or an error, never a wrapped number.
//! - Text never loses a digit when it is read or written. Only [`round`] and [`divide`] round.
//! - The parts of an allocation add up to the whole.
//!
//! # Never here
//!
//! There are no floats, no I/O, no clock, no database and no exchange rates here, and money is never stored as a
//! decimal.
#![warn(clippy::arithmetic_side_effects)]

mod allocation;
mod amount;
mod currency;
mod minor_units;
mod money;
mod rounding;

pub use allocation::{AllocationError, allocate};
pub use amount::{Amount, AmountError};
pub use currency::{AssetError, Currency, CurrencyError, Day, StoredError};
pub use minor_units::MinorUnits;
pub use money::{DecimalError, Money};
pub use rounding::{Rounding, RoundingError, divide, round};

/// A decimal number: a rate or a percentage that [`round`] turns into minor units.
pub use rust_decimal::Decimal;
