//! The codes of prices.

edge::codes! {
    TOO_MANY_PRICES: "too_many_prices" 409 INVALID_REQUEST NEVER FREE "There are 500 versions of prices already";
}
