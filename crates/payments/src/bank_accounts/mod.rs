//! Bank accounts: where payouts of a bank-file provider go.
//!
//! A provider such as Stripe knows the bank account behind its token. A bank knows nothing: the file that orders a
//! transfer must have the holder's name and the IBAN. So they are kept here, and a payout names the account by its id,
//! `bac_…`. Payouts and logs have nothing but the id of it, and the audit log also has the country.
//!
//! An account is never changed, because orders were made with it. A wrong one is closed, and another one is made. No
//! further payout can name a closed account. A payout that was made before goes on, also if it waits for an approval or
//! for an order.

mod close;
pub(crate) mod codes;
mod create;
mod http;
pub(crate) mod rows;
mod shelf;
pub mod show;

pub use close::CloseBankAccount;
pub use create::CreateBankAccount;
pub use shelf::{BankAccountShelf, Wanted};

pub(crate) use rows::each_id;

use bank_files::Bic;
use edge::Capability;
use store::Timestamp;
use text::Iban;

store::typed_id!(
    /// The id of a bank account: `bac_…`.
    BankAccountId,
    "bac"
);

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// A bank account that payouts can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// Its id.
    pub id: BankAccountId,
    /// The name of the holder: 1 to 70 characters as banks write them.
    pub holder: String,
    /// The number of the account.
    pub iban: Iban,
    /// The bank, if it is known.
    pub bic: Option<Bic>,
    /// Time at which the account was made.
    pub created_at: Timestamp,
    /// Time at which it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Why nothing was done about a bank account: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BankAccountError {
    /// The account does not exist, or belongs to another tenant.
    #[error("there is no such bank account")]
    NotFound,
}

/// True if a destination of a payout is meant as a bank account of ours, and not as a provider's token.
pub(crate) fn is_bank_account(destination: &str) -> bool {
    let named = destination.strip_prefix(BankAccountId::PREFIX);
    named.is_some_and(|rest| rest.starts_with('_'))
}
