//! The codes of bank accounts.

edge::codes! {
    BANK_ACCOUNT_NOT_FOUND: "bank_account_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such bank account";
    BANK_ACCOUNT_CLOSED: "bank_account_closed" 409 INVALID_REQUEST NEVER FREE "The bank account gets no further payout";
}
