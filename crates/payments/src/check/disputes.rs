//! P1 and P3 for disputes: what is blocked of each payment, and the posting sets of each dispute.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use ledger::Kind;
use ledger::check::TransactionReference;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, payments, tick};
use crate::disputes::rows::DisputeRow;
use crate::disputes::{Dispute, DisputeId, DisputeState};
use crate::postings::{self, PostingSet};
use crate::schema::{dispute, operation};
use crate::tables::OperationRow;
use crate::{Operation, OperationKind, OperationState, PaymentId};

/// P1: the disputed amount of each payment is what its disputes block, except those that were won and whose money the
/// merchant has again.
pub(super) fn disputed_amounts_fit(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<(), CheckError> {
    let mut blocked: BTreeMap<PaymentId, i128> = BTreeMap::new();
    let mut disputes = disputes(tenant);
    while let Some(row) = disputes.next(connection)? {
        let dispute = row.read()?;
        if !dispute.is_released {
            *blocked.entry(dispute.payment).or_default() += i128::from(dispute.blocked);
        }
    }
    let mut payments = payments(tenant);
    while let Some(payment) = payments.next(connection)? {
        let made = blocked.remove(&payment.id).unwrap_or_default();
        if i128::from(payment.disputed) != made {
            let stored = payment.disputed;
            let detail = format!("disputed is {stored}, its disputes make it {made}");
            return Err(CheckError::broken(payment.id, detail));
        }
    }
    match blocked.into_keys().next() {
        Some(payment) => Err(CheckError::broken(
            payment,
            "it is disputed, and does not exist",
        )),
        None => Ok(()),
    }
}

/// P3: each dispute has exactly the posting sets that its marks demand, and each transaction of such a kind has its
/// dispute. Its evidence is as far as its operations are.
pub(super) fn disputes_are_posted_once(
    connection: &mut AnyConnection,
    tenant: TenantId,
    examined: &mut u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CheckError> {
    let mut all = disputes(tenant);
    loop {
        let page = all.page(connection)?;
        if page.is_empty() {
            break;
        }
        let page: Vec<Dispute> = page
            .into_iter()
            .map(DisputeRow::read)
            .collect::<Result<_, _>>()?;
        let names = page.iter().flat_map(|dispute| {
            let sets = sets_of(dispute).into_iter();
            sets.map(|set| set.external_id(dispute.id))
        });
        let names: Vec<String> = names.collect();
        let mut posted: HashMap<String, Vec<TransactionReference>> = HashMap::new();
        for transaction in ledger::check::named(connection, tenant, &names)? {
            if let Some(name) = transaction.external_id.clone() {
                posted.entry(name).or_default().push(transaction);
            }
        }
        evidence_was_sent(connection, tenant, &page)?;
        for dispute in &page {
            for set in sets_of(dispute) {
                let currency = dispute.money.currency.code();
                let amounts = set.amounts(dispute).into_iter();
                let asked: Vec<(i64, String)> = amounts
                    .map(|amount| (amount, currency.to_owned()))
                    .collect();
                let found = posted.get(&set.external_id(dispute.id));
                let moved = found.map(Vec::as_slice).unwrap_or_default();
                if !matches!(moved, [only] if only.moved == asked) {
                    let detail = format!("its {} is not posted once, with its amounts", set.kind);
                    return Err(CheckError::broken(dispute.id, detail));
                }
            }
            tick(examined, progress);
        }
    }
    for set in postings::OF_DISPUTES {
        every_set_has_its_dispute(connection, tenant, set, examined, progress)?;
    }
    Ok(())
}

/// The operations of these disputes, each in their order.
fn operations_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    disputes: &[Dispute],
) -> Result<Vec<Operation>, Error> {
    let subjects = disputes.iter().map(|dispute| dispute.id.bytes().to_vec());
    let rows: Vec<OperationRow> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::subject_id.eq_any(subjects))
        .order((operation::subject_id, operation::ordinal))
        .load(connection)?;
    rows.into_iter().map(OperationRow::read).collect()
}

/// Each operation of these disputes has sent evidence, and the marks of the dispute are those of its operations.
fn evidence_was_sent(
    connection: &mut AnyConnection,
    tenant: TenantId,
    disputes: &[Dispute],
) -> Result<(), CheckError> {
    let mut of_disputes: HashMap<DisputeId, Vec<Operation>> = HashMap::new();
    for operation in operations_of(connection, tenant, disputes)? {
        let of_dispute = of_disputes.entry(operation.dispute()).or_default();
        of_dispute.push(operation);
    }
    for dispute in disputes {
        let operations = of_disputes.remove(&dispute.id).unwrap_or_default();
        let last = operations.last();
        let sends = last.filter(|last| last.state != OperationState::Failed);
        let is_taken = sends.is_some_and(|last| last.state == OperationState::Succeeded);
        let is_right = i32::try_from(operations.len()) == Ok(dispute.submissions)
            && operations
                .iter()
                .all(|one| one.kind == OperationKind::Evidence)
            && dispute.submission == sends.map(|last| last.id)
            && dispute.submitted_at.is_some() == is_taken;
        if !is_right {
            let status = dispute.evidence_status().name();
            let detail = format!("its evidence is {status}, its operations say something else");
            return Err(CheckError::broken(dispute.id, detail));
        }
    }
    Ok(())
}

fn every_set_has_its_dispute(
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
    while let Some((id, name)) = transactions.next(connection)? {
        let named = name.as_deref().and_then(|name| name.split_once(':'));
        let dispute = named.and_then(|(dispute, _)| dispute.parse::<DisputeId>().ok());
        let known = match dispute {
            Some(dispute) => by_id(connection, tenant, dispute)?,
            None => None,
        };
        if !known.is_some_and(|dispute| sets_of(&dispute).contains(&set)) {
            return Err(CheckError::broken(id, "it has no dispute as its cause"));
        }
        tick(examined, progress);
    }
    Ok(())
}

/// The sets that a dispute must have in the books.
fn sets_of(dispute: &Dispute) -> Vec<PostingSet> {
    let is_released = dispute.is_released && dispute.state == DisputeState::Won;
    [
        (true, postings::DISPUTE_OPENED),
        (dispute.is_withdrawn, postings::DISPUTE_WITHDRAWN),
        (dispute.is_reinstated, postings::DISPUTE_REINSTATED),
        (is_released, postings::DISPUTE_RELEASED),
    ]
    .into_iter()
    .filter_map(|(is_there, set)| is_there.then_some(set))
    .collect()
}

fn disputes(tenant: TenantId) -> Pages<DisputeRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&DisputeRow>| {
        let first = DisputeId::from_bytes([0; 16]);
        let after = after.map_or(first, |row| row.id);
        Ok(dispute::table
            .filter(dispute::tenant_id.eq(tenant))
            .filter(dispute::id.gt(after))
            .order(dispute::id)
            .limit(PAGE)
            .load(connection)?)
    })
}

fn by_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: DisputeId,
) -> Result<Option<Dispute>, Error> {
    let row: Option<DisputeRow> = dispute::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(DisputeRow::read).transpose()
}
