//! An operation: one request to a provider, and the lease under which a worker makes it.

use money::Money;
use store::Timestamp;

use crate::state::OperationState;
use crate::{PaymentId, Shelf};

store::typed_id!(
    /// An operation's id: `op_…`.
    OperationId,
    "op"
);

/// One request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The payment it serves.
    pub payment: PaymentId,
    /// The payment's first, second … conversation with a provider.
    pub attempt: i16,
    /// How much is asked for.
    pub money: Money,
    /// How far it has come.
    pub state: OperationState,
    /// Whom it goes to.
    pub provider: String,
    /// The provider's idempotency key for it.
    pub provider_key: String,
    /// The provider's name for the charge it made, by the first final fact.
    pub provider_ref: Option<String>,
    /// Why the provider refused it, if it did.
    pub decline_code: Option<String>,
    /// The provider's token for how the payer pays.
    pub payment_method: String,
    /// Grows with every lease: only the newest holder may record an outcome.
    pub lease_epoch: i32,
    /// When another worker may take over.
    pub leased_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Takes over every loaded operation whose lease has run out, and returns them as now leased.
pub fn lease(shelf: &mut Shelf, now: Timestamp, lease_millis: i64) -> Vec<Operation> {
    let mut taken = Vec::new();
    for mut operation in shelf.operations() {
        let unfinished = match operation.state {
            OperationState::Created | OperationState::Submitted | OperationState::Unknown => true,
            OperationState::Succeeded | OperationState::Failed => false,
        };
        if unfinished && operation.leased_until <= now {
            operation.lease_epoch = operation.lease_epoch.saturating_add(1);
            operation.leased_until = now.plus_millis(lease_millis);
            shelf.put_operation(operation.clone());
            taken.push(operation);
        }
    }
    taken
}
