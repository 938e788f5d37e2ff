//! Export of the books as one JSON document: the accounts, then the transactions, one on each line. Amounts are
//! integers in minor units.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ledger::{Account, AccountClass, Exchange, Leg, Metadata, RecordedTransaction};
use money::MinorUnits;
use serde::Serialize;

use crate::csv::{side, status};
use crate::form::{ExportError, Form, Names, Overview};

/// The version of the structure of the document. A reader refuses a document whose version it does not know.
pub(crate) const VERSION: u32 = 1;

#[derive(Default)]
pub(crate) struct Json {
    part: Part,
    is_first: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Part {
    #[default]
    Accounts,
    Transactions,
}

#[derive(Serialize)]
struct AccountObject<'a> {
    id: String,
    code: &'a str,
    name: &'a str,
    currency: &'a str,
    normal_side: &'static str,
    class: Option<&'static str>,
    floor: Option<i64>,
    ceiling: Option<i64>,
    credit_line: Option<i64>,
    status: &'static str,
    balance: i64,
    opened_at: String,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct TransactionObject<'a> {
    id: String,
    kind: &'a str,
    step: &'static str,
    about: Option<String>,
    external_id: Option<&'a str>,
    description: Option<&'a str>,
    effective_at: String,
    recorded_at: String,
    metadata: Option<BTreeMap<String, String>>,
    postings: Vec<PostingObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<ExchangeObject<'a>>,
}

/// The terms of an exchange: posting 0 is what was sold, posting 1 what was bought.
#[derive(Serialize)]
struct ExchangeObject<'a> {
    given: &'static str,
    rate: String,
    rounding: &'static str,
    source: &'a str,
    quoted_at: String,
}

impl<'a> ExchangeObject<'a> {
    fn of(exchange: &'a Exchange) -> Self {
        let quote = &exchange.quote;
        Self {
            given: match exchange.given {
                Leg::Sold => "sold",
                Leg::Bought => "bought",
            },
            rate: quote.rate.to_string(),
            rounding: quote.rounding.name(),
            source: &quote.source,
            quoted_at: quote.quoted_at.to_string(),
        }
    }
}

#[derive(Serialize)]
struct PostingObject<'a> {
    posting: i16,
    debit: &'a str,
    credit: &'a str,
    amount: i64,
    currency: String,
}

impl Form for Json {
    fn name(&self, account: &Account) -> String {
        account.code.clone()
    }

    fn begin(&mut self, output: &mut dyn Write, overview: &Overview) -> Result<(), ExportError> {
        self.is_first = true;
        write!(
            output,
            r#"{{"format":"florin","version":{VERSION},"tenant":"#
        )?;
        put(output, &overview.tenant)?;
        if let Some(before) = overview.closed_before {
            write!(output, ",\"closed_before\":")?;
            put(output, &before.to_string())?;
        }
        write!(output, ",\n\"accounts\":[")?;
        Ok(())
    }

    fn account(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError> {
        self.separate(output)?;
        put(
            output,
            &AccountObject {
                id: account.id.to_string(),
                code: &account.code,
                name: &account.name,
                currency: &account.currency.stored(),
                normal_side: side(account.normal_side),
                class: account.class.map(AccountClass::name),
                floor: account.limits.floor().map(MinorUnits::get),
                ceiling: account.limits.ceiling().map(MinorUnits::get),
                credit_line: account.limits.credit_line().map(MinorUnits::get),
                status: status(account.status),
                balance: account.posted().get(),
                opened_at: account.opened_at.to_string(),
                metadata: account.metadata.as_ref().map(Metadata::entries),
            },
        )
    }

    fn transaction(
        &mut self,
        output: &mut dyn Write,
        transaction: &RecordedTransaction,
        names: &Names,
    ) -> Result<(), ExportError> {
        self.turn_to_transactions(output)?;
        self.separate(output)?;
        let mut postings = Vec::with_capacity(transaction.postings.len());
        for posted in &transaction.postings {
            postings.push(PostingObject {
                posting: posted.ordinal,
                debit: names.of(posted.posting.debit, transaction.id)?,
                credit: names.of(posted.posting.credit, transaction.id)?,
                amount: posted.posting.amount.get(),
                currency: posted.posting.currency.stored().into_owned(),
            });
        }
        put(
            output,
            &TransactionObject {
                id: transaction.id.to_string(),
                kind: transaction.kind.name(),
                step: transaction.step.name(),
                about: transaction.about.map(|about| about.to_string()),
                external_id: transaction.external_id.as_deref(),
                description: transaction.description.as_deref(),
                effective_at: transaction.effective_at.to_string(),
                recorded_at: transaction.recorded_at.to_string(),
                metadata: transaction.metadata.as_ref().map(Metadata::entries),
                postings,
                exchange: names.exchange(&transaction.id).map(ExchangeObject::of),
            },
        )
    }

    fn end(&mut self, output: &mut dyn Write) -> Result<(), ExportError> {
        self.turn_to_transactions(output)?;
        writeln!(output, "\n]}}")?;
        Ok(())
    }
}

impl Json {
    fn turn_to_transactions(&mut self, output: &mut dyn Write) -> Result<(), ExportError> {
        if self.part == Part::Accounts {
            self.part = Part::Transactions;
            self.is_first = true;
            write!(output, "\n],\n\"transactions\":[")?;
        }
        Ok(())
    }

    /// Begins a new line. Each object has its own line, so that tools that work on lines can be used.
    fn separate(&mut self, output: &mut dyn Write) -> Result<(), ExportError> {
        let mark = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        output.write_all(mark.as_bytes())?;
        Ok(())
    }
}

fn put(output: &mut dyn Write, value: &(impl Serialize + ?Sized)) -> Result<(), ExportError> {
    serde_json::to_writer(output, value).map_err(io::Error::from)?;
    Ok(())
}
