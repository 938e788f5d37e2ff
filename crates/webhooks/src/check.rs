//! The inbox's part of the invariant "one effect per event", checked over one snapshot. The primary key ensures
//! that each event is stored once. The effect of an event is checked by the crate that knows its meaning.

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use crate::schema::{inbox, quarantine};
use crate::tables::{InboxRow, QuarantineRow};
use crate::{EventId, Status};

/// Number of rows that are read at a time. It is small, because each row has the whole body of its event.
const PAGE: i64 = 200;

/// Names of the triggers that protect the quarantine from changes (L4).
pub const GUARDS: [&str; 2] = ["quarantine_immutable", "quarantine_kept"];

/// W1: the body of each event in the inbox and in the quarantine has the hash by which a repetition is
/// recognised, or was removed by the retention; and the status of each event is a known one. Returns the number of
/// events.
///
/// # Errors
/// [`CheckError::Broken`] names the first event that breaks this.
pub fn bytes_are_as_received(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut received = received(tenant);
    while let Some(row) = received.next(connection)? {
        let name = name(&row.provider, &row.event_id);
        if let Some(body) = &row.body {
            check_bytes(&name, body, &row.body_hash)?;
        } else if Status::from_name(&row.status) == Some(Status::Parked) {
            return Err(CheckError::broken(
                name,
                "it waits, and its bytes are gone".to_owned(),
            ));
        }
        if Status::from_name(&row.status).is_none() {
            return Err(CheckError::broken(name, format!("it is {:?}", row.status)));
        }
        tick(&mut examined, progress);
    }
    let mut quarantined = quarantined(tenant);
    while let Some(row) = quarantined.next(connection)? {
        let name = name(&row.provider, &row.event_id);
        check_bytes(&name, &row.body, &row.body_hash)?;
        tick(&mut examined, progress);
    }
    Ok(examined)
}

/// The name of an event in audit records.
#[must_use]
pub fn name(provider: &str, event_id: &str) -> String {
    format!("{provider}/{event_id}")
}

/// The inbox, in the order of its key.
#[must_use]
pub fn received(tenant: TenantId) -> Pages<InboxRow> {
    Pages::new(tenant, received_after)
}

/// The quarantine, in the order of its key.
#[must_use]
pub fn quarantined(tenant: TenantId) -> Pages<QuarantineRow> {
    Pages::new(tenant, quarantined_after)
}

fn tick(examined: &mut u64, progress: &mut dyn FnMut(u64)) {
    *examined += 1;
    if examined.is_multiple_of(PAGE.unsigned_abs()) {
        progress(*examined);
    }
}

fn check_bytes(name: &str, body: &[u8], hash: &[u8]) -> Result<(), CheckError> {
    if Sha256::digest(body)[..] == *hash {
        return Ok(());
    }
    Err(CheckError::broken(
        name,
        "its bytes do not have the hash that was stored with them",
    ))
}

/// The events after a given one.
fn received_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&InboxRow>,
) -> Result<Vec<InboxRow>, Error> {
    let after = after.map_or(EventId::from_bytes([0; 16]), |last| last.id);
    Ok(inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(inbox::id.gt(after))
        .order(inbox::id)
        .limit(PAGE)
        .load(connection)?)
}

/// The events of the quarantine after a given one: first the rest of the same event, then those of the same provider, then
/// those of later providers. Each step is a plain range of the primary key.
fn quarantined_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&QuarantineRow>,
) -> Result<Vec<QuarantineRow>, Error> {
    let events = quarantine::table
        .filter(quarantine::tenant_id.eq(tenant))
        .order((
            quarantine::provider,
            quarantine::event_id,
            quarantine::body_hash,
        ))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(events.load(connection)?);
    };
    let of_provider = events.filter(quarantine::provider.eq(&last.provider));
    let rest: Vec<QuarantineRow> = of_provider
        .filter(quarantine::event_id.eq(&last.event_id))
        .filter(quarantine::body_hash.gt(&last.body_hash))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    let rest: Vec<QuarantineRow> = of_provider
        .filter(quarantine::event_id.gt(&last.event_id))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(events
        .filter(quarantine::provider.gt(&last.provider))
        .load(connection)?)
}
