//! Which transfers are those of SEPA.

use money::Currency;
use text::Iban;

use super::order::{CreditorAccount, Transfer, TransferOrder};

/// The largest amount: 999,999,999.99 euros.
pub(super) const MAX_CENTS: i64 = 99_999_999_999;

/// The country codes of the IBANs of SEPA (EPC409-09). Territories have the code of their country.
const COUNTRIES: [&str; 42] = [
    "AD", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI",
    "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT", "NL",
    "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "VA",
];

/// True if a transfer of an order is one of SEPA.
pub(super) fn is_sepa(order: &TransferOrder, transfer: &Transfer) -> bool {
    match &transfer.creditor.account {
        CreditorAccount::Iban(iban) => {
            is_between(&order.debtor.iban, iban, transfer.amount.currency)
        }
        CreditorAccount::Other(_) => false,
    }
}

/// True if a transfer is one of SEPA: in euros, between two IBANs of its countries.
pub(super) fn is_between(debtor: &Iban, creditor: &Iban, currency: Currency) -> bool {
    let is_of_sepa = |iban: &Iban| COUNTRIES.contains(&iban.country());
    is_of_sepa(debtor) && is_of_sepa(creditor) && currency.code() == "EUR"
}
