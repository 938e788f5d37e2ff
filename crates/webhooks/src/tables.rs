//! The tables of the inbox: the loading of the events that a batch names, and the saving of its changes.

use diesel::prelude::*;
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::inbox;
use crate::{Event, EventId, Shelf, Status};

/// Number of rows that one step of the walk over all inboxes reads.
const STEP: i64 = 1_000;

store::bulk_insert! {
    /// A row of `inbox`.
    pub struct InboxRow in inbox {
        /// The tenant that the event belongs to.
        tenant_id: TenantId,
        /// Our id of the event.
        id: EventId,
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
        /// A hash of what the event says; `None` in older rows, and where nobody knows what is in the body.
        meaning: Option<Vec<u8>>,
        /// SHA-256 of the bytes.
        body_hash: Vec<u8>,
        /// The bytes that were signed; `None` if the retention has removed them.
        body: Option<Vec<u8>>,
        /// The headers and the verdict, as JSON.
        delivery: Option<String>,
        /// Microseconds since 1970.
        received_at: i64,
    }
}

store::bulk_update! {
    /// The new status of an event.
    pub struct StatusRow in inbox {
        find { tenant_id: TenantId = tenant_id, id: EventId = id }
        set { status: String = status }
    }
}

store::bulk_update! {
    /// An event whose bytes and headers are removed.
    pub struct ForgottenRow in inbox {
        find { tenant_id: TenantId = tenant_id, id: EventId = id }
        set { body: Option<Vec<u8>> = body, delivery: Option<String> = delivery }
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
        /// Our id of the event.
        id: Option<EventId>,
        /// The reason why the event cannot be right.
        reason: String,
        /// The bytes that were signed.
        body: Vec<u8>,
        /// The headers and the verdict, as JSON.
        delivery: Option<String>,
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
            meaning: None,
            body: row.body,
            delivery: row.delivery,
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
    rows.into_iter().map(InboxRow::event).collect()
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

/// Of the events that are parked and wait for one of these references: those that arrived before a moment, by
/// [`Event::name`].
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn parked_before(
    connection: &mut AnyConnection,
    tenant: TenantId,
    references: &[String],
    moment: Timestamp,
) -> Result<Vec<(String, String)>, Error> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    Ok(inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(is_parked())
        .filter(inbox::reference.eq_any(references))
        .filter(inbox::received_at.lt(moment.micros()))
        .select((inbox::provider, inbox::event_id))
        .load(connection)?)
}

/// A place in the inbox of all tenants.
pub type Place = (TenantId, EventId);

/// An event that has its bytes and does not wait: its tenant, its name and its time of arrival.
pub type WithBytes = (TenantId, (String, String), Timestamp);

/// The events with bytes among the next rows of the inbox of all tenants, and the place of the last of these rows; `None`
/// after the last row of all.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn with_bytes(
    connection: &mut AnyConnection,
    after: Option<Place>,
) -> Result<(Vec<WithBytes>, Option<Place>), Error> {
    let events = || {
        inbox::table
            .order((inbox::tenant_id, inbox::id))
            .limit(STEP)
            .select((
                (inbox::tenant_id, inbox::id),
                (inbox::provider, inbox::event_id),
                inbox::received_at,
                inbox::status,
                inbox::body.is_not_null(),
            ))
    };
    type Row = (Place, (String, String), i64, String, bool);
    let (tenant, id) = after.unwrap_or((TenantId(i64::MIN), EventId::from_bytes([0; 16])));
    let mut rows: Vec<Row> = events()
        .filter(inbox::tenant_id.eq(tenant))
        .filter(inbox::id.gt(id))
        .load(connection)?;
    if rows.is_empty() {
        rows = events()
            .filter(inbox::tenant_id.gt(tenant))
            .load(connection)?;
    }
    let place = rows.last().map(|(place, ..)| *place);
    let waits = Status::Parked.name();
    let found = rows
        .into_iter()
        .filter(|(.., status, has_bytes)| *has_bytes && status != waits);
    let found = found.map(|((tenant, _), name, at, ..)| (tenant, name, Timestamp::from_micros(at)));
    Ok((found.collect(), place))
}

/// Adds the writes of the batch. If another process has received one of the events meanwhile, the batch is a
/// conflict.
pub fn save(writes: &mut Writes, tenant: TenantId, shelf: &Shelf) {
    let received: Vec<InboxRow> = shelf
        .received()
        .map(|held| InboxRow {
            tenant_id: tenant,
            id: held.id,
            provider: held.event.provider.clone(),
            event_id: held.event.id.clone(),
            kind: held.event.kind.clone(),
            status: held.status.name().to_owned(),
            reference: held.event.reference.clone(),
            meaning: held.event.meaning.map(|hash| hash.to_vec()),
            body_hash: held.body_hash.to_vec(),
            body: Some(held.event.body.clone()),
            delivery: held.event.delivery.clone(),
            received_at: held.event.received_at.micros(),
        })
        .collect();
    writes.add(received);
    let moved: Vec<StatusRow> = shelf
        .moved()
        .map(|held| StatusRow {
            tenant_id: tenant,
            id: held.id,
            status: held.status.name().to_owned(),
        })
        .collect();
    writes.add(moved);
    let forgotten = shelf.forgotten().map(|held| ForgottenRow {
        tenant_id: tenant,
        id: held.id,
        body: None,
        delivery: None,
    });
    writes.add(forgotten.collect());
    let quarantined: Vec<QuarantineRow> = shelf
        .newly_quarantined()
        .map(|kept| QuarantineRow {
            tenant_id: tenant,
            provider: kept.event.provider.clone(),
            event_id: kept.event.id.clone(),
            body_hash: kept.event.body_hash().to_vec(),
            id: Some(kept.id),
            reason: kept.reason.to_owned(),
            body: kept.event.body.clone(),
            delivery: kept.event.delivery.clone(),
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
        let id = row.id;
        shelf.put_loaded((id, row.event()?), hash, status);
    }
    Ok(())
}

impl InboxRow {
    /// The event.
    ///
    /// # Errors
    /// [`Error::Refused`] if the row cannot be read.
    pub fn event(self) -> Result<Event, Error> {
        Ok(Event {
            meaning: self.meaning.as_deref().map(hash).transpose()?,
            provider: self.provider,
            id: self.event_id,
            kind: self.kind,
            reference: self.reference,
            body: self.body.unwrap_or_default(),
            delivery: self.delivery,
            received_at: Timestamp::from_micros(self.received_at),
        })
    }
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes
        .try_into()
        .map_err(|_length| Error::Refused("inbox: a hash that is not 32 bytes long".to_owned()))
}
