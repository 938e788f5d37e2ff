//! Conversion between rows and the types of the rules.

use money::{Amount, AssetError, Currency, MinorUnits, Rounding};
use store::{Error, TenantId, Timestamp};

use super::rows::{
    AccountRow, AssetRow, CorrectionRow, CountersRow, ExchangeRow, HoldRow, PostingRow, RevisedRow,
    TransactionRow,
};
use crate::{
    Account, AccountClass, AccountStatus, Asset, Correction, Exchange, Hold, HoldStatus, Kind, Leg,
    Limits, Metadata, NormalSide, Phase, Posting, Quote, Rate, RateSource, RecordedPosting,
    RecordedTransaction, Step, TransactionId,
};

/// Writes both conversions between a value and the number under which it is stored.
macro_rules! numbered {
    ($type:ident: $($variant:ident = $number:literal),+ $(,)?) => {
        impl $type {
            /// The number under which this value is stored.
            #[must_use]
            pub const fn number(self) -> i16 {
                match self { $(Self::$variant => $number),+ }
            }

            /// The value that is stored under this number.
            #[must_use]
            pub const fn from_number(number: i16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
numbered!(NormalSide: Debit = 1, Credit = 2);
numbered!(AccountStatus: Open = 1, Frozen = 2, Closed = 3);
numbered!(AccountClass: Asset = 1, Liability = 2, Equity = 3, Income = 4, Expense = 5);
numbered!(Step: Pending = 1, Posted = 2, Fulfilment = 3, Void = 4, Expiry = 5, Reversal = 6);
numbered!(Phase: Pending = 1, Posted = 2, Fulfilled = 3, Released = 4);
numbered!(Leg: Sold = 1, Bought = 2);
numbered!(HoldStatus: Pending = 1, Posted = 2, Voided = 3, Expired = 4);

/// The error for a row that this program never writes.
fn wrong(what: &str, id: impl std::fmt::Display, column: &str) -> Error {
    Error::Refused(format!("{what} {id}: bad {column}"))
}

/// The metadata of the row with this id.
pub(crate) fn metadata(
    text: Option<String>,
    id: &impl std::fmt::Display,
) -> Result<Option<Metadata>, Error> {
    let read = |text: String| Metadata::stored(&text).map_err(|_bad| wrong("row", id, "metadata"));
    text.map(read).transpose()
}

impl AccountRow {
    pub(crate) fn of(tenant_id: TenantId, account: &Account) -> Self {
        Self {
            tenant_id,
            id: account.id,
            code: account.code.clone(),
            name: account.name.clone(),
            currency: account.currency.stored().into_owned(),
            normal_side: account.normal_side.number(),
            floor: account.limits.floor().map(MinorUnits::get),
            status: account.status.number(),
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            version: account.version,
            opened_at: account.opened_at.micros(),
            debits_released: account.debits_released,
            credits_released: account.credits_released,
            revision: account.revision,
            ceiling: account.limits.ceiling().map(MinorUnits::get),
            credit_line: account.limits.credit_line().map(MinorUnits::get),
            class: account.class.map(AccountClass::number),
            metadata: stored(account.metadata.as_ref()),
        }
    }

    /// The account in the row.
    ///
    /// # Errors
    /// [`Error::Refused`] for a row that this program never writes.
    pub fn read(self) -> Result<Account, Error> {
        let wrong = |column: &str| wrong("account", self.id, column);
        Ok(Account {
            id: self.id,
            currency: Currency::from_stored(&self.currency)
                .map_err(|_unknown| wrong("currency"))?,
            normal_side: NormalSide::from_number(self.normal_side)
                .ok_or_else(|| wrong("normal_side"))?,
            class: match self.class {
                Some(class) => {
                    Some(AccountClass::from_number(class).ok_or_else(|| wrong("class"))?)
                }
                None => None,
            },
            limits: Limits::stored(
                self.floor.map(MinorUnits::new),
                self.ceiling.map(MinorUnits::new),
                self.credit_line.map(MinorUnits::new),
            ),
            status: AccountStatus::from_number(self.status).ok_or_else(|| wrong("status"))?,
            metadata: metadata(self.metadata, &self.id)?,
            code: self.code,
            name: self.name,
            debits_pending: self.debits_pending,
            debits_posted: self.debits_posted,
            debits_released: self.debits_released,
            credits_pending: self.credits_pending,
            credits_posted: self.credits_posted,
            credits_released: self.credits_released,
            version: self.version,
            revision: self.revision,
            opened_at: Timestamp::from_micros(self.opened_at),
        })
    }
}

impl AssetRow {
    pub(crate) fn of(tenant_id: TenantId, asset: &Asset) -> Self {
        Self {
            tenant_id,
            code: asset.currency.code().to_owned(),
            exponent: asset.currency.exponent().into(),
            name: asset.name.clone(),
            created_at: asset.created_at.micros(),
        }
    }

    /// The asset in the row.
    pub(crate) fn read(self) -> Result<Asset, Error> {
        let bad = |rule: AssetError| Error::Refused(format!("asset: {rule}"));
        Asset::try_from(self).map_err(bad)
    }
}

impl TryFrom<AssetRow> for Asset {
    type Error = AssetError;

    /// An exponent that does not fit into a u8 is too large.
    fn try_from(row: AssetRow) -> Result<Self, AssetError> {
        let exponent = u8::try_from(row.exponent).unwrap_or(u8::MAX);
        Ok(Self {
            currency: Currency::custom(&row.code, exponent)?,
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl CountersRow {
    pub(crate) fn of(
        tenant_id: TenantId,
        account: &Account,
        seen_version: i64,
        seen_revision: i64,
    ) -> Self {
        Self {
            tenant_id,
            id: account.id,
            seen_version,
            seen_revision,
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            debits_released: account.debits_released,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            credits_released: account.credits_released,
            next_version: account.version,
        }
    }
}

impl RevisedRow {
    pub(crate) fn of(
        tenant_id: TenantId,
        account: &Account,
        seen_version: i64,
        seen_revision: i64,
    ) -> Self {
        Self {
            tenant_id,
            id: account.id,
            seen_version,
            seen_revision,
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            debits_released: account.debits_released,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            credits_released: account.credits_released,
            next_version: account.version,
            next_revision: account.revision,
            status: account.status.number(),
            floor: account.limits.floor().map(MinorUnits::get),
            ceiling: account.limits.ceiling().map(MinorUnits::get),
            credit_line: account.limits.credit_line().map(MinorUnits::get),
            metadata: stored(account.metadata.as_ref()),
        }
    }
}

pub(super) fn stored(metadata: Option<&Metadata>) -> Option<String> {
    metadata.map(|metadata| metadata.as_json().to_owned())
}

impl TransactionRow {
    /// The row of a transaction.
    #[must_use]
    pub fn of(tenant_id: TenantId, posted: &RecordedTransaction) -> Self {
        Self {
            tenant_id,
            id: posted.id,
            kind: posted.kind.name().to_owned(),
            step: posted.step.number(),
            effective_at: posted.effective_at.micros(),
            recorded_at: posted.recorded_at.micros(),
            external_id: posted.external_id.clone(),
            description: posted.description.clone(),
            about: posted.about,
            metadata: stored(posted.metadata.as_ref()),
            expires_at: posted.expires_at.map(Timestamp::micros),
        }
    }

    /// The transaction in the row, with its postings.
    pub(crate) fn read(self, postings: Vec<RecordedPosting>) -> Result<RecordedTransaction, Error> {
        let wrong = |column: &str| wrong("transaction", self.id, column);
        Ok(RecordedTransaction {
            id: self.id,
            kind: Kind::parse(&self.kind).map_err(|_no_kind| wrong("kind"))?,
            step: Step::from_number(self.step).ok_or_else(|| wrong("step"))?,
            about: self.about,
            expires_at: self.expires_at.map(Timestamp::from_micros),
            postings,
            external_id: self.external_id,
            description: self.description,
            metadata: metadata(self.metadata, &self.id)?,
            effective_at: Timestamp::from_micros(self.effective_at),
            recorded_at: Timestamp::from_micros(self.recorded_at),
        })
    }
}

impl PostingRow {
    /// The row of a posting of a transaction.
    #[must_use]
    pub fn of(tenant_id: TenantId, transaction_id: TransactionId, p: &RecordedPosting) -> Self {
        Self {
            tenant_id,
            transaction_id,
            ordinal: p.ordinal,
            debit_account: p.posting.debit,
            credit_account: p.posting.credit,
            amount: p.posting.amount.get(),
            currency: p.posting.currency.stored().into_owned(),
            debit_version: p.debit_version,
            debit_balance: p.debit_balance.get(),
            credit_version: p.credit_version,
            credit_balance: p.credit_balance.get(),
            phase: p.phase.number(),
        }
    }

    /// The posting in the row.
    pub(crate) fn read(self) -> Result<RecordedPosting, Error> {
        let wrong = |column: &str| wrong("posting of", self.transaction_id, column);
        Ok(RecordedPosting {
            ordinal: self.ordinal,
            phase: Phase::from_number(self.phase).ok_or_else(|| wrong("phase"))?,
            posting: Posting {
                debit: self.debit_account,
                credit: self.credit_account,
                amount: Amount::new(self.amount).map_err(|_not_positive| wrong("amount"))?,
                currency: Currency::from_stored(&self.currency)
                    .map_err(|_unknown| wrong("currency"))?,
            },
            debit_version: self.debit_version,
            debit_balance: MinorUnits::new(self.debit_balance),
            credit_version: self.credit_version,
            credit_balance: MinorUnits::new(self.credit_balance),
        })
    }
}

impl HoldRow {
    pub(crate) fn of(tenant_id: TenantId, hold: &Hold) -> Self {
        Self {
            tenant_id,
            transaction_id: hold.transaction,
            ordinal: hold.ordinal,
            amount: hold.amount,
            posted: hold.posted,
            released: hold.released,
            status: hold.status.number(),
            expires_at: hold.expires_at.map(Timestamp::micros),
        }
    }

    /// The hold in the row.
    pub(crate) fn read(&self) -> Result<Hold, Error> {
        let status = HoldStatus::from_number(self.status);
        Ok(Hold {
            transaction: self.transaction_id,
            ordinal: self.ordinal,
            amount: self.amount,
            posted: self.posted,
            released: self.released,
            status: status.ok_or_else(|| wrong("hold of", self.transaction_id, "status"))?,
            expires_at: self.expires_at.map(Timestamp::from_micros),
        })
    }
}

impl CorrectionRow {
    pub(crate) const fn of(tenant_id: TenantId, correction: &Correction) -> Self {
        Self {
            tenant_id,
            transaction_id: correction.transaction,
            ordinal: correction.ordinal,
            amount: correction.amount,
            reversed: correction.reversed,
        }
    }

    pub(crate) const fn read(&self) -> Correction {
        Correction {
            transaction: self.transaction_id,
            ordinal: self.ordinal,
            amount: self.amount,
            reversed: self.reversed,
        }
    }
}

impl ExchangeRow {
    pub(crate) fn of(tenant_id: TenantId, exchange: &Exchange) -> Self {
        Self {
            tenant_id,
            transaction_id: exchange.transaction,
            sold: exchange.sold.get(),
            bought: exchange.bought.get(),
            given: exchange.given.number(),
            rate: exchange.quote.rate.to_string(),
            rounding: exchange.quote.rounding.name().to_owned(),
            source: exchange.quote.source.to_string(),
            quoted_at: exchange.quote.quoted_at.micros(),
        }
    }

    /// The exchange in the row.
    pub(crate) fn read(self) -> Result<Exchange, Error> {
        let wrong = |column: &str| wrong("exchange", self.transaction_id, column);
        let amount =
            |minor_units, column| Amount::new(minor_units).map_err(|_not_positive| wrong(column));
        Ok(Exchange {
            transaction: self.transaction_id,
            sold: amount(self.sold, "sold")?,
            bought: amount(self.bought, "bought")?,
            given: Leg::from_number(self.given).ok_or_else(|| wrong("given"))?,
            quote: Quote {
                rate: Rate::parse(&self.rate).map_err(|_no_rate| wrong("rate"))?,
                rounding: Rounding::from_name(&self.rounding).ok_or_else(|| wrong("rounding"))?,
                quoted_at: Timestamp::from_micros(self.quoted_at),
                source: RateSource::trusted(self.source),
            },
        })
    }
}
