//! Statements: questions about the past of an account, and about many accounts together.

mod one;
pub mod show;
mod totals;

use edge::{Capability, Routes};

/// What the edge gets of it.
pub(crate) const CAPABILITY: Capability = Capability { routes, codes: &[] };

/// The routes that look back, and those about many accounts. They belong to the group of accounts.
fn routes(r: &mut Routes) {
    one::routes(r);
    totals::routes(r);
}
