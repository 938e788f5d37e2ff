//! What a tenant keeps with an account or a transaction, as it is read and as it is described.

use std::collections::BTreeMap;

use ledger::Metadata;

use crate::strict_json::{FieldError, Reading, Value, metadata};

/// Reads texts by name; an absent or empty object is nothing.
///
/// # Errors
/// Those of [`metadata`], and per key `malformed_key`: the ledger is stricter with keys.
pub(crate) fn kept(value: Value) -> Reading<Option<Metadata>> {
    let labels = metadata(value)?;
    let mut errors = Vec::new();
    for key in labels.keys() {
        let alone = BTreeMap::from([(key.clone(), String::new())]);
        if let Err(rule) = Metadata::new(&alone) {
            errors.push(FieldError::here("malformed_key", rule.to_string()).below(key));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if labels.is_empty() {
        return Ok(None);
    }
    let wrong = |rule: ledger::MetadataError| {
        vec![FieldError::here("malformed_metadata", rule.to_string())]
    };
    Metadata::new(&labels).map(Some).map_err(wrong)
}
