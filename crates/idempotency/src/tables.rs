//! The table of keys: loads the keys that a batch names, locks them if requested, and saves the changes of the batch.

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::idempotency_key;
use crate::shelf::{Change, ShelfRow};
use crate::{Fingerprint, Key, Reply, Shelf};

store::bulk_insert! {
    /// A row of `idempotency_key`.
    pub struct KeyRow in idempotency_key {
        /// The tenant that owns the row.
        tenant_id: TenantId,
        /// The key, as the client wrote it.
        key: String,
        /// The fingerprint, 32 bytes.
        fingerprint: Vec<u8>,
        /// The status of the reply, once there is a reply.
        status: Option<i16>,
        /// The bytes of the reply, once there is a reply, unless it is made again from `resource`.
        body: Option<Vec<u8>>,
        /// The resource that the request made, if it is not answered yet or its reply is made again from the resource.
        resource: Option<String>,
        /// Time of the claim, in microseconds since 1970.
        created_at: i64,
    }
}

store::bulk_find! {
    /// A key by which its row is found.
    pub struct ByKey => KeyRow in idempotency_key {
        /// The key, as the client wrote it.
        key: String,
    }
}

store::bulk_update! {
    /// The reply to a request that was in flight.
    pub struct AnsweredRow in idempotency_key {
        find { tenant_id: TenantId = tenant_id, key: String = key }
        set { status: i16 = status, body: Vec<u8> = body }
    }
}

store::bulk_update! {
    /// A key that is claimed anew after its life.
    pub struct ReplacedRow in idempotency_key {
        find { tenant_id: TenantId = tenant_id, key: String = key, seen: i64 = created_at }
        set {
            fingerprint: Vec<u8> = fingerprint,
            status: Option<i16> = status,
            body: Option<Vec<u8>> = body,
            resource: Option<String> = resource,
            created_at: i64 = created_at,
        }
    }
}

store::bulk_delete! {
    /// A key whose life is over.
    pub struct ForgottenRow in idempotency_key {
        /// The tenant that owned the row.
        tenant_id: TenantId,
        /// The key, as the client wrote it.
        key: String,
        /// Time of the claim, in microseconds since 1970.
        created_at: i64,
    }
}

/// Number of keys that a step of [`old`] reads.
const STEP: i64 = 1_000;

/// A key of a tenant, and the time of its claim.
pub type OldKey = (TenantId, String, Timestamp);

/// The last key that a walk has read.
pub type KeyPlace = (String, TenantId);

/// One step of a walk over the keys of all tenants, in the order of the primary key: reads the keys after `after`, and
/// returns those that are answered, and the place where the walk goes on. The place is `None` at the end.
///
/// There is no index by time: it would cost every request, and the walk has time.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn old(
    connection: &mut AnyConnection,
    after: Option<&KeyPlace>,
) -> Result<(Vec<OldKey>, Option<KeyPlace>), Error> {
    let keys = || {
        idempotency_key::table
            .order((idempotency_key::key, idempotency_key::tenant_id))
            .limit(STEP)
            .select((
                idempotency_key::tenant_id,
                idempotency_key::key,
                idempotency_key::created_at,
                idempotency_key::status.is_not_null(),
            ))
    };
    let mut rows: Vec<(TenantId, String, i64, bool)> = match after {
        // No key is empty. The condition makes the first step a range of the primary key too.
        None => keys()
            .filter(idempotency_key::key.gt(""))
            .load(connection)?,
        Some((key, tenant)) => keys()
            .filter(idempotency_key::key.eq(key))
            .filter(idempotency_key::tenant_id.gt(tenant))
            .load(connection)?,
    };
    if let (true, Some((key, _))) = (rows.is_empty(), after) {
        rows = keys()
            .filter(idempotency_key::key.gt(key))
            .load(connection)?;
    }
    let place = rows
        .last()
        .map(|(tenant, key, _, _)| (key.clone(), *tenant));
    let answered = rows
        .into_iter()
        .filter(|(_, _, _, is_answered)| *is_answered);
    let old = answered.map(|(tenant, key, at, _)| (tenant, key, Timestamp::from_micros(at)));
    Ok((old.collect(), place))
}

/// Loads the keys in their order, and locks them if requested.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    keys: &[Key],
    lock: Lock,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    let keys: Vec<ByKey> = keys
        .iter()
        .map(|key| ByKey {
            key: key.as_str().to_owned(),
        })
        .collect();
    let rows = ByKey::find(connection, lock, tenant, &keys)?;
    for row in rows {
        let (key, held) = row.read()?;
        shelf.put_loaded(key, held);
    }
    Ok(shelf)
}

/// Adds the changes of the batch. If another process has claimed one of the keys since, the commit is a conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let stored = |reply: &Reply| i16::try_from(reply.status).unwrap_or(500);
    let claimed: Vec<KeyRow> = shelf
        .changed(|change| change == Change::Claimed)
        .into_iter()
        .map(|(key, held)| KeyRow {
            tenant_id: tenant,
            key: key.as_str().to_owned(),
            fingerprint: held.fingerprint.bytes().to_vec(),
            status: held.reply.as_ref().map(stored),
            body: held
                .reply
                .as_ref()
                .filter(|_| held.by_reference.is_none())
                .map(|reply| reply.body.clone()),
            resource: held.resource.clone(),
            created_at: held.created_at.micros(),
        })
        .collect();
    writes.add_early(claimed);
    let answered: Vec<AnsweredRow> = shelf
        .changed(|change| change == Change::Answered)
        .into_iter()
        .filter_map(|(key, held)| {
            held.reply.as_ref().map(|reply| AnsweredRow {
                tenant_id: tenant,
                key: key.as_str().to_owned(),
                status: stored(reply),
                body: reply.body.clone(),
            })
        })
        .collect();
    writes.add(answered);
    let (mut replaced, mut forgotten) = (Vec::new(), Vec::new());
    for (key, held) in shelf.changed(|_any| true) {
        let key = key.as_str().to_owned();
        match held.change {
            Change::Replaced(seen) => replaced.push(ReplacedRow {
                tenant_id: tenant,
                key,
                seen: seen.micros(),
                fingerprint: held.fingerprint.bytes().to_vec(),
                status: held.reply.as_ref().map(stored),
                body: held
                    .reply
                    .as_ref()
                    .filter(|_| held.by_reference.is_none())
                    .map(|reply| reply.body.clone()),
                resource: held.resource.clone(),
                created_at: held.created_at.micros(),
            }),
            Change::Forgotten(seen) => forgotten.push(ForgottenRow {
                tenant_id: tenant,
                key,
                created_at: seen.micros(),
            }),
            Change::None | Change::Claimed | Change::Answered => {}
        }
    }
    writes.add(replaced);
    writes.add(forgotten);
}

impl KeyRow {
    fn read(self) -> Result<(Key, ShelfRow), Error> {
        let wrong = |what: &str| Error::Refused(format!("idempotency key: bad {what}"));
        let fingerprint = self
            .fingerprint
            .try_into()
            .map_err(|_length| wrong("fingerprint"))?;
        let status = self.status.map(u16::try_from).transpose();
        let status = status.map_err(|_negative| wrong("status"))?;
        let held = ShelfRow {
            fingerprint: Fingerprint(fingerprint),
            by_reference: status.filter(|_| self.body.is_none()),
            resource: self.resource,
            reply: status
                .zip(self.body)
                .map(|(status, body)| Reply { status, body }),
            created_at: Timestamp::from_micros(self.created_at),
            change: Change::None,
        };
        let key = Key::stored(self.key).map_err(|_error| wrong("key"))?;
        Ok((key, held))
    }
}
