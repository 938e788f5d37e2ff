//! The command that records the outcome of an operation: the fact is believed, put into the quarantine, or
//! ignored.

use std::convert::Infallible;

use books::Books;
use engine::errand::Errands;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};
use ledger::{Account, AccountId};
use webhooks::Event;

use super::ShowPayment;
use crate::{CHARGE, Fact, FactEffect, OperationId, OutcomeError, Shelf, record_outcome};

/// Time until the next inquiry after the provider has contradicted itself, because a person has to look at it.
const REST_SECONDS: i64 = 3_600;

/// Records the answer that a worker got from the provider, under a lease of the operation.
#[derive(Debug, Clone)]
pub struct RecordOutcome {
    /// The operation.
    pub operation: OperationId,
    /// Epoch of the lease.
    pub epoch: i32,
    /// The fact in the answer.
    pub fact: Fact,
    /// The answer itself, for the quarantine if it cannot be right. If the outcome is unknown, this is an
    /// answer that cannot be right in any case.
    pub answer: Option<Box<Event>>,
    /// Makes the reply to the request that waits for the payment.
    pub show: ShowPayment,
}

impl Command for RecordOutcome {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.push(self.operation);
            needs.add_charge(&self.fact);
        }
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs
                .answers
                .extend(self.answer.as_deref().map(Event::name));
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let id = self.operation;
        if !self.may_speak(book) {
            // Another worker has the lease. It will ask for the outcome itself.
            return Ok(Decision::now(()));
        }
        match believe(book, id, &self.fact, self.show) {
            Ok(_) => match (&self.fact, &self.answer) {
                (Fact::Unknown { .. }, Some(answer)) => {
                    put_aside(book, id, answer, "cannot be right, whatever is known");
                }
                (Fact::Succeeded { .. } | Fact::Failed { .. } | Fact::Unknown { .. }, _) => {}
            },
            Err(OutcomeError::NotFound) => {}
            Err(
                error @ (OutcomeError::Contradiction { .. }
                | OutcomeError::WrongAmount { .. }
                | OutcomeError::WrongPayment
                | OutcomeError::WrongMethod
                | OutcomeError::SecondCharge { .. }
                | OutcomeError::ChargeOfAnother { .. }
                | OutcomeError::OtherDeclineCode
                | OutcomeError::Ledger(_)),
            ) => {
                tracing::error!(operation = %id, %error, "a provider's answer cannot be right");
                metrics::counter!("florin_provider_answers_refused_total").increment(1);
                if let Some(answer) = &self.answer {
                    put_aside(book, id, answer, error.rule());
                }
                let retry_at = book.now().plus_seconds(REST_SECONDS);
                let _known = believe(book, id, &Fact::Unknown { retry_at }, self.show);
            }
        }
        Ok(Decision::now(()))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "operation.record_outcome",
            kind: "operation",
            id: self.operation.to_string(),
        }
    }
}

impl RecordOutcome {
    /// True if the worker has the newest lease, or if the outcome is final already.
    fn may_speak(&self, book: &Book) -> bool {
        let errand = book
            .shelf::<Errands>()
            .get((CHARGE, self.operation.bytes()));
        errand.is_none_or(|errand| errand.epoch == self.epoch)
    }
}

/// Puts an answer into the quarantine, once.
fn put_aside(book: &mut Book, id: OperationId, answer: &Event, reason: &'static str) {
    if book
        .shelf_mut::<webhooks::Shelf>()
        .0
        .quarantine(answer, reason)
    {
        metrics::counter!("florin_provider_answers_quarantined_total").increment(1);
        let name = webhooks::check::name(&answer.provider, &answer.id);
        book.record(&AuditEvent {
            action: "provider.answered",
            subject: ("provider_answer", &name),
            outcome: "quarantined",
            reason: Some(reason),
            delta: &[],
            cause: Some(&id.to_string()),
        });
    }
}

/// Records a fact, answers the request that waits for it, and adds an audit record.
pub(crate) fn believe(
    book: &mut Book,
    id: OperationId,
    fact: &Fact,
    show: ShowPayment,
) -> Result<FactEffect, OutcomeError> {
    let now = book.now();
    let (payments, books, ids) = book.shelves_mut::<Shelf, Books>();
    let posted_before = books.posted().len();
    let opened_before: Vec<AccountId> = books.opened().iter().map(|account| account.id).collect();
    let recorded = record_outcome(payments, books, id, fact, ids, now);
    record_opened(book, &opened_before);
    let recorded = recorded?;
    let errands = book.shelf_mut::<Errands>().0;
    match (&recorded, fact) {
        (FactEffect::Known, _) => {}
        (FactEffect::Open(_), Fact::Unknown { retry_at }) => {
            errands.postpone((CHARGE, id.bytes()), *retry_at);
        }
        (FactEffect::Finished(_) | FactEffect::Open(_), _) => errands.end((CHARGE, id.bytes())),
    }
    let (payment, action) = match &recorded {
        FactEffect::Known => return Ok(recorded),
        FactEffect::Finished(payment) if payment.decline_code.is_some() => {
            (payment, "payment.declined")
        }
        FactEffect::Finished(payment) => (payment, "payment.succeeded"),
        FactEffect::Open(payment) => (payment, "payment.outcome_unknown"),
    };
    book.answer(&payment.idempotency_key, show(payment));
    let transaction = book
        .shelf::<Books>()
        .posted()
        .get(posted_before)
        .map(|posted| posted.id.to_string());
    let captured = payment.captured.to_string();
    let mut delta = vec![changed("status", "processing", payment.state.name())];
    if let Some(transaction) = &transaction {
        delta.push(changed("captured", "0", &captured));
        delta.push(set("transaction", transaction));
    }
    book.record(&AuditEvent {
        action,
        subject: ("payment", &payment.id.to_string()),
        outcome: if payment.decline_code.is_some() {
            "declined"
        } else {
            "ok"
        },
        reason: payment.decline_code.as_deref(),
        delta: &delta,
        cause: Some(&id.to_string()),
    });
    Ok(recorded)
}

/// Adds audit records of the accounts that the first payment in a currency has opened.
fn record_opened(book: &mut Book, before: &[AccountId]) {
    let opened = book.shelf::<Books>().opened().into_iter();
    let opened: Vec<Account> = opened
        .filter(|account| !before.contains(&account.id))
        .cloned()
        .collect();
    for account in &opened {
        books::accounts::record_opened(book, account);
    }
}
