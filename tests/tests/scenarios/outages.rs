//! The database is away, or locked by another process: fast refusals, nothing half done, and recovery without a
//! restart.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use tests::{Client, Cluster, Database, Kind, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, is_problem, number, rows};
use crate::shop::{Shop, movement};

/// Time within which an outage is reported. The readers' pool tries to get a connection for two seconds.
const QUICK: Duration = Duration::from_secs(4);

/// A scenario about a separate server, to stop and to start.
pub(crate) fn with_private_cluster<Ends: Future<Output = ()>>(
    scenario: impl FnOnce(Cluster) -> Ends,
) {
    let Some(cluster) = Cluster::private() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(scenario(cluster));
}

/// Checks that the answer is 503, with the time to try again.
fn is_away(case: &str, reply: &Reply) {
    is_problem(case, reply, 503, "database_unavailable");
    let after = reply
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(after.is_some_and(|seconds: u32| seconds > 0), "{case}");
    let json = reply.json();
    assert_eq!(json["retryable"], true, "{case}");
    for inside in [
        "postgres",
        "sqlite",
        "connection",
        "server closed",
        "locked",
    ] {
        assert!(
            !json.to_string().contains(inside),
            "{case} tells of the inside: {json}"
        );
    }
}

#[test]
fn a_database_that_goes_away_is_a_quick_503_and_comes_back_without_a_restart() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let shop = Shop::open(&database);
        let from = shop
            .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
            .await;
        let to = shop.wallet("liabilities:wallets:ann", 0).await;
        assert_eq!(shop.transfer("before", &from, &to, 1).await.status, 201);
        let anonymous = Client::new(shop.florin.api(), None);

        for (round, killed) in [(1, false), (2, true)] {
            if killed {
                cluster.kill();
            } else {
                cluster.stop();
            }
            let key = format!("during-{round}");
            for _ in 0..3 {
                let started = Instant::now();
                let (posted, read, ready, alive) = tokio::join!(
                    shop.transfer(&key, &from, &to, 1),
                    shop.client.get("/v1/accounts"),
                    anonymous.get("/readyz"),
                    anonymous.get("/livez"),
                );
                assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
                is_away("a transfer", &posted);
                is_away("a list", &read);
                is_away("readiness", &ready);
                assert_eq!(alive.status, 200);
            }
            // A key that was never seen cannot be looked up, so the refusal is not final either.
            let stranger = Client::new(shop.florin.api(), "sk_never_seen");
            is_away("a stranger", &stranger.get("/v1/accounts").await);

            cluster.start();
            eventually("it is ready again", async || {
                (anonymous.get("/readyz").await.status == 200).then_some(())
            })
            .await;
            let again = eventually("transfers are taken again", async || {
                let reply = shop.transfer(&key, &from, &to, 1).await;
                (reply.status != 503).then_some(reply)
            })
            .await;
            assert_eq!(again.status, 201, "{:?}", again.body);
            assert_eq!(stranger.get("/v1/accounts").await.status, 401);
            let balance = number(&shop.read(&to).await, "/balances/posted");
            assert_eq!(balance, 1 + round, "each transfer once");
        }
        books_hold(&database);
    });
}

#[test]
fn a_payment_under_way_when_the_database_goes_away_is_finished_once_it_is_back() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let shop = Shop::open_with(&database, &["--provider-timeout-ms", "500"]);
        let made = shop.pay_waiting("k", "pm_times_out", 0).await;
        assert_eq!(made.status, 202, "{:?}", made.body);
        let id = crate::given::text(&made.json(), "/id");
        shop.charge_of(&id).await;
        cluster.kill();
        // The worker cannot store the outcome until the database is back and the sweeper asks again.
        is_away("while it is away", &shop.client.get("/v1/payments").await);
        cluster.start();
        eventually("it is back", async || {
            let reply = shop.client.get("/v1/payments").await;
            (reply.status == 200).then_some(())
        })
        .await;
        assert_eq!(shop.finished(&id).await["status"], "succeeded");
        shop.assert_captured(1).await;
        let effects = crate::given::effects_and_calls(shop.florin.sandbox()).await;
        assert_eq!(effects.map(|(effects, _)| effects), Some(1));
        books_hold(&database);
    });
}

/// All other connections to the database of the scenario.
pub(crate) const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn terminated_backends_amid_load_are_survived_without_a_wrong_answer() {
    const CUSTOMERS: i64 = 8;
    const EACH: i64 = 30;
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let shop = Shop::open(&database);
        let from = shop
            .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
            .await;
        let to = shop.wallet("liabilities:wallets:ann", 0).await;

        let mut customers = JoinSet::new();
        for customer in 0..CUSTOMERS {
            let (client, body) = (shop.client.clone(), movement(&from, &to, 1));
            let to = to.clone();
            customers.spawn(async move {
                let mut refused = 0;
                for transfer in 0..EACH {
                    let key = format!("load-{customer}-{transfer}");
                    let mut first: Option<Reply> = None;
                    while first.is_none() {
                        let reply = client.post("/v1/transfers", key.as_str(), &body).await;
                        match reply.status {
                            201 => first = Some(reply),
                            503 => refused += 1,
                            status => panic!("{status}: {:?}", reply.body),
                        }
                    }
                    let read = client.get(&format!("/v1/accounts/{to}")).await;
                    assert!(matches!(read.status, 200 | 503), "{:?}", read.body);
                }
                refused
            });
        }
        // Connections are ended again and again until all requests are done.
        let mut refused = 0;
        let mut storm = tokio::time::interval(Duration::from_millis(150));
        while !customers.is_empty() {
            tokio::select! {
                Some(done) = customers.join_next() => refused += done.expect("no customer panics"),
                _ = storm.tick() => database.execute_raw(TERMINATE),
            }
        }
        // The lane runs a batch again over a new connection, so only a few customers notice.
        let metrics = shop.client.get("/metrics").await;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        assert!(
            refused > 0 || metrics.contains("florin_lane_reconnects_total"),
            "the storm was never felt: {metrics}"
        );
        eventually("it is ready again", async || {
            (shop.client.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        let account = shop.read(&to).await;
        assert_eq!(number(&account, "/balances/posted"), CUSTOMERS * EACH);
        assert_eq!(number(&account, "/version"), CUSTOMERS * EACH);
        books_hold(&database);
    });
}

/// A second process that locks out all writers, but no readers.
enum Holder {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Holder {
    fn of(database: &Database) -> Self {
        let url = database.url();
        match database.kind() {
            Kind::Sqlite => {
                let path = url.trim_start_matches("sqlite:");
                let mut connection = SqliteConnection::establish(path).expect("the file is there");
                let begun = connection.batch_execute("PRAGMA busy_timeout = 9000; BEGIN IMMEDIATE");
                begun.expect("the lock is free");
                Self::Sqlite(connection)
            }
            Kind::Postgres => {
                let mut connection = PgConnection::establish(url).expect("the server is there");
                let begun = connection.batch_execute("BEGIN; LOCK TABLE account IN EXCLUSIVE MODE");
                begun.expect("the lock is free");
                Self::Postgres(connection)
            }
        }
    }

    fn let_go(self) {
        let done = match self {
            Self::Sqlite(mut connection) => connection.batch_execute("COMMIT"),
            Self::Postgres(mut connection) => connection.batch_execute("COMMIT"),
        };
        done.expect("it holds nothing but a lock");
    }
}

on_both_databases!(a_writer_waits_for_a_lock_and_then_says_when_to_try_again);
async fn a_writer_waits_for_a_lock_and_then_says_when_to_try_again(database: Database) {
    let shop = Shop::open(&database);
    let from = shop
        .account(&json!({"code": "assets:cash", "currency": "EUR", "floor": null}))
        .await;
    let to = shop.wallet("liabilities:wallets:ann", 0).await;
    let before = rows(&database);

    // The database is locked for a moment: the transfer waits, readers do not.
    let holder = Holder::of(&database);
    let (client, body) = (shop.client.clone(), movement(&from, &to, 1));
    let waiting = tokio::spawn(async move { client.post("/v1/transfers", "waits", &body).await });
    let read: Value = shop.read(&to).await;
    assert_eq!(number(&read, "/balances/posted"), 0);
    assert!(!waiting.is_finished());
    holder.let_go();
    let waited = waiting.await.expect("answered");
    assert_eq!(waited.status, 201, "{:?}", waited.body);

    // The database is locked for longer than anyone should wait: the transfer is refused, and nothing is written.
    let after_one = rows(&database);
    assert!(after_one > before);
    let holder = Holder::of(&database);
    let refused = shop.transfer("refused", &from, &to, 1).await;
    is_away("held for long", &refused);
    holder.let_go();
    assert_eq!(rows(&database), after_one);
    let again = shop.transfer("refused", &from, &to, 1).await;
    assert_eq!(again.status, 201, "{:?}", again.body);
    assert_eq!(again.header("idempotent-replayed"), None);
    assert_eq!(number(&shop.read(&to).await, "/balances/posted"), 2);
    books_hold(&database);
}
