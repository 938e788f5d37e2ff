//! The dialect of Stripe's API: PaymentIntents, refunds, payouts and disputes.
//!
//! | operation | request |
//! |---|---|
//! | charge, authorize | `POST /v1/payment_intents`, confirmed |
//! | capture, void, increment | `POST /v1/payment_intents/ID/capture`, `/cancel`, `/increment_authorization` |
//! | refund | `POST /v1/refunds` |
//! | payout | `POST /v1/payouts` |
//! | evidence | `POST /v1/disputes/ID`, submitted |
//!
//! The provider key is the idempotency key of each request, and stands in the metadata of each object, so that
//! inquiries and events find the operation.

mod answered;
mod currency;
mod event;
mod fields;
mod form;
mod inquiry;
mod intent;
mod transfer;

use serde_json::Value;

use answered::Answered;
use fields::{OPERATION, REFERENCE};
use form::Form;
use inquiry::Found;
use intent::{Intent, Meaning, UNEXPECTED_STATE, is_whole};
use transfer::Transfer;

use super::{
    Dialect, MalformedEvent, Object, ProviderAnswer, ProviderEvent, ProviderRequest, Unsendable,
    WrongField, segment, wrong,
};
use crate::disputes::evidence::Evidence;
use crate::json;
use crate::{Fact, LeasedOperation, Operation, OperationKind};

/// The version of the API whose shapes are read here. Without this header, Stripe uses the version of the account.
const VERSION: &str = "2025-09-30.clover";
/// Reason of a refused request without a code.
const REFUSED: &str = "refused_by_provider";
/// Reason of an operation whose amount cannot be told to Stripe.
const NOT_EXPRESSIBLE: Unsendable = Unsendable {
    decline_code: "amount_not_expressible",
};
/// Reason of an operation that Stripe has no request for.
const NOT_OFFERED: Unsendable = Unsendable {
    decline_code: "not_offered_by_provider",
};

/// The dialect of Stripe.
#[derive(Debug, Clone, Default)]
pub(super) struct Stripe {
    /// Where Stripe sends the payer back to. Without it, only payment methods that need no redirect are used.
    pub(super) return_url: Option<String>,
}

impl Dialect for Stripe {
    fn request(&self, leased: &LeasedOperation) -> Result<ProviderRequest, Unsendable> {
        let operation = &leased.operation;
        let amount = amount(operation)?;
        match (operation.kind, &operation.charge_ref) {
            (OperationKind::Charge | OperationKind::Authorize, _) => {
                let form = self.intent(operation, &amount);
                Ok(post(operation, "/v1/payment_intents".to_owned(), &form))
            }
            (OperationKind::Capture, Some(intent)) => {
                let form = Form::default().with("amount_to_capture", amount.clone());
                let form = if is_whole(leased) {
                    form
                } else {
                    let form = form.with("final_capture", "false");
                    form.noting(&operation.provider_key, amount)
                };
                Ok(post(operation, step(intent, "capture"), &form))
            }
            (OperationKind::Void, Some(intent)) => {
                Ok(post(operation, step(intent, "cancel"), &Form::default()))
            }
            (OperationKind::Increment, Some(intent)) => {
                let form = Form::default().with("amount", sum(leased)?);
                let form = form.noting(&operation.provider_key, amount);
                Ok(post(
                    operation,
                    step(intent, "increment_authorization"),
                    &form,
                ))
            }
            (OperationKind::Refund, Some(intent)) => {
                let form = Form::default()
                    .with("payment_intent", intent)
                    .with("amount", amount);
                let form = named(form, operation);
                Ok(post(operation, "/v1/refunds".to_owned(), &form))
            }
            (OperationKind::Payout, _) => {
                let form = Form::default()
                    .with("amount", amount)
                    .with("currency", small(operation))
                    .with("destination", &operation.payment_method);
                let form = named(form, operation);
                Ok(post(operation, "/v1/payouts".to_owned(), &form))
            }
            (OperationKind::Evidence, Some(dispute)) => {
                let texts = leased.evidence.iter().flat_map(Evidence::texts);
                let form = texts.fold(Form::default(), |form, (name, text)| {
                    form.with(&format!("evidence[{name}]"), text)
                });
                let form = named(form.with("submit", "true"), operation);
                Ok(post(operation, inquiry::dispute(dispute), &form))
            }
            (
                OperationKind::Capture
                | OperationKind::Void
                | OperationKind::Increment
                | OperationKind::Refund
                | OperationKind::Evidence,
                None,
            )
            | (OperationKind::RefundReturn | OperationKind::PayoutReturn, _) => Err(NOT_OFFERED),
        }
    }

    fn answered(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        match status {
            200 => read(leased, answer, true),
            // The operation was not executed: the key is wrong or has no right. A person must look at it.
            401 | 403 => ProviderAnswer::Nothing(format!(
                "the provider does not accept the API key: it answered {status}"
            )),
            400 | 402 | 404 | 422 => refused(leased, status, answer),
            // 409: the same request is being executed. 429: there are too many.
            status => ProviderAnswer::Nothing(format!("the provider answered {status}")),
        }
    }

    fn inquiry(&self, leased: &LeasedOperation) -> ProviderRequest {
        inquiry::first(leased)
    }

    fn further(
        &self,
        leased: &LeasedOperation,
        status: u16,
        answer: &[u8],
    ) -> Option<ProviderRequest> {
        let answer = json::parse(answer).ok()?;
        let is_page = status == 200 && inquiry::is_list(&answer);
        is_page.then(|| inquiry::next(leased, &answer)).flatten()
    }

    fn inquired(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
        if status != 200 {
            return ProviderAnswer::Nothing(format!("the provider answered {status}"));
        }
        let value = match json::parse(&answer) {
            Ok(value) => value,
            Err(error) => return ProviderAnswer::Nothing(error.to_string()),
        };
        if !inquiry::is_list(&value) {
            return read(leased, answer, false);
        }
        match inquiry::find(leased, &value) {
            Found::Here(object) => read(leased, object.to_string().into_bytes(), false),
            Found::Nowhere => ProviderAnswer::Unknown,
            Found::Open => ProviderAnswer::Nothing("it is on none of the pages".to_owned()),
        }
    }

    fn event(&self, body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
        event::read(body)
    }
}

impl Stripe {
    /// The body that makes a PaymentIntent.
    fn intent(&self, operation: &Operation, amount: &str) -> Form {
        let capture = match operation.kind == OperationKind::Charge {
            true => "automatic",
            false => "manual",
        };
        let form = Form::default()
            .with("amount", amount)
            .with("currency", small(operation))
            .with("payment_method", &operation.payment_method)
            .with("capture_method", capture)
            .with("confirm", "true");
        let form = match &self.return_url {
            Some(url) => form
                .with("automatic_payment_methods[enabled]", "true")
                .with("return_url", url),
            // Cards need no redirect.
            None => form.with("payment_method_types[]", "card"),
        };
        named(form, operation)
    }
}

/// A request that reads.
fn get(path: String) -> ProviderRequest {
    ProviderRequest {
        method: "GET",
        path,
        headers: vec![("stripe-version", VERSION.to_owned())],
        body: None,
    }
}

/// A request that does something, once for each operation.
fn post(operation: &Operation, path: String, form: &Form) -> ProviderRequest {
    ProviderRequest {
        method: "POST",
        path,
        headers: vec![
            ("content-type", form::CONTENT_TYPE.to_owned()),
            ("idempotency-key", operation.provider_key.clone()),
            ("stripe-version", VERSION.to_owned()),
        ],
        body: Some(form.encoded().into_bytes()),
    }
}

/// The path of a step of a PaymentIntent.
fn step(intent: &str, word: &str) -> String {
    format!("/v1/payment_intents/{}/{word}", segment(intent))
}

/// The form with the names of the operation and of what it belongs to.
fn named(form: Form, operation: &Operation) -> Form {
    form.noting(OPERATION, &operation.provider_key)
        .noting(REFERENCE, operation.reference())
}

/// The currency in small letters.
fn small(operation: &Operation) -> String {
    operation.money.currency.code().to_ascii_lowercase()
}

/// The amount of an operation in Stripe's unit.
fn amount(operation: &Operation) -> Result<String, Unsendable> {
    let amount = currency::to_stripe(operation.money, operation.kind.is_of_payout());
    amount
        .map(|amount| amount.to_string())
        .ok_or(NOT_EXPRESSIBLE)
}

/// The sum after an increment in Stripe's unit.
fn sum(leased: &LeasedOperation) -> Result<String, Unsendable> {
    let mut money = leased.operation.money;
    let sum = money.amount.get().checked_add(leased.authorized);
    let sum = sum.and_then(|sum| money::Amount::new(sum).ok());
    money.amount = sum.ok_or(NOT_EXPRESSIBLE)?;
    let sum = currency::to_stripe(money, false);
    sum.map(|sum| sum.to_string()).ok_or(NOT_EXPRESSIBLE)
}

/// Reads an object of Stripe. It counts only if it names the operation.
fn read(leased: &LeasedOperation, answer: Vec<u8>, is_answer: bool) -> ProviderAnswer {
    let value = match json::parse(&answer) {
        Ok(value) => value,
        Err(error @ json::JsonError::Malformed(_)) => {
            return ProviderAnswer::Nothing(error.to_string());
        }
        Err(error @ json::JsonError::DuplicateKey { .. }) => {
            return wrong(&error.to_string(), answer);
        }
    };
    match meaning(leased, &value, is_answer) {
        Err(error) => wrong(&error.to_string(), answer),
        Ok(Meaning::Fact(fact)) => ProviderAnswer::Done { fact, answer },
        Ok(Meaning::Waits(action)) => ProviderAnswer::Waits {
            action: action.map(|(url, record)| (url, Box::new(record))),
        },
        Ok(Meaning::Unknown) => ProviderAnswer::Unknown,
        Ok(Meaning::Nothing(cause)) => ProviderAnswer::Nothing(cause),
        Ok(Meaning::Wrong(cause)) => wrong(&cause, answer),
    }
}

fn meaning(
    leased: &LeasedOperation,
    value: &Value,
    is_answer: bool,
) -> Result<Meaning, WrongField> {
    let operation = &leased.operation;
    let is_own = |named: &Option<String>| named.as_deref() == Some(&operation.provider_key);
    let other = || Meaning::Wrong("the provider's answer is about something else".to_owned());
    Ok(match operation.kind {
        OperationKind::Charge | OperationKind::Authorize => {
            let intent = Intent::read(value, "")?;
            if is_own(&intent.operation) {
                intent.about_itself()
            } else {
                other()
            }
        }
        OperationKind::Capture | OperationKind::Void | OperationKind::Increment => {
            Intent::read(value, "")?.about_step(leased, is_answer)
        }
        OperationKind::Evidence => {
            let answered = Answered::read(value)?;
            match is_own(&answered.operation) {
                true => answered.about_itself(),
                // The dispute is there, and our evidence is not.
                false if !is_answer => Meaning::Unknown,
                false => other(),
            }
        }
        OperationKind::Refund
        | OperationKind::RefundReturn
        | OperationKind::Payout
        | OperationKind::PayoutReturn => {
            let transfer = Transfer::read(value, "")?;
            let is_of_charge = transfer.intent.is_none() || transfer.intent == operation.charge_ref;
            if is_own(&transfer.operation) && is_of_charge {
                transfer.about_itself()
            } else {
                other()
            }
        }
    })
}

/// Reads a refusal: a 402 of a card, or a 4xx about the request.
fn refused(leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer {
    let value = json::parse(&answer).unwrap_or_default();
    match refusal(leased, &value) {
        Ok(Some(fact)) if status == 402 => ProviderAnswer::Done { fact, answer },
        Ok(Some(fact)) => ProviderAnswer::Done {
            fact,
            answer: Vec::new(),
        },
        Ok(None) => ProviderAnswer::Nothing(format!(
            "the provider answered {status}, and its records decide"
        )),
        Err(error) => wrong(&error.to_string(), answer),
    }
}

/// The fact in a refusal; `None` if the object of Stripe has to be read first.
fn refusal(leased: &LeasedOperation, value: &Value) -> Result<Option<Fact>, WrongField> {
    let operation = &leased.operation;
    let failed = |decline_code: String, record| {
        let fact = Fact::Failed {
            decline_code,
            record,
        };
        Ok(Some(fact))
    };
    // Without an error of Stripe, another program has answered.
    let Some(error) = value.get("error") else {
        return Ok(None);
    };
    let object = Object::of(error, "/error")?;
    if object.optional_text("type")?.as_deref() == Some("idempotency_error") {
        let detail = "The provider has another request under this idempotency key.";
        return Err(object.wrong("type", "idempotency_error", detail));
    }
    let code = fields::reason(&object)?;
    if !operation.kind.begins_attempt() && code.as_deref() == Some(UNEXPECTED_STATE) {
        // The step may have been done already.
        return Ok(None);
    }
    let code = code.unwrap_or_else(|| REFUSED.to_owned());
    let intent = error.get("payment_intent").filter(|it| it.is_object());
    match intent {
        Some(intent) if operation.kind.begins_attempt() => {
            let intent = Intent::read(intent, "/error/payment_intent")?;
            if intent.operation.as_deref() != Some(&operation.provider_key) {
                let detail = "The PaymentIntent of another operation.";
                return Err(object.wrong("payment_intent", "contradiction", detail));
            }
            match intent.about_itself() {
                Meaning::Fact(Fact::Failed { record, .. }) => failed(code, record),
                // The error contradicts its own PaymentIntent, which is read again.
                Meaning::Fact(_)
                | Meaning::Waits(_)
                | Meaning::Unknown
                | Meaning::Nothing(_)
                | Meaning::Wrong(_) => Ok(None),
            }
        }
        Some(_) | None => failed(code, None),
    }
}
