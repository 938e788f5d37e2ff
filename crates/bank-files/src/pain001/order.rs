//! What is written: an order of credit transfers from one account.

use jiff::Timestamp;
use jiff::civil::Date;
use money::Money;
use text::Iban;

use crate::{Bic, Reference};

/// Transfers from one account, on one date.
///
/// Either all transfers are those of SEPA (euros, from and to an IBAN of its countries) or none is: banks do them
/// in different ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOrder {
    /// The version of the message.
    pub version: Version,
    /// The id of the message: 1 to 35 characters. The bank refuses the second message with an id that it knows. It is
    /// the id of the payments' group too.
    pub message_id: String,
    /// When the message was made; written in seconds of UTC.
    pub created_at: Timestamp,
    /// Who pays.
    pub debtor: Debtor,
    /// The day on which the bank shall do it.
    pub requested_on: Date,
    /// The transfers: 1 to 100,000.
    pub transfers: Vec<Transfer>,
}

/// The version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `pain.001.001.03`, of 2009.
    V03,
    /// `pain.001.001.09`, of 2019.
    V09,
}

impl Version {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::V03, Self::V09];

    /// The name of the message in this version.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::V03 => "pain.001.001.03",
            Self::V09 => "pain.001.001.09",
        }
    }
}

/// Who pays, and from which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor {
    /// The name: 1 to 70 characters as they are written.
    pub name: String,
    /// The account.
    pub iban: Iban,
    /// The bank, if it is known.
    pub bic: Option<Bic>,
}

/// One transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The reference that goes through to the payee and comes back with every report: 1 to 35 characters, another one in
    /// each transfer.
    pub end_to_end_id: String,
    /// The amount.
    pub amount: Money,
    /// Who gets it.
    pub creditor: Creditor,
    /// What it is for.
    pub remittance: Remittance,
}

/// Who gets the money, and on which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creditor {
    /// The name: 1 to 70 characters as they are written.
    pub name: String,
    /// The account.
    pub account: CreditorAccount,
    /// The bank. It may be missing if the account is an IBAN.
    pub bic: Option<Bic>,
}

/// An account of a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreditorAccount {
    /// An IBAN.
    Iban(Iban),
    /// An account number of a country without IBANs: 1 to 34 characters.
    Other(String),
}

/// What a transfer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remittance {
    /// Nothing is said.
    None,
    /// A text for people: 1 to 140 characters as they are written.
    Text(String),
    /// A reference of the payee, with a check digit.
    Reference(Reference),
}
