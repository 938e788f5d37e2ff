//! The opening of existing books. Nothing is begun.

use std::io;

use engine::Tenant;
use store::Store;

use crate::settings::Settings;
use crate::start::{StartError, refuse_other_mode};
use crate::tenant::{TenantError, chosen};

/// Opens existing books. If a mode was requested, they must have this mode.
pub(crate) fn open_existing(settings: &Settings) -> Result<Store, StartError> {
    let store = Store::open_existing(&settings.database, settings.tuning)?;
    if !settings.mode_is_default {
        refuse_other_mode(&store, settings.mode)?;
    }
    Ok(store)
}

/// Opens existing books for a verb that writes, and finds the tenant: a mistyped address never begins new books.
pub(crate) async fn open_of_tenant<E>(
    settings: &Settings,
    asked: Option<String>,
) -> Result<(Store, Tenant), E>
where
    E: From<StartError> + From<TenantError> + Send + 'static,
{
    let settings = settings.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let store = open_existing(&settings)?.patient();
        let tenant = store.read(|connection| chosen(connection, asked.as_deref()))?;
        Ok((store, tenant))
    });
    opened.await.unwrap_or_else(|panic| {
        Err(E::from(StartError::System {
            what: "opening the database panicked".to_owned(),
            cause: io::Error::other(panic),
        }))
    })
}
