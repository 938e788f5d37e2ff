//! The codes of bank orders.

edge::codes! {
    NOTHING_WAITS: "nothing_waits" 409 INVALID_REQUEST NEVER FREE "No payout waits for an order of this provider";
    NOT_PAYABLE_BY_BANK: "not_payable_by_bank" 422 INVALID_REQUEST NEVER FREE "A file for a bank cannot have this payout";
}
