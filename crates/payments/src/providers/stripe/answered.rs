//! A dispute that was answered: the operation that has sent the evidence stands in its metadata.

use serde_json::Value;

use super::fields::{self, OPERATION, REFERENCE};
use super::intent::Meaning;
use crate::providers::{Object, WrongField};
use crate::{Fact, OperationKind, Record};

/// What a dispute says about its evidence, as far as it matters here.
#[derive(Debug)]
pub(super) struct Answered {
    /// The provider key of the operation that has sent the evidence.
    pub(super) operation: Option<String>,
    record: Record,
}

impl Answered {
    /// Reads a dispute.
    pub(super) fn read(value: &Value) -> Result<Self, WrongField> {
        let object = Object::of(value, "")?;
        if object.text("object")?.as_str() != "dispute" {
            let detail = "This must be dispute.";
            return Err(object.wrong("object", "unknown_object", detail));
        }
        Ok(Self {
            operation: fields::noted(&object, OPERATION)?,
            record: Record {
                reference: object.text("id")?,
                kind: Some(OperationKind::Evidence),
                money: fields::money(&object, "amount")?,
                payment: fields::noted(&object, REFERENCE)?,
                payment_method: None,
            },
        })
    }

    /// The same request writes the evidence, submits it, and notes the operation. So one is there if the other is.
    pub(super) fn about_itself(&self) -> Meaning {
        Meaning::Fact(Fact::Succeeded {
            record: self.record.clone(),
        })
    }
}
