//! A dispute, as it is stored, and its state machine.

use money::Money;
use store::Timestamp;

use super::evidence::Evidence;
use crate::state::IllegalEdge;
use crate::{OperationId, PaymentId};

store::typed_id!(
    /// A dispute's id: `dp_…`.
    DisputeId,
    "dp"
);

/// The state of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeState {
    /// The payer's bank has not decided.
    Open,
    /// Final: the bank has decided for the merchant.
    Won,
    /// Final: the bank has decided for the payer.
    Lost,
}

/// An event in the life of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeEvent {
    /// The bank decides for the merchant.
    Won,
    /// The bank decides for the payer.
    Lost,
}

impl DisputeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalEdge`] if the machine has no such edge.
    pub const fn on(self, event: DisputeEvent) -> Result<Self, IllegalEdge> {
        match (self, event) {
            (Self::Open, DisputeEvent::Won) => Ok(Self::Won),
            (Self::Open, DisputeEvent::Lost) => Ok(Self::Lost),
            (Self::Won | Self::Lost, DisputeEvent::Won | DisputeEvent::Lost) => Err(IllegalEdge {
                machine: "dispute",
                state: self.name(),
                event: event.name(),
            }),
        }
    }
}

impl DisputeEvent {
    /// Every event.
    pub const ALL: [Self; 2] = [Self::Won, Self::Lost];

    /// The name of the event, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// Captured money that the payer's bank claims back.
///
/// The four marks say what has happened to the money. Each is set once, in any order in which the provider reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The payment.
    pub payment: PaymentId,
    /// Name of the provider.
    pub provider: String,
    /// The provider's reference of the dispute.
    pub reference: String,
    /// The disputed amount.
    pub money: Money,
    /// The fee for the merchant, in minor units.
    pub fee: i64,
    /// The part of the amount that could have been refunded before, and cannot be any more, in minor units.
    pub blocked: i64,
    /// The reason of the payer's bank, as the provider names it.
    pub reason: String,
    /// The state.
    pub state: DisputeState,
    /// True once the provider has taken the money.
    pub is_withdrawn: bool,
    /// True once the provider has given it back.
    pub is_reinstated: bool,
    /// True once the merchant has it again.
    pub is_released: bool,
    /// The merchant's evidence; `None` if nothing was written.
    pub evidence: Option<Evidence>,
    /// Time until which the provider takes evidence; `None` if it does not tell.
    pub evidence_due_by: Option<Timestamp>,
    /// Number of times that the evidence was sent. Only what the provider refuses is sent again.
    pub submissions: i32,
    /// The operation that sends the evidence; `None` if it is a draft.
    pub submission: Option<OperationId>,
    /// Time at which the provider had taken the evidence.
    pub submitted_at: Option<Timestamp>,
    /// The provider's reason, if it has refused the evidence the last time.
    pub evidence_decline_code: Option<String>,
    /// Number of the present version, from 1.
    pub version: i64,
    /// Time at which it became known.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// How far the evidence for a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceStatus {
    /// Nothing was written.
    None,
    /// It was written, and not sent.
    Draft,
    /// It was sent, and the provider has not answered.
    Submitting,
    /// The provider has it. It never changes again.
    Submitted,
}

impl EvidenceStatus {
    /// The name, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Draft => "draft",
            Self::Submitting => "submitting",
            Self::Submitted => "submitted",
        }
    }
}

impl Dispute {
    /// How far the evidence is.
    #[must_use]
    pub const fn evidence_status(&self) -> EvidenceStatus {
        match (&self.evidence, self.submission, self.submitted_at) {
            (None, _, _) => EvidenceStatus::None,
            (Some(_), None, _) => EvidenceStatus::Draft,
            (Some(_), Some(_), None) => EvidenceStatus::Submitting,
            (Some(_), Some(_), Some(_)) => EvidenceStatus::Submitted,
        }
    }
}

/// What a provider reports about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeNews {
    /// It was opened.
    Opened,
    /// The provider has taken the money.
    Withdrawn,
    /// The provider has given the money back.
    Reinstated,
    /// The bank has decided for the merchant.
    Won,
    /// The bank has decided for the payer.
    Lost,
}

/// A provider's report on a dispute. Each report has all that is needed to know the dispute, because it may be the
/// first one that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeFact {
    /// What has happened.
    pub news: DisputeNews,
    /// The provider's reference of the dispute.
    pub reference: String,
    /// The disputed amount.
    pub money: Money,
    /// The reason of the payer's bank.
    pub reason: String,
    /// Time until which the provider takes evidence; `None` if it does not tell.
    pub due_by: Option<Timestamp>,
}
