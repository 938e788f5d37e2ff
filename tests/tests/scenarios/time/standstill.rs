//! Books that were once written with a clock that was ahead: the start refuses them, and an operator who starts all the
//! same is told that time stands still.

use access::{Mode, Provision};
use engine::{Request, Tenant};
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, Store, Timestamp};
use tests::{Database, Florin, on_both_databases, run};

use super::TENANT;
use super::clocks::lane;
use crate::books_hold;
use crate::given::{account, eventually, text};

/// Books whose only record was made with this clock.
async fn written_at(database: &Database, at: Timestamp) {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let lane = lane(&store, 1, &Clock::manual(at));
    let tenant = Tenant {
        id: TENANT,
        name: "demo".into(),
    };
    let command = Provision {
        mode: Mode::Sandbox,
        key: Some(([7; 32], "a key".to_owned())),
    };
    let request = Request::of_system(tenant, "test", command);
    let outcome = lane.submit(request).await.expect("answered");
    assert!(outcome.done().is_some(), "it is provisioned");
    lane.shut_down().await;
}

on_both_databases!(books_that_are_ahead_of_the_clock_are_refused_at_the_start_unless_it_is_known);
async fn books_that_are_ahead_of_the_clock_are_refused_at_the_start_unless_it_is_known(
    database: Database,
) {
    let tomorrow = Clock::system().now().plus_seconds(86_400);
    written_at(&database, tomorrow).await;
    let file = database.folder().join("nothing.csv");
    std::fs::write(&file, "record,account,currency\naccount,assets:bank,EUR\n").expect("writable");
    let file = file.to_str().expect("plain names");
    let data_dir = database.data_dir();
    let data_dir = data_dir.to_str().expect("plain names");
    for verb in [
        &["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir][..],
        &["import", "--format", "csv", file],
        &["key", "create"],
    ] {
        let output = run(&[verb, &["--database-url", database.url()]].concat(), b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{verb:?}: {said}");
        for told in [&tomorrow.to_string(), "clock", "--accept-clock-behind"] {
            assert!(said.contains(told), "{verb:?} does not say {told}: {said}");
        }
    }

    let florin = Florin::start(&database, &["--accept-clock-behind"]);
    let client = florin.client();
    let source = account(&client, "equity:source", &Value::Null).await;
    let ann = account(&client, "liabilities:ann", &json!(0)).await;
    let posting = json!({"debit": source, "credit": ann, "amount": 1, "currency": "EUR"});
    let hold = json!({"kind": "stay", "postings": [posting], "pending": {"expires_in": 60}});
    let bulk = json!({"atomic": true, "transactions": [hold]});
    let held = client.post("/v1/transactions", "hold", &hold).await;
    let many = client.post("/v1/transactions/bulk", "bulk", &bulk).await;
    assert_eq!((held.status, many.status), (201, 200), "{}", held.json());
    let many = text(&many.json(), "/results/0/transaction");
    let many = client.get(&format!("/v1/transactions/{many}")).await;
    for made in [held.json(), many.json()] {
        assert_eq!(made["recorded_at"], tomorrow.to_string(), "{made}");
        let until = tomorrow.plus_seconds(60).to_string();
        assert_eq!(made["expires_at"], until, "{made}");
    }
    let ready = client.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(text(&ready.json(), "/clock"), "behind");
    eventually("it is warned of, and counted", async || {
        let metrics = client.get("/metrics").await;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        let behind = metrics
            .lines()
            .find_map(|line| line.strip_prefix("florin_clock_behind_seconds "))?;
        let behind: u32 = behind.parse().expect("whole seconds");
        assert!((80_000..=86_400).contains(&behind), "{behind}");
        let warned = florin
            .log()
            .matches("the clock is behind the books")
            .count();
        (warned == 1).then_some(())
    })
    .await;
    assert_eq!(florin.terminate().code(), Some(0));
    books_hold(&database);
}

on_both_databases!(a_clock_that_is_right_or_a_little_behind_is_not_spoken_of);
async fn a_clock_that_is_right_or_a_little_behind_is_not_spoken_of(database: Database) {
    written_at(&database, Clock::system().now().plus_seconds(50)).await;
    let florin = Florin::start(&database, &[]);
    let ready = florin.client().get("/readyz").await;
    assert_eq!(
        (ready.status, text(&ready.json(), "/clock").as_str()),
        (200, "ok")
    );
    assert!(!florin.log().contains("the clock is behind"));
}
