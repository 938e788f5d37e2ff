//! L2: each account is compared with its entries of both sides, as in a merge of three sorted lists.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, accounts_by, only, tick};
use crate::schema::posting;
use crate::tables::AccountRow;
use crate::{AccountId, Phase, TransactionId};

/// The least number of accounts of each tenant that are read at a time, however many tenants there are.
const MIN_PAGE: i64 = 16;

/// [`all_counters_add_up`] for one tenant.
///
/// # Errors
/// [`CheckError::Broken`] names the first account that breaks the rule.
pub fn counters_add_up(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    all_counters_add_up(connection, &[tenant], progress)
}

/// L2: the entries of each account are numbered 1, 2, 3 … over both sides together, and each states the
/// balance after it. The account's counters are the sums of its entries, and its version is their number.
/// Returns the number of accounts and entries.
///
/// # Errors
/// [`CheckError::Broken`] names the first account that breaks the rule.
pub fn all_counters_add_up(
    connection: &mut AnyConnection,
    tenants: &[TenantId],
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut accounts = MergedAccounts::of(connection, tenants)?;
    // The two unique indexes on `posting` give the entries of each side by account and version, of all tenants
    // together. Reading them once per tenant would read them as often as there are tenants.
    let whose = only(tenants);
    let mut debits: Pages<Entry> = Pages::over(move |c, after| debits_after(c, whose, after));
    let mut credits: Pages<Entry> = Pages::over(move |c, after| credits_after(c, whose, after));
    let mut examined = 0_u64;
    let mut last = None;
    while let Some(account) = accounts.next(connection)? {
        if last.replace(account.id) == Some(account.id) {
            let broken = CheckError::broken(account.id, "two tenants have an account of this id");
            return Err(broken.of(account.tenant_id));
        }
        // Entries of accounts that do not exist are found by L1.
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
            let (entries, side) = match (debit, credit) {
                (None, None) => break,
                (Some(debit), Some(credit)) if debit <= credit => (&mut debits, &mut sums.debits),
                (Some(_), None) => (&mut debits, &mut sums.debits),
                (Some(_) | None, Some(_)) => (&mut credits, &mut sums.credits),
            };
            let Some(entry) = entries.next(connection)? else {
                break;
            };
            // An entry of another tenant on this account is found by L1.
            if entry.tenant != account.tenant_id {
                continue;
            }
            let of = |broken: CheckError| broken.of(account.tenant_id);
            side.add(&entry).map_err(of)?;
            sums.check_entry(&account, &entry).map_err(of)?;
            tick(&mut examined, progress);
        }
        let of = |broken: CheckError| broken.of(account.tenant_id);
        sums.check_account(&account).map_err(of)?;
        tick(&mut examined, progress);
    }
    Ok(examined)
}

/// The accounts of all tenants in the order of their ids. Each tenant's accounts come in that order, and the next
/// account is the least of all heads. The pages of all tenants together are as long as one page of a single tenant,
/// but each page has at least [`MIN_PAGE`] rows.
struct MergedAccounts {
    of_each: Vec<Pages<AccountRow>>,
    heads: BinaryHeap<Reverse<(AccountId, usize)>>,
}

impl MergedAccounts {
    fn of(connection: &mut AnyConnection, tenants: &[TenantId]) -> Result<Self, Error> {
        let number = i64::try_from(tenants.len()).unwrap_or(PAGE).max(1);
        let page = (PAGE / number).max(MIN_PAGE);
        let of_each = tenants.iter().map(|tenant| accounts_by(*tenant, page));
        let mut merged = Self {
            of_each: of_each.collect(),
            heads: BinaryHeap::new(),
        };
        for place in 0..merged.of_each.len() {
            merged.put_head(connection, place)?;
        }
        Ok(merged)
    }

    fn put_head(&mut self, connection: &mut AnyConnection, place: usize) -> Result<(), Error> {
        if let Some(pages) = self.of_each.get_mut(place)
            && let Some(head) = pages.peek(connection)?
        {
            self.heads.push(Reverse((head.id, place)));
        }
        Ok(())
    }

    fn next(&mut self, connection: &mut AnyConnection) -> Result<Option<AccountRow>, Error> {
        let Some(Reverse((_, place))) = self.heads.pop() else {
            return Ok(None);
        };
        let next = match self.of_each.get_mut(place) {
            Some(pages) => pages.next(connection)?,
            None => None,
        };
        self.put_head(connection, place)?;
        Ok(next)
    }
}

/// A posting as seen by one of its accounts.
#[derive(Clone, Queryable)]
struct Entry {
    tenant: TenantId,
    account: AccountId,
    version: i64,
    amount: i64,
    balance: i64,
    transaction: TransactionId,
    phase: i16,
}

/// The sums of the entries of an account so far.
#[derive(Default)]
struct Sums {
    debits: OneSide,
    credits: OneSide,
    entries: i64,
}

/// The sums of one side.
#[derive(Default)]
struct OneSide {
    pending: i128,
    posted: i128,
    released: i128,
}

impl OneSide {
    fn add(&mut self, entry: &Entry) -> Result<(), CheckError> {
        let amount = i128::from(entry.amount);
        match Phase::from_number(entry.phase) {
            Some(Phase::Pending) => self.pending += amount,
            Some(Phase::Posted) => self.posted += amount,
            Some(Phase::Fulfilled) => {
                self.posted += amount;
                self.released += amount;
            }
            Some(Phase::Released) => self.released += amount,
            None => {
                let detail = format!("entry {} has no phase: {}", entry.version, entry.phase);
                return Err(CheckError::broken(entry.account, detail));
            }
        }
        Ok(())
    }
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
            1 => self.debits.posted - self.credits.posted,
            _ => self.credits.posted - self.debits.posted,
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
        let (debits, credits) = (&self.debits, &self.credits);
        let counters = [
            ("debits_pending", account.debits_pending, debits.pending),
            ("debits_posted", account.debits_posted, debits.posted),
            ("debits_released", account.debits_released, debits.released),
            ("credits_pending", account.credits_pending, credits.pending),
            ("credits_posted", account.credits_posted, credits.posted),
            (
                "credits_released",
                account.credits_released,
                credits.released,
            ),
            ("version", account.version, i128::from(self.entries)),
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

macro_rules! entries_after {
    ($name:ident, $account:ident, $version:ident, $balance:ident) => {
        fn $name(
            connection: &mut AnyConnection,
            whose: Option<TenantId>,
            after: Option<&Entry>,
        ) -> Result<Vec<Entry>, Error> {
            let entries = || {
                let query = posting::table
                    .order((posting::$account, posting::$version))
                    .limit(PAGE)
                    .select((
                        posting::tenant_id,
                        posting::$account,
                        posting::$version,
                        posting::amount,
                        posting::$balance,
                        posting::transaction_id,
                        posting::phase,
                    ))
                    .into_boxed();
                match whose {
                    Some(tenant) => query.filter(posting::tenant_id.eq(tenant)),
                    None => query,
                }
            };
            let Some(last) = after else {
                return Ok(entries().load(connection)?);
            };
            let rest: Vec<Entry> = entries()
                .filter(posting::$account.eq(last.account))
                .filter(posting::$version.gt(last.version))
                .load(connection)?;
            if !rest.is_empty() {
                return Ok(rest);
            }
            Ok(entries()
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
