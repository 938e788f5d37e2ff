//! The command that makes a bank account.

use std::convert::Infallible;

use bank_files::Bic;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use text::Iban;

use super::{BankAccount, BankAccountId, BankAccountShelf};

/// Makes a bank account. The same number may be there twice, with the names of two holders for example.
#[derive(Debug, Clone)]
pub struct CreateBankAccount {
    /// The name of the holder, which was checked for what banks can write.
    pub holder: String,
    /// The number of the account.
    pub iban: Iban,
    /// The bank, if it is known.
    pub bic: Option<Bic>,
}

impl Command for CreateBankAccount {
    type Done = BankAccount;
    type Refusal = Infallible;

    fn asks(&self, _asks: &mut Asks<'_>) {}

    /// The audit record has the country alone, because names and numbers of accounts are personal data.
    fn decide(&self, book: &mut Book) -> Result<Decision<BankAccount>, Infallible> {
        let account = BankAccount {
            id: BankAccountId::from_bytes(book.next_id()),
            holder: self.holder.clone(),
            iban: self.iban.clone(),
            bic: self.bic.clone(),
            created_at: book.now(),
            closed_at: None,
        };
        let shelf = book.shelf_mut::<BankAccountShelf>().0;
        shelf.add(account.clone());
        let id = account.id.to_string();
        book.record(&AuditEvent::done(
            "bank_account.created",
            ("bank_account", &id),
            &[set("country", account.iban.country())],
        ));
        Ok(Decision::now(account))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "bank_account.create",
            kind: "bank_account",
            id: String::new(),
        }
    }
}
