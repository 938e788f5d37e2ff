//! An operation: one request to a provider. The errand of the operation has the lease of the worker that makes
//! the request.

use ledger::{AccountId, Metadata};
use money::Money;
use store::Timestamp;

use crate::PaymentId;
use crate::disputes::dispute::DisputeId;
use crate::payouts::payout::PayoutId;
use crate::state::OperationState;
use crate::terms::Delay;

store::typed_id!(
    /// An operation's id: `op_…`.
    OperationId,
    "op"
);

/// What an operation asks the provider to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// To take the money at once.
    Charge,
    /// To reserve the money at the payer's bank.
    Authorize,
    /// To take authorized money, or a part of it.
    Capture,
    /// To release what is left of an authorization.
    Void,
    /// To authorize a further amount.
    Increment,
    /// To give captured money back to the payer.
    Refund,
    /// Nothing: the provider reports that a refund came back after it had succeeded.
    RefundReturn,
    /// To pay money out to a bank account.
    Payout,
    /// Nothing: the provider reports that a payout came back after it had succeeded.
    PayoutReturn,
    /// To take the merchant's evidence for a dispute. No money is moved.
    Evidence,
}

/// The kind of thing that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationOwner {
    /// A payment.
    Payment,
    /// A payout.
    Payout,
    /// A dispute.
    Dispute,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Charge,
        Self::Authorize,
        Self::Capture,
        Self::Void,
        Self::Increment,
        Self::Refund,
        Self::RefundReturn,
        Self::Payout,
        Self::PayoutReturn,
        Self::Evidence,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Increment => "increment",
            Self::Refund => "refund",
            Self::RefundReturn => "refund_return",
            Self::Payout => "payout",
            Self::PayoutReturn => "payout_return",
            Self::Evidence => "evidence",
        }
    }

    /// The kind with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True for the operations with which an attempt begins. Their records are the charges that all other
    /// operations are about.
    #[must_use]
    pub const fn begins_attempt(self) -> bool {
        match self {
            Self::Charge | Self::Authorize => true,
            Self::Capture
            | Self::Void
            | Self::Increment
            | Self::Refund
            | Self::RefundReturn
            | Self::Payout
            | Self::PayoutReturn
            | Self::Evidence => false,
        }
    }

    /// True for the operations that take money from the payer.
    #[must_use]
    pub const fn takes_money(self) -> bool {
        match self {
            Self::Charge | Self::Capture => true,
            Self::Authorize
            | Self::Void
            | Self::Increment
            | Self::Refund
            | Self::RefundReturn
            | Self::Payout
            | Self::PayoutReturn
            | Self::Evidence => false,
        }
    }

    /// The kind of thing that operations of this kind belong to.
    #[must_use]
    pub const fn owner(self) -> OperationOwner {
        match self {
            Self::Payout | Self::PayoutReturn => OperationOwner::Payout,
            Self::Evidence => OperationOwner::Dispute,
            Self::Charge
            | Self::Authorize
            | Self::Capture
            | Self::Void
            | Self::Increment
            | Self::Refund
            | Self::RefundReturn => OperationOwner::Payment,
        }
    }

    /// True for the operations of payouts.
    #[must_use]
    pub const fn is_of_payout(self) -> bool {
        match self.owner() {
            OperationOwner::Payout => true,
            OperationOwner::Payment | OperationOwner::Dispute => false,
        }
    }
}

/// One request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The id of the payment, the payout or the dispute that the operation belongs to.
    pub subject: [u8; 16],
    /// Number of the operation among those of its subject, from 1.
    pub ordinal: i32,
    /// Number of the payment's conversation with a provider, from 1.
    pub attempt: i32,
    /// What the provider is asked to do.
    pub kind: OperationKind,
    /// The account that a payout is paid from; `None`: the merchant's available money.
    pub source: Option<AccountId>,
    /// The requested amount.
    pub money: Money,
    /// The part of the authorization that the operation has taken, in minor units. It is at least the amount of a
    /// capture or a void, and 0 for every other kind. If the operation fails, the part is given back.
    pub reserved: i64,
    /// The fee for a capture, in minor units; 0 for every other kind.
    pub fee: i64,
    /// The version of the terms that the fee and the delay are from.
    pub terms: Option<i32>,
    /// When captured money is available; `None` if nothing is captured.
    pub delay: Option<Delay>,
    /// The day on which the unreleased money is available, in days since 1970.
    pub available_on: Option<i32>,
    /// The money of the operation that is pending for the merchant until that day, in minor units.
    pub unreleased: i64,
    /// The money of the operation that was made available to the merchant, in minor units.
    pub made_available: i64,
    /// The part of a refund that was taken from pending money; the rest is taken from available money.
    pub from_pending: i64,
    /// The money that the provider has taken although the operation had failed, in minor units. It is 0, or the amount.
    pub unallocated: i64,
    /// The part of it that the merchant got, in minor units. It is 0, or all of it.
    pub allocated: i64,
    /// The part of it that goes back to the payer, in minor units, refunds without an outcome among it.
    pub given_back: i64,
    /// The operation whose late money a refund gives back; `None` if it gives back captured money.
    pub gives_back: Option<OperationId>,
    /// The state.
    pub state: OperationState,
    /// Name of the provider.
    pub provider: String,
    /// The idempotency key that the provider gets.
    pub provider_key: String,
    /// The provider's reference of its record, from the first final fact.
    pub provider_ref: Option<String>,
    /// The provider's reference of the charge or the dispute that the operation is about; `None` if it begins an
    /// attempt.
    pub charge_ref: Option<String>,
    /// The provider's reason, if it refused the operation.
    pub decline_code: Option<String>,
    /// The payment method, or the destination of a payout: a token of the provider. Empty for evidence.
    pub payment_method: String,
    /// The merchant's reason for a refund.
    pub reason: Option<String>,
    /// The merchant's own words about a refund.
    pub description: Option<String>,
    /// The metadata of a refund.
    pub metadata: Option<Metadata>,
    /// The key of the request that has submitted the operation; empty if there is none. The reply to the request
    /// waits for the outcome.
    pub idempotency_key: String,
    /// Number of the present version, from 1. Each change makes the next one.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Kind of the errand of an operation. The errand is due again when its lease runs out, until the outcome is known.
pub const OPERATION: &str = "operation";

impl Operation {
    /// The payment that the operation belongs to. No payment has the id if it belongs to something else.
    #[must_use]
    pub const fn payment(&self) -> PaymentId {
        PaymentId::from_bytes(self.subject)
    }

    /// The payout that the operation belongs to. No payout has the id if it belongs to something else.
    #[must_use]
    pub const fn payout(&self) -> PayoutId {
        PayoutId::from_bytes(self.subject)
    }

    /// The dispute that the operation belongs to. No dispute has the id if it belongs to something else.
    #[must_use]
    pub const fn dispute(&self) -> DisputeId {
        DisputeId::from_bytes(self.subject)
    }

    /// The name of the thing that the operation is about, as the provider is told.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.kind.owner() {
            OperationOwner::Payment => self.payment().to_string(),
            OperationOwner::Payout => self.payout().to_string(),
            OperationOwner::Dispute => self.dispute().to_string(),
        }
    }

    /// The money that has arrived for the failed operation and about which nobody has decided, in minor units.
    #[must_use]
    pub const fn undecided(&self) -> i64 {
        let decided = self.allocated.saturating_add(self.given_back);
        self.unallocated.saturating_sub(decided)
    }

    /// The name of the operation's errand.
    #[must_use]
    pub const fn errand(&self) -> engine::errand::Name {
        (OPERATION, self.id.bytes())
    }

    /// True if the outcome is not known yet.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        match self.state {
            OperationState::Created | OperationState::Submitted | OperationState::Unknown => true,
            OperationState::Succeeded | OperationState::Failed | OperationState::Canceled => false,
        }
    }

    /// The part of the authorization that will not be captured any more if the operation succeeds, in minor units.
    #[must_use]
    pub const fn releases(&self) -> i64 {
        match self.kind {
            OperationKind::Capture => self.reserved.saturating_sub(self.money.amount.get()),
            OperationKind::Void => self.reserved,
            OperationKind::Charge
            | OperationKind::Authorize
            | OperationKind::Increment
            | OperationKind::Refund
            | OperationKind::RefundReturn
            | OperationKind::Payout
            | OperationKind::PayoutReturn
            | OperationKind::Evidence => 0,
        }
    }
}
