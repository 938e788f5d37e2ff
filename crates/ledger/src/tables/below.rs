//! The accounts of a subtree of the chart.

use diesel::prelude::*;
use store::{AnyConnection, Error, TenantId};

use crate::AccountId;
use crate::schema::account;

/// The ids of the accounts with this code and below it, in the order of their codes; at most `at_most`. There are two
/// queries, because no index serves both conditions at once.
pub(crate) fn first_below(
    connection: &mut AnyConnection,
    tenant: TenantId,
    code: &str,
    at_most: usize,
) -> Result<Vec<AccountId>, Error> {
    let own = account::table
        .filter(account::tenant_id.eq(tenant))
        .filter(account::code.eq(code))
        .select(account::id)
        .first(connection)
        .optional()?;
    let mut found: Vec<AccountId> = Vec::from_iter(own);
    let more = at_most.saturating_sub(found.len());
    // The character after the colon is the semicolon.
    let below = account::table
        .filter(account::tenant_id.eq(tenant))
        .filter(account::code.gt(format!("{code}:")))
        .filter(account::code.lt(format!("{code};")))
        .order(account::code)
        .limit(i64::try_from(more).unwrap_or(i64::MAX))
        .select(account::id);
    found.extend(below.load::<AccountId>(connection)?);
    found.truncate(at_most);
    Ok(found)
}
