//! The inbox as a person sees it: what was received, from whom, what became of it, and how it is tried again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};
use webhook_signatures::{Scheme, Secret, Setup, sign};

use crate::books_hold;
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list};
use crate::tenants::verb;
use crate::webhooks::{Sender, event, kept, now, said};

const STRIPE: &str = "whsec_of_the_european_account_0123456789";
const PRIVATE: &[u8] =
    include_bytes!("../../../crates/webhook-signatures/tests/paypal/private-key.pem");
const PUBLIC: &str = include_str!("../../../crates/webhook-signatures/tests/paypal/public-key.pem");
const WEBHOOK_ID: &str = "8PT597110X687430LKGECATA";
const PATH: &str = "/v1/webhook_events";

/// A charge as the sandbox reports it, with another amount if one is given.
fn charge(key: &str, amount: i64) -> Value {
    json!({
        "id": format!("ch_of_{key}"), "amount": amount, "currency": "EUR", "decline_code": null,
        "idempotency_key": key,
    })
}

impl Shop {
    /// The events of the inbox that match a query.
    async fn inbox(&self, query: &str) -> Vec<Value> {
        let reply = self.client.get(&format!("{PATH}?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.json());
        list(&reply.json())
    }

    async fn reprocess(&self, event: &Value) -> Reply {
        let path = format!("{PATH}/{}/reprocess", text(event, "/id"));
        self.client.send(Method::POST, &path, &[], Vec::new()).await
    }
}

/// Delivers one event of each kind, and returns the key of the operation that the first two are about.
async fn one_of_each(shop: &Shop) -> String {
    let provider = Sender::of(shop);
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let payment = text(&reply.json(), "/id");
    let paid = shop.charge_of(&payment).await;
    let key = text(&paid, "/idempotency_key");
    let mut wrong = paid.clone();
    wrong["amount"] = json!(PRICE + 1);
    for (body, word) in [
        (event("evt_applied", "charge.succeeded", &paid), "applied"),
        (
            event("evt_wrong", "charge.succeeded", &wrong),
            "quarantined",
        ),
        (
            event("evt_early", "charge.succeeded", &charge("op_early", PRICE)),
            "parked",
        ),
        (
            event("evt_other", "customer.created", &json!({"n": 1})),
            "stored",
        ),
        (
            event("evt_other", "customer.created", &json!({"n": 2})),
            "quarantined",
        ),
    ] {
        assert_eq!(said(&provider.deliver(&body).await).1, word);
    }
    let not_json = provider.deliver(b"{\"id\": ").await;
    is_problem("no JSON", &not_json, 400, "malformed_json");
    key
}

on_both_databases!(every_event_is_listed_with_what_became_of_it);
async fn every_event_is_listed_with_what_became_of_it(database: Database) {
    let shop = Shop::open(&database);
    let key = one_of_each(&shop).await;
    let all = shop.inbox("limit=100").await;
    let seen: Vec<(&str, &str)> = all
        .iter()
        .map(|event| {
            let word = |name: &str| event[name].as_str().unwrap_or("-");
            (word("type"), word("status"))
        })
        .collect();
    let expected = [
        ("-", "quarantined"),
        ("-", "quarantined"),
        ("customer.created", "stored"),
        ("charge.succeeded", "parked"),
        ("charge.succeeded", "quarantined"),
        ("charge.succeeded", "applied"),
    ];
    assert_eq!(seen, expected);
    assert!(all.iter().all(|event| event.get("body").is_none()));
    for (query, count) in [
        ("status=applied", 1),
        ("status=parked", 1),
        ("status=stored", 1),
        ("status=dead", 0),
        ("status=quarantined", 3),
        ("provider=sandbox", 6),
        ("provider=nobody", 0),
        ("type=charge.succeeded", 3),
        ("event_id=evt_other", 2),
        ("event_id=evt_other&status=stored", 1),
        ("type=charge.succeeded&status=quarantined", 1),
    ] {
        assert_eq!(shop.inbox(query).await.len(), count, "{query}");
    }
    // What was put aside is about the operation too.
    assert_eq!(shop.inbox(&format!("operation={key}")).await.len(), 2);
    let first = shop.client.get(&format!("{PATH}?limit=4")).await.json();
    let cursor = text(&first, "/next_cursor");
    let rest = shop.inbox(&format!("limit=4&cursor={cursor}")).await;
    assert_eq!((list(&first).len(), rest.len()), (4, 2));
    for (query, code) in [
        ("status=lost", "unknown_value"),
        ("operation=op_1", "malformed_id"),
    ] {
        let refused = shop.client.get(&format!("{PATH}?{query}")).await;
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["code"]),
            (400, &json!(code))
        );
    }
    books_hold(&database);
}

on_both_databases!(an_event_is_shown_with_its_headers_and_its_bytes);
async fn an_event_is_shown_with_its_headers_and_its_bytes(database: Database) {
    let shop = Shop::open(&database);
    let key = one_of_each(&shop).await;
    let applied = &shop.inbox("status=applied").await[0];
    let shown = shop
        .client
        .get(&format!("{PATH}/{}", text(applied, "/id")))
        .await
        .json();
    assert_eq!(shown["delivery"]["scheme"], "standard-webhooks");
    assert_eq!(shown["delivery"]["covers"], "body");
    assert!(number(&shown, "/delivery/signed_at") > now() - 3_600);
    let headers = shown["delivery"]["headers"].as_array().expect("headers");
    assert!(
        headers
            .iter()
            .any(|header| header["name"] == "webhook-signature")
    );
    let body: Value = serde_json::from_str(&text(&shown, "/body")).expect("the bytes");
    assert_eq!(body["id"], "evt_applied");
    assert_eq!(shown["reference"], json!(key));

    let absent = shop.client.get(&format!("{PATH}/whe_{:032x}", 1)).await;
    is_problem("absent", &absent, 404, "not_found");
    let stranger = Client::new(
        shop.florin.api(),
        Some(crate::shop::second_tenant(&database).await),
    );
    let foreign = stranger
        .get(&format!("{PATH}/{}", text(applied, "/id")))
        .await;
    is_problem("another tenant's", &foreign, 404, "not_found");

    let (status, said, _) = verb(
        &database,
        &[
            "--json",
            "webhook",
            "inbox",
            "--tenant",
            "demo",
            "--status",
            "quarantined",
        ],
    );
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((status, list(&said).len()), (Some(0), 3));
    let (status, table, _) = verb(&database, &["webhook", "inbox", "--tenant", "demo"]);
    assert_eq!(status, Some(0));
    assert!(
        table.contains("evt_applied") && table.contains("another amount"),
        "{table}"
    );
    let id = text(applied, "/id");
    let (status, shown, _) = verb(
        &database,
        &["webhook", "inbox", "show", &id, "--tenant", "demo"],
    );
    assert_eq!(status, Some(0));
    assert!(
        shown.contains("webhook-signature:") && shown.contains("evt_applied"),
        "{shown}"
    );
    books_hold(&database);
}

on_both_databases!(what_a_provider_may_change_in_a_repetition_changes_nothing);
async fn what_a_provider_may_change_in_a_repetition_changes_nothing(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let paid = shop.charge_of(&text(&reply.json(), "/id")).await;
    let first: Value =
        serde_json::from_slice(&event("evt_1", "charge.succeeded", &paid)).expect("JSON");
    let deliver = async |change: fn(&mut Value)| {
        let mut changed = first.clone();
        change(&mut changed);
        said(&provider.deliver(changed.to_string().as_bytes()).await)
    };
    assert_eq!(deliver(|_| {}).await, (200, "applied".to_owned()));
    let harmless: [fn(&mut Value); 3] = [
        |event| event["delivery_attempt"] = json!(2),
        |event| event["pending_webhooks"] = json!(0),
        |event| event["created"] = json!(1),
    ];
    for change in harmless {
        assert_eq!(deliver(change).await, (200, "duplicate".to_owned()));
    }
    let others: [fn(&mut Value); 4] = [
        |event| event["data"]["object"]["amount"] = json!(PRICE + 1),
        |event| event["data"]["object"]["currency"] = json!("USD"),
        |event| event["data"]["object"]["id"] = json!("ch_other"),
        |event| event["type"] = json!("customer.created"),
    ];
    for change in others {
        assert_eq!(deliver(change).await, (200, "quarantined".to_owned()));
    }
    assert_eq!(kept(&database), (1, 4));
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(an_event_whose_cause_never_comes_is_a_dead_letter_and_can_be_tried_again);
async fn an_event_whose_cause_never_comes_is_a_dead_letter_and_can_be_tried_again(
    database: Database,
) {
    let shop = Shop::open_with(
        &database,
        &["--webhook-wait-days", "3", "--webhook-keep-days", "5"],
    );
    let provider = Sender::of(&shop);
    let early = event(
        "evt_early",
        "charge.succeeded",
        &charge("op_not_known_yet", PRICE),
    );
    assert_eq!(
        said(&provider.deliver(&early).await),
        (202, "parked".to_owned())
    );
    shop.advance(2).await;
    shop.drain().await;
    assert_eq!(shop.inbox("status=parked").await.len(), 1);
    shop.advance(2).await;
    let dead = eventually("it is dead", async || shop.inbox("status=dead").await.pop()).await;
    assert_eq!(shop.counter("florin_webhooks_dead_total").await, 1);
    assert_eq!(
        said(&shop.reprocess(&dead).await),
        (202, "parked".to_owned())
    );
    // A repetition is answered as before, and stays dead.
    assert_eq!(
        said(&provider.deliver(&early).await),
        (202, "parked".to_owned())
    );
    assert_eq!(shop.inbox("status=dead").await.len(), 1);

    let reply = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    let id = text(&reply.json(), "/id");
    database.execute_raw("UPDATE operation SET provider_key = 'op_not_known_yet'");
    assert_eq!(
        said(&shop.reprocess(&dead).await),
        (200, "applied".to_owned())
    );
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    assert_eq!(
        said(&shop.reprocess(&dead).await),
        (200, "duplicate".to_owned())
    );
    shop.assert_captured(1).await;

    // The bytes go when their time is over. The event is still known.
    shop.advance(6).await;
    eventually("the bytes are removed", async || {
        let shown = shop
            .client
            .get(&format!("{PATH}/{}", text(&dead, "/id")))
            .await
            .json();
        let is_gone = |name: &str| shown.get(name).is_none();
        (is_gone("body") && is_gone("delivery")).then_some(())
    })
    .await;
    let fresh = event(
        "evt_early",
        "charge.succeeded",
        &charge("op_not_known_yet", PRICE),
    );
    assert_eq!(
        said(&provider.deliver(&fresh).await),
        (200, "duplicate".to_owned())
    );
    let refused = shop.reprocess(&dead).await;
    is_problem("the bytes are gone", &refused, 409, "cannot_reprocess");
    books_hold(&database);
}

on_both_databases!(what_was_put_aside_is_applied_once_it_can_be_right);
async fn what_was_put_aside_is_applied_once_it_can_be_right(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let reply = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    let id = text(&reply.json(), "/id");
    let operation = list(
        &shop
            .client
            .get(&format!("/v1/payments/{id}/operations"))
            .await
            .json(),
    );
    let key = text(&operation[0], "/id");
    database.execute_raw("UPDATE operation SET provider = 'elsewhere'");
    let paid = event("evt_1", "charge.succeeded", &charge(&key, PRICE));
    assert_eq!(
        said(&provider.deliver(&paid).await),
        (200, "quarantined".to_owned())
    );
    let aside = shop
        .inbox("status=quarantined")
        .await
        .pop()
        .expect("put aside");
    assert_eq!(
        said(&shop.reprocess(&aside).await),
        (200, "quarantined".to_owned())
    );
    database.execute_raw("UPDATE operation SET provider = 'sandbox'");
    let whe = text(&aside, "/id");
    let (status, word, mistake) = verb(
        &database,
        &["webhook", "inbox", "reprocess", &whe, "--tenant", "demo"],
    );
    assert_eq!((status, word.as_str()), (Some(0), "applied"), "{mistake}");
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    assert!(shop.inbox("status=quarantined").await.is_empty());
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(each_account_at_a_provider_has_its_own_address_and_secret);
async fn each_account_at_a_provider_has_its_own_address_and_secret(database: Database) {
    let european = format!("stripe/eu=stripe:{STRIPE}");
    let other = format!("stripe/us=stripe:{STRIPE}_of_the_other");
    let florin = Florin::start(
        &database,
        &["--webhook-secret", &european, "--webhook-secret", &other],
    );
    let client = florin.client();
    let secret = Secret::parse(Scheme::Stripe, STRIPE).expect("a secret");
    let body = event("evt_1", "customer.created", &json!({}));
    let deliver = async |path: &str| {
        let signed = sign(Scheme::Stripe, &secret, "", now(), &body).expect("signed");
        let headers: Vec<(&str, &str)> = signed
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        client
            .send(Method::POST, path, &headers, body.clone())
            .await
    };
    assert_eq!(
        said(&deliver("/webhooks/stripe/eu").await),
        (200, "stored".to_owned())
    );
    assert_eq!(
        said(&deliver("/webhooks/stripe/eu").await),
        (200, "duplicate".to_owned())
    );
    is_problem(
        "the other account",
        &deliver("/webhooks/stripe/us").await,
        401,
        "signature_refused",
    );
    for absent in [
        "/webhooks/stripe",
        "/webhooks/stripe/asia",
        "/webhooks/stripe/eu/1",
    ] {
        is_problem(absent, &deliver(absent).await, 404, "not_found");
    }
    let listed = client
        .get(&format!("{PATH}?provider=stripe/eu"))
        .await
        .json();
    assert_eq!(list(&listed).len(), 1);
    books_hold(&database);
}

on_both_databases!(a_webhook_finds_the_tenant_whose_operation_it_is_about);
async fn a_webhook_finds_the_tenant_whose_operation_it_is_about(database: Database) {
    let shop = Shop::open(&database);
    let made = shop
        .client
        .post("/sandbox/tenants", None, &json!({}))
        .await
        .json();
    let other = Client::new(shop.florin.api(), Some(text(&made, "/api_key").as_str()));
    let order = json!({
        "amount": PRICE, "currency": "EUR", "payment_method": "pm_webhook_twice", "confirm": true,
    });
    let paid = other.post("/v1/payments", "k-1", &order).await;
    assert_eq!(paid.status, 201, "{}", paid.json());
    // The provider reports to one address for all tenants.
    let applied = eventually("the webhook is there", async || {
        let reply = other.get(&format!("{PATH}?status=applied")).await.json();
        list(&reply).pop()
    })
    .await;
    assert_eq!(applied["type"], "charge.succeeded");
    assert!(shop.inbox("limit=1").await.is_empty());
    books_hold(&database);
}

on_both_databases!(an_account_may_belong_to_a_tenant);
async fn an_account_may_belong_to_a_tenant(database: Database) {
    let shop = Shop::open(&database);
    let made = shop
        .client
        .post("/sandbox/tenants", None, &json!({"name": "north"}))
        .await
        .json();
    let key = text(&made, "/api_key");
    drop(shop);
    let setting = format!("stripe/eu=stripe:{STRIPE}");
    let option = |tenant: &str| format!("stripe/eu=tenant:{tenant}");
    let north = option("north");
    let florin = Florin::start(
        &database,
        &["--webhook-secret", &setting, "--webhook-option", &north],
    );
    let client = Client::new(florin.api(), Some(key.as_str()));
    let secret = Secret::parse(Scheme::Stripe, STRIPE).expect("a secret");
    let body = event("evt_1", "customer.created", &json!({}));
    let signed = sign(Scheme::Stripe, &secret, "", now(), &body).expect("signed");
    let headers: Vec<(&str, &str)> = signed
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let stored = client
        .send(Method::POST, "/webhooks/stripe/eu", &headers, body)
        .await;
    assert_eq!(said(&stored), (200, "stored".to_owned()));
    assert_eq!(list(&client.get(PATH).await.json()).len(), 1);
    assert!(list(&florin.client().get(PATH).await.json()).is_empty());
    drop(florin);
    let nobody = option("nobody");
    let (status, _, mistake) = verb(
        &database,
        &[
            "serve",
            "--webhook-secret",
            &setting,
            "--webhook-option",
            &nobody,
        ],
    );
    assert_eq!(status, Some(2), "{mistake}");
    assert!(mistake.contains("florin tenant create"), "{mistake}");
    books_hold(&database);
}

on_both_databases!(every_item_of_a_delivery_is_an_event_of_its_own);
async fn every_item_of_a_delivery_is_an_event_of_its_own(database: Database) {
    let key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
    let setting = format!("adyen=adyen-standard:{key}");
    let florin = Florin::start(&database, &["--webhook-secret", &setting]);
    let client = florin.client();
    let secret = Secret::parse(Scheme::AdyenStandard, key).expect("a secret");
    let deliver = async |items: &[(&str, i64)]| {
        let items = items.iter().map(|(code, value)| {
            let mut item = json!({"NotificationRequestItem": {
                "additionalData": {}, "amount": {"value": value, "currency": "EUR"},
                "pspReference": "7914073381342284", "eventCode": code, "eventDate": now().to_string(),
                "merchantAccountCode": "M", "merchantReference": "1", "success": "true",
            }});
            let unsigned = json!({"notificationItems": [item]}).to_string();
            let signed = sign(Scheme::AdyenStandard, &secret, "", now(), unsigned.as_bytes());
            let signature = signed.expect("signed")[0].1.clone();
            item["NotificationRequestItem"]["additionalData"]["hmacSignature"] = json!(signature);
            item
        });
        let body = json!({"live": "false", "notificationItems": items.collect::<Vec<_>>()});
        client
            .send(
                Method::POST,
                "/webhooks/adyen",
                &[],
                body.to_string().into_bytes(),
            )
            .await
    };
    let both = [("AUTHORISATION", 1099), ("CAPTURE", 1099)];
    assert_eq!(said(&deliver(&both[..1]).await), (200, "stored".to_owned()));
    assert_eq!(said(&deliver(&both).await), (200, "stored".to_owned()));
    assert_eq!(said(&deliver(&both).await), (200, "duplicate".to_owned()));
    let other = deliver(&[("CAPTURE", 1), ("REFUND", 5)]).await;
    assert_eq!(said(&other), (200, "quarantined".to_owned()));
    assert_eq!(kept(&database), (3, 1));
    books_hold(&database);
}

/// A second provider whose webhooks protect nothing but a checksum, or nothing at all.
fn with_hints(database: &Database) -> Shop {
    let paypal = format!("north=paypal:{PUBLIC}");
    let id = format!("north=id:{WEBHOOK_ID}");
    Shop::open_with(
        database,
        &[
            "--other-provider",
            "north=sandbox",
            "--provider-rule",
            "north=SEK",
            "--other-provider",
            "south=sandbox",
            "--provider-rule",
            "south=NOK",
            "--provider-rule",
            "sandbox=*",
            "--webhook-secret",
            &paypal,
            "--webhook-option",
            &id,
            "--webhook-secret",
            "south=mollie:a_secret_0123456789",
            "--webhook-option",
            "south=unsigned:fetch",
        ],
    )
}

/// Delivers a body as PayPal does: the signature covers its CRC-32.
async fn deliver_as_paypal(client: &Client, body: &[u8]) -> Reply {
    let (id, time) = (
        "b2384410-f8d2-11e4-8bf3-77339302725b",
        "2027-01-15T08:00:00Z",
    );
    let signed = format!("{id}|{time}|{WEBHOOK_ID}|{}", crc32fast::hash(body));
    let der = PrivatePkcs8KeyDer::from_pem_slice(PRIVATE).expect("a key");
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("signed");
    let signature = BASE64.encode(signature);
    let headers = [
        ("paypal-transmission-id", id),
        ("paypal-transmission-time", time),
        ("paypal-transmission-sig", signature.as_str()),
        ("paypal-auth-algo", "SHA256withRSA"),
        (
            "paypal-cert-url",
            "https://api.paypal.com/v1/notifications/certs/CERT-1",
        ),
    ];
    client
        .send(Method::POST, "/webhooks/north", &headers, body.to_vec())
        .await
}

on_both_databases!(a_hint_is_fetched_and_compared_and_never_believed);
async fn a_hint_is_fetched_and_compared_and_never_believed(database: Database) {
    let shop = with_hints(&database);
    let pay = async |key: &str, currency: &str, method: &str| {
        let order = json!({
            "amount": PRICE, "currency": currency, "payment_method": method, "confirm": true,
        });
        let headers = [
            ("idempotency-key", key),
            ("prefer", "wait=0"),
            ("content-type", "application/json"),
        ];
        let reply = shop
            .client
            .send(
                Method::POST,
                "/v1/payments",
                &headers,
                order.to_string().into_bytes(),
            )
            .await;
        assert_eq!(reply.status, 202, "{}", reply.json());
        let id = text(&reply.json(), "/id");
        let path = format!("/v1/payments/{id}/operations");
        let operation = list(&shop.client.get(&path).await.json()).remove(0);
        (id, text(&operation, "/id"))
    };
    let charge_in = |key: &str, amount: i64, currency: &str| {
        let mut charge = charge(key, amount);
        charge["currency"] = json!(currency);
        charge
    };
    // The provider took the money and never answered. The hint brings the truth before the inquiry does.
    let (id, key) = pay("k-1", "SEK", "pm_times_out").await;
    eventually("the provider has it", async || {
        let north = shop.florin.sandbox_called("north");
        let found = Client::new(north, None)
            .get(&format!("/v1/charges?idempotency_key={key}"))
            .await;
        (found.status == 200).then_some(())
    })
    .await;
    let right = event("WH-1", "charge.succeeded", &charge_in(&key, PRICE, "SEK"));
    let reply = deliver_as_paypal(&shop.client, &right).await;
    assert_eq!(said(&reply), (200, "applied".to_owned()));
    assert_eq!(shop.payment(&id).await["status"], "succeeded");
    let again = deliver_as_paypal(&shop.client, &right).await;
    assert_eq!(said(&again), (200, "duplicate".to_owned()));
    // Another amount than the provider's, or an outcome that the provider does not know.
    let wrong = event(
        "WH-2",
        "charge.succeeded",
        &charge_in(&key, PRICE + 1, "SEK"),
    );
    let reply = deliver_as_paypal(&shop.client, &wrong).await;
    assert_eq!(said(&reply), (200, "quarantined".to_owned()));
    let (untaken, key) = pay("k-2", "SEK", "pm_never_answers").await;
    let forged = event("WH-3", "charge.succeeded", &charge_in(&key, PRICE, "SEK"));
    let reply = deliver_as_paypal(&shop.client, &forged).await;
    assert_eq!(said(&reply), (200, "quarantined".to_owned()));
    assert_eq!(shop.payment(&untaken).await["status"], "processing");
    // An operation that nobody knows: nothing is fetched.
    let foreign = event(
        "WH-4",
        "charge.succeeded",
        &charge_in("op_foreign", PRICE, "SEK"),
    );
    assert_eq!(
        said(&deliver_as_paypal(&shop.client, &foreign).await).1,
        "stored"
    );

    books_hold(&database);
}

on_both_databases!(a_webhook_without_a_signature_names_a_record_and_that_is_all);
async fn a_webhook_without_a_signature_names_a_record_and_that_is_all(database: Database) {
    let shop = with_hints(&database);
    let order = json!({
        "amount": PRICE, "currency": "NOK", "payment_method": "pm_succeeds", "confirm": true,
    });
    let paid = shop.client.post("/v1/payments", "k-3", &order).await.json();
    let path = format!("/v1/payments/{}/operations", text(&paid, "/id"));
    let record = text(
        &list(&shop.client.get(&path).await.json())[0],
        "/provider_reference",
    );
    let hint = async |form: &str| {
        let form = form.as_bytes().to_vec();
        said(
            &shop
                .client
                .send(Method::POST, "/webhooks/south", &[], form)
                .await,
        )
    };
    assert_eq!(
        hint(&format!("id={record}")).await,
        (200, "applied".to_owned())
    );
    assert_eq!(
        hint(&format!("id={record}")).await,
        (200, "duplicate".to_owned())
    );
    assert_eq!(hint("id=tr_unknown").await, (200, "stored".to_owned()));
    assert_eq!(hint("nothing").await, (200, "stored".to_owned()));
    let setup = Setup::new(Scheme::Mollie);
    let forger = Secret::parse(Scheme::Mollie, "another_secret").expect("a secret");
    let forged = setup.sign(&forger, "", now(), b"id=tr_1").expect("signed");
    let headers: Vec<(&str, &str)> = forged
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    let reply = shop
        .client
        .send(
            Method::POST,
            "/webhooks/south",
            &headers,
            b"id=tr_1".to_vec(),
        )
        .await;
    is_problem("a wrong signature", &reply, 401, "signature_refused");
    books_hold(&database);
}
