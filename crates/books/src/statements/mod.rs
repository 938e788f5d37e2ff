//! Statements: questions about the past of an account, and about many accounts together.

mod one;
pub mod show;
mod totals;

use edge::Routes;

/// The routes that look back, and those about many accounts. They belong to the group of accounts.
pub(crate) fn routes(r: &mut Routes) {
    one::routes(r);
    totals::routes(r);
}
