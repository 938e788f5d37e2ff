//! Balance transactions: every movement of the merchant's balance in one currency, newest first. They are the
//! transactions of the ledger that touch the accounts of the balance, so their sum is the balance: nothing is kept
//! beside the books.
//!
//! The accounts are pending, available and reserved. A transaction may have entries on several of them. It is listed
//! once, where the walk meets its last entry on the first of these accounts that it touches. The walk reads the entries
//! of each account by their numbers, from the newest on, so a page costs the same in books of any size.

mod http;
pub mod show;

use std::collections::{HashMap, VecDeque};

use diesel::prelude::*;
use edge::Capability;
use ledger::{AccountId, Entry, Phase, RecordedPosting, RecordedTransaction, TransactionId};
use money::Currency;
use store::{AnyConnection, Error, TenantId};

use crate::postings::{HELD, INCOME};
use crate::schema::operation;
use crate::tables::OperationRow;
use crate::{Operation, OperationId};

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Number of entries of an account that are read at a time.
const STEP: i64 = 200;

/// The numbers of the entries before which the walk goes on: of available, pending and reserved.
pub(crate) type Place = [i64; 3];

/// The place of a walk that begins.
pub(crate) const START: Place = [i64::MAX; 3];

/// A movement of the balance.
#[derive(Debug, Clone)]
pub struct BalanceTransaction {
    /// The transaction of the ledger.
    pub transaction: RecordedTransaction,
    /// The change of available, pending and reserved, in minor units.
    pub changes: [i64; 3],
    /// The fee that was charged, in minor units.
    pub fee: i64,
    /// The operation that it belongs to, if it belongs to one.
    pub operation: Option<Operation>,
}

/// An account of the balance, and the entries of it that were read and not walked over yet.
struct Walk {
    account: Option<AccountId>,
    ahead: VecDeque<Entry>,
    /// The number of the entry before which the next step reads.
    before: i64,
    /// The number of the last entry that was walked over.
    passed: i64,
    /// True if there is no entry below `before`.
    ended: bool,
}

impl Walk {
    /// Reads the next entries if none is ahead, and the transactions that they belong to.
    fn refill(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        known: &mut HashMap<TransactionId, RecordedTransaction>,
    ) -> Result<(), Error> {
        let (Some(account), true, false) = (self.account, self.ahead.is_empty(), self.ended) else {
            return Ok(());
        };
        let before = Some(self.before);
        let read = ledger::entries(connection, tenant, account, before, STEP)?;
        self.ended = i64::try_from(read.len()).is_ok_and(|read| read < STEP);
        self.before = read.last().map_or(self.before, |entry| entry.version);
        let new = read.iter().map(|entry| entry.transaction);
        let new: Vec<TransactionId> = new.filter(|id| !known.contains_key(id)).collect();
        for transaction in ledger::posted(connection, tenant, &new)? {
            known.insert(transaction.id, transaction);
        }
        self.ahead.extend(read);
        Ok(())
    }
}

/// The next movements after a place, at most `limit`, and the place after them; `None` at the end.
pub(crate) fn after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    currency: Currency,
    place: Place,
    limit: usize,
) -> Result<(Vec<BalanceTransaction>, Option<Place>), Error> {
    let mut walks = Vec::with_capacity(place.len());
    for (role, before) in HELD.iter().zip(place) {
        let account = ledger::find_by_code(connection, tenant, &format!("{role}:{currency}"))?;
        walks.push(Walk {
            account: account.map(|account| account.id),
            ahead: VecDeque::new(),
            before,
            passed: before,
            ended: false,
        });
    }
    let accounts: Vec<Option<AccountId>> = walks.iter().map(|walk| walk.account).collect();
    let mut income = Vec::with_capacity(INCOME.len());
    for role in INCOME {
        let account = ledger::find_by_code(connection, tenant, &format!("{role}:{currency}"))?;
        income.push(account.map(|account| account.id));
    }
    let mut known = HashMap::new();
    let mut found = Vec::new();
    loop {
        for walk in &mut walks {
            walk.refill(connection, tenant, &mut known)?;
        }
        let heads = walks.iter_mut().enumerate();
        let next = heads
            .filter(|(_, walk)| !walk.ahead.is_empty())
            .max_by_key(|(_, walk)| walk.ahead.front().map(|entry| entry.transaction));
        let Some((which, walk)) = next else {
            return Ok((with_operations(connection, tenant, found)?, None));
        };
        if found.len() >= limit {
            let mut place = START;
            for (number, walk) in place.iter_mut().zip(&walks) {
                *number = walk.passed;
            }
            return Ok((with_operations(connection, tenant, found)?, Some(place)));
        }
        let Some(entry) = walk.ahead.pop_front() else {
            continue;
        };
        walk.passed = entry.version;
        let Some(transaction) = known.get(&entry.transaction) else {
            continue;
        };
        if anchor(&transaction.postings, &accounts) == Some((which, entry.version)) {
            found.push(BalanceTransaction {
                changes: changes(&transaction.postings, &accounts),
                fee: changes(&transaction.postings, &income)
                    .into_iter()
                    .fold(0, i64::saturating_add),
                operation: None,
                transaction: transaction.clone(),
            });
        }
    }
}

/// The movements with the operations that their external ids name.
fn with_operations(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut found: Vec<BalanceTransaction>,
) -> Result<Vec<BalanceTransaction>, Error> {
    let named: Vec<OperationId> = found.iter().filter_map(operation_of).collect();
    if named.is_empty() {
        return Ok(found);
    }
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(&named))
        .load(connection)?;
    let mut by_id = HashMap::new();
    for row in rows {
        let operation = row.read()?;
        by_id.insert(operation.id, operation);
    }
    for movement in &mut found {
        movement.operation = operation_of(movement).and_then(|id| by_id.get(&id).cloned());
    }
    Ok(found)
}

/// The operation that the external id of a posting set names.
fn operation_of(movement: &BalanceTransaction) -> Option<OperationId> {
    let (operation, _set) = movement.transaction.external_id.as_ref()?.split_once(':')?;
    operation.parse().ok()
}

/// The entry at which a transaction is listed: which account, and the number of the entry.
fn anchor(postings: &[RecordedPosting], accounts: &[Option<AccountId>]) -> Option<(usize, i64)> {
    let mut accounts = accounts.iter().enumerate();
    accounts.find_map(|(which, account)| {
        let own = postings.iter().filter(|posted| moves(posted.phase));
        let numbers = own.flat_map(|posted| {
            let debit = (posted.posting.debit, posted.debit_version);
            let credit = (posted.posting.credit, posted.credit_version);
            [debit, credit]
        });
        let numbers = numbers.filter(|(of, _)| Some(*of) == *account);
        numbers
            .map(|(_, number)| number)
            .max()
            .map(|last| (which, last))
    })
}

/// The changes of the accounts, which are liabilities: a credit adds.
fn changes(postings: &[RecordedPosting], accounts: &[Option<AccountId>]) -> [i64; 3] {
    let mut changes = [0_i64; 3];
    for posted in postings.iter().filter(|posted| moves(posted.phase)) {
        let amount = posted.posting.amount.get();
        for (change, account) in changes.iter_mut().zip(accounts) {
            if *account == Some(posted.posting.credit) {
                *change = change.saturating_add(amount);
            }
            if *account == Some(posted.posting.debit) {
                *change = change.saturating_sub(amount);
            }
        }
    }
    changes
}

/// True if an entry of this phase changes the posted balance.
const fn moves(phase: Phase) -> bool {
    match phase {
        Phase::Posted | Phase::Fulfilled => true,
        Phase::Pending | Phase::Released => false,
    }
}
