//! Customers: payers whom the merchant knows, and the payment methods with which they can pay again.
//!
//! A customer has a name of the merchant's own (`external_id`), a description and metadata, and nothing that says who
//! the person is. A payment method is a token of a provider that was attached to a customer; it never has a card number.
//! A detached one takes no further payment, and payments that were made with it are as they were.
//!
//! A customer can be suspended and reinstated. Nothing is paid by a suspended one or paid out to them ([`standing`]).

mod attach;
mod change;
pub(crate) mod codes;
mod create;
mod detach;
mod http;
mod methods;
mod read;
mod rows;
mod shelf;
pub mod show;
mod standing;
mod turn;

pub use attach::AttachMethod;
pub use change::ChangeCustomer;
pub use create::CreateCustomer;
pub use detach::DetachMethod;
pub use rows::{CustomerRow, SavedMethodRow};
pub use shelf::{CustomerShelf, Wanted};
pub use standing::{Movement, Standing};
pub use turn::ChangeStanding;

pub(crate) use read::{customers_by_id, methods_by_id};
pub(crate) use standing::may;

use edge::Capability;
use ledger::Metadata;
use store::Timestamp;

store::typed_id!(
    /// A customer's id: `cus_…`.
    CustomerId,
    "cus"
);

store::typed_id!(
    /// The id of a saved payment method: `pmt_…`. Providers and the sandbox call their own tokens `pm_…`.
    SavedMethodId,
    "pmt"
);

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: |r| {
        http::routes(r);
        methods::routes(r);
    },
    codes: codes::ALL,
};

/// A payer whom the merchant knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The merchant's own name for the customer.
    pub external_id: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// The metadata that the merchant keeps with it.
    pub metadata: Option<Metadata>,
    /// Whether money is moved for them.
    pub standing: Standing,
    /// Number of the present version, from 1. Each change makes the next one.
    pub version: i64,
    /// Time at which the customer was made.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// A provider's token that a customer can pay with again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMethod {
    /// Its id.
    pub id: SavedMethodId,
    /// The customer.
    pub customer: CustomerId,
    /// The provider that the token belongs to; `None` if it is whichever provider a payment goes to.
    pub provider: Option<String>,
    /// The provider's token.
    pub token: String,
    /// Time at which it was attached.
    pub created_at: Timestamp,
    /// Time at which it was detached.
    pub detached_at: Option<Timestamp>,
}

/// Why nothing was done about a customer: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// The customer does not exist, or belongs to another tenant.
    #[error("there is no such customer")]
    NoCustomer,
    /// The payment method does not exist, or belongs to another tenant.
    #[error("there is no such payment method")]
    NoMethod,
    /// Another customer has the external id.
    #[error("another customer has this external id")]
    ExternalIdTaken {
        /// That customer.
        by: CustomerId,
    },
    /// The customer has this standing already.
    #[error("the customer is {} already", .0.name())]
    HasThisStanding(Standing),
    /// The provider is not one of the settings.
    #[error("there is no provider of this name")]
    UnknownProvider,
}

impl CustomerError {
    /// The code of the rule, for the audit log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCustomer => "customer_not_found",
            Self::NoMethod => "payment_method_not_found",
            Self::ExternalIdTaken { .. } => "external_id_taken",
            Self::HasThisStanding(_) => "customer_standing_conflict",
            Self::UnknownProvider => "no_provider",
        }
    }
}
