//! The lane of this process: its settings, and those of the provider that payments go to.

use engine::Engine;
use store::{Clock, Ids, Store};

use crate::settings::Settings;
use crate::start::StartError;

/// What a lease allows beyond twice the provider's own time.
const LEASE_MARGIN_MILLIS: i64 = 2_000;
/// Commands in one tenant's line before one more is refused.
const LINE: usize = 8_192;
/// Commands a commit.
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
pub(crate) fn lane_settings(mixes_tenants: bool) -> engine::Settings {
    engine::Settings {
        shelves: families::shelves(),
        make_again: families::make_again,
        after_commit: None,
        max_batch: MAX_BATCH,
        line: LINE,
        mixes_tenants,
        clock: Clock::system(),
    }
}

/// The provider that payments go to.
pub(crate) fn provider_of(settings: &Settings) -> payments::Provider {
    payments::Provider {
        name: settings.provider.clone(),
        lease_millis: lease_millis(settings),
    }
}

/// Time that a worker has for an inquiry and a charge, each of which may take the provider's time.
pub(crate) fn lease_millis(settings: &Settings) -> i64 {
    let timeout = i64::try_from(settings.provider_timeout.as_millis()).unwrap_or(i64::MAX);
    timeout
        .saturating_mul(2)
        .saturating_add(LEASE_MARGIN_MILLIS)
}
