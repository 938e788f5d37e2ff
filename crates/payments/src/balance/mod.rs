//! The merchant's balance: pending, available, reserved and in transit, by currency.
//!
//! It is what the accounts of payments say ([`crate::postings`]); nothing is counted twice or kept beside them.

mod http;
pub mod show;

use edge::Capability;

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: &[],
};
