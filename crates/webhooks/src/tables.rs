//! The tables of the inbox: the loading of the events that a batch names, and the saving of its changes.

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::inbox;
use crate::{Event, Shelf, Status};

store::bulk_insert! {
    /// A row of `inbox`.
    pub struct InboxRow in inbox {
        /// The tenant that the event belongs to.
        tenant_id: TenantId,
        /// Name of the provider that sent the event.
        provider: String,
        /// The provider's own id for the event.
        event_id: String,
        /// The provider's name for the type of the event.
        kind: String,
        /// [`Status::name`].
        status: String,
        /// The thing that the event is about.
        reference: Option<String>,
        /// SHA-256 of the bytes.
        body_hash: Vec<u8>,
        /// The bytes that were signed.
        body: Vec<u8>,
        /// Microseconds since 1970.
        received_at: i64,
    }
}

store::bulk_update! {
    /// The new status of an event that was parked.
    pub struct StatusRow in inbox {
        find { tenant_id: TenantId = tenant_id, provider: String = provider, event_id: String = event_id }
        set { status: String = status }
    }
}

store::bulk_insert! {
    /// A row of `quarantine`.
    pub struct QuarantineRow in quarantine {
        /// The tenant that the event belongs to.
        tenant_id: TenantId,
        /// Name of the provider that sent the event.
        provider: String,
        /// The provider's own id for the event.
        event_id: String,
        /// SHA-256 of the bytes.
        body_hash: Vec<u8>,
        /// The reason why the event cannot be right.
        reason: String,
        /// The bytes that were signed.
        body: Vec<u8>,
        /// Microseconds since 1970.
        received_at: i64,
    }
}

store::bulk_find! {
    /// An event by the provider's own id for it.
    pub struct ByEvent => InboxRow in inbox {
        /// Name of the provider that sent the event.
        provider: String,
        /// The provider's own id for the event.
        event_id: String,
    }
}

store::bulk_find! {
    /// The rows of the quarantine with the id of an event.
    pub struct KeptByEvent => QuarantineRow in quarantine {
        /// Name of the provider that sent the event.
        provider: String,
        /// The provider's own id for the event.
        event_id: String,
    }
}

/// The rows that a batch needs of the inbox.
#[derive(Debug, Default)]
pub struct Needs {
    /// The events that the batch looks up, by [`Event::name`].
    pub events: Vec<(String, String)>,
    /// The answers of providers that the batch may put into the quarantine, by [`Event::name`].
    pub answers: Vec<(String, String)>,
}

impl Needs {
    /// True if nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.answers.is_empty()
    }
}

/// Loads the rows and locks them in the order of the key.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    needs: &Needs,
) -> Result<Shelf, Error> {
    let mut shelf = Shelf::default();
    let mut names = needs.events.clone();
    names.sort_unstable();
    names.dedup();
    let events: Vec<ByEvent> = names
        .into_iter()
        .map(|(provider, event_id)| ByEvent { provider, event_id })
        .collect();
    put(
        &mut shelf,
        ByEvent::find(connection, Lock::Rows, tenant, &events)?,
    )?;
    let kept = events
        .into_iter()
        .map(|ByEvent { provider, event_id }| (provider, event_id));
    let mut kept: Vec<(String, String)> = kept.chain(needs.answers.iter().cloned()).collect();
    kept.sort_unstable();
    kept.dedup();
    let kept: Vec<KeptByEvent> = kept
        .into_iter()
        .map(|(provider, event_id)| KeptByEvent { provider, event_id })
        .collect();
    for row in KeptByEvent::find(connection, Lock::Nothing, tenant, &kept)? {
        let hash = hash(&row.body_hash)?;
        let event = Event {
            provider: row.provider,
            id: row.event_id,
            kind: String::new(),
            reference: None,
            body: row.body,
            received_at: Timestamp::from_micros(row.received_at),
        };
        shelf.put_quarantined(event, hash);
    }
    Ok(shelf)
}

/// The value is written into the statement, because with a bound value the database could not use the partial
/// index.
fn is_parked() -> diesel::expression::SqlLiteral<diesel::sql_types::Bool> {
    diesel::dsl::sql("status = 'parked'")
}

/// Events that are parked and wait for one of these references, in the order of the key.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn parked(
    connection: &mut AnyConnection,
    tenant: TenantId,
    references: &[String],
) -> Result<Vec<Event>, Error> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<InboxRow> = inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(is_parked())
        .filter(inbox::reference.eq_any(references))
        .order((inbox::provider, inbox::event_id))
        .load(connection)?;
    Ok(rows.into_iter().map(InboxRow::event).collect())
}

/// The first tenant after `after` that has parked events, by id.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn next_with_parked(
    connection: &mut AnyConnection,
    after: TenantId,
) -> Result<Option<TenantId>, Error> {
    Ok(inbox::table
        .filter(is_parked())
        .filter(inbox::tenant_id.gt(after))
        .select(inbox::tenant_id)
        .order(inbox::tenant_id)
        .first(connection)
        .optional()?)
}

/// The references that parked events wait for: at most `limit` of them after `after`, in order.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn awaited(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let references: Vec<Option<String>> = inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(is_parked())
        .filter(inbox::reference.gt(after))
        .order(inbox::reference)
        .limit(limit)
        .select(inbox::reference)
        .load(connection)?;
    Ok(references.into_iter().flatten().collect())
}

/// Adds the writes of the batch. If another process has received one of the events meanwhile, the batch is a
/// conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let received: Vec<InboxRow> = shelf
        .received()
        .map(|held| InboxRow {
            tenant_id: tenant,
            provider: held.event.provider.clone(),
            event_id: held.event.id.clone(),
            kind: held.event.kind.clone(),
            status: held.status.name().to_owned(),
            reference: held.event.reference.clone(),
            body_hash: held.body_hash.to_vec(),
            body: held.event.body.clone(),
            received_at: held.event.received_at.micros(),
        })
        .collect();
    writes.add(received);
    let moved: Vec<StatusRow> = shelf
        .moved()
        .map(|held| StatusRow {
            tenant_id: tenant,
            provider: held.event.provider.clone(),
            event_id: held.event.id.clone(),
            status: held.status.name().to_owned(),
        })
        .collect();
    writes.add(moved);
    let quarantined: Vec<QuarantineRow> = shelf
        .newly_quarantined()
        .map(|kept| QuarantineRow {
            tenant_id: tenant,
            provider: kept.event.provider.clone(),
            event_id: kept.event.id.clone(),
            body_hash: kept.event.body_hash().to_vec(),
            reason: kept.reason.to_owned(),
            body: kept.event.body.clone(),
            received_at: kept.event.received_at.micros(),
        })
        .collect();
    writes.add(quarantined);
}

fn put(shelf: &mut Shelf, rows: Vec<InboxRow>) -> Result<(), Error> {
    for row in rows {
        let status = Status::from_name(&row.status);
        let status = status.ok_or_else(|| Error::Refused("inbox: bad status".to_owned()))?;
        let hash = hash(&row.body_hash)?;
        let event = row.event();
        shelf.put_loaded(event, hash, status);
    }
    Ok(())
}

impl InboxRow {
    fn event(self) -> Event {
        Event {
            provider: self.provider,
            id: self.event_id,
            kind: self.kind,
            reference: self.reference,
            body: self.body,
            received_at: Timestamp::from_micros(self.received_at),
        }
    }
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes
        .try_into()
        .map_err(|_length| Error::Refused("inbox: bad body_hash".to_owned()))
}
