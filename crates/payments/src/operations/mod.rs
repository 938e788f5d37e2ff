//! Operations, as a list: everything that a provider was asked to do for a payment.

mod http;
pub mod show;

use edge::Capability;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};
