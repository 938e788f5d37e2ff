//! Why a file is refused, and where.

use money::Currency;

use crate::Place;

/// Greatest number of characters of a wrong value that an error repeats.
const SHOWN: usize = 40;

/// A file is refused as a whole: nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ReadError {
    /// Where the problem is.
    pub place: Place,
    /// What is wrong, and what would be right.
    pub problem: Problem,
}

/// What is wrong in a file. Amounts are decimal numbers in units of the currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file has nothing to read in it.
    #[error("there is nothing here: {right}")]
    Empty {
        /// What should be there.
        right: &'static str,
    },
    /// The file has more bytes than are read.
    #[error("a file has at most {most} bytes")]
    TooLarge {
        /// The greatest number of bytes.
        most: usize,
    },
    /// The text is in an encoding that is not read.
    #[error(
        "the encoding is not read: it must be UTF-8, or ISO 8859-1 if the first line of the XML says so"
    )]
    Encoding,
    /// The file is not well-formed XML.
    #[error("this is not well-formed XML: {reason}")]
    Xml {
        /// What the parser says.
        reason: String,
    },
    /// The file has something that XML has and bank files do not need.
    #[error("{what} is not read: a bank file does not need it")]
    NotRead {
        /// What it is.
        what: &'static str,
    },
    /// The elements are nested too deeply.
    #[error("elements are nested at most {most} deep")]
    TooDeep {
        /// The greatest depth.
        most: usize,
    },
    /// The file is of another kind.
    #[error("this is {found:?}, and {right} is read here")]
    OtherKind {
        /// What the file is.
        found: String,
        /// What is read.
        right: &'static str,
    },
    /// Something is missing.
    #[error("{inside} needs {what}")]
    Missing {
        /// What is missing.
        what: String,
        /// Where it should be.
        inside: &'static str,
    },
    /// Something is there that does not belong there.
    #[error("{what} does not belong here: {right}")]
    Misplaced {
        /// What is there.
        what: String,
        /// What should be there.
        right: &'static str,
    },
    /// A value has another form than the format prescribes.
    #[error("{what} is {found:?}; right is {right}")]
    Malformed {
        /// The name of the value.
        what: &'static str,
        /// The value, shortened; it is left out if it may be a card number.
        found: String,
        /// The right form.
        right: String,
    },
    /// An amount has more decimal places than its currency.
    #[error("the amount {found:?} has more decimal places than {currency} has: {}", currency.exponent())]
    TooPrecise {
        /// The amount as it is written.
        found: String,
        /// The currency.
        currency: Currency,
    },
    /// An amount, or a sum of amounts, does not fit into 64 bits of minor units.
    #[error("the amount is too large: at most {} minor units", i64::MAX)]
    AmountTooLarge,
    /// A code is not a currency of ISO 4217 with a minor unit.
    #[error("{found:?} is not the code of a currency, such as EUR")]
    Currency {
        /// The code.
        found: String,
    },
    /// An amount is in another currency than the account.
    #[error("the currency is {found}, and that of the account is {right}")]
    OtherCurrency {
        /// The currency of the amount.
        found: Currency,
        /// The currency of the account.
        right: Currency,
    },
    /// The opening balance and the entries do not make the closing balance.
    #[error("{0}")]
    DoesNotTally(Box<Tally>),
    /// A page does not begin with the balance with which the page before it ends.
    #[error("page {page} begins with {found}, and the page before it ends with {right}")]
    PagesDoNotJoin {
        /// The number of the page.
        page: u32,
        /// The balance with which it begins.
        found: String,
        /// The balance with which the page before it ends.
        right: String,
    },
    /// The details of an entry, or the totals of a group of them, do not add up to its amount.
    #[error("{what} is {found}, and right is {right}: the difference is {difference}")]
    Differs {
        /// What does not fit.
        what: &'static str,
        /// The value in the file.
        found: String,
        /// The value that would fit.
        right: String,
        /// The right value less the one in the file.
        difference: String,
    },
    /// The heading of a CSV file has no such column, or has it twice.
    #[error(
        "the heading has the column {column:?} {times} times, and it must be there once; it has {found}"
    )]
    Column {
        /// The name in the mapping.
        column: String,
        /// How often it is there.
        times: usize,
        /// The columns that are there.
        found: String,
    },
    /// The mapping of a CSV file contradicts itself.
    #[error("the mapping is wrong: {right}")]
    Mapping {
        /// What would be right.
        right: &'static str,
    },
}

/// A statement that does not tally, or a row of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the statement does not tally: opening {opening} and entries {entries} make {sum}, and closing is {closing}; the \
     difference is {difference} {currency}"
)]
pub struct Tally {
    /// The currency of the account.
    pub currency: Currency,
    /// The opening balance.
    pub opening: String,
    /// The sum of the entries.
    pub entries: String,
    /// The sum of both.
    pub sum: String,
    /// The closing balance.
    pub closing: String,
    /// The closing balance less the sum.
    pub difference: String,
}

impl Problem {
    /// The place of the problem is known too.
    pub(crate) const fn at(self, place: Place) -> ReadError {
        ReadError {
            place,
            problem: self,
        }
    }

    pub(crate) fn malformed(what: &'static str, found: &str, right: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            found: shown(found),
            right: right.into(),
        }
    }
}

/// A value as an error repeats it: shortened, and left out if it may be a card number.
pub(crate) fn shown(found: &str) -> String {
    if text::contains_card_number(found) {
        return "(left out: it may be a card number)".to_owned();
    }
    let mut characters = found.chars();
    let mut shown: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_place_and_never_repeats_a_card_number() {
        let problem = Problem::malformed("the date", "2026-02-30", "a date as YYYY-MM-DD");
        assert_eq!(
            problem.at(Place { line: 3, column: 7 }).to_string(),
            "line 3, column 7: the date is \"2026-02-30\"; right is a date as YYYY-MM-DD"
        );
        assert!(!shown("card 4242 4242 4242 4242").contains("4242"));
        assert_eq!(shown(&"a".repeat(41)).chars().count(), 41);
    }
}
