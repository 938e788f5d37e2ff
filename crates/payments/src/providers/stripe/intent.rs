//! A PaymentIntent: a payment at Stripe. A charge and an authorization make one; captures, increments and voids change
//! it.

use money::{Amount, Money};
use serde_json::Value;

use super::fields::{self, OPERATION, REFERENCE};
use crate::providers::{Object, WrongField};
use crate::{Fact, LeasedOperation, OperationKind, ProviderText, Record};

/// Longest address of a page for the payer that is kept, in bytes.
const MAX_URL_BYTES: usize = 2_048;
/// Reason of an operation that ended because the PaymentIntent was canceled.
const CANCELED: &str = "canceled";
/// Why an object is refused whose amounts leave nothing for the operation.
const NO_AMOUNT: &str = "its amounts are not those of the operation";
/// Stripe's code of a step that the state of the PaymentIntent does not allow.
pub(super) const UNEXPECTED_STATE: &str = "payment_intent_unexpected_state";

/// The state of a PaymentIntent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    /// A state that is not known here.
    Other(String),
}

impl Status {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "requires_payment_method" => Self::RequiresPaymentMethod,
            "requires_confirmation" => Self::RequiresConfirmation,
            "requires_action" => Self::RequiresAction,
            "processing" => Self::Processing,
            "requires_capture" => Self::RequiresCapture,
            "canceled" => Self::Canceled,
            "succeeded" => Self::Succeeded,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What a PaymentIntent says, as far as it matters here.
#[derive(Debug)]
pub(super) struct Intent {
    pub(super) id: ProviderText,
    pub(super) status: Status,
    /// The amount that is or was authorized, with increments.
    pub(super) money: Money,
    /// The captured minor units, if the object tells them.
    pub(super) received: Option<i64>,
    /// True if the money is captured by a request of its own; `None` if the object does not tell.
    pub(super) is_manual: Option<bool>,
    /// The provider key of the operation that made it.
    pub(super) operation: Option<String>,
    reference: Option<String>,
    /// Provider keys of captures and increments that it has noted.
    steps: Vec<String>,
    /// The reason of the last failure.
    error: Option<String>,
    /// Where the payer must go.
    action: Option<String>,
    /// True if there was a charge, whether it succeeded or not.
    pub(super) has_charge: bool,
}

/// The meaning of an answer or an event.
#[derive(Debug)]
pub(super) enum Meaning {
    /// The final outcome.
    Fact(Fact),
    /// The outcome comes later. With an address, the provider waits for the payer.
    Waits(Option<(String, Record)>),
    /// The operation has not been executed.
    Unknown,
    /// Nothing that can be relied on, and why.
    Nothing(String),
    /// It cannot be right, and why.
    Wrong(String),
}

impl Intent {
    /// Reads a PaymentIntent; `place` is its JSON pointer.
    pub(super) fn read(value: &Value, place: &'static str) -> Result<Self, WrongField> {
        let object = Object::of(value, place)?;
        let word = object.text("object")?;
        if word.as_str() != "payment_intent" {
            let detail = "This must be payment_intent.";
            return Err(object.wrong("object", "unknown_object", detail));
        }
        let money = fields::money(&object, "amount")?;
        let manual = object.optional_text("capture_method")?;
        Ok(Self {
            id: object.text("id")?,
            status: Status::of(object.text("status")?.as_str()),
            money,
            received: fields::optional_amount(&object, "amount_received", money.currency)?,
            is_manual: manual.map(|method| method == "manual"),
            operation: fields::noted(&object, OPERATION)?,
            reference: fields::noted(&object, REFERENCE)?,
            steps: steps(&object),
            error: match object.optional("last_payment_error") {
                None => None,
                Some(_) => {
                    fields::reason(&object.object("last_payment_error", "/last_payment_error")?)?
                }
            },
            action: action(&object)?,
            has_charge: object.optional("latest_charge").is_some(),
        })
    }

    /// True if a capture or an increment with this provider key is in its metadata.
    fn has_noted(&self, provider_key: &str) -> bool {
        self.steps.iter().any(|noted| noted == provider_key)
    }

    /// True if any capture in part or increment is in its metadata.
    pub(super) const fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The record of the charge or the authorization that it is.
    fn record(&self, money: Money) -> Record {
        Record {
            reference: self.id.clone(),
            kind: self.is_manual.map(|is_manual| match is_manual {
                true => OperationKind::Authorize,
                false => OperationKind::Charge,
            }),
            money,
            payment: self.reference.clone(),
            // Stripe replaces some tokens by others, so the method says nothing.
            payment_method: None,
        }
    }

    /// The money of this number of minor units, if it is above zero.
    fn part(&self, amount: Option<i64>) -> Option<Money> {
        let amount = Amount::new(amount?).ok()?;
        let currency = self.money.currency;
        Some(Money { amount, currency })
    }

    /// What it says about the operation that made it.
    pub(super) fn about_itself(&self) -> Meaning {
        let failed = |reason: &str| {
            Meaning::Fact(Fact::Failed {
                decline_code: reason.to_owned(),
                record: Some(self.record(self.money)),
            })
        };
        match &self.status {
            Status::Succeeded if self.is_manual == Some(true) => {
                Meaning::Wrong("the authorization was captured by somebody else".to_owned())
            }
            Status::Succeeded => {
                let taken = self.received.unwrap_or(self.money.amount.get());
                match self.part(Some(taken)) {
                    Some(money) => Meaning::Fact(Fact::Succeeded {
                        record: self.record(money),
                    }),
                    None => Meaning::Wrong(NO_AMOUNT.to_owned()),
                }
            }
            Status::RequiresCapture => Meaning::Fact(Fact::Succeeded {
                record: Record {
                    kind: Some(OperationKind::Authorize),
                    ..self.record(self.money)
                },
            }),
            Status::Processing => Meaning::Waits(None),
            Status::RequiresAction => {
                let action = self.action.clone();
                Meaning::Waits(action.map(|url| (url, self.record(self.money))))
            }
            Status::RequiresPaymentMethod => {
                failed(self.error.as_deref().unwrap_or("requires_payment_method"))
            }
            Status::Canceled => failed(CANCELED),
            Status::RequiresConfirmation => {
                Meaning::Nothing("the PaymentIntent was not confirmed".to_owned())
            }
            Status::Other(name) => Meaning::Nothing(format!("the PaymentIntent is {name}")),
        }
    }

    /// What it says about a capture, an increment or a void of it. `is_answer`: it is the answer to the request
    /// itself, and not to an inquiry.
    pub(super) fn about_step(&self, leased: &LeasedOperation, is_answer: bool) -> Meaning {
        if leased.operation.charge_ref.as_deref() != Some(self.id.as_str()) {
            return Meaning::Wrong("it is another PaymentIntent".to_owned());
        }
        let done = match leased.operation.kind {
            OperationKind::Increment => self.incremented(leased, is_answer),
            OperationKind::Capture if is_whole(leased) => self.captured(leased),
            OperationKind::Capture => self.captured_in_part(leased, is_answer),
            OperationKind::Void => self.voided(leased),
            OperationKind::Charge
            | OperationKind::Authorize
            | OperationKind::Refund
            | OperationKind::RefundReturn
            | OperationKind::Payout
            | OperationKind::PayoutReturn
            | OperationKind::Evidence => None,
        };
        if let Some(done) = done {
            return done;
        }
        match &self.status {
            Status::Processing => Meaning::Waits(None),
            _ if is_answer => Meaning::Nothing("it does not show what was asked for".to_owned()),
            Status::RequiresCapture => Meaning::Unknown,
            Status::Canceled => self.never(CANCELED),
            Status::Succeeded => self.never(UNEXPECTED_STATE),
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Other(_) => Meaning::Wrong("it was authorized before".to_owned()),
        }
    }

    /// An increment has changed the sum.
    fn incremented(&self, leased: &LeasedOperation, is_answer: bool) -> Option<Meaning> {
        let added = self.money.amount.get().checked_sub(leased.authorized);
        let is_open = self.status == Status::RequiresCapture;
        (is_open && (is_answer || added != Some(0))).then(|| self.did(leased, added))
    }

    /// A capture of the whole rest has ended the PaymentIntent.
    fn captured(&self, leased: &LeasedOperation) -> Option<Meaning> {
        if self.status != Status::Succeeded {
            return None;
        }
        // If the object does not tell what was received, it is what was asked for.
        let taken = match self.received {
            Some(received) => received.checked_sub(leased.captured),
            None => Some(leased.operation.money.amount.get()),
        };
        Some(self.did(leased, taken))
    }

    /// A capture that is not the last one is in the metadata, because several may be under way at once.
    fn captured_in_part(&self, leased: &LeasedOperation, is_answer: bool) -> Option<Meaning> {
        let amount = leased.operation.money.amount.get();
        let is_open = matches!(self.status, Status::RequiresCapture | Status::Succeeded);
        if !is_open || !(is_answer || self.has_noted(&leased.operation.provider_key)) {
            return None;
        }
        Some(match self.received {
            Some(received) if received < amount => {
                Meaning::Wrong("less was received than was captured".to_owned())
            }
            Some(_) | None => self.did(leased, Some(amount)),
        })
    }

    /// A void has released what was not captured before.
    fn voided(&self, leased: &LeasedOperation) -> Option<Meaning> {
        let received = self.received.unwrap_or(leased.captured);
        // After a capture in part, the rest is released, and what was captured is a success.
        let is_over = self.status == Status::Canceled
            || self.status == Status::Succeeded && received > 0 && received == leased.captured;
        let rest = self.money.amount.get().checked_sub(received);
        is_over.then(|| self.did(leased, rest))
    }

    /// A step that cannot be executed any more.
    fn never(&self, reason: &str) -> Meaning {
        Meaning::Fact(Fact::Failed {
            decline_code: reason.to_owned(),
            record: None,
        })
    }

    /// The fact that a step was done with this number of minor units. Stripe has no id for a step, so its record is
    /// named by the PaymentIntent and the provider key.
    fn did(&self, leased: &LeasedOperation, amount: Option<i64>) -> Meaning {
        let operation = &leased.operation;
        let Some(money) = self.part(amount) else {
            return Meaning::Wrong(NO_AMOUNT.to_owned());
        };
        let name = format!("{}/{}", self.id, operation.provider_key);
        match ProviderText::parse(&name) {
            Ok(reference) => Meaning::Fact(Fact::Succeeded {
                record: Record {
                    reference,
                    kind: Some(operation.kind),
                    money,
                    payment: self.reference.clone(),
                    payment_method: None,
                },
            }),
            Err((_, detail)) => Meaning::Wrong(detail),
        }
    }
}

/// True if a capture ends the PaymentIntent: it releases the rest, or takes all at once. Every other capture leaves it
/// open, so that it can be captured again.
pub(super) const fn is_whole(leased: &LeasedOperation) -> bool {
    leased.operation.releases() > 0 || leased.operation.reserved >= leased.authorized
}

/// The provider keys of the captures and increments that the metadata has.
fn steps(object: &Object<'_>) -> Vec<String> {
    let metadata = object.optional("metadata").and_then(Value::as_object);
    let names = metadata.into_iter().flat_map(|members| members.keys());
    names
        .filter(|name| name.starts_with("op_"))
        .cloned()
        .collect()
}

/// The address to which the payer is redirected, if the PaymentIntent has one.
fn action(object: &Object<'_>) -> Result<Option<String>, WrongField> {
    let next = object.optional("next_action");
    let Some(url) = next.and_then(|next| next.pointer("/redirect_to_url/url")) else {
        return Ok(None);
    };
    let detail = "This must be an address that begins with http:// or https://.";
    let is_address = |url: &&str| {
        url.len() <= MAX_URL_BYTES
            && (url.starts_with("https://") || url.starts_with("http://"))
            && url.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let url = url.as_str().filter(is_address);
    let url = url.ok_or_else(|| object.wrong("next_action", "expected_address", detail))?;
    Ok(Some(url.to_owned()))
}
