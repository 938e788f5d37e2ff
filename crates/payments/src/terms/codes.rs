//! The codes of terms.

edge::codes! {
    TOO_MANY_TERMS: "too_many_terms" 409 INVALID_REQUEST NEVER FREE "There are 200 versions of terms already";
}
