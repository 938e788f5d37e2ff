//! Accounts: opened, frozen, closed, limited, described.

mod change;
pub(crate) mod codes;
pub(crate) mod http;
mod open;
pub mod show;

pub use change::{AccountChange, ChangeAccount};
pub use open::OpenAccount;

use edge::Capability;
use engine::{AuditEvent, Book, set};
use ledger::Account;

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Records that an account was opened.
pub fn record_opened(book: &mut Book, account: &Account) {
    let (id, currency) = (account.id.to_string(), account.currency.stored());
    let delta = [set("code", &account.code), set("currency", &currency)];
    book.record(&AuditEvent::done(
        "account.opened",
        ("account", &id),
        &delta,
    ));
}
