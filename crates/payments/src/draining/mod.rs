//! Draining: a server in sandbox mode finishes all background work of a tenant now, so that a test need not wait.
//!
//! Work is finished if no errand of the tenant is due, no operation waits for its provider, no parked webhook has its
//! cause, and the sandbox providers have delivered their webhooks. An operation that waits for the payer is not work:
//! only the payer can go on.

mod http;
pub mod show;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use diesel::prelude::*;
use edge::Capability;
use engine::errand::{Errands, of_tenant};
use engine::{Asks, Attempt, Book, Command, Decision};
use store::{AnyConnection, Clock, Error, TenantId};

use crate::bank_orders::BANK_TRANSFER;
use crate::operation::OPERATION;
use crate::{OperationId, PaymentState, known_provider_keys, schema};

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};

/// Greatest number of errands, and of parked references, that are looked at.
const PAGE: i64 = 1_000;

/// Tells the number of webhooks that the played providers have not delivered yet; `None` in live mode.
#[derive(Clone)]
pub struct Deliveries(pub Option<Arc<dyn Fn() -> usize + Send + Sync>>);

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deliveries")
    }
}

/// The background work of a tenant that is not finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Operations that wait for their provider.
    pub operations: Vec<OperationId>,
    /// Number of other errands that are due.
    pub errands: usize,
    /// Number of webhooks that were parked and can be applied, or are not delivered yet.
    pub webhooks: usize,
}

impl Unfinished {
    /// True if there is no work.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads the background work of a tenant, at most a page of each kind.
pub(crate) fn unfinished(
    connection: &mut AnyConnection,
    tenant: TenantId,
    clock: &Clock,
) -> Result<Unfinished, Error> {
    let now = clock.now_of(tenant);
    let mut found = Unfinished::default();
    let mut subjects = Vec::new();
    for (kind, subject, due_at) in of_tenant(connection, tenant, PAGE)? {
        if kind == OPERATION {
            subjects.push(subject);
        } else if kind == BANK_TRANSFER {
            // It waits for a person, who has to make the order.
        } else if due_at <= now {
            found.errands = found.errands.saturating_add(1);
        }
    }
    let waits_for_payer: Vec<Vec<u8>> = schema::operation::table
        .inner_join(
            schema::payment::table.on(schema::payment::tenant_id
                .eq(schema::operation::tenant_id)
                .and(schema::payment::id.eq(schema::operation::subject_id))),
        )
        .filter(schema::operation::tenant_id.eq(tenant))
        .filter(schema::operation::id.eq_any(&subjects))
        .filter(schema::payment::status.eq(PaymentState::RequiresAction.name()))
        .select(schema::operation::id)
        .load(connection)?;
    let waiting = subjects.into_iter();
    let waiting = waiting.filter(|subject| !waits_for_payer.contains(subject));
    let ids = waiting.filter_map(|subject| <[u8; 16]>::try_from(subject).ok());
    found.operations = ids.map(OperationId::from_bytes).collect();
    let awaited = webhooks::tables::awaited(connection, tenant, "", PAGE)?;
    found.webhooks = known_provider_keys(connection, tenant, &awaited)?.len();
    Ok(found)
}

/// Makes operations due that wait for their next inquiry.
#[derive(Debug, Clone)]
pub struct HurryOperations {
    /// The operations.
    pub operations: Vec<OperationId>,
}

impl Command for HurryOperations {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.operations.iter().map(|id| (OPERATION, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.operations.len()
    }

    /// Leaves no audit record: nothing changes but the time at which the provider is asked.
    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let now = book.now();
        let errands = book.shelf_mut::<Errands>().0;
        for id in &self.operations {
            errands.postpone((OPERATION, id.bytes()), now);
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.hurry",
            kind: "operation",
            id: String::new(),
        }
    }
}
