//! Two processes on one PostgreSQL get the same requests at once, or requests that exclude each other. One provider
//! counts what really happened.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, Kind, Reply, scenario};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, number, text};
use crate::moves_of_chance::{Chance, is_at_rest};
use crate::shop::{PRICE, Shop, list, order};

/// Number of requests that race for one key, half of them at each process.
const RACERS: usize = 20;
/// Number of keys that are raced for at a time.
const KEYS_AT_ONCE: usize = 6;
/// Number of keys in the sample, and in the full count.
const SAMPLE: usize = 100;
const ALL: usize = 1_000;

/// Two processes on one database, with one provider.
struct Pair {
    one: Shop,
    other: Shop,
}

impl Pair {
    fn open(database: &Database, arguments: &[&str]) -> Self {
        let one = Shop::open_with(database, arguments);
        let other = one.beside_with(database, arguments, &[]);
        Self { one, other }
    }

    fn client(&self, number: usize) -> Client {
        let shop = if number.is_multiple_of(2) {
            &self.one
        } else {
            &self.other
        };
        shop.client.clone()
    }
}

/// Sends a request until there is a final answer.
async fn insist(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    loop {
        let reply = client.post(path, key, body).await;
        let is_final = match reply.status {
            503 => false,
            409 => {
                let code = text(&reply.json(), "/code");
                !["idempotency_key_in_use", "operation_in_flight"].contains(&code.as_str())
            }
            _ => true,
        };
        if is_final {
            return reply;
        }
    }
}

#[test]
fn twenty_requests_for_each_key_at_two_processes_have_one_effect_and_one_answer() {
    scenario(Kind::Postgres, |database| race_for_keys(database, SAMPLE));
}

#[test]
#[ignore = "the full count takes minutes: run it by hand (docs/reliability.md)"]
fn twenty_requests_for_each_of_a_thousand_keys_have_one_effect_and_one_answer() {
    scenario(Kind::Postgres, |database| race_for_keys(database, ALL));
}

async fn race_for_keys(database: Database, keys: usize) {
    let pair = Pair::open(&database, &[]);
    let mut chance = Chance(20_261_130);
    let mut payments = BTreeSet::new();
    let mut racing = JoinSet::new();
    for key in 0..keys {
        let method = chance.of(&[
            "pm_succeeds",
            "pm_succeeds",
            "pm_declines",
            "pm_server_error",
            "pm_webhook_before_reply",
            "pm_webhook_twice",
        ]);
        let body = order(method);
        let clients: Vec<Client> = (0..RACERS).map(|racer| pair.client(racer)).collect();
        racing.spawn(async move {
            let key = format!("race-{key}");
            let mut racers = JoinSet::new();
            for client in clients {
                let (key, body) = (key.clone(), body.clone());
                racers.spawn(async move { insist(&client, "/v1/payments", &key, &body).await });
            }
            let replies = racers.join_all().await;
            let first = &replies[0];
            for reply in &replies {
                assert_eq!(
                    (reply.status, &reply.body),
                    (first.status, &first.body),
                    "{key}"
                );
            }
            let decided = |reply: &&Reply| reply.header("idempotent-replayed").is_none();
            let decided = replies.iter().filter(decided).count();
            assert!(decided <= 1, "{key}: {decided} were no replays");
            assert!([201, 202, 402].contains(&first.status), "{}", first.json());
            let body = first.json();
            let id = body.get("resource").or_else(|| body.get("id"));
            id.and_then(Value::as_str).expect("an id").to_owned()
        });
        if racing.len() >= KEYS_AT_ONCE {
            let paid = racing.join_next().await.expect("some race");
            payments.insert(paid.expect("one answer and one effect"));
        }
    }
    payments.extend(racing.join_all().await);
    assert_eq!(payments.len(), keys);

    let payments = Vec::from_iter(payments);
    is_at_rest(&pair.one.client, &payments).await;
    let journal = pair.one.journal().await;
    assert_eq!(journal.len(), keys, "one provider key for each key");
    let references: BTreeSet<String> = journal.iter().map(|row| text(row, "/reference")).collect();
    assert_eq!(references.len(), keys, "one charge for each payment");
    for row in journal {
        assert_eq!(row["effects"], 1, "{row}");
    }
    let stored = i64::try_from(keys).expect("few");
    assert_eq!(database.number("SELECT count(*) FROM payment"), stored);
    pair.one.assert_as_the_provider_says().await;
    books_hold(&database);
}

/// Number of payments that are raced over.
const PAYMENTS: usize = 8;
/// Number of refunds that race over each, from each process.
const REFUNDS: usize = 8;

#[test]
fn refunds_that_race_at_two_processes_never_exceed_the_capture() {
    scenario(Kind::Postgres, async |database: Database| {
        let pair = Pair::open(&database, &["--provider-timeout-ms", "1000"]);
        let mut chance = Chance(7);
        let mut racing = JoinSet::new();
        let mut payments = Vec::new();
        for place in 0..PAYMENTS {
            let method = chance.of(&[
                "pm_succeeds",
                "pm_refund_declines",
                "pm_refund_server_error",
                "pm_refund_webhook_before_reply",
            ]);
            let paid = pair.one.pay(&format!("k-{place}"), method).await;
            let payment = text(&paid.json(), "/id");
            for racer in 0..2 * REFUNDS {
                let client = pair.client(racer);
                let amount = i64::try_from(1 + chance.below(400)).expect("small");
                let path = format!("/v1/payments/{payment}/refunds");
                let key = format!("r-{place}-{racer}");
                racing.spawn(async move {
                    let reply = insist(&client, &path, &key, &json!({"amount": amount})).await;
                    (place, amount, reply)
                });
            }
            payments.push(payment);
        }
        // What is seen meanwhile never exceeds the capture either: somebody looks until every refund is answered.
        let (stop, mut stopped) = oneshot::channel::<()>();
        let eyes = [0, 1].map(|number| pair.client(number));
        let paths: Vec<String> = (payments.iter().map(|id| format!("/v1/payments/{id}"))).collect();
        let looking = tokio::spawn(async move {
            let mut looks = 0;
            while looks == 0 || stopped.try_recv() == Err(TryRecvError::Empty) {
                let client = &eyes[looks % eyes.len()];
                let seen = client.get(&paths[looks % paths.len()]).await.json();
                let [refunded, captured] =
                    ["/amount_refunded", "/amount_captured"].map(|field| number(&seen, field));
                assert!(refunded <= captured, "{seen}");
                looks += 1;
            }
        });
        let mut accepted = Vec::new();
        let mut refused = 0;
        while let Some(done) = racing.join_next().await {
            let (place, amount, reply) = done.expect("an answer");
            let body = reply.json();
            match reply.status {
                201 | 202 => accepted.push((place, amount, text(&body, "/id"))),
                402 => {}
                422 => {
                    assert!(number(&body, "/left") < amount, "{body}");
                    refused += 1;
                }
                status => panic!("{status}: {body}"),
            }
        }
        drop(stop);
        looking.await.expect("nobody sees more than the capture");
        assert!(refused > 0, "no refund was too much");
        is_at_rest(&pair.one.client, &payments).await;
        // What was captured pays for every refund that is accepted, so none of them waits for money.
        let waiting = "SELECT count(*) FROM operation WHERE status = 'created'";
        assert_eq!(database.number(waiting), 0);
        // A refund without an answer yet may have been declined since.
        let mut given = vec![0; PAYMENTS];
        for (place, amount, refund) in accepted {
            let now = pair.one.client.get(&format!("/v1/refunds/{refund}")).await;
            match text(&now.json(), "/status").as_str() {
                "succeeded" => given[place] += amount,
                status => assert_eq!(status, "failed"),
            }
        }
        let journal = pair.one.journal().await;
        for (payment, given) in payments.iter().zip(given) {
            let now = pair.one.payment(payment).await;
            assert_eq!(number(&now, "/amount_refunded"), given, "{now}");
            assert!(given <= PRICE, "{given} of {PRICE}");
            let is_charge =
                |row: &&Value| row["reference"] == payment.as_str() && row["object"] == "charge";
            let charge = journal.iter().find(is_charge).expect("it was charged");
            let is_refund = |row: &&Value| {
                row["charge"] == charge["id"]
                    && row["status"] == "succeeded"
                    && row["object"] == "refund"
            };
            let at_provider = journal.iter().filter(is_refund);
            let at_provider: i64 = at_provider.map(|row| number(row, "/amount")).sum();
            assert_eq!(at_provider, given, "at the provider: {journal:?}");
        }
        pair.one.assert_as_the_provider_says().await;
        books_hold(&database);
    });
}

#[test]
fn captures_voids_and_refunds_that_race_at_two_processes_take_legal_edges_only() {
    scenario(Kind::Postgres, async |database: Database| {
        let pair = Pair::open(&database, &["--provider-timeout-ms", "1000"]);
        let mut chance = Chance(11);
        let mut racing = JoinSet::new();
        let mut payments = Vec::new();
        for place in 0..2 * PAYMENTS {
            let method = chance.of(&[
                "pm_succeeds",
                "pm_succeeds",
                "pm_capture_declines",
                "pm_void_webhook_before_reply",
                "pm_capture_server_error",
            ]);
            let key = format!("k-{place}");
            let payment = text(&pair.one.authorize(&key, method).await, "/id");
            let first = usize::try_from(chance.below(2)).expect("small");
            for (racer, (to, body)) in [
                ("capture", json!({})),
                ("cancel", json!({})),
                ("capture", json!({"amount": 300, "final": false})),
                ("refunds", json!({"amount": 200})),
                ("cancel", json!({})),
                ("capture", json!({"amount": 500})),
                ("refunds", json!({"amount": 1})),
            ]
            .into_iter()
            .enumerate()
            {
                let client = pair.client(first + racer);
                let path = format!("/v1/payments/{payment}/{to}");
                let key = format!("m-{place}-{racer}");
                racing.spawn(async move {
                    let reply = insist(&client, &path, &key, &body).await;
                    assert!(
                        [200, 201, 202, 402, 409, 422].contains(&reply.status),
                        "{}",
                        reply.json()
                    );
                });
            }
            payments.push(payment);
        }
        racing.join_all().await;
        is_at_rest(&pair.one.client, &payments).await;

        for machine in ["payment", "operation"] {
            let edges = edges(machine);
            assert!(edges.len() > 3, "{machine}: {edges:?}");
            let legal = edges
                .iter()
                .map(|(from, to)| format!("(from_state = '{from}' AND to_state = '{to}')"));
            let legal = Vec::from_iter(legal).join(" OR ");
            let illegal = format!(
                "SELECT count(*) FROM transition WHERE machine = '{machine}' AND NOT ({legal})"
            );
            assert_eq!(database.number(&illegal), 0, "{machine}");
        }
        for (from, to) in [
            ("requires_capture", "processing"),
            ("processing", "succeeded"),
            ("processing", "canceled"),
        ] {
            let taken = format!(
                "SELECT count(*) FROM transition WHERE from_state = '{from}' AND to_state = '{to}'"
            );
            assert!(
                database.number(&taken) > 0,
                "nobody went from {from} to {to}"
            );
        }
        for payment in &payments {
            let now = pair.other.payment(payment).await;
            let amount = |name: &str| number(&now, &format!("/amount_{name}"));
            assert!(amount("refunded") <= amount("captured"), "{now}");
            assert!(
                amount("captured") + amount("capturable") <= amount("authorized"),
                "{now}"
            );
            let ended = match (amount("capturable"), amount("captured")) {
                (1.., _) => "requires_capture",
                (_, 1..) => "succeeded",
                (_, _) => "canceled",
            };
            assert_eq!(now["status"], ended, "{now}");
        }
        for row in pair.one.journal().await {
            assert_eq!(row["effects"], 1, "{row}");
        }
        pair.one.assert_as_the_provider_says().await;
        books_hold(&database);
    });
}

/// The edges of a state machine, as `docs/payment-states.md` shows them: from one state to another.
fn edges(machine: &str) -> BTreeSet<(String, String)> {
    let page = include_str!("../../../docs/payment-states.md");
    let heading = format!("| {machine} |");
    let rows = page.lines().skip_while(|line| !line.starts_with(&heading));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| -> Vec<String> {
        let row = row.trim_matches('|').split('|');
        row.map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = rows.map(cells);
    let edges = rows.flat_map(|row| {
        let from = row[0].clone();
        let to = row.into_iter().skip(1).filter(|to| to != "–");
        to.map(move |to| (from.clone(), to))
    });
    edges.collect()
}

/// The lease of a worker runs out after twice this time and two seconds.
const SHORT_LEASE: [&str; 2] = ["--provider-timeout-ms", "300"];
/// A pause that is much longer than the lease.
const PAUSE: Duration = Duration::from_secs(12);

/// The worker of a live request is held up at this crash point until its lease has run out. Another process recovers
/// the operation meanwhile, and then the first worker goes on.
#[cfg(debug_assertions)]
async fn recover_while_a_worker_pauses(database: Database, point: crash_points::Point) {
    let one = Shop::open_with(&database, &SHORT_LEASE);
    let paused = format!("{}=sleep({})", point.name(), PAUSE.as_millis());
    let other = one.beside_with(&database, &SHORT_LEASE, &[("FAILPOINTS", &paused)]);
    let began = Instant::now();
    let mut paying = JoinSet::new();
    for method in [
        "pm_succeeds",
        "pm_server_error",
        "pm_server_error|pm_succeeds",
    ] {
        let (client, body) = (other.client.clone(), order(method));
        paying.spawn(async move {
            let headers = [
                ("content-type", "application/json"),
                ("idempotency-key", method),
                ("prefer", "wait=30"),
            ];
            client
                .send(Method::POST, "/v1/payments", &headers, body.to_string())
                .await
        });
    }
    let recovered = "SELECT count(*) FROM payment WHERE status = 'succeeded'";
    eventually("all are recovered", async || {
        (database.number(recovered) == 3).then_some(())
    })
    .await;
    // The provider reports the first one by its webhook. Of the others only an inquiry can know.
    assert!(began.elapsed() < PAUSE, "the worker was not held up");
    let mut payments = Vec::new();
    for reply in paying.join_all().await {
        assert!([201, 202].contains(&reply.status), "{}", reply.json());
        payments.push(text(&reply.json(), "/id"));
    }
    // The held-up worker has gone on when its process can end, because it waits for its workers.
    assert_eq!(other.florin.terminate().code(), Some(0));
    for payment in &payments {
        let path = format!("/v1/payments/{payment}/operations");
        let operations = list(&one.client.get(&path).await.json());
        assert_eq!(operations.len(), 1, "{operations:?}");
        assert_eq!(operations[0]["status"], "succeeded");
    }
    for row in one.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    one.assert_captured(payments.len()).await;
    one.assert_as_the_provider_says().await;
    books_hold(&database);
}

/// Makes a test of each crash point at which a worker is held up.
#[cfg(debug_assertions)]
macro_rules! recovered_while_paused {
    ($($test:ident at $point:ident;)+) => {
        $(
            #[test]
            fn $test() {
                scenario(Kind::Postgres, |database| {
                    recover_while_a_worker_pauses(database, crash_points::Point::$point)
                });
            }
        )+
    };
}

#[cfg(debug_assertions)]
recovered_while_paused! {
    a_worker_that_calls_after_another_one_has_recovered_posts_nothing_more at CallBefore;
    a_worker_that_hears_after_another_one_has_recovered_posts_nothing_more at CallSent;
    a_worker_that_records_after_another_one_has_recovered_posts_nothing_more at OutcomeBefore;
}

impl Shop {
    /// As [`Shop::beside`], with more arguments and with environment variables.
    pub(crate) fn beside_with(
        &self,
        database: &Database,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let folder = database.folder().join("second");
        let folder = folder.to_str().expect("scratch folders have plain names");
        let provider = [
            "--data-dir",
            folder,
            "--provider-url",
            self.florin.sandbox(),
        ];
        let arguments = [&provider, arguments].concat();
        let florin = Florin::start_with_environment(database, &arguments, environment);
        let client = florin.client();
        Self { florin, client }
    }
}
