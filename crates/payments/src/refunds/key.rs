//! The names of refunds: their ids, the provider keys of returns, and why one waits.

use crate::OperationId;

store::typed_id!(
    /// A refund's id: `re_…`, with the bytes of its operation's id.
    RefundId,
    "re"
);

impl RefundId {
    /// The id of the refund that this operation makes.
    #[must_use]
    pub const fn of(operation: OperationId) -> Self {
        Self::from_bytes(operation.bytes())
    }
}

/// The provider key of the return of a refund. It is unique, so a refund comes back once at most.
pub(crate) fn return_key(refund: &str) -> String {
    format!("{refund}:return")
}

/// The reason for which a refund was not sent yet.
pub(crate) const INSUFFICIENT_FUNDS: &str = "insufficient_funds";
