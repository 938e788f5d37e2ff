//! Transactions: the steps of the books, one or many at once.

mod action;
mod bulk;
pub(crate) mod codes;
mod describe;
mod expire;
pub(crate) mod http;
mod one;
pub(crate) mod reference;
mod replay;
pub mod show;
mod step;

pub use action::{Action, Details, Draft, Expiry, Swap};
pub use bulk::{Bulk, Results};
pub use describe::Describe;
pub use expire::{Expire, Expiries};
pub use one::{StepResult, Transact};
pub use replay::{ReplaySource, again, make_again};
pub use step::EXPIRY;

use edge::Capability;
use ledger::tables::Needs;

/// The routes and codes, for the edge.
pub(crate) const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Asks for the rows that an action needs.
fn ask_for(needs: &mut Needs, action: &Action) {
    match action {
        Action::Post(draft) => {
            let accounts = draft.postings.iter().flat_map(|p| [p.debit, p.credit]);
            needs.accounts.extend(accounts);
        }
        Action::Exchange(swap) => {
            let accounts = [swap.from, swap.to, swap.sold_to, swap.bought_from];
            needs.accounts.extend(accounts);
        }
        Action::Fulfil { .. } | Action::Void { .. } | Action::Reverse { .. } => {}
    }
    needs.transactions.extend(action.about());
    let details = action.details();
    let name = details.external_id.as_ref().map(ToString::to_string);
    needs.external_ids.extend(name);
    // An effective time that is in the future now may be in the past when the command is decided.
    needs.period |= details.effective_at.is_some();
}
