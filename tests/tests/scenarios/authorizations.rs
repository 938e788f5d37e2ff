//! Authorizations: captured as a whole and in parts, incremented, voided, and raced for.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{as_read, eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, order, pointers};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "500"];

/// The amounts of a payment: authorized, capturable, captured, refunded.
fn amounts(payment: &Value) -> [i64; 4] {
    ["authorized", "capturable", "captured", "refunded"]
        .map(|name| number(payment, &format!("/amount_{name}")))
}

/// Asserts that a move was refused because of the state, and that the problem names the state and the legal moves.
fn is_refused_by_state(case: &str, reply: &Reply, state: &str, moves: &[&str]) {
    is_problem(case, reply, 409, "payment_state_conflict");
    let problem = reply.json();
    assert_eq!(problem["state"], state, "{case}: {problem}");
    assert_eq!(problem["moves"], json!(moves), "{case}: {problem}");
}

on_both_databases!(an_authorization_is_captured_as_a_whole);
async fn an_authorization_is_captured_as_a_whole(database: Database) {
    let shop = Shop::open(&database);

    let payment = shop.authorize("k-1", "pm_succeeds").await;

    let id = text(&payment, "/id");
    assert_eq!(payment["status"], "requires_capture");
    assert_eq!(amounts(&payment), [PRICE, PRICE, 0, 0]);
    assert_eq!(shop.payment(&id).await, as_read(payment));
    shop.assert_as_the_provider_says().await;
    shop.assert_captured(0).await;
    let reply = shop.ask(&id, "capture", "c-1", &json!({})).await;
    let captured = reply.json();
    assert_eq!(
        (reply.status, &captured["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(amounts(&captured), [PRICE, 0, PRICE, 0]);
    shop.assert_as_the_provider_says().await;
    shop.assert_captured(1).await;
    let again = shop.ask(&id, "capture", "c-1", &json!({})).await;
    assert_eq!((again.status, &again.body), (200, &reply.body));
    let late = shop.ask(&id, "capture", "c-2", &json!({})).await;
    is_refused_by_state("captured twice", &late, "succeeded", &["refunded"]);
    for (to, body) in [("cancel", json!({})), ("increment", json!({"amount": 1}))] {
        let late = shop.ask(&id, to, to, &body).await;
        is_refused_by_state(to, &late, "succeeded", &["refunded"]);
    }
    books_hold(&database);
}

on_both_databases!(an_authorization_is_captured_in_parts_and_the_last_one_releases_the_rest);
async fn an_authorization_is_captured_in_parts_and_the_last_one_releases_the_rest(
    database: Database,
) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");
    let part = |amount: i64, last: bool| json!({"amount": amount, "final": last});

    let too_much = shop
        .ask(&id, "capture", "c-0", &part(PRICE + 1, true))
        .await;
    is_problem(
        "more than is authorized",
        &too_much,
        422,
        "exceeds_remaining",
    );
    assert_eq!(too_much.json()["left"], PRICE);
    assert_eq!(pointers(&too_much), ["/amount"]);
    let mut version = number(&shop.payment(&id).await, "/version");
    for (key, amount, status, left) in [
        ("c-1", 300, "requires_capture", 799),
        ("c-2", 400, "requires_capture", 399),
    ] {
        let reply = shop.ask(&id, "capture", key, &part(amount, false)).await;
        let payment = reply.json();
        assert_eq!(
            (reply.status, &payment["status"]),
            (200, &json!(status)),
            "{payment}"
        );
        assert_eq!(number(&payment, "/amount_capturable"), left);
        // A version is a change: the submission and the outcome.
        version += 2;
        assert_eq!(number(&payment, "/version"), version);
        shop.assert_as_the_provider_says().await;
    }
    let too_much = shop.ask(&id, "capture", "c-3", &part(400, false)).await;
    is_problem("more than is left", &too_much, 422, "exceeds_remaining");
    assert_eq!(too_much.json()["left"], 399);
    let last = shop.ask(&id, "capture", "c-4", &part(99, true)).await;
    assert_eq!(
        (last.status, &last.json()["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(amounts(&last.json()), [PRICE, 0, 799, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_part_that_takes_the_whole_rest_ends_the_payment);
async fn a_part_that_takes_the_whole_rest_ends_the_payment(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");

    for (key, amount, status) in [("c-1", 99, "requires_capture"), ("c-2", 1000, "succeeded")] {
        let part = json!({"amount": amount, "final": false});
        let reply = shop.ask(&id, "capture", key, &part).await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (200, &json!(status))
        );
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_move_that_the_provider_refuses_leaves_the_authorization_as_it_was);
async fn a_move_that_the_provider_refuses_leaves_the_authorization_as_it_was(database: Database) {
    let shop = Shop::open(&database);
    for (to, body) in [
        ("capture", json!({"amount": 700})),
        ("capture", json!({"amount": 700, "final": false})),
        ("increment", json!({"amount": 700})),
        ("cancel", json!({})),
    ] {
        let step = if to == "cancel" { "void" } else { to };
        let method = format!("pm_{step}_declines");
        let key = format!("{to}-{body}");
        let id = text(&shop.authorize(&key, &method).await, "/id");

        let refused = shop.ask(&id, to, &format!("{key}-1"), &body).await;

        is_problem(to, &refused, 402, "declined");
        let problem = refused.json();
        assert_eq!(problem["decline_code"], "do_not_honor");
        assert_eq!(problem["resource"], json!(id));
        let payment = shop.payment(&id).await;
        assert_eq!(payment["status"], "requires_capture", "{to}");
        assert_eq!(amounts(&payment), [PRICE, PRICE, 0, 0], "{to}");
        assert_eq!(
            payment["decline_code"],
            Value::Null,
            "the payment itself was not declined"
        );
        shop.assert_as_the_provider_says().await;
    }
    books_hold(&database);
}

on_both_databases!(a_move_without_an_answer_is_finished_by_inquiry);
async fn a_move_without_an_answer_is_finished_by_inquiry(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);
    for fault in ["server_error", "times_out"] {
        for (to, ends) in [
            ("capture", "succeeded"),
            ("cancel", "canceled"),
            ("increment", "requires_capture"),
        ] {
            let step = if to == "cancel" { "void" } else { to };
            let method = format!("pm_{step}_{fault}");
            let id = text(&shop.authorize(&method, &method).await, "/id");
            let body = match to {
                "increment" => json!({"amount": 1}),
                _ => json!({}),
            };

            let reply = shop.ask(&id, to, &format!("{method}-1"), &body).await;

            assert_eq!(reply.status, 202, "{method}: {}", reply.json());
            let payment = eventually("the outcome is known", async || {
                let payment = shop.payment(&id).await;
                let is_known = match to {
                    "increment" => payment["amount"] == PRICE + 1,
                    _ => payment["status"] != "processing",
                };
                is_known.then_some(payment)
            })
            .await;
            assert_eq!(payment["status"], ends, "{method}");
            shop.assert_as_the_provider_says().await;
            // The stored answer stays.
            let again = shop.ask(&id, to, &format!("{method}-1"), &body).await;
            assert_eq!((again.status, &again.body), (202, &reply.body), "{method}");
        }
    }
    for row in shop.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    books_hold(&database);
}

on_both_databases!(a_webhook_about_a_move_may_come_before_the_reply_or_twice);
async fn a_webhook_about_a_move_may_come_before_the_reply_or_twice(database: Database) {
    let shop = Shop::open(&database);
    for order in ["webhook_before_reply", "webhook_twice"] {
        for to in ["capture", "cancel"] {
            let step = if to == "cancel" { "void" } else { to };
            let method = format!("pm_{step}_{order}");
            let id = text(&shop.authorize(&method, &method).await, "/id");
            let reply = shop.ask(&id, to, &format!("{method}-1"), &json!({})).await;
            assert_eq!(reply.status, 200, "{method}: {}", reply.json());
        }
    }
    // An event for each authorization and each move; those that are sent twice are applied once.
    eventually("the webhooks", async || {
        (database.number("SELECT count(*) FROM inbox WHERE status = 'applied'") == 8).then_some(())
    })
    .await;
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(an_authorization_is_voided_and_nothing_is_left);
async fn an_authorization_is_voided_and_nothing_is_left(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");

    let reply = shop.ask(&id, "cancel", "v-1", &json!({})).await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &json!("canceled"))
    );
    assert_eq!(amounts(&reply.json()), [PRICE, 0, 0, 0]);
    shop.assert_as_the_provider_says().await;
    for (to, body) in [
        ("capture", json!({})),
        ("increment", json!({"amount": 1})),
        ("refunds", json!({})),
        ("cancel", json!({})),
        ("confirm", json!({})),
    ] {
        let late = shop.ask(&id, to, to, &body).await;
        is_refused_by_state(to, &late, "canceled", &[]);
    }
    books_hold(&database);
}

on_both_databases!(a_void_after_a_part_was_captured_keeps_the_part);
async fn a_void_after_a_part_was_captured_keeps_the_part(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");
    let part = json!({"amount": 99, "final": false});
    assert_eq!(shop.ask(&id, "capture", "c-1", &part).await.status, 200);

    let reply = shop.ask(&id, "cancel", "v-1", &json!({})).await;

    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &json!("succeeded"))
    );
    assert_eq!(amounts(&reply.json()), [PRICE, 0, 99, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payment_that_no_provider_has_is_canceled_at_once);
async fn a_payment_that_no_provider_has_is_canceled_at_once(database: Database) {
    let shop = Shop::open(&database);
    for (key, method) in [("k-1", json!("pm_succeeds")), ("k-2", Value::Null)] {
        let body = json!({"amount": PRICE, "currency": "EUR", "payment_method": method,
                          "confirm": false, "capture_method": "manual"});
        let made = shop.client.post("/v1/payments", key, &body).await;
        let id = text(&made.json(), "/id");
        let early = shop
            .ask(&id, "capture", &format!("{key}-c"), &json!({}))
            .await;
        let state = text(&made.json(), "/status");
        is_refused_by_state("not confirmed", &early, &state, &["confirmed", "canceled"]);

        let reply = shop
            .ask(&id, "cancel", &format!("{key}-v"), &json!({}))
            .await;

        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (200, &json!("canceled"))
        );
        assert_eq!(shop.payment(&id).await, as_read(reply.json()));
    }
    assert_eq!(shop.journal().await.len(), 0, "no provider was called");
    books_hold(&database);
}

on_both_databases!(an_authorization_grows_and_is_captured_with_what_was_added);
async fn an_authorization_grows_and_is_captured_with_what_was_added(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");

    let reply = shop
        .ask(&id, "increment", "i-1", &json!({"amount": 901}))
        .await;

    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.json()["amount"], 2000);
    assert_eq!(amounts(&reply.json()), [2000, 2000, 0, 0]);
    shop.assert_as_the_provider_says().await;
    let much = shop
        .ask(&id, "increment", "i-2", &json!({"amount": i64::MAX}))
        .await;
    is_problem("too large to be counted", &much, 422, "balance_overflow");
    let reply = shop
        .ask(&id, "capture", "c-1", &json!({"amount": 2000}))
        .await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &json!("succeeded"))
    );
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(while_a_capture_has_no_outcome_the_rest_is_not_given_up);
async fn while_a_capture_has_no_outcome_the_rest_is_not_given_up(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);
    let id = text(
        &shop.authorize("k-1", "pm_capture_never_answers").await,
        "/id",
    );
    let part = json!({"amount": 99, "final": false});
    let first = shop.ask(&id, "capture", "c-1", &part).await;
    assert_eq!(
        (first.status, &first.json()["status"]),
        (202, &json!("requires_capture"))
    );
    assert_eq!(amounts(&first.json()), [PRICE, 1000, 0, 0]);

    for (to, body) in [("cancel", json!({})), ("capture", json!({"amount": 1}))] {
        let refused = shop.ask(&id, to, to, &body).await;
        is_problem(to, &refused, 409, "operation_in_flight");
        assert_eq!(refused.json()["retryable"], true);
    }
    // Another part can be captured, because the provider gives up nothing with it.
    let second = shop.ask(&id, "capture", "c-2", &part).await;
    assert_eq!(amounts(&second.json()), [PRICE, 901, 0, 0]);
    books_hold(&database);
}

on_both_databases!(what_nobody_captures_in_time_is_voided);
async fn what_nobody_captures_in_time_is_voided(database: Database) {
    let shop = Shop::open_with(&database, &["--authorization-seconds", "1"]);
    let left = shop.authorize("k-1", "pm_succeeds").await;
    assert!(text(&left, "/capture_before") > text(&left, "/created_at"));
    let part = text(&shop.authorize("k-2", "pm_succeeds").await, "/id");
    let body = json!({"amount": 99, "final": false});
    assert_eq!(shop.ask(&part, "capture", "c-1", &body).await.status, 200);
    for (id, status) in [(text(&left, "/id"), "canceled"), (part, "succeeded")] {
        eventually("the time is over", async || {
            (shop.payment(&id).await["status"] == status).then_some(())
        })
        .await;
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(racing_captures_never_take_more_than_is_authorized);
async fn racing_captures_never_take_more_than_is_authorized(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.authorize("k-1", "pm_succeeds").await, "/id");
    let part = json!({"amount": 200, "final": false});

    let statuses = race(&shop, &id, 20, "capture", &part).await;

    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        5,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 422].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(amounts(&shop.payment(&id).await), [PRICE, 99, 1000, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(of_racing_captures_and_voids_one_wins);
async fn of_racing_captures_and_voids_one_wins(database: Database) {
    let shop = Shop::open(&database);
    for round in 0..5 {
        let key = format!("k-{round}");
        let id = text(&shop.authorize(&key, "pm_succeeds").await, "/id");
        let (capture, cancel) = (json!({}), json!({}));
        let (captures, voids) = tokio::join!(
            race(&shop, &id, 5, "capture", &capture),
            race(&shop, &id, 5, "cancel", &cancel)
        );
        let won = |statuses: &[u16]| statuses.iter().filter(|status| **status == 200).count();
        let winners = won(&captures) + won(&voids);
        assert_eq!(winners, 1, "{captures:?} {voids:?}");
        let payment = shop.payment(&id).await;
        let ended = if won(&captures) == 1 {
            "succeeded"
        } else {
            "canceled"
        };
        assert_eq!(payment["status"], ended);
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

/// Asks for the same move many times at once, each time under a key of its own. Returns the statuses.
pub(crate) async fn race(shop: &Shop, id: &str, times: u32, to: &str, body: &Value) -> Vec<u16> {
    let mut racing = JoinSet::new();
    for number in 0..times {
        let (client, body) = (shop.client.clone(), body.clone());
        let path = format!("/v1/payments/{id}/{to}");
        let key = format!("{id}-{to}-{number}");
        racing.spawn(async move { client.post(&path, key.as_str(), &body).await.status });
    }
    racing.join_all().await
}

on_both_databases!(a_payer_who_must_act_at_the_provider_is_sent_there);
async fn a_payer_who_must_act_at_the_provider_is_sent_there(database: Database) {
    let shop = Shop::open(&database);
    for (key, capture, ends) in [
        ("automatic", "complete", "succeeded"),
        ("manual", "complete", "requires_capture"),
        ("automatic", "fail", "requires_payment_method"),
        ("manual", "fail", "requires_payment_method"),
    ] {
        let mut body = order("pm_requires_action");
        body["capture_method"] = json!(key);
        let key = format!("{key}-{capture}");
        let reply = shop.client.post("/v1/payments", key.as_str(), &body).await;
        let payment = reply.json();
        assert_eq!(
            (reply.status, &payment["status"]),
            (201, &json!("requires_action"))
        );
        assert_eq!(payment["next_action"]["type"], "redirect");
        let url = text(&payment, "/next_action/url");
        let id = text(&payment, "/id");
        let early = shop
            .ask(&id, "cancel", &format!("{key}-v"), &json!({}))
            .await;
        is_refused_by_state("the payer is there", &early, "requires_action", &[]);

        let (host, path) = url.split_at(url.find("/pay/").expect("the page of a charge"));
        let provider = Client::new(host, None);
        let acted = provider
            .post(&format!("{path}/{capture}"), None, &json!({}))
            .await;

        assert_eq!(acted.status, 200, "{key}");
        let payment = eventually("the payment goes on", async || {
            let payment = shop.payment(&id).await;
            (payment["status"] != "requires_action").then_some(payment)
        })
        .await;
        assert_eq!(payment["status"], ends, "{key}");
        assert_eq!(payment["next_action"], Value::Null, "{key}");
        let declined = match capture {
            "fail" => json!("authentication_failed"),
            _ => Value::Null,
        };
        assert_eq!(payment["decline_code"], declined, "{key}");
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(one_increment_is_asked_for_at_a_time);
async fn one_increment_is_asked_for_at_a_time(database: Database) {
    let shop = Shop::open(&database);
    let authorized = shop.authorize("k-1", "pm_increment_times_out").await;
    let id = text(&authorized, "/id");
    let path = format!("/v1/payments/{id}/increment");
    let first = shop
        .post_waiting(&path, "i-1", &json!({"amount": 100}), 0)
        .await;
    assert_eq!(first.status, 202, "{}", first.json());
    let second = shop
        .post_waiting(&path, "i-2", &json!({"amount": 50}), 0)
        .await;
    is_problem("a second increment", &second, 409, "operation_in_flight");
    // The refusal is not kept: the same request succeeds later.
    eventually("the first one is known", async || {
        (shop.payment(&id).await["amount"] == PRICE + 100).then_some(())
    })
    .await;
    let again = shop
        .post_waiting(&path, "i-2", &json!({"amount": 50}), 0)
        .await;
    assert_eq!(again.status, 202, "{}", again.json());
    eventually("the second one is known", async || {
        (shop.payment(&id).await["amount"] == PRICE + 150).then_some(())
    })
    .await;
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}
