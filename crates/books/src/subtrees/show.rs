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
pub struct AccountChanges {
    /// Always `account_changes`.
    pub object: &'static str,
    /// The ids, in the order of the codes. Accounts that had this state before are not among them.
    #[schema(value_type = Vec<AccountId>)]
    pub accounts: Vec<String>,
}

/// The reply with the accounts that have changed.
pub(crate) fn changes(changed: &ChangedAccounts, _is_dry_run: bool) -> Reply {
    let accounts = changed.0.iter().map(ToString::to_string).collect();
    let body = AccountChanges {
        object: "account_changes",
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
