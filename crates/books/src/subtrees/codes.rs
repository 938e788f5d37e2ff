//! The codes of subtrees.

edge::codes! {
    SUBTREE_EMPTY: "subtree_empty" 404 INVALID_REQUEST NEVER FREE "No account has this code, or one below it";
    SUBTREE_TOO_LARGE: "subtree_too_large" 409 INVALID_REQUEST NEVER FREE "More than 1,000 accounts have this code, or one below it";
}
