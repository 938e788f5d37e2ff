//! Providers, and the dialect of each. A dialect is a pure module, which builds requests and inquiries and reads
//! their answers and events. The network stands behind [`Reach`].

mod choice;
mod meaning;
mod object;
mod reach;
mod sandbox;
mod stripe;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use choice::{Methods, NoProvider, Provider, Providers, ProvidersError, Rule};
pub(crate) use meaning::meaning;
pub(crate) use object::Object;
pub use object::WrongField;
pub use reach::{CallFuture, CallOutcome, Reach, ReachableProvider};

use crate::{Fact, JsonError, LeasedOperation, Record, bank_orders};

/// A request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query, relative to the provider's address.
    pub path: String,
    /// Headers in addition to those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if there is one. A header says its form.
    pub body: Option<Vec<u8>>,
}

/// The meaning of a provider's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAnswer {
    /// The final outcome of the operation.
    Done {
        /// The fact in the answer.
        fact: Fact,
        /// The bytes of the answer; empty if the status alone tells the fact.
        answer: Vec<u8>,
    },
    /// The provider has the operation, and its outcome comes later.
    Waits {
        /// Where the payer must go, if the provider waits for the payer, and the record so far.
        action: Option<(String, Box<Record>)>,
    },
    /// The provider does not know the operation.
    Unknown,
    /// No answer that can be relied on, and the reason.
    Nothing(String),
    /// An answer that cannot be right for any state of the operation.
    Wrong {
        /// The reason.
        cause: String,
        /// The bytes of the answer.
        answer: Vec<u8>,
    },
}

/// The parts of a provider's event that we understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's id of the event.
    pub id: String,
    /// The provider's name for the type of the event.
    pub kind: String,
    /// A hash of what the event says. It is the same in each delivery.
    pub meaning: [u8; 32],
    /// A fact, and the operation that it is about; `None` if the event says nothing that matters here.
    pub fact: Option<(About, Fact)>,
}

/// The operation that an event is about, as the event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The operation with this provider key.
    Key(String),
    /// The operation that has this record of the provider, by the provider's reference.
    Record(String),
}

impl About {
    /// The name in the event.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Record(text) => text,
        }
    }
}

/// An operation that a provider cannot be asked for. Its request is never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsendable {
    /// The reason, which becomes the decline code of the operation.
    pub decline_code: &'static str,
}

/// Why bytes are not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// The bytes are not JSON, or a key occurs twice in an object, at any depth.
    #[error("the event cannot be read: {0}")]
    Json(#[from] JsonError),
    /// A field is missing or wrong that every event, or every event of its type, must have.
    #[error("the event is not whole: {0}")]
    Field(#[from] WrongField),
}

/// The requests to a provider, and the meaning of its answers and events.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// The request that executes an operation. If the same operation is requested again, it is executed once.
    ///
    /// # Errors
    /// [`Unsendable`] if the provider has no request for the operation. The operation has failed then.
    fn request(&self, leased: &LeasedOperation) -> Result<ProviderRequest, Unsendable>;

    /// Reads the answer to [`Dialect::request`].
    fn answered(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// The request for the outcome of an operation.
    fn inquiry(&self, leased: &LeasedOperation) -> ProviderRequest;

    /// The next request of an inquiry, if the answer to [`Dialect::inquiry`] does not tell yet whether the provider
    /// knows the operation: the next page of a list, for example. Only the last answer is read.
    fn further(
        &self,
        _leased: &LeasedOperation,
        _status: u16,
        _answer: &[u8],
    ) -> Option<ProviderRequest> {
        None
    }

    /// Reads the answer to [`Dialect::inquiry`], or to the last request of [`Dialect::further`].
    fn inquired(&self, leased: &LeasedOperation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// Reads the bytes of an event whose signature was verified.
    ///
    /// # Errors
    /// [`MalformedEvent`] names the first fault.
    fn event(&self, body: &[u8]) -> Result<ProviderEvent, MalformedEvent>;
}

/// The dialects of the providers, by the provider's name.
pub type Dialects = HashMap<String, Arc<dyn Dialect>>;

/// The names of all dialects.
pub const DIALECTS: &[&str] = &[SANDBOX, STRIPE];

/// The name of the sandbox's dialect.
pub const SANDBOX: &str = "sandbox";
/// The name of Stripe's dialect.
pub const STRIPE: &str = "stripe";

/// The dialect of this name. `return_url` is the address to which the provider sends the payer back.
#[must_use]
pub fn dialect(name: &str, return_url: Option<String>) -> Option<Arc<dyn Dialect>> {
    match name {
        SANDBOX => Some(Arc::new(sandbox::Sandbox)),
        STRIPE => Some(Arc::new(stripe::Stripe { return_url })),
        _ => None,
    }
}

/// Reads an event in the first dialect in which it is a fact, or else in the first that accepts it. A line of a bank's
/// file is an event too. The books have the
/// name of the provider, but not the dialect; a program that only checks books has no settings for it.
pub(crate) fn event_in_any(body: &[u8]) -> Option<ProviderEvent> {
    let dialects = DIALECTS.iter().filter_map(|name| dialect(name, None));
    let read = dialects.map(|dialect| dialect.event(body));
    let of_bank = std::iter::once_with(|| bank_orders::event::read(body));
    let read: Vec<ProviderEvent> = read.chain(of_bank).filter_map(Result::ok).collect();
    let with_fact = read.iter().find(|event| event.fact.is_some());
    with_fact.or(read.first()).cloned()
}

fn wrong(cause: &str, answer: Vec<u8>) -> ProviderAnswer {
    ProviderAnswer::Wrong {
        cause: cause.to_owned(),
        answer,
    }
}

/// A reference of the provider as one segment of a path: every byte that could have a meaning there is escaped.
fn segment(reference: &str) -> String {
    let mut segment = String::with_capacity(reference.len());
    for byte in reference.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_read_in_the_dialect_in_which_it_is_a_fact() {
        let of_stripe = json!({
            "id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {
                "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 1,
                "currency": "eur", "metadata": {"florin_operation": "op_1"},
            }},
        });
        let read = event_in_any(of_stripe.to_string().as_bytes()).unwrap();
        assert!(matches!(read.fact, Some((_, Fact::Succeeded { .. }))));
        let of_sandbox = json!({
            "id": "evt_1", "type": "payout.failed", "data": {"object": {
                "id": "po_1", "status": "failed", "amount": 1, "currency": "EUR",
                "idempotency_key": "op_1",
            }},
        });
        let read = event_in_any(of_sandbox.to_string().as_bytes()).unwrap();
        assert!(matches!(read.fact, Some((_, Fact::Failed { .. }))));
    }
}
