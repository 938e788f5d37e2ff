//! Exchanges: one currency for another, at a rate that is recorded. An exchange is a step like any other
//! ([`Action::Exchange`](crate::transactions::Action)). This folder has the parts that only exchanges have.

pub(crate) mod codes;
pub(crate) mod http;
pub mod show;

use edge::Capability;

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};
