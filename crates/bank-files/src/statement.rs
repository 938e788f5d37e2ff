//! A bank's statement of one account, whichever format it came in.

use std::collections::BTreeMap;

use jiff::civil::Date;
use money::{Currency, MinorUnits};
use text::Iban;

use crate::Place;

/// What a file says of one account for one span of time.
///
/// All texts are as they are in the file. They may hold anything, card numbers too: whoever stores them checks them
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The kind of the message.
    pub kind: Kind,
    /// The account.
    pub account: Account,
    /// The bank's number or id of the statement, without the number of a page; `None` in CSV without such a column.
    pub id: Option<String>,
    /// The currency of the account, and of all amounts.
    pub currency: Currency,
    /// The number of the first page that was read.
    pub first_page: u32,
    /// The number of the last page that was read.
    pub last_page: u32,
    /// The balance before the first entry; `None` if the file does not have it.
    pub opening: Option<Balance>,
    /// The balance after the last booked entry; `None` if the file does not have it.
    pub closing: Option<Balance>,
    /// The booked entries, in the order of the file.
    pub entries: Vec<Entry>,
    /// Entries that the bank expects and has not booked. They are part of no balance.
    pub expected: Vec<Entry>,
    /// Whether the first page is here.
    pub has_first: bool,
    /// Whether the last page is here. Until then the statement is open.
    pub has_last: bool,
    /// Where the statement begins in the file.
    pub place: Place,
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A statement of what is booked: MT940, camt.053, CSV.
    Statement,
    /// A report within the day: camt.052. A statement has the same entries again.
    Report,
    /// A notice of single entries: camt.054. A statement has the same entries again.
    Notice,
}

/// How a file names an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The name as it is in the file: an IBAN, or a bank's own number, perhaps with the number of the bank.
    pub id: String,
    /// The IBAN, if the name has a valid one in it.
    pub iban: Option<Iban>,
}

impl Account {
    /// An account by its name in a file. An IBAN may stand alone, before or behind a slash, or before a currency's code.
    pub(crate) fn named(id: &str) -> Self {
        let mut parts = vec![id];
        parts.extend(id.split('/'));
        let bare = id.len().checked_sub(3).and_then(|end| id.get(..end));
        parts.extend(bare);
        let iban = parts.into_iter().find_map(|part| Iban::parse(part).ok());
        Self {
            id: id.to_owned(),
            iban,
        }
    }

    /// The IBAN in its electronic form, else the name.
    #[must_use]
    pub fn key(&self) -> &str {
        self.iban.as_ref().map_or(&self.id, Iban::electronic)
    }
}

impl Account {
    /// True if the name is that of this account: its IBAN, or in Germany and Austria the number of the bank, a slash and
    /// the number of the account. Both numbers are in the IBAN there, the second with zeros in front. A currency's code
    /// may follow.
    #[must_use]
    pub fn is_of(&self, iban: &Iban) -> bool {
        if let Some(own) = &self.iban {
            return own == iban;
        }
        let bank_digits = match iban.country() {
            "DE" => 8,
            "AT" => 5,
            _ => return false,
        };
        let of_iban = iban.national().split_at_checked(bank_digits);
        let (Some((bank, number)), Some((of_bank, rest))) = (of_iban, self.id.split_once('/'))
        else {
            return false;
        };
        let rest = rest.trim();
        let digits = rest.trim_end_matches(|letter: char| letter.is_ascii_uppercase());
        let code = rest.len().saturating_sub(digits.len());
        let digits = digits.trim_end();
        let is_number = !digits.is_empty() && digits.bytes().all(|one| one.is_ascii_digit());
        is_number
            && [0, 3].contains(&code)
            && digits.len() <= number.len()
            && of_bank.trim() == bank
            && digits.trim_start_matches('0') == number.trim_start_matches('0')
    }
}

/// A balance at the beginning or at the end of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Balance {
    /// The date as the bank wrote it; `None` in CSV, where balances have none.
    pub date: Option<Date>,
    /// Minor units; negative is overdrawn.
    pub units: MinorUnits,
}

/// A line of a statement: an amount that was booked, or that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the entry in its statement; the first is 1. Expected entries are counted too.
    pub position: usize,
    /// Where the entry begins in the file.
    pub place: Place,
    /// The date of booking, as the bank wrote it. If the file has none, it is the value date.
    pub booked_on: Date,
    /// The date from which interest counts, if the file has it.
    pub value_on: Option<Date>,
    /// Minor units in the currency of the account. Positive is money in.
    pub units: MinorUnits,
    /// Whether the bank calls the entry a reversal. The sign is right already: a reversed credit is money out.
    pub is_reversal: bool,
    /// The bank's reference of the entry.
    pub bank_reference: Option<String>,
    /// The reference that the account's owner gave to the order, if the entry is of one payment.
    pub own_reference: Option<String>,
    /// The payer's reference that goes through to the payee, if the entry is of one payment.
    pub end_to_end_id: Option<String>,
    /// The other side, if the entry is of one payment.
    pub counterpart: Counterpart,
    /// What the payer wrote, if the entry is of one payment; else what the bank wrote.
    pub remittance: Option<String>,
    /// The payments of which the entry is made, if the file has them. None and many are both normal.
    pub details: Vec<Detail>,
}

/// One of the payments of which an entry is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail {
    /// Minor units with the same sign rule as the entry; `None` if the file has no amount in the currency of the entry.
    pub units: Option<MinorUnits>,
    /// The payer's reference that goes through to the payee.
    pub end_to_end_id: Option<String>,
    /// The bank's reference of the payment.
    pub bank_reference: Option<String>,
    /// The other side.
    pub counterpart: Counterpart,
    /// What the payer wrote.
    pub remittance: Option<String>,
    /// The payee's reference, if it stands in a field of its own, such as `RF18539007547034`.
    pub creditor_reference: Option<String>,
}

/// A part of an entry that is matched on its own: one of its payments, or the entry as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'e> {
    /// The position of the entry, such as `3`, and the number of the payment in it: `3.2`.
    pub position: String,
    /// Minor units with the sign of the entry.
    pub units: MinorUnits,
    /// All references and texts.
    pub texts: Vec<&'e str>,
}

/// The other side of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counterpart {
    /// The name.
    pub name: Option<String>,
    /// The account.
    pub account: Option<Account>,
}

/// What a statement is known by, so that it is not imported twice. Not all values must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatementIdentity {
    /// The kind of the message.
    pub kind: Kind,
    /// The IBAN of the account, else its name in the file.
    pub account: String,
    /// The bank's number or id.
    pub id: Option<String>,
    /// The first and the last page.
    pub pages: (u32, u32),
    /// The opening balance.
    pub opening: Option<Balance>,
    /// The closing balance.
    pub closing: Option<Balance>,
}

/// What an entry is known by. Its content is no part of it: two equal entries are two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryIdentity {
    /// The IBAN of the account, else its name in the file.
    pub account: String,
    /// The bank's number or id of the statement.
    pub statement: Option<String>,
    /// The number of the entry in its statement.
    pub position: usize,
    /// The bank's reference, if no other entry of the statement has the same.
    pub bank_reference: Option<String>,
}

impl Statement {
    /// Whether all pages are here, from the first to the last.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.has_first && self.has_last
    }

    /// What the statement is known by.
    #[must_use]
    pub fn identity(&self) -> StatementIdentity {
        StatementIdentity {
            kind: self.kind,
            account: self.account.key().to_owned(),
            id: self.id.clone(),
            pages: (self.first_page, self.last_page),
            opening: self.opening,
            closing: self.closing,
        }
    }

    /// What each booked entry is known by, in the order of the entries.
    #[must_use]
    pub fn entry_identities(&self) -> Vec<EntryIdentity> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let all = || self.entries.iter().chain(&self.expected);
        for reference in all().filter_map(|entry| entry.bank_reference.as_deref()) {
            let count = times.entry(reference).or_default();
            *count = count.saturating_add(1);
        }
        let is_unique = |reference: &String| times.get(reference.as_str()) == Some(&1);
        let identity = |entry: &Entry| EntryIdentity {
            account: self.account.key().to_owned(),
            statement: self.id.clone(),
            position: entry.position,
            bank_reference: entry.bank_reference.clone().filter(is_unique),
        };
        self.entries.iter().map(identity).collect()
    }
}

impl Detail {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = [
            &self.end_to_end_id,
            &self.bank_reference,
            &self.remittance,
            &self.creditor_reference,
        ];
        texts.into_iter().flatten().map(String::as_str)
    }
}

impl Entry {
    /// The parts that are matched one by one: the payments, if there are several and each has its amount, and otherwise
    /// the entry as a whole.
    #[must_use]
    pub fn parts(&self) -> Vec<Part<'_>> {
        let amounts: Option<Vec<MinorUnits>> =
            self.details.iter().map(|detail| detail.units).collect();
        if let Some(amounts) = amounts.filter(|amounts| amounts.len() > 1) {
            let parts = (1..).zip(&self.details).zip(amounts);
            return parts
                .map(|((number, detail), units): ((usize, _), _)| Part {
                    position: format!("{}.{number}", self.position),
                    units,
                    texts: detail.texts().collect(),
                })
                .collect();
        }
        let own = [
            &self.bank_reference,
            &self.own_reference,
            &self.end_to_end_id,
            &self.remittance,
        ];
        let own = own.into_iter().flatten().map(String::as_str);
        let details = self.details.iter().flat_map(Detail::texts);
        vec![Part {
            position: self.position.to_string(),
            units: self.units,
            texts: own.chain(details).collect(),
        }]
    }

    /// Whether this entry may be the reversal of another one: it is a reversal, the other one is none, and together they
    /// are nothing.
    #[must_use]
    pub fn may_undo(&self, other: &Self) -> bool {
        self.is_reversal && !other.is_reversal && self.units.checked_neg() == Some(other.units)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn the_payments_of_an_entry_are_matched_one_by_one_if_each_has_its_amount() {
        let file = include_bytes!("../tests/files/camt.053.001.02.xml");
        let statements = crate::camt053::read(file).unwrap();
        let mut entries = statements.iter().flat_map(|statement| &statement.entries);
        let entry = entries.find(|entry| entry.details.len() > 1).unwrap();
        let parts = entry.parts();
        assert_eq!(parts.len(), entry.details.len());
        for (number, (part, detail)) in (1..).zip(parts.iter().zip(&entry.details)) {
            assert_eq!(part.position, format!("{}.{number}", entry.position));
            assert_eq!(Some(part.units), detail.units);
            let texts: Vec<&str> = detail.texts().collect();
            assert_eq!(part.texts, texts);
        }
        // Without the amount of one of them, nobody knows how the entry is made up.
        let mut unknown = entry.clone();
        unknown.details.last_mut().unwrap().units = None;
        let parts = unknown.parts();
        let whole = parts.first().unwrap();
        assert_eq!((parts.len(), whole.units), (1, entry.units));
        assert_eq!(whole.position, entry.position.to_string());
        let detail = entry.details.first().unwrap().texts().next().unwrap();
        assert!(whole.texts.contains(&detail), "{:?}", whole.texts);
    }

    #[test]
    fn an_account_is_known_by_the_iban_in_its_name() {
        for (id, key) in [
            ("DE89370400440532013000", "DE89370400440532013000"),
            ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
            ("DE89370400440532013000EUR", "DE89370400440532013000"),
            ("COBADEFF/DE89370400440532013000", "DE89370400440532013000"),
            ("DE89370400440532013000/EUR", "DE89370400440532013000"),
            ("37040044/532013000", "37040044/532013000"),
        ] {
            assert_eq!(Account::named(id).key(), key, "{id}");
            assert_eq!(Account::named(id).id, id);
        }
    }

    #[test]
    fn an_account_is_known_by_its_iban_or_by_the_numbers_of_bank_and_account() {
        let german = Iban::parse("DE89370400440532013000").unwrap();
        let austrian = Iban::parse("AT611904300234573201").unwrap();
        let french = Iban::parse("FR1420041010050500013M02606").unwrap();
        for (name, iban, is_its_own) in [
            ("DE89370400440532013000", &german, true),
            ("COBADEFFXXX/DE89370400440532013000", &german, true),
            ("37040044/0532013000", &german, true),
            ("37040044/532013000", &german, true),
            ("37040044/532013000EUR", &german, true),
            ("37040044/532013000 EUR", &german, true),
            ("19043/234573201", &austrian, true),
            ("19043/00234573201EUR", &austrian, true),
            ("37040044/532013001", &german, false),
            ("37040045/532013000", &german, false),
            ("37040044/5320130000", &german, false),
            ("37040044/532013000E", &german, false),
            ("37040044/", &german, false),
            ("37040044", &german, false),
            ("532013000", &german, false),
            ("AT611904300234573201", &german, false),
            ("20041/0500013M026", &french, false),
        ] {
            assert_eq!(Account::named(name).is_of(iban), is_its_own, "{name}");
        }
    }
}
