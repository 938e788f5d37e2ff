//! The outcome of sending evidence.

use store::Timestamp;

use crate::{Operation, Shelf};

/// The provider has taken the evidence.
pub(crate) fn taken(shelf: &mut Shelf, operation: &Operation, now: Timestamp) {
    if let Some(mut dispute) = shelf.dispute_with_id(&operation.dispute()).cloned() {
        dispute.submitted_at = Some(now);
        shelf.change_dispute(&mut dispute, now);
    }
}

/// The provider has refused the evidence: it is a draft again.
pub(crate) fn refused(
    shelf: &mut Shelf,
    operation: &Operation,
    decline_code: &str,
    now: Timestamp,
) {
    if let Some(mut dispute) = shelf.dispute_with_id(&operation.dispute()).cloned() {
        dispute.submission = None;
        dispute.evidence_decline_code = Some(decline_code.to_owned());
        shelf.change_dispute(&mut dispute, now);
    }
}
