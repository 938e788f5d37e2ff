//! The inbox and the quarantine as a person reads them: one list of all events that were received.
//!
//! An event that cannot be right is in both tables, under one id. A repetition that said something else, bytes that are
//! no event, and answers of providers are in the quarantine only.

use std::collections::BTreeMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::schema::{inbox, quarantine};
use crate::tables::{InboxRow, QuarantineRow};
use crate::{EventId, Status};

/// The standing of an event: its status, or that it was put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A status of the inbox.
    Status(Status),
    /// It cannot be right, and is in the quarantine.
    Quarantined,
}

impl Standing {
    /// The name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status(status) => status.name(),
            Self::Quarantined => "quarantined",
        }
    }

    /// The standing with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "quarantined" => Some(Self::Quarantined),
            _ => Status::from_name(name).map(Self::Status),
        }
    }
}

/// An event that was received.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Our id of the event.
    pub id: EventId,
    /// Name of the provider that sent the event.
    pub provider: String,
    /// The provider's own id for the event, or a name that was made for it.
    pub event_id: String,
    /// The provider's name for the type of the event; `None` if nobody could read it.
    pub kind: Option<String>,
    /// The standing.
    pub standing: Standing,
    /// The reason why it cannot be right.
    pub reason: Option<String>,
    /// The provider key that the event is about.
    pub reference: Option<String>,
    /// SHA-256 of the bytes.
    pub body_hash: Vec<u8>,
    /// The bytes; `None` if the retention has removed them.
    pub body: Option<Vec<u8>>,
    /// The headers and the verdict, as JSON.
    pub delivery: Option<String>,
    /// Time of arrival.
    pub received_at: Timestamp,
}

/// The events that a list has.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those with this standing.
    pub standing: Option<Standing>,
    /// Those of this provider.
    pub provider: Option<String>,
    /// Those of this type.
    pub kind: Option<String>,
    /// Those with this id of the provider.
    pub event_id: Option<String>,
    /// Those that are about this provider key.
    pub reference: Option<String>,
}

/// At most `limit` events before `before`, newest first.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn list(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: &Filter,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let before = before.unwrap_or(EventId::from_bytes([0xff; 16]));
    let mut found = BTreeMap::new();
    // Events of the quarantine have no type and no reference there.
    if filter.kind.is_none() && filter.reference.is_none() {
        for row in kept(connection, tenant, filter, before, limit)? {
            let listed = of_quarantine(row);
            found.insert(listed.id, listed);
        }
    }
    let rows = received(connection, tenant, filter, before, limit)?;
    let reasons = reasons(connection, tenant, &rows)?;
    for row in rows {
        let reason = reasons.get(&row.id).cloned();
        let listed = of_inbox(row, reason)?;
        found.insert(listed.id, listed);
    }
    let is_wanted = |listed: &Listed| {
        filter
            .standing
            .is_none_or(|wanted| wanted == listed.standing)
    };
    let newest = found.into_values().rev().filter(is_wanted);
    Ok(newest.take(usize::try_from(limit).unwrap_or(0)).collect())
}

/// The event with this id.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn one(
    connection: &mut AnyConnection,
    tenant: TenantId,
    id: EventId,
) -> Result<Option<Listed>, Error> {
    let row: Option<InboxRow> = inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(inbox::id.eq(id))
        .first(connection)
        .optional()?;
    let kept: Option<QuarantineRow> = quarantine::table
        .filter(quarantine::tenant_id.eq(tenant))
        .filter(quarantine::id.eq(id))
        .first(connection)
        .optional()?;
    match (row, kept) {
        (Some(row), kept) => of_inbox(row, kept.map(|kept| kept.reason)).map(Some),
        (None, kept) => Ok(kept.map(of_quarantine)),
    }
}

fn received(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: &Filter,
    before: EventId,
    limit: i64,
) -> Result<Vec<InboxRow>, Error> {
    let mut query = inbox::table
        .filter(inbox::id.lt(before))
        .order(inbox::id.desc())
        .limit(limit)
        .into_boxed();
    // The `+ 0` keeps planners from the index that begins with the tenant, which looks equally good to them while the
    // table is small.
    query = if let Some(event_id) = &filter.event_id {
        query
            .filter((inbox::tenant_id + 0).eq(tenant))
            .filter(inbox::event_id.eq(event_id))
    } else if let Some(reference) = &filter.reference {
        query
            .filter((inbox::tenant_id + 0).eq(tenant))
            .filter(inbox::reference.eq(reference))
    } else {
        query.filter(inbox::tenant_id.eq(tenant))
    };
    if let (Some(_), Some(reference)) = (&filter.event_id, &filter.reference) {
        query = query.filter(inbox::reference.eq(reference));
    }
    if let Some(provider) = &filter.provider {
        query = query.filter(inbox::provider.eq(provider));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(inbox::kind.eq(kind));
    }
    match filter.standing {
        None => {}
        Some(Standing::Status(status)) => query = query.filter(inbox::status.eq(status.name())),
        Some(Standing::Quarantined) => {
            let kept = quarantine::table
                .filter(quarantine::tenant_id.eq(tenant))
                .filter(quarantine::id.lt(before))
                .select(quarantine::id.assume_not_null());
            query = query
                .filter(inbox::status.eq(Status::Stored.name()))
                .filter(inbox::id.eq_any(kept));
        }
    }
    Ok(query.load(connection)?)
}

fn kept(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: &Filter,
    before: EventId,
    limit: i64,
) -> Result<Vec<QuarantineRow>, Error> {
    if matches!(filter.standing, Some(Standing::Status(_))) {
        return Ok(Vec::new());
    }
    // What was put aside once may have been applied since.
    let applied = inbox::table
        .filter(inbox::tenant_id.eq(tenant))
        .filter(inbox::id.nullable().eq(quarantine::id))
        .filter(inbox::status.ne(Status::Stored.name()));
    let mut query = quarantine::table
        .filter(quarantine::tenant_id.eq(tenant))
        .filter(quarantine::id.lt(before))
        .filter(not(exists(applied)))
        .order(quarantine::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(provider) = &filter.provider {
        query = query.filter(quarantine::provider.eq(provider));
    }
    if let Some(event_id) = &filter.event_id {
        query = query.filter(quarantine::event_id.eq(event_id));
    }
    Ok(query.load(connection)?)
}

/// The reasons why some of these events are in the quarantine as well.
fn reasons(
    connection: &mut AnyConnection,
    tenant: TenantId,
    rows: &[InboxRow],
) -> Result<BTreeMap<EventId, String>, Error> {
    let stored = rows
        .iter()
        .filter(|row| row.status == Status::Stored.name());
    let stored: Vec<EventId> = stored.map(|row| row.id).collect();
    if stored.is_empty() {
        return Ok(BTreeMap::new());
    }
    let reasons: Vec<(Option<EventId>, String)> = quarantine::table
        .filter(quarantine::tenant_id.eq(tenant))
        .filter(quarantine::id.eq_any(stored))
        .select((quarantine::id, quarantine::reason))
        .load(connection)?;
    let reasons = reasons.into_iter();
    Ok(reasons
        .filter_map(|(id, reason)| Some((id?, reason)))
        .collect())
}

/// `reason` is that of the same event in the quarantine.
fn of_inbox(row: InboxRow, reason: Option<String>) -> Result<Listed, Error> {
    let status = Status::from_name(&row.status);
    let status = status.ok_or_else(|| Error::Refused("inbox: bad status".to_owned()))?;
    // What was put aside once may have been applied since.
    let reason = reason.filter(|_| status == Status::Stored);
    let standing = match reason {
        Some(_) => Standing::Quarantined,
        None => Standing::Status(status),
    };
    Ok(Listed {
        id: row.id,
        provider: row.provider,
        event_id: row.event_id,
        kind: Some(row.kind),
        standing,
        reason,
        reference: row.reference,
        body_hash: row.body_hash,
        body: row.body,
        delivery: row.delivery,
        received_at: Timestamp::from_micros(row.received_at),
    })
}

fn of_quarantine(row: QuarantineRow) -> Listed {
    Listed {
        id: row.id.unwrap_or(EventId::from_bytes([0; 16])),
        provider: row.provider,
        event_id: row.event_id,
        kind: None,
        standing: Standing::Quarantined,
        reason: Some(row.reason),
        reference: None,
        body_hash: row.body_hash,
        body: Some(row.body),
        delivery: row.delivery,
        received_at: Timestamp::from_micros(row.received_at),
    }
}
