//! The ledger's tables as diesel sees them; `migrations/` says what the columns mean.

diesel::table! {
    account (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        code -> Text,
        name -> Text,
        currency -> Text,
        normal_side -> SmallInt,
        floor -> Nullable<BigInt>,
        status -> SmallInt,
        debits_pending -> BigInt,
        debits_posted -> BigInt,
        credits_pending -> BigInt,
        credits_posted -> BigInt,
        version -> BigInt,
        opened_at -> BigInt,
        debits_released -> BigInt,
        credits_released -> BigInt,
        revision -> BigInt,
        ceiling -> Nullable<BigInt>,
        credit_line -> Nullable<BigInt>,
        class -> Nullable<SmallInt>,
        metadata -> Nullable<Text>,
    }
}

diesel::table! {
    asset (tenant_id, code) {
        tenant_id -> BigInt,
        code -> Text,
        exponent -> SmallInt,
        name -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    ledger_transaction (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        kind -> Text,
        step -> SmallInt,
        effective_at -> BigInt,
        recorded_at -> BigInt,
        external_id -> Nullable<Text>,
        description -> Nullable<Text>,
        about -> Nullable<Binary>,
        metadata -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    posting (tenant_id, transaction_id, ordinal) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        ordinal -> SmallInt,
        debit_account -> Binary,
        credit_account -> Binary,
        amount -> BigInt,
        currency -> Text,
        debit_version -> BigInt,
        debit_balance -> BigInt,
        credit_version -> BigInt,
        credit_balance -> BigInt,
        phase -> SmallInt,
    }
}

diesel::table! {
    hold (tenant_id, transaction_id, ordinal) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        ordinal -> SmallInt,
        amount -> BigInt,
        posted -> BigInt,
        released -> BigInt,
        status -> SmallInt,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    correction (tenant_id, transaction_id, ordinal) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        ordinal -> SmallInt,
        amount -> BigInt,
        reversed -> BigInt,
    }
}

diesel::table! {
    exchange (tenant_id, transaction_id) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        sold -> BigInt,
        bought -> BigInt,
        given -> SmallInt,
        rate -> Text,
        rounding -> Text,
        source -> Text,
        quoted_at -> BigInt,
    }
}

diesel::table! {
    period (tenant_id) {
        tenant_id -> BigInt,
        closed_before -> BigInt,
    }
}

diesel::table! {
    displaced (account_id, version, tenant_id) {
        tenant_id -> BigInt,
        account_id -> Binary,
        version -> BigInt,
        effective_at -> BigInt,
        recorded_at -> BigInt,
        debit -> BigInt,
        credit -> BigInt,
    }
}

diesel::table! {
    time_bucket (level, account_id, start, tenant_id) {
        tenant_id -> BigInt,
        level -> SmallInt,
        account_id -> Binary,
        start -> BigInt,
        debits_effective -> BigInt,
        credits_effective -> BigInt,
        debits_recorded -> BigInt,
        credits_recorded -> BigInt,
    }
}

diesel::table! {
    transaction_metadata (key, value, transaction_id, tenant_id) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    id_lead (tenant_id) {
        tenant_id -> BigInt,
        millis -> BigInt,
        until -> BigInt,
    }
}

diesel::table! {
    current_metadata (tenant_id, transaction_id) {
        tenant_id -> BigInt,
        transaction_id -> Binary,
        revision -> BigInt,
        set_at -> BigInt,
        metadata -> Nullable<Text>,
    }
}

// A view: each posting as its two accounts see it.
diesel::table! {
    entry (tenant_id, account_id, version) {
        tenant_id -> BigInt,
        account_id -> Binary,
        version -> BigInt,
        side -> SmallInt,
        amount -> BigInt,
        currency -> Text,
        balance -> BigInt,
        transaction_id -> Binary,
        ordinal -> SmallInt,
        phase -> SmallInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(entry, ledger_transaction);
diesel::allow_tables_to_appear_in_same_query!(exchange, ledger_transaction);
diesel::allow_tables_to_appear_in_same_query!(posting, ledger_transaction, account, hold);
diesel::allow_tables_to_appear_in_same_query!(transaction_metadata, ledger_transaction);
diesel::allow_tables_to_appear_in_same_query!(current_metadata, ledger_transaction);
