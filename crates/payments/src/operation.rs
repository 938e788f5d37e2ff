//! An operation: one request to a provider. The lease under which a worker makes it is that of its errand.

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
    /// When it was made.
    pub created_at: Timestamp,
}

/// Kind of the errand that a charge is: it is due again when its lease runs out, until its outcome is known.
pub const CHARGE: &str = "charge";

impl Operation {
    /// Name of its errand.
    #[must_use]
    pub const fn errand(&self) -> engine::errand::Name {
        (CHARGE, self.id.bytes())
    }

    /// True if its outcome is not known yet.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        match self.state {
            OperationState::Created | OperationState::Submitted | OperationState::Unknown => true,
            OperationState::Succeeded | OperationState::Failed => false,
        }
    }
}
