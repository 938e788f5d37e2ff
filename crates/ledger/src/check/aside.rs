//! L7: the tables beside the entries, which answer questions about time and metadata, agree with the transactions.
//! Each row that must exist is looked up by its key, and there are no other rows. The buckets of each level are the
//! sums of the buckets of the level below; the buckets of the lowest level are the sums of the rows.

use std::collections::{HashMap, HashSet};

use diesel::dsl::count_star;
use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, CheckError, Error, Pages, TenantId, Timestamp};

use super::{PAGE, only, tick};
use crate::schema::{
    current_metadata, displaced, ledger_transaction, time_bucket, transaction_metadata,
};
use crate::tables::{
    self, ByTransaction, DisplacedAt, DisplacedRow, LEVELS, MetadataOf, TransactionRow, rows_of,
    start_of,
};
use crate::{AccountId, Metadata, TransactionId};

/// [`all_asides_agree`] for one tenant.
///
/// # Errors
/// [`CheckError::Broken`] names the first row that breaks the rule.
pub fn asides_agree(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    all_asides_agree(connection, &[tenant], progress)
}

/// L7: each final entry whose effective time is not its recording time has a row in `displaced`, and no
/// other entry has one. The time buckets are the sums of these rows. Each text of the current metadata of a
/// transaction has a row. Returns the number of rows.
///
/// # Errors
/// [`CheckError::Broken`] names the first row that breaks the rule.
pub fn all_asides_agree(
    connection: &mut AnyConnection,
    tenants: &[TenantId],
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let (displaced, texts) = (displaced_rows(connection)?, texts_kept(connection)?);
    let described = described_rows(connection)?;
    for tenant in tenants {
        let of = |broken: CheckError| broken.of(*tenant);
        let kept = |rows: &HashMap<TenantId, i64>| rows.get(tenant).copied().unwrap_or(0);
        let kept = [kept(&displaced), kept(&texts), kept(&described)];
        let mut seen = || tick(&mut examined, progress);
        transactions_agree(connection, *tenant, kept, &mut seen).map_err(of)?;
    }
    let whose = only(tenants);
    let of_rows = vec![
        Pages::over(move |c, after| by_effective_time(c, whose, after)),
        Pages::over(move |c, after| by_version(c, whose, after)),
    ];
    sums_agree(connection, 0, buckets(whose, 0), of_rows, &mut |_part| {
        tick(&mut examined, progress);
    })?;
    for level in 1..LEVELS {
        let shorter = vec![buckets(whose, level - 1)];
        let longer = buckets(whose, level);
        sums_agree(connection, level, longer, shorter, &mut |_part| ())?;
    }
    Ok(examined)
}

/// Number of displaced entries of each tenant.
fn displaced_rows(connection: &mut AnyConnection) -> Result<HashMap<TenantId, i64>, Error> {
    let rows: Vec<(TenantId, i64)> = displaced::table
        .group_by(displaced::tenant_id)
        .select((displaced::tenant_id, count_star()))
        .load(connection)?;
    Ok(rows.into_iter().collect())
}

/// Number of metadata texts of each tenant.
fn texts_kept(connection: &mut AnyConnection) -> Result<HashMap<TenantId, i64>, Error> {
    let rows: Vec<(TenantId, i64)> = transaction_metadata::table
        .group_by(transaction_metadata::tenant_id)
        .select((transaction_metadata::tenant_id, count_star()))
        .load(connection)?;
    Ok(rows.into_iter().collect())
}

/// Number of transactions of each tenant whose metadata was set later.
fn described_rows(connection: &mut AnyConnection) -> Result<HashMap<TenantId, i64>, Error> {
    let rows: Vec<(TenantId, i64)> = current_metadata::table
        .group_by(current_metadata::tenant_id)
        .select((current_metadata::tenant_id, count_star()))
        .load(connection)?;
    Ok(rows.into_iter().collect())
}

/// Compares the transactions of a tenant with the tables beside them. `kept` has the number of displaced
/// entries, of texts, and of transactions whose metadata was set later.
fn transactions_agree(
    connection: &mut AnyConnection,
    tenant: TenantId,
    kept: [i64; 3],
    seen: &mut dyn FnMut(),
) -> Result<(), CheckError> {
    let mut told = Pages::new(tenant, told_after);
    let (mut entries, mut texts, mut described) = (0_i64, 0_i64, 0_i64);
    loop {
        let page = told.page(connection)?;
        if page.is_empty() {
            break;
        }
        entries += entries_agree(connection, tenant, &page)?;
        let found = texts_agree(connection, tenant, &page)?;
        texts += found.0;
        described += found.1;
        page.iter().for_each(|_| seen());
    }
    let counts = [
        ("displaced", entries),
        ("transaction_metadata", texts),
        ("current_metadata", described),
    ];
    for ((table, expected), found) in counts.into_iter().zip(kept) {
        if expected != found {
            let detail = format!("it has {found} rows, the transactions say {expected}");
            return Err(CheckError::broken(table, detail));
        }
    }
    Ok(())
}

/// The transactions that may have rows in the tables beside them, in id order.
fn told_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&TransactionRow>,
) -> Result<Vec<TransactionRow>, Error> {
    let described = current_metadata::table
        .filter(current_metadata::tenant_id.eq(tenant))
        .select(current_metadata::transaction_id);
    let mut query = ledger_transaction::table
        .filter(ledger_transaction::tenant_id.eq(tenant))
        .filter(
            ledger_transaction::effective_at
                .ne(ledger_transaction::recorded_at)
                .or(ledger_transaction::metadata.is_not_null())
                .or(ledger_transaction::id.eq_any(described)),
        )
        .order(ledger_transaction::id)
        .limit(PAGE)
        .into_boxed();
    if let Some(last) = after {
        query = query.filter(ledger_transaction::id.gt(last.id));
    }
    Ok(query.load(connection)?)
}

fn entries_agree(
    connection: &mut AnyConnection,
    tenant: TenantId,
    page: &[TransactionRow],
) -> Result<i64, CheckError> {
    let displaced: HashMap<TransactionId, (Timestamp, Timestamp)> = page
        .iter()
        .filter(|row| row.effective_at != row.recorded_at)
        .map(|row| {
            let times = (row.effective_at, row.recorded_at);
            let times = (
                Timestamp::from_micros(times.0),
                Timestamp::from_micros(times.1),
            );
            (row.id, times)
        })
        .collect();
    let theirs: Vec<ByTransaction> = displaced
        .keys()
        .map(|id| ByTransaction {
            transaction_id: *id,
        })
        .collect();
    let mut expected: HashMap<(AccountId, i64), DisplacedRow> = HashMap::new();
    for row in ByTransaction::find(connection, Lock::Nothing, tenant, &theirs)? {
        let Some(times) = displaced.get(&row.transaction_id) else {
            continue;
        };
        let entry = row.read()?;
        if entry.phase.is_final() {
            let rows = rows_of(tenant, *times, &entry).into_iter();
            expected.extend(rows.map(|row| ((row.account_id, row.version), row)));
        }
    }
    let keys: Vec<DisplacedAt> = expected
        .keys()
        .map(|(account, version)| DisplacedAt {
            account_id: *account,
            version: *version,
        })
        .collect();
    let number = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    for found in DisplacedAt::find(connection, Lock::Nothing, tenant, &keys)? {
        let said = expected.remove(&(found.account_id, found.version));
        let said = said.map(|row| (row.effective_at, row.recorded_at, row.debit, row.credit));
        let (effective, recorded) = (found.effective_at, found.recorded_at);
        if said != Some((effective, recorded, found.debit, found.credit)) {
            let subject = name(found.account_id, found.version);
            return Err(CheckError::broken(
                subject,
                "its displacement is not what its transaction says",
            ));
        }
    }
    match expected.into_keys().min() {
        Some((account, version)) => Err(CheckError::broken(
            name(account, version),
            "it happened at another time than it was recorded, and nothing says so",
        )),
        None => Ok(number),
    }
}

/// The number of metadata texts of the transactions of a page, and the number of those transactions whose
/// metadata was set later.
fn texts_agree(
    connection: &mut AnyConnection,
    tenant: TenantId,
    page: &[TransactionRow],
) -> Result<(i64, i64), CheckError> {
    let ids: Vec<TransactionId> = page.iter().map(|row| row.id).collect();
    let described = tables::current_metadata(connection, tenant, &ids)?;
    let mut keys = Vec::new();
    for row in page {
        let now = match described.get(&row.id) {
            Some(current) => &current.metadata,
            None => &row.metadata,
        };
        let Some(text) = now else { continue };
        let metadata =
            Metadata::stored(text).map_err(|rule| CheckError::broken(row.id, rule.to_string()))?;
        let of_it = metadata.entries().into_iter();
        keys.extend(of_it.map(|(key, value)| MetadataOf {
            key,
            value,
            transaction_id: row.id,
        }));
    }
    let found: HashSet<(TransactionId, String)> =
        MetadataOf::find(connection, Lock::Nothing, tenant, &keys)?
            .into_iter()
            .map(|row| (row.transaction_id, row.key))
            .collect();
    let number = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    for key in keys {
        if !found.contains(&(key.transaction_id, key.key.clone())) {
            let detail = format!("it is not found by its metadata {}", key.key);
            return Err(CheckError::broken(key.transaction_id, detail));
        }
    }
    let described = i64::try_from(described.len()).unwrap_or(i64::MAX);
    Ok((number, described))
}

fn name(account: AccountId, version: i64) -> String {
    format!("{account} entry {version}")
}

/// A part of a bucket: a displaced entry, or a bucket of the level below.
#[derive(Debug, Clone, Copy)]
struct Part {
    tenant: TenantId,
    account: AccountId,
    at: i64,
    version: i64,
    sums: [i64; 4],
}

/// Compares buckets with the parts that they sum up, as in a merge of sorted lists.
fn sums_agree(
    connection: &mut AnyConnection,
    level: i16,
    mut whole: Pages<Part>,
    mut parts: Vec<Pages<Part>>,
    seen: &mut dyn FnMut(&Part),
) -> Result<(), CheckError> {
    let missing = |part: &Part| {
        let detail = format!("it is in no time bucket of level {level}");
        CheckError::broken(format!("{} at {}", part.account, part.at), detail).of(part.tenant)
    };
    while let Some(bucket) = whole.next(connection)? {
        let place = (bucket.account, bucket.at);
        let mut sums = [0_i128; 4];
        for pages in &mut parts {
            let of_it = |part: &Part| (part.account, start_of(level, part.at));
            while let Some(part) = pages.next_if(connection, |part| of_it(part) <= place)? {
                if of_it(&part) < place {
                    return Err(missing(&part));
                }
                for (sum, amount) in sums.iter_mut().zip(part.sums) {
                    *sum += i128::from(amount);
                }
                seen(&part);
            }
        }
        if bucket.sums.map(i128::from) != sums {
            let subject = format!("{} time bucket {level} at {}", bucket.account, bucket.at);
            let detail = format!("its sums are {:?}, its entries make {sums:?}", bucket.sums);
            return Err(CheckError::broken(subject, detail).of(bucket.tenant));
        }
    }
    for pages in &mut parts {
        if let Some(part) = pages.next(connection)? {
            return Err(missing(&part));
        }
    }
    Ok(())
}

/// Reads the rest of the same account, then the accounts after it: each step is a plain range of the key.
macro_rules! in_two_steps {
    ($query:expr, $account:expr, $after:expr, $connection:expr, $part:expr, |$last:ident| $rest:expr) => {{
        let rows = match $after {
            None => $query().load($connection)?,
            Some($last) => {
                let rest = $query().filter($account.eq($last.account)).filter($rest);
                let rest = rest.load($connection)?;
                if rest.is_empty() {
                    $query()
                        .filter($account.gt($last.account))
                        .load($connection)?
                } else {
                    rest
                }
            }
        };
        Ok(rows.into_iter().map($part).collect())
    }};
}

type Row = (TenantId, AccountId, i64, i64, i64, i64);

fn by_effective_time(
    connection: &mut AnyConnection,
    whose: Option<TenantId>,
    after: Option<&Part>,
) -> Result<Vec<Part>, Error> {
    let query = || {
        let query = displaced::table
            .order((
                displaced::account_id,
                displaced::effective_at,
                displaced::version,
            ))
            .limit(PAGE)
            .select((
                displaced::tenant_id,
                displaced::account_id,
                displaced::effective_at,
                displaced::version,
                displaced::debit,
                displaced::credit,
            ))
            .into_boxed();
        match whose {
            Some(tenant) => query.filter(displaced::tenant_id.eq(tenant)),
            None => query,
        }
    };
    let part = |(tenant, account, at, version, debit, credit): Row| Part {
        tenant,
        account,
        at,
        version,
        sums: [debit, credit, 0, 0],
    };
    in_two_steps!(
        query,
        displaced::account_id,
        after,
        connection,
        part,
        |last| displaced::effective_at.ge(last.at).and(
            displaced::effective_at
                .gt(last.at)
                .or(displaced::version.gt(last.version))
        )
    )
}

/// Displaced entries in the order of recording.
fn by_version(
    connection: &mut AnyConnection,
    whose: Option<TenantId>,
    after: Option<&Part>,
) -> Result<Vec<Part>, Error> {
    let query = || {
        let query = displaced::table
            .order((displaced::account_id, displaced::version))
            .limit(PAGE)
            .select((
                displaced::tenant_id,
                displaced::account_id,
                displaced::recorded_at,
                displaced::version,
                displaced::debit,
                displaced::credit,
            ))
            .into_boxed();
        match whose {
            Some(tenant) => query.filter(displaced::tenant_id.eq(tenant)),
            None => query,
        }
    };
    let part = |(tenant, account, at, version, debit, credit): Row| Part {
        tenant,
        account,
        at,
        version,
        sums: [0, 0, debit, credit],
    };
    in_two_steps!(
        query,
        displaced::account_id,
        after,
        connection,
        part,
        |last| displaced::version.gt(last.version)
    )
}

/// The buckets of one level.
fn buckets(whose: Option<TenantId>, level: i16) -> Pages<Part> {
    type Row = (TenantId, AccountId, i64, i64, i64, i64, i64);
    Pages::over(move |connection, after: Option<&Part>| {
        let query = || {
            let query = time_bucket::table
                .filter(time_bucket::level.eq(level))
                .order((time_bucket::account_id, time_bucket::start))
                .limit(PAGE)
                .select((
                    time_bucket::tenant_id,
                    time_bucket::account_id,
                    time_bucket::start,
                    time_bucket::debits_effective,
                    time_bucket::credits_effective,
                    time_bucket::debits_recorded,
                    time_bucket::credits_recorded,
                ))
                .into_boxed();
            match whose {
                Some(tenant) => query.filter(time_bucket::tenant_id.eq(tenant)),
                None => query,
            }
        };
        let part = |(tenant, account, at, a, b, c, d): Row| Part {
            tenant,
            account,
            at,
            version: 0,
            sums: [a, b, c, d],
        };
        in_two_steps!(
            query,
            time_bucket::account_id,
            after,
            connection,
            part,
            |last| time_bucket::start.gt(last.at)
        )
    })
}
