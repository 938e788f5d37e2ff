//! The command that matches lines of a settlement report with operations and disputes, and posts what is settled.

use std::convert::Infallible;

use books::Books;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set as field};
use ledger::{AccountId, TransactionId};
use money::Currency;

use super::exception::{ExceptionKind, Resolution};
use super::fees;
use super::rows::{IGNORED, LineResolved, MATCHED, OPEN, SettlementLineRow};
use super::shelf::{Difference, End, SettlementShelf, State, open_exception};
use super::{LineKind, ReportLine, SettlementId, SettlementLineId};
use crate::opened::recorded;
use crate::postings::{self, Posted, PostingSet, SETTLED, SETTLED_OUT, Share};
use crate::prices::PriceShelf;
use crate::{OperationKind, OperationState};

/// Matches lines of a report, and posts what is settled. Lines that are in the books already are counted and left.
#[derive(Debug, Clone)]
pub struct SettleLines {
    /// Name of the provider.
    pub provider: String,
    /// Name of the report.
    pub report: String,
    /// The lines, at most some hundred.
    pub lines: Vec<ReportLine>,
}

/// The result of matching lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of lines that were in the books already.
    pub known: u64,
    /// Number of lines that were matched.
    pub matched: u64,
    /// Number of lines that were not matched.
    pub open: u64,
    /// Number of lines that are no money of their own.
    pub ignored: u64,
    /// Number of matched lines whose settlement the report does not tell.
    pub unlinked: u64,
    /// Number of exceptions that were resolved, because the missing line has come.
    pub resolved: u64,
}

impl Tally {
    /// Adds the result of further lines.
    pub fn add(&mut self, more: &Self) {
        self.known = self.known.saturating_add(more.known);
        self.matched = self.matched.saturating_add(more.matched);
        self.open = self.open.saturating_add(more.open);
        self.ignored = self.ignored.saturating_add(more.ignored);
        self.unlinked = self.unlinked.saturating_add(more.unlinked);
        self.resolved = self.resolved.saturating_add(more.resolved);
    }
}

impl Command for SettleLines {
    type Done = Tally;
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        let Some(needs) = asks.of::<SettlementShelf>() else {
            return;
        };
        needs.provider.clone_from(&self.provider);
        for line in &self.lines {
            needs.contents.push(line.content.to_vec());
            needs.references.push(line.reference.clone());
            needs.our_references.push(line.our_reference.clone());
            needs.currencies.push(line.currency);
            if !line.settlement.is_empty() {
                needs.settlements.push(line.settlement.clone());
            }
        }
        needs.subjects.push(self.report.clone());
        if let Some(wanted) = asks.of::<PriceShelf>() {
            wanted.all = true;
        }
    }

    fn weight(&self) -> usize {
        self.lines.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Tally>, Infallible> {
        let mut tally = Tally::default();
        for line in &self.lines {
            let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
            if state.known.insert(line.content.to_vec()) {
                settle(book, self, line, &mut tally);
            } else {
                tally.known = tally.known.saturating_add(1);
                if let Some(row) = state.open_lines.remove(line.content.as_slice()) {
                    try_again(book, line, row, &mut tally);
                }
            }
        }
        Ok(Decision::now(tally))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "settlement.settle",
            kind: "settlement",
            id: self.report.clone(),
        }
    }
}

/// Looks again at an open line: what it is about may have come meanwhile.
fn try_again(book: &mut Book, line: &ReportLine, mut row: SettlementLineRow, tally: &mut Tally) {
    let found = find(&book.shelf::<SettlementShelf>().state.value, line);
    let Finding::Settles(subject) = found else {
        return;
    };
    let Ok(transaction) = post(book, line, &subject) else {
        return;
    };
    let id = row.id.to_string();
    row.transaction_id = transaction;
    let mut ended = ExceptionKind::ALL.map(|kind| (id.clone(), kind)).to_vec();
    ended.push((subject.clone(), ExceptionKind::MissingThere));
    matched(book, &mut row, subject, &ended, tally);
    fees::compare(book, &row.provider, line, &id);
    let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
    state.resolved_lines.push(LineResolved {
        tenant_id: row.tenant_id,
        id: row.id,
        seen_status: OPEN.to_owned(),
        status: row.status,
        subject: row.subject,
        transaction_id: row.transaction_id,
    });
}

/// Notes that a line has settled a subject, and resolves the exceptions that end with it.
fn matched(
    book: &mut Book,
    row: &mut SettlementLineRow,
    subject: String,
    ended: &[(String, ExceptionKind)],
    tally: &mut Tally,
) {
    let now = book.now();
    row.status = MATCHED.to_owned();
    row.subject = Some(subject.clone());
    tally.matched = tally.matched.saturating_add(1);
    record(book, row);
    let end = End {
        resolution: Resolution::Matched,
        reason: None,
        by: None,
        transaction: row.transaction_id,
    };
    let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
    state.settled.insert((subject, row.kind.clone()));
    for name in ended {
        if state.resolve(name, &end, now) {
            tally.resolved = tally.resolved.saturating_add(1);
        }
    }
}

/// What a line is about, as the books know it.
enum Finding {
    /// It settles this subject.
    Settles(String),
    /// It is no money of its own.
    Ignored,
    /// It cannot be matched.
    Open(ExceptionKind, String),
}

fn settle(book: &mut Book, command: &SettleLines, line: &ReportLine, tally: &mut Tally) {
    let (tenant, now) = (book.tenant().id, book.now());
    let id = SettlementLineId::from_bytes(book.next_id());
    // The id of the settlement, if the line is its first one.
    let settlement = SettlementId::from_bytes(book.next_id());
    let names = (command.provider.as_str(), command.report.as_str());
    let mut row = SettlementLineRow::of(tenant, id, names, line, now);
    let finding = match find(&book.shelf::<SettlementShelf>().state.value, line) {
        Finding::Settles(subject) => match post(book, line, &subject) {
            Ok(transaction) => {
                row.transaction_id = transaction;
                Finding::Settles(subject)
            }
            Err(refusal) => Finding::Open(ExceptionKind::Amount, refusal.to_string()),
        },
        other @ (Finding::Ignored | Finding::Open(..)) => other,
    };
    match finding {
        Finding::Settles(subject) => {
            let ended = [(subject.clone(), ExceptionKind::MissingThere)];
            matched(book, &mut row, subject, &ended, tally);
            fees::compare(book, &command.provider, line, &id.to_string());
            if line.settlement.is_empty() {
                tally.unlinked = tally.unlinked.saturating_add(1);
                unlinked(book, command, line);
            }
        }
        Finding::Ignored => {
            row.status = IGNORED.to_owned();
            tally.ignored = tally.ignored.saturating_add(1);
        }
        Finding::Open(kind, detail) => {
            row.status = OPEN.to_owned();
            tally.open = tally.open.saturating_add(1);
            let at = Difference {
                provider: &command.provider,
                currency: line.currency.code(),
                amount: line.net(),
                day: line.day,
                fees: None,
            };
            open_exception(book, kind, &id.to_string(), &at, detail);
        }
    }
    let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
    if !line.settlement.is_empty() && row.status != IGNORED {
        join(state, (tenant, settlement), command, line, now);
    }
    state.new_lines.push(row);
}

/// Adds a line to its settlement: matched or not, it is part of what the provider sends.
fn join(
    state: &mut State,
    (tenant, id): (store::TenantId, SettlementId),
    command: &SettleLines,
    line: &ReportLine,
    now: store::Timestamp,
) {
    let name = (
        command.provider.clone(),
        line.settlement.clone(),
        line.currency.code().to_owned(),
    );
    let settlement = state.settlement((tenant, id), &name, now);
    settlement.lines = settlement.lines.saturating_add(1);
    settlement.gross = settlement.gross.saturating_add(line.gross);
    settlement.fee = settlement.fee.saturating_add(line.fee);
    settlement.net = settlement.gross.saturating_sub(settlement.fee);
    settlement.day = settlement.day.max(line.day);
}

/// Notes that a report does not tell to which settlement its lines belong: once for each report.
fn unlinked(book: &mut Book, command: &SettleLines, line: &ReportLine) {
    let at = Difference {
        provider: &command.provider,
        currency: line.currency.code(),
        amount: 0,
        day: line.day,
        fees: None,
    };
    let detail = "the report does not tell to which settlement its lines belong".to_owned();
    open_exception(book, ExceptionKind::Unlinked, &command.report, &at, detail);
}

/// Finds what a line is about. The rules are in a fixed order, and nothing is guessed.
fn find(state: &State, line: &ReportLine) -> Finding {
    let missing = || {
        let named = match (line.reference.as_str(), line.our_reference.as_str()) {
            ("", "") => "the line has no reference".to_owned(),
            ("", ours) => format!("nothing here is called {ours}"),
            (reference, _) => format!("no record of the provider is called {reference} here"),
        };
        Finding::Open(ExceptionKind::MissingHere, named)
    };
    let (subject, amount, currency) = match line.kind {
        LineKind::Payout => return Finding::Ignored,
        LineKind::Fee => {
            let detail = "the fee belongs to no operation".to_owned();
            return Finding::Open(ExceptionKind::Fee, detail);
        }
        LineKind::Adjustment => return missing(),
        LineKind::Dispute | LineKind::DisputeReversal => match state.dispute(&line.reference) {
            None => return missing(),
            Some(dispute) => {
                let is_done = match line.kind.sign() {
                    -1 => dispute.is_withdrawn,
                    _ => dispute.is_reinstated,
                };
                if !is_done {
                    let detail = format!("{} has not moved its money here yet", dispute.id);
                    return Finding::Open(ExceptionKind::Timing, detail);
                }
                let money = dispute.money;
                (dispute.id.to_string(), money.amount.get(), money.currency)
            }
        },
        LineKind::Capture | LineKind::Refund | LineKind::RefundReturn => {
            // A return has the provider's reference of its refund, and a key of its own.
            let named = || state.named(&line.reference, &line.our_reference);
            let fitting = named().find(|operation| is_of(line.kind, operation.kind));
            let Some(operation) = fitting else {
                let Some(other) = named().next() else {
                    return missing();
                };
                let detail = format!("{} is a {} here", other.id, other.kind.name());
                return Finding::Open(ExceptionKind::MissingHere, detail);
            };
            match operation.state {
                OperationState::Succeeded => {}
                OperationState::Created | OperationState::Submitted | OperationState::Unknown => {
                    let detail = format!("{} has no outcome here yet", operation.id);
                    return Finding::Open(ExceptionKind::Timing, detail);
                }
                // The money was taken after all, and is held as an unallocated receipt.
                OperationState::Failed if operation.unallocated > 0 => {}
                OperationState::Failed | OperationState::Canceled => {
                    let detail = format!("{} is {} here", operation.id, operation.state.name());
                    return Finding::Open(ExceptionKind::MissingHere, detail);
                }
            }
            let money = operation.money;
            (operation.id.to_string(), money.amount.get(), money.currency)
        }
    };
    if state
        .settled
        .contains(&(subject.clone(), line.kind.name().to_owned()))
    {
        let detail = format!("{subject} is settled by another line already");
        return Finding::Open(ExceptionKind::Duplicate, detail);
    }
    if currency != line.currency {
        let detail = format!("{subject} is in {} here", currency.code());
        return Finding::Open(ExceptionKind::Currency, detail);
    }
    if line.gross != amount.saturating_mul(line.kind.sign()) {
        let detail = format!("{subject} is {amount} here");
        return Finding::Open(ExceptionKind::Amount, detail);
    }
    if line.kind.sign() > 0 && line.fee > line.gross {
        let detail = format!("the fee for {subject} is more than its amount");
        return Finding::Open(ExceptionKind::Fee, detail);
    }
    Finding::Settles(subject)
}

/// True if lines of this kind settle operations of this kind.
const fn is_of(line: LineKind, operation: OperationKind) -> bool {
    match operation {
        OperationKind::Charge | OperationKind::Capture => matches!(line, LineKind::Capture),
        OperationKind::Refund => matches!(line, LineKind::Refund),
        OperationKind::RefundReturn => matches!(line, LineKind::RefundReturn),
        OperationKind::Authorize
        | OperationKind::Void
        | OperationKind::Increment
        | OperationKind::Payout
        | OperationKind::PayoutReturn
        | OperationKind::Evidence => false,
    }
}

/// What is settled, as its posting set sees it.
pub(super) struct Settled<'a> {
    pub(super) subject: &'a str,
    pub(super) currency: Currency,
    pub(super) amount: i64,
    pub(super) fee: i64,
}

impl Posted for Settled<'_> {
    fn name(&self) -> String {
        self.subject.to_owned()
    }

    fn currency(&self) -> Currency {
        self.currency
    }

    fn source(&self) -> Option<AccountId> {
        None
    }

    fn share(&self, share: Share) -> i64 {
        match share {
            Share::Amount => self.amount,
            Share::Net => self.amount.saturating_sub(self.fee),
            Share::Fee => self.fee,
            Share::Reserved | Share::FromPending | Share::FromAvailable | Share::MadeAvailable => 0,
        }
    }

    /// The money has moved already, whatever the accounts have.
    fn is_beyond_limits(&self) -> bool {
        true
    }
}

/// The posting set of a line.
pub(crate) const fn set_of(kind: LineKind) -> PostingSet {
    match kind.sign() {
        -1 => SETTLED_OUT,
        _ => SETTLED,
    }
}

fn post(
    book: &mut Book,
    line: &ReportLine,
    subject: &str,
) -> Result<Option<TransactionId>, ledger::Refusal> {
    let settled = Settled {
        subject,
        currency: line.currency,
        amount: line.gross.saturating_abs(),
        fee: line.fee,
    };
    post_set(book, &settled, set_of(line.kind))
}

/// Posts a set of settlement, and returns its transaction.
pub(super) fn post_set(
    book: &mut Book,
    of: &impl Posted,
    set: PostingSet,
) -> Result<Option<TransactionId>, ledger::Refusal> {
    recorded(book, |book| {
        let now = book.now();
        let (books, ids) = book.shelf_mut::<Books>();
        postings::post(books, of, set, ids, now)
    })?;
    Ok(book.shelf::<Books>().posted().last().map(|one| one.id))
}

/// Records that a line was matched.
fn record(book: &mut Book, row: &SettlementLineRow) {
    let id = row.id.to_string();
    let (net, fee) = (row.net.to_string(), row.fee.to_string());
    let transaction = row.transaction_id.map(|id| id.to_string());
    let subject = row.subject.clone().unwrap_or_default();
    let mut delta = vec![
        field("subject", &subject),
        field("net", &net),
        field("fee", &fee),
    ];
    delta.extend(transaction.iter().map(|id| field("transaction", id)));
    let about = ("settlement_line", id.as_str());
    book.record(&AuditEvent::done("settlement.matched", about, &delta));
}
