//! pain.001 of ISO 20022: an order of credit transfers for a bank, in version .001.03 or .001.09.
//!
//! An order is written as a whole or refused with the first reason. Names and texts are written in the characters that
//! every bank of SEPA takes; ids are not changed, but refused if they have other ones. No BIC is ever made up.
//!
//! Sources: the message definitions of ISO 20022 and their schemas; the implementation guidelines of the European
//! Payments Council for SEPA credit transfers (EPC132-08) and its list of countries (EPC409-09); the Swiss
//! implementation guidelines for QR-IBANs.

mod document;
mod order;
mod refusal;
mod sepa;

use std::collections::HashMap;

use money::Currency;

use crate::Reference;
use crate::characters::{is_taken, taken};

pub use order::{Creditor, CreditorAccount, Debtor, Remittance, Transfer, TransferOrder, Version};
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

/// Writes an order. The same order gives the same bytes.
///
/// # Errors
/// [`Refusal`], with the first reason. Nothing of the order may be sent.
pub fn write(order: &TransferOrder) -> Result<Written, Refusal> {
    id(&order.message_id, At::Order, Field::MessageId)?;
    let debtor = name(&order.debtor.name, At::Debtor)?;
    let most = MAX_TRANSFERS;
    match order.transfers.len() {
        0 => return Err(Refusal::NoTransfers),
        count if count > most => return Err(Refusal::TooManyTransfers { most }),
        _ => {}
    }
    let mut warnings = Vec::new();
    warn(
        At::Debtor,
        &order.debtor.iban,
        order.debtor.bic.as_ref(),
        &mut warnings,
    );
    let is_sepa = order
        .transfers
        .first()
        .is_some_and(|first| sepa::is_sepa(order, first));
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut checked = Vec::with_capacity(order.transfers.len());
    for (number, transfer) in (1..).zip(&order.transfers) {
        let at = At::Transfer(number);
        id(&transfer.end_to_end_id, at, Field::EndToEndId)?;
        if let Some(first) = known.insert(&transfer.end_to_end_id, number) {
            return Err(Refusal::EndToEndIdTwice { at, first });
        }
        if sepa::is_sepa(order, transfer) != is_sepa {
            return Err(Refusal::MixedSchemes { at });
        }
        checked.push(check(order, transfer, at, is_sepa)?);
        if let CreditorAccount::Iban(iban) = &transfer.creditor.account {
            warn(at, iban, transfer.creditor.bic.as_ref(), &mut warnings);
        }
    }
    let control_sum = control_sum(order)?;
    let file = document::write(order, &debtor, &checked, &control_sum, is_sepa);
    Ok(Written {
        file,
        control_sum,
        warnings,
    })
}

fn check<'b>(
    order: &TransferOrder,
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
        if day <= order.requested_on.to_string() {
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
    let is_qrr = matches!(
        transfer.remittance,
        Remittance::Reference(Reference::Qrr(_))
    );
    let name = creditor(&transfer.creditor, is_qrr, at)?;
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

impl Creditor {
    /// Checks that a transfer to this creditor can be written. The transfer may have a text, but no reference.
    ///
    /// # Errors
    /// [`Refusal`], as of the first transfer of an order.
    pub fn check(&self) -> Result<(), Refusal> {
        creditor(self, false, At::Transfer(1)).map(drop)
    }
}

/// True if a transfer of this money between these accounts is one of SEPA. An order has only such transfers, or none.
#[must_use]
pub fn is_sepa(debtor: &text::Iban, creditor: &text::Iban, currency: Currency) -> bool {
    sepa::is_between(debtor, creditor, currency)
}

/// Checks a creditor. Returns the name as it is written.
fn creditor(creditor: &Creditor, is_qrr: bool, at: At) -> Result<String, Refusal> {
    let name = name(&creditor.name, at)?;
    let is_qr = match &creditor.account {
        CreditorAccount::Other(account) => {
            id_of(account, at, Field::Account, MAX_ACCOUNT)?;
            if creditor.bic.is_none() {
                return Err(Refusal::MissingBic { at });
            }
            false
        }
        CreditorAccount::Iban(iban) => iban.is_qr(),
    };
    match (is_qr, is_qrr) {
        (true, false) => Err(Refusal::QrIbanWithoutReference { at }),
        (false, true) => Err(Refusal::QrReferenceWithoutQrIban { at }),
        (true, true) | (false, false) => Ok(name),
    }
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
fn control_sum(order: &TransferOrder) -> Result<String, Refusal> {
    let exponents = order
        .transfers
        .iter()
        .map(|one| one.amount.currency.exponent());
    let places = exponents.max().unwrap_or(0);
    let mut sum = 0_i128;
    for transfer in &order.transfers {
        let missing = places.saturating_sub(transfer.amount.currency.exponent());
        let factor = 10_i128.pow(u32::from(missing));
        let units = i128::from(transfer.amount.amount.get()).saturating_mul(factor);
        sum = sum.saturating_add(units);
    }
    if sum >= 10_i128.pow(MAX_DIGITS) {
        return Err(Refusal::ControlSumTooLarge);
    }
    // A custom currency has been refused, so there is one of ISO 4217 with as many places.
    let widest = order.transfers.iter().map(|one| one.amount.currency);
    let widest = widest.max_by_key(|currency: &Currency| currency.exponent());
    Ok(widest.map_or_else(String::new, |currency| currency.decimal(sum)))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use money::{Amount, Money};
    use proptest::prelude::*;

    use super::*;
    use crate::xml::{self, Element};
    use crate::{Bic, Date, Iban};

    fn money(units: i64, code: &str) -> Money {
        let currency = Currency::from_code(code)
            .or_else(|_| Currency::custom(code, 6))
            .unwrap();
        Money {
            amount: Amount::new(units).unwrap(),
            currency,
        }
    }

    fn transfer(id: &str, units: i64, code: &str) -> Transfer {
        Transfer {
            end_to_end_id: id.to_owned(),
            amount: money(units, code),
            creditor: Creditor {
                name: "Erika Mustermann".to_owned(),
                account: CreditorAccount::Iban(Iban::parse("AT611904300234573201").unwrap()),
                bic: None,
            },
            remittance: Remittance::Text("Invoice 1".to_owned()),
        }
    }

    fn order(transfers: Vec<Transfer>) -> TransferOrder {
        TransferOrder {
            version: Version::V03,
            message_id: "RUN-1".to_owned(),
            created_at: "2026-11-30T10:00:00.123456Z".parse().unwrap(),
            debtor: Debtor {
                name: "Florin GmbH".to_owned(),
                iban: Iban::parse("DE89370400440532013000").unwrap(),
                bic: Some(Bic::parse("COBADEFFXXX").unwrap()),
            },
            requested_on: Date::constant(2026, 12, 1),
            transfers,
        }
    }

    #[test]
    fn a_creditor_is_refused_alone_as_it_is_in_an_order() {
        let iban = |text: &str| CreditorAccount::Iban(Iban::parse(text).unwrap());
        let other = || CreditorAccount::Other("998877".to_owned());
        for (name, account, field) in [
            ("", iban("AT611904300234573201"), Some(Field::Name)),
            ("\u{4e2d}", iban("AT611904300234573201"), Some(Field::Name)),
            ("Erika", iban("CH4431999123000889012"), None),
            ("Erika", other(), None),
        ] {
            let mut one = transfer("PAY-1", 1, "EUR");
            one.creditor.name = name.to_owned();
            one.creditor.account = account;
            let alone = one.creditor.check().unwrap_err();
            assert_eq!(alone.field(), field);
            assert!(!alone.about_one().contains("transfer 1"), "{alone}");
            assert_eq!(write(&order(vec![one])), Err(alone));
        }
        assert_eq!(transfer("PAY-1", 1, "EUR").creditor.check(), Ok(()));
    }

    fn euros() -> TransferOrder {
        order(vec![
            transfer("PAY-1", 100_050, "EUR"),
            transfer("PAY-2", 1, "EUR"),
        ])
    }

    /// The payments' group of an order that is written.
    fn group(order: &TransferOrder) -> Element {
        let written = write(order).unwrap();
        let document = xml::read(&written.file).unwrap();
        assert!(document.namespace.ends_with(order.version.message()));
        let body = document.root;
        let header = body.at(&["CstmrCdtTrfInitn", "GrpHdr"]).unwrap();
        assert_eq!(
            header.text_at(&["CtrlSum"]),
            Some(written.control_sum.as_str())
        );
        let mut document = body;
        document.take(&["CstmrCdtTrfInitn", "PmtInf"]).unwrap()
    }

    fn amounts(order: &TransferOrder) -> Vec<(String, String)> {
        let group = group(order);
        let all = group.all("CdtTrfTxInf").map(|one| {
            let amount = one.at(&["Amt", "InstdAmt"]).unwrap();
            (
                amount.text().unwrap().to_owned(),
                amount.attribute("Ccy").unwrap().to_owned(),
            )
        });
        all.collect()
    }

    fn first(change: impl FnOnce(&mut Transfer)) -> TransferOrder {
        let mut order = euros();
        change(&mut order.transfers[0]);
        order
    }

    fn refused(order: &TransferOrder) -> String {
        write(order).unwrap_err().to_string()
    }

    /// A transfer that is none of SEPA.
    fn abroad(id: &str, units: i64, code: &str) -> Transfer {
        let mut transfer = transfer(id, units, code);
        transfer.creditor.account = CreditorAccount::Other("123-456/78".to_owned());
        transfer.creditor.bic = Some(Bic::parse("CHASUS33").unwrap());
        transfer
    }

    #[test]
    fn an_amount_has_exactly_the_digits_of_its_currency_and_the_sum_has_no_currency() {
        let mixed = order(vec![
            abroad("1", 1_000, "JPY"),
            abroad("2", 1_234, "KWD"),
            transfer("3", 100_050, "USD"),
        ]);
        let own = |text: &str, code: &str| (text.to_owned(), code.to_owned());
        assert_eq!(
            amounts(&mixed),
            [
                own("1000", "JPY"),
                own("1.234", "KWD"),
                own("1000.50", "USD")
            ]
        );
        assert_eq!(write(&mixed).unwrap().control_sum, "2001.734");
        assert_eq!(
            amounts(&euros()),
            [own("1000.50", "EUR"), own("0.01", "EUR")]
        );
        assert_eq!(write(&euros()).unwrap().control_sum, "1000.51");
        let yen = order(vec![abroad("1", 5, "JPY"), abroad("2", 6, "JPY")]);
        assert_eq!(write(&yen).unwrap().control_sum, "11");
    }

    #[test]
    fn names_and_texts_are_written_in_the_characters_of_sepa() {
        let order = first(|transfer| {
            transfer.creditor.name = "Łukasz Groß & Søn".to_owned();
            transfer.remittance = Remittance::Text("50 € für Æ\u{a0}<1>".to_owned());
        });
        let group = group(&order);
        let written = group.at(&["CdtTrfTxInf"]).unwrap();
        assert_eq!(written.text_at(&["Cdtr", "Nm"]), Some("Lukasz Gross + Son"));
        assert_eq!(
            written.text_at(&["RmtInf", "Ustrd"]),
            Some("50 EUR fur AE (1)")
        );
        let said = refused(&first(|transfer| transfer.creditor.name = "Жук".to_owned()));
        assert!(
            said.starts_with("transfer 1: name has the character 'Ж', which banks do not take"),
            "{said}"
        );
    }

    #[test]
    fn references_have_no_slash_in_front_behind_or_twice() {
        for id in ["/1", "1/", "1//2", "/"] {
            let said = refused(&first(|transfer| transfer.end_to_end_id = id.to_owned()));
            assert_eq!(
                said,
                "transfer 1: end_to_end_id must not begin or end with a slash, or have two together"
            );
            let said = refused(&TransferOrder {
                message_id: id.to_owned(),
                ..euros()
            });
            assert_eq!(
                said,
                "the order: message_id must not begin or end with a slash, or have two together"
            );
        }
        assert!(
            write(&first(
                |transfer| transfer.end_to_end_id = "1/2-3/4".to_owned()
            ))
            .is_ok()
        );
        // An id is never changed, because it has to come back as it was sent.
        let said = refused(&first(|transfer| {
            transfer.end_to_end_id = "Größe".to_owned()
        }));
        assert!(
            said.starts_with("transfer 1: end_to_end_id has the character 'ö'"),
            "{said}"
        );
        for id in ["", " "] {
            let said = refused(&first(|transfer| transfer.end_to_end_id = id.to_owned()));
            assert_eq!(said, "transfer 1: end_to_end_id must not be empty");
        }
        let said = refused(&first(|transfer| transfer.end_to_end_id = "1 ".to_owned()));
        assert_eq!(
            said,
            "transfer 1: end_to_end_id must not begin or end with a blank"
        );
    }

    #[test]
    fn a_name_over_70_and_a_text_over_140_are_refused() {
        let named = |name: String| first(|transfer| transfer.creditor.name = name);
        assert!(write(&named("ß".repeat(35))).is_ok());
        assert_eq!(
            refused(&named("ß".repeat(36))),
            "transfer 1: name may have at most 70 characters, and has 72 as it is written for the bank"
        );
        assert_eq!(
            refused(&named(" ".to_owned())),
            "transfer 1: name must not be empty"
        );
        let text = |text: String| first(|transfer| transfer.remittance = Remittance::Text(text));
        assert!(write(&text("a".repeat(140))).is_ok());
        assert!(
            refused(&text("a".repeat(141)))
                .starts_with("transfer 1: remittance text may have at most 140")
        );
        let mut order = euros();
        order.debtor.name = "a".repeat(71);
        assert!(refused(&order).starts_with("the debtor: name may have at most 70"));
        order = TransferOrder {
            message_id: "a".repeat(36),
            ..euros()
        };
        assert!(refused(&order).starts_with("the order: message_id may have at most 35"));
    }

    #[test]
    fn no_bic_is_made_up() {
        for (version, name) in [(Version::V03, "BIC"), (Version::V09, "BICFI")] {
            let mut order = TransferOrder { version, ..euros() };
            order.transfers[0].creditor.bic = Some(Bic::parse("BKAUATWW").unwrap());
            let group = group(&order);
            assert_eq!(
                group.text_at(&["DbtrAgt", "FinInstnId", name]),
                Some("COBADEFFXXX")
            );
            let agents: Vec<_> = group
                .all("CdtTrfTxInf")
                .filter_map(|one| one.at(&["CdtrAgt", "FinInstnId"]))
                .collect();
            assert_eq!(agents[0].text_at(&[name]), Some("BKAUATWW"));
            assert_eq!(agents[1].text_at(&["Othr", "Id"]), Some("NOTPROVIDED"));
            assert_eq!(agents[1].text_at(&[name]), None);
            order.debtor.bic = None;
            let group = self::group(&order);
            assert_eq!(
                group.text_at(&["DbtrAgt", "FinInstnId", "Othr", "Id"]),
                Some("NOTPROVIDED")
            );
        }
        let mut without = abroad("1", 1, "USD");
        without.creditor.bic = None;
        assert_eq!(
            refused(&order(vec![without])),
            "transfer 1: bic must be there, because the account is no IBAN"
        );
    }

    #[test]
    fn a_bic_of_another_country_is_a_warning() {
        let with = |iban: &str, bic: &str| {
            let order = first(|transfer| {
                transfer.creditor.account = CreditorAccount::Iban(Iban::parse(iban).unwrap());
                transfer.creditor.bic = Some(Bic::parse(bic).unwrap());
            });
            let warnings = write(&order).unwrap().warnings;
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            with("AT611904300234573201", "COBADEFF"),
            ["transfer 1: the BIC is of DE, and the IBAN of AT"]
        );
        assert!(with("AT611904300234573201", "BKAUATWW").is_empty());
        // Banks of Guernsey have BICs of their own, and IBANs of GB.
        assert!(with("GB29NWBK60161331926819", "RBOSGGSX").is_empty());
        assert!(with("FR1420041010050500013M02606", "BNPARERX").is_empty());
        let said = with("BE41539007547035", "GEBABEBB");
        assert_eq!(
            said,
            ["transfer 1: the check digits of the country within the IBAN do not fit"]
        );
    }

    #[test]
    fn a_qr_iban_and_a_qr_reference_need_each_other() {
        let qr = Iban::parse("CH4431999123000889012").unwrap();
        let plain = Iban::parse("CH9300762011623852957").unwrap();
        let qrr = Reference::qrr("210000000003139471430009017").unwrap();
        let rf = Reference::rf("RF18539007547034").unwrap();
        let with = |iban: &Iban, remittance: Remittance| {
            let mut order = order(vec![transfer("1", 1_000, "CHF")]);
            order.transfers[0].creditor.account = CreditorAccount::Iban(iban.clone());
            order.transfers[0].remittance = remittance;
            order
        };
        let written = group(&with(&qr, Remittance::Reference(qrr.clone())));
        let reference = written
            .at(&["CdtTrfTxInf", "RmtInf", "Strd", "CdtrRefInf"])
            .unwrap();
        assert_eq!(
            reference.text_at(&["Tp", "CdOrPrtry", "Prtry"]),
            Some("QRR")
        );
        assert_eq!(
            reference.text_at(&["Ref"]),
            Some("210000000003139471430009017")
        );
        let says = "transfer 1: the account is a QR-IBAN, so the remittance must be a QR reference";
        for remittance in [
            Remittance::None,
            Remittance::Text("x".to_owned()),
            Remittance::Reference(rf.clone()),
        ] {
            assert_eq!(refused(&with(&qr, remittance)), says);
        }
        let said = refused(&with(&plain, Remittance::Reference(qrr.clone())));
        assert!(said.contains("so the account must be a QR-IBAN"), "{said}");
        let mut other = order(vec![abroad("1", 1, "CHF")]);
        other.transfers[0].remittance = Remittance::Reference(qrr);
        assert!(refused(&other).contains("so the account must be a QR-IBAN"));
        let written = group(&with(&plain, Remittance::Reference(rf)));
        let reference = written
            .at(&["CdtTrfTxInf", "RmtInf", "Strd", "CdtrRefInf"])
            .unwrap();
        assert_eq!(reference.text_at(&["Tp", "CdOrPrtry", "Cd"]), Some("SCOR"));
    }

    #[test]
    fn an_order_is_of_sepa_or_it_is_not() {
        let sepa = group(&euros());
        assert_eq!(sepa.text_at(&["PmtTpInf", "SvcLvl", "Cd"]), Some("SEPA"));
        assert_eq!(sepa.text_at(&["ChrgBr"]), Some("SLEV"));
        let other = group(&order(vec![transfer("1", 1, "USD")]));
        assert_eq!(other.text_at(&["PmtTpInf", "SvcLvl", "Cd"]), None);
        assert_eq!(other.text_at(&["ChrgBr"]), Some("SHAR"));
        let mut turkish = transfer("2", 1, "EUR");
        turkish.creditor.account =
            CreditorAccount::Iban(Iban::parse("TR330006100519786457841326").unwrap());
        let said = refused(&order(vec![transfer("1", 1, "EUR"), turkish]));
        assert!(
            said.starts_with("transfer 2: either all transfers of an order are those of SEPA"),
            "{said}"
        );
    }

    #[test]
    fn the_versions_write_the_date_in_their_own_way() {
        let old = group(&euros());
        assert_eq!(old.text_at(&["ReqdExctnDt"]), Some("2026-12-01"));
        let new = group(&TransferOrder {
            version: Version::V09,
            ..euros()
        });
        assert_eq!(new.text_at(&["ReqdExctnDt", "Dt"]), Some("2026-12-01"));
        let file = String::from_utf8(write(&euros()).unwrap().file).unwrap();
        assert!(
            file.contains("<CreDtTm>2026-11-30T10:00:00Z</CreDtTm>"),
            "{file}"
        );
    }

    #[test]
    fn what_no_bank_can_do_is_refused() {
        for (order, says) in [
            (order(Vec::new()), "the order needs at least one transfer"),
            (
                order(vec![transfer("1", 1, "EUR"), transfer("1", 2, "EUR")]),
                "transfer 2: end_to_end_id is that of transfer 1 already",
            ),
            (
                order(vec![abroad("1", 1, "USDC")]),
                "transfer 1: amount is in USDC, which is no currency of ISO 4217",
            ),
            (
                order(vec![abroad("1", 1, "HRK")]),
                "transfer 1: amount is in HRK, which was withdrawn on 2023-01-01",
            ),
            (
                order(vec![transfer("1", 100_000_000_000, "EUR")]),
                "transfer 1: amount may be at most 999999999.99",
            ),
            (
                order(vec![abroad("1", i64::MAX, "USD")]),
                "transfer 1: amount may be at most 9999999999999999.99",
            ),
            (
                order(vec![
                    abroad("1", 999_999_999_999_999_999, "USD"),
                    abroad("2", 1, "USD"),
                ]),
                "the sum of all amounts has more than 18 digits: make several orders",
            ),
        ] {
            assert_eq!(refused(&order), says);
        }
        let many = (0..=100_000)
            .map(|number| transfer(&number.to_string(), 1, "EUR"))
            .collect();
        assert_eq!(
            refused(&order(many)),
            "the order may have at most 100000 transfers"
        );
        assert!(write(&order(vec![transfer("1", 99_999_999_999, "EUR")])).is_ok());
        let mut account = abroad("1", 1, "USD");
        account.creditor.account = CreditorAccount::Other("/1".to_owned());
        assert!(refused(&order(vec![account])).starts_with("transfer 1: account must not begin"));
    }

    proptest! {
        #[test]
        fn amounts_read_back_and_their_sum_is_the_control_sum(
            payments in prop::collection::vec(
                (1..1_000_000_000_000_i64, prop::sample::select(vec!["JPY", "KWD", "USD", "CLF", "TND"])), 1..20),
        ) {
            let transfers = payments.iter().enumerate();
            let transfers = transfers.map(|(number, (units, code))| abroad(&number.to_string(), *units, code)).collect();
            let order = TransferOrder { version: Version::V09, ..order(transfers) };
            let mut sum = money::Decimal::ZERO;
            for ((text, code), (units, written)) in amounts(&order).iter().zip(&payments) {
                prop_assert_eq!(code, written);
                let read = Money::from_decimal(text, Currency::from_code(code).unwrap()).unwrap();
                prop_assert_eq!(read.amount.get(), *units);
                prop_assert_eq!(&read.to_decimal_string(), text);
                sum += money::Decimal::from_str_exact(text).unwrap();
            }
            let control = money::Decimal::from_str_exact(&write(&order).unwrap().control_sum).unwrap();
            prop_assert_eq!(control, sum);
        }

        #[test]
        fn every_text_gives_well_formed_xml_or_a_refusal(name in "\\PC{0,80}", text in "\\PC{0,150}", id in "\\PC{0,40}") {
            let order = first(|transfer| {
                transfer.creditor.name = name;
                transfer.remittance = Remittance::Text(text);
                transfer.end_to_end_id = id;
            });
            if let Ok(written) = write(&order) {
                prop_assert!(xml::read(&written.file).is_ok());
            }
        }
    }
}
