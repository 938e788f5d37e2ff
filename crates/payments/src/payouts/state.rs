//! The state machine of a payout.

use crate::state::IllegalEdge;

/// The state of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayoutState {
    /// It waits for the approval of a second person.
    RequiresApproval,
    /// It waits for the provider.
    Processing,
    /// Final: the money was paid out.
    Paid,
    /// Final: the provider has refused it.
    Failed,
    /// Final: it was not approved, or was canceled before it was sent.
    Canceled,
}

/// An event in the life of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayoutEvent {
    /// A second person has approved it.
    Approved,
    /// It was rejected, or nobody has decided in time.
    Dropped,
    /// The provider has paid.
    Paid,
    /// The provider has refused it.
    Failed,
    /// A request has canceled it before it was sent.
    Canceled,
}

impl PayoutState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::RequiresApproval,
        Self::Processing,
        Self::Paid,
        Self::Failed,
        Self::Canceled,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequiresApproval => "requires_approval",
            Self::Processing => "processing",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
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
    pub const fn on(self, event: PayoutEvent) -> Result<Self, IllegalEdge> {
        use PayoutEvent as E;
        use PayoutState as S;
        match (self, event) {
            (S::RequiresApproval, E::Approved) => Ok(S::Processing),
            (S::RequiresApproval, E::Dropped | E::Canceled)
            // It is only taken while the payout waits for an order of a bank.
            | (S::Processing, E::Canceled) => Ok(S::Canceled),
            (S::Processing, E::Paid) => Ok(S::Paid),
            (S::Processing, E::Failed) => Ok(S::Failed),
            (S::RequiresApproval, E::Paid | E::Failed)
            | (S::Processing, E::Approved | E::Dropped)
            | (
                S::Paid | S::Failed | S::Canceled,
                E::Approved | E::Dropped | E::Paid | E::Failed | E::Canceled,
            ) => Err(IllegalEdge {
                machine: "payout",
                state: self.name(),
                event: event.name(),
            }),
        }
    }
}

impl PayoutEvent {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::Approved,
        Self::Dropped,
        Self::Paid,
        Self::Failed,
        Self::Canceled,
    ];

    /// The name of the event, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Dropped => "dropped",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}
