//! L5: the amounts that pending postings hold, and the reversed amounts of final postings, are compared with the
//! later postings that are about them. Transactions are read a page at a time, and with each page all rows that
//! concern its transactions.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, TenantId};

use super::{steps, tick};
use crate::schema::{correction, hold, ledger_transaction, posting};
use crate::tables::{CorrectionRow, HoldRow, PostingRow};
use crate::transaction::{EXCEEDS_FROM, RELEASES_FROM};
use crate::{HoldStatus, Phase, Step, TransactionId};

/// L5: for each pending posting, the amounts held, posted and released agree with the later postings, and so does the
/// way in which it ended. The row of its hold states this; there is no row as long as there is nothing to state. For
/// each final posting, the amount counted as reversed is the sum of its reversals and never more than it moved. An
/// excess is posted only if the posting holds nothing any more. Returns the number of transactions.
///
/// # Errors
/// [`CheckError::Broken`] names the first posting that breaks the rule.
pub fn remainders_add_up(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut transactions = steps(tenant);
    let mut examined = 0_u64;
    let mut after: Option<TransactionId> = None;
    loop {
        let page = transactions.page(connection)?;
        let until = page.last().map(|(id, _)| *id);
        Slice::load(connection, tenant, (after, until), &page)?.check()?;
        if page.is_empty() {
            return Ok(examined);
        }
        for _ in page {
            tick(&mut examined, progress);
        }
        after = until;
    }
}

type Key = (TransactionId, i16);
/// Transactions after the first id, up to and including the second id.
type Range = (Option<TransactionId>, Option<TransactionId>);
/// The transaction that a posting is about, the step of its own transaction, and the posting.
type Later = (Option<TransactionId>, i16, PostingRow);

/// All rows that concern the transactions of one page.
struct Slice {
    /// The postings that holds, corrections or later postings refer to.
    postings: BTreeMap<Key, PostingRow>,
    /// The time of expiry of those pending transactions that have one.
    expiring: BTreeMap<TransactionId, i64>,
    holds: BTreeMap<Key, HoldRow>,
    corrections: BTreeMap<Key, CorrectionRow>,
    later: Vec<Later>,
}

/// What later postings did to one posting.
#[derive(Default)]
struct LaterSums {
    fulfilled: i128,
    released: i128,
    voided: bool,
    expired: bool,
    reversed: i128,
    exceeded: bool,
}

macro_rules! within {
    ($query:expr, $range:expr, $column:expr) => {{
        let (after, until): Range = $range;
        let mut query = $query.into_boxed();
        if let Some(after) = after {
            query = query.filter($column.gt(after));
        }
        if let Some(until) = until {
            query = query.filter($column.le(until));
        }
        query
    }};
}

impl Slice {
    fn load(
        connection: &mut AnyConnection,
        tenant: TenantId,
        range: Range,
        page: &[(TransactionId, i16)],
    ) -> Result<Self, Error> {
        let holds: Vec<HoldRow> = within!(
            hold::table.filter(hold::tenant_id.eq(tenant)),
            range,
            hold::transaction_id
        )
        .select((
            hold::tenant_id,
            hold::transaction_id,
            hold::ordinal,
            hold::amount,
            hold::posted,
            hold::released,
            hold::status,
            hold::expires_at,
        ))
        .load(connection)?;
        let corrections: Vec<CorrectionRow> = within!(
            correction::table.filter(correction::tenant_id.eq(tenant)),
            range,
            correction::transaction_id
        )
        .load(connection)?;
        let later: Vec<Later> = within!(
            ledger_transaction::table
                .inner_join(
                    posting::table.on(posting::tenant_id
                        .eq(ledger_transaction::tenant_id)
                        .and(posting::transaction_id.eq(ledger_transaction::id))),
                )
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .filter(ledger_transaction::about.is_not_null())
                .select((
                    ledger_transaction::about,
                    ledger_transaction::step,
                    posting::all_columns,
                )),
            range,
            ledger_transaction::about
        )
        .load(connection)?;
        let pending = page
            .iter()
            .filter(|(_, step)| *step == Step::Pending.number())
            .map(|(id, _)| *id);
        let mut named: BTreeSet<TransactionId> = pending.collect();
        let expiring: Vec<(TransactionId, Option<i64>)> = if named.is_empty() {
            Vec::new()
        } else {
            ledger_transaction::table
                .filter(ledger_transaction::tenant_id.eq(tenant))
                .filter(ledger_transaction::id.eq_any(&named))
                .select((ledger_transaction::id, ledger_transaction::expires_at))
                .load(connection)?
        };
        named.extend(corrections.iter().map(|row| row.transaction_id));
        named.extend(later.iter().filter_map(|(about, ..)| *about));
        let postings: Vec<PostingRow> = if named.is_empty() {
            Vec::new()
        } else {
            posting::table
                .filter(posting::tenant_id.eq(tenant))
                .filter(posting::transaction_id.eq_any(named))
                .load(connection)?
        };
        Ok(Self {
            postings: by_key(postings, |row| (row.transaction_id, row.ordinal)),
            expiring: expiring
                .into_iter()
                .filter_map(|(id, at)| Some((id, at?)))
                .collect(),
            holds: by_key(holds, |row| (row.transaction_id, row.ordinal)),
            corrections: by_key(corrections, |row| (row.transaction_id, row.ordinal)),
            later,
        })
    }

    fn check(&self) -> Result<(), CheckError> {
        let came = self.came()?;
        let nothing = LaterSums::default();
        for (key, posting) in &self.postings {
            let came = came.get(key).unwrap_or(&nothing);
            if posting.phase == Phase::Pending.number() {
                let expires_at = self.expiring.get(&posting.transaction_id).copied();
                check_hold(posting, expires_at, self.holds.get(key), came)?;
            } else if came.reversed > 0 || self.corrections.contains_key(key) {
                check_correction(posting, self.corrections.get(key), came)?;
            }
        }
        let is_there = |key: &&Key, pending: bool| {
            let posting = self.postings.get(*key);
            posting.is_some_and(|row| (row.phase == Phase::Pending.number()) == pending)
        };
        if let Some((id, ordinal)) = self.holds.keys().find(|key| !is_there(key, true)) {
            return Err(broken(
                *id,
                *ordinal,
                "there is a hold, and nothing is pending",
            ));
        }
        if let Some((id, ordinal)) = self.corrections.keys().find(|key| !is_there(key, false)) {
            return Err(broken(
                *id,
                *ordinal,
                "it is corrected, and nothing is posted",
            ));
        }
        Ok(())
    }

    /// What the later postings did to the postings that they are about.
    fn came(&self) -> Result<BTreeMap<Key, LaterSums>, CheckError> {
        let mut sums: BTreeMap<Key, LaterSums> = BTreeMap::new();
        for (about, step, later) in &self.later {
            let Some(about) = *about else { continue };
            let (step, phase) = (Step::from_number(*step), Phase::from_number(later.phase));
            let exceeds = step == Some(Step::Fulfilment) && phase == Some(Phase::Posted);
            let ordinal = if phase == Some(Phase::Released) {
                later.ordinal.saturating_sub(RELEASES_FROM)
            } else if exceeds {
                later.ordinal.saturating_sub(EXCEEDS_FROM)
            } else {
                later.ordinal
            };
            let key = (about, ordinal);
            if !self
                .postings
                .get(&key)
                .is_some_and(|first| fits(first, later, step))
            {
                let detail =
                    format!("it is about posting {ordinal} of {about}, which is no such one");
                return Err(broken(later.transaction_id, later.ordinal, &detail));
            }
            let sum = sums.entry(key).or_default();
            let amount = i128::from(later.amount);
            match phase {
                Some(Phase::Fulfilled) => sum.fulfilled += amount,
                Some(Phase::Released) => sum.released += amount,
                Some(Phase::Posted) if exceeds => sum.exceeded = true,
                Some(Phase::Posted) => sum.reversed += amount,
                // L1 finds such postings.
                Some(Phase::Pending) | None => {}
            }
            sum.voided |= step == Some(Step::Void);
            sum.expired |= step == Some(Step::Expiry);
        }
        Ok(sums)
    }
}

/// Whether `later` can be about `first`: it has the same currency and the same accounts, which are swapped in a
/// reversal. A reversal is about a final posting, any other step about a pending one.
fn fits(first: &PostingRow, later: &PostingRow, step: Option<Step>) -> bool {
    let is_pending = first.phase == Phase::Pending.number();
    let is_final =
        first.phase == Phase::Posted.number() || first.phase == Phase::Fulfilled.number();
    let accounts = (first.debit_account, first.credit_account);
    let fits = if step == Some(Step::Reversal) {
        is_final && accounts == (later.credit_account, later.debit_account)
    } else {
        is_pending && accounts == (later.debit_account, later.credit_account)
    };
    fits && first.currency == later.currency
}

fn check_hold(
    posting: &PostingRow,
    expires_at: Option<i64>,
    hold: Option<&HoldRow>,
    came: &LaterSums,
) -> Result<(), CheckError> {
    let broken = |detail: &str| Err(broken(posting.transaction_id, posting.ordinal, detail));
    let is_touched = came.fulfilled > 0 || came.released > 0 || came.exceeded;
    let Some(hold) = hold else {
        return if is_touched || expires_at.is_some() {
            broken("it is pending, and nothing states what of it is held")
        } else {
            Ok(())
        };
    };
    if hold.expires_at != expires_at {
        return broken("its hold expires at another time than its transaction");
    }
    if !is_touched && expires_at.is_none() {
        return broken("it has a hold that states nothing");
    }
    if hold.amount != posting.amount {
        return broken(&format!(
            "{} is held, it moves {}",
            hold.amount, posting.amount
        ));
    }
    let (posted, released) = (i128::from(hold.posted), i128::from(hold.released));
    if (posted, released) != (came.fulfilled, came.released) {
        return broken(&format!(
            "its hold states {posted} posted and {released} released, its postings make {} and {}",
            came.fulfilled, came.released
        ));
    }
    if came.exceeded && posted + released < i128::from(hold.amount) {
        return broken("more than it holds was posted, and it still holds something");
    }
    let status = if posted + released < i128::from(hold.amount) {
        HoldStatus::Pending
    } else if came.expired {
        HoldStatus::Expired
    } else if came.voided {
        HoldStatus::Voided
    } else {
        HoldStatus::Posted
    };
    if posted + released > i128::from(hold.amount) || hold.status != status.number() {
        let stated = HoldStatus::from_number(hold.status).map_or("nothing", HoldStatus::name);
        return broken(&format!(
            "its hold is {stated}, its postings make it {status}"
        ));
    }
    Ok(())
}

fn check_correction(
    posting: &PostingRow,
    correction: Option<&CorrectionRow>,
    came: &LaterSums,
) -> Result<(), CheckError> {
    let broken = |detail: &str| Err(broken(posting.transaction_id, posting.ordinal, detail));
    let stated = correction.map_or(0, |row| i128::from(row.reversed));
    if stated != came.reversed {
        let detail = format!(
            "{stated} counts as reversed, its reversals make {}",
            came.reversed
        );
        return broken(&detail);
    }
    if came.reversed > i128::from(posting.amount) {
        return broken(&format!("{stated} is reversed of {}", posting.amount));
    }
    match correction {
        Some(row) if row.amount != posting.amount => broken(&format!(
            "{} can be reversed, it moves {}",
            row.amount, posting.amount
        )),
        Some(_) | None => Ok(()),
    }
}

fn by_key<R>(rows: Vec<R>, key: impl Fn(&R) -> Key) -> BTreeMap<Key, R> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn broken(transaction: TransactionId, ordinal: i16, detail: &str) -> CheckError {
    CheckError::broken(format!("{transaction} posting {ordinal}"), detail)
}
