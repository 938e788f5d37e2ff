//! The tables, for diesel. The columns are explained in `migrations/`.

diesel::table! {
    inbox (tenant_id, provider, event_id) {
        tenant_id -> BigInt,
        provider -> Text,
        event_id -> Text,
        kind -> Text,
        status -> Text,
        reference -> Nullable<Text>,
        body_hash -> Binary,
        body -> Binary,
        received_at -> BigInt,
    }
}

diesel::table! {
    quarantine (tenant_id, provider, event_id, body_hash) {
        tenant_id -> BigInt,
        provider -> Text,
        event_id -> Text,
        body_hash -> Binary,
        reason -> Text,
        body -> Binary,
        received_at -> BigInt,
    }
}
