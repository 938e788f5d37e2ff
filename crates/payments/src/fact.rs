//! What a provider reports about an operation, in no dialect.

use store::Timestamp;

use crate::Record;
use crate::disputes::dispute::DisputeFact;
use crate::state::OperationState;

/// A provider's report on the outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The operation succeeded.
    Succeeded {
        /// The record of it.
        record: Record,
    },
    /// The operation was refused for ever.
    Failed {
        /// The provider's reason.
        decline_code: String,
        /// The record of it; `None` if the provider has refused the request without making a record.
        record: Option<Record>,
    },
    /// The provider waits for the payer, who must do something there. The outcome is not known yet.
    ActionRequired {
        /// Where the payer must go.
        url: String,
        /// The record of the charge so far.
        record: Record,
        /// The earliest time of the next inquiry.
        retry_at: Timestamp,
    },
    /// A refund or a payout had succeeded, and came back.
    Returned {
        /// The record of it.
        record: Record,
    },
    /// A refund or a payout failed. The provider may have reported before that it succeeded: then it came back, and
    /// otherwise it never succeeded.
    Undone {
        /// The provider's reason.
        decline_code: String,
        /// The record of it.
        record: Record,
    },
    /// The payer's bank disputes a charge that had succeeded, or there is news of such a dispute.
    Disputed(DisputeFact),
    /// The outcome is not known.
    Unknown {
        /// The earliest time of the next inquiry.
        retry_at: Timestamp,
    },
}

impl Fact {
    /// The record in the fact, if there is one.
    #[must_use]
    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Succeeded { record }
            | Self::ActionRequired { record, .. }
            | Self::Returned { record }
            | Self::Undone { record, .. } => Some(record),
            Self::Failed { record, .. } => record.as_ref(),
            Self::Disputed(_) | Self::Unknown { .. } => None,
        }
    }

    /// What the fact says about an operation in this state. [`Fact::Undone`] becomes [`Fact::Returned`] or
    /// [`Fact::Failed`]; all other facts say the same about every state.
    #[must_use]
    pub fn about(&self, state: OperationState) -> Self {
        match self {
            Self::Undone { record, .. } if state == OperationState::Succeeded => Self::Returned {
                record: record.clone(),
            },
            Self::Undone {
                decline_code,
                record,
            } => Self::Failed {
                decline_code: decline_code.clone(),
                record: Some(record.clone()),
            },
            Self::Succeeded { .. }
            | Self::Failed { .. }
            | Self::ActionRequired { .. }
            | Self::Returned { .. }
            | Self::Disputed(_)
            | Self::Unknown { .. } => self.clone(),
        }
    }
    /// Whether nothing can be done with the fact before the outcome of its operation is known.
    pub(crate) const fn waits_for_the_end(&self) -> bool {
        match self {
            Self::Disputed(_) => true,
            Self::Succeeded { .. }
            | Self::Failed { .. }
            | Self::ActionRequired { .. }
            | Self::Returned { .. }
            | Self::Undone { .. }
            | Self::Unknown { .. } => false,
        }
    }
}
