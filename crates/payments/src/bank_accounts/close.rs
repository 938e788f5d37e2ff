//! The command that closes a bank account.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision};

use super::{BankAccount, BankAccountError, BankAccountId, BankAccountShelf};

/// Closes a bank account, for ever. If it is closed already, nothing changes.
#[derive(Debug, Clone)]
pub struct CloseBankAccount {
    /// The account.
    pub id: BankAccountId,
}

impl Command for CloseBankAccount {
    type Done = BankAccount;
    type Refusal = BankAccountError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(wanted) = asks.of::<BankAccountShelf>() {
            wanted.accounts.push(self.id);
            wanted.changes = true;
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BankAccount>, BankAccountError> {
        let now = book.now();
        let shelf = book.shelf_mut::<BankAccountShelf>().0;
        let account = shelf.account(&self.id).ok_or(BankAccountError::NotFound)?;
        let mut account = account.clone();
        if account.closed_at.is_some() {
            return Ok(Decision::now(account));
        }
        shelf.close(&self.id, now);
        account.closed_at = Some(now);
        let id = self.id.to_string();
        book.record(&AuditEvent::done(
            "bank_account.closed",
            ("bank_account", &id),
            &[],
        ));
        Ok(Decision::now(account))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "bank_account.close",
            kind: "bank_account",
            id: self.id.to_string(),
        }
    }
}
