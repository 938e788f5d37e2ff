//! The tables, for diesel. The columns are explained in `migrations/`.

diesel::table! {
    inbox (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        provider -> Text,
        event_id -> Text,
        kind -> Text,
        status -> Text,
        reference -> Nullable<Text>,
        meaning -> Nullable<Binary>,
        body_hash -> Binary,
        body -> Nullable<Binary>,
        delivery -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::table! {
    quarantine (tenant_id, provider, event_id, body_hash) {
        tenant_id -> BigInt,
        provider -> Text,
        event_id -> Text,
        body_hash -> Binary,
        id -> Nullable<Binary>,
        reason -> Text,
        body -> Binary,
        delivery -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(inbox, quarantine);
