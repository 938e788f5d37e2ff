//! The command that opens an account.

use engine::{Asks, Attempt, Book, Command, Decision};
use ledger::{Account, AccountId, NewAccount};

use crate::Refusal;
use crate::shelf::{Books, ask_for_asset};

/// Opens an account.
#[derive(Debug, Clone)]
pub struct OpenAccount(pub NewAccount);

impl Command for OpenAccount {
    type Done = Account;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.codes.push(self.0.code.to_string());
            ask_for_asset(needs, self.0.currency);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Account>, Refusal> {
        let (id, now) = (AccountId::from_bytes(book.next_id()), book.now());
        let opened = ledger::open(book.shelf_mut::<Books>().0, id, self.0.clone(), now);
        let account = opened.map_err(Refusal::Open)?;
        super::record_opened(book, &account);
        Ok(Decision::now(account))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "account.open",
            kind: "account_code",
            id: self.0.code.to_string(),
        }
    }
}
