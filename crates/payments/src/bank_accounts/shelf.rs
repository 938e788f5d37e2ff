//! The bank accounts that a batch holds in memory.

use engine::Loading;
use store::bulk::Writes;
use store::find::Lock;
use store::rows::Rows;
use store::{Error, TenantId, Timestamp};

use super::rows::{BankAccountById, BankAccountClosed, BankAccountRow};
use super::{BankAccount, BankAccountId};

/// The bank accounts that a batch needs.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Accounts by id.
    pub accounts: Vec<BankAccountId>,
    /// True if the batch may close them.
    pub changes: bool,
}

/// The bank accounts that a batch names, with its changes.
#[derive(Debug, Default)]
pub struct BankAccountShelf {
    rows: Rows<BankAccountId, HeldAccount>,
}

store::savepoint!(BankAccountShelf { rows });

#[derive(Debug, Clone)]
struct HeldAccount {
    row: BankAccount,
    /// True if it is closed in the database; `None` if it is new.
    found: Option<bool>,
}

impl BankAccountShelf {
    /// A bank account, with the changes of this batch.
    #[must_use]
    pub fn account(&self, id: &BankAccountId) -> Option<&BankAccount> {
        self.rows.get(id).map(|held| &held.row)
    }

    pub(super) fn add(&mut self, row: BankAccount) {
        self.rows.put(row.id, HeldAccount { row, found: None });
    }

    pub(super) fn close(&mut self, id: &BankAccountId, now: Timestamp) {
        if let Some(held) = self.rows.get_mut(id) {
            held.row.closed_at = Some(now);
        }
    }
}

impl engine::Shelf for BankAccountShelf {
    type Asks = Wanted;
    type Memory = ();

    fn must_lock(asks: &Wanted) -> bool {
        asks.changes
    }

    fn is_nothing(asks: &Wanted) -> bool {
        asks.accounts.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, mut asks: Wanted) -> Result<(), Error> {
        let lock = match asks.changes {
            true => Lock::Rows,
            false => Lock::Nothing,
        };
        asks.accounts.sort_unstable();
        asks.accounts.dedup();
        let ids = asks.accounts.into_iter();
        let ids: Vec<BankAccountById> = ids.map(|id| BankAccountById { id }).collect();
        for row in BankAccountById::find(from.connection, lock, from.tenant, &ids)? {
            let row = row.read()?;
            let found = Some(row.closed_at.is_some());
            self.rows.put(row.id, HeldAccount { row, found });
        }
        Ok(())
    }

    fn save(&self, tenant_id: TenantId, writes: &mut Writes) {
        let (mut new, mut closed) = (Vec::new(), Vec::new());
        for held in self.rows.values() {
            match held.found {
                None => new.push(BankAccountRow::of(tenant_id, &held.row)),
                Some(false) if held.row.closed_at.is_some() => closed.push(BankAccountClosed {
                    tenant_id,
                    id: held.row.id,
                    closed_at: held.row.closed_at.map(Timestamp::micros),
                }),
                Some(_) => {}
            }
        }
        writes.add(new);
        writes.add(closed);
    }
}
