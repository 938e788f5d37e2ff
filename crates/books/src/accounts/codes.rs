//! The codes of accounts.

edge::codes! {
    ACCOUNT_NOT_FOUND: "account_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such account";
    ACCOUNT_EXISTS: "account_exists" 409 INVALID_REQUEST NEVER KEPT "There is such an account already";
    ACCOUNT_CLOSED: "account_closed" 409 INVALID_REQUEST NEVER KEPT "The account is closed";
    ACCOUNT_FROZEN: "account_frozen" 409 INVALID_REQUEST NEVER KEPT "The account is frozen";
    ACCOUNT_STATE_CONFLICT: "account_state_conflict" 409 INVALID_REQUEST NEVER KEPT "The state of the account does not allow this";
}
