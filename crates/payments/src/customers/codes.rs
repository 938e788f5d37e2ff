//! The codes of customers and their payment methods.

edge::codes! {
    CUSTOMER_NOT_FOUND: "customer_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such customer";
    CUSTOMER_MAY_NOT: "customer_may_not" 403 INVALID_REQUEST NEVER KEPT "The customer may not do this";
    CUSTOMER_STANDING_CONFLICT: "customer_standing_conflict" 409 INVALID_REQUEST NEVER KEPT "The customer has this standing already";
    PAYMENT_METHOD_NOT_FOUND: "payment_method_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such payment method";
}
