//! Closing a period: nothing that happened before is accepted any more.

use store::Timestamp;

use crate::Shelf;

/// Why a period was not closed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// What may still happen stays open: or nothing could be posted now.
    #[error("only what is past can be closed, it is {now} now")]
    InTheFuture {
        /// The present moment.
        now: Timestamp,
    },
    /// The end of what is closed only moves forward.
    #[error("the books are closed before {closed_before} already")]
    Closed {
        /// The earliest moment that is open.
        closed_before: Timestamp,
    },
}

impl PeriodError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        ("in_the_future", "Only what is past is closed."),
        ("closed", "More is closed than was closed before."),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InTheFuture { .. } => "in_the_future",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Closes everything that happened before a moment. It is never opened again.
///
/// # Errors
/// [`PeriodError`] is the first broken rule in documented order; the shelf is then as it was.
pub fn close_period(
    shelf: &mut Shelf,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), PeriodError> {
    if before > now {
        return Err(PeriodError::InTheFuture { now });
    }
    if let Some(closed_before) = shelf.closed_before(now)
        && before <= closed_before
    {
        return Err(PeriodError::Closed { closed_before });
    }
    shelf.put_closed(before);
    Ok(())
}
