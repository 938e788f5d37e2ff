//! Providers as they are reached: who is behind this seam has the network, and places for calls.

use std::pin::Pin;

use super::ProviderAnswer;
use crate::Operation;

/// A call under way.
pub type Calling<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The outcome of a call for a new operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// The provider was asked.
    Heard(ProviderAnswer),
    /// It was not asked, because it has only failed lately. It may be asked after so many milliseconds.
    LeftAlone(i64),
    /// There was no place for the call before its lease ran out.
    TooLate,
}

/// A provider that this process can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Duration of the lease under which an operation is sent to it, in milliseconds.
    pub lease_millis: i64,
    /// Number of inquiries that it can be sent now.
    pub free_inquiries: usize,
}

/// The way to all providers. The name of a provider stands in the operation.
pub trait Reach: Send + Sync {
    /// A provider by its name; `None` if this process cannot reach it.
    fn reached(&self, provider: &str) -> Option<Reached>;

    /// The names of the providers that cannot be sent an inquiry at the moment.
    fn full(&self) -> Vec<String>;

    /// Asks for a new operation to be done, in a place of its own.
    fn charge<'a>(&'a self, operation: &'a Operation) -> Calling<'a, Called>;

    /// Waits for a place for an inquiry; it is free again once the value is dropped.
    fn place<'a>(&'a self, provider: &'a str) -> Calling<'a, Option<Box<dyn Send>>>;

    /// Asks for the outcome of an operation, in a place that the caller has.
    fn inquire<'a>(&'a self, operation: &'a Operation) -> Calling<'a, ProviderAnswer>;

    /// Asks for an operation to be done that the provider has never heard of, in the place of the inquiry.
    fn charge_again<'a>(&'a self, operation: &'a Operation) -> Calling<'a, ProviderAnswer>;

    /// Waits until all calls have ended.
    fn end(&self) -> Calling<'_, ()>;
}
