//! The id of an approval, and its state machine.

use crate::state::IllegalEdge;

store::typed_id!(
    /// An approval's id: `apr_…`.
    ApprovalId,
    "apr"
);

/// The state of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalState {
    /// It waits for a decision.
    Proposed,
    /// Final: a second person has approved.
    Approved,
    /// Final: a second person has rejected.
    Rejected,
    /// Final: nobody has decided in time.
    Expired,
    /// Final: what it is about was canceled before a decision.
    Withdrawn,
}

/// An event in the life of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalEvent {
    /// A second person approves.
    Approved,
    /// A second person rejects.
    Rejected,
    /// The time to decide is over.
    Expired,
    /// What it is about is canceled.
    Withdrawn,
}

impl ApprovalState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Proposed,
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalEdge`] if the machine has no such edge.
    pub const fn on(self, event: ApprovalEvent) -> Result<Self, IllegalEdge> {
        use ApprovalEvent as E;
        use ApprovalState as S;
        match (self, event) {
            (S::Proposed, E::Approved) => Ok(S::Approved),
            (S::Proposed, E::Rejected) => Ok(S::Rejected),
            (S::Proposed, E::Expired) => Ok(S::Expired),
            (S::Proposed, E::Withdrawn) => Ok(S::Withdrawn),
            (
                S::Approved | S::Rejected | S::Expired | S::Withdrawn,
                E::Approved | E::Rejected | E::Expired | E::Withdrawn,
            ) => Err(IllegalEdge {
                machine: "approval",
                state: self.name(),
                event: event.name(),
            }),
        }
    }
}

impl ApprovalEvent {
    /// Every event.
    pub const ALL: [Self; 4] = [
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// The name of the event, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}
