//! Bank orders: payouts that a bank gets as a file, pain.001 of ISO 20022.
//!
//! ```text
//! payout → waits for an order → order: one file, sent once → pain.002, camt.053, MT940: paid, refused, come back
//! ```
//!
//! A bank-file provider is never called. A payout of it waits until somebody makes an order of all that wait. The commit
//! that makes the order writes the file, and ends the wait of each payout in it: a payout is in one order at most (the
//! primary key of `bank_order_transfer`), so it is never paid twice, however often the file is fetched or sent.
//!
//! What became of a transfer comes back in files too: the bank's report on the order ([`report`]), and the statement
//! ([`statement`]). Each is read as events of the provider, in a form of our own ([`event`]), and then has the same way
//! as a webhook: known events change nothing, and what cannot be right is in the quarantine.

pub(crate) mod codes;
pub(crate) mod event;
mod file;
mod http;
mod make;
pub mod report;
pub(crate) mod rows;
mod shelf;
pub mod show;
pub mod statement;

pub use event::Told;
pub use file::check;
pub use make::{MakeBankOrder, OrderRefusal};
pub use rows::{Ordered, file_of, of_message, open_transfers, waiting};
pub use shelf::BankOrderShelf;

use bank_files::Statement;
use bank_files::pain001::{Debtor, Version};
use edge::Capability;
use engine::Book;
use engine::errand::{Errand, Errands};
use money::Currency;
use store::Timestamp;

use crate::{Operation, OperationId};

store::typed_id!(
    /// The id of a bank order: `bor_…`.
    BankOrderId,
    "bor"
);

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Kind of the errand of a payout that waits for an order. No worker takes it: somebody has to make the order.
pub const BANK_TRANSFER: &str = "bank_transfer";
/// Greatest number of transfers of one order.
pub const MAX_TRANSFERS: i64 = 500;

/// The account of the merchant from which a bank-file provider pays, and the version of the files for its bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    /// The holder, the number and the bank.
    pub debtor: Debtor,
    /// The version of pain.001.
    pub version: Version,
    /// The name of the account in statements, if it is neither its IBAN nor made of it.
    pub statement_name: Option<String>,
}

impl OwnAccount {
    /// True if a statement is about this account.
    #[must_use]
    pub fn has(&self, statement: &Statement) -> bool {
        let name = &statement.account;
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let is_named = |own: &String| bare(own) == bare(&name.id);
        name.is_of(&self.debtor.iban) || self.statement_name.as_ref().is_some_and(is_named)
    }
}

/// An order, without its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankOrder {
    /// Its id.
    pub id: BankOrderId,
    /// Name of the provider.
    pub provider: String,
    /// The currency of all transfers.
    pub currency: Currency,
    /// The sum of all transfers, in minor units.
    pub sum: i64,
    /// Number of transfers.
    pub transfers: i32,
    /// The day on which the bank shall pay, in days since 1970.
    pub requested_on: i32,
    /// Time at which the order was made.
    pub created_at: Timestamp,
}

/// The name of a transfer in every file: the id of its operation in the 32 characters that all banks take.
pub(crate) fn end_to_end_id(operation: OperationId) -> String {
    hex::encode(operation.bytes())
}

/// The operation that a text of a bank names. Some banks write capitals, some add blanks around.
#[must_use]
pub fn named(text: &str) -> Option<OperationId> {
    let bytes = hex::decode(text.trim()).ok()?;
    bytes.try_into().ok().map(OperationId::from_bytes)
}

/// The message id of an order in its file.
#[must_use]
pub fn message_id(order: BankOrderId) -> String {
    hex::encode(order.bytes())
}

/// Makes an operation wait for an order.
pub(crate) fn wait(book: &mut Book, operation: &Operation) {
    let errand = Errand {
        due_at: book.now(),
        epoch: 0,
        place: operation.provider.clone(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add((BANK_TRANSFER, operation.id.bytes()), errand);
}
