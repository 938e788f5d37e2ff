//! The opening of existing books. Nothing is begun.

use store::Store;

use crate::settings::Settings;
use crate::start::{StartError, refuse_other_mode};

/// Opens existing books. If a mode was requested, they must have this mode.
pub(crate) fn open_existing(settings: &Settings) -> Result<Store, StartError> {
    let store = Store::open_existing(&settings.database, settings.tuning)?;
    if !settings.mode_is_default {
        refuse_other_mode(&store, settings.mode)?;
    }
    Ok(store)
}
