//! The tables as diesel sees them; `migrations/` explains the columns.

diesel::table! {
    audit_log (log) {
        log -> Integer,
    }
}

diesel::table! {
    audit_entry (log, seq) {
        log -> Integer,
        seq -> BigInt,
        leaf -> Binary,
        leaf_hash -> Binary,
    }
}

diesel::table! {
    audit_batch (log, size) {
        log -> Integer,
        start -> BigInt,
        size -> BigInt,
        root -> Binary,
        frontier -> Binary,
        at -> BigInt,
    }
}
