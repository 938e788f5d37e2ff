//! The seam between payments and the network: the code behind it calls the providers, and limits the number of
//! calls by places.

use std::pin::Pin;

use store::TenantId;

use super::ProviderAnswer;
use crate::LeasedOperation;

/// A call that has begun.
pub type CallFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The outcome of a call for a new operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The provider was called; the meaning of its answer.
    Answered(ProviderAnswer),
    /// The provider was not called, because its last calls have all failed. It may be called after this number of
    /// milliseconds.
    CircuitOpen(i64),
    /// There was no place for the call before the lease ran out.
    TooLate,
}

/// A provider that this process can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReachableProvider {
    /// Duration of the lease under which an operation is sent to the provider, in milliseconds.
    pub lease_millis: i64,
    /// Number of inquiries that can be sent to the provider now.
    pub free_inquiries: usize,
}

/// The way to all providers. An operation has the name of its provider.
pub trait Reach: Send + Sync {
    /// A provider by its name; `None` if this process cannot reach the provider.
    fn reachable(&self, provider: &str) -> Option<ReachableProvider>;

    /// The names of the providers that have no free place for an inquiry.
    fn full(&self) -> Vec<String>;

    /// Asks for the execution of a new operation of this tenant, in a place of its own.
    fn request<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, CallOutcome>;

    /// Waits for a place for an inquiry. The place is free again once the value is dropped. `None` if this process
    /// cannot reach the provider.
    fn place<'a>(&'a self, provider: &'a str) -> CallFuture<'a, Option<Box<dyn Send>>>;

    /// Asks for the outcome of an operation, in a place that the caller has.
    fn inquire<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, ProviderAnswer>;

    /// Asks for the execution of an operation that the provider does not know, in the place of the inquiry.
    fn request_again<'a>(
        &'a self,
        tenant: TenantId,
        leased: &'a LeasedOperation,
    ) -> CallFuture<'a, ProviderAnswer>;

    /// Waits until all calls have ended.
    fn end(&self) -> CallFuture<'_, ()>;
}
