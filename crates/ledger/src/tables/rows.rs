//! The ledger's rows, and the keys by which they are found; `migrations/` explains the columns.

use store::TenantId;

use crate::{AccountId, TransactionId};

store::bulk_insert! {
    /// A row of `account`.
    pub struct AccountRow in account {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The account's id.
        id: AccountId,
        /// The place in the chart of accounts.
        code: String,
        /// The name that people read.
        name: String,
        /// ISO 4217 code; for a custom asset, the code with its exponent.
        currency: String,
        /// 1 debit, 2 credit.
        normal_side: i16,
        /// The floor, in minor units.
        floor: Option<i64>,
        /// 1 open, 2 frozen, 3 closed.
        status: i16,
        /// Pending debits, in minor units.
        debits_pending: i64,
        /// Posted debits, in minor units.
        debits_posted: i64,
        /// Pending credits, in minor units.
        credits_pending: i64,
        /// Posted credits, in minor units.
        credits_posted: i64,
        /// Number of entries.
        version: i64,
        /// Time of opening, in microseconds since 1970.
        opened_at: i64,
        /// Released debits, in minor units.
        debits_released: i64,
        /// Released credits, in minor units.
        credits_released: i64,
        /// Number of changes of status, limits and metadata.
        revision: i64,
        /// The ceiling, in minor units.
        ceiling: Option<i64>,
        /// The credit line, in minor units.
        credit_line: Option<i64>,
        /// 1 asset, 2 liability, 3 equity, 4 income, 5 expense.
        class: Option<i16>,
        /// Metadata: a flat JSON object of texts.
        metadata: Option<String>,
    }
}

store::bulk_insert! {
    /// A row of `asset`.
    pub struct AssetRow in asset {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The code of the asset.
        code: String,
        /// Number of decimal places of the minor unit.
        exponent: i16,
        /// The name that people read.
        name: String,
        /// Time of registration, in microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_find! {
    /// The key of an asset: its code.
    pub struct AssetBy => AssetRow in asset {
        /// The code.
        code: String,
    }
}

store::bulk_update! {
    /// The counters of an account that move on from the version at which they were read. The revision is compared
    /// too: a decision on limits or a status that have changed since is a conflict.
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
        /// The transaction's id.
        id: TransactionId,
        /// The kind, see [`crate::Kind::name`].
        kind: String,
        /// 1 pending, 2 posted at once, 3 fulfilment, 4 void, 5 expiry, 6 reversal.
        step: i16,
        /// Effective time, in microseconds since 1970.
        effective_at: i64,
        /// Recording time, in microseconds since 1970.
        recorded_at: i64,
        /// The caller's own id for the transaction.
        external_id: Option<String>,
        /// Free text for people.
        description: Option<String>,
        /// The transaction that steps 3 to 6 are about.
        about: Option<TransactionId>,
        /// Metadata: a flat JSON object of texts.
        metadata: Option<String>,
        /// Time of expiry of a pending transaction, in microseconds since 1970.
        expires_at: Option<i64>,
    }
}

store::bulk_find! {
    /// The key of an account: its id.
    pub struct ById => AccountRow in account {
        /// The account's id.
        id: AccountId,
    }
}

store::bulk_find! {
    /// The code by which an account is found.
    pub struct ByCode => AccountRow in account {
        /// The account's code.
        code: String,
    }
}

store::bulk_find! {
    /// The external id by which a transaction is found.
    pub struct ByExternalId => TransactionRow in ledger_transaction {
        /// The external id.
        external_id: Option<String>,
    }
}

store::bulk_find! {
    /// The key of a transaction: its id.
    pub struct TransactionById => TransactionRow in ledger_transaction {
        /// The transaction's id.
        id: TransactionId,
    }
}

store::bulk_find! {
    /// The transaction by which its postings are found.
    pub struct ByTransaction => PostingRow in posting {
        /// The transaction's id.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `posting`.
    pub struct PostingRow in posting {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction that the posting belongs to.
        transaction_id: TransactionId,
        /// The posting's place in the transaction, from 0.
        ordinal: i16,
        /// The debited account.
        debit_account: AccountId,
        /// The credited account.
        credit_account: AccountId,
        /// Amount in minor units, positive.
        amount: i64,
        /// ISO 4217 code; for a custom asset, the code with its exponent.
        currency: String,
        /// The number of the entry on the debited account.
        debit_version: i64,
        /// The posted balance of that account after the entry.
        debit_balance: i64,
        /// The number of the entry on the credited account.
        credit_version: i64,
        /// The posted balance of that account after the entry.
        credit_balance: i64,
        /// 1 pending, 2 posted, 3 fulfilled, 4 released.
        phase: i16,
    }
}

store::bulk_find! {
    /// The place on the debited account by which a posting is found.
    pub struct DebitAt => PostingRow in posting {
        /// The account.
        debit_account: AccountId,
        /// The number of the entry on the account.
        debit_version: i64,
    }
}

store::bulk_find! {
    /// The place on the credited account by which a posting is found.
    pub struct CreditAt => PostingRow in posting {
        /// The account.
        credit_account: AccountId,
        /// The number of the entry on the account.
        credit_version: i64,
    }
}

store::bulk_insert! {
    /// A row of `hold`. A hold has no row if nothing was done about it and it never expires.
    pub struct HoldRow in hold {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The pending transaction.
        transaction_id: TransactionId,
        /// The ordinal of its posting.
        ordinal: i16,
        /// Amount that was reserved, in minor units.
        amount: i64,
        /// Amount that was fulfilled, in minor units.
        posted: i64,
        /// Amount that was released, in minor units.
        released: i64,
        /// 1 pending, 2 posted, 3 voided, 4 expired.
        status: i16,
        /// Time of expiry, in microseconds since 1970.
        expires_at: Option<i64>,
    }
}

store::bulk_update! {
    /// A hold that moves on from the posted and released amounts that were read.
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
    /// The transaction by which its holds are found.
    pub struct HoldsOf => HoldRow in hold {
        /// The transaction's id.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `correction`.
    pub struct CorrectionRow in correction {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction that is reversed.
        transaction_id: TransactionId,
        /// The ordinal of its posting.
        ordinal: i16,
        /// Amount of the posting, in minor units.
        amount: i64,
        /// Amount that was reversed, in minor units.
        reversed: i64,
    }
}

store::bulk_update! {
    /// A correction that moves on from the reversed amount that was read.
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
    /// The transaction by which its corrections are found.
    pub struct CorrectionsOf => CorrectionRow in correction {
        /// The transaction that is reversed.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `exchange`.
    pub struct ExchangeRow in exchange {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction that made the exchange.
        transaction_id: TransactionId,
        /// Sold amount, in minor units of the sold currency.
        sold: i64,
        /// Bought amount, in minor units of the bought currency.
        bought: i64,
        /// Which amount was given: 1 the sold one, 2 the bought one.
        given: i16,
        /// The rate, a plain decimal number.
        rate: String,
        /// The rounding, see [`money::Rounding::name`].
        rounding: String,
        /// Who quoted the rate.
        source: String,
        /// Time of the quote, in microseconds since 1970.
        quoted_at: i64,
    }
}

store::bulk_find! {
    /// The transaction by which its exchange is found.
    pub struct ExchangeBy => ExchangeRow in exchange {
        /// The transaction's id.
        transaction_id: TransactionId,
    }
}

store::bulk_insert! {
    /// A row of `period`.
    pub struct PeriodRow in period {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// End of the closed period, in microseconds since 1970.
        closed_before: i64,
    }
}

store::bulk_update! {
    /// A period that is closed further, or on which a batch relied because it was not closed.
    pub struct PeriodMovedRow in period {
        find { tenant_id: TenantId = tenant_id, seen: i64 = closed_before }
        set { next: i64 = closed_before }
    }
}

store::bulk_insert! {
    /// A row of `displaced`: an entry that moved the posted balance and whose effective time is not its recording
    /// time.
    pub struct DisplacedRow in displaced {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The account.
        account_id: AccountId,
        /// The number of the entry on the account.
        version: i64,
        /// Effective time, in microseconds since 1970.
        effective_at: i64,
        /// Recording time, in microseconds since 1970.
        recorded_at: i64,
        /// Debited amount in minor units; 0 for a credit.
        debit: i64,
        /// Credited amount in minor units; 0 for a debit.
        credit: i64,
    }
}

store::bulk_find! {
    /// The place on its account by which a displaced entry is found.
    pub struct DisplacedAt => DisplacedRow in displaced {
        /// The account.
        account_id: AccountId,
        /// The number of the entry on the account.
        version: i64,
    }
}

store::bulk_add! {
    /// A row of `time_bucket`: sums of an account's displaced entries within a span of time.
    pub struct BucketRow in time_bucket {
        key {
            /// The tenant that owns the row.
            tenant_id: TenantId,
            /// Level 0 to 6: the span is 256 to the power of the level, in microseconds.
            level: i16,
            /// The account.
            account_id: AccountId,
            /// Start of the span, in microseconds since 1970.
            start: i64,
        }
        add {
            /// Debits that happened within the span, in minor units.
            debits_effective: i64,
            /// Credits that happened within the span, in minor units.
            credits_effective: i64,
            /// Debits that were recorded within the span, in minor units.
            debits_recorded: i64,
            /// Credits that were recorded within the span, in minor units.
            credits_recorded: i64,
        }
    }
}

store::bulk_insert! {
    /// A row of `transaction_metadata`.
    pub struct TransactionMetadataRow in transaction_metadata {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The transaction's id.
        transaction_id: TransactionId,
        /// The key of the text.
        key: String,
        /// The text.
        value: String,
    }
}

store::bulk_find! {
    /// The key by which one metadata text of a transaction is found.
    pub struct MetadataOf => TransactionMetadataRow in transaction_metadata {
        /// The key of the text.
        key: String,
        /// The text.
        value: String,
        /// The transaction's id.
        transaction_id: TransactionId,
    }
}
