//! Approvals: what is too much for one person is proposed by one and decided by another.
//!
//! An approval names an action and what it is about. Somebody proposes, in the commit that makes the thing; somebody
//! else approves or rejects it; after three days without a decision it expires. The decision and its effect are one
//! commit. Nobody decides on what they have proposed.

mod codes;
mod decide;
mod expire;
mod http;
mod limits;
mod shelf;
pub mod show;
pub(crate) mod state;

use edge::Capability;
use engine::errand::{Errand, Errands};
use engine::{Asks, AuditEvent, Book, set};
use store::Timestamp;

pub use decide::{DecideApproval, DecisionError, Verdict};
pub use expire::{ApprovalExpiries, ExpireApprovals};
pub use limits::ApprovalLimits;
pub use shelf::ApprovalShelf;
pub use state::{ApprovalEvent, ApprovalId, ApprovalState};

use crate::balances_after::BalancesAfter;
use crate::payouts::{self, PayoutEvent, PayoutId};
use crate::{Providers, Refusal, Shelf};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Kind of the errand of an approval that waits for a decision.
const EXPIRY: &str = "approval_expiry";
/// Time after which an approval that nobody has decided on expires.
const LIFE_SECONDS: i64 = 72 * 3_600;

/// The thing that is done when an approval is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A payout is made.
    Payout,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 1] = [Self::Payout];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payout => "payout",
        }
    }

    /// The action with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Asks for the rows that the effect of a decision needs.
    fn ask(self, subject: [u8; 16], needs: &mut crate::tables::Needs) {
        match self {
            Self::Payout => needs.payouts.push(PayoutId::from_bytes(subject)),
        }
    }

    /// Does what was approved, and says what it has left on the accounts. If it is refused, the caller undoes everything.
    fn approved(
        self,
        book: &mut Book,
        subject: [u8; 16],
        providers: &Providers,
    ) -> Result<BalancesAfter, Refusal> {
        match self {
            Self::Payout => payouts::approved(book, PayoutId::from_bytes(subject), providers),
        }
    }

    /// Gives up what was rejected, or has expired.
    fn dropped(self, book: &mut Book, subject: [u8; 16]) {
        match self {
            Self::Payout => {
                let id = PayoutId::from_bytes(subject);
                if let Some(payout) = book.shelf::<Shelf>().payout(&id).cloned() {
                    payouts::dropped(book, payout, PayoutEvent::Dropped);
                }
            }
        }
    }
}

/// A decision that one person proposes and another one takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is done once it is approved.
    pub action: Action,
    /// The id of what it is about, by its action.
    pub subject: [u8; 16],
    /// The state.
    pub state: ApprovalState,
    /// The person who has proposed it: the label of their key.
    pub proposed_by: String,
    /// The person who has decided.
    pub decided_by: Option<String>,
    /// The reason of the decision.
    pub reason: Option<String>,
    /// When it expires without a decision.
    pub expires_at: Timestamp,
    /// Time at which it was proposed.
    pub created_at: Timestamp,
    /// Time of the decision.
    pub decided_at: Option<Timestamp>,
}

impl Approval {
    /// Number of the present version. An approval changes once: when it is decided, or expires.
    #[must_use]
    pub const fn version(&self) -> i64 {
        match self.state {
            ApprovalState::Proposed => 1,
            ApprovalState::Approved
            | ApprovalState::Rejected
            | ApprovalState::Expired
            | ApprovalState::Withdrawn => 2,
        }
    }
}

/// Proposes an action on something that the same command has made.
pub(crate) fn propose(
    book: &mut Book,
    id: ApprovalId,
    action: Action,
    subject: [u8; 16],
    by: &str,
) {
    let now = book.now();
    let approval = Approval {
        id,
        action,
        subject,
        state: ApprovalState::Proposed,
        proposed_by: by.to_owned(),
        decided_by: None,
        reason: None,
        expires_at: now.plus_seconds(LIFE_SECONDS),
        created_at: now,
        decided_at: None,
    };
    let (text, expires_at) = (id.to_string(), approval.expires_at);
    let until = expires_at.to_string();
    let delta = [
        set("action", action.name()),
        set("proposed_by", by),
        set("expires_at", &until),
    ];
    book.record(&AuditEvent::done(
        "approval.proposed",
        ("approval", &text),
        &delta,
    ));
    book.shelf_mut::<ApprovalShelf>().0.add(approval);
    let errand = Errand {
        due_at: expires_at,
        epoch: 0,
        place: String::new(),
    };
    let errands = book.shelf_mut::<Errands>().0;
    errands.add((EXPIRY, id.bytes()), errand);
}

/// Asks for what [`withdraw`] needs.
pub(crate) fn ask(asks: &mut Asks<'_>, id: ApprovalId) {
    if let Some(approvals) = asks.of::<ApprovalShelf>() {
        approvals.push(id);
    }
    if let Some(errands) = asks.of::<Errands>() {
        errands.push((EXPIRY, id.bytes()));
    }
}

/// Withdraws an approval, because what it is about is canceled. Nobody has decided on it, so anybody may do this, also
/// the person who has proposed it. The caller gives up what it is about.
pub(crate) fn withdraw(book: &mut Book, id: ApprovalId) {
    let approval = book.shelf::<ApprovalShelf>().approval(&id).cloned();
    if let Some(approval) = approval {
        end(book, approval, ApprovalEvent::Withdrawn, None, None);
    }
    book.shelf_mut::<Errands>().0.end((EXPIRY, id.bytes()));
}

/// Takes an edge of an approval, with its history and its audit record.
fn end(
    book: &mut Book,
    mut approval: Approval,
    event: ApprovalEvent,
    by: Option<&str>,
    reason: Option<&str>,
) -> Approval {
    let now = book.now();
    let from = approval.state.name();
    if let Ok(to) = approval.state.on(event) {
        let shelf = book.shelf_mut::<Shelf>().0;
        shelf.record("approval", approval.id.bytes(), from, to.name(), now);
        approval.state = to;
    }
    approval.decided_by = by.map(str::to_owned);
    approval.reason = reason.map(str::to_owned);
    approval.decided_at = Some(now);
    book.shelf_mut::<ApprovalShelf>().0.change(approval.clone());
    let text = approval.id.to_string();
    let mut delta = vec![engine::changed("status", from, approval.state.name())];
    delta.extend(by.map(|by| set("decided_by", by)));
    let action = match event {
        ApprovalEvent::Approved => "approval.approved",
        ApprovalEvent::Rejected => "approval.rejected",
        ApprovalEvent::Expired => "approval.expired",
        ApprovalEvent::Withdrawn => "approval.withdrawn",
    };
    book.record(&AuditEvent {
        reason,
        ..AuditEvent::done(action, ("approval", &text), &delta)
    });
    approval
}
