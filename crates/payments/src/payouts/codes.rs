//! The codes of payouts.

edge::codes! {
    PAYOUT_STATE_CONFLICT: "payout_state_conflict" 409 INVALID_REQUEST NEVER KEPT "The state of the payout does not allow this";
}
