//! The codes of the inbox.

edge::codes! {
    CANNOT_REPROCESS: "cannot_reprocess" 409 INVALID_REQUEST NEVER FREE "The event cannot be tried again";
}
