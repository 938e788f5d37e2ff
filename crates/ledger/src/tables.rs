//! The ledger's tables: loading what a batch needs, locked, and saving what it did.

use money::{Amount, Currency, MinorUnits};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::{
    Account, AccountId, AccountStatus, Kind, NormalSide, Posted, PostedPosting, Posting, Shelf,
    TransactionId,
};

store::bulk_insert! {
    /// A row of `account`.
    pub struct AccountRow in account {
        /// Whose it is.
        tenant_id: TenantId,
        /// Its id.
        id: AccountId,
        /// Its place in the chart.
        code: String,
        /// What people call it.
        name: String,
        /// [`Currency::stored`].
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
    }
}

store::bulk_update! {
    /// An account's counters, moved on from the version at which they were locked.
    pub struct CountersRow in account {
        find { tenant_id: TenantId = tenant_id, id: AccountId = id, seen_version: i64 = version }
        set {
            debits_pending: i64 = debits_pending,
            debits_posted: i64 = debits_posted,
            credits_pending: i64 = credits_pending,
            credits_posted: i64 = credits_posted,
            next_version: i64 = version,
        }
    }
}

store::bulk_insert! {
    /// A row of `ledger_transaction`.
    pub struct TransactionRow in ledger_transaction {
        /// Whose it is.
        tenant_id: TenantId,
        /// Its id.
        id: TransactionId,
        /// [`crate::Kind::name`].
        kind: String,
        /// 2 posted.
        status: i16,
        /// Microseconds since 1970.
        effective_at: i64,
        /// Microseconds since 1970.
        recorded_at: i64,
        /// The caller's own name for it.
        external_id: Option<String>,
        /// For people.
        description: Option<String>,
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

/// The number under which "posted" is stored.
const POSTED: i16 = 2;

store::bulk_insert! {
    /// A row of `posting`.
    pub struct PostingRow in posting {
        /// Whose it is.
        tenant_id: TenantId,
        /// The transaction it belongs to.
        transaction_id: TransactionId,
        /// Its place in the transaction, from 0.
        ordinal: i16,
        /// The debited account.
        debit_account: AccountId,
        /// The credited account.
        credit_account: AccountId,
        /// Minor units, positive.
        amount: i64,
        /// [`Currency::stored`].
        currency: String,
        /// The entry's number on the debited account.
        debit_version: i64,
        /// That account's posted balance afterwards.
        debit_balance: i64,
        /// The entry's number on the credited account.
        credit_version: i64,
        /// That account's posted balance afterwards.
        credit_balance: i64,
    }
}

/// What a batch must have of the ledger before it can be executed.
#[derive(Debug, Default)]
pub struct Needs {
    /// Accounts by id.
    pub accounts: Vec<AccountId>,
    /// Accounts by code, whether they exist or not.
    pub codes: Vec<String>,
    /// Accounts as somebody remembers them, which are not asked for.
    pub remembered: Vec<Account>,
    /// External ids that will be claimed.
    pub external_ids: Vec<String>,
}

/// Loads (and locks, if asked to) in id order.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut needs: Needs,
    lock: Lock,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    for account in needs.remembered {
        shelf.put_remembered(account);
    }
    needs.codes.sort_unstable();
    needs.codes.dedup();
    // Locks are taken by id: whoever comes by a code looks up its id first.
    let codes: Vec<ByCode> = needs
        .codes
        .into_iter()
        .map(|code| ByCode { code })
        .collect();
    let named = ByCode::find(connection, Lock::Nothing, tenant, &codes)?;
    needs.accounts.extend(named.iter().map(|row| row.id));
    needs.accounts.sort_unstable();
    needs.accounts.dedup();
    let ids: Vec<ById> = needs.accounts.into_iter().map(|id| ById { id }).collect();
    for row in ById::find(connection, lock, tenant, &ids)? {
        shelf.put_loaded(row.read()?);
    }
    needs.external_ids.sort_unstable();
    needs.external_ids.dedup();
    let names: Vec<ByExternalId> = needs
        .external_ids
        .into_iter()
        .map(|name| ByExternalId {
            external_id: Some(name),
        })
        .collect();
    for row in ByExternalId::find(connection, Lock::Nothing, tenant, &names)? {
        if let Some(name) = row.external_id {
            shelf.put_taken(name, row.id);
        }
    }
    Ok(shelf)
}

/// Adds what the batch did. An account that another writer has changed since makes it a conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let opened: Vec<AccountRow> = shelf
        .opened()
        .into_iter()
        .map(|account| AccountRow::of(tenant, account))
        .collect();
    writes.add(opened);

    let mut transactions = Vec::with_capacity(shelf.posted().len());
    let mut postings = Vec::with_capacity(shelf.posted().len());
    for posted in shelf.posted() {
        transactions.push(TransactionRow {
            tenant_id: tenant,
            id: posted.id,
            kind: posted.kind.name().to_owned(),
            status: POSTED,
            effective_at: posted.effective_at.micros(),
            recorded_at: posted.recorded_at.micros(),
            external_id: posted.external_id.clone(),
            description: posted.description.clone(),
        });
        for (ordinal, p) in (0_i16..).zip(&posted.postings) {
            postings.push(PostingRow {
                tenant_id: tenant,
                transaction_id: posted.id,
                ordinal,
                debit_account: p.posting.debit,
                credit_account: p.posting.credit,
                amount: p.posting.amount.get(),
                currency: p.posting.currency.stored().into_owned(),
                debit_version: p.debit_version,
                debit_balance: p.debit_balance.get(),
                credit_version: p.credit_version,
                credit_balance: p.credit_balance.get(),
            });
        }
    }
    writes.add(transactions);
    writes.add(postings);

    let changed = shelf.changed();
    let counters: Vec<CountersRow> = changed
        .into_iter()
        .map(|(account, seen_version)| CountersRow {
            tenant_id: tenant,
            id: account.id,
            seen_version,
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            next_version: account.version,
        })
        .collect();
    writes.add(counters);
}

impl AccountRow {
    fn of(tenant_id: TenantId, account: &Account) -> Self {
        Self {
            tenant_id,
            id: account.id,
            code: account.code.clone(),
            name: account.name.clone(),
            currency: account.currency.stored().into_owned(),
            normal_side: match account.normal_side {
                NormalSide::Debit => 1,
                NormalSide::Credit => 2,
            },
            floor: account.floor.map(MinorUnits::get),
            status: match account.status {
                AccountStatus::Open => 1,
                AccountStatus::Frozen => 2,
                AccountStatus::Closed => 3,
            },
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            version: account.version,
            opened_at: account.opened_at.micros(),
        }
    }

    /// The account that the row holds.
    ///
    /// # Errors
    /// [`Error::Refused`] for a row that this program would never have written.
    pub fn read(self) -> Result<Account, Error> {
        let wrong = |column: &str| Error::Refused(format!("account {}: bad {column}", self.id));
        Ok(Account {
            id: self.id,
            currency: Currency::from_stored(&self.currency)
                .map_err(|_unknown| wrong("currency"))?,
            normal_side: match self.normal_side {
                1 => NormalSide::Debit,
                2 => NormalSide::Credit,
                _ => return Err(wrong("normal_side")),
            },
            status: match self.status {
                1 => AccountStatus::Open,
                2 => AccountStatus::Frozen,
                3 => AccountStatus::Closed,
                _ => return Err(wrong("status")),
            },
            code: self.code,
            name: self.name,
            floor: self.floor.map(MinorUnits::new),
            debits_pending: self.debits_pending,
            debits_posted: self.debits_posted,
            credits_pending: self.credits_pending,
            credits_posted: self.credits_posted,
            version: self.version,
            opened_at: Timestamp::from_micros(self.opened_at),
        })
    }
}

impl PostingRow {
    /// The posting that the row holds.
    pub(crate) fn read(self) -> Result<PostedPosting, Error> {
        let id = self.transaction_id;
        let wrong = |column: &str| Error::Refused(format!("posting of {id}: bad {column}"));
        Ok(PostedPosting {
            posting: Posting {
                debit: self.debit_account,
                credit: self.credit_account,
                amount: Amount::new(self.amount).map_err(|_not_positive| wrong("amount"))?,
                currency: Currency::from_stored(&self.currency)
                    .map_err(|_unknown| wrong("currency"))?,
            },
            debit_version: self.debit_version,
            debit_balance: MinorUnits::new(self.debit_balance),
            credit_version: self.credit_version,
            credit_balance: MinorUnits::new(self.credit_balance),
        })
    }
}

impl TransactionRow {
    /// The transaction that the row holds, with its postings.
    pub(crate) fn read(self, postings: Vec<PostedPosting>) -> Result<Posted, Error> {
        let kind = Kind::from_name(&self.kind);
        let wrong = || Error::Refused(format!("transaction {}: bad kind", self.id));
        Ok(Posted {
            id: self.id,
            kind: kind.ok_or_else(wrong)?,
            postings,
            external_id: self.external_id,
            description: self.description,
            effective_at: Timestamp::from_micros(self.effective_at),
            recorded_at: Timestamp::from_micros(self.recorded_at),
        })
    }
}
