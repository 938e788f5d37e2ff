//! R2: what was reconciled adds up.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, tick};
use crate::postings::PostingSet;
use crate::schema::{bank_line, reconciliation_exception, settlement, settlement_line};
use crate::settlement::exception::ExceptionId;
use crate::settlement::{
    BankLineId, LineKind, SettlementLineId, SettlementLineRow, SettlementRow, proof, set_of,
};

/// Lines, gross and fee of a settlement.
type Sums = (i64, i64, i64);

/// R2: each matched line of a report has its posting, with its amounts; each settlement is the sum of its lines; and
/// what is on its way to the bank is what was settled and has not arrived. Returns the number of lines and settlements.
///
/// # Errors
/// [`CheckError::Broken`] names the first line, settlement or currency that breaks this.
pub fn settlements_add_up(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut sums: BTreeMap<(String, String, String), Sums> = BTreeMap::new();
    let mut after = SettlementLineId::from_bytes([0; 16]);
    loop {
        let rows: Vec<SettlementLineRow> = settlement_line::table
            .filter(settlement_line::tenant_id.eq(tenant))
            .filter(settlement_line::id.gt(after))
            .order(settlement_line::id)
            .limit(PAGE)
            .load(connection)
            .map_err(Error::from)?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        lines_are_posted(connection, tenant, &rows)?;
        for row in rows {
            tick(&mut examined, progress);
            if row.settlement.is_empty() || row.status == "ignored" {
                continue;
            }
            let name = (row.provider, row.settlement, row.currency);
            let (lines, gross, fee) = sums.entry(name).or_default();
            *lines = lines.saturating_add(1);
            *gross = gross.saturating_add(row.gross);
            *fee = fee.saturating_add(row.fee);
        }
    }
    let settlements: Vec<SettlementRow> = settlement::table
        .filter(settlement::tenant_id.eq(tenant))
        .load(connection)
        .map_err(Error::from)?;
    for row in settlements {
        tick(&mut examined, progress);
        let name = (row.provider, row.reference, row.currency);
        let found = sums.remove(&name).unwrap_or_default();
        if found != (row.lines, row.gross, row.fee) {
            let (lines, gross, fee) = found;
            let detail = format!("its lines are {lines}, together {gross} with fees of {fee}");
            return Err(CheckError::broken(format!("settlement {}", name.1), detail));
        }
    }
    if let Some((name, _)) = sums.pop_first() {
        return Err(CheckError::broken(
            format!("settlement {}", name.1),
            "it is not there",
        ));
    }
    for (currency, of) in proof(connection, tenant)?.currencies {
        if !of.adds_up() {
            let detail = format!(
                "{} should be on its way to the bank, and the account has {}",
                of.expected_in_transit(),
                of.in_transit
            );
            return Err(CheckError::broken(
                format!("settlements in {currency}"),
                detail,
            ));
        }
    }
    Ok(examined)
}

/// Checks that each matched line has its posting, with its amounts.
fn lines_are_posted(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rows: &[SettlementLineRow],
) -> Result<(), CheckError> {
    let mut names = Vec::new();
    for row in rows.iter().filter(|row| row.status == "matched") {
        let broken = |detail: &str| Err(CheckError::broken(row.id, detail.to_owned()));
        let Some(kind) = LineKind::from_name(&row.kind) else {
            return broken("it has no kind");
        };
        let Some(subject) = &row.subject else {
            return broken("it is matched with nothing");
        };
        let set: PostingSet = set_of(kind);
        names.push((row, set.external_id(subject)));
    }
    let wanted: Vec<String> = names.iter().map(|(_, name)| name.clone()).collect();
    let posted = ledger::check::named(connection, tenant, &wanted)?;
    let by_id: HashMap<_, _> = posted.iter().map(|one| (one.id, one)).collect();
    for (row, name) in names {
        let transaction = row.transaction_id.and_then(|id| by_id.get(&id));
        let is_named = transaction.is_some_and(|one| one.external_id.as_ref() == Some(&name));
        let moved = transaction.map_or(0, |one| {
            let amounts = one.moved.iter().map(|(amount, _)| *amount);
            amounts.fold(0, i64::saturating_add)
        });
        // What comes in is posted less the fee, beside the fee; what goes out is posted whole, and the fee beside it.
        let expected = match row.gross > 0 {
            true => row.gross,
            false => row.gross.saturating_neg().saturating_add(row.fee),
        };
        if !is_named || moved != expected {
            let detail = format!("its posting {name} should move {expected}, and moves {moved}");
            return Err(CheckError::broken(row.id, detail));
        }
    }
    Ok(())
}

/// Calls `look` with the kind and the id of each line of a report or of a statement that was matched, and of each
/// exception.
pub(super) fn each_recordable(
    connection: &mut AnyConnection,
    tenant: TenantId,
    look: &mut dyn FnMut(&'static str, String) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    let mut lines: Pages<SettlementLineId> = Pages::new(tenant, lines_after);
    while let Some(id) = lines.next(connection)? {
        look("settlement_line", id.to_string())?;
    }
    let mut lines: Pages<BankLineId> = Pages::new(tenant, bank_lines_after);
    while let Some(id) = lines.next(connection)? {
        look("bank_line", id.to_string())?;
    }
    let mut exceptions: Pages<ExceptionId> = Pages::new(tenant, exceptions_after);
    while let Some(id) = exceptions.next(connection)? {
        look("exception", id.to_string())?;
    }
    Ok(())
}

fn lines_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&SettlementLineId>,
) -> Result<Vec<SettlementLineId>, Error> {
    let first = SettlementLineId::from_bytes([0; 16]);
    Ok(settlement_line::table
        .filter(settlement_line::tenant_id.eq(tenant))
        .filter(settlement_line::status.eq("matched"))
        .filter(settlement_line::id.gt(after.copied().unwrap_or(first)))
        .order(settlement_line::id)
        .limit(PAGE)
        .select(settlement_line::id)
        .load(connection)?)
}

fn bank_lines_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&BankLineId>,
) -> Result<Vec<BankLineId>, Error> {
    let first = BankLineId::from_bytes([0; 16]);
    Ok(bank_line::table
        .filter(bank_line::tenant_id.eq(tenant))
        .filter(bank_line::status.eq("matched"))
        .filter(bank_line::id.gt(after.copied().unwrap_or(first)))
        .order(bank_line::id)
        .limit(PAGE)
        .select(bank_line::id)
        .load(connection)?)
}

fn exceptions_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&ExceptionId>,
) -> Result<Vec<ExceptionId>, Error> {
    let first = ExceptionId::from_bytes([0; 16]);
    Ok(reconciliation_exception::table
        .filter(reconciliation_exception::tenant_id.eq(tenant))
        .filter(reconciliation_exception::id.gt(after.copied().unwrap_or(first)))
        .order(reconciliation_exception::id)
        .limit(PAGE)
        .select(reconciliation_exception::id)
        .load(connection)?)
}
