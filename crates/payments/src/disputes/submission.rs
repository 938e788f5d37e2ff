//! The evidence is sent to the provider, once, by an operation of the dispute.

use std::sync::Arc;

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, Keep, digest, set};
use store::Timestamp;

use super::evidence::Evidence;
use super::{Dispute, DisputeId, DisputeState, EvidenceStatus};
use crate::provider_key::provider_key;
use crate::state::OperationEvent;
use crate::{
    Operation, OperationId, OperationKind, OperationState, Providers, Refusal, Shelf, begun,
};

const EVIDENCE_SENT: &str = "dispute.evidence_sent";

/// Sends the evidence for a dispute to the provider.
#[derive(Debug, Clone)]
pub struct SubmitEvidence {
    /// The dispute.
    pub id: DisputeId,
    /// Idempotency key of the request.
    pub key: String,
    /// The providers.
    pub providers: Arc<Providers>,
}

/// A dispute, and the operation that sends its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunSubmission {
    /// The dispute.
    pub dispute: Dispute,
    /// The operation.
    pub operation: OperationId,
}

impl begun::Submits for BegunSubmission {
    fn operation(&self) -> Option<OperationId> {
        Some(self.operation)
    }
}

impl Command for SubmitEvidence {
    type Done = BegunSubmission;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.dispute_ids.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<BegunSubmission>, Refusal> {
        let now = book.now();
        let dispute = book.shelf::<Shelf>().dispute_with_id(&self.id);
        let mut dispute = dispute.ok_or(Refusal::NotFound)?.clone();
        must_be_answerable(&dispute, now)?;
        let evidence = dispute.evidence.as_ref().map(Evidence::as_json);
        let evidence = evidence.ok_or(Refusal::NoEvidence)?;
        // After this point nothing may fail.
        dispute.submissions = dispute.submissions.saturating_add(1);
        let id = OperationId::from_bytes(book.next_id());
        let mut operation = operation_of(&dispute, id, now);
        operation.provider_key = provider_key(book.tenant().id, id);
        self.key.clone_into(&mut operation.idempotency_key);
        dispute.submission = Some(id);
        dispute.evidence_decline_code = None;
        let shelf = book.shelf_mut::<Shelf>().0;
        shelf.put_new_operation(operation.clone());
        shelf.step_operation(&mut operation, OperationEvent::Submitted, now);
        shelf.change_dispute(&mut dispute, now);
        let (text, of, sent) = (self.id.to_string(), id.to_string(), digest(Some(&evidence)));
        let delta = [set("evidence", &sent), set("operation", &of)];
        book.record(&AuditEvent::done(EVIDENCE_SENT, ("dispute", &text), &delta));
        begun::send(book, &operation, &self.providers);
        Ok(Decision {
            done: BegunSubmission {
                dispute,
                operation: id,
            },
            keep: Keep::Later(text),
        })
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: EVIDENCE_SENT,
            kind: "dispute",
            id: self.id.to_string(),
        }
    }
}

/// Checks that evidence for a dispute can still be written and sent.
///
/// # Errors
/// [`Refusal::DisputeState`] names what it is instead.
pub(super) fn must_be_answerable(dispute: &Dispute, now: Timestamp) -> Result<(), Refusal> {
    let is_late = dispute.evidence_due_by.is_some_and(|due_by| due_by <= now);
    let state = match (dispute.state, dispute.evidence_status()) {
        (DisputeState::Won | DisputeState::Lost, _) => dispute.state.name(),
        (DisputeState::Open, status @ (EvidenceStatus::Submitting | EvidenceStatus::Submitted)) => {
            status.name()
        }
        (DisputeState::Open, EvidenceStatus::None | EvidenceStatus::Draft) if is_late => "overdue",
        (DisputeState::Open, EvidenceStatus::None | EvidenceStatus::Draft) => return Ok(()),
    };
    Err(Refusal::DisputeState { state })
}

/// The operation that sends the evidence of a dispute. It is not submitted yet. Its amount is the disputed one, by
/// which the answer of the provider is compared; no money is moved.
fn operation_of(dispute: &Dispute, id: OperationId, now: Timestamp) -> Operation {
    Operation {
        id,
        subject: dispute.id.bytes(),
        ordinal: dispute.submissions,
        attempt: 1,
        kind: OperationKind::Evidence,
        source: None,
        money: dispute.money,
        reserved: 0,
        fee: 0,
        terms: None,
        delay: None,
        available_on: None,
        unreleased: 0,
        made_available: 0,
        from_pending: 0,
        unallocated: 0,
        allocated: 0,
        given_back: 0,
        gives_back: None,
        state: OperationState::Created,
        provider: dispute.provider.clone(),
        provider_key: id.to_string(),
        provider_ref: None,
        charge_ref: Some(dispute.reference.clone()),
        decline_code: None,
        payment_method: String::new(),
        reason: None,
        description: None,
        metadata: None,
        idempotency_key: String::new(),
        version: 1,
        created_at: now,
    }
}
