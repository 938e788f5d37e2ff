//! The tables as diesel sees them; `migrations/` explains the columns.

diesel::table! {
    audit_log (log) {
        log -> BigInt,
    }
}

diesel::table! {
    audit_entry (log, seq) {
        log -> BigInt,
        seq -> BigInt,
        leaf -> Binary,
        leaf_hash -> Binary,
    }
}

diesel::table! {
    audit_batch (log, size) {
        log -> BigInt,
        start -> BigInt,
        size -> BigInt,
        root -> Binary,
        frontier -> Binary,
        at -> BigInt,
    }
}
