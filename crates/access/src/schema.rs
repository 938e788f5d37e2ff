//! The tables of `access`, for diesel. The columns are explained in `migrations/`.

diesel::table! {
    tenant (tenant_id) {
        tenant_id -> BigInt,
        name -> Text,
        created_at -> BigInt,
        clock_offset -> BigInt,
    }
}

diesel::table! {
    books (number) {
        number -> SmallInt,
        mode -> SmallInt,
        begun_at -> BigInt,
    }
}

diesel::table! {
    api_key (tenant_id, hash) {
        tenant_id -> BigInt,
        hash -> Binary,
        label -> Text,
        created_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tenant, api_key);
