//! The codes of exchanges, and of reversing them.

edge::codes! {
    SAME_CURRENCY: "same_currency" 422 INVALID_REQUEST NEVER FREE "Both accounts hold the same currency";
    SIDES_DIFFER: "sides_differ" 422 INVALID_REQUEST NEVER FREE "The accounts do not grow on the same side";
    AMOUNT_TOO_SMALL: "amount_too_small" 422 INVALID_REQUEST NEVER FREE "The amount comes to nothing in the other currency";
    LEG_ALONE: "leg_alone" 422 INVALID_REQUEST NEVER FREE "An exchange is reversed on both sides";
    NOT_IN_PROPORTION: "not_in_proportion" 422 INVALID_REQUEST NEVER FREE "Both sides of an exchange are reversed in the same share";
    AMOUNT_TOO_LARGE: "amount_too_large" 422 INVALID_REQUEST NEVER FREE "The amount comes to more than can be counted in the other currency";
}
