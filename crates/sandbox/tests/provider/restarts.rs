//! The state that survives a restart.

use std::fs::OpenOptions;
use std::io::Write;

use sandbox::{OpenError, Settings, StartError};
use serde_json::json;
use webhook_signatures::Scheme;

use crate::disputes::opened;
use crate::receiver::Receiver;
use crate::stage::{NOW, Stage, order, read};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_charges_counts_and_event_ids() {
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(Some(receiver.target())).await;
    let charged = stage.charge("k", "pm_webhook_before_reply").await;
    let told = receiver.next().await;
    stage.charge("k", "pm_webhook_before_reply").await;

    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.inquire("k").await, charged);
    assert_eq!(stage.counts("k").await, (1, 2));
    assert_eq!(stage.charge("k", "pm_webhook_before_reply").await, charged);
    let (status, _) = read(stage.post("k", order("pm_succeeds").to_string()).await).await;
    assert_eq!(status, 409);
    assert_eq!(stage.counts("k").await, (1, 3));

    stage.sandbox.point_webhooks_at(receiver.target());
    stage.redeliver(&charged.1).await;
    assert_eq!(receiver.next().await.event, told.event);
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_held_call_and_a_restart_knows_it() {
    let stage = Stage::set(None).await;
    let request = stage
        .client
        .post(stage.url("/v1/charges"))
        .header("Idempotency-Key", "k");
    let request = request.body(order("pm_times_out").to_string());
    let held = tokio::spawn(request.send());
    while stage.inquire("k").await.0 == 404 {}

    let stage = stage.restarted(|_| ()).await;
    assert!(held.await.unwrap().is_err());
    assert_eq!(stage.counts("k").await, (1, 1));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_last_line_is_forgotten_and_the_rest_is_kept() {
    let stage = Stage::set(None).await;
    let charged = stage.charge("k", "pm_succeeds").await;
    let tear = |journal| {
        let mut file = OpenOptions::new().append(true).open(journal).unwrap();
        file.write_all(br#"{"entry":"executed","order":{"amount":10"#)
            .unwrap();
    };
    let stage = stage.restarted(tear).await;
    assert_eq!(stage.charge("k", "pm_succeeds").await, charged);
    stage.charge("later", "pm_succeeds").await;

    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.counts("k").await, (1, 2));
    assert_eq!(stage.counts("later").await, (1, 1));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_used_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set(None).await;
    let settings = |listen, journal: &str| Settings {
        listen,
        journal: folder.path().join(journal),
        webhook: None,
    };
    let taken = sandbox::start(settings(stage.sandbox.address(), "a"), || NOW).await;
    assert!(matches!(taken, Err(StartError::Listen { .. })));

    let nowhere = settings(([127, 0, 0, 1], 0).into(), "no/such/folder");
    let nowhere = sandbox::start(nowhere, || NOW).await;
    assert!(matches!(
        nowhere,
        Err(StartError::Journal {
            source: OpenError::File(_),
            ..
        })
    ));

    std::fs::write(folder.path().join("b"), json!({}).to_string() + "\n").unwrap();
    let nonsense = sandbox::start(settings(([127, 0, 0, 1], 0).into(), "b"), || NOW).await;
    let said = nonsense.err().unwrap().to_string();
    assert!(
        said.ends_with("line 1 of the journal cannot be understood"),
        "{said}"
    );
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_an_older_version_is_read() {
    // These are lines of the versions that knew charges only, the first of a time before records had their method.
    let lines = r#"{"entry":"executed","order":{"amount":1099,"currency":"EUR","payment_method":"pm_succeeds","reference":"pay_1"},"event":{"id":"evt_1","type":"charge.succeeded","created":1700000000,"data":{"object":{"id":"ch_1","object":"charge","status":"succeeded","amount":1099,"currency":"EUR","reference":"pay_1","idempotency_key":"a","decline_code":null}}}}
{"entry":"executed","order":{"amount":1099,"currency":"EUR","payment_method":"pm_declines","reference":"pay_1"},"event":{"id":"evt_2","type":"charge.failed","created":1700000000,"data":{"object":{"id":"ch_2","object":"charge","status":"failed","amount":1099,"currency":"EUR","payment_method":"pm_declines","reference":"pay_1","idempotency_key":"b","decline_code":"do_not_honor"}}}}
{"entry":"unexecuted","idempotency_key":"c","order":{"amount":1,"currency":"EUR","payment_method":"pm_never_answers","reference":null}}
{"entry":"repeated","idempotency_key":"a"}
"#;
    let mut receiver = Receiver::start(Scheme::StandardWebhooks);
    let stage = Stage::set(None).await;
    let stage = stage
        .restarted(|journal| std::fs::write(journal, lines).unwrap())
        .await;
    assert_eq!(stage.counts("a").await, (1, 2));
    assert_eq!(stage.counts("b").await, (1, 1));
    assert_eq!(stage.counts("c").await, (0, 1));
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    let (status, charge) = stage.charge("a", "pm_succeeds").await;
    let expected = json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "amount": 1099, "currency": "EUR",
        "reference": "pay_1", "idempotency_key": "a", "capture": true, "decline_code": null,
    });
    assert_eq!((status.as_u16(), &charge), (200, &expected));
    assert_eq!(stage.charge("b", "pm_declines").await.0, 402);

    stage.sandbox.point_webhooks_at(receiver.target());
    stage.redeliver(&charge).await;
    assert_eq!(receiver.next().await.event["id"], "evt_1");
    let refund = json!({ "amount": 99 });
    assert_eq!(stage.step("r", &charge, "refunds", refund).await.0, 200);
    let dispute = opened(&stage, &charge, 1099).await;
    let stage = stage.restarted(|_| ()).await;
    assert_eq!(stage.totals().await, [1099, 1099, 0, 99]);
    let id = dispute["id"].as_str().unwrap();
    assert_eq!(stage.get(&format!("/v1/disputes/{id}")).await.1, dispute);
    let answer = stage.act("/v1/charges/ch_2/succeed-late").await;
    assert_eq!(answer.0, 200);
    assert_eq!(stage.totals().await, [2198, 2198, 0, 99]);
    stage.strike().await;
    receiver.stop().await;
}
