//! Providers: how each is asked and understood. Each has a pure module of its own, which builds requests and reads
//! replies, inquiries and events; the network is somebody else's.

pub mod sandbox;

use crate::{Fact, Operation};

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

/// How a provider is asked, and what its answers mean.
pub trait Dialect: Send + Sync {
    /// Asks for an operation to be done. The same operation asked for again is done once.
    fn charge(&self, operation: &Operation) -> Outgoing;

    /// Reads the answer to [`Dialect::charge`].
    fn charged(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;

    /// Asks for the outcome of an operation.
    fn inquiry(&self, operation: &Operation) -> Outgoing;

    /// Reads the answer to [`Dialect::inquiry`].
    fn inquired(&self, operation: &Operation, status: u16, answer: Vec<u8>) -> ProviderAnswer;
}

fn wrong(cause: &str, answer: Vec<u8>) -> ProviderAnswer {
    ProviderAnswer::Wrong {
        cause: cause.to_owned(),
        answer,
    }
}
