//! `/sandbox/reset`: a fresh tenant under the same keys, and nothing of the old one is lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::disputes::{Bank, dispute};
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, second_tenant};
use crate::tenants::verb;

const RESET: &str = "/sandbox/reset";
const DAY: i64 = 86_400;

async fn reset(client: &Client, key: &str) -> Value {
    let reply = client.post(RESET, key, &json!({})).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    reply.json()
}

async fn payments(client: &Client) -> Vec<String> {
    let reply = client.get("/v1/payments").await;
    assert_eq!(reply.status, 200, "{}", reply.json());
    let page = reply.json();
    list(&page).iter().map(|one| text(one, "/id")).collect()
}

/// The names of all tenants.
fn tenants(database: &Database) -> BTreeSet<String> {
    let (code, listed, said) = verb(database, &["tenant", "list"]);
    assert_eq!(code, Some(0), "{said}");
    let names = listed
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    names.map(str::to_owned).collect()
}

/// A client of this tenant with a key that is made now.
fn client_of(shop: &Shop, database: &Database, tenant: &str) -> Client {
    let (code, key, said) = verb(database, &["key", "create", "--tenant", tenant]);
    assert_eq!(code, Some(0), "{said}");
    Client::new(shop.florin.api(), key.as_str())
}

on_both_databases!(a_reset_gives_fresh_books_and_keeps_the_old_ones);
async fn a_reset_gives_fresh_books_and_keeps_the_old_ones(database: Database) {
    let shop = Shop::open(&database);
    let other = Client::new(shop.florin.api(), second_tenant(&database).await);
    let second = shop.second_person(&database);
    let paid = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    shop.advance(30).await;
    let fault = json!({"operation": "charge", "fault": "drop", "per_mille": 1000});
    shop.fault(&fault).await;
    // Nobody knows the outcome of this one before the reset.
    let under_way = shop.pay_waiting("k-2", "pm_succeeds", 0).await;
    assert_eq!(under_way.status, 202);
    let under_way = text(&under_way.json(), "/id");
    let of_other = other
        .post("/v1/payments", "k-1", &crate::shop::order("pm_succeeds"))
        .await;
    assert_eq!(of_other.status, 201);

    let fresh = reset(&shop.client, "r-1").await;

    assert_eq!(
        (&fresh["object"], &fresh["predecessor"]),
        (&json!("tenant"), &json!("demo"))
    );
    for client in [&shop.client, &second] {
        assert!(payments(client).await.is_empty());
        assert_eq!(
            client.get(&format!("/v1/payments/{paid}")).await.status,
            404
        );
        assert!(list(&client.get("/v1/accounts").await.json()).is_empty());
        let clock = client.get("/sandbox/clock").await.json();
        assert_eq!(number(&clock, "/offset_seconds"), 0);
        assert!(list(&client.get("/sandbox/faults").await.json()).is_empty());
    }
    assert_eq!(payments(&other).await.len(), 1);
    // The same idempotency key is a new request of a new tenant.
    let again = shop.pay("k-1", "pm_succeeds").await;
    assert_eq!(again.status, 201);
    assert!(again.header("idempotent-replayed").is_none());
    shop.assert_captured(1).await;
    // Only a webhook tells of a dispute, and it is the new tenant's.
    let again = text(&again.json(), "/id");
    Bank::disputes(&shop, &again, 100).await;
    dispute(&shop, "the new tenant knows its dispute", |one| {
        one["payment"] == *again
    })
    .await;

    // The old tenant has everything, and its work has gone on.
    let old = client_of(&shop, &database, "demo");
    assert_eq!(payments(&old).await.len(), 2);
    eventually("the work of the old tenant goes on", async || {
        let payment = old.get(&format!("/v1/payments/{under_way}")).await.json();
        (payment["status"] == "succeeded").then_some(())
    })
    .await;
    let clock = old.get("/sandbox/clock").await.json();
    assert_eq!(number(&clock, "/offset_seconds"), 30 * DAY);
    let name = text(&fresh, "/name");
    let all = ["demo", "other", &name].map(str::to_owned);
    assert_eq!(tenants(&database), BTreeSet::from(all));
    for (tenant, action, says) in [
        ("demo", "tenant.reset", name.as_str()),
        (&name, "tenant.provisioned", "demo"),
    ] {
        let leaf = match database.kind() {
            Kind::Sqlite => "CAST(leaf AS TEXT)",
            Kind::Postgres => "convert_from(leaf, 'UTF8')",
        };
        let found = database.number(&format!(
            "SELECT count(*) FROM audit_entry JOIN tenant ON tenant_id = log \
             WHERE name = '{tenant}' AND {leaf} LIKE '%{action}%{says}%'"
        ));
        assert_eq!(found, 1, "{action} in the log of {tenant}");
    }
    books_hold(&database);

    // The key of the sandbox means the new tenant after a restart too, and can be reset again.
    shop.florin.kill9();
    let shop = Shop::open(&database);
    assert_eq!(payments(&shop.client).await.len(), 1);
    // So do webhooks: what happens to a payment of the old tenant is told to the old tenant.
    Bank::disputes(&shop, &paid, 100).await;
    let old = client_of(&shop, &database, "demo");
    eventually("the old tenant knows its dispute", async || {
        let disputes = list(&old.get("/v1/disputes").await.json());
        disputes
            .iter()
            .any(|one| one["payment"] == *paid)
            .then_some(())
    })
    .await;
    assert_eq!(list(&shop.client.get("/v1/disputes").await.json()).len(), 1);
    let next = reset(&shop.client, "r-2").await;
    assert_eq!(next["predecessor"], *name);
    assert!(payments(&shop.client).await.is_empty());
    assert!(tenants(&database).contains("demo"));
    books_hold(&database);
}

on_both_databases!(no_server_acts_for_the_old_tenant_after_the_answer);
async fn no_server_acts_for_the_old_tenant_after_the_answer(database: Database) {
    let shop = Shop::open(&database);
    let beside = shop.beside(&database);
    for round in 0..3 {
        let paid = shop.pay(&format!("k-{round}"), "pm_succeeds").await;
        assert_eq!(paid.status, 201);
        // The other server has just seen the key, and does so all the time.
        let eager = beside.client.clone();
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let looking = tokio::spawn(async move {
            while stopped.try_recv().is_err() {
                eager.get("/v1/payments").await;
            }
        });
        reset(&shop.client, &format!("r-{round}")).await;
        assert!(payments(&beside.client).await.is_empty(), "{round}");
        assert!(payments(&shop.client).await.is_empty(), "{round}");
        stop.send(()).expect("it looks");
        looking.await.expect("it has looked");
    }
    let wallet = beside.wallet("wallets:ann", PRICE).await;
    assert_eq!(shop.read(&wallet).await["balances"]["posted"], PRICE);
    books_hold(&database);
}

on_both_databases!(a_reset_that_is_sent_again_is_made_once);
async fn a_reset_that_is_sent_again_is_made_once(database: Database) {
    let shop = Shop::open(&database);
    let beside = shop.beside(&database);
    let mut racing = JoinSet::new();
    for number in 0..10 {
        let client = [&shop, &beside][number % 2].client.clone();
        racing.spawn(async move { client.post(RESET, "r-1", &json!({})).await });
    }
    let replies: Vec<Reply> = racing.join_all().await;
    for reply in &replies {
        assert_eq!((reply.status, &reply.body), (201, &replies[0].body));
    }
    let first = replies[0].json();
    assert_eq!(reset(&shop.client, "r-1").await, first);
    let name = text(&first, "/name");
    let two = ["demo", &name].map(str::to_owned);
    assert_eq!(tenants(&database), BTreeSet::from(two));
    let mismatch = shop.client.post("/v1/transfers", "r-1", &json!({})).await;
    assert!([409, 422].contains(&mismatch.status), "{}", mismatch.json());

    // Without a key each request resets whatever its key acts for, or is told that another one was quicker.
    let mut racing = JoinSet::new();
    for number in 0..6 {
        let client = [&shop, &beside][number % 2].client.clone();
        racing.spawn(async move { client.post(RESET, None, &json!({})).await });
    }
    let mut made = 0;
    for reply in racing.join_all().await {
        match reply.status {
            201 => made += 1,
            _ => is_problem("another was quicker", &reply, 409, "tenant_was_reset"),
        }
    }
    assert!(made >= 1);
    let succeeded = "SELECT count(*) FROM api_key";
    assert_eq!(database.number(succeeded), 1, "the key is one row for ever");
    books_hold(&database);
}

on_both_databases!(a_wrong_reset_changes_nothing);
async fn a_wrong_reset_changes_nothing(database: Database) {
    let shop = Shop::open(&database);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    let more = shop
        .client
        .post(RESET, None, &json!({"tenant": "demo"}))
        .await;
    is_problem("a field", &more, 422, "unknown_field");
    let stranger = Client::new(shop.florin.api(), "sk_sandbox_nobody");
    let refused = stranger.post(RESET, None, &json!({})).await;
    is_problem("a stranger", &refused, 401, "unauthorized");
    assert_eq!(payments(&shop.client).await.len(), 1);
    assert_eq!(tenants(&database).len(), 1);
    books_hold(&database);
}
