//! Disputes: the payer's bank claims captured money back.
//!
//! A dispute is reported by the provider. Its money leaves what the merchant can have at once, and may leave it
//! negative: this is the only way in which that happens. The reports may come in any order and any number of times;
//! the marks of [`Dispute`] are set once each, so the books end in the same state.
//!
//! | report | the money |
//! |---|---|
//! | opened | from available money into the holds, with the fee; what is in reserve for the payment is available first |
//! | funds withdrawn, reinstated | from the holds to the provider, and back |
//! | won | from the holds to available money, as soon as the provider does not have it any more |
//! | lost | stays where it is: the provider has taken it, or will |
//!
//! The merchant answers with evidence: a draft, which is sent once, as long as the dispute is open and before the time
//! that the provider names (`docs/adr/0040`).

pub(crate) mod codes;
pub(crate) mod dispute;
pub(crate) mod evidence;
mod http;
pub(crate) mod outcome;
pub(crate) mod rows;
pub mod show;
mod submission;
mod write;

use books::Books;
use edge::Capability;
use engine::{AuditEvent, Book, set as field};

pub use dispute::{
    Dispute, DisputeEvent, DisputeFact, DisputeId, DisputeNews, DisputeState, EvidenceStatus,
};
pub use evidence::{Evidence, EvidenceChange, EvidenceField};
pub use submission::{BegunSubmission, SubmitEvidence};
pub use write::WriteEvidence;

use crate::outcome::{FactEffect, OutcomeError};
use crate::postings::{self, PostingSet};
use crate::terms::TermsShelf;
use crate::{Operation, OperationId, OperationState, Payment, Shelf, opened, reserves};

/// The routes and codes, for the edge.
pub const CAPABILITY: Capability = Capability {
    routes: http::routes,
    codes: codes::ALL,
};

/// Records a report on a dispute of the charge that an operation has made. The caller undoes everything if it is
/// refused.
///
/// # Errors
/// [`OutcomeError`] names the rule.
pub(crate) fn hear(
    book: &mut Book,
    id: OperationId,
    fact: &DisputeFact,
) -> Result<FactEffect, OutcomeError> {
    let shelf = book.shelf::<Shelf>();
    let operation = shelf.operation(&id).ok_or(OutcomeError::NotFound)?.clone();
    if operation.state != OperationState::Succeeded {
        let state = operation.state.name();
        return Err(OutcomeError::Contradiction { state });
    }
    let payment = shelf.payment(&operation.payment());
    let payment = payment.ok_or(OutcomeError::NotFound)?.clone();
    let known = shelf.dispute(&operation.provider, &fact.reference).cloned();
    let before = known.clone();
    let mut dispute = match known {
        Some(dispute) => dispute,
        None => open(book, &operation, payment, fact)?,
    };
    if dispute.money != fact.money || dispute.payment != operation.payment() {
        return Err(OutcomeError::WrongAmount {
            said: fact.money,
            asked: dispute.money,
        });
    }
    // A bank may give more time, and reports come in any order: the latest time counts.
    dispute.evidence_due_by = dispute.evidence_due_by.max(fact.due_by);
    match fact.news {
        DisputeNews::Opened => {}
        DisputeNews::Withdrawn if dispute.is_withdrawn => {}
        DisputeNews::Withdrawn => {
            dispute.is_withdrawn = true;
            post(
                book,
                &dispute,
                postings::DISPUTE_WITHDRAWN,
                "dispute.funds_withdrawn",
            )?;
        }
        DisputeNews::Reinstated if dispute.is_reinstated => {}
        DisputeNews::Reinstated => {
            dispute.is_reinstated = true;
            post(
                book,
                &dispute,
                postings::DISPUTE_REINSTATED,
                "dispute.funds_reinstated",
            )?;
        }
        DisputeNews::Won => decide(book, &mut dispute, DisputeEvent::Won)?,
        DisputeNews::Lost => decide(book, &mut dispute, DisputeEvent::Lost)?,
    }
    let provider_has_it = dispute.is_withdrawn && !dispute.is_reinstated;
    if dispute.state == DisputeState::Won && !dispute.is_released && !provider_has_it {
        release(book, &mut dispute)?;
    }
    if before.as_ref() == Some(&dispute) {
        return Ok(FactEffect::Known);
    }
    if before.is_some() {
        let now = book.now();
        book.shelf_mut::<Shelf>()
            .0
            .change_dispute(&mut dispute, now);
    } else {
        book.shelf_mut::<Shelf>().0.put_new_dispute(dispute);
    }
    Ok(FactEffect::Finished)
}

/// Makes the dispute that a report is about: its money leaves the merchant's available money, with the fee.
fn open(
    book: &mut Book,
    operation: &Operation,
    mut payment: Payment,
    fact: &DisputeFact,
) -> Result<Dispute, OutcomeError> {
    if fact.money.currency != payment.money.currency || fact.money.amount.get() > payment.captured {
        return Err(OutcomeError::WrongAmount {
            said: fact.money,
            asked: payment.money,
        });
    }
    let now = book.now();
    let fee = book.shelf::<TermsShelf>();
    let fee = fee.dispute_fee(fact.money.currency, &operation.payment_method);
    let blocked = fact.money.amount.get().min(payment.refundable());
    let dispute = Dispute {
        id: DisputeId::from_bytes(book.next_id()),
        payment: payment.id,
        provider: operation.provider.clone(),
        reference: fact.reference.clone(),
        money: fact.money,
        fee,
        blocked,
        reason: fact.reason.clone(),
        state: DisputeState::Open,
        is_withdrawn: false,
        is_reinstated: false,
        is_released: false,
        evidence: None,
        evidence_due_by: fact.due_by,
        submissions: 0,
        submission: None,
        submitted_at: None,
        evidence_decline_code: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let needed = dispute.money.amount.get().saturating_add(fee);
    reserves::release_for(book, payment.id, dispute.id, needed).map_err(OutcomeError::Ledger)?;
    post(book, &dispute, postings::DISPUTE_OPENED, "dispute.opened")?;
    payment.disputed = payment.disputed.saturating_add(blocked);
    book.shelf_mut::<Shelf>()
        .0
        .change_payment(&mut payment, now);
    Ok(dispute)
}

/// True if a report on a dispute is too early: more is disputed than is captured, and a capture may still turn out to have
/// succeeded.
pub(crate) fn is_too_early(shelf: &Shelf, operation: &Operation, fact: &DisputeFact) -> bool {
    let is_known = shelf
        .dispute(&operation.provider, &fact.reference)
        .is_some();
    let payment = shelf.payment(&operation.payment());
    let waits =
        |payment: &Payment| fact.money.amount.get() > payment.captured && payment.in_flight() > 0;
    !is_known && payment.is_some_and(waits)
}

/// Records the decision of the payer's bank. The same decision again changes nothing.
fn decide(book: &mut Book, dispute: &mut Dispute, event: DisputeEvent) -> Result<(), OutcomeError> {
    let decided = match event {
        DisputeEvent::Won => DisputeState::Won,
        DisputeEvent::Lost => DisputeState::Lost,
    };
    if dispute.state == decided {
        return Ok(());
    }
    let from = dispute.state.name();
    let to = dispute.state.on(event);
    let to = to.map_err(|_illegal| OutcomeError::Contradiction { state: from })?;
    let now = book.now();
    let shelf = book.shelf_mut::<Shelf>().0;
    shelf.record("dispute", dispute.id.bytes(), from, to.name(), now);
    dispute.state = to;
    let action = match event {
        DisputeEvent::Won => "dispute.won",
        DisputeEvent::Lost => "dispute.lost",
    };
    let delta = [engine::changed("status", from, to.name())];
    let id = dispute.id.to_string();
    book.record(&AuditEvent::done(action, ("dispute", &id), &delta));
    Ok(())
}

/// Gives the money of a dispute that was won back to the merchant.
fn release(book: &mut Book, dispute: &mut Dispute) -> Result<(), OutcomeError> {
    dispute.is_released = true;
    post(
        book,
        dispute,
        postings::DISPUTE_RELEASED,
        "dispute.released",
    )?;
    let now = book.now();
    let shelf = book.shelf_mut::<Shelf>().0;
    if let Some(mut payment) = shelf.payment(&dispute.payment).cloned() {
        payment.disputed = payment.disputed.saturating_sub(dispute.blocked);
        shelf.change_payment(&mut payment, now);
    }
    Ok(())
}

/// Posts a set of a dispute, with its audit record.
fn post(
    book: &mut Book,
    dispute: &Dispute,
    set: PostingSet,
    action: &'static str,
) -> Result<(), OutcomeError> {
    let posted = opened::recorded(book, |book| {
        let now = book.now();
        let (books, ids) = book.shelf_mut::<Books>();
        postings::post(books, dispute, set, ids, now)
    });
    posted.map_err(OutcomeError::Ledger)?;
    let transaction = book.shelf::<Books>().posted().last();
    let transaction = transaction.map(|posted| posted.id.to_string());
    let (id, payment, amount) = (
        dispute.id.to_string(),
        dispute.payment.to_string(),
        dispute.money.amount.get().to_string(),
    );
    let mut delta = vec![field("amount", &amount), field("payment", &payment)];
    delta.extend(transaction.iter().map(|id| field("transaction", id)));
    book.record(&AuditEvent::done(action, ("dispute", &id), &delta));
    Ok(())
}
