//! The keys' table: loading what a batch names, locked, and saving what it did.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp, bulk};

use crate::schema::idempotency_key;
use crate::shelf::{Change, Held};
use crate::{Fingerprint, Key, Reply, Shelf};

store::bulk_insert! {
    /// A row of `idempotency_key`.
    pub struct KeyRow in idempotency_key {
        /// Whose it is.
        tenant_id: TenantId,
        /// The client's text.
        key: String,
        /// 32 bytes.
        fingerprint: Vec<u8>,
        /// The reply's status, once there is one.
        status: Option<i16>,
        /// The reply's bytes, once there is one.
        body: Option<Vec<u8>>,
        /// What an unanswered request has made.
        resource: Option<String>,
        /// Microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_update! {
    /// The answer to a request that was in flight.
    pub struct SettledRow in idempotency_key {
        find { tenant_id: TenantId = tenant_id, key: String = key }
        set { status: i16 = status, body: Vec<u8> = body }
    }
}

/// Loads and locks the keys, in their order.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    keys: &[Key],
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    let texts: Vec<&str> = keys.iter().map(Key::as_str).collect();
    if texts.is_empty() {
        return Ok(shelf);
    }
    let rows: Vec<KeyRow> = store::lock_and_load!(
        connection,
        idempotency_key::table
            .filter(idempotency_key::tenant_id.eq(tenant))
            .filter(idempotency_key::key.eq_any(&texts))
            .order(idempotency_key::key)
    )?;
    for row in rows {
        let (key, held) = row.read()?;
        shelf.put_loaded(key, held);
    }
    Ok(shelf)
}

/// Writes what the batch did.
///
/// # Errors
/// [`Error::Conflict`] if another process claimed a key in between.
pub fn save(connection: &mut AnyConnection, tenant: TenantId, shelf: &Shelf) -> Result<(), Error> {
    let stored = |reply: &Reply| i16::try_from(reply.status).unwrap_or(500);
    let claimed: Vec<KeyRow> = shelf
        .changed(Change::Claimed)
        .into_iter()
        .map(|(key, held)| KeyRow {
            tenant_id: tenant,
            key: key.as_str().to_owned(),
            fingerprint: held.fingerprint.bytes().to_vec(),
            status: held.reply.as_ref().map(stored),
            body: held.reply.as_ref().map(|reply| reply.body.clone()),
            resource: held.resource.clone(),
            created_at: held.created_at.micros(),
        })
        .collect();
    bulk::write(connection, &claimed)?;
    let settled: Vec<SettledRow> = shelf
        .changed(Change::Settled)
        .into_iter()
        .filter_map(|(key, held)| {
            held.reply.as_ref().map(|reply| SettledRow {
                tenant_id: tenant,
                key: key.as_str().to_owned(),
                status: stored(reply),
                body: reply.body.clone(),
            })
        })
        .collect();
    bulk::write(connection, &settled)
}

impl KeyRow {
    fn read(self) -> Result<(Key, Held), Error> {
        let wrong = |what: &str| Error::Refused(format!("idempotency key: bad {what}"));
        let fingerprint = self
            .fingerprint
            .try_into()
            .map_err(|_| wrong("fingerprint"))?;
        let status = self.status.map(u16::try_from).transpose();
        let status = status.map_err(|_negative| wrong("status"))?;
        let held = Held {
            fingerprint: Fingerprint(fingerprint),
            resource: self.resource,
            reply: status
                .zip(self.body)
                .map(|(status, body)| Reply { status, body }),
            created_at: Timestamp::from_micros(self.created_at),
            change: Change::None,
        };
        let key = Key::parse(self.key).map_err(|_error| wrong("key"))?;
        Ok((key, held))
    }
}
