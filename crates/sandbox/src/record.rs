//! A record: the result of a call.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::method::{DeclineCode, Outcome, PaymentMethod, Step};
use crate::order::{ChargeOrder, PayoutOrder, ProviderKey, StepOrder, at_once};

/// A charge, a step of it or a payout, as all answers and events show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    #[serde(flatten)]
    object: Object,
    pub(crate) status: Status,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// The payment method; payouts and journals of older versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment_method: Option<PaymentMethod>,
    pub(crate) reference: Option<String>,
    pub(crate) idempotency_key: ProviderKey,
    decline_code: Option<DeclineCode>,
}

/// The kind of a record, and what only this kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename_all = "snake_case")]
enum Object {
    Charge {
        /// Whether the amount is captured at once; journals of older versions do not have it.
        #[serde(default = "at_once")]
        capture: bool,
    },
    Capture {
        charge: String,
    },
    Void {
        charge: String,
    },
    Increment {
        charge: String,
    },
    Refund {
        charge: String,
    },
    Payout {
        destination: Destination,
    },
}

/// The kind of a record alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Charge,
    Step(Step),
    Payout,
}

impl Kind {
    /// The name of the kind on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Step(step) => step.name(),
            Self::Payout => "payout",
        }
    }
}

/// The state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Succeeded,
    /// The amount of a charge is reserved and waits for its capture.
    Authorized,
    Failed,
    /// A charge waits for its payer.
    RequiresAction,
    /// A refund or a payout waits for the bank.
    Pending,
}

impl Status {
    /// Whether the outcome comes later.
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::RequiresAction | Self::Pending => true,
            Self::Succeeded | Self::Authorized | Self::Failed => false,
        }
    }
}

impl Object {
    /// The status of a record of this kind with this outcome.
    fn status(&self, outcome: Outcome) -> Status {
        match outcome {
            Outcome::Declined(_) => Status::Failed,
            Outcome::Approved => match self {
                Self::Charge { capture: false } => Status::Authorized,
                Self::Charge { capture: true }
                | Self::Capture { .. }
                | Self::Void { .. }
                | Self::Increment { .. }
                | Self::Refund { .. }
                | Self::Payout { .. } => Status::Succeeded,
            },
            Outcome::Open => match self {
                Self::Charge { .. } => Status::RequiresAction,
                Self::Capture { .. }
                | Self::Void { .. }
                | Self::Increment { .. }
                | Self::Refund { .. }
                | Self::Payout { .. } => Status::Pending,
            },
        }
    }
}

impl Record {
    /// The charge that results from `order` under `key`.
    pub(crate) fn of_charge(
        id: String,
        key: ProviderKey,
        order: &ChargeOrder,
        outcome: Outcome,
    ) -> Self {
        let object = Object::Charge {
            capture: order.capture,
        };
        Self {
            id,
            status: object.status(outcome),
            object,
            amount: order.amount,
            currency: order.currency.clone(),
            payment_method: Some(order.payment_method.clone()),
            reference: order.reference.clone(),
            idempotency_key: key,
            decline_code: code(outcome),
        }
    }

    /// The step of `charge` that results from `order` under `key`.
    pub(crate) fn of_step(
        id: String,
        key: ProviderKey,
        order: &StepOrder,
        charge: &Self,
        outcome: Outcome,
    ) -> Self {
        let charge_id = charge.id.clone();
        let object = match order.step {
            Step::Capture => Object::Capture { charge: charge_id },
            Step::Void => Object::Void { charge: charge_id },
            Step::Increment => Object::Increment { charge: charge_id },
            Step::Refund => Object::Refund { charge: charge_id },
        };
        Self {
            id,
            status: object.status(outcome),
            object,
            amount: order.amount,
            currency: charge.currency.clone(),
            payment_method: charge.payment_method.clone(),
            reference: charge.reference.clone(),
            idempotency_key: key,
            decline_code: code(outcome),
        }
    }

    /// The payout that results from `order` under `key`.
    pub(crate) fn of_payout(
        id: String,
        key: ProviderKey,
        order: &PayoutOrder,
        outcome: Outcome,
    ) -> Self {
        let object = Object::Payout {
            destination: order.destination.clone(),
        };
        Self {
            id,
            status: object.status(outcome),
            object,
            amount: order.amount,
            currency: order.currency.clone(),
            payment_method: None,
            reference: order.reference.clone(),
            idempotency_key: key,
            decline_code: code(outcome),
        }
    }

    /// The same record with an outcome that came later.
    pub(crate) fn finished(&self, outcome: Outcome) -> Self {
        Self {
            status: self.object.status(outcome),
            decline_code: code(outcome),
            ..self.clone()
        }
    }

    /// The kind of the record.
    pub(crate) fn kind(&self) -> Kind {
        match self.object {
            Object::Charge { .. } => Kind::Charge,
            Object::Capture { .. } => Kind::Step(Step::Capture),
            Object::Void { .. } => Kind::Step(Step::Void),
            Object::Increment { .. } => Kind::Step(Step::Increment),
            Object::Refund { .. } => Kind::Step(Step::Refund),
            Object::Payout { .. } => Kind::Payout,
        }
    }

    /// The id of the record whose totals count this one: the charge that the step belongs to, or else itself.
    pub(crate) fn counted_at(&self) -> &str {
        match &self.object {
            Object::Charge { .. } | Object::Payout { .. } => &self.id,
            Object::Capture { charge }
            | Object::Void { charge }
            | Object::Increment { charge }
            | Object::Refund { charge } => charge,
        }
    }

    /// The record as callers see it at this host.
    pub(crate) fn shown(&self, host: &str) -> Shown {
        let action_url = match self.status {
            Status::RequiresAction => Some(format!("http://{host}/pay/{}", self.id)),
            Status::Succeeded | Status::Authorized | Status::Failed | Status::Pending => None,
        };
        Shown {
            record: self.clone(),
            action_url,
        }
    }
}

fn code(outcome: Outcome) -> Option<DeclineCode> {
    match outcome {
        Outcome::Declined(code) => Some(code),
        Outcome::Approved | Outcome::Open => None,
    }
}

/// A record in an answer.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    record: Record,
    /// The page on which the payer acts. It is not in the journal, because the next start may listen elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
}

/// A new id: the prefix and 32 hexadecimal digits.
pub(crate) fn fresh_id(prefix: impl fmt::Display) -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)?;
    Ok(format!("{prefix}{}", hex::encode(random)))
}
