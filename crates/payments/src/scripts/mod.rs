//! Scripts: a tenant in sandbox mode makes the sandbox provider fail as it wants. A fault names an operation, the calls
//! that it hits, and what happens to these calls.
//!
//! The provider plays the faults ([`faults::Desk`]); no row of the books knows of them. So they are set without the lane,
//! leave no audit record, and are gone with the process.

mod http;
mod order;
pub mod show;

use std::sync::Arc;

use edge::Capability;
use faults::Desk;

edge::codes! {
    TOO_MANY_FAULTS: "too_many_faults" 409 INVALID_REQUEST NEVER FREE "There are too many scripted faults";
    NO_SANDBOX_PROVIDER: "no_sandbox_provider" 409 INVALID_REQUEST NEVER FREE "This server plays no provider";
}

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: ALL,
};

/// The providers that this process plays, by name, with the desk of each. The one of `--provider` comes first, if it is
/// played. `None` in live mode.
#[derive(Debug, Clone, Default)]
pub struct Desks(pub Option<Vec<(String, Arc<Desk>)>>);
