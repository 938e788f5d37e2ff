//! The code of late money.

edge::codes! {
    NOTHING_UNALLOCATED: "nothing_unallocated" 409 INVALID_REQUEST NEVER KEPT "No unallocated money is left";
}
