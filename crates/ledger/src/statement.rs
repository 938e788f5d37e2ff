//! Statements: the entries that moved the posted balance of an account within a span of time, with the balance
//! before the span, at its end, and after each entry.
//!
//! By the recording time, entries are listed in the order of their numbers. By the effective time, they are listed in
//! the order of that time, and entries of the same moment in the order of their numbers. The displaced entries have
//! an index of this order. They are merged with the other entries, for which the order of recording is the order of
//! effective times. For these others, a page walks over the entries that were recorded within its own stretch of
//! time. Displaced or pending entries there are skipped one by one, at most [`MAX_READ`] a page. So a page may be
//! shorter than its limit, or empty, and still say where the next page begins.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use money::MinorUnits;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::as_of::{By, balance_after, last_by, probed};
use crate::schema::{displaced, ledger_transaction, posting};
use crate::tables::{CreditAt, DebitAt, PostingRow, TransactionById};
use crate::{Account, AccountId, MAX_READ, NormalSide, Phase, Side, TransactionId};

/// The span of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment of the span.
    pub from: Timestamp,
    /// The first moment after the span.
    pub to: Timestamp,
    /// Which of the two times of a transaction counts.
    pub by: By,
}

/// An entry that moved the posted balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number of the entry on the account, from 1.
    pub version: i64,
    /// Debit or credit.
    pub side: Side,
    /// Final at once, or the fulfilment of a hold.
    pub phase: Phase,
    /// Amount in minor units, positive.
    pub amount: i64,
    /// The balance after the entry, in the order of the statement.
    pub balance: MinorUnits,
    /// The transaction of the entry.
    pub transaction: TransactionId,
    /// The effective time: when the transaction happened.
    pub effective_at: Timestamp,
    /// The time at which the transaction was recorded.
    pub recorded_at: Timestamp,
}

/// The line after which a page of a statement begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The time of the line.
    pub at: Timestamp,
    /// The number of its entry on the account.
    pub version: i64,
    /// The balance after the line.
    pub balance: MinorUnits,
}

/// A page of an account's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The balance before the span.
    pub opening: MinorUnits,
    /// The balance at the end of the span.
    pub closing: MinorUnits,
    /// The lines, oldest first.
    pub lines: Vec<Line>,
    /// The position after which the next page begins; `None` on the last page.
    pub next: Option<Position>,
}

impl Line {
    /// The position of a page that begins after this line.
    #[must_use]
    pub const fn position(&self, by: By) -> Position {
        Position {
            at: match by {
                By::Recorded => self.recorded_at,
                By::Effective => self.effective_at,
            },
            version: self.version,
            balance: self.balance,
        }
    }

    const fn moves(&self, normal_side: NormalSide) -> i64 {
        match (self.side, normal_side) {
            (Side::Debit, NormalSide::Debit) | (Side::Credit, NormalSide::Credit) => self.amount,
            (Side::Debit, NormalSide::Credit) | (Side::Credit, NormalSide::Debit) => {
                self.amount.saturating_neg()
            }
        }
    }
}

/// The lines of a span after a position, at most `limit`. `account` must come from the same snapshot.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn statement(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    span: Span,
    after: Option<Position>,
    limit: i64,
) -> Result<Statement, Error> {
    let before = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_sub(1));
    let (start, end) = (before(span.from), before(span.to.max(span.from)));
    let (first, opening) = last_by(connection, tenant, account, start)?;
    let opening = balance_after(connection, tenant, account, opening, (start, span.by))?;
    let (last, closing) = last_by(connection, tenant, account, end)?;
    let closing = balance_after(connection, tenant, account, closing, (end, span.by))?;
    // One line more than is shown tells whether there is a next page.
    let more = limit.saturating_add(1);
    let (mut lines, mut next) = match span.by {
        By::Recorded => {
            let first = after.map_or(first, |after| after.version.max(first));
            let range = Range::after(first, last, more);
            let lines = entries(connection, tenant, account.id, range, EntryFilter::Final)?;
            // In this order only the number is needed to go on.
            let next = (range.last < last).then_some(Position {
                at: span.from,
                version: range.last,
                balance: opening,
            });
            (lines, next)
        }
        By::Effective => happened(
            connection,
            tenant,
            account,
            (span, after),
            (first, last),
            more,
        )?,
    };
    let mut balance = after.map_or(opening, |after| after.balance);
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let goes_on = lines.len() > shown;
    lines.truncate(shown);
    if span.by == By::Effective {
        for line in &mut lines {
            let units = balance
                .get()
                .saturating_add(line.moves(account.normal_side));
            balance = MinorUnits::new(units);
            line.balance = balance;
        }
        next = next.map(|next| Position { balance, ..next });
    }
    if goes_on {
        next = lines.last().map(|line| line.position(span.by));
    }
    Ok(Statement {
        opening,
        closing,
        lines,
        next,
    })
}

/// The lines of a span in the order of effective times, and the position to go on from if they were not read to
/// the end. The balances after the lines are not computed here.
fn happened(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    (span, after): (Span, Option<Position>),
    (first, last): (i64, i64),
    limit: i64,
) -> Result<(Vec<Line>, Option<Position>), Error> {
    let first = match after {
        Some(after) => in_place_by(connection, tenant, account, after)?.max(first),
        None => first,
    };
    let after = after.map(|after| (after.at, after.version));
    let moved = displaced_within(connection, tenant, account.id, span, after, limit)?;
    // If displaced entries alone fill the page, no entry that was recorded after the last of them is on this page.
    let last = match moved.last() {
        Some((at, _)) if i64::try_from(moved.len()) == Ok(limit) => {
            let until = Timestamp::from_micros(*at);
            last_by(connection, tenant, account, until)?.0.min(last)
        }
        Some(_) | None => last,
    };
    let range = Range::after(first, last, limit);
    let mut lines = entries(connection, tenant, account.id, range, EntryFilter::InPlace)?;
    let versions: Vec<i64> = moved.into_iter().map(|(_, version)| version).collect();
    lines.extend(numbered(connection, tenant, account.id, &versions)?);
    lines.sort_unstable_by_key(|line| (line.effective_at, line.version));
    if range.last == last {
        return Ok((lines, None));
    }
    // Displaced lines after the last entry that was read are left to the next page, because entries between them may
    // not have been read.
    let (at, balance) = probed(connection, tenant, account.id, range.last)?;
    let end = (at, range.last);
    lines.retain(|line| (line.effective_at, line.version) <= end);
    let version = range.last;
    let next = Position {
        at,
        version,
        balance,
    };
    Ok((lines, Some(next)))
}

/// The number up to which entries that are not displaced stand before or at a position. Of the entries that were
/// recorded at the position's moment, only those with numbers up to the position's number count.
fn in_place_by(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: &Account,
    position: Position,
) -> Result<i64, Error> {
    let before = Timestamp::from_micros(position.at.micros().saturating_sub(1));
    let (earlier, _) = last_by(connection, tenant, account, before)?;
    if position.version <= earlier {
        return Ok(earlier);
    }
    let (then, _) = last_by(connection, tenant, account, position.at)?;
    Ok(position.version.min(then))
}

/// Entries with numbers after `first`, up to `last`, at most `limit`.
#[derive(Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
    limit: i64,
}

impl Range {
    /// The entries that may be read for one page, not beyond `last`.
    fn after(first: i64, last: i64, limit: i64) -> Self {
        let most = i64::try_from(MAX_READ).unwrap_or(i64::MAX);
        Self {
            first,
            last: first.saturating_add(most).min(last),
            limit,
        }
    }
}

#[derive(Clone, Copy)]
enum EntryFilter {
    /// All entries that moved the posted balance.
    Final,
    /// Only the entries among these that are not displaced.
    InPlace,
}

type Row = (i64, i16, i64, i64, TransactionId, i64, i64);

fn line(side: Side, row: Row) -> Result<Line, Error> {
    let (version, phase, amount, balance, transaction, effective_at, recorded_at) = row;
    let bad = || Error::Refused(format!("posting of {transaction}: bad phase"));
    Ok(Line {
        version,
        side,
        phase: Phase::from_number(phase).ok_or_else(bad)?,
        amount,
        balance: MinorUnits::new(balance),
        transaction,
        effective_at: Timestamp::from_micros(effective_at),
        recorded_at: Timestamp::from_micros(recorded_at),
    })
}

/// The final entries of one side, with the times of their transactions.
macro_rules! one_side {
    ($tenant:expr, $account:expr, $account_column:ident, $version:ident, $balance:ident) => {
        posting::table
            .inner_join(
                ledger_transaction::table.on(ledger_transaction::tenant_id
                    .eq(posting::tenant_id)
                    .and(ledger_transaction::id.eq(posting::transaction_id))),
            )
            .filter(posting::tenant_id.eq($tenant))
            .filter(posting::$account_column.eq($account))
            .filter(posting::phase.eq_any([Phase::Posted.number(), Phase::Fulfilled.number()]))
            .select((
                posting::$version,
                posting::phase,
                posting::amount,
                posting::$balance,
                posting::transaction_id,
                ledger_transaction::effective_at,
                ledger_transaction::recorded_at,
            ))
    };
}

macro_rules! within_range {
    ($query:expr, $version:ident, $range:expr, $wanted:expr, $connection:expr) => {{
        let mut query = $query
            .filter(posting::$version.gt($range.first))
            .filter(posting::$version.le($range.last))
            .order(posting::$version)
            .limit($range.limit)
            .into_boxed();
        match $wanted {
            EntryFilter::Final => {}
            EntryFilter::InPlace => {
                let is_in_place =
                    ledger_transaction::effective_at.eq(ledger_transaction::recorded_at);
                query = query.filter(is_in_place);
            }
        }
        query.load::<Row>($connection)?
    }};
}

/// Each side is read by its own index, then both are put into one list.
fn entries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    range: Range,
    wanted: EntryFilter,
) -> Result<Vec<Line>, Error> {
    let debits = within_range!(
        one_side!(tenant, account, debit_account, debit_version, debit_balance),
        debit_version,
        range,
        wanted,
        connection
    );
    let credits = within_range!(
        one_side!(
            tenant,
            account,
            credit_account,
            credit_version,
            credit_balance
        ),
        credit_version,
        range,
        wanted,
        connection
    );
    let mut lines = both(debits, credits)?;
    lines.truncate(usize::try_from(range.limit).unwrap_or(usize::MAX));
    Ok(lines)
}

/// The entries with these numbers, each looked up on its own.
fn numbered(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    versions: &[i64],
) -> Result<Vec<Line>, Error> {
    let debits = versions.iter().map(|version| DebitAt {
        debit_account: account,
        debit_version: *version,
    });
    let credits = versions.iter().map(|version| CreditAt {
        credit_account: account,
        credit_version: *version,
    });
    let (debits, credits): (Vec<_>, Vec<_>) = (debits.collect(), credits.collect());
    let debits = DebitAt::find(connection, Lock::Nothing, tenant, &debits)?;
    let credits = CreditAt::find(connection, Lock::Nothing, tenant, &credits)?;
    let of = debits.iter().chain(&credits).map(|row| row.transaction_id);
    let of: BTreeSet<TransactionId> = of.collect();
    let of: Vec<_> = of.into_iter().map(|id| TransactionById { id }).collect();
    let found = TransactionById::find(connection, Lock::Nothing, tenant, &of)?;
    let times: HashMap<TransactionId, (i64, i64)> = found
        .into_iter()
        .map(|row| (row.id, (row.effective_at, row.recorded_at)))
        .collect();
    let timed = |row: &PostingRow, version, balance| -> Option<Row> {
        let (effective_at, recorded_at) = times.get(&row.transaction_id).copied()?;
        let (phase, amount, transaction) = (row.phase, row.amount, row.transaction_id);
        Some((
            version,
            phase,
            amount,
            balance,
            transaction,
            effective_at,
            recorded_at,
        ))
    };
    let debits = debits
        .iter()
        .filter_map(|row| timed(row, row.debit_version, row.debit_balance));
    let credits = credits
        .iter()
        .filter_map(|row| timed(row, row.credit_version, row.credit_balance));
    both(debits.collect(), credits.collect())
}

fn both(debits: Vec<Row>, credits: Vec<Row>) -> Result<Vec<Line>, Error> {
    let debits = debits.into_iter().map(|row| line(Side::Debit, row));
    let credits = credits.into_iter().map(|row| line(Side::Credit, row));
    let mut lines: Vec<Line> = debits.chain(credits).collect::<Result<_, _>>()?;
    lines.sort_unstable_by_key(|line| line.version);
    Ok(lines)
}

/// The displaced entries that happened within the span: effective times and numbers.
fn displaced_within(
    connection: &mut AnyConnection,
    tenant: TenantId,
    account: AccountId,
    span: Span,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<(i64, i64)>, Error> {
    let own = || {
        displaced::table
            .filter(displaced::tenant_id.eq(tenant))
            .filter(displaced::account_id.eq(account))
            .select((displaced::effective_at, displaced::version))
    };
    // First the entries of the position's own moment are read, in the order of their numbers, because there may be
    // many of them. Then the later ones are read.
    let mut found: Vec<(i64, i64)> = Vec::new();
    let mut from = span.from.micros();
    if let Some((at, version)) = after.filter(|(at, _)| *at >= span.from && *at < span.to) {
        found = own()
            .filter(displaced::effective_at.eq(at.micros()))
            .filter(displaced::version.gt(version))
            .order(displaced::version)
            .limit(limit)
            .load(connection)?;
        from = at.micros().saturating_add(1);
    }
    let left = limit.saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
    if left > 0 {
        let later: Vec<(i64, i64)> = own()
            .filter(displaced::effective_at.ge(from))
            .filter(displaced::effective_at.lt(span.to.micros()))
            .order((displaced::effective_at, displaced::version))
            .limit(left)
            .load(connection)?;
        found.extend(later);
    }
    Ok(found)
}
