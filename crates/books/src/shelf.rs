//! The ledger's shelf, as a shelf of the engine.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

use engine::Loading;
use ledger::tables::{self, Needs};
use ledger::{Account, AccountId, Promise, TransactionId};
use money::Currency;
use store::bulk::Writes;
use store::rows::Savepoint;
use store::{Error, TenantId};

/// Greatest number of accounts of one tenant that are remembered. If there are more, all are forgotten.
const ACCOUNTS: usize = 50_000;
/// Greatest number of pending transactions of one tenant that are remembered. If there are more, all are
/// forgotten.
const PROMISES: usize = 20_000;

/// The ledger's shelf.
#[derive(Debug, Default)]
pub struct Books(ledger::Shelf);

impl Deref for Books {
    type Target = ledger::Shelf;

    fn deref(&self) -> &ledger::Shelf {
        &self.0
    }
}

impl DerefMut for Books {
    fn deref_mut(&mut self) -> &mut ledger::Shelf {
        &mut self.0
    }
}

impl Savepoint for Books {
    fn mark(&mut self) {
        self.0.mark();
    }

    fn undo(&mut self) {
        self.0.undo();
    }

    fn release(&mut self) {
        self.0.release();
    }
}

/// Accounts and pending transactions, as they are after the last commit.
#[derive(Debug, Default)]
pub struct BooksMemory {
    accounts: HashMap<AccountId, Account>,
    promises: HashMap<TransactionId, Promise>,
}

impl engine::Shelf for Books {
    type Asks = Needs;
    type Memory = BooksMemory;

    /// The books need no locks: they only add rows and move counters, and a row is changed only if it is still
    /// as it was read.
    fn must_lock(_asks: &Needs) -> bool {
        false
    }

    fn is_nothing(asks: &Needs) -> bool {
        asks.is_empty()
    }

    fn recall(&mut self, asks: &mut Needs, memory: &BooksMemory) {
        asks.transactions.sort_unstable();
        asks.transactions.dedup();
        // The rows of this batch are newer than the remembered ones.
        asks.transactions.retain(|id| self.0.recorded(id).is_none());
        let (shelf, accounts) = (&mut self.0, &mut asks.accounts);
        asks.transactions
            .retain(|id| match memory.promises.get(id) {
                Some(promise) => {
                    accounts.extend(promise.accounts());
                    shelf.put_promise(promise.clone());
                    false
                }
                None => true,
            });
        accounts.sort_unstable();
        accounts.dedup();
        accounts.retain(|id| shelf.account(id).is_none());
        accounts.retain(|id| match memory.accounts.get(id) {
            Some(account) => {
                shelf.put_remembered(account.clone());
                false
            }
            None => true,
        });
    }

    fn load(&mut self, from: &mut Loading<'_>, mut asks: Needs) -> Result<(), Error> {
        tables::load_into(
            &mut self.0,
            from.connection,
            from.tenant,
            &mut asks,
            from.lock,
        )
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        tables::save(writes, tenant, &self.0);
    }

    fn remember(&self, memory: &mut BooksMemory) {
        if memory.accounts.len() > ACCOUNTS {
            memory.accounts.clear();
        }
        let accounts = self.0.accounts();
        memory
            .accounts
            .extend(accounts.map(|account| (account.id, account.clone())));
        if memory.promises.len() > PROMISES {
            memory.promises.clear();
        }
        for promise in self.0.promises() {
            // A transaction that has ended is forgotten. A command that names it reads it again, and is refused;
            // this may take longer.
            if promise.is_open() {
                memory.promises.insert(promise.transaction, promise);
            } else {
                memory.promises.remove(&promise.transaction);
            }
        }
    }

    fn size(memory: &BooksMemory) -> usize {
        memory.accounts.len().saturating_add(memory.promises.len())
    }
}

/// Asks for an asset, to see whether it is registered. A currency of ISO 4217 needs no look-up.
pub(crate) fn ask_for_asset(needs: &mut Needs, currency: Currency) {
    if currency.is_custom() {
        needs.assets.push(currency.code().to_owned());
    }
}
