//! An operation: one request to a provider. The errand of the operation has the lease of the worker that makes
//! the request.

use money::Money;
use store::Timestamp;

use crate::PaymentId;
use crate::state::OperationState;

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
    /// The payment that the operation belongs to.
    pub payment: PaymentId,
    /// Number of the payment's conversation with a provider, from 1.
    pub attempt: i16,
    /// The requested amount.
    pub money: Money,
    /// The state.
    pub state: OperationState,
    /// Name of the provider.
    pub provider: String,
    /// The idempotency key that the provider gets.
    pub provider_key: String,
    /// The provider's reference of the charge, from the first final fact.
    pub provider_ref: Option<String>,
    /// The provider's reason, if it refused the operation.
    pub decline_code: Option<String>,
    /// The payment method: a token of the provider.
    pub payment_method: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Kind of the errand of a charge. The errand is due again when its lease runs out, until the outcome is known.
pub const CHARGE: &str = "charge";

impl Operation {
    /// The name of the operation's errand.
    #[must_use]
    pub const fn errand(&self) -> engine::errand::Name {
        (CHARGE, self.id.bytes())
    }

    /// True if the outcome is not known yet.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        match self.state {
            OperationState::Created | OperationState::Submitted | OperationState::Unknown => true,
            OperationState::Succeeded | OperationState::Failed => false,
        }
    }
}
