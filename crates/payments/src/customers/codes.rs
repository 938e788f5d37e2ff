//! The codes of customers and their payment methods.

edge::codes! {
    CUSTOMER_NOT_FOUND: "customer_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such customer";
    PAYMENT_METHOD_NOT_FOUND: "payment_method_not_found" 404 INVALID_REQUEST NEVER FREE "There is no such payment method";
}
