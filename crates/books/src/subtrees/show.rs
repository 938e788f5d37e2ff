//! Subtrees as they go out.

use edge::Problem;
use edge::reply::{json, told};
use engine::{Reply, Told};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Refusal, TurnSubtree, Turned, codes};
use crate::shapes::*;

/// The accounts that a request has frozen, or unfrozen.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnedAccounts {
    /// Always `turned_accounts`.
    pub object: &'static str,
    /// Their ids, in the order of their codes. An account that was so before is not among them.
    #[schema(value_type = Vec<AccountId>)]
    pub accounts: Vec<String>,
}

/// Accounts that have changed.
pub(crate) fn turned(turned: &Turned, _is_dry_run: bool) -> Reply {
    let accounts = turned.0.iter().map(ToString::to_string).collect();
    let body = TurnedAccounts {
        object: "turned_accounts",
        accounts,
    };
    json(200, &body)
}

/// Tells why nothing has changed.
pub(crate) fn tell(_command: &TurnSubtree, refusal: &Refusal) -> Told {
    let code = match refusal {
        Refusal::Empty => codes::SUBTREE_EMPTY,
        Refusal::TooLarge => codes::SUBTREE_TOO_LARGE,
    };
    told(&Problem::new(code).at("/code"), code.name)
}
