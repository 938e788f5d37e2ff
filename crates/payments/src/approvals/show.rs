//! The replies about approvals.

use edge::Problem;
use edge::reply::{moment, refusal_reply};
use engine::{RefusalReply, Reply};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Action, DecideApproval, DecisionError, codes};
use crate::balances_after::{AccountAfter, BalancesAfter, answer, moved};
use crate::moved;
use crate::payouts::PayoutId;
use crate::problems::sentence;
use crate::shapes::*;

/// An approval in its present state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approval {
    /// `apr_…`
    #[schema(value_type = ApprovalId)]
    pub id: String,
    /// Always `approval`.
    pub object: &'static str,
    /// What is done once it is approved.
    #[schema(value_type = ApprovalAction)]
    pub action: &'static str,
    /// What it is about: for `payout`, the payout.
    #[schema(value_type = ShortText)]
    pub subject: String,
    /// The state.
    #[schema(value_type = ApprovalStatus)]
    pub status: &'static str,
    /// The label of the key that has proposed it.
    pub proposed_by: String,
    /// The label of the key that has decided.
    #[schema(required)]
    pub decided_by: Option<String>,
    /// The reason of the decision.
    #[schema(required)]
    pub reason: Option<String>,
    /// When it expires without a decision.
    #[schema(value_type = Moment)]
    pub expires_at: String,
    /// When it was proposed.
    #[schema(value_type = Moment)]
    pub created_at: String,
    /// When it was decided, or expired.
    #[schema(value_type = Option<Moment>, required)]
    pub decided_at: Option<String>,
    /// Number of this version: 1 while it waits for a decision, 2 after it.
    #[schema(value_type = Count)]
    pub version: i64,
    /// What the request has left on the accounts. Only the answer to a request that moves money has it; it is empty if
    /// no money was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub balances_after: Option<Vec<AccountAfter>>,
}

moved!(Approval);

/// The reply to a decision.
pub(crate) fn decided(
    (decided, after): &(super::Approval, BalancesAfter),
    _is_dry_run: bool,
) -> Reply {
    answer(200, approval(decided), after)
}

/// The reply to a refusal.
pub(crate) fn show_refusal(_command: &DecideApproval, rule: &DecisionError) -> RefusalReply {
    let told = || sentence(&rule.to_string());
    match rule {
        DecisionError::NotFound => refusal_reply(&Problem::new(edge::code::NOT_FOUND), "not_found"),
        DecisionError::Decided(state) => {
            let problem = Problem::new(codes::APPROVAL_DECIDED).with_detail(told());
            let problem = problem.with_state(state.name(), Vec::new());
            refusal_reply(&problem, codes::APPROVAL_DECIDED.name)
        }
        DecisionError::SamePerson => {
            let problem = Problem::new(codes::SECOND_PERSON_REQUIRED).with_detail(told());
            refusal_reply(&problem, codes::SECOND_PERSON_REQUIRED.name)
        }
        DecisionError::Refused(rule) => refusal_reply(&moved::refused(rule), rule.code()),
    }
}

/// An approval.
pub(crate) fn approval(approval: &super::Approval) -> Approval {
    Approval {
        id: approval.id.to_string(),
        object: "approval",
        action: approval.action.name(),
        subject: match approval.action {
            Action::Payout => PayoutId::from_bytes(approval.subject).to_string(),
        },
        status: approval.state.name(),
        proposed_by: approval.proposed_by.clone(),
        decided_by: approval.decided_by.clone(),
        reason: approval.reason.clone(),
        expires_at: moment(approval.expires_at),
        created_at: moment(approval.created_at),
        decided_at: approval.decided_at.map(moment),
        version: approval.version(),
        balances_after: None,
    }
}
