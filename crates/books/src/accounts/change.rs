//! The command that changes an account, but not its counters.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use ledger::{Account, AccountId, Limits, Metadata};

use crate::Refusal;
use crate::shelf::Books;

/// A change of an account.
#[derive(Debug, Clone)]
pub enum AccountChange {
    /// Freeze it: it takes no postings for now.
    Freeze,
    /// Unfreeze it: it takes postings again.
    Unfreeze,
    /// Close it: it never takes postings again.
    Close,
    /// Set its limits.
    SetLimits(Limits),
    /// Replace its metadata.
    SetMetadata(Option<Metadata>),
}

impl AccountChange {
    /// The name of the change in the audit log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Freeze => "account.frozen",
            Self::Unfreeze => "account.unfrozen",
            Self::Close => "account.closed",
            Self::SetLimits(_) => "account.limits_set",
            Self::SetMetadata(_) => "account.metadata_set",
        }
    }
}

/// Changes an account, but not its counters.
#[derive(Debug, Clone)]
pub struct ChangeAccount {
    /// The account.
    pub id: AccountId,
    /// The change.
    pub change: AccountChange,
}

impl Command for ChangeAccount {
    type Done = Account;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.accounts.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Account>, Refusal> {
        let (shelf, id) = (book.shelf_mut::<Books>().0, self.id);
        let changed = match &self.change {
            AccountChange::Freeze => ledger::freeze(shelf, id),
            AccountChange::Unfreeze => ledger::unfreeze(shelf, id),
            AccountChange::Close => ledger::close(shelf, id),
            AccountChange::SetLimits(limits) => ledger::set_limits(shelf, id, *limits),
            AccountChange::SetMetadata(metadata) => {
                ledger::set_metadata(shelf, id, metadata.clone())
            }
        };
        let account = changed.cloned().map_err(Refusal::Change)?;
        let text = id.to_string();
        let delta = [set("status", account.status.name())];
        book.record(&AuditEvent::done(
            self.change.name(),
            ("account", &text),
            &delta,
        ));
        Ok(Decision::now(account))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: self.change.name(),
            kind: "account",
            id: self.id.to_string(),
        }
    }
}
