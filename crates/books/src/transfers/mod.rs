//! Transfers: money from wallet to wallet.

pub(crate) mod http;
pub mod show;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decided, Keep, set};
use ledger::{AccountId, Description, Kind, NewTransaction, Posted, Posting, TransactionId};
use money::Money;

use crate::Refusal;
use crate::shelf::Books;
use crate::transactions::reference;

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Moves money from wallet to wallet.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The account that pays.
    pub from: AccountId,
    /// The account that is paid.
    pub to: AccountId,
    /// The money that moves.
    pub money: Money,
    /// A text for people.
    pub description: Option<Description>,
}

impl Command for Transfer {
    type Done = Posted;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.accounts.extend([self.from, self.to]);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decided<Posted>, Refusal> {
        let (id, now) = (TransactionId::from_bytes(book.next_id()), book.now());
        let (from, to, money) = (self.from, self.to, self.money);
        // A wallet is a liability: paying out of it debits it.
        let posting = Posting {
            debit: from,
            credit: to,
            amount: money.amount,
            currency: money.currency,
        };
        let transaction = NewTransaction {
            description: self.description.clone().map(String::from),
            ..NewTransaction::plain(id, Kind::Transfer, vec![posting], now)
        };
        let posted = ledger::post(book.shelf_mut::<Books>().0, transaction)
            .map_err(|rule| Refusal::Transfer { from, rule })?;
        let currency = money.currency.stored();
        let moved = format!("{from} {to} {} {currency}", money.amount.get());
        let (text, delta) = (posted.id.to_string(), [set("postings", &moved)]);
        book.record(&AuditEvent::done(
            "transfer.posted",
            ("transaction", &text),
            &delta,
        ));
        Ok(Decided {
            keep: Keep::Reference(reference::to(posted.id)),
            done: posted,
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "transfer.post",
            kind: "account",
            id: self.from.to_string(),
        }
    }
}
