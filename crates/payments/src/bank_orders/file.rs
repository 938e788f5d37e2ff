//! The file of an order.

use bank_files::date_of;
use bank_files::pain001::{
    Creditor, CreditorAccount, Refusal, Remittance, Transfer, TransferOrder, Written, write,
};
use money::Money;
use store::Timestamp;

use super::OwnAccount;
use crate::bank_accounts::BankAccount;

/// Number of microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// A transfer to a bank account. The payee sees the end-to-end id, and no text.
pub(super) fn transfer(end_to_end_id: String, money: Money, to: &BankAccount) -> Transfer {
    Transfer {
        end_to_end_id,
        amount: money,
        creditor: Creditor {
            name: to.holder.clone(),
            account: CreditorAccount::Iban(to.iban.clone()),
            bic: to.bic.clone(),
        },
        remittance: Remittance::None,
    }
}

/// Writes the file of an order.
pub(super) fn written(
    own: &OwnAccount,
    message_id: String,
    (made_at, requested_on): (Timestamp, i32),
    transfers: Vec<Transfer>,
) -> Result<Written, Refusal> {
    let created_at = bank_files::Timestamp::from_microsecond(made_at.micros());
    write(&TransferOrder {
        version: own.version,
        message_id,
        created_at: created_at.unwrap_or_default(),
        debtor: own.debtor.clone(),
        requested_on: date_of(requested_on),
        transfers,
    })
}

/// Checks that a file could have a transfer of this money to this account, if it were made now.
///
/// # Errors
/// The first rule of the file that it breaks.
pub fn check(
    own: &OwnAccount,
    money: Money,
    to: &BankAccount,
    now: Timestamp,
) -> Result<(), Refusal> {
    let transfers = vec![transfer("1".to_owned(), money, to)];
    written(own, "1".to_owned(), (now, today(now)), transfers).map(drop)
}

/// The day of a moment in UTC, in days since 1970.
pub(super) fn today(now: Timestamp) -> i32 {
    i32::try_from(now.micros().div_euclid(DAY_MICROS)).unwrap_or(i32::MAX)
}
