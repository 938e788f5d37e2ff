//! The ledger's rows, and the keys by which they are found; `migrations/` says what the columns mean.

use store::TenantId;

use crate::{AccountId, TransactionId};

store::bulk_insert! {
    /// A row of `account`.
    pub struct AccountRow in account {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// Its id.
        id: AccountId,
        /// Its place in the chart.
        code: String,
        /// What people call it.
        name: String,
        /// ISO 4217 code; of a custom asset with its exponent.
        currency: String,
        /// 1 debit, 2 credit.
        normal_side: i16,
        /// Minor units.
        floor: Option<i64>,
        /// 1 open, 2 frozen, 3 closed.
        status: i16,
        /// Minor units.
        debits_pending: i64,
        /// Minor units.
        debits_posted: i64,
        /// Minor units.
        credits_pending: i64,
        /// Minor units.
        credits_posted: i64,
        /// Number of entries.
        version: i64,
        /// Microseconds since 1970.
        opened_at: i64,
        /// Minor units.
        debits_released: i64,
        /// Minor units.
        credits_released: i64,
        /// Number of changes of status, limits and metadata.
        revision: i64,
        /// Minor units.
        ceiling: Option<i64>,
        /// Minor units.
        credit_line: Option<i64>,
        /// 1 asset, 2 liability, 3 equity, 4 income, 5 expense.
        class: Option<i16>,
        /// A flat JSON object of texts.
        metadata: Option<String>,
    }
}

store::bulk_insert! {
    /// A row of `asset`.
    pub struct AssetRow in asset {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// Its code.
        code: String,
        /// Decimal places of its minor unit.
        exponent: i16,
        /// What people call it.
        name: String,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_find! {
    /// An asset by its code.
    pub struct AssetBy => AssetRow in asset {
        /// The code.
        code: String,
    }
}

store::bulk_update! {
    /// An account's counters, moved on from the version at which they were found. The revision is
    /// compared too: what was decided on limits or a status that are no longer so is a conflict.
    pub struct CountersRow in account {
        find {
            tenant_id: TenantId = tenant_id,
            id: AccountId = id,
            seen_version: i64 = version,
            seen_revision: i64 = revision,
        }
        set {
            debits_pending: i64 = debits_pending,
            debits_posted: i64 = debits_posted,
            debits_released: i64 = debits_released,
            credits_pending: i64 = credits_pending,
            credits_posted: i64 = credits_posted,
            credits_released: i64 = credits_released,
            next_version: i64 = version,
        }
    }
}

store::bulk_update! {
    /// An account that was revised, with its counters, because one statement changes a row once.
    pub struct RevisedRow in account {
        find {
            tenant_id: TenantId = tenant_id,
            id: AccountId = id,
            seen_version: i64 = version,
            seen_revision: i64 = revision,
        }
        set {
            debits_pending: i64 = debits_pending,
            debits_posted: i64 = debits_posted,
            debits_released: i64 = debits_released,
            credits_pending: i64 = credits_pending,
            credits_posted: i64 = credits_posted,
            credits_released: i64 = credits_released,
            next_version: i64 = version,
            next_revision: i64 = revision,
            status: i16 = status,
            floor: Option<i64> = floor,
            ceiling: Option<i64> = ceiling,
            credit_line: Option<i64> = credit_line,
            metadata: Option<String> = metadata,
        }
    }
}

store::bulk_insert! {
    /// A row of `ledger_transaction`.
    pub struct TransactionRow in ledger_transaction {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// Its id.
        id: TransactionId,
        /// [`crate::Kind::name`].
        kind: String,
        /// 1 pending, 2 posted at once, 3 post, 4 void, 5 expiry, 6 reversal.
        step: i16,
        /// Microseconds since 1970.
        effective_at: i64,
        /// Microseconds since 1970.
        recorded_at: i64,
        /// The caller's own id for the transaction.
        external_id: Option<String>,
        /// Free text for people.
        description: Option<String>,
        /// The transaction that steps 3 to 6 are about.
        about: Option<TransactionId>,
        /// A flat JSON object of texts.
        metadata: Option<String>,
        /// Of a pending one: microseconds since 1970.
        expires_at: Option<i64>,
    }
}

store::bulk_find! {
    /// An account by its id.
    pub struct ById => AccountRow in account {
        /// Its id.
        id: AccountId,
    }
}

store::bulk_find! {
    /// An account by its code.
    pub struct ByCode => AccountRow in account {
        /// Its code.
        code: String,
    }
}

store::bulk_find! {
    /// A transaction by the caller's own name for it.
    pub struct ByExternalId => TransactionRow in ledger_transaction {
        /// That name.
        external_id: Option<String>,
    }
}

store::bulk_find! {
    /// A transaction by its id.
    pub struct TransactionById => TransactionRow in ledger_transaction {
        /// Its id.
        id: TransactionId,
    }
}

store::bulk_find! {
    /// The postings of a transaction.
    pub struct ByTransaction => PostingRow in posting {
        /// The transaction.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `posting`.
    pub struct PostingRow in posting {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction it belongs to.
        transaction_id: TransactionId,
        /// Its place in the transaction, from 0.
        ordinal: i16,
        /// The debited account.
        debit_account: AccountId,
        /// The credited account.
        credit_account: AccountId,
        /// Amount in minor units, positive.
        amount: i64,
        /// ISO 4217 code; of a custom asset with its exponent.
        currency: String,
        /// The entry's number on the debited account.
        debit_version: i64,
        /// The posted balance of that account after the entry.
        debit_balance: i64,
        /// The entry's number on the credited account.
        credit_version: i64,
        /// The posted balance of that account after the entry.
        credit_balance: i64,
        /// 1 pending, 2 posted, 3 settled, 4 released.
        phase: i16,
    }
}

store::bulk_find! {
    /// A posting by its place on the account that it debits.
    pub struct DebitAt => PostingRow in posting {
        /// The account.
        debit_account: AccountId,
        /// The entry's number on it.
        debit_version: i64,
    }
}

store::bulk_find! {
    /// A posting by its place on the account that it credits.
    pub struct CreditAt => PostingRow in posting {
        /// The account.
        credit_account: AccountId,
        /// The entry's number on it.
        credit_version: i64,
    }
}

store::bulk_insert! {
    /// A row of `hold`. One that nothing was done about and that never expires has none.
    pub struct HoldRow in hold {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The pending transaction.
        transaction_id: TransactionId,
        /// Its posting.
        ordinal: i16,
        /// Minor units.
        amount: i64,
        /// Minor units.
        posted: i64,
        /// Minor units.
        released: i64,
        /// 1 pending, 2 posted, 3 voided, 4 expired.
        status: i16,
        /// Microseconds since 1970.
        expires_at: Option<i64>,
    }
}

store::bulk_update! {
    /// A hold, moved on from what was posted and released of it when it was found.
    pub struct HoldMovedRow in hold {
        find {
            tenant_id: TenantId = tenant_id,
            transaction_id: TransactionId = transaction_id,
            ordinal: i16 = ordinal,
            seen_posted: i64 = posted,
            seen_released: i64 = released,
        }
        set {
            next_posted: i64 = posted,
            next_released: i64 = released,
            status: i16 = status,
        }
    }
}

store::bulk_find! {
    /// What the postings of a pending transaction hold.
    pub struct HoldsOf => HoldRow in hold {
        /// The transaction.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `correction`.
    pub struct CorrectionRow in correction {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction that is undone.
        transaction_id: TransactionId,
        /// Its posting.
        ordinal: i16,
        /// Minor units.
        amount: i64,
        /// Minor units.
        reversed: i64,
    }
}

store::bulk_update! {
    /// A correction, moved on from what was reversed when it was found.
    pub struct CorrectionMovedRow in correction {
        find {
            tenant_id: TenantId = tenant_id,
            transaction_id: TransactionId = transaction_id,
            ordinal: i16 = ordinal,
            seen_reversed: i64 = reversed,
        }
        set { next_reversed: i64 = reversed }
    }
}

store::bulk_find! {
    /// What was reversed of a transaction's postings.
    pub struct CorrectionsOf => CorrectionRow in correction {
        /// The transaction.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `exchange`.
    pub struct ExchangeRow in exchange {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction that made it.
        transaction_id: TransactionId,
        /// Minor units of the sold currency.
        sold: i64,
        /// Minor units of the bought currency.
        bought: i64,
        /// Which amount was given: 1 the sold, 2 the bought one.
        given: i16,
        /// A plain decimal.
        rate: String,
        /// [`money::Rounding::name`].
        rounding: String,
        /// Who quoted the rate.
        source: String,
        /// Microseconds since 1970.
        quoted_at: i64,
    }
}

store::bulk_find! {
    /// The exchange that a transaction made.
    pub struct ExchangeBy => ExchangeRow in exchange {
        /// The transaction.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `period`.
    pub struct PeriodRow in period {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// Microseconds since 1970.
        closed_before: i64,
    }
}

store::bulk_update! {
    /// A period that is closed further, or that something was posted in because it was not closed.
    pub struct PeriodMovedRow in period {
        find { tenant_id: TenantId = tenant_id, seen: i64 = closed_before }
        set { next: i64 = closed_before }
    }
}

store::bulk_insert! {
    /// A row of `displaced`: an entry that moved what is posted and happened at another time than it was
    /// recorded.
    pub struct DisplacedRow in displaced {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The account.
        account_id: AccountId,
        /// The entry's number on it.
        version: i64,
        /// Microseconds since 1970.
        effective_at: i64,
        /// Microseconds since 1970.
        recorded_at: i64,
        /// Minor units, or 0 if it is a credit.
        debit: i64,
        /// Minor units, or 0 if it is a debit.
        credit: i64,
    }
}

store::bulk_find! {
    /// A displaced entry by its place on the account.
    pub struct DisplacedAt => DisplacedRow in displaced {
        /// The account.
        account_id: AccountId,
        /// The entry's number on it.
        version: i64,
    }
}

store::bulk_add! {
    /// A row of `time_bucket`: sums of an account's displaced entries within a span of time.
    pub struct BucketRow in time_bucket {
        key {
            /// The tenant that owns the row.
            tenant_id: TenantId,
            /// 0 to 6: the span is 256 to this power, in microseconds.
            level: i16,
            /// The account.
            account_id: AccountId,
            /// Microseconds since 1970.
            start: i64,
        }
        add {
            /// Minor units of debits that happened within the span.
            debits_effective: i64,
            /// Minor units of credits that happened within the span.
            credits_effective: i64,
            /// Minor units of debits that were recorded within the span.
            debits_recorded: i64,
            /// Minor units of credits that were recorded within the span.
            credits_recorded: i64,
        }
    }
}

store::bulk_insert! {
    /// A row of `transaction_metadata`.
    pub struct TransactionMetadataRow in transaction_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction.
        transaction_id: TransactionId,
        /// A name.
        key: String,
        /// Its text.
        value: String,
    }
}

store::bulk_find! {
    /// One text of a transaction's metadata.
    pub struct MetadataOf => TransactionMetadataRow in transaction_metadata {
        /// A name.
        key: String,
        /// Its text.
        value: String,
        /// The transaction.
        transaction_id: TransactionId,
    }
}
