//! The state machines of a payment and of an operation. `machines.rs` prints all machines and compares them with the
//! documents and the database.

/// The state of a payment. An unfinished state is named after the thing that the payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// It waits for a payment method, or for a new one.
    RequiresPaymentMethod,
    /// It waits for the merchant's confirmation.
    RequiresConfirmation,
    /// It waits for the payer, who must do something at the provider.
    RequiresAction,
    /// It waits for the provider.
    Processing,
    /// The money is authorized, and a part of it waits to be captured.
    RequiresCapture,
    /// Final: money was taken, and nothing is left to be captured.
    Succeeded,
    /// Final: no money was taken, and none will be.
    Canceled,
}

/// An event in the life of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentEvent {
    /// The merchant confirmed, and an operation was submitted.
    Confirmed,
    /// The provider waits for the payer.
    ActionRequired,
    /// The money is authorized, and waits to be captured.
    Authorized,
    /// The charge or the authorization failed.
    Failed,
    /// All that was left of the authorization is being captured or voided.
    Closing,
    /// A part of the authorization is left after all, because its capture or its voiding failed.
    Reopened,
    /// Nothing is left of the authorization, and money was taken.
    Captured,
    /// Nothing is left of the authorization, and no money was taken.
    Voided,
    /// The merchant canceled the payment before it went to a provider.
    Canceled,
}

/// The state of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// It is stored.
    Created,
    /// It is about to be sent, or was sent.
    Submitted,
    /// The provider has carried it out.
    Succeeded,
    /// The provider has refused it.
    Failed,
    /// The provider may or may not have done it.
    Unknown,
    /// Final: it was given up before it was sent.
    Canceled,
}

/// An event in the life of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationEvent {
    /// The operation is handed to a worker.
    Submitted,
    /// The provider reports a success.
    Succeeded,
    /// The provider reports a refusal.
    Failed,
    /// The provider has not reported the outcome.
    Lost,
    /// It is given up before it was sent: a payout that no order for a bank has.
    Canceled,
}

/// The machine has no such edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{machine} in state {state} cannot take {event}")]
pub struct IllegalEdge {
    /// `payment` or `operation`.
    pub machine: &'static str,
    /// The present state.
    pub state: &'static str,
    /// The event.
    pub event: &'static str,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::RequiresPaymentMethod,
        Self::RequiresConfirmation,
        Self::RequiresAction,
        Self::Processing,
        Self::RequiresCapture,
        Self::Succeeded,
        Self::Canceled,
    ];

    /// The name, as it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
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
    pub const fn on(self, event: PaymentEvent) -> Result<Self, IllegalEdge> {
        use PaymentEvent as E;
        use PaymentState as S;
        match (self, event) {
            (S::RequiresPaymentMethod | S::RequiresConfirmation, E::Confirmed)
            | (S::RequiresCapture, E::Closing) => Ok(S::Processing),
            (S::Processing, E::ActionRequired) => Ok(S::RequiresAction),
            (S::Processing | S::RequiresAction, E::Authorized) | (S::Processing, E::Reopened) => {
                Ok(S::RequiresCapture)
            }
            (S::Processing | S::RequiresAction, E::Captured) => Ok(S::Succeeded),
            (S::Processing | S::RequiresAction, E::Failed) => Ok(S::RequiresPaymentMethod),
            (S::RequiresPaymentMethod | S::RequiresConfirmation, E::Canceled)
            | (S::Processing, E::Voided) => Ok(S::Canceled),
            (
                S::RequiresAction | S::Processing | S::RequiresCapture | S::Succeeded | S::Canceled,
                E::Confirmed | E::Canceled,
            )
            | (
                S::RequiresPaymentMethod
                | S::RequiresConfirmation
                | S::RequiresAction
                | S::RequiresCapture
                | S::Succeeded
                | S::Canceled,
                E::ActionRequired | E::Reopened | E::Voided,
            )
            | (
                S::RequiresPaymentMethod
                | S::RequiresConfirmation
                | S::RequiresCapture
                | S::Succeeded
                | S::Canceled,
                E::Authorized | E::Captured | E::Failed,
            )
            | (
                S::RequiresPaymentMethod
                | S::RequiresConfirmation
                | S::RequiresAction
                | S::Processing
                | S::Succeeded
                | S::Canceled,
                E::Closing,
            ) => Err(IllegalEdge {
                machine: "payment",
                state: self.name(),
                event: event.name(),
            }),
        }
    }
}

impl PaymentEvent {
    /// Every event.
    pub const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::ActionRequired,
        Self::Authorized,
        Self::Failed,
        Self::Closing,
        Self::Reopened,
        Self::Captured,
        Self::Voided,
        Self::Canceled,
    ];

    /// The name of the event, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::ActionRequired => "action_required",
            Self::Authorized => "authorized",
            Self::Failed => "failed",
            Self::Closing => "closing",
            Self::Reopened => "reopened",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Canceled => "canceled",
        }
    }
}

impl OperationState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Submitted,
        Self::Succeeded,
        Self::Failed,
        Self::Unknown,
        Self::Canceled,
    ];

    /// The name, as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Submitted => "submitted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
        }
    }

    /// The state with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state after an event. A final state takes no event. [`crate::record_outcome`] decides whether a
    /// repeated fact agrees with it.
    ///
    /// # Errors
    /// [`IllegalEdge`] if the machine has no such edge.
    pub const fn on(self, event: OperationEvent) -> Result<Self, IllegalEdge> {
        use OperationEvent as E;
        use OperationState as S;
        match (self, event) {
            (S::Created, E::Submitted) => Ok(S::Submitted),
            (S::Submitted | S::Unknown, E::Succeeded) => Ok(S::Succeeded),
            (S::Submitted | S::Unknown, E::Failed) => Ok(S::Failed),
            (S::Submitted | S::Unknown, E::Lost) => Ok(S::Unknown),
            (S::Submitted, E::Canceled) => Ok(S::Canceled),
            (S::Created, E::Succeeded | E::Failed | E::Lost | E::Canceled)
            | (S::Submitted, E::Submitted)
            | (S::Unknown, E::Submitted | E::Canceled)
            | (
                S::Succeeded | S::Failed | S::Canceled,
                E::Submitted | E::Succeeded | E::Failed | E::Lost | E::Canceled,
            ) => Err(IllegalEdge {
                machine: "operation",
                state: self.name(),
                event: event.name(),
            }),
        }
    }
}

impl OperationEvent {
    /// Every event.
    pub const ALL: [Self; 5] = [
        Self::Submitted,
        Self::Succeeded,
        Self::Failed,
        Self::Lost,
        Self::Canceled,
    ];

    /// The name of the event, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Canceled => "canceled",
        }
    }
}
