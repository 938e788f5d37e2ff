//! Why an order is refused, and what is only odd.

use std::fmt;

use money::Currency;

/// A part of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// The order itself.
    Order,
    /// Who pays.
    Debtor,
    /// The transfer with this number; the first is 1.
    Transfer(usize),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("the order"),
            Self::Debtor => f.write_str("the debtor"),
            Self::Transfer(number) => write!(f, "transfer {number}"),
        }
    }
}

/// A field of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The id of the message.
    MessageId,
    /// The reference that goes through to the payee.
    EndToEndId,
    /// The name of the debtor or of a creditor.
    Name,
    /// The account of a creditor that is no IBAN.
    Account,
    /// What a transfer is for.
    Text,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageId => "message_id",
            Self::EndToEndId => "end_to_end_id",
            Self::Name => "name",
            Self::Account => "account",
            Self::Text => "remittance text",
        })
    }
}

/// Why an order is not written: the first reason, in the order of the fields of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The order has no transfers.
    #[error("the order needs at least one transfer")]
    NoTransfers,
    /// The order has too many transfers.
    #[error("the order may have at most {most} transfers")]
    TooManyTransfers {
        /// The greatest number.
        most: usize,
    },
    /// A field has nothing in it that can be written.
    #[error("{at}: {field} must not be empty")]
    Empty {
        /// Where.
        at: At,
        /// The field.
        field: Field,
    },
    /// A field is too long as it is written.
    #[error(
        "{at}: {field} may have at most {most} characters, and has {found} as it is written for the bank"
    )]
    TooLong {
        /// Where.
        at: At,
        /// The field.
        field: Field,
        /// The greatest number of characters.
        most: usize,
        /// The number of characters.
        found: usize,
    },
    /// A character is not taken by every bank, and there is no other one for it.
    #[error(
        "{at}: {field} has the character {character:?}, which banks do not take; write it in Latin letters, digits or / - ? : ( ) . , ' +"
    )]
    Character {
        /// Where.
        at: At,
        /// The field.
        field: Field,
        /// The character.
        character: char,
    },
    /// An id begins or ends with a blank.
    #[error("{at}: {field} must not begin or end with a blank")]
    Blank {
        /// Where.
        at: At,
        /// The field.
        field: Field,
    },
    /// An id has a slash where banks do not take it.
    #[error("{at}: {field} must not begin or end with a slash, or have two together")]
    Slash {
        /// Where.
        at: At,
        /// The field.
        field: Field,
    },
    /// Two transfers have the same end-to-end id.
    #[error("{at}: end_to_end_id is that of transfer {first} already")]
    EndToEndIdTwice {
        /// The later transfer.
        at: At,
        /// The number of the earlier transfer.
        first: usize,
    },
    /// An order has transfers of SEPA and other ones.
    #[error(
        "{at}: either all transfers of an order are those of SEPA (EUR, from and to an IBAN of its countries) or none is, and this one is not like the first"
    )]
    MixedSchemes {
        /// The first transfer that is not like the first one of the order.
        at: At,
    },
    /// A currency is not one of ISO 4217.
    #[error("{at}: amount is in {currency}, which is no currency of ISO 4217")]
    NoCurrency {
        /// Where.
        at: At,
        /// The currency.
        currency: Currency,
    },
    /// A currency does not exist any more on the day of the transfer.
    #[error("{at}: amount is in {currency}, which was withdrawn on {since}")]
    WithdrawnCurrency {
        /// Where.
        at: At,
        /// The currency.
        currency: Currency,
        /// The first day without it.
        since: String,
    },
    /// An amount is larger than the message, or SEPA, can have.
    #[error("{at}: amount may be at most {most}")]
    AmountTooLarge {
        /// Where.
        at: At,
        /// The largest amount.
        most: String,
    },
    /// The sum of the amounts has more digits than the message can have.
    #[error("the sum of all amounts has more than 18 digits: make several orders")]
    ControlSumTooLarge,
    /// An account that is no IBAN needs the BIC of its bank.
    #[error("{at}: bic must be there, because the account is no IBAN")]
    MissingBic {
        /// Where.
        at: At,
    },
    /// A QR-IBAN needs a QR reference.
    #[error("{at}: the account is a QR-IBAN, so the remittance must be a QR reference")]
    QrIbanWithoutReference {
        /// Where.
        at: At,
    },
    /// A QR reference needs a QR-IBAN.
    #[error(
        "{at}: the remittance is a QR reference, so the account must be a QR-IBAN (institution 30000 to 31999)"
    )]
    QrReferenceWithoutQrIban {
        /// Where.
        at: At,
    },
}

impl Refusal {
    /// The field that is wrong, if it is one of the texts of an order.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Empty { field, .. }
            | Self::TooLong { field, .. }
            | Self::Character { field, .. }
            | Self::Blank { field, .. }
            | Self::Slash { field, .. } => Some(*field),
            Self::NoTransfers
            | Self::TooManyTransfers { .. }
            | Self::EndToEndIdTwice { .. }
            | Self::MixedSchemes { .. }
            | Self::NoCurrency { .. }
            | Self::WithdrawnCurrency { .. }
            | Self::AmountTooLarge { .. }
            | Self::ControlSumTooLarge
            | Self::MissingBic { .. }
            | Self::QrIbanWithoutReference { .. }
            | Self::QrReferenceWithoutQrIban { .. } => None,
        }
    }

    /// The reason without the number of the transfer, for an order that has only one.
    #[must_use]
    pub fn about_one(&self) -> String {
        let text = self.to_string();
        let first = format!("{}: ", At::Transfer(1));
        text.strip_prefix(&first).unwrap_or(&text).to_owned()
    }
}

/// What looks wrong, and may be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The BIC and the IBAN are of different countries.
    #[error("{at}: the BIC is of {bic}, and the IBAN of {iban}")]
    BicOfAnotherCountry {
        /// Where.
        at: At,
        /// The country of the BIC.
        bic: String,
        /// The country of the IBAN.
        iban: String,
    },
    /// The country's own check digits in an IBAN are wrong.
    #[error("{at}: the check digits of the country within the IBAN do not fit")]
    NationalDigits {
        /// Where.
        at: At,
    },
}
