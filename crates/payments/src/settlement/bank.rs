//! The command that matches lines of a bank statement with settlements and payouts.

use std::convert::Infallible;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set as field};
use money::Currency;

use super::BankLineId;
use super::bank_rows::{BankLineRow, DAYS_APART};
use super::exception::ExceptionKind;
use super::rows::{MATCHED, OPEN};
use super::settle::{Settled, post_set};
use super::shelf::{
    Difference, SettlementName, SettlementNeeds, SettlementShelf, State, open_exception,
};
use crate::postings::{BANKED, BANKED_OUT};
use crate::{OperationKind, OperationState, bank_orders};

/// Greatest number of words of a bank line that are looked up.
const MAX_WORDS: usize = 40;

/// A line of a bank statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankLine {
    /// Number of the line in the statement, from 1.
    pub number: i64,
    /// SHA-256 of the content and of the ordinal among equal lines.
    pub content: [u8; 32],
    /// The amount in minor units; money in is positive.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// The day of the booking, in days since 1970.
    pub day: i32,
    /// All references and texts of the line, separated by blanks.
    pub reference: String,
}

/// Matches lines of a statement. Lines that are in the books already are counted and left.
#[derive(Debug, Clone)]
pub struct MatchBankLines {
    /// The account at the bank.
    pub account: String,
    /// Number of the statement.
    pub statement: String,
    /// The lines, at most some hundred.
    pub lines: Vec<BankLine>,
}

/// The result of matching bank lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BankTally {
    /// Number of lines that were in the books already.
    pub known: u64,
    /// Number of lines that were matched with settlements.
    pub settlements: u64,
    /// Number of lines that were matched with payouts.
    pub payouts: u64,
    /// Number of lines that were not matched.
    pub open: u64,
}

impl BankTally {
    /// Adds the result of further lines.
    pub fn add(&mut self, more: &Self) {
        self.known = self.known.saturating_add(more.known);
        self.settlements = self.settlements.saturating_add(more.settlements);
        self.payouts = self.payouts.saturating_add(more.payouts);
        self.open = self.open.saturating_add(more.open);
    }
}

impl Command for MatchBankLines {
    type Done = BankTally;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        let Some(needs) = asks.of::<SettlementShelf>() else {
            return;
        };
        for line in &self.lines {
            ask_line(needs, line);
        }
    }

    fn weight(&self) -> usize {
        self.lines.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BankTally>, Infallible> {
        let mut tally = BankTally::default();
        for line in &self.lines {
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            if state.known.insert(line.content.to_vec()) {
                enter(book, self, line, &mut tally);
            } else {
                tally.known = tally.known.saturating_add(1);
            }
        }
        Ok(Decision::now(tally))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "settlement.match_bank",
            kind: "bank_statement",
            id: self.statement.clone(),
        }
    }
}

/// Asks for all that a bank line may be about.
pub(super) fn ask_line(needs: &mut SettlementNeeds, line: &BankLine) {
    needs.bank_contents.push(line.content.to_vec());
    needs.currencies.push(line.currency);
    needs
        .bank_amounts
        .push((line.currency, line.amount, line.day));
    for word in words(&line.reference) {
        needs.settlements.push(word.to_owned());
        needs.references.push(word.to_owned());
        needs.our_references.push(word.to_owned());
        needs.our_references.extend(ordered(word));
    }
}

/// The words of a bank line that may be references.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let words = text.split(move |letter| !is_part(letter));
    words.filter(|word| word.len() >= 4).take(MAX_WORDS)
}

/// The provider key of the payout that a bank was told about by this word: files for banks have ids without a prefix.
fn ordered(word: &str) -> Option<String> {
    bank_orders::named(word).map(|id| id.to_string())
}

/// What a bank line is about.
enum Finding {
    /// It brings the money of these settlements, each with its part.
    Settlements(Vec<(SettlementName, i64)>),
    /// It is this payout.
    Payout(String),
    /// It cannot be matched.
    Open(ExceptionKind, String),
}

fn enter(book: &mut Book, command: &MatchBankLines, line: &BankLine, tally: &mut BankTally) {
    let (tenant, now) = (book.tenant().id, book.now());
    let id = BankLineId::from_bytes(book.next_id());
    let name = id.to_string();
    let mut row = BankLineRow {
        tenant_id: tenant,
        id,
        number: line.number,
        content: line.content.to_vec(),
        account: command.account.clone(),
        statement: command.statement.clone(),
        amount: line.amount,
        currency: line.currency.code().to_owned(),
        day: line.day,
        reference: line.reference.clone(),
        status: OPEN.to_owned(),
        subject: None,
        transaction_id: None,
        created_at: now.micros(),
    };
    if let Err((kind, detail)) = try_line(book, line, &mut row, tally) {
        tally.open = tally.open.saturating_add(1);
        let at = Difference {
            provider: &command.account,
            currency: line.currency.code(),
            amount: line.amount,
            day: line.day,
            fees: None,
        };
        open_exception(book, kind, &name, &at, detail);
    }
    let shelf = book.shelf_mut::<SettlementShelf>().0;
    shelf.state.value.new_bank_lines.push(row);
}

/// Matches a line, if it can be matched: posts what it brings, and notes in the row what it is about. Otherwise tells the
/// kind of the difference, and the difference in words.
pub(super) fn try_line(
    book: &mut Book,
    line: &BankLine,
    row: &mut BankLineRow,
    tally: &mut BankTally,
) -> Result<(), (ExceptionKind, String)> {
    let (tenant, now) = (book.tenant().id, book.now());
    match find(&book.shelf::<SettlementShelf>().state.value, line) {
        Finding::Settlements(parts) => {
            let name = row.id.to_string();
            let banked = Settled {
                subject: &name,
                currency: line.currency,
                amount: line.amount.saturating_abs(),
                fee: 0,
            };
            let set = if line.amount > 0 { BANKED } else { BANKED_OUT };
            let posted = post_set(book, &banked, set);
            row.transaction_id =
                posted.map_err(|refusal| (ExceptionKind::Amount, refusal.to_string()))?;
            tally.settlements = tally.settlements.saturating_add(1);
            let names = parts
                .iter()
                .map(|((_, reference, _), _)| reference.as_str());
            row.subject = Some(names.collect::<Vec<_>>().join(" "));
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            for (of, part) in &parts {
                let Some(held) = state.settlements.get(of) else {
                    continue;
                };
                let id = held.row.id;
                let settlement = state.settlement((tenant, id), of, now);
                settlement.banked = settlement.banked.saturating_add(*part);
            }
        }
        Finding::Payout(operation) => {
            tally.payouts = tally.payouts.saturating_add(1);
            row.subject = Some(operation.clone());
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            state.settled.insert((operation, String::new()));
        }
        Finding::Open(kind, detail) => return Err((kind, detail)),
    }
    row.status = MATCHED.to_owned();
    record(book, row);
    Ok(())
}

/// Finds what a bank line is about: by the names in its text first, then by amount, currency and day, if there is
/// exactly one such settlement and the text does not name another one.
fn find(state: &State, line: &BankLine) -> Finding {
    if let Some(payout) = words(&line.reference).find_map(|word| payout(state, line, word)) {
        return payout;
    }
    let named: Vec<(&SettlementName, i64)> = state
        .settlements
        .iter()
        .filter(|((_, reference, currency), _)| {
            currency == line.currency.code() && words(&line.reference).any(|word| word == reference)
        })
        .map(|(name, held)| (name, held.row.net.saturating_sub(held.row.banked)))
        .collect();
    let left: i64 = named
        .iter()
        .map(|(_, left)| *left)
        .fold(0, i64::saturating_add);
    match named.as_slice() {
        [] => {}
        // One settlement may arrive in parts, and several may arrive as one.
        [(name, left)] if is_within(line.amount, *left) => {
            return Finding::Settlements(vec![((*name).clone(), line.amount)]);
        }
        several if left == line.amount => {
            let parts = several.iter().map(|(name, left)| ((*name).clone(), *left));
            return Finding::Settlements(parts.collect());
        }
        _ => {
            let detail = format!("{left} is left of the settlements that the line names");
            return Finding::Open(ExceptionKind::Amount, detail);
        }
    }
    let mut alike = state.settlements.iter().filter(|((_, _, currency), held)| {
        currency == line.currency.code()
            && held.row.net == line.amount
            && held.row.banked == 0
            && !names_another(&line.reference, &held.row.reference)
            && held.row.day.saturating_sub(line.day).saturating_abs() <= DAYS_APART
    });
    match (alike.next(), alike.next()) {
        (Some((name, _)), None) => Finding::Settlements(vec![(name.clone(), line.amount)]),
        (Some(_), Some(_)) => {
            let detail = "several settlements have this amount, and the line names none";
            Finding::Open(ExceptionKind::MissingHere, detail.to_owned())
        }
        (None, _) => {
            let detail =
                "the line names no settlement and no payout, and no settlement has its amount";
            Finding::Open(ExceptionKind::MissingHere, detail.to_owned())
        }
    }
}

/// True if a text has a word of the form of this settlement's name, and not the name itself: it names another settlement,
/// which may not be known yet. Names of one provider have the same length and begin alike.
fn names_another(text: &str, reference: &str) -> bool {
    let beginning = reference.get(..3);
    words(text).any(|word| {
        word != reference && word.len() == reference.len() && word.get(..3) == beginning
    })
}

/// True if an amount is a part of what is left, or all of it.
const fn is_within(amount: i64, left: i64) -> bool {
    (amount > 0 && amount <= left) || (amount < 0 && amount >= left)
}

/// The payout that a word names, if the line can be it.
fn payout(state: &State, line: &BankLine, word: &str) -> Option<Finding> {
    let ordered = ordered(word);
    let mut named = state.named(word, ordered.as_deref().unwrap_or(word));
    let paid = named.find(|operation| operation.kind == OperationKind::Payout)?;
    // Money that comes in under the name of a payout is the payout that came back.
    let (operation, sign) = match (line.amount > 0, state.returned(paid)) {
        (true, Some(returned)) => (returned, 1),
        (true, None) | (false, _) => (paid, -1),
    };
    let (name, amount) = (operation.id.to_string(), operation.money.amount.get());
    if operation.money.currency != line.currency || line.amount != amount.saturating_mul(sign) {
        let detail = format!("{name} pays {amount} {}", operation.money.currency.code());
        return Some(Finding::Open(ExceptionKind::Amount, detail));
    }
    match operation.state {
        OperationState::Succeeded => {}
        OperationState::Failed => {
            let detail = format!("{name} has failed here, and its money is back");
            return Some(Finding::Open(ExceptionKind::MissingHere, detail));
        }
        OperationState::Canceled => {
            let detail = format!("{name} was canceled here, and its money is back");
            return Some(Finding::Open(ExceptionKind::MissingHere, detail));
        }
        OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
            let detail = format!("{name} is not paid here yet");
            return Some(Finding::Open(ExceptionKind::Timing, detail));
        }
    }
    if state.settled.contains(&(name.clone(), String::new())) {
        let detail = format!("{name} is on the statement already");
        return Some(Finding::Open(ExceptionKind::Duplicate, detail));
    }
    Some(Finding::Payout(name))
}

/// Records that a bank line was matched.
fn record(book: &mut Book, row: &BankLineRow) {
    let (id, amount) = (row.id.to_string(), row.amount.to_string());
    let subject = row.subject.clone().unwrap_or_default();
    let transaction = row.transaction_id.map(|id| id.to_string());
    let mut delta = vec![field("subject", &subject), field("amount", &amount)];
    delta.extend(transaction.iter().map(|id| field("transaction", id)));
    let about = ("bank_line", id.as_str());
    book.record(&AuditEvent::done("bank_line.matched", about, &delta));
}
