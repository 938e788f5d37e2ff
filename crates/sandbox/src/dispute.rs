//! A dispute: money of a charge that the payer's bank claims back, and the steps until the bank has decided.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::method::PaymentMethod;
use crate::order::{DisputeOrder, ProviderKey};
use crate::record::{Record, fresh_id};

/// Time that the merchant has to give evidence, in seconds: seven days.
const EVIDENCE_TIME: i64 = 7 * 24 * 60 * 60;

/// A dispute, as all answers and events show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "dispute")]
pub(crate) struct Dispute {
    pub(crate) id: String,
    status: DisputeStatus,
    /// The id of the charge.
    pub(crate) charge: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    reason: String,
    /// Whether the bank has the money for now.
    withdrawn: bool,
    /// Time until which evidence is asked for, in Unix seconds.
    evidence_due_by: i64,
    /// The payment method; journals of older versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    reference: Option<String>,
    /// The key of the charge. The dispute has none, because the merchant did not ask for it.
    pub(crate) charge_key: ProviderKey,
}

/// The state of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DisputeStatus {
    NeedsResponse,
    /// The merchant has given evidence.
    UnderReview,
    /// The bank has decided for the merchant.
    Won,
    /// The bank has decided for the payer.
    Lost,
}

impl DisputeStatus {
    /// Whether the bank has decided.
    fn is_decided(self) -> bool {
        match self {
            Self::Won | Self::Lost => true,
            Self::NeedsResponse | Self::UnderReview => false,
        }
    }
}

/// A step of the bank; the name in the journal is that of the variant, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStep {
    /// Takes the money from the merchant.
    Withdraw,
    /// Gives the money back to the merchant.
    Reinstate,
    /// Decides for the merchant.
    Win,
    /// Decides for the payer.
    Lose,
}

impl DisputeStep {
    pub(crate) const ALL: [Self; 4] = [Self::Withdraw, Self::Reinstate, Self::Win, Self::Lose];

    /// The last part of its URL.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Withdraw => "withdraw",
            Self::Reinstate => "reinstate",
            Self::Win => "win",
            Self::Lose => "lose",
        }
    }

    /// The last part of the type of its event.
    pub(crate) fn happened(self) -> &'static str {
        match self {
            Self::Withdraw => "funds_withdrawn",
            Self::Reinstate => "funds_reinstated",
            Self::Win => "won",
            Self::Lose => "lost",
        }
    }
}

impl Dispute {
    /// The dispute of `charge` that results from `order`.
    pub(crate) fn of(
        charge: &Record,
        order: DisputeOrder,
        now: i64,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            id: fresh_id("dp_")?,
            status: DisputeStatus::NeedsResponse,
            charge: charge.id.clone(),
            amount: order.amount,
            currency: charge.currency.clone(),
            reason: order.reason,
            withdrawn: false,
            evidence_due_by: now.saturating_add(EVIDENCE_TIME),
            payment_method: charge.payment_method.clone(),
            reference: charge.reference.clone(),
            charge_key: charge.idempotency_key.clone(),
        })
    }
}

/// Everything that is known about one dispute.
pub(crate) struct Case {
    /// The dispute as it is now.
    pub(crate) dispute: Dispute,
    /// Its events, the oldest first.
    pub(crate) events: Vec<Event<Dispute>>,
    /// The moves of the money after the decision: each of the two is possible once.
    late_moves: Vec<DisputeStep>,
}

impl Case {
    /// The case of a dispute that was opened by this event.
    pub(crate) fn opened(event: Event<Dispute>) -> Self {
        Self {
            dispute: event.object().clone(),
            events: vec![event],
            late_moves: Vec::new(),
        }
    }

    /// The dispute as it would be after this step; `None` if the step is not possible now.
    pub(crate) fn after(&self, step: DisputeStep) -> Option<Dispute> {
        let is_decided = self.dispute.status.is_decided();
        let mut dispute = self.dispute.clone();
        let is_possible = match step {
            DisputeStep::Withdraw | DisputeStep::Reinstate => {
                dispute.withdrawn = step == DisputeStep::Withdraw;
                dispute != self.dispute && !self.late_moves.contains(&step)
            }
            DisputeStep::Win => {
                dispute.status = DisputeStatus::Won;
                !is_decided
            }
            DisputeStep::Lose => {
                dispute.status = DisputeStatus::Lost;
                !is_decided
            }
        };
        is_possible.then_some(dispute)
    }

    /// Takes a step that is possible now, with its event.
    pub(crate) fn take(&mut self, step: DisputeStep, event: Event<Dispute>) {
        if self.dispute.status.is_decided() {
            self.late_moves.push(step);
        }
        self.dispute = event.object().clone();
        self.events.push(event);
    }

    /// Whether evidence is still read.
    pub(crate) fn takes_evidence(&self) -> bool {
        !self.dispute.status.is_decided()
    }

    /// Notes that there is evidence now.
    pub(crate) fn review(&mut self) {
        self.dispute.status = DisputeStatus::UnderReview;
    }
}
