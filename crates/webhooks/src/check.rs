//! The inbox's own part of "one effect per event", proved over one snapshot. That an event is there
//! once is the primary key's to say; what its effect should be is known only to who reads its meaning.

use diesel::prelude::*;
use sha2::{Digest, Sha256};
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use crate::Status;
use crate::schema::{inbox, quarantine};
use crate::tables::{InboxRow, QuarantineRow};

/// Rows read at a time: few, because each brings the bytes it came with.
const PAGE: i64 = 200;

/// The triggers that keep what was put aside as it was (L4), by name.
pub const GUARDS: [&str; 2] = ["quarantine_immutable", "quarantine_kept"];

/// W1: the bytes of each event are those by which a repetition of it is recognised, in the inbox and
/// in the quarantine, and its status is one. Returns the number of events.
///
/// # Errors
/// [`CheckError::Broken`] names the first event that is not so.
pub fn bytes_are_as_received(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut received = received(tenant);
    while let Some(row) = received.next(connection)? {
        let name = name(&row.provider, &row.event_id);
        check_bytes(&name, &row.body, &row.body_hash)?;
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

/// An event as records name it.
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

/// The events after one of them: to the end of that provider's, then of later providers. Either step is
/// a plain range of the primary key.
fn received_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&InboxRow>,
) -> Result<Vec<InboxRow>, Error> {
    let events = inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .order((inbox::provider, inbox::event_id))
        .limit(PAGE);
    let Some(last) = after else {
        return Ok(events.load(connection)?);
    };
    let rest: Vec<InboxRow> = events
        .filter(inbox::provider.eq(&last.provider))
        .filter(inbox::event_id.gt(&last.event_id))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(events
        .filter(inbox::provider.gt(&last.provider))
        .load(connection)?)
}

/// As [`received_after`], with the versions of one event as a third step.
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
