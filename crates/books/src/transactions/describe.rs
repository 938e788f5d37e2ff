//! The command that sets the metadata of a transaction.

use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, changed, digest, set};
use ledger::{Metadata, RecordedTransaction, TransactionId};

use crate::Refusal;
use crate::shelf::Books;

const METADATA_SET: &str = "transaction.metadata_set";

/// Replaces the metadata of a transaction. The audit record has the digests of the old and the new metadata.
#[derive(Debug, Clone)]
pub struct Describe {
    /// The transaction.
    pub id: TransactionId,
    /// The new metadata.
    pub metadata: Option<Metadata>,
}

impl Command for Describe {
    type Done = RecordedTransaction;
    type Refusal = Refusal;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<Books>() {
            needs.described.push(self.id);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<RecordedTransaction>, Refusal> {
        let (now, metadata) = (book.now(), self.metadata.clone());
        let described = ledger::describe(book.shelf_mut::<Books>().0, self.id, metadata, now)
            .map_err(Refusal::Step)?;
        let before = digest(described.before.as_ref().map(Metadata::as_json));
        let after = digest(self.metadata.as_ref().map(Metadata::as_json));
        let (text, revision) = (self.id.to_string(), described.revision.to_string());
        let delta = [
            changed("metadata", &before, &after),
            set("revision", &revision),
        ];
        book.record(&AuditEvent::done(
            METADATA_SET,
            ("transaction", &text),
            &delta,
        ));
        Ok(Decision::now(described.posted))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: METADATA_SET,
            kind: "transaction",
            id: self.id.to_string(),
        }
    }
}
