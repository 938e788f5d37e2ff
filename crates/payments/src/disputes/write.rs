//! The evidence is written: a draft, which can be changed until it is sent.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, digest, set};

use super::evidence::{Evidence, EvidenceChange};
use super::submission::must_be_answerable;
use super::{Dispute, DisputeId};
use crate::{Refusal, Shelf};

const EVIDENCE_WRITTEN: &str = "dispute.evidence_written";

/// Writes texts of the evidence for a dispute. The others stay.
#[derive(Debug, Clone)]
pub struct WriteEvidence {
    /// The dispute.
    pub id: DisputeId,
    /// The texts.
    pub change: EvidenceChange,
}

impl Command for WriteEvidence {
    type Done = Dispute;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Shelf>() {
            needs.dispute_ids.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Dispute>, Refusal> {
        let now = book.now();
        let dispute = book.shelf::<Shelf>().dispute_with_id(&self.id);
        let mut dispute = dispute.ok_or(Refusal::NotFound)?.clone();
        must_be_answerable(&dispute, now)?;
        let evidence = Evidence::changed(dispute.evidence.as_ref(), &self.change);
        if evidence == dispute.evidence {
            return Ok(Decision::now(dispute));
        }
        let json = |evidence: &Option<Evidence>| evidence.as_ref().map(Evidence::as_json);
        let before = digest(json(&dispute.evidence).as_deref());
        let after = digest(json(&evidence).as_deref());
        dispute.evidence = evidence;
        book.shelf_mut::<Shelf>()
            .0
            .change_dispute(&mut dispute, now);
        let (id, version) = (self.id.to_string(), dispute.version.to_string());
        let delta = [
            changed("evidence", &before, &after),
            set("version", &version),
        ];
        book.record(&AuditEvent::done(
            EVIDENCE_WRITTEN,
            ("dispute", &id),
            &delta,
        ));
        Ok(Decision::now(dispute))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: EVIDENCE_WRITTEN,
            kind: "dispute",
            id: self.id.to_string(),
        }
    }
}
