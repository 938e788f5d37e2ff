//! The codes of disputes.

edge::codes! {
    DISPUTE_STATE_CONFLICT: "dispute_state_conflict" 409 INVALID_REQUEST NEVER KEPT "The state of the dispute does not allow this";
    EVIDENCE_REQUIRED: "evidence_required" 422 INVALID_REQUEST NEVER FREE "No evidence was written for this dispute";
}
