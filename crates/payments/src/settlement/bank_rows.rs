//! The table of bank lines, and the settlements that one may be about.

use diesel::prelude::*;
use ledger::TransactionId;
use money::Currency;
use store::{AnyConnection, Error, TenantId};

use super::BankLineId;
use super::rows::SettlementRow;
use crate::schema::settlement;

/// Number of days by which the day of a bank line and that of its settlement may differ.
pub(super) const DAYS_APART: i32 = 7;
/// Greatest number of settlements that are looked at for one amount.
const MANY: i64 = 10;

store::bulk_insert! {
    /// A row of `bank_line`. Amounts are minor units, times microseconds since 1970.
    pub struct BankLineRow in bank_line {
        tenant_id: TenantId,
        id: BankLineId,
        number: i64,
        content: Vec<u8>,
        account: String,
        statement: String,
        amount: i64,
        currency: String,
        day: i32,
        reference: String,
        status: String,
        subject: Option<String>,
        transaction_id: Option<TransactionId>,
        created_at: i64,
    }
}

store::bulk_update! {
    /// An open bank line that was matched, or that a person has resolved.
    pub struct BankLineResolved in bank_line {
        find { tenant_id: TenantId = tenant_id, id: BankLineId = id, seen_status: String = status }
        set {
            status: String = status,
            subject: Option<String> = subject,
            transaction_id: Option<TransactionId> = transaction_id,
        }
    }
}

store::bulk_find! {
    /// A bank line by its content.
    pub struct BankLineByContent => BankLineRow in bank_line {
        /// SHA-256 of the content and of the ordinal among equal lines.
        content: Vec<u8>,
    }
}

store::bulk_find! {
    /// The bank lines of a subject.
    pub struct BankLineBySubject => BankLineRow in bank_line {
        /// The payout's operation.
        subject: String,
    }
}

/// The settlements that are not at the bank and whose whole net amount is one of these, within some days.
pub(super) fn candidates(
    connection: &mut AnyConnection,
    tenant: TenantId,
    amounts: &[(Currency, i64, i32)],
) -> Result<Vec<SettlementRow>, Error> {
    let mut found = Vec::new();
    for (currency, amount, day) in amounts {
        let rows: Vec<SettlementRow> = settlement::table
            .filter(settlement::tenant_id.eq(tenant))
            .filter(settlement::currency.eq(currency.code()))
            .filter(settlement::net.eq(amount))
            .filter(settlement::banked.ne(settlement::net))
            .filter(settlement::day.between(
                day.saturating_sub(DAYS_APART),
                day.saturating_add(DAYS_APART),
            ))
            .limit(MANY)
            .load(connection)?;
        found.extend(rows);
    }
    Ok(found)
}
