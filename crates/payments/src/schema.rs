//! The tables, for diesel. The columns are explained in `migrations/`.

diesel::table! {
    payment (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        amount -> BigInt,
        currency -> Text,
        capture_method -> Text,
        status -> Text,
        authorized -> BigInt,
        capturable -> BigInt,
        captured -> BigInt,
        released -> BigInt,
        incrementing -> BigInt,
        refunded -> BigInt,
        disputed -> BigInt,
        payment_method -> Nullable<Text>,
        decline_code -> Nullable<Text>,
        action_url -> Nullable<Text>,
        provider -> Nullable<Text>,
        charge_ref -> Nullable<Text>,
        attempts -> Integer,
        operations -> Integer,
        capture_before -> Nullable<BigInt>,
        idempotency_key -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        external_id -> Nullable<Text>,
        description -> Nullable<Text>,
        metadata -> Nullable<Text>,
        customer_id -> Nullable<Binary>,
        saved_method -> Nullable<Binary>,
    }
}

diesel::table! {
    operation (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        subject_id -> Binary,
        ordinal -> Integer,
        attempt -> Integer,
        kind -> Text,
        source -> Nullable<Binary>,
        amount -> BigInt,
        currency -> Text,
        reserved -> BigInt,
        fee -> BigInt,
        terms -> Nullable<Integer>,
        delay -> Nullable<Text>,
        available_on -> Nullable<Integer>,
        unreleased -> BigInt,
        made_available -> BigInt,
        from_pending -> BigInt,
        unallocated -> BigInt,
        allocated -> BigInt,
        given_back -> BigInt,
        gives_back -> Nullable<Binary>,
        status -> Text,
        provider -> Text,
        provider_key -> Text,
        provider_ref -> Nullable<Text>,
        charge_ref -> Nullable<Text>,
        decline_code -> Nullable<Text>,
        payment_method -> Text,
        reason -> Nullable<Text>,
        idempotency_key -> Text,
        version -> BigInt,
        created_at -> BigInt,
        metadata -> Nullable<Text>,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    provider_charge (provider_ref, provider, tenant_id) {
        tenant_id -> BigInt,
        operation_id -> Binary,
        provider -> Text,
        provider_ref -> Text,
    }
}

diesel::table! {
    transition (tenant_id, subject, ordinal) {
        tenant_id -> BigInt,
        subject -> Binary,
        ordinal -> Integer,
        machine -> Text,
        from_state -> Text,
        to_state -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    payout (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        amount -> BigInt,
        currency -> Text,
        source -> Nullable<Binary>,
        customer_id -> Nullable<Binary>,
        destination -> Text,
        description -> Nullable<Text>,
        status -> Text,
        provider -> Text,
        approval -> Nullable<Binary>,
        decline_code -> Nullable<Text>,
        is_returned -> SmallInt,
        operations -> Integer,
        idempotency_key -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        metadata -> Nullable<Text>,
    }
}

diesel::table! {
    approval (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        subject -> Binary,
        action -> Text,
        status -> Text,
        proposed_by -> Text,
        decided_by -> Nullable<Text>,
        reason -> Nullable<Text>,
        expires_at -> BigInt,
        created_at -> BigInt,
        decided_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    dispute (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        payment_id -> Binary,
        provider -> Text,
        reference -> Text,
        amount -> BigInt,
        currency -> Text,
        fee -> BigInt,
        blocked -> BigInt,
        reason -> Text,
        status -> Text,
        is_withdrawn -> SmallInt,
        is_reinstated -> SmallInt,
        is_released -> SmallInt,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        evidence -> Nullable<Text>,
        evidence_due_by -> Nullable<BigInt>,
        submissions -> Integer,
        submission -> Nullable<Binary>,
        submitted_at -> Nullable<BigInt>,
        evidence_decline_code -> Nullable<Text>,
    }
}

diesel::table! {
    settlement_line (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        number -> BigInt,
        content -> Binary,
        provider -> Text,
        report -> Text,
        kind -> Text,
        reference -> Text,
        gross -> BigInt,
        fee -> BigInt,
        net -> BigInt,
        currency -> Text,
        day -> Integer,
        settlement -> Text,
        status -> Text,
        subject -> Nullable<Text>,
        transaction_id -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

diesel::table! {
    settlement (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        provider -> Text,
        reference -> Text,
        currency -> Text,
        day -> Integer,
        lines -> BigInt,
        gross -> BigInt,
        fee -> BigInt,
        net -> BigInt,
        banked -> BigInt,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    bank_line (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        number -> BigInt,
        content -> Binary,
        account -> Text,
        statement -> Text,
        amount -> BigInt,
        currency -> Text,
        day -> Integer,
        reference -> Text,
        status -> Text,
        subject -> Nullable<Text>,
        transaction_id -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

diesel::table! {
    reconciliation_exception (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        kind -> Text,
        subject -> Text,
        provider -> Text,
        amount -> BigInt,
        currency -> Text,
        day -> Integer,
        detail -> Text,
        status -> Text,
        resolution -> Nullable<Text>,
        reason -> Nullable<Text>,
        closed_by -> Nullable<Text>,
        transaction_id -> Nullable<Binary>,
        version -> BigInt,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        expected_fee -> Nullable<BigInt>,
        reported_fee -> Nullable<BigInt>,
    }
}

diesel::table! {
    customer (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        external_id -> Nullable<Text>,
        description -> Nullable<Text>,
        metadata -> Nullable<Text>,
        standing -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    payment_method (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        customer_id -> Binary,
        provider -> Nullable<Text>,
        token -> Text,
        created_at -> BigInt,
        detached_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    metadata_text (kind, tenant_id, key, value, subject) {
        tenant_id -> BigInt,
        kind -> SmallInt,
        key -> Text,
        value -> Text,
        subject -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(payment, operation, customer, metadata_text);

diesel::table! {
    reserve (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        payment_id -> Nullable<Binary>,
        operation_id -> Nullable<Binary>,
        amount -> BigInt,
        remaining -> BigInt,
        currency -> Text,
        reason -> Nullable<Text>,
        release_at -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    reserve_release (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        reserve_id -> Binary,
        amount -> BigInt,
        cause -> Text,
        dispute_id -> Nullable<Binary>,
        created_at -> BigInt,
    }
}
