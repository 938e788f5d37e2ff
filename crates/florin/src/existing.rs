//! Books that are looked at: they are there already, and nothing is begun.

use store::Store;

use crate::settings::Settings;
use crate::start::{StartError, refuse_other_mode};

/// Books that are there already, of the mode that was asked for, if one was.
pub(crate) fn open_existing(settings: &Settings) -> Result<Store, StartError> {
    let store = Store::open_existing(&settings.database, settings.tuning)?;
    if !settings.mode_is_default {
        refuse_other_mode(&store, settings.mode)?;
    }
    Ok(store)
}
