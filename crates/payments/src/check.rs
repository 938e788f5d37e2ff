//! The invariants of payments, checked over one snapshot. Tables are read in the order of a key, a page at a
//! time. Tables that belong together are merged like sorted lists.

mod amounts;
mod customers;
mod disputes;
mod histories;
mod orders;
mod posted;
mod recordable;
mod reserves;
mod settled;

use std::collections::HashMap;

use diesel::prelude::*;
use store::{AnyConnection, Error, Pages, TenantId};

use crate::machines;
use crate::schema::{operation, payment, transition};
use crate::tables::PaymentRow;
use crate::{OperationId, OperationState};

pub use amounts::amounts_are_covered;
pub use customers::payments_have_their_customers;
pub use histories::histories_are_legal;
pub use orders::orders_are_whole;
pub use posted::operations_are_posted_once;
pub(crate) use recordable::each_recordable;
pub use settled::settlements_add_up;

/// Number of rows that are read at a time.
const PAGE: i64 = 2_000;

/// Names of the triggers that protect rows of payments from changes (L4).
pub const GUARDS: [&str; 14] = [
    "transition_immutable",
    "transition_kept",
    "provider_charge_immutable",
    "provider_charge_kept",
    "payment_terms_immutable",
    "payment_terms_kept",
    "provider_price_immutable",
    "provider_price_kept",
    "reserve_release_immutable",
    "reserve_release_kept",
    "bank_order_immutable",
    "bank_order_kept",
    "bank_order_transfer_immutable",
    "bank_order_transfer_kept",
];

/// All payments, in id order.
#[must_use]
pub fn payments(tenant: TenantId) -> Pages<PaymentRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&PaymentRow>| {
        let mut query = payment::table
            .filter(payment::tenant_id.eq(tenant))
            .order(payment::id)
            .limit(PAGE)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(payment::id.gt(last.id));
        }
        Ok(query.load(connection)?)
    })
}

/// The keys of the requests that wait for the outcome of an operation of these payments or payouts.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn awaited_keys(
    connection: &mut AnyConnection,
    tenant: TenantId,
    subjects: &[[u8; 16]],
) -> Result<Vec<([u8; 16], String)>, Error> {
    let unfinished = [
        OperationState::Created,
        OperationState::Submitted,
        OperationState::Unknown,
    ];
    let subjects = subjects.iter().map(|id| id.to_vec());
    let rows: Vec<(Vec<u8>, String)> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::subject_id.eq_any(subjects))
        .filter(operation::status.eq_any(unfinished.map(OperationState::name)))
        .select((operation::subject_id, operation::idempotency_key))
        .load(connection)?;
    let rows = rows.into_iter();
    Ok(rows
        .filter_map(|(id, key)| Some((id.try_into().ok()?, key)))
        .collect())
}

/// The keys of the requests that wait for the outcome of these operations.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn awaited_keys_of(
    connection: &mut AnyConnection,
    tenant: TenantId,
    ids: &[OperationId],
) -> Result<Vec<(OperationId, String)>, Error> {
    Ok(operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::id.eq_any(ids))
        .select((operation::id, operation::idempotency_key))
        .load(connection)?)
}

/// The states of the operations with these provider keys, and the money that was taken after they had failed, in minor
/// units. Keys without an operation, and unknown states, are left out.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn states_by_provider_key(
    connection: &mut AnyConnection,
    tenant: TenantId,
    provider_keys: &[String],
) -> Result<HashMap<String, (OperationState, i64)>, Error> {
    let rows: Vec<(String, String, i64)> = operation::table
        .filter(operation::tenant_id.eq(tenant))
        .filter(operation::provider_key.eq_any(provider_keys))
        .select((
            operation::provider_key,
            operation::status,
            operation::unallocated,
        ))
        .load(connection)?;
    let states = rows.into_iter();
    Ok(states
        .filter_map(|(key, status, unallocated)| {
            Some((key, (OperationState::from_name(&status)?, unallocated)))
        })
        .collect())
}

/// An edge of a state machine.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The state before.
    pub from: &'static str,
    /// The state after.
    pub to: &'static str,
    /// True if a history in these books has taken the edge.
    pub is_taken: bool,
}

/// Every edge of the state machine with this name: `payment`, `operation`, `payout`, `approval` or `dispute`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn edges(connection: &mut AnyConnection, machine: &str) -> Result<Vec<Edge>, Error> {
    let taken: Vec<(String, String)> = transition::table
        .filter(transition::machine.eq(machine))
        .select((transition::from_state, transition::to_state))
        .distinct()
        .load(connection)?;
    let edges = machines::edges(machine).into_iter();
    let edges = edges.map(|(from, to)| {
        let same = |(before, after): &(String, String)| before == from && after == to;
        Edge {
            from,
            to,
            is_taken: taken.iter().any(same),
        }
    });
    Ok(edges.collect())
}

fn tick(examined: &mut u64, progress: &mut dyn FnMut(u64)) {
    *examined += 1;
    if examined.is_multiple_of(PAGE.unsigned_abs()) {
        progress(*examined);
    }
}
