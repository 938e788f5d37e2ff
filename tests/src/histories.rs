//! Schedules of webhooks by chance, each about a history of its own, against the real binary.

use rehearse::{Address, rehearse_histories};

use crate::{Database, Florin, run};

/// Plays batches of schedules by chance, and asserts that each ends in the same books as the plain order, that nothing
/// is in the quarantine, and that every invariant holds. A failure names the seed. Returns the number of schedules.
pub async fn schedules_by_chance(database: &Database, seed: u64, batches: u32) -> u32 {
    // The provider never answers some of the calls, and no inquiry comes before the events.
    let florin = Florin::start(database, &["--provider-timeout-ms", "600000"]);
    let at = Address {
        api: florin.api().to_owned(),
        key: florin.key().to_owned(),
        webhook_secret: florin.webhook_secret().to_owned(),
        sandbox: florin.sandbox().to_owned(),
    };
    let report = rehearse_histories(&at, seed, batches).await;
    let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert!(report.passed(), "seed {seed}: {report:#?}");
    assert!(report.deliveries > 0);
    let quarantined = database.number("SELECT count(*) FROM quarantine");
    assert_eq!(
        quarantined, 0,
        "seed {seed}: {quarantined} in the quarantine"
    );
    florin.kill9();
    let checked = run(&["check", "--database-url", database.url()], &[]);
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(checked.status.success(), "seed {seed}: {said}");
    report.schedules
}
