//! A3: everything that was made has an audit record. The log is read once, and each family notes the things
//! that the records name. Then each family looks for its rows among the notes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use store::{AnyConnection, CheckError, Error};

use super::{Outcome, Plan, Progress};
use crate::tenant::Tenant;

/// Number of records that are read at a time.
const PAGE: i64 = 4_000;

/// The part of a family that reads audit records.
pub trait Recorder {
    /// Takes note of a record. Records of refusals are left out.
    fn note(&mut self, leaf: &Leaf<'_>);

    /// Looks for the family's rows among the notes.
    ///
    /// # Errors
    /// [`CheckError::Broken`] is the first row that no record names, or (where `terms` are compared) that is not as
    /// its record says.
    fn compare(
        &self,
        connection: &mut AnyConnection,
        tenant: &Tenant,
        terms: Terms,
    ) -> Result<(), CheckError>;
}

/// Tells whether rows are also compared with the fields in their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// Compare them.
    Compared,
    /// Only look whether there is a record.
    Ignored,
}

/// The parts of an audit record that families read.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'a> {
    /// Kind of the thing that the record is about.
    pub kind: &'a str,
    /// Id of the thing that the record is about.
    pub id: &'a str,
    /// The fields that changed, as a JSON object: `{"field": [before, after]}`.
    pub delta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    subject: Subject<'a>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// A3: every row that must have a record has one, and is as its record says.
pub(super) fn changes_are_recorded(
    plan: Plan,
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: Progress<'_>,
) -> Outcome {
    compare(plan, connection, tenant, Terms::Compared, progress)
}

/// The first row that was made and has no record. This finds a log that was emptied or cut, whose hashes are
/// right. `progress` gets the number of records that were read.
///
/// # Errors
/// [`Error`] if the database did not answer.
pub fn first_unrecorded(
    plan: Plan,
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: Progress<'_>,
) -> Result<Option<String>, Error> {
    match compare(plan, connection, tenant, Terms::Ignored, progress) {
        Ok(_records) => Ok(None),
        Err(CheckError::Broken { subject, .. }) => Ok(Some(subject)),
        Err(CheckError::Database(error)) => Err(error),
    }
}

/// A row that no record names.
#[must_use]
pub fn unrecorded(subject: &dyn ToString) -> CheckError {
    CheckError::broken(subject.to_string(), "no record names it")
}

fn compare(
    plan: Plan,
    connection: &mut AnyConnection,
    tenant: &Tenant,
    terms: Terms,
    progress: Progress<'_>,
) -> Outcome {
    let families = plan.families.iter();
    let mut recorders: Vec<_> = families.map(|family| (family.recorder)()).collect();
    let mut records = 0;
    let mut seq = 0;
    loop {
        let page = audit_log::tables::entries(connection, tenant.id, seq, PAGE)?;
        let Some(last) = page.last() else { break };
        // A sequence number below 0 is reported by A1. Here it must not make the loop read the same page again.
        seq = u64::try_from(last.seq)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        for entry in page {
            records += 1;
            // Bytes that cannot be read as a record name no row. A refusal has changed no row.
            let read = serde_json::from_slice::<Read<'_>>(&entry.leaf);
            if let Ok(read) = read
                && read.outcome != "refused"
            {
                let leaf = Leaf {
                    kind: &read.subject.kind,
                    id: &read.subject.id,
                    delta: read.delta,
                };
                recorders.iter_mut().for_each(|family| family.note(&leaf));
            }
        }
        progress(records);
    }
    for family in &recorders {
        family.compare(connection, tenant, terms)?;
    }
    Ok(records)
}
