//! Export of the books as CSV (RFC 4180): a heading, one row per account, then two rows per posting: the entry on
//! the debited account and the entry on the credited account. Amounts are decimal numbers in units of the currency,
//! with all its decimal places.

use std::io::{self, Write};

use ledger::{Account, AccountClass, AccountStatus, Metadata, NormalSide, RecordedTransaction};
use money::MinorUnits;

use crate::form::{ExportError, Form, Names, Overview};

/// The columns, in order. Columns that do not concern a row are empty.
pub(crate) const COLUMNS: [&str; 24] = [
    "record",
    "account",
    "currency",
    "name",
    "normal_side",
    "class",
    "floor",
    "ceiling",
    "credit_line",
    "status",
    "opened_at",
    "transaction",
    "posting",
    "side",
    "amount",
    "balance",
    "kind",
    "step",
    "about",
    "effective_at",
    "recorded_at",
    "external_id",
    "description",
    "metadata",
];

pub(crate) struct Csv;

/// One row, as texts by column.
#[derive(Default)]
struct Row<'a> {
    record: &'a str,
    account: &'a str,
    currency: &'a str,
    name: &'a str,
    normal_side: &'a str,
    class: &'a str,
    floor: &'a str,
    ceiling: &'a str,
    credit_line: &'a str,
    status: &'a str,
    opened_at: &'a str,
    transaction: &'a str,
    posting: &'a str,
    side: &'a str,
    amount: &'a str,
    balance: &'a str,
    kind: &'a str,
    step: &'a str,
    about: &'a str,
    effective_at: &'a str,
    recorded_at: &'a str,
    external_id: &'a str,
    description: &'a str,
    metadata: &'a str,
}

impl Row<'_> {
    fn write(&self, output: &mut dyn Write) -> Result<(), ExportError> {
        write(
            output,
            [
                self.record,
                self.account,
                self.currency,
                self.name,
                self.normal_side,
                self.class,
                self.floor,
                self.ceiling,
                self.credit_line,
                self.status,
                self.opened_at,
                self.transaction,
                self.posting,
                self.side,
                self.amount,
                self.balance,
                self.kind,
                self.step,
                self.about,
                self.effective_at,
                self.recorded_at,
                self.external_id,
                self.description,
                self.metadata,
            ],
        )
    }
}

impl Form for Csv {
    fn name(&self, account: &Account) -> String {
        account.code.clone()
    }

    fn begin(&mut self, output: &mut dyn Write, _overview: &Overview) -> Result<(), ExportError> {
        write(output, COLUMNS)
    }

    fn account(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        let decimal = |units: MinorUnits| units.to_decimal_string(account.currency);
        let limits = &account.limits;
        Row {
            record: "account",
            account: &account.code,
            currency: &account.currency.stored(),
            name: &account.name,
            normal_side: side(account.normal_side),
            class: account.class.map_or("", AccountClass::name),
            floor: &limits.floor().map(decimal).unwrap_or_default(),
            ceiling: &limits.ceiling().map(decimal).unwrap_or_default(),
            credit_line: &limits.credit_line().map(decimal).unwrap_or_default(),
            metadata: account.metadata.as_ref().map_or("", Metadata::as_json),
            status: status(account.status),
            opened_at: &account.opened_at.to_string(),
            balance: &decimal(account.posted()),
            ..Row::default()
        }
        .write(output)
    }

    fn transaction(
        &mut self,
        output: &mut dyn Write,
        transaction: &RecordedTransaction,
        names: &Names,
    ) -> Result<(), ExportError> {
        let id = transaction.id.to_string();
        let about = transaction.about.map(|about| about.to_string());
        let about = about.unwrap_or_default();
        let effective_at = transaction.effective_at.to_string();
        let recorded_at = transaction.recorded_at.to_string();
        for posted in &transaction.postings {
            let number = posted.ordinal;
            let posting = posted.posting;
            let currency = posting.currency;
            let amount = MinorUnits::from(posting.amount).to_decimal_string(currency);
            for (account, normal, balance) in [
                (posting.debit, NormalSide::Debit, posted.debit_balance),
                (posting.credit, NormalSide::Credit, posted.credit_balance),
            ] {
                Row {
                    record: "entry",
                    account: names.of(account, transaction.id)?,
                    currency: &currency.stored(),
                    transaction: &id,
                    posting: &number.to_string(),
                    side: side(normal),
                    amount: &amount,
                    balance: &balance.to_decimal_string(currency),
                    kind: transaction.kind.name(),
                    step: transaction.step.name(),
                    about: &about,
                    metadata: transaction.metadata.as_ref().map_or("", Metadata::as_json),
                    effective_at: &effective_at,
                    recorded_at: &recorded_at,
                    external_id: transaction.external_id.as_deref().unwrap_or_default(),
                    description: transaction.description.as_deref().unwrap_or_default(),
                    ..Row::default()
                }
                .write(output)?;
            }
        }
        Ok(())
    }
}

pub(crate) const fn side(side: NormalSide) -> &'static str {
    match side {
        NormalSide::Debit => "debit",
        NormalSide::Credit => "credit",
    }
}

pub(crate) const fn status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Open => "open",
        AccountStatus::Frozen => "frozen",
        AccountStatus::Closed => "closed",
    }
}

fn write(output: &mut dyn Write, row: [&str; COLUMNS.len()]) -> Result<(), ExportError> {
    // A writer for one row only, because `output` is buffered already.
    let mut line = csv::Writer::from_writer(Vec::with_capacity(256));
    line.write_record(row).map_err(io::Error::from)?;
    let line = line.into_inner().map_err(|error| error.into_error())?;
    output.write_all(&line)?;
    Ok(())
}
