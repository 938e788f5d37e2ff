//! What a tenant keeps with an account or a transaction, as it is read and as it is described.

use std::collections::BTreeMap;

use ledger::Metadata;

use crate::strict_json::{FieldError, Reading, Value, metadata};

/// Reads texts by name; an absent or empty object is nothing.
///
/// # Errors
/// Those of [`metadata`], and per entry what [`MetadataError`](ledger::MetadataError) names: the ledger is
/// stricter.
pub(crate) fn kept(value: Value) -> Reading<Option<Metadata>> {
    let labels = metadata(value)?;
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
