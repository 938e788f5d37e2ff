//! Access: the mode of the books, tenants with their clocks, and the API keys that act for them.
//!
//! Books have one mode from their first day, sandbox or live, which never changes. A tenant is made together
//! with its empty audit log. Only the SHA-256 of an API key is stored.

pub mod clocks;
mod keys;
mod mode;
mod provision;
mod recorded;
pub mod resets;
mod schema;
pub mod tenants;

pub use keys::{believed, caller, hash, label, new_key};
pub use mode::{Mode, mode};
pub use provision::{Needs, Provision, ProvisionError, Shelf};
pub use tenants::{MAX_NAME_LENGTH, NameError, Operator, parse_name, tenants};

use edge::{Capability, State};
use engine::check::Family;

/// The family's part of the check.
pub const FAMILY: Family = Family {
    guards: &["books_immutable", "books_kept"],
    invariants: &[],
    recorder: || Box::new(recorded::Tenants::default()),
};

/// The capabilities of access.
pub const CAPABILITIES: &[Capability] =
    &[tenants::CAPABILITY, clocks::CAPABILITY, resets::CAPABILITY];

/// The state, with the part that the handlers of access need.
#[must_use]
pub fn bring(state: State, operator: Operator) -> State {
    state.with(operator)
}
