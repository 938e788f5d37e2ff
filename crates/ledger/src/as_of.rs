//! The posted balance of an account as of a moment, without adding up its history.
//!
//! *By the recording time*: the entries of an account are numbered in the order in which they were recorded,
//! and each keeps the balance after it. The last entry up to the moment is found by binary search: about
//! twenty look-ups for a million entries, in one statement.
//!
//! *By the effective time*: start from the balance by the recording time. A few entries are displaced: their
//! effective time is not their recording time. Add those that happened up to the moment, and subtract those that were
//! recorded up to the moment. These sums are kept in buckets of time: at most 256 rows a level are read, however many
//! displaced entries there are.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, HasSqlType};
use money::MinorUnits;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::{entry, ledger_transaction, time_bucket};
use crate::tables::{LEVELS, start_of};
use crate::{Account, AccountId, NormalSide};

/// Which of the two times of a transaction counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The recording time. A balance as of a past moment never changes later.
    Recorded,
    /// The effective time. A later record may still change the balance, unless the period is closed.
    Effective,
}

/// The posted balance of an account at a moment; what happened exactly at the moment is included. `account`
/// must come from the same snapshot.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn balance_at(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    at: Timestamp,
    by: By,
) -> Result<MinorUnits, Error> {
    let (_, recorded) = last_by(connection, tenant, account, at)?;
    balance_after(connection, tenant, account, recorded, (at, by))
}

/// As [`balance_at`], if the balance after the last entry that was recorded up to the moment is known already.
pub(crate) fn balance_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    recorded: MinorUnits,
    (at, by): (Timestamp, By),
) -> Result<MinorUnits, Error> {
    match by {
        By::Recorded => Ok(recorded),
        By::Effective => {
            let displaced = displaced_by(connection, tenant, account.id, at)?;
            let units = i128::from(recorded.get()) + displaced.on(account.normal_side);
            // The value fits, because it is a difference of two sums of the account's own entries.
            let units = i64::try_from(units).map_err(|_beyond| damaged(account.id))?;
            Ok(MinorUnits::new(units))
        }
    }
}

/// The number of the last entry that was recorded up to a moment, and the balance after it; both are 0 if there is no
/// such entry.
pub(crate) fn last_by(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    at: Timestamp,
) -> Result<(i64, MinorUnits), Error> {
    let number = last_number_by(connection, tenant, account, at)?;
    if number == 0 {
        return Ok((0, MinorUnits::ZERO));
    }
    let (_, balance) = probed(connection, tenant, account.id, number)?;
    Ok((number, balance))
}

/// The number of the last entry that was recorded up to a moment; 0 if there is none.
pub(crate) fn last_number_by(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    at: Timestamp,
) -> Result<i64, Error> {
    let asked = LastBy {
        tenant,
        account: account.id,
        version: account.version,
        at: at.micros(),
    };
    let found: Result<i64, _> = store::ask_either!(connection, |either| asked.get_result(either));
    found.optional()?.ok_or_else(|| damaged(account.id))
}

/// A binary search for the last entry of an account that was recorded up to a moment. It is one statement, because a
/// round trip to the database takes longer than a look-up. Entries up to `earlier` were recorded up to the moment;
/// entries from `later` on were recorded after it.
struct LastBy {
    tenant: TenantId,
    account: AccountId,
    /// The account's last entry. It is looked at first, because most questions are about the present.
    version: i64,
    at: i64,
}

impl<DB: Backend> QueryFragment<DB> for LastBy
where
    TenantId: ToSql<BigInt, DB>,
    AccountId: ToSql<Binary, DB>,
    i64: ToSql<BigInt, DB>,
    DB: HasSqlType<Binary> + HasSqlType<BigInt>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "WITH RECURSIVE probe (earlier, later, number) AS (\
             SELECT CAST(0 AS BIGINT), CAST(1 AS BIGINT) + ",
        );
        out.push_bind_param::<BigInt, _>(&self.version)?;
        out.push_sql(", CAST(0 AS BIGINT) + ");
        out.push_bind_param::<BigInt, _>(&self.version)?;
        out.push_sql(
            " UNION ALL \
             SELECT CASE WHEN recorded_at <= ",
        );
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(" THEN number ELSE earlier END, CASE WHEN recorded_at <= ");
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(" THEN later ELSE number END, CASE WHEN recorded_at <= ");
        out.push_bind_param::<BigInt, _>(&self.at)?;
        out.push_sql(
            " THEN number + later ELSE earlier + number END / 2 \
             FROM probe JOIN ledger_transaction ON tenant_id = ",
        );
        out.push_bind_param::<BigInt, _>(&self.tenant)?;
        // The entry is on one of the two sides, each of which has an index.
        for (before, side) in [(" AND id = COALESCE(", "debit"), (", ", "credit")] {
            out.push_sql(before);
            out.push_sql("(SELECT transaction_id FROM posting WHERE tenant_id = ");
            out.push_bind_param::<BigInt, _>(&self.tenant)?;
            out.push_sql(" AND ");
            out.push_sql(side);
            out.push_sql("_account = ");
            out.push_bind_param::<Binary, _>(&self.account)?;
            out.push_sql(" AND ");
            out.push_sql(side);
            out.push_sql("_version = number)");
        }
        out.push_sql(
            ") WHERE earlier + 1 < later) \
             SELECT earlier FROM probe WHERE earlier + 1 >= later",
        );
        Ok(())
    }
}

impl QueryId for LastBy {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for LastBy {
    type SqlType = BigInt;
}

impl<C> RunQueryDsl<C> for LastBy {}

/// The recording time of the entry with this number, and the balance after it.
pub(crate) fn probed(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    version: i64,
) -> Result<(Timestamp, MinorUnits), Error> {
    let found: Option<(i64, i64)> = entry::table
        .inner_join(
            ledger_transaction::table.on(ledger_transaction::tenant_id
                .eq(entry::tenant_id)
                .and(ledger_transaction::id.eq(entry::transaction_id))),
        )
        .filter(entry::tenant_id.eq(tenant))
        .filter(entry::account_id.eq(account))
        .filter(entry::version.eq(version))
        .select((ledger_transaction::recorded_at, entry::balance))
        .first(connection)
        .optional()?;
    let (at, balance) = found.ok_or_else(|| damaged(account))?;
    Ok((Timestamp::from_micros(at), MinorUnits::new(balance)))
}

fn damaged(account: AccountId) -> Error {
    Error::Refused(format!("the entries of {account} do not add up"))
}

/// The sum of the displaced entries of an account that happened up to a moment, less the sum of those that were
/// recorded up to it.
#[derive(Debug, Default)]
struct DisplacedSum {
    debits: i128,
    credits: i128,
}

impl DisplacedSum {
    fn on(&self, side: NormalSide) -> i128 {
        match side {
            NormalSide::Debit => self.debits - self.credits,
            NormalSide::Credit => self.credits - self.debits,
        }
    }

    fn add(&mut self, (_, debits, credits, debits_recorded, credits_recorded): &Bucket) {
        self.debits += i128::from(*debits) - i128::from(*debits_recorded);
        self.credits += i128::from(*credits) - i128::from(*credits_recorded);
    }
}

/// The start of a bucket, and its four sums.
type Bucket = (i64, i64, i64, i64, i64);

fn displaced_by(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    at: Timestamp,
) -> Result<DisplacedSum, Error> {
    let end = at.micros().saturating_add(1);
    // The longest buckets cover all time until the last of them begins. Of each shorter level, only the
    // buckets within the last bucket of the level above are needed.
    let mut covered = i64::MIN;
    let mut spans = [(0, 0, 0); 7];
    for (span, level) in spans.iter_mut().zip((0..LEVELS).rev()) {
        let start = start_of(level, end);
        *span = (level, covered, start);
        covered = start;
    }
    let buckets = |(level, from, to): (i16, i64, i64)| {
        time_bucket::table
            .filter(time_bucket::level.eq(level))
            .filter(time_bucket::account_id.eq(account))
            .filter(time_bucket::start.ge(from))
            .filter(time_bucket::start.lt(to))
            .filter(time_bucket::tenant_id.eq(tenant))
            .select((
                time_bucket::start,
                time_bucket::debits_effective,
                time_bucket::credits_effective,
                time_bucket::debits_recorded,
                time_bucket::credits_recorded,
            ))
    };
    const { assert!(LEVELS == 7, "each level has its part of the statement") };
    // One statement, because a round trip takes longer than the look-ups.
    let [first, second, third, fourth, fifth, sixth, seventh] = spans.map(buckets);
    let all = first
        .union_all(second)
        .union_all(third)
        .union_all(fourth)
        .union_all(fifth)
        .union_all(sixth)
        .union_all(seventh);
    let found: Vec<Bucket> = store::ask_either!(connection, |either| all.load(either))?;
    let mut sum = DisplacedSum::default();
    found.iter().for_each(|bucket| sum.add(bucket));
    Ok(sum)
}
