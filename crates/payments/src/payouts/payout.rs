//! A payout, as it is stored.

use ledger::{AccountId, Metadata};
use money::Money;
use store::Timestamp;

use super::state::PayoutState;
use crate::approvals::state::ApprovalId;
use crate::customers::CustomerId;
use crate::{Operation, OperationId, OperationKind, OperationState};

store::typed_id!(
    /// A payout's id: `po_…`.
    PayoutId,
    "po"
);

/// Money that leaves for a bank account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// The amount.
    pub money: Money,
    /// The account that pays; `None`: the merchant's available money.
    pub source: Option<AccountId>,
    /// The customer who is paid, if it is one.
    pub customer: Option<CustomerId>,
    /// The destination: a token of the provider for a bank account.
    pub destination: String,
    /// The tenant's own words.
    pub description: Option<String>,
    /// The tenant's metadata.
    pub metadata: Option<Metadata>,
    /// The state.
    pub state: PayoutState,
    /// Name of the provider.
    pub provider: String,
    /// The approval that it needed.
    pub approval: Option<ApprovalId>,
    /// The provider's reason, if it has refused the payout.
    pub decline_code: Option<String>,
    /// True if it came back after it was paid.
    pub is_returned: bool,
    /// Number of operations.
    pub operations: i32,
    /// The key of the request that made it; empty if it had none.
    pub idempotency_key: String,
    /// Number of the present version, from 1.
    pub version: i64,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// The next operation of a payout, which is not submitted yet.
pub(super) fn operation_of(payout: &Payout, id: OperationId, now: Timestamp) -> Operation {
    Operation {
        id,
        subject: payout.id.bytes(),
        ordinal: payout.operations.saturating_add(1),
        attempt: 1,
        kind: OperationKind::Payout,
        source: payout.source,
        money: payout.money,
        reserved: 0,
        fee: 0,
        terms: None,
        delay: None,
        available_on: None,
        unreleased: 0,
        made_available: 0,
        from_pending: 0,
        unallocated: 0,
        allocated: 0,
        given_back: 0,
        gives_back: None,
        state: OperationState::Created,
        provider: payout.provider.clone(),
        provider_key: id.to_string(),
        provider_ref: None,
        charge_ref: None,
        decline_code: None,
        payment_method: payout.destination.clone(),
        reason: None,
        description: None,
        metadata: None,
        idempotency_key: String::new(),
        version: 1,
        created_at: now,
    }
}
