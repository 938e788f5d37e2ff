//! L8: each custom asset in use is registered. The register is read first and stays in memory, because it is short.

use std::collections::HashSet;

use diesel::prelude::*;
use store::{AnyConnection, CheckError, Error, Pages, TenantId};

use super::{PAGE, tick};
use crate::schema::{account, asset};
use crate::tables::AssetRow;
use crate::{AccountId, Asset};

/// L8: each registered asset is valid, and each account whose currency is not in ISO 4217 has a registered
/// asset with the same exponent. Returns the number of assets and of such accounts.
///
/// # Errors
/// [`CheckError::Broken`] names the first asset or account that breaks the rule.
pub fn assets_are_registered(
    connection: &mut AnyConnection,
    tenant: TenantId,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let mut examined = 0_u64;
    let mut registered: HashSet<String> = HashSet::new();
    let mut assets = assets(tenant);
    while let Some(row) = assets.next(connection)? {
        let subject = format!("asset {:?}", row.code);
        let asset = Asset::try_from(row);
        let asset = asset.map_err(|rule| CheckError::broken(subject, rule.to_string()))?;
        registered.insert(asset.currency.stored().into_owned());
        tick(&mut examined, progress);
    }
    let mut accounts: Pages<(AccountId, String)> = Pages::new(tenant, holders_after);
    while let Some((id, currency)) = accounts.next(connection)? {
        if !registered.contains(&currency) {
            let detail = format!("it holds {currency}, which is not registered");
            return Err(CheckError::broken(id, detail));
        }
        tick(&mut examined, progress);
    }
    Ok(examined)
}

/// All registered assets, in the order of their codes.
#[must_use]
pub fn assets(tenant: TenantId) -> Pages<AssetRow> {
    Pages::new(tenant, |connection, tenant, after: Option<&AssetRow>| {
        let mut query = asset::table
            .filter(asset::tenant_id.eq(tenant))
            .order(asset::code)
            .limit(PAGE)
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(asset::code.gt(last.code.clone()));
        }
        Ok(query.load(connection)?)
    })
}

/// The accounts in custom assets, in id order.
fn holders_after(
    connection: &mut AnyConnection,
    tenant: TenantId,
    after: Option<&(AccountId, String)>,
) -> Result<Vec<(AccountId, String)>, Error> {
    let mut query = account::table
        .filter(account::tenant_id.eq(tenant))
        .filter(account::currency.like("%/%"))
        .order(account::id)
        .limit(PAGE)
        .select((account::id, account::currency))
        .into_boxed();
    if let Some((id, _)) = after {
        query = query.filter(account::id.gt(*id));
    }
    Ok(query.load(connection)?)
}
