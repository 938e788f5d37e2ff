//! The table of bank accounts.

use bank_files::Bic;
use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};
use text::Iban;

use super::{BankAccount, BankAccountId};

diesel::table! {
    bank_account (tenant_id, id) {
        tenant_id -> BigInt,
        id -> Binary,
        holder -> Text,
        iban -> Text,
        bic -> Nullable<Text>,
        created_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

store::bulk_insert! {
    /// A row of `bank_account`. Times are in microseconds since 1970.
    pub struct BankAccountRow in bank_account {
        tenant_id: TenantId,
        id: BankAccountId,
        holder: String,
        iban: String,
        bic: Option<String>,
        created_at: i64,
        closed_at: Option<i64>,
    }
}

store::bulk_update! {
    /// A bank account that is closed. If another writer has closed it meanwhile, a trigger refuses the update.
    pub struct BankAccountClosed in bank_account {
        find { tenant_id: TenantId = tenant_id, id: BankAccountId = id }
        set { closed_at: Option<i64> = closed_at }
    }
}

store::bulk_find! {
    /// A bank account by its id.
    pub struct BankAccountById => BankAccountRow in bank_account {
        /// Its id.
        id: BankAccountId,
    }
}

/// One bank account of the tenant, if it exists.
pub(super) fn account(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: BankAccountId,
) -> Result<Option<BankAccount>, Error> {
    let row: Option<BankAccountRow> = bank_account::table
        .find((tenant, id))
        .first(connection)
        .optional()?;
    row.map(BankAccountRow::read).transpose()
}

/// At most `limit` bank accounts, newest first, that were made before the account `before`.
pub(super) fn accounts(
    connection: &mut AnyConnection,
    tenant: TenantId,
    before: Option<BankAccountId>,
    limit: i64,
) -> Result<Vec<BankAccount>, Error> {
    let newest = BankAccountId::from_bytes([0xff; 16]);
    let rows: Vec<BankAccountRow> = bank_account::table
        .filter(bank_account::tenant_id.eq(tenant))
        .filter(bank_account::id.lt(before.unwrap_or(newest)))
        .order(bank_account::id.desc())
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(BankAccountRow::read).collect()
}

/// The ids of bank accounts after this one, in order, at most `limit`.
pub(crate) fn each_id(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<BankAccountId>,
    limit: i64,
) -> Result<Vec<BankAccountId>, Error> {
    let mut query = bank_account::table
        .filter(bank_account::tenant_id.eq(tenant))
        .order(bank_account::id)
        .limit(limit)
        .select(bank_account::id)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(bank_account::id.gt(after));
    }
    Ok(query.load(connection)?)
}

impl BankAccountRow {
    pub(super) fn of(tenant_id: TenantId, row: &BankAccount) -> Self {
        Self {
            tenant_id,
            id: row.id,
            holder: row.holder.clone(),
            iban: row.iban.electronic().to_owned(),
            bic: row.bic.as_ref().map(|bic| bic.as_str().to_owned()),
            created_at: row.created_at.micros(),
            closed_at: row.closed_at.map(Timestamp::micros),
        }
    }

    pub(super) fn read(self) -> Result<BankAccount, Error> {
        let wrong =
            |column: &str| Error::Refused(format!("bank_account {}: bad {column}", self.id));
        Ok(BankAccount {
            id: self.id,
            iban: Iban::parse(&self.iban).map_err(|_rule| wrong("iban"))?,
            bic: (self.bic.as_deref().map(Bic::parse).transpose()).map_err(|_rule| wrong("bic"))?,
            holder: self.holder,
            created_at: Timestamp::from_micros(self.created_at),
            closed_at: self.closed_at.map(Timestamp::from_micros),
        })
    }
}
