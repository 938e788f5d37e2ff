//! Late money: a provider has taken it although it had said that the charge or the capture failed.
//!
//! It is unallocated until somebody decides, once, about all that has arrived for an operation: the merchant gets it,
//! or it goes back to the payer. The terms may say that it goes back by itself. What is decided is a column of the
//! operation, guarded by the database, so of two decisions that race one is refused.
//!
//! What the merchant gets is pending until its day, less the fee, as if the capture had succeeded. The state and the
//! captured amount of the payment stay as they are, because the payer may have paid in another attempt.
//!
//! What goes back is a refund whose money is the unallocated money, on the charge that has brought it. If it fails, or
//! comes back, the money is unallocated again.

mod allocate;
pub(crate) mod codes;
mod give_back;
mod http;
mod policy;

use edge::Capability;

pub use allocate::AllocateLate;
pub use give_back::GiveBack;
pub(crate) use policy::plan;
pub use policy::{FollowTerms, LateMoneyWork};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};
