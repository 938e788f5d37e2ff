//! The codes of payments.

edge::codes! {
    DECLINED: "declined" 402 CARD NEVER KEPT "The provider has declined it";
    NO_PROVIDER: "no_provider" 422 INVALID_REQUEST NEVER FREE "No provider takes this payment";
    OPERATION_IN_FLIGHT: "operation_in_flight" 409 INVALID_REQUEST LATER FREE "Another operation has no outcome yet";
    PAYMENT_STATE_CONFLICT: "payment_state_conflict" 409 INVALID_REQUEST NEVER KEPT "The state of the payment does not allow this";
}
