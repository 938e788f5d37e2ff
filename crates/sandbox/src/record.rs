//! A record: the result of a call, and the event that reports it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::method::{DeclineCode, Outcome, PaymentMethod, Step};
use crate::order::{ChargeOrder, ProviderKey, StepOrder, at_once};

/// A charge or a step of it, as all answers and events show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    #[serde(flatten)]
    object: Object,
    pub(crate) status: Status,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// The payment method; journals of older versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    reference: Option<String>,
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
    /// A refund waits for the bank.
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
                | Self::Refund { .. } => Status::Succeeded,
            },
            Outcome::Open => match self {
                Self::Charge { .. } => Status::RequiresAction,
                Self::Capture { .. }
                | Self::Void { .. }
                | Self::Increment { .. }
                | Self::Refund { .. } => Status::Pending,
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

    /// The same record with the outcome that it waited for.
    pub(crate) fn finished(&self, outcome: Outcome) -> Self {
        Self {
            status: self.object.status(outcome),
            decline_code: code(outcome),
            ..self.clone()
        }
    }

    /// The step that the record is of; `None` for a charge.
    pub(crate) fn step(&self) -> Option<Step> {
        match self.object {
            Object::Charge { .. } => None,
            Object::Capture { .. } => Some(Step::Capture),
            Object::Void { .. } => Some(Step::Void),
            Object::Increment { .. } => Some(Step::Increment),
            Object::Refund { .. } => Some(Step::Refund),
        }
    }

    /// The id of the charge: its own, or that of the charge that the step belongs to.
    pub(crate) fn charge_id(&self) -> &str {
        match &self.object {
            Object::Charge { .. } => &self.id,
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

/// An event of a record. It is stored with the record, so its id never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// The object and what happened to it: `charge.succeeded`.
    #[serde(rename = "type")]
    kind: String,
    /// Time of the event, in Unix seconds.
    created: i64,
    data: EventSubject,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EventSubject {
    object: Record,
}

impl Event {
    /// The event that reports the status of `record`; `None` while the outcome is open.
    pub(crate) fn of(record: &Record, created: i64) -> Result<Option<Self>, getrandom::Error> {
        let happened = match record.status {
            Status::Succeeded => "succeeded",
            Status::Authorized => "authorized",
            Status::Failed => "failed",
            Status::RequiresAction | Status::Pending => return Ok(None),
        };
        Self::that(happened, record, created).map(Some)
    }

    /// The event that reports the return of a refund, whose status stays as it was.
    pub(crate) fn of_return(refund: &Record, created: i64) -> Result<Self, getrandom::Error> {
        Self::that("returned", refund, created)
    }

    fn that(happened: &str, record: &Record, created: i64) -> Result<Self, getrandom::Error> {
        let object = record.step().map_or("charge", Step::name);
        Ok(Self {
            id: fresh_id("evt_")?,
            kind: format!("{object}.{happened}"),
            created,
            data: EventSubject {
                object: record.clone(),
            },
        })
    }

    /// The record that the event reports.
    pub(crate) fn record(&self) -> &Record {
        &self.data.object
    }
}

/// A new id: the prefix and 32 hexadecimal digits.
pub(crate) fn fresh_id(prefix: impl fmt::Display) -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)?;
    Ok(format!("{prefix}{}", hex::encode(random)))
}
