//! Providers, and the dialect of each. A dialect is a pure module, which builds requests and inquiries and reads
//! their answers and events. The network stands behind [`Reach`].

mod choice;
mod object;
mod reach;
mod sandbox;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use choice::{Methods, NoProvider, Provider, Providers, ProvidersError, Rule};
pub(crate) use object::Object;
pub use object::WrongField;
pub use reach::{CallFuture, CallOutcome, Reach, ReachableProvider};

use crate::{Fact, JsonError, Operation, Record};

/// A request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query, relative to the provider's address.
    pub path: String,
    /// Headers in addition to those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body in JSON, if there is one.
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
    /// The provider key of an operation, and the fact about it; `None` if the type of the event is unknown here.
    pub fact: Option<(String, Fact)>,
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
    fn request(&self, operation: &Operation) -> ProviderRequest;

    /// Reads the answer to [`Dialect::request`].
    fn answered(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// The request for the outcome of an operation.
    fn inquiry(&self, operation: &Operation) -> ProviderRequest;

    /// Reads the answer to [`Dialect::inquiry`].
    fn inquired(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// Reads the bytes of an event whose signature was verified.
    ///
    /// # Errors
    /// [`MalformedEvent`] names the first fault.
    fn event(&self, body: &[u8]) -> Result<ProviderEvent, MalformedEvent>;
}

/// The dialects of the providers, by the provider's name.
pub type Dialects = HashMap<String, Arc<dyn Dialect>>;

/// The names of all dialects.
pub const DIALECTS: &[&str] = &[SANDBOX];

/// The name of the sandbox's dialect.
pub const SANDBOX: &str = "sandbox";

/// The dialect of this name.
#[must_use]
pub fn dialect(name: &str) -> Option<Arc<dyn Dialect>> {
    match name {
        SANDBOX => Some(Arc::new(sandbox::Sandbox)),
        _ => None,
    }
}

/// Reads an event in the first dialect that accepts it. The books have the name of the provider, but not the
/// dialect; a program that only checks books has no settings for it.
pub(crate) fn event_in_any(body: &[u8]) -> Option<ProviderEvent> {
    let dialects = DIALECTS.iter().filter_map(|name| dialect(name));
    dialects
        .map(|dialect| dialect.event(body))
        .find_map(Result::ok)
}

fn wrong(cause: &str, answer: Vec<u8>) -> ProviderAnswer {
    ProviderAnswer::Wrong {
        cause: cause.to_owned(),
        answer,
    }
}
