//! Exchanges: one currency for another, at a rate that is recorded. An exchange is a step of the books like any
//! other ([`Action::Exchange`](crate::transactions::Action)); here is what only it has.

pub(crate) mod codes;
pub(crate) mod http;
pub mod show;

use edge::Capability;

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};
