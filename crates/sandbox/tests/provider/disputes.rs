//! Disputes, from their opening to the end, and failed charges that succeed late.

use reqwest::StatusCode;
use serde_json::{Value, json};
use webhook_signatures::Scheme;

use crate::receiver::{Receiver, Webhook};
use crate::stage::{NOW, Stage, read};
use crate::webhooks::assert_tells_of;

/// Disputes a charge with this whole body.
async fn dispute(stage: &Stage, charge: &Value, body: Value) -> (StatusCode, Value) {
    let id = charge["id"].as_str().unwrap();
    let request = stage
        .client
        .post(stage.url(&format!("/v1/charges/{id}/disputes")));
    read(request.body(body.to_string()).send().await.unwrap()).await
}

/// A new dispute of this amount.
pub(crate) async fn opened(stage: &Stage, charge: &Value, amount: i64) -> Value {
    let (status, dispute) = dispute(stage, charge, json!({ "amount": amount })).await;
    assert_eq!(status, 200, "{dispute}");
    dispute
}

/// What the payer's bank does to a dispute.
async fn bank(stage: &Stage, dispute: &Value, verb: &str) -> (StatusCode, Value) {
    let id = dispute["id"].as_str().unwrap();
    stage.act(&format!("/v1/disputes/{id}/{verb}")).await
}

/// What the merchant gives as evidence.
async fn evidence(stage: &Stage, dispute: &Value, key: &str, body: Value) -> (StatusCode, Value) {
    let id = dispute["id"].as_str().unwrap();
    let path = format!("/v1/disputes/{id}/evidence");
    read(stage.post_to(&path, key, body.to_string()).await).await
}

/// The dispute as it is now.
async fn shown(stage: &Stage, dispute: &Value) -> (StatusCode, Value) {
    let id = dispute["id"].as_str().unwrap();
    stage.get(&format!("/v1/disputes/{id}")).await
}

async fn withdrawn(stage: &Stage) -> i64 {
    let [withdrawn] = stage.totals_named(["withdrawn"]).await;
    withdrawn
}

/// The same dispute with another value of this member.
fn with(dispute: &Value, member: &str, value: Value) -> Value {
    let mut changed = dispute.clone();
    changed[member] = value;
    changed
}

fn refused(error: &str) -> (StatusCode, Value) {
    (StatusCode::CONFLICT, json!({ "error": error }))
}

async fn stage_and_receiver() -> (Stage, Receiver) {
    let receiver = Receiver::start(Scheme::StandardWebhooks);
    (Stage::set(Some(receiver.target())).await, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_shown_whole_and_told() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    let rows = stage.rows().await;
    let body = json!({ "amount": 1000, "reason": "product_not_received" });
    let first = dispute(&stage, &charge, body).await;
    let (status, disputed) = &first;
    let id = disputed["id"].as_str().unwrap();
    let digits = id.strip_prefix("dp_").unwrap();
    assert!(
        digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
    let expected = json!({
        "id": id, "object": "dispute", "status": "needs_response", "charge": charge["id"],
        "amount": 1000, "currency": "EUR", "reason": "product_not_received", "withdrawn": false,
        "evidence_due_by": NOW + 604_800, "payment_method": "pm_succeeds", "reference": "pay_1",
        "charge_key": "k",
    });
    assert_eq!((status.as_u16(), disputed), (200, &expected));
    let opening = receiver.next().await;
    assert_tells_of(&opening, "dispute.opened", disputed);
    assert_eq!(shown(&stage, disputed).await, first);
    stage.redeliver(disputed).await;
    assert_eq!(receiver.next().await.event, opening.event);

    // The dispute has no key, so it is not among the keys, and it moves no money yet.
    assert_eq!(stage.rows().await, rows);
    assert_eq!(withdrawn(&stage).await, 0);
    let second = opened(&stage, &charge, 99).await;
    assert_eq!(second["reason"], "fraudulent");
    assert_ne!(second["id"], disputed["id"]);
    assert_tells_of(&receiver.next().await, "dispute.opened", &second);
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disputes_of_a_charge_together_never_exceed_what_was_captured() {
    let stage = Stage::set(None).await;
    let charge = stage.authorize("k", "pm_succeeds").await;
    let some = |amount| json!({ "amount": amount });
    assert_eq!(
        dispute(&stage, &charge, some(1)).await,
        refused("not_captured")
    );
    let capture = json!({ "amount": 600, "final": false });
    stage.step("c", &charge, "captures", capture).await;
    assert_eq!(
        dispute(&stage, &charge, some(601)).await,
        refused("not_captured")
    );
    let first = opened(&stage, &charge, 400).await;
    // What was given back, or decided, was captured all the same.
    stage.step("r", &charge, "refunds", some(600)).await;
    assert_eq!(bank(&stage, &first, "win").await.0, 200);
    opened(&stage, &charge, 200).await;
    let one_more = dispute(&stage, &charge, some(1)).await;
    assert_eq!(one_more, refused("not_captured"));

    let stage = stage.restarted(|_| ()).await;
    assert_eq!(dispute(&stage, &charge, some(1)).await, one_more);
    let capture = json!({ "amount": 400, "final": false });
    stage.step("c2", &charge, "captures", capture).await;
    opened(&stage, &charge, 400).await;
    for (key, method) in [("a", "pm_declines"), ("b", "pm_requires_action")] {
        let (_, charge) = stage.charge(key, method).await;
        let answer = dispute(&stage, &charge, some(1)).await;
        assert_eq!(answer, refused("not_captured"), "{method}");
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_disputes_never_exceed_the_capture() {
    for (amount, winners) in [(1000, 1), (300, 3)] {
        let stage = Stage::set(None).await;
        let charge = stage.authorize("k", "pm_succeeds").await;
        let capture = json!({ "amount": 1000, "final": true });
        stage.step("c", &charge, "captures", capture).await;
        let id = charge["id"].as_str().unwrap();
        let url = stage.url(&format!("/v1/charges/{id}/disputes"));
        let body = json!({ "amount": amount }).to_string();
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let request = stage.client.post(&url).body(body.clone());
                tokio::spawn(async move { read(request.send().await.unwrap()).await })
            })
            .collect();
        let mut disputes = Vec::new();
        for call in calls {
            let (status, answer) = call.await.unwrap();
            if status == 200 {
                disputes.push(answer);
            } else {
                assert_eq!((status, answer), refused("not_captured"));
            }
        }
        assert_eq!(i64::try_from(disputes.len()).unwrap(), winners);
        for dispute in &disputes {
            bank(&stage, dispute, "withdraw").await;
        }
        assert_eq!(withdrawn(&stage).await, amount * winners);
        stage.strike().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_with_the_dispute_as_it_was_then() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    let mut now = opened(&stage, &charge, 1000).await;
    let mut told = vec![receiver.next().await.event];
    for (verb, kind, member, value, total) in [
        (
            "withdraw",
            "funds_withdrawn",
            "withdrawn",
            json!(true),
            1000,
        ),
        (
            "reinstate",
            "funds_reinstated",
            "withdrawn",
            json!(false),
            0,
        ),
        (
            "withdraw",
            "funds_withdrawn",
            "withdrawn",
            json!(true),
            1000,
        ),
        ("win", "won", "status", json!("won"), 1000),
        (
            "reinstate",
            "funds_reinstated",
            "withdrawn",
            json!(false),
            0,
        ),
    ] {
        now = with(&now, member, value);
        let answer = bank(&stage, &now, verb).await;
        assert_eq!(answer, (StatusCode::OK, now.clone()), "{verb}");
        let webhook = receiver.next().await;
        assert_tells_of(&webhook, &format!("dispute.{kind}"), &now);
        told.push(webhook.event);
        assert_eq!(withdrawn(&stage).await, total, "{verb}");
        assert_eq!(shown(&stage, &now).await.1, now);
    }

    // A restart knows every event, and sends them in the reverse order, as they were.
    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(shown(&stage, &now).await.1, now);
    assert_eq!(withdrawn(&stage).await, 0);
    stage.redeliver(&now).await;
    assert_eq!(Some(&receiver.next().await.event), told.last());
    let (status, answer) = stage.redeliver_all(&now).await;
    told.reverse();
    let ids: Vec<&Value> = told.iter().map(|event| &event["id"]).collect();
    let expected = json!({ "events": ids, "delivered": true });
    assert_eq!((status.as_u16(), answer), (200, expected));
    for event in &told {
        assert_eq!(receiver.next().await.event, *event);
    }
    let mut distinct: Vec<String> = ids.iter().map(ToString::to_string).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), told.len());
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_illegal_step_is_refused_and_tells_nothing() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    // The last step of each row is refused; all before it are taken.
    for verbs in [
        vec!["reinstate"],
        vec!["withdraw", "withdraw"],
        vec!["withdraw", "reinstate", "reinstate"],
        vec!["win", "win"],
        vec!["win", "lose"],
        vec!["win", "reinstate"],
        vec!["lose", "win"],
        vec!["lose", "lose"],
        vec!["lose", "withdraw", "withdraw"],
        vec!["lose", "withdraw", "reinstate", "withdraw"],
        vec!["withdraw", "win", "reinstate", "withdraw", "reinstate"],
    ] {
        let mut now = opened(&stage, &charge, 1).await;
        receiver.next().await;
        let (last, before) = verbs.split_last().unwrap();
        for verb in before {
            let (status, moved) = bank(&stage, &now, verb).await;
            assert_eq!(status, 200, "{verbs:?}");
            assert_eq!(receiver.next().await.event["data"]["object"], moved);
            now = moved;
        }
        let answer = bank(&stage, &now, last).await;
        assert_eq!(answer, refused("already_finished"), "{verbs:?}");
        assert_eq!(shown(&stage, &now).await.1, now);
    }
    assert!(receiver.is_quiet());

    // The moves after the decision are counted across a restart.
    let now = opened(&stage, &charge, 1).await;
    for verb in ["lose", "withdraw", "reinstate"] {
        assert_eq!(bank(&stage, &now, verb).await.0, 200);
    }
    let stage = stage.restarted(|_| ()).await;
    for verb in ["withdraw", "reinstate", "win", "lose"] {
        assert_eq!(
            bank(&stage, &now, verb).await,
            refused("already_finished"),
            "{verb}"
        );
    }
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_given_once_for_each_key_and_not_after_the_end() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    let first = opened(&stage, &charge, 500).await;
    let other = opened(&stage, &charge, 500).await;
    receiver.next().await;
    receiver.next().await;
    let text = json!({ "text": "It was delivered." });
    let reviewed = with(&first, "status", json!("under_review"));
    let under = |key: &str, dispute: &Value| {
        let mut answer = dispute.clone();
        answer["idempotency_key"] = json!(key);
        (StatusCode::OK, answer)
    };
    let answer = evidence(&stage, &first, "e", text.clone()).await;
    assert_eq!(answer, under("e", &reviewed));
    assert_eq!(stage.get("/v1/evidence?idempotency_key=e").await, answer);
    let unheard = stage.get("/v1/evidence?idempotency_key=k").await;
    assert_eq!(unheard.0, StatusCode::NOT_FOUND);
    assert_eq!(evidence(&stage, &first, "e", text.clone()).await, answer);
    assert_eq!(shown(&stage, &first).await.1, reviewed);

    let mismatch = refused("idempotency_mismatch");
    let lie = json!({ "text": "It was not." });
    assert_eq!(evidence(&stage, &first, "e", lie.clone()).await, mismatch);
    assert_eq!(evidence(&stage, &other, "e", text.clone()).await, mismatch);
    // The keys of evidence and of all records are the same keys.
    assert_eq!(evidence(&stage, &other, "k", text.clone()).await, mismatch);
    assert_eq!(stage.charge("e", "pm_succeeds").await, mismatch);
    assert_eq!(shown(&stage, &other).await.1, other);
    // There can be more of it, until the bank has decided.
    let more = evidence(&stage, &first, "e2", lie.clone()).await;
    assert_eq!(more, under("e2", &reviewed));
    assert_eq!(stage.rows().await.len(), 1);

    let stage = stage.restarted(|_| ()).await;
    assert_eq!(evidence(&stage, &first, "e", text.clone()).await, answer);
    assert_eq!(evidence(&stage, &first, "e", lie.clone()).await, mismatch);
    let (_, lost) = bank(&stage, &first, "lose").await;
    assert_eq!(lost["status"], "lost");
    assert_eq!(
        evidence(&stage, &first, "e3", text.clone()).await,
        refused("already_finished")
    );
    assert_eq!(evidence(&stage, &first, "e", text).await, under("e", &lost));
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_can_win_or_lose_and_can_be_taken_without_an_answer() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    for (word, withdrawn, events) in [
        (
            "winning_evidence",
            true,
            vec!["dispute.won", "dispute.funds_reinstated"],
        ),
        ("winning_evidence", false, vec!["dispute.won"]),
        ("losing_evidence", true, vec!["dispute.lost"]),
        ("unanswered_evidence", false, vec![]),
    ] {
        let disputed = opened(&stage, &charge, 100).await;
        receiver.next().await;
        if withdrawn {
            bank(&stage, &disputed, "withdraw").await;
            receiver.next().await;
        }
        let key = format!("e-{word}-{withdrawn}");
        let text = json!({ "carrier": "DHL", "text": word });
        let (status, answer) = evidence(&stage, &disputed, &key, text.clone()).await;
        let is_answered = word != "unanswered_evidence";
        assert_eq!(status == StatusCode::OK, is_answered, "{answer}");
        if is_answered {
            assert_eq!(answer["status"], "under_review");
        }
        for kind in events {
            assert_eq!(receiver.next().await.event["type"], kind);
        }
        // The same call again decides nothing again, and is answered.
        let (status, again) = evidence(&stage, &disputed, &key, text).await;
        assert_eq!(status, StatusCode::OK);
        let inquiry = format!("/v1/evidence?idempotency_key={key}");
        assert_eq!(stage.get(&inquiry).await, (StatusCode::OK, again.clone()));
        let now = shown(&stage, &disputed).await.1;
        assert_eq!(again["status"], now["status"]);
        assert_eq!(now["withdrawn"], json!(word == "losing_evidence"));
    }
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_a_rule_is_named_and_leaves_nothing() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let because = |reason: Value| json!({ "amount": 1, "reason": reason });
    for (body, error) in [
        (json!({ "amount": 0 }), "invalid_amount"),
        (json!({ "amount": -1 }), "invalid_amount"),
        (json!({ "amount": "1" }), "malformed_body"),
        (json!({}), "malformed_body"),
        (json!([1]), "malformed_body"),
        (json!({ "amount": 1, "currency": "EUR" }), "malformed_body"),
        (because(Value::Null), "malformed_body"),
        (because(json!("")), "invalid_reason"),
        (because(json!("Fraud")), "invalid_reason"),
        (because(json!("a-b")), "invalid_reason"),
        (because(json!("a1")), "invalid_reason"),
        (because(json!("a".repeat(65))), "invalid_reason"),
    ] {
        let (status, answer) = dispute(&stage, &charge, body.clone()).await;
        let expected = (400, json!({ "error": error }));
        assert_eq!((status.as_u16(), answer), expected, "{body}");
    }
    let longest = because(json!("a_".repeat(32)));
    let (status, disputed) = dispute(&stage, &charge, longest).await;
    assert_eq!(status, 200);

    for (body, error) in [
        (json!({ "text": "" }), "invalid_evidence"),
        (json!({ "text": "x".repeat(10_001) }), "invalid_evidence"),
        (json!({ "text": "refused_evidence" }), "invalid_evidence"),
        (json!({ "dispute": "dp_1" }), "malformed_body"),
        (json!({ "Text": "x" }), "malformed_body"),
        (json!({ "text": null }), "malformed_body"),
        (json!({ "text": "x", "more": 1 }), "malformed_body"),
        (json!({}), "malformed_body"),
    ] {
        let (status, answer) = evidence(&stage, &disputed, "e", body).await;
        assert_eq!((status.as_u16(), answer), (400, json!({ "error": error })));
    }
    let id = disputed["id"].as_str().unwrap();
    let keyless = stage.act(&format!("/v1/disputes/{id}/evidence")).await;
    let required = json!({ "error": "idempotency_key_required" });
    assert_eq!(keyless, (StatusCode::BAD_REQUEST, required));
    assert_eq!(shown(&stage, &disputed).await.1, disputed);

    // The longest texts fit into a line of the journal, in whatever letters they are.
    for (key, letter) in [("e1", "€"), ("e2", "\u{10348}"), ("e3", "\u{1}")] {
        let text = json!({ "text": letter.repeat(10_000) });
        assert_eq!(evidence(&stage, &disputed, key, text).await.0, 200, "{key}");
    }
    let stage = stage.restarted(|_| ()).await;
    assert_eq!(shown(&stage, &disputed).await.1["status"], "under_review");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_dispute_is_not_found() {
    let stage = Stage::set(None).await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    let unheard = json!({ "id": "dp_unheard" });
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_dispute" }));
    for dispute in [&unheard, &charge] {
        for verb in ["withdraw", "reinstate", "win", "lose"] {
            assert_eq!(bank(&stage, dispute, verb).await, none, "{verb}");
        }
        assert_eq!(shown(&stage, dispute).await, none);
        let text = json!({ "text": "x" });
        assert_eq!(evidence(&stage, dispute, "e", text).await, none);
    }
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_charge" }));
    let dispute = dispute(&stage, &unheard, json!({ "amount": 1 })).await;
    assert_eq!(dispute, none);
    assert_eq!(stage.redeliver(&unheard).await, none);
    assert_eq!(stage.redeliver_all(&unheard).await, none);
    let (status, answer) = stage.redeliver_all(&charge).await;
    assert_eq!((status, answer), refused("no_webhook_target"));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_are_sent_again_one_after_the_other_even_if_one_is_refused() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, charge) = stage.charge("k", "pm_succeeds").await;
    receiver.next().await;
    let disputed = opened(&stage, &charge, 1).await;
    let opening = receiver.next().await;
    bank(&stage, &disputed, "lose").await;
    let loss = receiver.next().await;

    // The older event is not sent as long as the newer one is not accepted.
    receiver.answer_next([actix_web::http::StatusCode::SERVICE_UNAVAILABLE; 2]);
    let (status, answer) = stage.redeliver_all(&disputed).await;
    let ids = [&loss.event["id"], &opening.event["id"]];
    let expected = json!({ "events": ids, "delivered": true });
    assert_eq!((status.as_u16(), answer), (200, expected));
    let id = |webhook: Webhook| webhook.event["id"].clone();
    for event in [&loss, &loss, &loss, &opening] {
        assert_eq!(id(receiver.next().await), event.event["id"]);
    }

    receiver.answer_next([actix_web::http::StatusCode::SERVICE_UNAVAILABLE; 5]);
    let (_, answer) = stage.redeliver_all(&disputed).await;
    assert_eq!(answer, json!({ "events": ids, "delivered": false }));
    for event in [&loss, &loss, &loss, &loss, &loss, &opening] {
        assert_eq!(id(receiver.next().await), event.event["id"]);
    }
    assert!(receiver.is_quiet());
    stage.strike().await;
    receiver.stop().await;
}

/// What the provider does to a failed charge.
async fn succeed_late(stage: &Stage, charge: &Value) -> (StatusCode, Value) {
    let id = charge["id"].as_str().unwrap();
    stage.act(&format!("/v1/charges/{id}/succeed-late")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_charge_succeeds_late() {
    let (stage, mut receiver) = stage_and_receiver().await;
    let (_, failed) = stage.charge("k", "pm_declines").await;
    let failure = receiver.next().await;
    let mut late = with(&failed, "status", json!("succeeded"));
    late["decline_code"] = Value::Null;
    let answer = succeed_late(&stage, &failed).await;
    assert_eq!(answer, (StatusCode::OK, late.clone()));
    let success = receiver.next().await;
    assert_tells_of(&success, "charge.succeeded", &late);
    assert_ne!(success.event["id"], failure.event["id"]);
    assert_eq!(stage.totals().await, [1099, 1099, 0, 0]);
    assert_eq!(
        succeed_late(&stage, &failed).await,
        refused("already_finished")
    );

    let authorized = stage.authorize("a", "pm_declines").await;
    receiver.next().await;
    let (_, authorized) = succeed_late(&stage, &authorized).await;
    assert_eq!(authorized["status"], "authorized");
    assert_tells_of(&receiver.next().await, "charge.authorized", &authorized);
    assert_eq!(stage.totals().await, [2099, 1099, 0, 0]);

    let stage = stage.restarted(|_| ()).await;
    stage.sandbox.point_webhooks_at(receiver.target());
    assert_eq!(stage.totals().await, [2099, 1099, 0, 0]);
    assert_eq!(stage.charge("k", "pm_declines").await, answer);
    assert_eq!(stage.inquire("k").await, answer);
    // It is still the one execution of its key.
    assert_eq!(stage.counts("k").await, (1, 2));
    let (_, answer) = stage.redeliver_all(&late).await;
    let ids = [&success.event["id"], &failure.event["id"]];
    assert_eq!(answer, json!({ "events": ids, "delivered": true }));
    assert_eq!(receiver.next().await.event, success.event);
    assert_eq!(receiver.next().await.event, failure.event);

    // From here on it is a charge like any other.
    let capture = json!({ "amount": 1000, "final": false });
    let captured = stage.step("c", &authorized, "captures", capture).await;
    assert_eq!(captured.0, 200);
    let refund = json!({ "amount": 99 });
    assert_eq!(stage.step("r", &late, "refunds", refund).await.0, 200);
    opened(&stage, &late, 1099).await;
    stage.strike().await;
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_failed_charge_succeeds_late() {
    let stage = Stage::set(None).await;
    let (_, succeeded) = stage.charge("a", "pm_succeeds").await;
    let authorized = stage.authorize("b", "pm_succeeds").await;
    let (_, waiting) = stage.charge("c", "pm_requires_action").await;
    for charge in [&succeeded, &authorized, &waiting] {
        let answer = succeed_late(&stage, charge).await;
        assert_eq!(answer, refused("already_finished"));
    }
    let refund = json!({ "amount": 1100 });
    let (_, refund) = stage.step("r", &succeeded, "refunds", refund).await;
    let none = (StatusCode::NOT_FOUND, json!({ "error": "no_such_charge" }));
    for other in [&refund, &json!({ "id": "ch_unheard" })] {
        assert_eq!(succeed_late(&stage, other).await, none);
    }

    // The payer who gave up has paid after all.
    let id = waiting["id"].as_str().unwrap();
    stage.act(&format!("/pay/{id}/fail")).await;
    let (status, late) = succeed_late(&stage, &waiting).await;
    assert_eq!(
        (status.as_u16(), &late["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(stage.counts("c").await, (1, 1));
    assert_eq!(stage.totals().await, [3198, 2198, 0, 0]);
    stage.strike().await;
}
