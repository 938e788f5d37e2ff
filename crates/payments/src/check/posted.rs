//! P3: the posting sets of the operations.

use std::collections::HashMap;

use diesel::prelude::*;
use ledger::Kind;
use ledger::check::TransactionReference;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, disputes, reserves, tick};
use crate::postings::{self, PostingSet};
use crate::schema::{operation, provider_charge};
use crate::tables::{OperationRow, ProviderRecordRow};
use crate::{Operation, OperationId};

/// P3: each operation has exactly the posting sets that its kind and its state demand, each once and with its amounts
/// in its currency; and each transaction of such a kind has its operation. A record of a provider belongs to one
/// operation. Returns the number of both.
///
/// # Errors
/// [`CheckError::Broken`] names the first operation or transaction that breaks this.
pub fn operations_are_posted_once(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut all = operations(tenant);
    loop {
        let page = all.page(connection)?;
        if page.is_empty() {
            break;
        }
        let records = records(connection, tenant, &page)?;
        let page = page.into_iter().map(OperationRow::read);
        let page: Vec<Operation> = page.collect::<Result<_, _>>()?;
        let names = page.iter().flat_map(|operation| {
            let sets = postings::sets_of(operation).into_iter();
            sets.map(|set| set.external_id(operation.id))
        });
        let names: Vec<String> = names.collect();
        let mut posted: HashMap<String, Vec<TransactionReference>> = HashMap::new();
        for transaction in ledger::check::named(connection, tenant, &names)? {
            if let Some(name) = transaction.external_id.clone() {
                posted.entry(name).or_default().push(transaction);
            }
        }
        for operation in &page {
            check_record(operation, &records)?;
            for set in postings::sets_of(operation) {
                let name = set.external_id(operation.id);
                check_posted(operation, set, posted.get(&name).map_or(&[], Vec::as_slice))?;
            }
            tick(&mut examined, progress);
        }
    }
    for set in postings::ALL {
        every_set_has_its_operation(connection, tenant, set, &mut examined, progress)?;
    }
    disputes::disputes_are_posted_once(connection, tenant, &mut examined, progress)?;
    reserves::reserves_are_posted_once(connection, tenant, &mut examined, progress)?;
    Ok(examined)
}

/// Checks that each transaction of a kind belongs to an operation that demands it.
fn every_set_has_its_operation(
    connection: &mut AnyConnection,
    tenant: TenantId,
    set: PostingSet,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    let Ok(kind) = Kind::parse(set.kind) else {
        return Ok(());
    };
    let mut transactions = ledger::check::of_kind(tenant, kind);
    loop {
        let page = transactions.page(connection)?;
        if page.is_empty() {
            return Ok(());
        }
        let mut causes = Vec::with_capacity(page.len());
        for (id, name) in page {
            let operation = name.as_deref().and_then(|name| operation_of(name, set));
            let operation = operation
                .ok_or_else(|| CheckError::broken(id, "it names no operation as its cause"))?;
            causes.push((id, operation));
        }
        let ids: Vec<OperationId> = causes.iter().map(|(_, operation)| *operation).collect();
        let known = by_id(connection, tenant, &ids)?;
        for (id, cause) in causes {
            let operation = known.get(&cause);
            if !operation.is_some_and(|known| postings::sets_of(known).contains(&set)) {
                let state = operation.map_or("not there", |known| known.state.name());
                let detail = format!("its operation {cause} is {state}");
                return Err(CheckError::broken(id, detail));
            }
            tick(examined, progress);
        }
    }
}

/// The operation whose transaction has this external id.
fn operation_of(external_id: &str, set: PostingSet) -> Option<OperationId> {
    let (operation, kind) = external_id.split_once(':')?;
    (kind == set.kind).then(|| operation.parse().ok())?
}

fn check_posted(
    operation: &Operation,
    set: PostingSet,
    posted: &[TransactionReference],
) -> Result<(), CheckError> {
    match posted {
        [] => {
            let detail = format!(
                "it is {} and its {} was never posted",
                operation.state.name(),
                set.kind
            );
            Err(CheckError::broken(operation.id, detail))
        }
        [only] => {
            let currency = operation.money.currency.code();
            let amounts = set.amounts(operation).into_iter();
            let asked: Vec<(i64, String)> = amounts
                .map(|amount| (amount, currency.to_owned()))
                .collect();
            if only.moved == asked {
                return Ok(());
            }
            let shown = |moved: &[(i64, String)]| {
                let moved = moved.iter();
                let moved: Vec<String> = moved
                    .map(|(amount, currency)| format!("{amount} {currency}"))
                    .collect();
                moved.join(" and ")
            };
            let detail = format!(
                "it took {}, {} moved {}",
                shown(&asked),
                only.id,
                shown(&only.moved)
            );
            Err(CheckError::broken(operation.id, detail))
        }
        several => {
            let detail = format!("its {} was posted {} times", set.kind, several.len());
            Err(CheckError::broken(operation.id, detail))
        }
    }
}

/// The operations of these records, by provider and reference.
fn records(
    connection: &mut AnyConnection,
    tenant: TenantId,
    operations: &[OperationRow],
) -> Result<HashMap<(String, String), OperationId>, Error> {
    let references = operations
        .iter()
        .filter_map(|row| row.provider_ref.as_deref());
    let references: Vec<&str> = references.collect();
    let rows: Vec<ProviderRecordRow> = provider_charge::table
        .filter(provider_charge::tenant_id.eq(tenant))
        .filter(provider_charge::provider_ref.eq_any(references))
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| ((row.provider, row.provider_ref), row.operation_id))
        .collect())
}

fn check_record(
    operation: &Operation,
    records: &HashMap<(String, String), OperationId>,
) -> Result<(), CheckError> {
    let Some(reference) = operation.provider_ref.clone() else {
        return Ok(());
    };
    match records.get(&(operation.provider.clone(), reference)) {
        Some(of) if *of == operation.id => Ok(()),
        Some(of) => {
            let detail = format!("its record is {of}'s");
            Err(CheckError::broken(operation.id, detail))
        }
        None => Err(CheckError::broken(operation.id, "its record is not kept")),
    }
}

/// All operations, in id order.
fn operations(tenant: TenantId) -> Pages<OperationRow> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&OperationRow>| {
            let mut query = operation::table
                .filter(operation::tenant_id.eq(tenant))
                .order(operation::id)
                .limit(PAGE)
                .into_boxed();
            if let Some(last) = after {
                query = query.filter(operation::id.gt(last.id));
            }
            Ok(query.load(connection)?)
        },
    )
}

fn by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[OperationId],
) -> Result<HashMap<OperationId, Operation>, Error> {
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(ids))
        .load(connection)?;
    let operations = rows.into_iter().map(OperationRow::read);
    operations
        .map(|operation| operation.map(|operation| (operation.id, operation)))
        .collect()
}
