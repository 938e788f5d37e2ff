//! The invariants of payments, of their idempotency keys, and of the events about them.

use std::collections::{BTreeMap, HashMap, HashSet};

use engine::Tenant;
use engine::check::{Family, Invariant, Scope, last_recorded_at};
use engine::keys::LEAST_LIFE_SECONDS;
use idempotency::check::StoredKey;
use store::{AnyConnection, CheckError, TenantId, Timestamp};

use crate::disputes::DisputeId;
use crate::payouts::PayoutId;
use crate::recorded::RecordedIds;
use crate::refunds::key::RefundId;
use crate::{Fact, OperationId, OperationState, PaymentId, check, providers};

/// The family's part of the check.
///
/// | name | rows | read |
/// |---|---|---|
/// | P1, P2 | payments beside their operations; both beside their histories | by id |
/// | P3 | operations, then the transactions of each posting set, each page with its counterparts | by id |
/// | P4 | payments, customers, payment methods, texts of metadata, each page with its counterparts | by id; by key |
/// | R2 | lines of settlement reports, with the transaction of each; settlements; lines of bank statements | by id |
/// | B1 | orders for banks, with the operations of each page; payouts that wait for an order | by id |
/// | I1 | all tenants' keys together; payments, and their keys | by key; by id |
/// | W1 | events, and the operations they name | by key |
pub const FAMILY: Family = Family {
    guards: &check::GUARDS,
    invariants: &[
        Invariant {
            name: "P1",
            rule: "refunded ≤ captured ≤ authorized ≤ amount",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::amounts_are_covered(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "P2",
            rule: "every history is a chain of legal edges",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::histories_are_legal(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "P3",
            rule: "one operation has one posting set",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::operations_are_posted_once(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "P4",
            rule: "a payment has its customer, and is found by its metadata",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::payments_have_their_customers(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "R2",
            rule: "settlements are the sums of their lines, and on their way until they arrive",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::settlements_add_up(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "B1",
            rule: "an order for a bank is the sum of its payouts, each of which is in one order",
            scope: Scope::Tenant(|connection, tenant, progress| {
                check::orders_are_whole(connection, tenant.id, progress)
            }),
        },
        Invariant {
            name: "I1",
            rule: "one effect per idempotency key",
            scope: Scope::Everybody(keys),
        },
        Invariant {
            name: "W1",
            rule: "one effect per provider's event",
            scope: Scope::Tenant(events),
        },
    ],
    recorder: || Box::new(RecordedIds::default()),
};

/// I1: the keys are consistent; within its life, the key of each payment exists, belongs to no other payment, and names
/// this one; each request in flight waits for an operation that will answer it. The books do not tell how long a key
/// lives, so only the least life counts.
fn keys(
    connection: &mut AnyConnection,
    tenants: &[TenantId],
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let examined = idempotency::check::keys_are_answered_or_in_flight(connection, progress)?;
    for tenant in tenants {
        payments_have_their_keys(connection, *tenant).map_err(|broken| broken.of(*tenant))?;
    }
    let mut keys = idempotency::check::keys();
    loop {
        let page = keys.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        let mut waiting: BTreeMap<TenantId, Vec<(String, String)>> = BTreeMap::new();
        for claimed in page.into_iter().filter(StoredKey::is_in_flight) {
            if let Some(made) = claimed.resource {
                let of_tenant = waiting.entry(claimed.tenant).or_default();
                of_tenant.push((made, claimed.key));
            }
        }
        for (tenant, waiting) in waiting {
            operations_will_answer(connection, tenant, &waiting)
                .map_err(|broken| broken.of(tenant))?;
        }
    }
}

/// Checks that each of these requests in flight, named by what it has made and by its key, waits for an operation
/// that will answer its key.
fn operations_will_answer(
    connection: &mut AnyConnection,
    tenant: TenantId,
    waiting: &[(String, String)],
) -> Result<(), CheckError> {
    let of_payments = waiting.iter().filter_map(|(made, _)| made.parse().ok());
    let payments: Vec<PaymentId> = of_payments.collect();
    let of_payouts = waiting.iter().filter_map(|(made, _)| made.parse().ok());
    let payouts: Vec<PayoutId> = of_payouts.collect();
    let of_refunds = waiting.iter().filter_map(|(made, _)| made.parse().ok());
    let refunds: Vec<OperationId> = of_refunds
        .map(|id: RefundId| OperationId::from_bytes(id.bytes()))
        .collect();
    let payments: Vec<[u8; 16]> = payments.iter().map(|id| id.bytes()).collect();
    let payouts: Vec<[u8; 16]> = payouts.iter().map(|id| id.bytes()).collect();
    let of_disputes = waiting.iter().filter_map(|(made, _)| made.parse().ok());
    let disputes: Vec<[u8; 16]> = of_disputes.map(|id: DisputeId| id.bytes()).collect();
    let by_dispute = check::awaited_keys(connection, tenant, &disputes)?.into_iter();
    let by_dispute = by_dispute.map(|(id, key)| (DisputeId::from_bytes(id).to_string(), key));
    let by_payment = check::awaited_keys(connection, tenant, &payments)?.into_iter();
    let by_payment = by_payment.map(|(id, key)| (PaymentId::from_bytes(id).to_string(), key));
    let by_payout = check::awaited_keys(connection, tenant, &payouts)?.into_iter();
    let by_payout = by_payout.map(|(id, key)| (PayoutId::from_bytes(id).to_string(), key));
    let by_refund = check::awaited_keys_of(connection, tenant, &refunds)?.into_iter();
    let by_refund = by_refund.map(|(id, key)| (RefundId::of(id).to_string(), key));
    let answered = by_payment.chain(by_payout).chain(by_refund);
    let answered: HashSet<(String, String)> = answered.chain(by_dispute).collect();
    for request in waiting {
        if !answered.contains(request) {
            let (made, key) = request;
            let detail = format!("it is in flight, and {made} does not answer it");
            return Err(CheckError::broken(format!("key {key:?}"), detail));
        }
    }
    Ok(())
}

fn payments_have_their_keys(
    connection: &mut AnyConnection,
    tenant: TenantId,
) -> Result<(), CheckError> {
    let latest = last_recorded_at(connection, tenant)?;
    let outlives =
        |claimed: Timestamp, at: Timestamp| claimed.plus_seconds(LEAST_LIFE_SECONDS) <= at;
    let mut payments = check::payments(tenant);
    let mut seen: HashMap<String, Timestamp> = HashMap::new();
    loop {
        let mut page = payments.page(connection)?;
        if page.is_empty() {
            return Ok(());
        }
        // A payment that was made without a key has no key to check.
        page.retain(|payment| !payment.idempotency_key.is_empty());
        let keys: Vec<String> = page.iter().map(|row| row.idempotency_key.clone()).collect();
        let made = idempotency::check::resources(connection, tenant, &keys)?;
        for payment in page {
            let (id, key, claimed) = (payment.id, payment.idempotency_key, payment.created_at);
            let claimed = Timestamp::from_micros(claimed);
            match made.get(&key) {
                None if outlives(claimed, latest) => {}
                None => {
                    return Err(CheckError::broken(
                        id,
                        format!("its key {key:?} does not exist"),
                    ));
                }
                Some((Some(other), again))
                    if *other != id.to_string() && !outlives(claimed, *again) =>
                {
                    let detail = format!("its key {key:?} has made {other}");
                    return Err(CheckError::broken(id, detail));
                }
                Some(_) => {}
            }
            let before = seen.insert(key.clone(), claimed);
            if before.is_some_and(|before| !outlives(before, claimed)) {
                let detail = format!("its key {key:?} is another payment's too");
                return Err(CheckError::broken(id, detail));
            }
        }
    }
}

/// W1: the stored bytes are right, and an applied event agrees with the state of its operation.
fn events(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let examined = webhooks::check::bytes_are_as_received(connection, tenant.id, progress)?;
    let mut events = webhooks::check::received(tenant.id);
    loop {
        let page = events.page(connection)?;
        if page.is_empty() {
            return Ok(examined);
        }
        let applied = page
            .into_iter()
            .filter(|row| row.status == webhooks::Status::Applied.name());
        let applied: Vec<_> = applied
            .filter_map(|mut row| Some((row.reference.take()?, row)))
            .collect();
        let references: Vec<String> = applied.iter().map(|(key, _)| key.clone()).collect();
        let states = check::states_by_provider_key(connection, tenant.id, &references)?;
        for (reference, row) in applied {
            let state = states.get(&reference).copied();
            // What the event said is forgotten with its bytes.
            if row.body.as_ref().is_some_and(|body| !fits(state, body)) {
                let state = state.map_or("not there", |(state, _)| state.name());
                let detail = format!("it was applied, and operation {reference} is {state}");
                let name = webhooks::check::name(&row.provider, &row.event_id);
                return Err(CheckError::broken(name, detail));
            }
        }
    }
}

/// True if the state of an operation, and the money that was taken after it had failed, agree with an applied event. A
/// final state never changes again.
fn fits(state: Option<(OperationState, i64)>, body: &[u8]) -> bool {
    let said = providers::event_in_any(body).and_then(|event| event.fact);
    let Some((state, unallocated)) = state else {
        return false;
    };
    match (state, said) {
        (OperationState::Failed, Some((_, Fact::Succeeded { .. }))) => unallocated > 0,
        (OperationState::Succeeded, Some((_, Fact::Failed { .. })))
        | (OperationState::Failed, Some((_, Fact::Returned { .. } | Fact::Disputed(_)))) => false,
        (OperationState::Succeeded | OperationState::Failed, _) => true,
        // What was never sent has no outcome.
        (
            OperationState::Created
            | OperationState::Submitted
            | OperationState::Unknown
            | OperationState::Canceled,
            _,
        ) => false,
    }
}
