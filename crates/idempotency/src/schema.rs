//! The table as diesel sees it; `migrations/` explains the columns.

diesel::table! {
    idempotency_key (key, tenant_id) {
        tenant_id -> BigInt,
        key -> Text,
        fingerprint -> Binary,
        status -> Nullable<SmallInt>,
        body -> Nullable<Binary>,
        resource -> Nullable<Text>,
        created_at -> BigInt,
    }
}
