//! What one batch holds of the books in memory.

use std::collections::HashMap;

use crate::{Account, AccountId, Posted, TransactionId};

/// The accounts a batch may read or change, as they were locked, and what it has done to them.
#[derive(Debug, Default)]
pub struct Shelf {
    accounts: HashMap<AccountId, Held>,
    by_code: HashMap<String, AccountId>,
    by_external_id: HashMap<String, TransactionId>,
    posted: Vec<Posted>,
}

#[derive(Debug)]
struct Held {
    account: Account,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Locked in the database, at this version.
    Loaded { version: i64 },
    /// Opened by this batch.
    New,
}

impl Shelf {
    /// An account, with what this batch has done to it so far.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id).map(|held| &held.account)
    }

    /// The account with this code.
    #[must_use]
    pub fn id_of(&self, code: &str) -> Option<AccountId> {
        self.by_code.get(code).copied()
    }

    /// The transaction with this external id.
    #[must_use]
    pub fn transaction_named(&self, external_id: &str) -> Option<TransactionId> {
        self.by_external_id.get(external_id).copied()
    }

    /// Every account held, as this batch leaves it.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|held| &held.account)
    }

    /// Takes an account as somebody remembers it. If it is no longer so, saving what the batch did
    /// to it is a conflict.
    pub fn put_remembered(&mut self, account: Account) {
        self.put_loaded(account);
    }

    pub(crate) fn put_loaded(&mut self, account: Account) {
        let origin = Origin::Loaded {
            version: account.version,
        };
        self.by_code.insert(account.code.clone(), account.id);
        self.accounts.insert(account.id, Held { account, origin });
    }

    pub(crate) fn put_taken(&mut self, external_id: String, by: TransactionId) {
        self.by_external_id.insert(external_id, by);
    }

    pub(crate) fn put_new(&mut self, account: Account) -> &Account {
        self.by_code.insert(account.code.clone(), account.id);
        let held = Held {
            account,
            origin: Origin::New,
        };
        &self
            .accounts
            .entry(held.account.id)
            .insert_entry(held)
            .into_mut()
            .account
    }

    pub(crate) fn put_changed(&mut self, account: Account) {
        if let Some(held) = self.accounts.get_mut(&account.id) {
            held.account = account;
        }
    }

    pub(crate) fn put_posted(&mut self, posted: Posted) {
        if let Some(name) = &posted.external_id {
            self.by_external_id.insert(name.clone(), posted.id);
        }
        self.posted.push(posted);
    }

    /// Accounts that this batch opened, in the order of their codes, which are unique: two processes
    /// that open the same ones wait for each other and never in a circle.
    #[must_use]
    pub fn opened(&self) -> Vec<&Account> {
        let mut opened = self.select(|held| held.origin == Origin::New);
        opened.sort_unstable_by(|one, other| one.code.cmp(&other.code));
        opened
    }

    /// Accounts that this batch changed, with the version they were locked at, in id order.
    pub(crate) fn changed(&self) -> Vec<(&Account, i64)> {
        let changed = self.select(|held| match held.origin {
            Origin::Loaded { version } => version != held.account.version,
            Origin::New => false,
        });
        changed
            .into_iter()
            .filter_map(|account| match self.accounts.get(&account.id)?.origin {
                Origin::Loaded { version } => Some((account, version)),
                Origin::New => None,
            })
            .collect()
    }

    /// Transactions that this batch posted, in order.
    #[must_use]
    pub fn posted(&self) -> &[Posted] {
        &self.posted
    }

    fn select(&self, wanted: impl Fn(&Held) -> bool) -> Vec<&Account> {
        let held = self.accounts.values().filter(|held| wanted(held));
        let mut accounts: Vec<&Account> = held.map(|held| &held.account).collect();
        accounts.sort_unstable_by_key(|account| account.id);
        accounts
    }
}
