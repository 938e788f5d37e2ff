//! Several providers at once: chosen by currency and payment method, and each with its own places, webhooks and
//! inquiries.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, is_problem, rows, text};
use crate::provider::Provider;
use crate::shop::{PRICE, Shop, list, order, pointers};
use crate::webhooks::{Sender, event, kept, said};

on_both_databases!(each_payment_goes_to_the_provider_of_its_currency_and_method);
async fn each_payment_goes_to_the_provider_of_its_currency_and_method(database: Database) {
    let shop = Shop::open_with(
        &database,
        &[
            "--other-provider=second=sandbox",
            "--provider-rule=second=USD+JPY",
            "--provider-rule=second=*:pm_webhook_*",
        ],
    );

    // Given payments that go to both providers,
    let mut paid = Vec::new();
    for (key, currency, method, provider) in [
        ("k-1", "EUR", "pm_succeeds", "sandbox"),
        ("k-2", "USD", "pm_succeeds", "second"),
        ("k-3", "EUR", "pm_webhook_twice", "second"),
        ("k-4", "CHF", "pm_succeeds", "sandbox"),
    ] {
        let reply = shop
            .client
            .post("/v1/payments", key, &of(currency, method))
            .await;
        assert_eq!(reply.status, 201, "{key}: {}", reply.json());
        assert_eq!(reply.json()["status"], "succeeded", "{key}");
        paid.push((text(&reply.json(), "/id"), provider));
    }

    // each provider has its own payments, and no others,
    for name in ["sandbox", "second"] {
        let mut own: Vec<&str> = paid
            .iter()
            .filter(|(_, provider)| *provider == name)
            .map(|(id, _)| id.as_str())
            .collect();
        let journal = journal(&shop, name).await;
        let mut charged: Vec<String> = journal.iter().map(|row| text(row, "/reference")).collect();
        own.sort_unstable();
        charged.sort_unstable();
        assert_eq!(charged, own, "{name}");
    }

    // and the events of each provider are accepted under its own name.
    eventually("the events of both", async || {
        let of_sandbox = events_of(&database, "sandbox");
        let of_second = events_of(&database, "second");
        ((of_sandbox, of_second) == (2, 2)).then_some(())
    })
    .await;
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 0);
    books_hold(&database);
}

on_both_databases!(a_provider_speaks_for_its_own_operations_alone);
async fn a_provider_speaks_for_its_own_operations_alone(database: Database) {
    let shop = Shop::open_with(
        &database,
        &[
            "--other-provider=second=sandbox",
            "--provider-rule=second=*",
        ],
    );
    let first = Sender::of(&shop);
    let second = Sender::called(&shop, "/webhooks/second");
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let id = text(&reply.json(), "/id");
    let charge = eventually("the provider executes", async || {
        let journal = journal(&shop, "second").await;
        journal.into_iter().find(|row| row["effects"] == 1)
    })
    .await;

    let told = event("evt_1", "charge.succeeded", &charge);
    let answer = said(&first.deliver(&told).await);
    assert_eq!(answer, (200, "quarantined".to_owned()));
    assert_eq!(shop.payment(&id).await["status"], "processing");
    let answer = said(&second.deliver(&told).await);
    assert_eq!(answer, (200, "applied".to_owned()));
    assert_eq!(shop.payment(&id).await["status"], "succeeded");

    // The same is true of an event that comes before its cause: it is put aside when its cause belongs to another
    // provider.
    let reply = shop.pay_waiting("k-2", "pm_never_answers", 0).await;
    let id = text(&reply.json(), "/id");
    let mut early = charge.clone();
    early["id"] = json!("ch_early");
    early["idempotency_key"] = json!("op_not_known_yet");
    early["reference"] = json!(id);
    early["payment_method"] = json!("pm_never_answers");
    let early = event("evt_2", "charge.succeeded", &early);
    let answer = said(&first.deliver(&early).await);
    assert_eq!(answer, (202, "parked".to_owned()));
    let name = "UPDATE operation SET provider_key = 'op_not_known_yet' WHERE payment_method = 'pm_never_answers'";
    database.execute_raw(name);
    eventually("the event is put aside", async || {
        (kept(&database) == (3, 2)).then_some(())
    })
    .await;
    assert_eq!(shop.payment(&id).await["status"], "processing");
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(a_provider_that_never_answers_does_not_hold_up_another);
async fn a_provider_that_never_answers_does_not_hold_up_another(database: Database) {
    const STUCK: usize = 320;
    let mut silent = Provider::open().await;
    let other = format!("--other-provider=silent=sandbox:120000:{}", silent.url);
    let shop = Shop::open_with(&database, &[&other, "--provider-rule=silent=USD"]);

    // Given more payments than a provider has places for young calls, and no answer to any of them,
    let mut posting = JoinSet::new();
    for number in 0..STUCK {
        let client = shop.florin.client();
        posting.spawn(async move {
            let headers = [
                ("content-type", "application/json"),
                ("idempotency-key", &*format!("stuck-{number}")),
                ("prefer", "wait=0"),
            ];
            let body = of("USD", "pm_card").to_string();
            let method = reqwest::Method::POST;
            client.send(method, "/v1/payments", &headers, body).await
        });
    }
    let mut stuck = Vec::new();
    for reply in posting.join_all().await {
        assert_eq!(reply.status, 202, "{}", reply.json());
        stuck.push(text(&reply.json(), "/id"));
    }
    let mut calls = Vec::new();
    for _ in 0..STUCK {
        calls.push(silent.call().await);
    }

    // when other payments go to another provider,
    let mut paying = JoinSet::new();
    for number in 0..40 {
        let client = shop.florin.client();
        paying.spawn(async move {
            let key = format!("good-{number}");
            let order = order("pm_succeeds");
            client.post("/v1/payments", &*key, &order).await
        });
    }
    for reply in paying.join_all().await {
        assert_eq!(reply.status, 201, "{}", reply.json());
    }

    // then all of these are finished while the first ones are still open.
    for id in &stuck {
        assert_eq!(shop.payment(id).await["status"], "processing");
    }
    assert!(calls.iter().all(|call| !call.is_inquiry));
    shop.assert_captured(40).await;
    books_hold(&database);
}

on_both_databases!(a_provider_that_only_fails_is_left_alone_and_no_other);
async fn a_provider_that_only_fails_is_left_alone_and_no_other(database: Database) {
    // Nothing listens at this address.
    let other = "--other-provider=gone=sandbox:http://127.0.0.1:9";
    let shop = Shop::open_with(&database, &[other, "--provider-rule=gone=USD"]);
    let opened = "florin_provider_breaker_opened_total";
    let mut number = 0;
    eventually("the provider is left alone", async || {
        number += 1;
        let (key, body) = (format!("gone-{number}"), of("USD", "pm_card"));
        let reply = shop.client.post("/v1/payments", &*key, &body).await;
        assert_eq!(reply.status, 202, "{}", reply.json());
        (shop.counter(opened).await > 0).then_some(())
    })
    .await;

    for number in 0..10 {
        let paid = shop.pay(&format!("good-{number}"), "pm_succeeds").await;
        assert_eq!(paid.status, 201, "{}", paid.json());
    }
    assert_eq!(shop.counter(opened).await, 1);
    shop.assert_captured(10).await;
    books_hold(&database);
}

on_both_databases!(an_unknown_outcome_is_inquired_at_the_provider_that_was_called);
async fn an_unknown_outcome_is_inquired_at_the_provider_that_was_called(database: Database) {
    let mut second = Provider::open().await;
    let other = format!("--other-provider=second=sandbox:{}", second.url);
    let shop = Shop::open_with(&database, &[&other, "--provider-rule=second=EUR"]);
    let (reply, call) = tokio::join!(shop.pay_waiting("k-1", "pm_card", 10), second.call());
    assert_eq!(reply.status, 202);
    let id = text(&reply.json(), "/id");
    let key = call.key.clone();
    let charge = call.charge("ch_1");
    call.answer(500, "");

    // When the settings no longer have the provider, its payment waits, and other payments are made.
    drop(shop);
    let shop = Shop::open(&database);
    let log = "operations wait for a provider that is not in the settings";
    eventually("the log says so", async || {
        shop.florin.log().contains(log).then_some(())
    })
    .await;
    for number in 0..3 {
        let key = format!("k-without-{number}");
        assert_eq!(shop.pay(&key, "pm_succeeds").await.status, 201);
    }
    assert_eq!(shop.payment(&id).await["status"], "processing");
    let said = shop.florin.log().matches(log).count();
    assert_eq!(said, 1, "it says so once");

    // When the settings have the provider again, it is asked about its own payment, although the rules send new
    // payments elsewhere.
    drop(shop);
    let shop = Shop::open_with(&database, &[&other, "--provider-rule=sandbox=EUR"]);
    assert_eq!(shop.pay("k-2", "pm_succeeds").await.status, 201);
    let inquiry = second.call().await;
    assert!(inquiry.is_inquiry);
    assert_eq!(inquiry.key, key);
    inquiry.answer(200, charge.to_string());
    assert_eq!(shop.finished(&id).await["status"], "succeeded");
    shop.assert_captured(5).await;
    books_hold(&database);
}

on_both_databases!(what_no_provider_takes_is_refused_and_leaves_nothing);
async fn what_no_provider_takes_is_refused_and_leaves_nothing(database: Database) {
    let shop = Shop::open_with(
        &database,
        &[
            "--no-default-provider",
            "--provider-rule=sandbox=EUR:pm_succeeds",
        ],
    );
    let mut waiting = of("EUR", "pm_declines");
    waiting["confirm"] = json!(false);
    let waiting = shop.client.post("/v1/payments", "k-0", &waiting).await;
    assert_eq!(waiting.json()["status"], "requires_confirmation");
    let confirm = format!("/v1/payments/{}/confirm", text(&waiting.json(), "/id"));
    let before = rows(&database);

    for (path, body, pointer) in [
        ("/v1/payments", of("USD", "pm_succeeds"), "/currency"),
        ("/v1/payments", of("EUR", "pm_declines"), "/payment_method"),
        (&*confirm, json!({}), "/payment_method"),
    ] {
        for _ in 0..2 {
            let refused = shop.client.post(path, "k-1", &body).await;
            is_problem(path, &refused, 422, "no_provider");
            assert_eq!(pointers(&refused), [pointer], "{body}");
        }
    }
    assert_eq!(rows(&database), before, "nothing was written");

    // The key is still free, and the payment takes another method.
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    let body = json!({"payment_method": "pm_succeeds"});
    let confirmed = shop.client.post(&confirm, "k-2", &body).await;
    assert_eq!(confirmed.status, 201, "{}", confirmed.json());
    shop.assert_captured(2).await;
    books_hold(&database);
}

on_both_databases!(the_environment_and_the_file_name_providers_too);
async fn the_environment_and_the_file_name_providers_too(database: Database) {
    let path = database.folder().join("providers.toml");
    let content = "no_default_provider = true\n\
        [[provider_rules]]\nprovider = \"second\"\ncurrencies = [\"EUR\"]\n\
        payment_methods = [\"pm_succeeds\"]\n\
        [other_providers.second]\ntimeout_ms = 5000\n";
    std::fs::write(&path, content).expect("writable");
    let file = ["--config", path.to_str().expect("plain names")];
    let open = |environment: &[(&str, &str)]| {
        let florin = tests::Florin::start_with_environment(&database, &file, environment);
        let client = florin.client();
        Shop { florin, client }
    };

    let shop = open(&[]);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    assert_eq!(shop.pay("k-2", "pm_declines").await.status, 422);
    assert_eq!(journal(&shop, "second").await.len(), 1);
    drop(shop);
    let shop = open(&[
        ("FLORIN_OTHER_PROVIDERS", "third=sandbox,fourth=sandbox:700"),
        ("FLORIN_PROVIDER_RULES", "third=USD,fourth=EUR"),
    ]);
    assert_eq!(shop.pay("k-3", "pm_succeeds").await.status, 201);
    let names = ["second", "third", "fourth"];
    let mut charges = Vec::new();
    for name in names {
        charges.push(journal(&shop, name).await.len());
    }
    assert_eq!(charges, [1, 0, 1], "the rules take the place of the file's");
    books_hold(&database);
}

/// A payment of [`PRICE`] in another currency.
fn of(currency: &str, method: &str) -> Value {
    let mut order = order(method);
    order["currency"] = json!(currency);
    assert_eq!(order["amount"], PRICE);
    order
}

/// The journal of a sandbox provider.
async fn journal(shop: &Shop, name: &str) -> Vec<Value> {
    let provider = Client::new(shop.florin.sandbox_called(name), None);
    list(&provider.get("/v1/journal").await.json())
}

/// Number of a provider's events that were applied.
fn events_of(database: &Database, provider: &str) -> i64 {
    let applied = "SELECT count(*) FROM inbox WHERE provider = ";
    database.number(&format!("{applied}'{provider}'"))
}
