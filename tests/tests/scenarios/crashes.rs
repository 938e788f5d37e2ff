//! The real binary is killed at bad moments: between the phases of a payment, and under load.
//!
//! The sandbox provider runs inside the killed process. Still, it forgets nothing: its journal is a file in the data
//! folder, and a call that it never answers stays unanswered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;
use tests::{Client, Database, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{effects_and_calls, eventually, rows, text};
use crate::shop::{Shop, list, movement, order};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A client that asks for a payment and gets no answer, because the server dies first.
fn ask_in_vain(client: &Client, key: &'static str, method: &str) {
    let (client, body) = (client.clone(), order(method).to_string());
    let headers = [JSON, ("idempotency-key", key), ("prefer", "wait=60")];
    tokio::spawn(async move {
        let asked = client.try_send(Method::POST, "/v1/payments", &headers, body);
        assert!(asked.await.is_err(), "the server was to die first");
    });
}

on_both_databases!(killed_after_the_provider_executed_a_payment_is_finished_once);
async fn killed_after_the_provider_executed_a_payment_is_finished_once(database: Database) {
    // Given a provider that has executed and never answers, the server is killed as it waits.
    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "2000"]);
    ask_in_vain(&shop.client, "k", "pm_times_out");
    let sandbox = shop.florin.sandbox().to_owned();
    let first = eventually("the provider executes", async || {
        effects_and_calls(&sandbox).await
    })
    .await;
    assert_eq!(first, (1, 1));
    shop.florin.kill9();
    let of_state = |state: &str| {
        database.number(&format!(
            "SELECT count(*) FROM payment WHERE status = '{state}'"
        ))
    };
    assert_eq!((of_state("processing"), of_state("succeeded")), (1, 0));
    assert_eq!(
        database.number("SELECT count(*) FROM ledger_transaction"),
        0
    );

    // When it starts again,
    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "500"]);
    let payments = list(&shop.client.get("/v1/payments").await.json());
    let payment = text(payments.first().expect("the intent was committed"), "/id");
    let finished = shop.finished(&payment).await;

    // then the payment succeeds by asking the provider, not by charging again,
    assert_eq!(finished["status"], "succeeded", "{finished}");
    let effects = effects_and_calls(shop.florin.sandbox()).await;
    assert_eq!(effects, Some((1, 1)));
    shop.assert_captured(1).await;
    // and a client that got no answer gets one now, always the same.
    let heard = shop.pay("k", "pm_times_out").await;
    assert_eq!(text(&heard.json(), "/id"), payment, "{}", heard.json());
    assert_eq!(shop.pay("k", "pm_times_out").await.body, heard.body);
    shop.assert_captured(1).await;
    assert_eq!(effects_and_calls(shop.florin.sandbox()).await, Some((1, 1)));
    books_hold(&database);
}

on_both_databases!(killed_while_the_provider_does_nothing_a_payment_stays_open);
async fn killed_while_the_provider_does_nothing_a_payment_stays_open(database: Database) {
    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "1000"]);
    ask_in_vain(&shop.client, "k", "pm_never_answers");
    let sandbox = shop.florin.sandbox().to_owned();
    eventually("the provider is called", async || {
        effects_and_calls(&sandbox).await
    })
    .await;
    shop.florin.kill9();

    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "300"]);
    let sandbox = shop.florin.sandbox().to_owned();
    eventually("the provider is called again", async || {
        let (effects, calls) = effects_and_calls(&sandbox).await?;
        assert_eq!(effects, 0);
        (calls > 1).then_some(())
    })
    .await;
    let payments = list(&shop.client.get("/v1/payments").await.json());
    let statuses: Vec<_> = payments.iter().map(|payment| &payment["status"]).collect();
    assert_eq!(statuses, ["processing"]);
    shop.assert_captured(0).await;
    books_hold(&database);
}

on_both_databases!(started_again_nothing_is_seeded_twice_and_the_key_still_works);
async fn started_again_nothing_is_seeded_twice_and_the_key_still_works(database: Database) {
    let shop = Shop::open(&database);
    let (key, seeded) = (shop.florin.key().to_owned(), rows(&database));
    let paid = shop.pay("k", "pm_succeeds").await;
    assert_eq!(paid.status, 201, "{}", paid.json());
    let provider_told = "SELECT count(*) FROM inbox";
    eventually("the webhook arrives", async || {
        (database.number(provider_told) == 1).then_some(())
    })
    .await;
    shop.florin.kill9();
    let written = rows(&database);
    assert!(seeded > 0 && written > seeded);

    for killed in [false, true, false] {
        let shop = Shop::open(&database);
        assert_eq!(shop.florin.key(), key);
        let again = shop.pay("k", "pm_succeeds").await;
        assert_eq!((again.status, &again.body), (201, &paid.body));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(rows(&database), written);
        if killed {
            shop.florin.kill9();
        } else {
            assert_eq!(shop.florin.terminate().code(), Some(0));
        }
    }
    books_hold(&database);
}

/// Number of customers who send transfers at once.
const CUSTOMERS: usize = 16;
/// Number of acknowledged transfers before the server is interrupted.
const ENOUGH: usize = 150;
/// Amount of each transfer: one cent.
const CENT: i64 = 1;

/// Transfers that many customers send, each customer one after another, until the server is gone.
struct Load {
    body: Value,
    customers: JoinSet<Sent>,
    acknowledged: Arc<AtomicUsize>,
}

/// The transfers that were sent, by key, each with its acknowledgement, if it got one.
type Sent = HashMap<String, Option<Bytes>>;

impl Load {
    /// Starts the load, and returns when it is running.
    async fn on(shop: &Shop) -> Self {
        let from = shop.wallet("liabilities:wallets:ann", 1_000_000).await;
        let to = shop.wallet("liabilities:wallets:bob", 0).await;
        let mut load = Self {
            body: movement(&from, &to, CENT),
            customers: JoinSet::new(),
            acknowledged: Arc::default(),
        };
        for customer in 0..CUSTOMERS {
            let (client, body) = (shop.client.clone(), load.body.to_string());
            let acknowledged = load.acknowledged.clone();
            load.customers
                .spawn(send_until_the_end(client, customer, body, acknowledged));
        }
        eventually("the load is under way", async || {
            (load.acknowledged.load(Ordering::Relaxed) >= ENOUGH).then_some(())
        })
        .await;
        load
    }

    /// Returns when the last customer has noticed that the server is gone.
    async fn ended(&mut self) -> Sent {
        let mut all = Sent::new();
        while let Some(sent) = self.customers.join_next().await {
            all.extend(sent.expect("no customer panics"));
        }
        all
    }

    /// Checks that each transfer exists completely or not at all, that the acknowledged ones exist, and that all of
    /// them, sent once more, exist once.
    async fn counts_once(&self, shop: &Shop, database: &Database, sent: &Sent) {
        let acknowledged = i64::try_from(sent.values().flatten().count()).expect("few");
        assert_eq!(database.number(HALVES), 0, "a transfer is there by halves");
        let there = database.number(TRANSFERS);
        assert!(there >= acknowledged, "{there} of {acknowledged}");

        for (key, acknowledged) in sent {
            let again = shop
                .client
                .post("/v1/transfers", key.as_str(), &self.body)
                .await;
            assert_eq!(again.status, 201, "{key}: {:?}", again.body);
            if let Some(first) = acknowledged {
                assert_eq!(&again.body, first, "{key} was acknowledged");
                assert_eq!(again.header("idempotent-replayed"), Some("true"), "{key}");
            }
        }
        assert_eq!(database.number(HALVES), 0);
        let all = i64::try_from(sent.len()).expect("few");
        assert_eq!(database.number(TRANSFERS), all);
        books_hold(database);
    }
}

const TRANSFERS: &str = "SELECT count(*) FROM posting WHERE amount = 1";

/// The difference between the numbers of rows that a transfer writes. It is one statement and so one snapshot: a
/// commit that the killed server had sent may still be on its way.
const HALVES: &str = "SELECT abs(transfers - keys) + abs(transfers - received) + abs(records - due)
    FROM (SELECT
        (SELECT count(*) FROM posting WHERE amount = 1) AS transfers,
        (SELECT count(*) FROM idempotency_key WHERE key LIKE 'load-%') AS keys,
        (SELECT credits_posted FROM account WHERE code = 'liabilities:wallets:bob') AS received,
        (SELECT count(*) FROM audit_entry) AS records,
        (SELECT count(*) FROM tenant) + (SELECT count(*) FROM account)
            + (SELECT count(*) FROM ledger_transaction) AS due
    ) AS counted";

/// One customer: a transfer, its answer, the next transfer.
async fn send_until_the_end(
    client: Client,
    customer: usize,
    body: String,
    acknowledged: Arc<AtomicUsize>,
) -> Sent {
    let mut sent = Sent::new();
    loop {
        let key = format!("load-{customer}-{}", sent.len());
        let headers = [JSON, ("idempotency-key", key.as_str())];
        let reply = client
            .try_send(Method::POST, "/v1/transfers", &headers, body.clone())
            .await;
        let Some(reply) = reply.ok().filter(|reply| reply.status != 503) else {
            // The connection was cut, or the request was refused because the server is about to end.
            sent.insert(key, None);
            return sent;
        };
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        acknowledged.fetch_add(1, Ordering::Relaxed);
        sent.insert(key, Some(reply.body));
    }
}

on_both_databases!(killed_under_load_nothing_acknowledged_is_lost_and_nothing_is_done_by_halves);
async fn killed_under_load_nothing_acknowledged_is_lost_and_nothing_is_done_by_halves(
    database: Database,
) {
    let shop = Shop::open(&database);
    let mut load = Load::on(&shop).await;
    shop.florin.kill9();
    let sent = load.ended().await;
    let cut_off = sent.values().filter(|reply| reply.is_none()).count();
    assert_eq!(cut_off, CUSTOMERS);

    let shop = Shop::open(&database);
    load.counts_once(&shop, &database, &sent).await;
}

on_both_databases!(asked_to_end_under_load_it_answers_what_it_took_and_loses_nothing);
async fn asked_to_end_under_load_it_answers_what_it_took_and_loses_nothing(database: Database) {
    let shop = Shop::open(&database);
    let mut load = Load::on(&shop).await;
    let ended = tokio::task::spawn_blocking(|| shop.florin.terminate());
    let sent = load.ended().await;
    let status = ended.await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    // The server committed every request that it accepted, and answered every request that it committed.
    let acknowledged = i64::try_from(sent.values().flatten().count()).expect("few");
    assert_eq!(database.number(TRANSFERS), acknowledged);

    let shop = Shop::open(&database);
    load.counts_once(&shop, &database, &sent).await;
}
