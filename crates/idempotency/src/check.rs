//! The part of "one effect per key" that concerns the keys alone, proved over one snapshot. The primary key
//! guarantees that a tenant has a key once. Only code that sees the other tables knows the effect of a key.

use std::collections::HashMap;

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId, Timestamp};

use crate::Key;
use crate::schema::idempotency_key;

/// Number of rows that are read at a time.
const PAGE: i64 = 4_000;

/// A key without the bytes of its reply.
#[derive(Debug, Clone, Queryable)]
pub struct StoredKey {
    /// The tenant whose key it is.
    pub tenant: TenantId,
    /// The key, as the client wrote it.
    pub key: String,
    /// The resource that the request made, if it was not answered at once.
    pub resource: Option<String>,
    /// The status of the reply, if there is a reply.
    status: Option<i16>,
    /// Whether the row has a body.
    has_body: bool,
}

impl StoredKey {
    /// Whether the request was not answered yet.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        self.status.is_none()
    }
}

/// I1: each key of each tenant is valid. It has a reply, with its bytes or with the resource from which they are
/// made again; or it has no reply, and names the resource that its request made. Returns the number of keys.
///
/// # Errors
/// [`CheckError::Broken`] names the first key that breaks the rule.
pub fn keys_are_answered_or_in_flight(
    connection: &mut AnyConnection,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut keys = keys();
    let mut examined = 0_u64;
    while let Some(claimed) = keys.next(connection)? {
        let broken = |detail: &str| {
            let broken = CheckError::broken(format!("key {:?}", claimed.key), detail);
            Err(broken.of(claimed.tenant))
        };
        match (claimed.status, claimed.has_body) {
            (Some(_), true) => {}
            (Some(_), false) if claimed.resource.is_none() => {
                return broken("its reply has a status, no body, and nothing to make one from");
            }
            (Some(_), false) => {}
            (None, true) => return broken("its reply has a body and no status"),
            (None, false) if claimed.resource.is_none() => {
                return broken("it has no reply, and nothing that will give it one");
            }
            (None, false) => {}
        }
        if Key::stored(claimed.key.clone()).is_err() {
            return broken("it is no idempotency key");
        }
        examined += 1;
        if examined.is_multiple_of(PAGE.unsigned_abs()) {
            progress(examined);
        }
    }
    Ok(examined)
}

/// All keys of all tenants, in the order of the primary key: by their text, in the sort order of the database, and
/// then by tenant. Reading the keys of one tenant after the other would read the whole table once per tenant.
#[must_use]
pub fn keys() -> Pages<StoredKey> {
    Pages::over(keys_after)
}

/// A page of keys after a given one. The primary key has two columns and is followed in two steps: first to the last
/// tenant with the same text, then to the texts after it. Each step is a plain range of the primary key.
fn keys_after(
    connection: &mut AnyConnection,
    after: Option<&StoredKey>,
) -> Result<Vec<StoredKey>, Error> {
    let keys = || {
        idempotency_key::table
            .order((idempotency_key::key, idempotency_key::tenant_id))
            .limit(PAGE)
            .select((
                idempotency_key::tenant_id,
                idempotency_key::key,
                idempotency_key::resource,
                idempotency_key::status,
                idempotency_key::body.is_not_null(),
            ))
    };
    let Some(last) = after else {
        return Ok(keys().load(connection)?);
    };
    let rest: Vec<StoredKey> = keys()
        .filter(idempotency_key::key.eq(&last.key))
        .filter(idempotency_key::tenant_id.gt(last.tenant))
        .load(connection)?;
    if !rest.is_empty() {
        return Ok(rest);
    }
    Ok(keys()
        .filter(idempotency_key::key.gt(&last.key))
        .load(connection)?)
}

/// The resources that the requests with these keys made, with the times of their claims, for those keys that exist.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn resources(
    connection: &mut AnyConnection,
    tenant: TenantId,
    keys: &[String],
) -> Result<HashMap<String, (Option<String>, Timestamp)>, Error> {
    let rows: Vec<(String, Option<String>, i64)> = idempotency_key::table
        .filter(idempotency_key::tenant_id.eq(tenant))
        .filter(idempotency_key::key.eq_any(keys))
        .select((
            idempotency_key::key,
            idempotency_key::resource,
            idempotency_key::created_at,
        ))
        .load(connection)?;
    let made = rows.into_iter();
    let made = made.map(|(key, resource, at)| (key, (resource, Timestamp::from_micros(at))));
    Ok(made.collect())
}
