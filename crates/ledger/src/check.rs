//! The ledger's invariants, proved over one snapshot. Every table is read in the order of a key, a
//! page at a time, and tables that belong together are read side by side, as one merges sorted lists;
//! only the currency of each account is kept in memory for longer.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use crate::schema::{account, ledger_transaction, posting};
use crate::tables::{AccountRow, PostingRow};
use crate::{AccountId, Kind, TransactionId};

/// Rows read at a time.
const PAGE: i64 = 4_000;

/// The triggers that keep the ledger's rows as they were written (L4), by name.
pub const GUARDS: [&str; 4] = [
    "ledger_transaction_immutable",
    "ledger_transaction_kept",
    "posting_immutable",
    "posting_kept",
];

/// L1: each posting moves a positive amount between two different accounts that exist and hold its
/// currency, is the next of a transaction that exists, and no transaction is without one. As a posting
/// is a debit and a credit at once, debits equal credits per transaction and currency. Returns the
/// number of postings.
///
/// # Errors
/// [`CheckError::Broken`] names the first posting or transaction that is not so.
pub fn postings_balance(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let held = Currencies::load(connection, tenant)?;
    let mut transactions = transactions(tenant);
    let mut postings: Pages<PostingRow> = Pages::new(tenant, postings_after);
    let mut examined = 0_u64;
    while let Some(transaction) = transactions.next(connection)? {
        let mut next_ordinal = 0_i16;
        while let Some(posting) =
            postings.next_if(connection, |posting| posting.transaction_id <= transaction)?
        {
            if posting.transaction_id < transaction {
                return Err(orphan(&posting));
            }
            held.check(&posting, next_ordinal)?;
            next_ordinal = next_ordinal.saturating_add(1);
            tick(&mut examined, progress);
        }
        if next_ordinal == 0 {
            return Err(CheckError::broken(transaction, "it has no posting"));
        }
    }
    match postings.next(connection)? {
        Some(posting) => Err(orphan(&posting)),
        None => Ok(examined),
    }
}

/// L2: the entries of each account are numbered 1, 2, 3 … over both sides together, each states the
/// balance that it left, and the account's counters and version are their sums and their number.
/// Returns the number of accounts and entries.
///
/// # Errors
/// [`CheckError::Broken`] names the first account that is not so.
pub fn counters_add_up(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut accounts = accounts(tenant);
    // The two unique indexes on `posting` give the entries of each side by account and version.
    let mut debits: Pages<Entry> = Pages::new(tenant, debits_after);
    let mut credits: Pages<Entry> = Pages::new(tenant, credits_after);
    let mut examined = 0_u64;
    while let Some(account) = accounts.next(connection)? {
        // Entries of accounts that do not exist are L1's to find.
        while debits
            .next_if(connection, |entry| entry.account < account.id)?
            .is_some()
        {}
        while credits
            .next_if(connection, |entry| entry.account < account.id)?
            .is_some()
        {}
        let mut sums = Sums::default();
        loop {
            let of = |entry: Option<&Entry>| {
                entry
                    .filter(|entry| entry.account == account.id)
                    .map(|entry| entry.version)
            };
            let debit = of(debits.peek(connection)?);
            let credit = of(credits.peek(connection)?);
            let (side, counter) = match (debit, credit) {
                (None, None) => break,
                (Some(debit), Some(credit)) if debit <= credit => (&mut debits, &mut sums.debits),
                (Some(_), None) => (&mut debits, &mut sums.debits),
                (Some(_) | None, Some(_)) => (&mut credits, &mut sums.credits),
            };
            let Some(entry) = side.next(connection)? else {
                break;
            };
            *counter += i128::from(entry.amount);
            sums.check_entry(&account, &entry)?;
            tick(&mut examined, progress);
        }
        sums.check_account(&account)?;
        tick(&mut examined, progress);
    }
    Ok(examined)
}

/// L3: over all accounts of a currency, as much is debited as is credited. Returns the number of
/// accounts.
///
/// # Errors
/// [`CheckError::Broken`] names the first currency in which it is not so.
pub fn totals_are_equal(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut accounts = accounts(tenant);
    let mut totals: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    let mut examined = 0_u64;
    while let Some(account) = accounts.next(connection)? {
        let (debits, credits) = totals.entry(account.currency).or_default();
        *debits += i128::from(account.debits_posted);
        *credits += i128::from(account.credits_posted);
        tick(&mut examined, progress);
    }
    for (currency, (debits, credits)) in totals {
        if debits != credits {
            let detail = format!("the accounts hold {debits} of debits and {credits} of credits");
            return Err(CheckError::broken(currency, detail));
        }
    }
    Ok(examined)
}

/// A transaction as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// Its id.
    pub id: TransactionId,
    /// The caller's own name for it.
    pub external_id: Option<String>,
    /// What it moves: minor units and ISO 4217 code of each posting.
    pub moved: Vec<(i64, String)>,
}

/// Transactions of one kind, in id order.
#[must_use]
pub fn of_kind(tenant: TenantId, kind: Kind) -> Pages<(TransactionId, Option<String>)> {
    Pages::new(
        tenant,
        move |connection, tenant, after: Option<&(TransactionId, _)>| {
            let mut query = ledger_transaction::table
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .filter(ledger_transaction::kind.eq(kind.name()))
                .order(ledger_transaction::id)
                .limit(PAGE)
                .select((ledger_transaction::id, ledger_transaction::external_id))
                .into_boxed();
            if let Some((id, _)) = after {
                query = query.filter(ledger_transaction::id.gt(*id));
            }
            Ok(query.load(connection)?)
        },
    )
}

/// The transactions with these external ids, with what they move.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn named(
    connection: &mut AnyConnection,
    tenant: TenantId,
    external_ids: &[String],
) -> Result<Vec<Referred>, Error> {
    let found: Vec<(TransactionId, Option<String>)> = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(ledger_transaction::external_id.eq_any(external_ids))
        .select((ledger_transaction::id, ledger_transaction::external_id))
        .load(connection)?;
    let ids: Vec<TransactionId> = found.iter().map(|(id, _)| *id).collect();
    let rows: Vec<(TransactionId, i64, String)> = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .filter(posting::transaction_id.eq_any(&ids))
        .select((posting::transaction_id, posting::amount, posting::currency))
        .load(connection)?;
    let mut moved: HashMap<TransactionId, Vec<(i64, String)>> = HashMap::new();
    for (id, amount, currency) in rows {
        moved.entry(id).or_default().push((amount, currency));
    }
    let referred = |(id, external_id)| Referred {
        id,
        external_id,
        moved: moved.remove(&id).unwrap_or_default(),
    };
    Ok(found.into_iter().map(referred).collect())
}

/// All transactions, in id order.
#[must_use]
pub fn transactions(tenant: TenantId) -> Pages<TransactionId> {
    Pages::new(tenant, |connection, tenant, after| {
        let mut query = ledger_transaction::table
            .filter(ledger_transaction::tenant_id.eq(tenant))
            .order(ledger_transaction::id)
            .limit(PAGE)
            .select(ledger_transaction::id)
            .into_boxed();
        if let Some(id) = after {
            query = query.filter(ledger_transaction::id.gt(*id));
        }
        Ok(query.load(connection)?)
    })
}

/// All accounts, in id order.
#[must_use]
pub fn accounts(tenant: TenantId) -> Pages<AccountRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&AccountRow>| {
        let mut query = account::table
            .filter(account::tenant_id.eq(tenant))
            .order(account::id)
            .limit(PAGE)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(account::id.gt(last.id));
        }
        Ok(query.load(connection)?)
    })
}

fn tick(examined: &mut u64, progress: &mut dyn FnMut(u64)) {
    *examined += 1;
    if examined.is_multiple_of(PAGE.unsigned_abs()) {
        progress(*examined);
    }
}

fn name(posting: &PostingRow) -> String {
    format!("{} posting {}", posting.transaction_id, posting.ordinal)
}

fn orphan(posting: &PostingRow) -> CheckError {
    CheckError::broken(name(posting), "its transaction does not exist")
}

/// Which currency each account holds. A code is kept once, however many accounts hold it.
struct Currencies {
    codes: Vec<String>,
    held: HashMap<AccountId, usize>,
}

impl Currencies {
    fn load(connection: &mut AnyConnection, tenant: TenantId) -> Result<Self, Error> {
        let mut accounts = accounts(tenant);
        let mut codes: Vec<String> = Vec::new();
        let mut held = HashMap::new();
        while let Some(account) = accounts.next(connection)? {
            let known = codes.iter().position(|code| *code == account.currency);
            let code = known.unwrap_or_else(|| {
                codes.push(account.currency);
                codes.len() - 1
            });
            held.insert(account.id, code);
        }
        Ok(Self { codes, held })
    }

    fn check(&self, posting: &PostingRow, ordinal: i16) -> Result<(), CheckError> {
        let broken = |detail| Err(CheckError::broken(name(posting), detail));
        if posting.ordinal != ordinal {
            return broken(format!("posting {ordinal} is missing"));
        }
        if posting.amount <= 0 {
            return broken(format!("its amount is {}", posting.amount));
        }
        if posting.debit_account == posting.credit_account {
            return broken(format!("it debits and credits {}", posting.debit_account));
        }
        for account in [posting.debit_account, posting.credit_account] {
            let code = self
                .held
                .get(&account)
                .and_then(|code| self.codes.get(*code));
            match code {
                None => return broken(format!("account {account} does not exist")),
                Some(code) if *code != posting.currency => {
                    return broken(format!(
                        "it moves {}, {account} holds {code}",
                        posting.currency
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// A posting as one of its accounts sees it.
#[derive(Clone, Queryable)]
struct Entry {
    account: AccountId,
    version: i64,
    amount: i64,
    balance: i64,
    transaction: TransactionId,
}

/// What the entries of an account amount to so far.
#[derive(Default)]
struct Sums {
    debits: i128,
    credits: i128,
    entries: i64,
}

impl Sums {
    fn check_entry(&mut self, account: &AccountRow, entry: &Entry) -> Result<(), CheckError> {
        self.entries += 1;
        let at = entry.transaction;
        if entry.version != self.entries {
            let (expected, found) = (self.entries, entry.version);
            let detail = format!("after entry {} comes {found} ({at})", expected - 1);
            return Err(CheckError::broken(account.id, detail));
        }
        let balance = match account.normal_side {
            1 => self.debits - self.credits,
            _ => self.credits - self.debits,
        };
        if i128::from(entry.balance) != balance {
            let (number, stated) = (entry.version, entry.balance);
            let detail =
                format!("entry {number} ({at}) states the balance {stated}, it is {balance}");
            return Err(CheckError::broken(account.id, detail));
        }
        Ok(())
    }

    fn check_account(&self, account: &AccountRow) -> Result<(), CheckError> {
        let counters = [
            ("debits_posted", account.debits_posted, self.debits),
            ("credits_posted", account.credits_posted, self.credits),
            ("version", account.version, i128::from(self.entries)),
            // No entry is ever pending as yet.
            ("debits_pending", account.debits_pending, 0),
            ("credits_pending", account.credits_pending, 0),
        ];
        for (counter, stated, found) in counters {
            if i128::from(stated) != found {
                let detail = format!("{counter} is {stated}, its entries make {found}");
                return Err(CheckError::broken(account.id, detail));
            }
        }
        Ok(())
    }
}

/// The postings after one of them. A key of two columns is followed in two steps, first to the end
/// of the same transaction, then to the transactions after it, because either step is a plain range of
/// the primary key, which `a > x OR (a = x AND b > y)` is to no planner.
fn postings_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&PostingRow>,
) -> Result<Vec<PostingRow>, Error> {
    let postings = posting::table
        .filter(posting::tenant_id.eq(tenant))
        .order((posting::transaction_id, posting::ordinal))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(postings.load(connection)?);
    };
    let rest: Vec<PostingRow> = postings
        .filter(posting::transaction_id.eq(last.transaction_id))
        .filter(posting::ordinal.gt(last.ordinal))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(postings
        .filter(posting::transaction_id.gt(last.transaction_id))
        .load(connection)?)
}

macro_rules! entries_after {
    ($name:ident, $account:ident, $version:ident, $balance:ident) => {
        fn $name(
            connection: &mut AnyConnection,
            tenant: TenantId,
            after: Option<&Entry>,
        ) -> Result<Vec<Entry>, Error> {
            let entries = posting::table
                .filter(posting::tenant_id.eq(tenant))
                .order((posting::$account, posting::$version))
                .limit(PAGE)
                .select((
                    posting::$account,
                    posting::$version,
                    posting::amount,
                    posting::$balance,
                    posting::transaction_id,
                ));
            let Some(last) = after else {
                return Ok(entries.load(connection)?);
            };
            let rest: Vec<Entry> = entries
                .filter(posting::$account.eq(last.account))
                .filter(posting::$version.gt(last.version))
                .load(connection)?;
            if !rest.is_empty() {
                return Ok(rest);
            }
            Ok(entries
                .filter(posting::$account.gt(last.account))
                .load(connection)?)
        }
    };
}
entries_after!(debits_after, debit_account, debit_version, debit_balance);
entries_after!(
    credits_after,
    credit_account,
    credit_version,
    credit_balance
);
