//! Providers: how each is asked and understood. Each has a pure module of its own, which builds requests and reads
//! replies, inquiries and events; the network is somebody else's.

mod choice;
mod object;
mod reach;
mod sandbox;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use choice::{Methods, Provider, Providers, ProvidersError, Rule, Unserved};
pub(crate) use object::Object;
pub use object::WrongField;
pub use reach::{Called, Calling, Reach, Reached};

use crate::{Fact, JsonError, Operation};

/// A request to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query, below the provider's address.
    pub path: String,
    /// Headers beside those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON, or nothing.
    pub body: Option<Vec<u8>>,
}

/// What a provider's answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAnswer {
    /// The outcome of the operation, for good.
    Done {
        /// What it says.
        fact: Fact,
        /// The bytes that say it; none where the status alone does.
        answer: Vec<u8>,
    },
    /// The provider does not know the operation.
    Unknown,
    /// Nothing that could be relied on, and why.
    Nothing(String),
    /// An answer that cannot be right, whatever is known of the operation.
    Wrong {
        /// Why.
        cause: String,
        /// The bytes of the answer.
        answer: Vec<u8>,
    },
}

/// An event of a provider, as far as we understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's own id for it.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// What it says of which operation (by provider key); `None` for a type that means nothing to us.
    pub fact: Option<(String, Fact)>,
}

/// Why bytes are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// Not JSON, or a key stands twice, wherever.
    #[error("the event cannot be read: {0}")]
    Json(#[from] JsonError),
    /// A field that every event, or every event of its type, must carry is missing or wrong.
    #[error("the event is not whole: {0}")]
    Field(#[from] WrongField),
}

/// How a provider is asked, and what its answers and its events mean.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// Asks for an operation to be done. The same operation asked for again is done once.
    fn charge(&self, operation: &Operation) -> Outgoing;

    /// Reads the answer to [`Dialect::charge`].
    fn charged(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// Asks for the outcome of an operation.
    fn inquiry(&self, operation: &Operation) -> Outgoing;

    /// Reads the answer to [`Dialect::inquiry`].
    fn inquired(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// Reads the bytes of an event whose signature was verified.
    ///
    /// # Errors
    /// [`MalformedEvent`] names what is wrong first.
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

/// Reads an event in the first dialect in which it is one. The books say which provider sent it, and not in which
/// dialect; who only looks at books has no settings to tell.
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
