//! The readers of metadata, which a tenant stores with an account, a transaction, a payment or a customer.

use std::collections::BTreeMap;

use edge::Reader;
use edge::strict_json::{Body, FieldError, Fields, Reading, Slot, labels, nullable, object};
use ledger::Metadata;

use crate::shapes;

/// Reads texts by key. An empty object counts as no metadata.
///
/// Errors: those of [`labels`], and for each entry those of [`MetadataError`](ledger::MetadataError), because
/// the ledger is stricter.
pub fn kept() -> impl Reader<Out = Option<Metadata>> {
    labels(shapes::METADATA, shapes::Metadata::SHAPE).then(checked)
}

fn checked(labels: BTreeMap<String, String>) -> Reading<Option<Metadata>> {
    let mut errors = Vec::new();
    for (key, label) in &labels {
        let alone = BTreeMap::from([(key.clone(), label.clone())]);
        if let Err(rule) = Metadata::new(&alone) {
            errors.push(FieldError::here(rule.code(), rule.to_string()).below(key));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if labels.is_empty() {
        return Ok(None);
    }
    let wrong = |rule: ledger::MetadataError| vec![FieldError::here(rule.code(), rule.to_string())];
    Metadata::new(&labels).map(Some).map_err(wrong)
}

/// The name of the body that replaces metadata, and its description.
pub(crate) const REPLACED: [&str; 2] = [
    "NewMetadata",
    "The new metadata, in place of the old. Null or an empty object removes it.",
];

/// Reads the field of the body that replaces metadata.
pub(crate) fn replaced(fields: &mut Fields) -> Slot<Option<Metadata>> {
    let metadata =
        nullable(kept().says("The metadata: at most 50 texts of at most 500 characters."));
    fields.required("metadata", metadata).map(Option::flatten)
}

/// Reads a body that replaces metadata.
pub fn replacement() -> impl Body<Out = Option<Metadata>> {
    let [name, says] = REPLACED;
    object(name, says, replaced)
}
