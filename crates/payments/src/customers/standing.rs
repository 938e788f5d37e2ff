//! The standing of a customer: whether money is moved for them.
//!
//! Each command that moves money for a customer asks [`may`], last of all its rules, in the commit of its postings. The
//! row of the customer is locked by that commit ([`Wanted::moves`](super::Wanted)), so nothing is moved for a customer
//! after the commit that has suspended them. Money that goes back (a refund, a cancellation) asks nothing, and neither
//! does the capture of what was authorized before.

use engine::Book;

use super::{CustomerId, CustomerShelf};
use crate::Refusal;

/// Whether money is moved for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Active,
    /// It is not, until a person reinstates the customer.
    Suspended,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The standing with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.name() == name)
    }
}

/// A movement of money for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// The customer pays, or a further amount of a payment of theirs is authorized.
    Payment,
    /// The customer is paid.
    Payout,
}

impl Movement {
    /// The name, as messages have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Payout => "payout",
        }
    }
}

/// Decides whether a movement may be made for this customer. One without a customer may always be made.
///
/// # Errors
/// [`Refusal::CustomerMayNot`], or [`Refusal::NoCustomer`] if there is no such customer.
pub(crate) fn may(
    book: &Book,
    customer: Option<CustomerId>,
    movement: Movement,
) -> Result<(), Refusal> {
    let Some(id) = customer else { return Ok(()) };
    let customer = book.shelf::<CustomerShelf>().customer(&id);
    let standing = customer.ok_or(Refusal::NoCustomer)?.standing;
    match standing {
        Standing::Active => Ok(()),
        Standing::Suspended => Err(Refusal::CustomerMayNot {
            customer: id,
            standing,
            movement,
        }),
    }
}
