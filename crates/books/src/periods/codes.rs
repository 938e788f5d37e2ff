//! The code of closed periods.

edge::codes! {
    PERIOD_CLOSED: "period_closed" 409 INVALID_REQUEST NEVER KEPT "The books are closed for that time";
}
