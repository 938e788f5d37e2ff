//! The command that records the outcome of an operation: the fact is believed, put into the quarantine, or
//! ignored.

use std::convert::Infallible;

use books::Books;
use engine::errand::Errands;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, set};
use webhooks::Event;

use crate::bank_orders::BANK_TRANSFER;
use crate::overdue::OVERDUE;
use crate::replies::{self, Subject};
use crate::{
    Fact, FactEffect, OPERATION, Operation, OperationId, OperationKind, OperationOwner,
    OperationState, OutcomeError, Payment, Shelf, availability, disputes, expiries, late, opened,
    overdue, record_outcome,
};

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
    /// True if the provider should have told the outcome by now.
    pub is_overdue: bool,
}

impl Command for RecordOutcome {
    type Done = ();
    type Refusal = Infallible;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.operations.push(self.operation);
            needs.add_record(&self.fact);
        }
        if let (true, Some(errands)) = (self.is_overdue, asks.of::<Errands>()) {
            errands.push((OVERDUE, self.operation.bytes()));
        }
        if let Some(needs) = asks.of::<webhooks::Shelf>() {
            needs.kept.extend(self.answer.as_deref().map(Event::name));
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<()>, Infallible> {
        let id = self.operation;
        if !self.may_speak(book) {
            // Another worker has the lease. It will ask for the outcome itself.
            return Ok(Decision::now(()));
        }
        let believed = believe(book, id, &self.fact);
        if let (true, Ok(FactEffect::Open)) = (self.is_overdue, &believed) {
            overdue::expect(book, id, book.now());
        }
        match believed {
            Ok(_) => match (&self.fact, &self.answer) {
                (Fact::Unknown { .. }, Some(answer)) => {
                    put_aside(book, id, answer, "cannot be right, whatever is known");
                }
                (
                    Fact::Succeeded { .. }
                    | Fact::Failed { .. }
                    | Fact::ActionRequired { .. }
                    | Fact::Returned { .. }
                    | Fact::Undone { .. }
                    | Fact::Disputed(_)
                    | Fact::Unknown { .. },
                    _,
                ) => {}
            },
            Err(OutcomeError::NotFound) => {}
            Err(
                error @ (OutcomeError::Contradiction { .. }
                | OutcomeError::WrongKind { .. }
                | OutcomeError::WrongAmount { .. }
                | OutcomeError::WrongPayment
                | OutcomeError::WrongMethod
                | OutcomeError::SecondRecord { .. }
                | OutcomeError::RecordOfAnother { .. }
                | OutcomeError::OtherDeclineCode
                | OutcomeError::Ledger(_)),
            ) => {
                tracing::error!(operation = %id, %error, "a provider's answer cannot be right");
                metrics::counter!("florin_provider_answers_refused_total").increment(1);
                if let Some(answer) = &self.answer {
                    put_aside(book, id, answer, error.rule());
                }
                let retry_at = book.now().plus_seconds(REST_SECONDS);
                let _known = believe(book, id, &Fact::Unknown { retry_at });
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
            .get((OPERATION, self.operation.bytes()));
        errand.is_none_or(|errand| errand.epoch == self.epoch)
    }
}

/// Puts an answer into the quarantine, once.
fn put_aside(book: &mut Book, id: OperationId, answer: &Event, reason: &'static str) {
    let (inbox, ids) = book.shelf_mut::<webhooks::Shelf>();
    if inbox.quarantine(answer, reason, ids) {
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

/// Records a fact, answers the request that waits for it, and adds an audit record. If the fact is refused, nothing
/// changes.
pub(crate) fn believe(
    book: &mut Book,
    id: OperationId,
    fact: &Fact,
) -> Result<FactEffect, OutcomeError> {
    book.try_part(|book| {
        if let Fact::Disputed(fact) = fact {
            return disputes::hear(book, id, fact);
        }
        let operation = book.shelf::<Shelf>().operation(&id);
        let fact = &operation.map_or_else(|| fact.clone(), |known| fact.about(known.state));
        // What comes back has succeeded before, whether that was reported or not.
        if let Fact::Returned { record: refund } = fact
            && operation.is_some_and(Operation::is_unfinished)
        {
            let record = refund.clone();
            self::record(book, id, &Fact::Succeeded { record })?;
        }
        record(book, id, fact)
    })
}

fn record(book: &mut Book, id: OperationId, fact: &Fact) -> Result<FactEffect, OutcomeError> {
    let now = book.now();
    let posted_before = book.shelf::<Books>().posted().len();
    let payments = book.shelf::<Shelf>();
    let before = payments.operation(&id);
    let before = before.and_then(|operation| standing(payments, operation));
    let recorded = opened::recorded(book, |book| {
        let (payments, books, ids) = book.shelves_mut::<Shelf, Books>();
        record_outcome(payments, books, id, fact, ids, now)
    })?;
    let errands = book.shelf_mut::<Errands>().0;
    let name = (OPERATION, id.bytes());
    match (recorded, fact) {
        (FactEffect::Known, _) => return Ok(recorded),
        (FactEffect::Open, Fact::Unknown { retry_at } | Fact::ActionRequired { retry_at, .. }) => {
            errands.postpone(name, *retry_at)
        }
        (FactEffect::Finished | FactEffect::Open, _) => {
            errands.end(name);
            // What has an outcome is in no later order.
            errands.end((BANK_TRANSFER, id.bytes()));
            overdue::ended(book, id);
        }
    }
    let shelf = book.shelf::<Shelf>();
    let Some(operation) = shelf.operation(&id).cloned() else {
        return Ok(recorded);
    };
    if let Some(reply) = replies::reply_to(&operation, book) {
        let (_, resource) = replies::subject(&operation);
        book.answer(&operation.idempotency_key, &resource, reply);
    }
    availability::plan(book, &operation);
    expiries::plan(book, &operation);
    late::plan(book, &operation);
    let posted = book.shelf::<Books>().posted().get(posted_before);
    let transaction = posted.map(|posted| posted.id.to_string());
    let action = action(&operation, fact);
    note(book, &operation, before, action, transaction.as_deref());
    Ok(recorded)
}

/// The state and the amounts of what an operation belongs to, by name.
type Standing = (&'static str, [(&'static str, i64); 6]);

/// The standing of the payment, the payout or the evidence that an operation belongs to.
fn standing(shelf: &Shelf, operation: &Operation) -> Option<Standing> {
    Some(match operation.kind.owner() {
        OperationOwner::Payout => {
            let payout = shelf.payout(&operation.payout())?;
            (payout.state.name(), Default::default())
        }
        OperationOwner::Dispute => {
            let dispute = shelf.dispute_with_id(&operation.dispute())?;
            (dispute.evidence_status().name(), Default::default())
        }
        OperationOwner::Payment => {
            let payment = shelf.payment(&operation.payment())?;
            (payment.state.name(), amounts(payment))
        }
    })
}

/// Adds the audit record of a fact: what it was about, and what it has changed.
fn note(
    book: &mut Book,
    operation: &Operation,
    before: Option<Standing>,
    action: &'static str,
    transaction: Option<&str>,
) {
    let after = standing(book.shelf::<Shelf>(), operation);
    let (was, is) = (before.unwrap_or_default(), after.unwrap_or_default());
    let changes: Vec<(&str, String, String)> = was
        .1
        .into_iter()
        .zip(is.1)
        .filter(|((_, was), (_, is))| was != is)
        .map(|((name, was), (_, is))| (name, was.to_string(), is.to_string()))
        .collect();
    let (subject, text) = replies::subject(operation);
    let mut delta = Vec::new();
    if subject != Subject::Refund {
        let name = match subject {
            Subject::Dispute => "evidence_status",
            Subject::Payment | Subject::Refund | Subject::Payout => "status",
        };
        delta.push(changed(name, was.0, is.0));
    }
    delta.extend(changes.iter().map(|(name, was, is)| changed(name, was, is)));
    delta.extend(transaction.map(|id| set("transaction", id)));
    let unallocated = operation.unallocated.to_string();
    let is_late = operation.unallocated > 0;
    delta.extend(is_late.then(|| set("unallocated", &unallocated)));
    let has_failed = operation.state == OperationState::Failed && !is_late;
    book.record(&AuditEvent {
        action,
        subject: (subject.name(), &text),
        outcome: if has_failed { "declined" } else { "ok" },
        reason: operation.decline_code.as_deref().filter(|_| has_failed),
        delta: &delta,
        cause: Some(&operation.id.to_string()),
    });
}

/// The amounts of a payment, by name.
const fn amounts(payment: &Payment) -> [(&'static str, i64); 6] {
    [
        ("amount", payment.money.amount.get()),
        ("authorized", payment.authorized),
        ("capturable", payment.capturable),
        ("captured", payment.captured),
        ("released", payment.released),
        ("refunded", payment.refunded),
    ]
}

/// The name of a fact in the audit log.
const fn action(operation: &Operation, fact: &Fact) -> &'static str {
    use OperationKind as K;
    use OperationState as S;
    match (operation.kind, operation.state) {
        (_, _) if matches!(fact, Fact::ActionRequired { .. }) => "payment.action_required",
        (K::Payout | K::PayoutReturn, _) if matches!(fact, Fact::Returned { .. }) => {
            "payout.returned"
        }
        (_, _) if matches!(fact, Fact::Returned { .. }) => "refund.returned",
        (K::Payout | K::PayoutReturn, S::Created | S::Submitted | S::Unknown) => {
            "payout.outcome_unknown"
        }
        (K::Payout | K::PayoutReturn, S::Succeeded) => "payout.paid",
        (K::Payout | K::PayoutReturn, S::Failed) => "payout.failed",
        (_, S::Canceled) => "payout.canceled",
        (K::Refund | K::RefundReturn, S::Created | S::Submitted | S::Unknown) => {
            "refund.outcome_unknown"
        }
        (K::Evidence, S::Created | S::Submitted | S::Unknown) => "dispute.outcome_unknown",
        (K::Evidence, S::Succeeded) => "dispute.evidence_submitted",
        (K::Evidence, S::Failed) => "dispute.evidence_refused",
        (_, S::Created | S::Submitted | S::Unknown) => "payment.outcome_unknown",
        (_, S::Failed) if operation.unallocated > 0 => "payment.taken_late",
        (K::Charge, S::Succeeded) => "payment.succeeded",
        (K::Authorize, S::Succeeded) => "payment.authorized",
        (K::Charge | K::Authorize, S::Failed) => "payment.declined",
        (K::Capture, S::Succeeded) => "payment.captured",
        (K::Capture, S::Failed) => "payment.capture_failed",
        (K::Void, S::Succeeded) => "payment.voided",
        (K::Void, S::Failed) => "payment.void_failed",
        (K::Increment, S::Succeeded) => "payment.incremented",
        (K::Increment, S::Failed) => "payment.increment_failed",
        (K::Refund | K::RefundReturn, S::Succeeded) => "refund.succeeded",
        (K::Refund | K::RefundReturn, S::Failed) => "refund.failed",
    }
}
