//! The lane of this process, and its settings.

use engine::Engine;
use store::{Clock, Ids, Store};

use crate::settings::Settings;
use crate::start::StartError;

/// Greatest number of commands in one tenant's line. One more is refused.
const LINE: usize = 8_192;
/// Greatest number of commands in a commit.
const MAX_BATCH: usize = 512;

/// Starts a lane.
pub(crate) fn start_lane(store: Store, settings: engine::Settings) -> Result<Engine, StartError> {
    let engine = Engine::start(store, settings, Ids::random());
    engine.map_err(|cause| StartError::System {
        what: "the lane's thread does not start".to_owned(),
        cause,
    })
}

/// The settings of the lane in this process.
pub(crate) fn lane_settings(settings: &Settings) -> engine::Settings {
    settings_of(settings.mixes_tenants, settings.key_life_seconds)
}

/// The settings of a lane, with the two that a user may set.
pub(crate) fn settings_of(mixes_tenants: bool, key_life_seconds: i64) -> engine::Settings {
    engine::Settings {
        shelves: families::shelves(),
        make_again: families::make_again,
        after_commit: None,
        max_batch: MAX_BATCH,
        line: LINE,
        mixes_tenants,
        clock: Clock::system(),
        key_life_seconds,
    }
}
