//! The table of errands.

use diesel::prelude::*;
use store::find::Lock;
use store::{AnyConnection, Clock, Error, TenantId, Timestamp};

use super::{Errand, Name};
use crate::tenant::Tenant;

diesel::table! {
    errand (tenant_id, kind, subject) {
        due_at -> BigInt,
        tenant_id -> BigInt,
        epoch -> Integer,
        kind -> Text,
        place -> Text,
        subject -> Binary,
    }
}

diesel::table! {
    tenant (tenant_id) {
        tenant_id -> BigInt,
        name -> Text,
        clock_offset -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(errand, tenant);

store::bulk_insert! {
    /// A row of `errand`.
    pub struct ErrandRow in errand {
        /// Microseconds since 1970.
        due_at: i64,
        /// The tenant that the work belongs to.
        tenant_id: TenantId,
        /// Number of leases so far.
        epoch: i32,
        /// Kind of work.
        kind: String,
        /// The provider whose places the work takes.
        place: String,
        /// Id of the thing that the work is about.
        subject: Vec<u8>,
    }
}

store::bulk_update! {
    /// An errand that was leased or postponed.
    pub struct ErrandMovedRow in errand {
        find {
            tenant_id: TenantId = tenant_id,
            kind: String = kind,
            subject: Vec<u8> = subject,
            seen_epoch: i32 = epoch,
        }
        set { epoch: i32 = epoch, due_at: i64 = due_at }
    }
}

store::bulk_delete! {
    /// An errand that has ended.
    pub struct ErrandGoneRow in errand {
        /// The tenant that the work belonged to.
        tenant_id: TenantId,
        /// Kind of work.
        kind: String,
        /// Id of the thing that the work was about.
        subject: Vec<u8>,
        /// Number of leases, as it was read.
        epoch: i32,
    }
}

store::bulk_find! {
    /// An errand by its name.
    pub struct ByName => ErrandRow in errand {
        /// Kind of work.
        kind: String,
        /// Id of the thing that the work is about.
        subject: Vec<u8>,
    }
}

/// Errands by their names, locked in this order.
pub(super) fn load(
    connection: &mut AnyConnection,
    tenant: TenantId,
    lock: Lock,
    names: &[Name],
) -> Result<Vec<(Name, Errand)>, Error> {
    let wanted: Vec<ByName> = names
        .iter()
        .map(|(kind, subject)| ByName {
            kind: (*kind).to_owned(),
            subject: subject.to_vec(),
        })
        .collect();
    let mut found = Vec::new();
    for row in ByName::find(connection, lock, tenant, &wanted)? {
        let name = names
            .iter()
            .find(|(kind, subject)| *kind == row.kind && *subject == row.subject[..]);
        let Some(name) = name else { continue };
        let errand = Errand {
            due_at: Timestamp::from_micros(row.due_at),
            epoch: row.epoch,
            place: row.place,
        };
        found.push((*name, errand));
    }
    Ok(found)
}

/// An errand that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueErrand {
    /// The tenant that the work belongs to.
    pub tenant: Tenant,
    /// Kind of work.
    pub kind: String,
    /// The provider whose places the work takes.
    pub place: String,
    /// Id of the thing that the work is about.
    pub subject: [u8; 16],
}

/// Reads how far the clocks of tenants are ahead.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn read_clocks(connection: &mut AnyConnection, clock: &Clock) -> Result<(), Error> {
    if clock.is_of_tenants() {
        let moved: Vec<(TenantId, i64)> = tenant::table
            .filter(tenant::clock_offset.gt(0))
            .select((tenant::tenant_id, tenant::clock_offset))
            .load(connection)?;
        for (tenant, offset) in moved {
            clock.move_ahead(tenant, offset);
        }
    }
    Ok(())
}

/// The errands of these kinds that are due by the clocks of their tenants, of all tenants but those that are left out,
/// the oldest first, at most `limit`. Errands that take one of the full places are left out too.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn due(
    connection: &mut AnyConnection,
    clock: &Clock,
    kinds: &[&str],
    left_out: &[TenantId],
    full: &[String],
    limit: i64,
) -> Result<Vec<DueErrand>, Error> {
    let (now, latest) = (clock.now(), clock.latest_now());
    let rows: Vec<(TenantId, String, String, String, Vec<u8>)> = errand::table
        .inner_join(tenant::table.on(tenant::tenant_id.eq(errand::tenant_id)))
        // The first condition is for the index.
        .filter(errand::due_at.le(latest.micros()))
        .filter((errand::due_at - tenant::clock_offset).le(now.micros()))
        .filter(diesel::dsl::not(errand::tenant_id.eq_any(left_out)))
        .filter(errand::kind.eq_any(kinds))
        .filter(diesel::dsl::not(errand::place.eq_any(full)))
        .order(errand::due_at)
        .limit(limit)
        .select((
            errand::tenant_id,
            tenant::name,
            errand::kind,
            errand::place,
            errand::subject,
        ))
        .load(connection)?;
    let due = |(id, name, kind, place, subject): (_, String, _, _, Vec<u8>)| {
        let subject = subject.try_into();
        let damaged = |_length| Error::Refused("errand: bad subject".to_owned());
        Ok(DueErrand {
            tenant: Tenant {
                id,
                name: name.into(),
            },
            kind,
            place,
            subject: subject.map_err(damaged)?,
        })
    };
    rows.into_iter().map(due).collect()
}

/// The errands of a tenant, due or not, in the order of their names, at most `limit`: kind, subject and due time.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn of_tenant(
    connection: &mut AnyConnection,
    tenant: TenantId,
    limit: i64,
) -> Result<Vec<(String, Vec<u8>, Timestamp)>, Error> {
    let rows: Vec<(String, Vec<u8>, i64)> = errand::table
        .filter(errand::tenant_id.eq(tenant))
        .order((errand::kind, errand::subject))
        .limit(limit)
        .select((errand::kind, errand::subject, errand::due_at))
        .load(connection)?;
    let at = |(kind, subject, due_at)| (kind, subject, Timestamp::from_micros(due_at));
    Ok(rows.into_iter().map(at).collect())
}

/// The subjects of the errands of this kind and place, due or not, in the order of their ids, at most `limit`.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn waiting(
    connection: &mut AnyConnection,
    tenant: TenantId,
    kind: &str,
    place: &str,
    limit: i64,
) -> Result<Vec<[u8; 16]>, Error> {
    let rows: Vec<Vec<u8>> = errand::table
        .filter(errand::tenant_id.eq(tenant))
        .filter(errand::kind.eq(kind))
        .filter(errand::place.eq(place))
        .order(errand::subject)
        .limit(limit)
        .select(errand::subject)
        .load(connection)?;
    let damaged = |_length| Error::Refused("errand: bad subject".to_owned());
    let subjects = rows.into_iter().map(|subject| subject.try_into());
    subjects.collect::<Result<_, _>>().map_err(damaged)
}

/// The tenants with these ids.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn tenants(connection: &mut AnyConnection, ids: &[TenantId]) -> Result<Vec<Tenant>, Error> {
    let rows: Vec<(TenantId, String)> = tenant::table
        .filter(tenant::tenant_id.eq_any(ids))
        .order(tenant::tenant_id)
        .select((tenant::tenant_id, tenant::name))
        .load(connection)?;
    let tenant = |(id, name): (_, String)| Tenant {
        id,
        name: name.into(),
    };
    Ok(rows.into_iter().map(tenant).collect())
}
