//! Statements: questions about the past of an account, and about many accounts together.

mod one;
pub mod show;
mod totals;

use edge::{Capability, Routes};

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability { routes, codes: &[] };

/// The routes about the past of an account, and about many accounts. They belong to the group of accounts in
/// the description.
fn routes(r: &mut Routes) {
    one::routes(r);
    totals::routes(r);
}
