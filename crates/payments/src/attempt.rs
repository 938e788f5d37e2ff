//! The state of an attempt, which is derived and stored nowhere.
//!
//! An attempt is one conversation with a provider: a charge or an authorization, and all later operations on that charge.
//! It begins when the payment is confirmed. Its state follows from that of its payment as long as it is the last one; an
//! earlier attempt has failed, because only a payment whose last attempt has failed can be confirmed again.

use crate::tables::PaymentRow;
use crate::{OperationState, PaymentState};

/// The state of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AttemptState {
    /// It waits for the provider.
    Processing,
    /// It waits for the payer.
    RequiresAction,
    /// The money is authorized, and a part of it can be captured.
    Authorized,
    /// Final: money was taken.
    Succeeded,
    /// Final: the provider has refused the charge or the authorization.
    Failed,
    /// Final: the authorization was voided, and no money was taken.
    Voided,
}

impl AttemptState {
    /// Every state.
    #[cfg(test)]
    const ALL: [Self; 6] = [
        Self::Processing,
        Self::RequiresAction,
        Self::Authorized,
        Self::Succeeded,
        Self::Failed,
        Self::Voided,
    ];

    /// The name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::RequiresAction => "requires_action",
            Self::Authorized => "authorized",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Voided => "voided",
        }
    }

    /// The state of the attempt with this number, from 1. `None` if the payment has no such attempt.
    pub(crate) fn of(payment: &PaymentRow, number: i32) -> Option<Self> {
        if number < 1 || number > payment.attempts {
            return None;
        }
        if number < payment.attempts {
            return Some(Self::Failed);
        }
        PaymentState::from_name(&payment.status)
            .map(|state| Self::last(state, payment.authorized > 0))
    }

    /// The state of the last attempt of a payment in this state, by whether money was ever authorized.
    const fn last(payment: PaymentState, was_authorized: bool) -> Self {
        match payment {
            PaymentState::RequiresPaymentMethod | PaymentState::RequiresConfirmation => {
                Self::Failed
            }
            PaymentState::RequiresAction => Self::RequiresAction,
            PaymentState::Processing => Self::Processing,
            PaymentState::RequiresCapture => Self::Authorized,
            PaymentState::Succeeded => Self::Succeeded,
            PaymentState::Canceled if was_authorized => Self::Voided,
            // The payment was canceled after the attempt had failed.
            PaymentState::Canceled => Self::Failed,
        }
    }

    /// True if the operation that begins an attempt in this state may be in this state of its own.
    pub(crate) const fn may_have_begun_with(self, state: OperationState) -> bool {
        match (self, state) {
            // The last part of an authorization is processed, or the charge itself.
            (
                Self::Processing,
                OperationState::Submitted | OperationState::Unknown | OperationState::Succeeded,
            )
            | (Self::RequiresAction, OperationState::Unknown)
            | (Self::Authorized | Self::Succeeded | Self::Voided, OperationState::Succeeded)
            | (Self::Failed, OperationState::Failed) => true,
            (
                Self::Processing,
                OperationState::Created | OperationState::Failed | OperationState::Canceled,
            )
            | (
                Self::RequiresAction,
                OperationState::Created
                | OperationState::Submitted
                | OperationState::Succeeded
                | OperationState::Failed
                | OperationState::Canceled,
            )
            | (
                Self::Authorized | Self::Succeeded | Self::Voided,
                OperationState::Created
                | OperationState::Submitted
                | OperationState::Unknown
                | OperationState::Failed
                | OperationState::Canceled,
            )
            | (
                Self::Failed,
                OperationState::Created
                | OperationState::Submitted
                | OperationState::Unknown
                | OperationState::Succeeded
                | OperationState::Canceled,
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::PaymentEvent;

    /// The state of an attempt after an event of its payment, in which the payment has this state. `None` if the payment
    /// takes no such event, or if it begins the next attempt.
    fn after(state: PaymentState, event: PaymentEvent) -> Option<AttemptState> {
        let next = state.on(event).ok()?;
        let begins_next = event == PaymentEvent::Confirmed;
        let is_void = event == PaymentEvent::Voided;
        (!begins_next).then(|| AttemptState::last(next, is_void))
    }

    /// The attempt as a table: a row for each state, a column for each event of the payment.
    fn table() -> String {
        let events = PaymentEvent::ALL.map(PaymentEvent::name).join(" | ");
        let mut text = format!("| attempt | {events} |\n|{}\n", "---|".repeat(10));
        let begun = PaymentEvent::ALL.map(|event| {
            let first = PaymentState::RequiresConfirmation.on(event).ok();
            let begins = event == PaymentEvent::Confirmed;
            let state = first
                .filter(|_| begins)
                .map(|next| AttemptState::last(next, false));
            state.map_or("–", AttemptState::name)
        });
        text += &format!("| (none yet) | {} |\n", begun.join(" | "));
        for attempt in AttemptState::ALL {
            let cells = PaymentEvent::ALL.map(|event| {
                let of = PaymentState::ALL.into_iter().filter(|state| {
                    // A payment that is canceled is so after a failure, or by a void.
                    [false, true]
                        .iter()
                        .any(|was| AttemptState::last(*state, *was) == attempt)
                });
                let mut next: Vec<&str> = of
                    .filter_map(|state| after(state, event))
                    .filter(|next| *next != attempt)
                    .map(AttemptState::name)
                    .collect();
                next.dedup();
                assert!(next.len() < 2, "{attempt:?} {event:?}: {next:?}");
                next.first().copied().unwrap_or("–")
            });
            text += &format!("| {} | {} |\n", attempt.name(), cells.join(" | "));
        }
        text
    }

    #[test]
    fn the_document_prints_the_attempt_as_it_is_derived() {
        let document = include_str!("../../../docs/payment-states.md");
        let table = table();
        assert!(
            document.contains(&table),
            "docs/payment-states.md should contain:\n{table}"
        );
    }

    #[test]
    fn a_final_attempt_never_changes() {
        use AttemptState as A;
        for state in PaymentState::ALL {
            for event in PaymentEvent::ALL {
                for was_authorized in [false, true] {
                    let before = A::last(state, was_authorized);
                    let is_final = [A::Succeeded, A::Failed, A::Voided].contains(&before);
                    let next = after(state, event);
                    assert!(
                        !is_final || next.is_none_or(|next| next == before),
                        "{state:?} {event:?}"
                    );
                }
            }
        }
    }
}
