//! Subtrees: the account with a code and all accounts below it are frozen, or unfrozen, in one commit.
//!
//! Accounts that are in the wanted state already, and closed ones, stay as they are. So the same request made
//! again changes nothing, and is no error.

pub(crate) mod codes;
pub(crate) mod http;
pub mod show;

use edge::Capability;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set};
use ledger::{Account, AccountCode, AccountId};

use crate::shelf::Books;

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Greatest number of accounts of a subtree that is frozen at once.
const MAX_ACCOUNTS: usize = 1_000;

/// Freezes, or unfreezes, the account with a code and all accounts below it.
#[derive(Debug, Clone)]
pub struct ChangeSubtree {
    /// The code.
    pub code: AccountCode,
    /// True to freeze, false to unfreeze.
    pub freezes: bool,
}

/// Accounts that have changed, in the order of their codes.
#[derive(Debug, Clone)]
pub struct ChangedAccounts(pub Vec<AccountId>);

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No account has the code, or one below it.
    Empty,
    /// More than 1,000 accounts have such a code.
    TooLarge,
}

impl ChangeSubtree {
    const fn name(&self) -> &'static str {
        if self.freezes {
            "account.frozen"
        } else {
            "account.unfrozen"
        }
    }

    fn covers(&self, account: &Account) -> bool {
        let rest = account.code.strip_prefix(self.code.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

impl Command for ChangeSubtree {
    type Done = ChangedAccounts;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            // One account more shows that there are too many.
            let at_most = MAX_ACCOUNTS.saturating_add(1);
            needs.below.push((self.code.to_string(), at_most));
        }
    }

    fn weight(&self) -> usize {
        MAX_ACCOUNTS
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<ChangedAccounts>, Refusal> {
        let shelf = book.shelf_mut::<Books>().0;
        let of_subtree = shelf.accounts().filter(|account| self.covers(account));
        let mut accounts: Vec<(String, AccountId)> = of_subtree
            .map(|account| (account.code.clone(), account.id))
            .collect();
        if accounts.is_empty() {
            return Err(Refusal::Empty);
        }
        if accounts.len() > MAX_ACCOUNTS {
            return Err(Refusal::TooLarge);
        }
        accounts.sort_unstable();
        let mut changed_accounts = Vec::new();
        for (_, id) in accounts {
            let shelf = book.shelf_mut::<Books>().0;
            let changed = if self.freezes {
                ledger::freeze(shelf, id)
            } else {
                ledger::unfreeze(shelf, id)
            };
            // An account whose state does not allow the change stays as it is.
            let Ok(account) = changed else { continue };
            let (text, delta) = (id.to_string(), [set("status", account.status.name())]);
            book.record(&AuditEvent::done(self.name(), ("account", &text), &delta));
            changed_accounts.push(id);
        }
        Ok(Decision::now(ChangedAccounts(changed_accounts)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: self.name(),
            kind: "account_code",
            id: self.code.to_string(),
        }
    }
}
