//! The replies about subtrees.

use edge::Problem;
use edge::reply::{json, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ChangeSubtree, ChangedAccounts, Refusal, codes};
use crate::shapes::*;

/// The accounts that a request has frozen or unfrozen.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnedAccounts {
    /// Always `turned_accounts`.
    pub object: &'static str,
    /// The ids, in the order of the codes. Accounts that had this state before are not among them.
    #[schema(value_type = Vec<AccountId>)]
    pub accounts: Vec<String>,
}

/// The reply with the accounts that have changed.
pub(crate) fn turned(turned: &ChangedAccounts, _is_dry_run: bool) -> Reply {
    let accounts = turned.0.iter().map(ToString::to_string).collect();
    let body = TurnedAccounts {
        object: "turned_accounts",
        accounts,
    };
    json(200, &body)
}

/// The reply to a refusal.
pub(crate) fn show_refusal(_command: &ChangeSubtree, refusal: &Refusal) -> RefusalReply {
    let code = match refusal {
        Refusal::Empty => codes::SUBTREE_EMPTY,
        Refusal::TooLarge => codes::SUBTREE_TOO_LARGE,
    };
    refusal_reply(&Problem::new(code).at("/code"), code.name)
}
