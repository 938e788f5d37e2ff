//! pain.001 of ISO 20022: a batch of credit transfers for a bank, in version .001.03 or .001.09.
//!
//! A batch is written as a whole or refused with the first reason. Names and texts are written in the characters that
//! every bank of SEPA takes; ids are not changed, but refused if they have other ones. No BIC is ever made up.
//!
//! Sources: the message definitions of ISO 20022 and their schemas; the implementation guidelines of the European
//! Payments Council for SEPA credit transfers (EPC132-08) and its list of countries (EPC409-09); the Swiss
//! implementation guidelines for QR-IBANs.

mod batch;
mod document;
mod refusal;
mod sepa;

use std::collections::HashMap;

use money::Currency;

use crate::Reference;
use crate::characters::{is_taken, taken};

pub use batch::{Batch, Creditor, CreditorAccount, Debtor, Remittance, Transfer, Version};
pub use refusal::{At, Field, Refusal, Warning};

/// Greatest number of characters of an id.
const MAX_ID: usize = 35;
/// Greatest number of characters of a name.
const MAX_NAME: usize = 70;
/// Greatest number of characters of an account that is no IBAN.
const MAX_ACCOUNT: usize = 34;
/// Greatest number of characters of a text.
const MAX_TEXT: usize = 140;
/// Greatest number of transfers.
const MAX_TRANSFERS: usize = 100_000;
/// Greatest number of digits of an amount and of the control sum.
const MAX_DIGITS: u32 = 18;

/// A file for a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file, in UTF-8.
    pub file: Vec<u8>,
    /// The sum of all amounts without their currencies, as the file has it.
    pub control_sum: String,
    /// What looks wrong, and may be right.
    pub warnings: Vec<Warning>,
}

/// A transfer that was checked, with its texts as they are written.
struct Checked<'b> {
    transfer: &'b Transfer,
    amount: String,
    name: String,
    text: Option<String>,
}

/// Writes a batch. The same batch gives the same bytes.
///
/// # Errors
/// [`Refusal`], with the first reason. Nothing of the batch may be sent.
pub fn write(batch: &Batch) -> Result<Written, Refusal> {
    id(&batch.message_id, At::Batch, Field::MessageId)?;
    let debtor = name(&batch.debtor.name, At::Debtor)?;
    let most = MAX_TRANSFERS;
    match batch.transfers.len() {
        0 => return Err(Refusal::NoTransfers),
        count if count > most => return Err(Refusal::TooManyTransfers { most }),
        _ => {}
    }
    let mut warnings = Vec::new();
    warn(
        At::Debtor,
        &batch.debtor.iban,
        batch.debtor.bic.as_ref(),
        &mut warnings,
    );
    let is_sepa = batch
        .transfers
        .first()
        .is_some_and(|first| sepa::is_sepa(batch, first));
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut checked = Vec::with_capacity(batch.transfers.len());
    for (number, transfer) in (1..).zip(&batch.transfers) {
        let at = At::Transfer(number);
        id(&transfer.end_to_end_id, at, Field::EndToEndId)?;
        if let Some(first) = known.insert(&transfer.end_to_end_id, number) {
            return Err(Refusal::EndToEndIdTwice { at, first });
        }
        if sepa::is_sepa(batch, transfer) != is_sepa {
            return Err(Refusal::MixedSchemes { at });
        }
        checked.push(check(batch, transfer, at, is_sepa)?);
        if let CreditorAccount::Iban(iban) = &transfer.creditor.account {
            warn(at, iban, transfer.creditor.bic.as_ref(), &mut warnings);
        }
    }
    let control_sum = control_sum(batch)?;
    let file = document::write(batch, &debtor, &checked, &control_sum, is_sepa);
    Ok(Written {
        file,
        control_sum,
        warnings,
    })
}

fn check<'b>(
    batch: &Batch,
    transfer: &'b Transfer,
    at: At,
    is_sepa: bool,
) -> Result<Checked<'b>, Refusal> {
    let money = transfer.amount;
    let currency = money.currency;
    if currency.is_custom() {
        return Err(Refusal::NoCurrency { at, currency });
    }
    if let Some(since) = currency.withdrawn_since() {
        let day = since.to_string();
        if day <= batch.requested_on.to_string() {
            return Err(Refusal::WithdrawnCurrency {
                at,
                currency,
                since: day,
            });
        }
    }
    let digits = money
        .amount
        .get()
        .checked_ilog10()
        .unwrap_or(0)
        .saturating_add(1);
    if digits > MAX_DIGITS || is_sepa && money.amount.get() > sepa::MAX_CENTS {
        let most = if is_sepa {
            sepa::MAX_CENTS
        } else {
            10_i64.pow(MAX_DIGITS) - 1
        };
        let most = currency.decimal(i128::from(most));
        return Err(Refusal::AmountTooLarge { at, most });
    }
    let creditor = &transfer.creditor;
    let name = name(&creditor.name, at)?;
    match &creditor.account {
        CreditorAccount::Other(account) => {
            id_of(account, at, Field::Account, MAX_ACCOUNT)?;
            if creditor.bic.is_none() {
                return Err(Refusal::MissingBic { at });
            }
        }
        CreditorAccount::Iban(iban) => {
            let is_qrr = matches!(
                transfer.remittance,
                Remittance::Reference(Reference::Qrr(_))
            );
            if iban.is_qr() && !is_qrr {
                return Err(Refusal::QrIbanWithoutReference { at });
            }
            if is_qrr && !iban.is_qr() {
                return Err(Refusal::QrReferenceWithoutQrIban { at });
            }
        }
    }
    if let (CreditorAccount::Other(_), Remittance::Reference(Reference::Qrr(_))) =
        (&creditor.account, &transfer.remittance)
    {
        return Err(Refusal::QrReferenceWithoutQrIban { at });
    }
    let text = match &transfer.remittance {
        Remittance::Text(text) => Some(words(text, at, Field::Text, MAX_TEXT)?),
        Remittance::None | Remittance::Reference(_) => None,
    };
    Ok(Checked {
        transfer,
        amount: money.to_decimal_string(),
        name,
        text,
    })
}

/// Checks an id. It is not changed: it has to come back as it was sent.
fn id(text: &str, at: At, field: Field) -> Result<(), Refusal> {
    id_of(text, at, field, MAX_ID)
}

fn id_of(text: &str, at: At, field: Field, most: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::Empty { at, field });
    }
    if let Some(character) = text.chars().find(|character| !is_taken(*character)) {
        return Err(Refusal::Character {
            at,
            field,
            character,
        });
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Refusal::Blank { at, field });
    }
    if text.starts_with('/') || text.ends_with('/') || text.contains("//") {
        return Err(Refusal::Slash { at, field });
    }
    bounded(text, at, field, most)
}

fn bounded(text: &str, at: At, field: Field, most: usize) -> Result<(), Refusal> {
    let found = text.chars().count();
    if found > most {
        return Err(Refusal::TooLong {
            at,
            field,
            most,
            found,
        });
    }
    Ok(())
}

fn name(text: &str, at: At) -> Result<String, Refusal> {
    words(text, at, Field::Name, MAX_NAME)
}

/// A text for people, in the characters that every bank takes. Its length counts after that.
fn words(text: &str, at: At, field: Field, most: usize) -> Result<String, Refusal> {
    let unknown = |character| Refusal::Character {
        at,
        field,
        character,
    };
    let written = taken(text).map_err(unknown)?;
    if written.is_empty() {
        return Err(Refusal::Empty { at, field });
    }
    bounded(&written, at, field, most)?;
    Ok(written)
}

fn warn(at: At, iban: &text::Iban, bic: Option<&crate::Bic>, warnings: &mut Vec<Warning>) {
    if iban.has_wrong_national_digits() {
        warnings.push(Warning::NationalDigits { at });
    }
    if let Some(bic) = bic
        && !iban.is_of(bic.country())
    {
        warnings.push(Warning::BicOfAnotherCountry {
            at,
            bic: bic.country().to_owned(),
            iban: iban.country().to_owned(),
        });
    }
}

/// The sum of all amounts as decimal numbers, whatever their currencies are.
fn control_sum(batch: &Batch) -> Result<String, Refusal> {
    let exponents = batch
        .transfers
        .iter()
        .map(|one| one.amount.currency.exponent());
    let places = exponents.max().unwrap_or(0);
    let mut sum = 0_i128;
    for transfer in &batch.transfers {
        let missing = places.saturating_sub(transfer.amount.currency.exponent());
        let factor = 10_i128.pow(u32::from(missing));
        let units = i128::from(transfer.amount.amount.get()).saturating_mul(factor);
        sum = sum.saturating_add(units);
    }
    if sum >= 10_i128.pow(MAX_DIGITS) {
        return Err(Refusal::ControlSumTooLarge);
    }
    // A custom currency has been refused, so there is one of ISO 4217 with as many places.
    let widest = batch.transfers.iter().map(|one| one.amount.currency);
    let widest = widest.max_by_key(|currency: &Currency| currency.exponent());
    Ok(widest.map_or_else(String::new, |currency| currency.decimal(sum)))
}

#[cfg(test)]
mod tests;
