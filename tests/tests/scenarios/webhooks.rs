//! Webhooks received: each row of the table of answers, in sequence and racing.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases, scenario};
use tokio::task::JoinSet;
use webhook_signatures::{Scheme, Secret, sign};

use crate::books_hold;
use crate::given::{eventually, is_problem, text};
use crate::shop::{PRICE, Shop};

const PATH: &str = "/webhooks/sandbox";
const STANDARD: Scheme = Scheme::StandardWebhooks;
/// A valid secret that nobody uses.
const OLD: &str = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZA==";
const NEW: &str = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldw==";
const FORGED: &str = "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLWZvcmdlZA==";

on_both_databases!(an_event_is_applied_once_however_often_it_comes);
async fn an_event_is_applied_once_however_often_it_comes(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);

    // The provider is silent, and then reports through its webhook: the waiting client gets the outcome.
    let paying = shop.pay_waiting("k-1", "pm_times_out", 30);
    let telling = async {
        let charge = executed(&shop).await;
        let event = event("evt_1", "charge.succeeded", &charge);
        (provider.deliver(&event).await, event)
    };
    let (reply, (applied, event)) = tokio::join!(paying, telling);

    assert_eq!(said(&applied), (200, "applied".to_owned()));
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("succeeded"))
    );
    for _ in 0..3 {
        assert_eq!(
            said(&provider.deliver(&event).await),
            (200, "duplicate".to_owned())
        );
    }
    shop.assert_captured(1).await;
    assert_eq!(kept(&database), (1, 0));
    books_hold(&database);
}

on_both_databases!(twenty_deliveries_at_once_are_applied_once);
async fn twenty_deliveries_at_once_are_applied_once(database: Database) {
    let shop = Shop::open(&database);
    race(&shop, &[Sender::of(&shop)]).await;
    assert_eq!(kept(&database), (1, 0));
    books_hold(&database);
}

#[test]
fn twenty_deliveries_at_once_on_two_processes_are_applied_once() {
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let other = one.beside(&database);
        race(&one, &[Sender::of(&one), Sender::of(&other)]).await;
        assert_eq!(kept(&database), (1, 0));
        books_hold(&database);
    });
}

on_both_databases!(what_is_not_signed_rightly_is_refused_and_not_kept);
async fn what_is_not_signed_rightly_is_refused_and_not_kept(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let event = event("evt_1", "customer.created", &json!({}));
    let tampered = String::from_utf8_lossy(&event)
        .replace("evt_1", "evt_2")
        .into_bytes();
    let right = provider.headers(now(), &event);
    let forger = Sender {
        secret: secret(STANDARD, FORGED),
        ..provider.clone()
    };
    let without = |name: &str| -> Vec<_> {
        right
            .iter()
            .filter(|(header, _)| *header != name)
            .cloned()
            .collect()
    };

    let timed = |text: &str| {
        let mut headers = right.clone();
        headers
            .iter_mut()
            .filter(|(name, _)| *name == "webhook-timestamp")
            .for_each(|(_, value)| text.clone_into(value));
        headers
    };
    let mut twice = right.clone();
    twice.extend(
        right
            .iter()
            .filter(|(name, _)| *name == "webhook-timestamp")
            .cloned(),
    );
    for (case, headers, body) in [
        ("forged", forger.headers(now(), &event), &event),
        ("tampered", right.clone(), &tampered),
        ("stale", provider.headers(now() - 400, &event), &event),
        ("future", provider.headers(now() + 400, &event), &event),
        ("at no time", provider.headers(i64::MAX, &event), &event),
        ("in 1970", provider.headers(0, &event), &event),
        ("beyond numbers", timed("99999999999999999999"), &event),
        ("negative", timed("-1"), &event),
        ("unsigned", Vec::new(), &event),
        ("no id", without("webhook-id"), &event),
        ("no time", without("webhook-timestamp"), &event),
        ("no signature", without("webhook-signature"), &event),
        ("two times", twice, &event),
    ] {
        let refused = provider.send(&headers, body).await;
        is_problem(case, &refused, 401, "signature_refused");
        let told = String::from_utf8_lossy(&refused.body).into_owned();
        for why in ["secret", "missing", "old", "future", "webhook-"] {
            assert!(
                !told.contains(why),
                "{case}: only that it failed, not {why}: {told}"
            );
        }
    }

    assert_eq!(kept(&database), (0, 0));
    assert_eq!(shop.counter("florin_webhooks_refused_total").await, 13);
    for early in [-200, 200] {
        let headers = provider.headers(now() + early, &event);
        assert_eq!(
            provider.send(&headers, &event).await.status,
            200,
            "within the tolerance"
        );
    }
    books_hold(&database);
}

on_both_databases!(what_cannot_be_verified_as_it_was_sent_is_refused);
async fn what_cannot_be_verified_as_it_was_sent_is_refused(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let event = event("evt_1", "customer.created", &json!({}));

    for encoding in ["gzip", "br", "identity"] {
        let mut headers = provider.headers(now(), &event);
        headers.push(("content-encoding", encoding.to_owned()));
        let refused = provider.send(&headers, &event).await;
        is_problem(encoding, &refused, 415, "unsupported_media_type");
    }
    let large = vec![b' '; 256 * 1024 + 1];
    let refused = provider.deliver(&large).await;
    is_problem("too large", &refused, 413, "payload_too_large");
    let nobody = Sender {
        path: "/webhooks/nobody",
        ..provider
    };
    is_problem(
        "unknown provider",
        &nobody.deliver(&event).await,
        404,
        "not_found",
    );

    assert_eq!(kept(&database), (0, 0));
    books_hold(&database);
}

on_both_databases!(signed_bytes_that_are_no_event_are_quarantined_once);
async fn signed_bytes_that_are_no_event_are_quarantined_once(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let no_charge = event("evt_1", "charge.succeeded", &json!({"id": "ch_1"}));
    let bodies: [(&[u8], u16, &str); 6] = [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"{\"id\":\"evt_1\"}", 422, "invalid_field"),
        (
            b"{\"id\":\"evt\\u0000\",\"type\":\"customer.created\"}",
            422,
            "invalid_field",
        ),
        (&no_charge, 422, "invalid_field"),
    ];

    for _ in 0..2 {
        for (body, status, code) in bodies {
            let refused = provider.deliver(body).await;
            is_problem(&String::from_utf8_lossy(body), &refused, status, code);
        }
    }

    assert_eq!(kept(&database), (0, 6));
    // The id that the malformed event had is still free.
    let right = event("evt_1", "customer.created", &json!({}));
    assert_eq!(
        said(&provider.deliver(&right).await),
        (200, "stored".to_owned())
    );
    books_hold(&database);
}

on_both_databases!(an_event_of_an_unknown_type_is_stored);
async fn an_event_of_an_unknown_type_is_stored(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let event = event("evt_1", "customer.created", &json!({"id": "cus_1"}));

    assert_eq!(
        said(&provider.deliver(&event).await),
        (200, "stored".to_owned())
    );
    assert_eq!(
        said(&provider.deliver(&event).await),
        (200, "duplicate".to_owned())
    );
    assert_eq!(kept(&database), (1, 0));
    books_hold(&database);
}

on_both_databases!(other_content_under_a_known_id_is_quarantined);
async fn other_content_under_a_known_id_is_quarantined(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let paid = shop.pay("k-1", "pm_server_error").await;
    let charge = shop.charge_of(&text(&paid.json(), "/id")).await;
    let first = event("evt_1", "charge.succeeded", &charge);
    assert_eq!(
        said(&provider.deliver(&first).await),
        (200, "applied".to_owned())
    );

    let mut larger = charge.clone();
    larger["amount"] = json!(PRICE * 2);
    let mut failed = charge.clone();
    failed["status"] = json!("failed");
    for changed in [
        event("evt_1", "charge.succeeded", &larger),
        event("evt_1", "charge.failed", &failed),
        event("evt_1", "customer.created", &json!({})),
    ] {
        for _ in 0..2 {
            let answer = provider.deliver(&changed).await;
            assert_eq!(said(&answer), (200, "quarantined".to_owned()));
        }
    }

    assert_eq!(kept(&database), (1, 3));
    assert_eq!(
        said(&provider.deliver(&first).await),
        (200, "duplicate".to_owned())
    );
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_fact_that_contradicts_what_is_final_is_quarantined);
async fn a_fact_that_contradicts_what_is_final_is_quarantined(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let paid = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    let declined = text(&shop.pay("k-2", "pm_declines").await.json(), "/resource");
    eventually("the provider's own webhooks", async || {
        (kept(&database) == (2, 0)).then_some(())
    })
    .await;

    let mut failed = shop.charge_of(&paid).await;
    failed["status"] = json!("failed");
    let failed = event("evt_1", "charge.failed", &failed);
    let mut other_reason = shop.charge_of(&declined).await;
    other_reason["decline_code"] = json!("expired_card");
    let other_reason = event("evt_2", "charge.failed", &other_reason);
    let mut larger = shop.charge_of(&paid).await;
    larger["amount"] = json!(PRICE + 1);
    let larger = event("evt_3", "charge.succeeded", &larger);
    for event in [&failed, &other_reason, &larger] {
        assert_eq!(
            said(&provider.deliver(event).await),
            (200, "quarantined".to_owned())
        );
    }

    assert_eq!(shop.payment(&paid).await["status"], "succeeded");
    assert_eq!(
        shop.payment(&declined).await["status"],
        "requires_payment_method"
    );
    shop.assert_captured(1).await;
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 3);
    books_hold(&database);
}

on_both_databases!(a_wrong_amount_is_quarantined_and_the_right_one_still_applied);
async fn a_wrong_amount_is_quarantined_and_the_right_one_still_applied(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    // The provider is silent for the whole scenario: only webhooks report.
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let id = text(&reply.json(), "/id");
    let charge = shop.charge_of(&id).await;
    let (mut larger, mut dollars) = (charge.clone(), charge.clone());
    larger["amount"] = json!(PRICE + 1);
    dollars["currency"] = json!("USD");

    for (id, wrong) in [("evt_1", &larger), ("evt_2", &dollars)] {
        let answer = provider
            .deliver(&event(id, "charge.succeeded", wrong))
            .await;
        assert_eq!(said(&answer), (200, "quarantined".to_owned()));
    }
    assert_eq!(shop.payment(&id).await["status"], "processing");
    shop.assert_captured(0).await;
    let right = event("evt_3", "charge.succeeded", &charge);
    assert_eq!(
        said(&provider.deliver(&right).await),
        (200, "applied".to_owned())
    );
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(an_event_before_its_cause_is_parked_and_applied_when_the_cause_is_there);
async fn an_event_before_its_cause_is_parked_and_applied_when_the_cause_is_there(
    database: Database,
) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let reply = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    let id = text(&reply.json(), "/id");
    let early = json!({
        "id": "ch_1", "amount": PRICE, "currency": "EUR", "decline_code": null,
        "idempotency_key": "op_not_known_yet",
    });
    let early = event("evt_1", "charge.succeeded", &early);

    for _ in 0..3 {
        assert_eq!(
            said(&provider.deliver(&early).await),
            (202, "parked".to_owned())
        );
    }
    assert_eq!(kept(&database), (1, 0));
    assert_eq!(shop.payment(&id).await["status"], "processing");
    shop.assert_captured(0).await;

    // The server chooses a provider key, and nobody knows it before the commit. So this simulates the late commit: from
    // now on there is an operation with the key that the event names.
    database.execute_raw("UPDATE operation SET provider_key = 'op_not_known_yet'");
    assert_eq!(shop.finished(&id).await["status"], "succeeded");
    assert_eq!(
        said(&provider.deliver(&early).await),
        (200, "duplicate".to_owned())
    );
    shop.assert_captured(1).await;
    assert_eq!(kept(&database), (1, 0));
    books_hold(&database);
}

on_both_databases!(an_event_is_found_among_many_whose_cause_never_comes);
async fn an_event_is_found_among_many_whose_cause_never_comes(database: Database) {
    // More than one look reads.
    const OTHERS: usize = 2_100;
    const AT_ONCE: usize = 60;
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let reply = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    let id = text(&reply.json(), "/id");
    let about = |number: usize, key: &str| {
        let charge = json!({
            "id": format!("ch_{number}"), "amount": PRICE, "currency": "EUR", "decline_code": null,
            "idempotency_key": key,
        });
        event(&format!("evt_{number}"), "charge.succeeded", &charge)
    };
    for first in (0..OTHERS).step_by(AT_ONCE) {
        let mut sent = JoinSet::new();
        for number in first..first + AT_ONCE {
            let (provider, other) = (provider.clone(), about(number, &format!("op_a{number}")));
            sent.spawn(async move { provider.deliver(&other).await });
        }
        for reply in sent.join_all().await {
            assert_eq!(said(&reply), (202, "parked".to_owned()));
        }
    }
    let parked = provider.deliver(&about(OTHERS, "op_not_known_yet")).await;
    assert_eq!(said(&parked), (202, "parked".to_owned()));

    database.execute_raw("UPDATE operation SET provider_key = 'op_not_known_yet'");
    assert_eq!(shop.finished(&id).await["status"], "succeeded");
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(while_a_secret_is_replaced_the_old_and_the_new_one_are_accepted);
async fn while_a_secret_is_replaced_the_old_and_the_new_one_are_accepted(database: Database) {
    let [old, new] = [OLD, NEW].map(|secret| format!("sandbox=standard-webhooks:{secret}"));
    let both = [
        "--webhook-secret",
        old.as_str(),
        "--webhook-secret",
        new.as_str(),
    ];
    let shop = Shop::open_with(&database, &both);
    let signed_with = |text| Sender {
        secret: secret(STANDARD, text),
        ..Sender::of(&shop)
    };

    for (id, text, status) in [
        ("evt_1", OLD, 200),
        ("evt_2", NEW, 200),
        ("evt_3", FORGED, 401),
    ] {
        let event = event(id, "customer.created", &json!({}));
        assert_eq!(
            signed_with(text).deliver(&event).await.status,
            status,
            "{id}"
        );
    }

    // The time of two secrets ends with a restart that no longer has the old one.
    drop(shop);
    let shop = Shop::open_with(&database, &both[2..]);
    let signed_with = |text| Sender {
        secret: secret(STANDARD, text),
        ..Sender::of(&shop)
    };
    for (id, text, status) in [("evt_4", OLD, 401), ("evt_5", NEW, 200)] {
        let event = event(id, "customer.created", &json!({}));
        assert_eq!(
            signed_with(text).deliver(&event).await.status,
            status,
            "{id}"
        );
    }
    assert_eq!(kept(&database), (3, 0));
    books_hold(&database);
}

on_both_databases!(each_provider_has_its_own_scheme);
async fn each_provider_has_its_own_scheme(database: Database) {
    let stripe = "whsec_of_another_scheme_0123456789";
    let setting = format!("stripe=stripe:{stripe}");
    let shop = Shop::open_with(&database, &["--webhook-secret", &setting]);
    let sandbox = Sender::of(&shop);
    let stripe = Sender {
        path: "/webhooks/stripe",
        scheme: Scheme::Stripe,
        secret: secret(Scheme::Stripe, stripe),
        ..sandbox.clone()
    };
    let event = event("evt_1", "customer.created", &json!({}));

    // One event id of two providers means two events.
    for sender in [&stripe, &sandbox] {
        assert_eq!(
            said(&sender.deliver(&event).await),
            (200, "stored".to_owned())
        );
    }
    let crossed = Sender {
        path: stripe.path,
        ..sandbox.clone()
    };
    is_problem(
        "crossed",
        &crossed.deliver(&event).await,
        401,
        "signature_refused",
    );
    let stale = stripe.headers(now() - 400, &event);
    is_problem(
        "stale",
        &stripe.send(&stale, &event).await,
        401,
        "signature_refused",
    );
    assert_eq!(kept(&database), (2, 0));
    books_hold(&database);
}

/// Twenty deliveries of one event at once, from each sender in turn.
async fn race(shop: &Shop, senders: &[Sender]) {
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let id = text(&reply.json(), "/id");
    let event = event("evt_1", "charge.succeeded", &shop.charge_of(&id).await);

    let mut delivering = JoinSet::new();
    for sender in senders.iter().cycle().take(20) {
        let (sender, event) = (sender.clone(), event.clone());
        delivering.spawn(async move { said(&sender.deliver(&event).await) });
    }

    let mut answers = delivering.join_all().await;
    answers.sort_unstable();
    let mut expected = vec![(200, "duplicate".to_owned()); 20];
    expected[0] = (200, "applied".to_owned());
    assert_eq!(answers, expected);
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    shop.assert_captured(1).await;
}

/// A sender of webhooks to one server.
#[derive(Clone)]
pub(crate) struct Sender {
    to: Client,
    path: &'static str,
    scheme: Scheme,
    secret: Secret,
}

impl Sender {
    /// The sandbox provider, played by the scenario.
    pub(crate) fn of(shop: &Shop) -> Self {
        Self {
            to: Client::new(shop.florin.api(), None),
            path: PATH,
            scheme: STANDARD,
            secret: secret(STANDARD, shop.florin.webhook_secret()),
        }
    }

    /// A sandbox provider of another name.
    pub(crate) fn called(shop: &Shop, path: &'static str) -> Self {
        Self {
            path,
            ..Self::of(shop)
        }
    }

    /// As [`Sender::deliver`], to a receiver that may die before it answers.
    pub(crate) async fn try_deliver(&self, body: &[u8]) -> Result<Reply, reqwest::Error> {
        let signed = self.headers(now(), body);
        let mut all = vec![("content-type", "application/json")];
        all.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
        self.to
            .try_send(Method::POST, self.path, &all, body.to_vec())
            .await
    }

    /// A provider whose webhooks are signed in this scheme, with this secret.
    pub(crate) fn signing(shop: &Shop, path: &'static str, scheme: Scheme, text: &str) -> Self {
        let (to, secret) = (Client::new(shop.florin.api(), None), secret(scheme, text));
        Self {
            to,
            path,
            scheme,
            secret,
        }
    }

    /// The headers that sign a body, at this time in Unix seconds.
    pub(crate) fn headers(&self, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
        sign(self.scheme, &self.secret, "msg_1", at, body).expect("signed")
    }

    /// Sends a body, signed now.
    pub(crate) async fn deliver(&self, body: &[u8]) -> Reply {
        self.send(&self.headers(now(), body), body).await
    }

    /// Sends a body, signed at this time in Unix seconds.
    pub(crate) async fn deliver_at(&self, at: i64, body: &[u8]) -> Reply {
        self.send(&self.headers(at, body), body).await
    }

    /// Sends a body with these headers.
    pub(crate) async fn send(&self, headers: &[(&'static str, String)], body: &[u8]) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
        self.to
            .send(Method::POST, self.path, &all, body.to_vec())
            .await
    }
}

fn secret(scheme: Scheme, text: &str) -> Secret {
    Secret::parse(scheme, text).expect("a secret")
}

/// The time of the machine's clock, which the server uses too: Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of time")
}

pub(crate) fn event(id: &str, kind: &str, about: &Value) -> Vec<u8> {
    let event = json!({"id": id, "type": kind, "created": now(), "data": {"object": about}});
    event.to_string().into_bytes()
}

/// The one charge that the provider executed, after it executed it.
async fn executed(shop: &Shop) -> Value {
    eventually("the provider executes", async || {
        shop.journal()
            .await
            .into_iter()
            .find(|row| row["effects"] == 1)
    })
    .await
}

/// The result of a webhook: the status and the word.
pub(crate) fn said(reply: &Reply) -> (u16, String) {
    (reply.status, text(&reply.json(), "/status"))
}

/// Number of events in the inbox and in the quarantine.
pub(crate) fn kept(database: &Database) -> (i64, i64) {
    let count = |table| database.number(&format!("SELECT count(*) FROM {table}"));
    (count("inbox"), count("quarantine"))
}
