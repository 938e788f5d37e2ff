//! A database that sends nothing more and closes nothing: answers within a limited time, nothing lost, and an end when
//! one is requested.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::{Client, Database};

use crate::books_hold;
use crate::given::{eventually, is_problem, number};
use crate::outages::with_private_cluster;
use crate::shop::{Shop, movement};

/// Time that the database may take for a statement here. Silence is reported some seconds later.
const TIMEOUT: [&str; 2] = ["--database-timeout-ms", "2000"];
/// Time within which every request has an answer, whatever the database does.
const BOUND: Duration = Duration::from_secs(15);
/// The same, after the database is known to be silent.
const QUICK: Duration = Duration::from_secs(4);

#[test]
fn a_silent_database_is_a_503_within_a_bound_and_nothing_is_lost() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let shop = Shop::open_with(&database, &TIMEOUT);
        let from = shop
            .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
            .await;
        let to = shop.wallet("liabilities:wallets:ann", 0).await;
        assert_eq!(shop.transfer("before", &from, &to, 1).await.status, 201);
        let anonymous = Client::new(shop.florin.api(), None);
        assert_eq!(anonymous.get("/readyz").await.status, 200);

        cluster.freeze();
        for (round, bound) in [(1, BOUND), (2, QUICK)] {
            let started = Instant::now();
            let (posted, read, ready, alive) = tokio::join!(
                shop.transfer("during", &from, &to, 1),
                shop.client.get("/v1/accounts"),
                anonymous.get("/readyz"),
                anonymous.get("/livez"),
            );
            assert!(
                started.elapsed() < bound,
                "{round}: {:?}",
                started.elapsed()
            );
            is_problem("a transfer", &posted, 503, "database_unavailable");
            is_problem("a list", &read, 503, "database_unavailable");
            is_problem("readiness", &ready, 503, "database_unavailable");
            assert_eq!(
                ready.json()["reads"],
                "failing: the database does not answer",
                "{:?}",
                ready.json()
            );
            assert_eq!(alive.status, 200);
        }
        cluster.thaw();
        eventually("it is ready again", async || {
            (anonymous.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        // Whatever happened to the transfer in the meantime, it counts once.
        let again = eventually("transfers are taken again", async || {
            let reply = shop.transfer("during", &from, &to, 1).await;
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert_eq!(again.status, 201, "{:?}", again.body);
        assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 2);

        // Only the existing sessions become silent: new ones take over while the old ones are stuck.
        cluster.freeze_backends();
        let again = eventually("another session takes over", async || {
            let reply = shop.transfer("beside", &from, &to, 1).await;
            (reply.status != 503).then_some(reply)
        })
        .await;
        assert_eq!(again.status, 201, "{:?}", again.body);
        eventually("reads go on over other sessions", async || {
            let reply = shop.client.get("/v1/accounts").await;
            (reply.status == 200).then_some(())
        })
        .await;
        // The stuck sessions wake up, and what they still had to write is not written twice.
        cluster.thaw();
        for key in ["before", "during", "beside"] {
            let reply = shop.transfer(key, &from, &to, 1).await;
            assert_eq!(reply.status, 201, "{:?}", reply.body);
            assert_eq!(reply.header("idempotent-replayed"), Some("true"));
        }
        assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 3);
        books_hold(&database);
    });
}

#[test]
fn a_server_whose_database_is_silent_ends_when_it_is_told_to() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        // The server ends on its own, although its database is silent.
        let shop = Shop::open_with(&database, &TIMEOUT);
        let from = shop
            .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
            .await;
        let to = shop.wallet("liabilities:wallets:ann", 0).await;
        cluster.freeze();
        let (client, body) = (shop.client.clone(), movement(&from, &to, 1));
        let asked = tokio::spawn(async move { client.post("/v1/transfers", "k", &body).await });
        let waiting = asked.await.expect("answered");
        is_problem("a transfer", &waiting, 503, "database_unavailable");
        let ended = shop.florin.terminate();
        assert!(ended.code().is_some(), "{ended}");
        cluster.thaw();

        // The second signal does not wait for anything.
        let shop = Shop::open(&database);
        cluster.freeze();
        let (client, body) = (shop.client.clone(), movement(&from, &to, 1));
        let asked = tokio::spawn(async move {
            let headers = [
                ("content-type", "application/json"),
                ("idempotency-key", "k"),
            ];
            let path = "/v1/transfers";
            client
                .try_send(Method::POST, path, &headers, body.to_string())
                .await
        });
        // This takes its time, after which the transfer has arrived long ago.
        assert_eq!(shop.client.get("/readyz").await.status, 503);
        shop.florin.signal("TERM");
        eventually("it drains", async || {
            shop.florin.log().contains("stopping").then_some(())
        })
        .await;
        let started = Instant::now();
        let ended = shop.florin.terminate();
        assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
        assert_eq!(ended.code(), Some(1), "{ended}");
        let _cut_off = asked.await;
        cluster.thaw();

        let shop = Shop::open(&database);
        let again = shop.transfer("k", &from, &to, 1).await;
        assert_eq!(again.status, 201, "{:?}", again.body);
        assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 1);
        drop(shop);
        books_hold(&database);
    });
}
