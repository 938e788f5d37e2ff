//! A3 for the inbox: each received event and each event in the quarantine has an audit record.

use std::collections::HashSet;

use engine::Tenant;
use engine::check::{Leaf, Recorder, Terms, unrecorded};
use store::{AnyConnection, CheckError};

use crate::check;

/// The events that audit records name.
#[derive(Default)]
pub(crate) struct RecordedIds(HashSet<String>);

impl Recorder for RecordedIds {
    fn note(&mut self, leaf: &Leaf<'_>) {
        if matches!(leaf.kind, "webhook_event" | "provider_answer") {
            self.0.insert(leaf.id.to_owned());
        }
    }

    fn compare(
        &self,
        connection: &mut AnyConnection,
        tenant: &Tenant,
        _terms: Terms,
    ) -> Result<(), CheckError> {
        let mut received = check::received(tenant.id);
        while let Some(row) = received.next(connection)? {
            let name = check::name(&row.provider, &row.event_id);
            if !self.0.contains(&name) {
                return Err(unrecorded(&name));
            }
        }
        let mut quarantined = check::quarantined(tenant.id);
        while let Some(row) = quarantined.next(connection)? {
            let name = check::name(&row.provider, &row.event_id);
            if !self.0.contains(&name) {
                return Err(unrecorded(&name));
            }
        }
        Ok(())
    }
}
