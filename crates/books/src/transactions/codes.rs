//! The codes of transactions.

use edge::Code;

use crate::accounts::codes::{ACCOUNT_CLOSED, ACCOUNT_FROZEN};
use crate::periods::codes::PERIOD_CLOSED;

edge::codes! {
    SAME_ACCOUNT: "same_account" 422 INVALID_REQUEST NEVER FREE "The two accounts must differ";
    CURRENCY_MISMATCH: "currency_mismatch" 422 INVALID_REQUEST NEVER FREE "The currencies differ";
    INSUFFICIENT_FUNDS: "insufficient_funds" 422 INVALID_REQUEST NEVER KEPT "The available balance does not suffice";
    LIMIT_EXCEEDED: "limit_exceeded" 422 INVALID_REQUEST NEVER KEPT "A limit of the account would be exceeded";
    BALANCE_OVERFLOW: "balance_overflow" 422 INVALID_REQUEST NEVER KEPT "The balance would grow beyond what can be counted";
    CURRENCY_WITHDRAWN: "currency_withdrawn" 422 INVALID_REQUEST NEVER KEPT "There is no such currency any more";
    EXTERNAL_ID_TAKEN: "external_id_taken" 409 INVALID_REQUEST NEVER KEPT "The external id names something else already";
    EFFECTIVE_IN_THE_FUTURE: "effective_in_the_future" 422 INVALID_REQUEST NEVER FREE "The effective time is more than five minutes ahead";
    VERSION_MISMATCH: "version_mismatch" 409 INVALID_REQUEST NEVER KEPT "The account is at another version";
    CONDITION_FAILED: "condition_failed" 422 INVALID_REQUEST NEVER KEPT "A condition of the request does not hold";
    TRANSACTION_NOT_FOUND: "transaction_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such transaction";
    TRANSACTION_STATE_CONFLICT: "transaction_state_conflict" 409 INVALID_REQUEST NEVER KEPT "The state of the transaction does not allow this";
    TRANSACTION_EXPIRED: "transaction_expired" 409 INVALID_REQUEST NEVER KEPT "The transaction has expired";
    EXCEEDS_REMAINING: "exceeds_remaining" 422 INVALID_REQUEST NEVER KEPT "The amount is more than remains";
}

/// The codes with the status 409 that refuse a new transaction or an exchange.
pub(crate) const STATES: &[&Code] = &[
    EXTERNAL_ID_TAKEN,
    ACCOUNT_FROZEN,
    ACCOUNT_CLOSED,
    PERIOD_CLOSED,
    VERSION_MISMATCH,
];
