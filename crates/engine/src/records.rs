//! The audit record that each command leaves.

use audit_log::{Change, Entity, Record};
use sha2::{Digest, Sha256};

use crate::book::Book;
use payments::ConfirmError;

use crate::command::{Origin, Refusal};

/// What a record says beyond who asked and when.
pub(crate) struct Said<'a> {
    pub(crate) action: &'a str,
    pub(crate) subject: (&'a str, &'a str),
    pub(crate) outcome: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) delta: &'a [Change<'a>],
    pub(crate) cause: Option<&'a str>,
}

impl Book<'_> {
    /// Leaves a record in this batch's commit.
    pub(crate) fn record(&mut self, origin: &Origin, said: &Said<'_>) {
        let at = self.now.to_string();
        let record = Record {
            tenant: &self.tenant.name,
            at: &at,
            actor: Entity {
                kind: origin.kind,
                id: &origin.id,
            },
            on_behalf_of: None,
            action: said.action,
            subject: Entity {
                kind: said.subject.0,
                id: said.subject.1,
            },
            outcome: said.outcome,
            reason: said.reason,
            criteria: None,
            delta: said.delta,
            cause: said.cause,
            request: origin.request.as_deref(),
            origin: None,
        };
        match record.leaf() {
            Ok(leaf) => self.records.push(leaf),
            // A change without its record is never committed: the flush refuses the batch.
            Err(error) => self.unrecorded = Some(error),
        }
    }
}

/// A field that was not there before.
pub(crate) const fn set<'a>(field: &'a str, after: &'a str) -> Change<'a> {
    Change {
        field,
        before: None,
        after: Some(after),
    }
}

/// A field that changed.
pub(crate) const fn changed<'a>(field: &'a str, before: &'a str, after: &'a str) -> Change<'a> {
    Change {
        field,
        before: Some(before),
        after: Some(after),
    }
}

/// What a record says of metadata: its SHA-256, so that a text that should not have been kept can go, and the
/// log still says whether what is kept is what was set. Nothing is the empty object.
pub(crate) fn digest(metadata: Option<&str>) -> String {
    let digest = Sha256::digest(metadata.unwrap_or("{}").as_bytes());
    format!("sha256:{}", hex::encode(digest))
}

/// The code of a broken rule.
pub(crate) fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Register(rule) => rule.code(),
        Refusal::Open(rule) => rule.code(),
        Refusal::Transfer { rule, .. } | Refusal::Post(rule) => rule.code(),
        Refusal::Settle(rule) => rule.code(),
        Refusal::Release(rule) => rule.code(),
        Refusal::Reverse(rule) => rule.code(),
        Refusal::Exchange(rule) => rule.code(),
        Refusal::Change(rule) => rule.code(),
        Refusal::Describe(rule) => rule.code(),
        Refusal::Period(rule) => rule.code(),
        Refusal::At { refusal, .. } => reason(refusal),
        Refusal::Confirm(ConfirmError::NotFound) => "not_found",
        Refusal::Confirm(ConfirmError::WrongState { .. }) => "payment_state_conflict",
        Refusal::Confirm(ConfirmError::CurrencyWithdrawn { .. }) => "currency_withdrawn",
        Refusal::Confirm(ConfirmError::NoPaymentMethod) => "payment_method_required",
    }
}
