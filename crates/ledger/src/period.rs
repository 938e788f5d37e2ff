//! Closing of a period: transactions with an earlier effective time are not accepted any more.

use store::Timestamp;

use crate::Shelf;

/// Why a period was not closed: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The end of the period would lie in the future; then nothing could be posted now.
    #[error("only what is past can be closed, it is {now} now")]
    InTheFuture {
        /// The present moment.
        now: Timestamp,
    },
    /// The period is closed further already; the end only moves forward.
    #[error("the books are closed before {closed_before} already")]
    Closed {
        /// The earliest moment that is not closed.
        closed_before: Timestamp,
    },
}

impl PeriodError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        ("in_the_future", "Only what is past is closed."),
        ("closed", "More is closed than was closed before."),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InTheFuture { .. } => "in_the_future",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Closes the period before a moment. A closed period is never opened again.
///
/// # Errors
/// [`PeriodError`] names the first broken rule in documented order; the shelf is then unchanged.
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
