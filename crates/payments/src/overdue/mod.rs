//! Overdue outcomes: a provider, or a bank with a file, has not said for some bank days what became of an operation.
//!
//! Such an operation stays as it is, because nobody knows whether the money has moved. It becomes an exception of
//! reconciliation ([`ExceptionKind::Overdue`]), an error in the log and a count in the metrics, so that a person asks the
//! provider. The exception ends by itself as soon as the outcome is known.
//!
//! An errand remembers when to look. A payout that a bank gets in a file has it from the order on; an operation of a
//! provider that is called has it once an inquiry finds that it is overdue.

use std::convert::Infallible;

use calendars::{Calendar, date_of, days_of};
use engine::errand::{DueErrand, Errand, Errands, Work, WorkFuture};
use engine::{Asks, Attempt, Book, Command, Decision, Engine, Request, Tenant};
use store::Timestamp;

use crate::settlement::exception::ExceptionKind;
use crate::settlement::{Difference, SettlementShelf, end_matched, open_exception};
use crate::{Operation, OperationId, OperationKind, Shelf};

/// Kind of the errand of an operation that is or will be overdue.
pub const OVERDUE: &str = "outcome_overdue";
/// Number of bank days after which an outcome is overdue, if no setting says otherwise.
pub const DAYS: u16 = 5;
/// Time between two looks at an operation that is overdue.
const PAUSE_SECONDS: i64 = 300;
/// Number of microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// The moment at which the outcome of an operation is overdue: the end of the last of so many bank days after a day,
/// which is in days since 1970. Beyond the end of what a calendar knows, its rule decides.
#[must_use]
pub fn overdue_at(operation: &Operation, day: i32, days: u16) -> Timestamp {
    let calendar = Calendar::of_currency(operation.money.currency.code());
    let last = calendar.after(date_of(day), days);
    let last = days_of(last.unwrap_or_else(|beyond| beyond.by_rule));
    Timestamp::from_micros(i64::from(last).saturating_add(1).saturating_mul(DAY_MICROS))
}

/// True if the outcome of an operation that was made at some time is overdue now.
#[must_use]
pub fn is_overdue(operation: &Operation, days: u16, now: Timestamp) -> bool {
    overdue_at(operation, day_of(operation.created_at), days) <= now
}

/// Remembers when the outcome of an operation is overdue.
pub(crate) fn expect(book: &mut Book, id: OperationId, due_at: Timestamp) {
    let name = (OVERDUE, id.bytes());
    if book.shelf::<Errands>().get(name).is_some() {
        return;
    }
    let errand = Errand {
        due_at,
        epoch: 0,
        place: String::new(),
    };
    book.shelf_mut::<Errands>().0.add(name, errand);
}

/// The outcome of an operation is known. If there is an exception about it, the work ends it soon.
pub(crate) fn ended(book: &mut Book, id: OperationId) {
    let (name, now) = ((OVERDUE, id.bytes()), book.now());
    let epoch = book.shelf::<Errands>().get(name).map(|errand| errand.epoch);
    let errands = book.shelf_mut::<Errands>().0;
    match epoch {
        None => {}
        // It was not overdue yet: nobody has looked.
        Some(0) => errands.end(name),
        Some(_) => errands.postpone(name, now),
    }
}

/// Looks at operations whose outcome was expected: opens an exception for each that is overdue, and ends the exception of
/// each that has its outcome.
#[derive(Debug, Clone)]
pub struct LookAtOverdue {
    /// The operations.
    pub operations: Vec<OperationId>,
}

impl Command for LookAtOverdue {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<SettlementShelf>() {
            let names = self.operations.iter().map(ToString::to_string);
            needs.subjects.extend(names);
        }
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.extend(&self.operations);
        }
        if let Some(errands) = asks.of::<Errands>() {
            errands.extend(self.operations.iter().map(|id| (OVERDUE, id.bytes())));
        }
    }

    fn weight(&self) -> usize {
        self.operations.len()
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        for id in &self.operations {
            let name = (OVERDUE, id.bytes());
            let operation = book.shelf::<Shelf>().operation(id).cloned();
            let errand = book.shelf::<Errands>().get(name).cloned();
            let (Some(operation), Some(errand)) = (operation, errand) else {
                continue;
            };
            if operation.is_unfinished() {
                if errand.due_at <= book.now() {
                    alarm(book, &operation);
                }
            } else {
                book.shelf_mut::<Errands>().0.end(name);
                end_matched(book, &id.to_string(), ExceptionKind::Overdue);
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.look_at_overdue",
            kind: "operation",
            id: String::new(),
        }
    }
}

/// Opens the exception of an operation, once, and looks again later.
fn alarm(book: &mut Book, operation: &Operation) {
    let (id, now) = (operation.id, book.now());
    let provider = operation.provider.as_str();
    let amount = operation.money.amount.get();
    let day = day_of(operation.created_at);
    let at = Difference {
        provider,
        currency: operation.money.currency.code(),
        amount: match operation.kind {
            OperationKind::Refund | OperationKind::Payout => amount.saturating_neg(),
            OperationKind::Charge
            | OperationKind::Authorize
            | OperationKind::Capture
            | OperationKind::Void
            | OperationKind::Increment
            | OperationKind::RefundReturn
            | OperationKind::PayoutReturn
            | OperationKind::Evidence => amount,
        },
        day,
        fees: None,
    };
    let kind = operation.kind.name();
    let detail = format!(
        "{provider} does not tell the outcome of the {kind} {id} of {}",
        date_of(day)
    );
    if open_exception(book, ExceptionKind::Overdue, &id.to_string(), &at, detail) {
        tracing::error!(operation = %id, provider, kind, "the outcome is overdue");
        metrics::counter!("florin_outcomes_overdue_total").increment(1);
    }
    let errands = book.shelf_mut::<Errands>().0;
    let name = (OVERDUE, id.bytes());
    errands.lease(name, now, now.plus_seconds(PAUSE_SECONDS));
}

/// The day of a moment in UTC, in days since 1970.
fn day_of(moment: Timestamp) -> i32 {
    i32::try_from(moment.micros().div_euclid(DAY_MICROS)).unwrap_or(i32::MAX)
}

/// The work of operations whose outcome was expected by now.
pub struct OverdueWork(pub Engine);

impl Work for OverdueWork {
    fn kind(&self) -> &'static str {
        OVERDUE
    }

    fn take(&self, tenant: Tenant, due: Vec<DueErrand>) -> WorkFuture<'_> {
        let operations = due.iter().map(|due| due.subject);
        let operations = operations.map(OperationId::from_bytes).collect();
        let request = Request::of_system(tenant, "sweeper", LookAtOverdue { operations });
        Box::pin(async move { self.0.submit(request).await.map(drop) })
    }
}
