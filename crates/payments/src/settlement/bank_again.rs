//! The command that looks again at open lines of bank statements, because what they are about may have come meanwhile.
//!
//! A statement may be read before the report of the settlement that it brings, or before the outcome of a payout is
//! known. Each run of reconciliation looks at all open lines again, so that the end is the same in whichever order the
//! files come. A line that a person has resolved is not open.

use std::convert::Infallible;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use engine::{Asks, Attempt, Book, Command, Decision};
use money::Currency;
use store::{AnyConnection, Error, TenantId};

use super::BankLineId;
use super::bank::{BankLine, BankTally, ask_line, try_line};
use super::bank_rows::{BankLineResolved, BankLineRow};
use super::exception::ExceptionKind;
use super::rows::OPEN;
use super::shelf::{SettlementShelf, end_matched};
use crate::schema::bank_line;

/// An open line of a bank statement, as it is stored.
#[derive(Debug, Clone)]
pub struct OpenBankLine {
    id: BankLineId,
    line: BankLine,
}

impl OpenBankLine {
    /// The id of the line.
    #[must_use]
    pub const fn id(&self) -> BankLineId {
        self.id
    }
}

/// At most `limit` open lines after this one, in the order of their ids.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn open_bank_lines(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<BankLineId>,
    limit: i64,
) -> Result<Vec<OpenBankLine>, Error> {
    let rows: Vec<BankLineRow> = bank_line::table
        .filter(bank_line::tenant_id.eq(tenant))
        .filter(bank_line::id.gt(after.unwrap_or(BankLineId::from_bytes([0; 16]))))
        // As a text, so that the index of open lines fits.
        .filter(sql::<Bool>("status = 'open'"))
        .order(bank_line::id)
        .limit(limit)
        .load(connection)?;
    rows.into_iter().map(read).collect()
}

fn read(row: BankLineRow) -> Result<OpenBankLine, Error> {
    let wrong = |column: &str| Error::Refused(format!("bank_line {}: bad {column}", row.id));
    let content = row.content.as_slice().try_into();
    Ok(OpenBankLine {
        id: row.id,
        line: BankLine {
            number: row.number,
            content: content.map_err(|_length| wrong("content"))?,
            amount: row.amount,
            currency: Currency::from_code(&row.currency).map_err(|_unknown| wrong("currency"))?,
            day: row.day,
            reference: row.reference.clone(),
        },
    })
}

/// Looks again at open lines of bank statements.
#[derive(Debug, Clone)]
pub struct MatchOpenBankLines {
    /// The lines.
    pub lines: Vec<OpenBankLine>,
}

impl Command for MatchOpenBankLines {
    type Done = BankTally;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<SettlementShelf>() {
            self.lines
                .iter()
                .for_each(|open| ask_line(needs, &open.line));
        }
    }

    fn weight(&self) -> usize {
        self.lines.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BankTally>, Infallible> {
        let mut tally = BankTally::default();
        for OpenBankLine { line, .. } in &self.lines {
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            // Another run, or a person, may have ended it meanwhile.
            let Some(mut row) = state.open_bank_lines.remove(line.content.as_slice()) else {
                continue;
            };
            if try_line(book, line, &mut row, &mut tally).is_err() {
                continue;
            }
            let name = row.id.to_string();
            for kind in ExceptionKind::ALL {
                end_matched(book, &name, kind);
            }
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            state.resolved_bank_lines.push(BankLineResolved {
                tenant_id: row.tenant_id,
                id: row.id,
                seen_status: OPEN.to_owned(),
                status: row.status,
                subject: row.subject,
                transaction_id: row.transaction_id,
            });
        }
        Ok(Decision::now(tally))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "settlement.match_open_bank_lines",
            kind: "bank_statement",
            id: String::new(),
        }
    }
}
