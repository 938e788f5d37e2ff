//! Audit events, which a command adds to the audit log.

use audit_log::{Change, Entity, Record};
use sha2::{Digest, Sha256};

use crate::book::Book;

/// An audit event, without its author and its time. The book adds both.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent<'a> {
    /// Name of the event, as `account.opened`.
    pub action: &'a str,
    /// Kind and id of the thing that the event is about.
    pub subject: (&'a str, &'a str),
    /// `ok`, `refused`, or another word of the capability.
    pub outcome: &'a str,
    /// Code of the broken rule, if something was refused.
    pub reason: Option<&'a str>,
    /// Fields that changed.
    pub delta: &'a [Change<'a>],
    /// Id of the thing that caused the event, if no request caused it.
    pub cause: Option<&'a str>,
}

impl<'a> AuditEvent<'a> {
    /// An event with outcome `ok`, the reason absent, and these changed fields.
    #[must_use]
    pub const fn done(
        action: &'a str,
        subject: (&'a str, &'a str),
        delta: &'a [Change<'a>],
    ) -> Self {
        Self {
            action,
            subject,
            outcome: "ok",
            reason: None,
            delta,
            cause: None,
        }
    }
}

impl Book {
    /// Adds an event to the audit log, in this batch's commit.
    pub fn record(&mut self, event: &AuditEvent<'_>) {
        let at = self.now.to_string();
        let record = Record {
            tenant: &self.tenant.name,
            at: &at,
            actor: Entity {
                kind: self.origin.kind,
                id: &self.origin.id,
            },
            on_behalf_of: None,
            action: event.action,
            subject: Entity {
                kind: event.subject.0,
                id: event.subject.1,
            },
            outcome: event.outcome,
            reason: event.reason,
            criteria: None,
            delta: event.delta,
            cause: event.cause,
            request: self.origin.request.as_deref(),
            origin: None,
        };
        match record.leaf() {
            Ok(leaf) => self.leaves.push(leaf),
            // A change without its record is never committed: closing the book refuses the batch.
            Err(error) => self.unrecorded = Some(error),
        }
    }
}

/// A field that had no value before.
#[must_use]
pub const fn set<'a>(field: &'a str, after: &'a str) -> Change<'a> {
    Change {
        field,
        before: None,
        after: Some(after),
    }
}

/// A field that changed.
#[must_use]
pub const fn changed<'a>(field: &'a str, before: &'a str, after: &'a str) -> Change<'a> {
    Change {
        field,
        before: Some(before),
        after: Some(after),
    }
}

/// SHA-256 of metadata, which the log has instead of the text. So a text that should not have been stored can
/// be deleted, and the log still proves what was set. Absent metadata counts as the empty object.
#[must_use]
pub fn digest(metadata: Option<&str>) -> String {
    let digest = Sha256::digest(metadata.unwrap_or("{}").as_bytes());
    format!("sha256:{}", hex::encode(digest))
}
