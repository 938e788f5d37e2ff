//! Webhooks that race: each event comes five times, over two processes on one PostgreSQL, and has one effect.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::Value;
use tests::{Database, Kind, scenario};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, number, text};
use crate::shop::{CLEARING, PRICE, Shop, order};
use crate::webhooks::{Sender, event, kept, said};

/// Number of events, and of copies of each.
const EVENTS: usize = 1_000;
const COPIES: usize = 5;
/// Number of requests at a time.
const AT_ONCE: usize = 32;

/// Does these pieces of work, so many at a time.
async fn all<W, T, F>(work: Vec<W>, todo: impl Fn(W) -> F + Clone + Send + 'static) -> Vec<T>
where
    W: Send + 'static,
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let waiting = Arc::new(Mutex::new(VecDeque::from(work)));
    let mut working = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (waiting, todo) = (Arc::clone(&waiting), todo.clone());
        working.spawn(async move {
            let mut done = Vec::new();
            let next = || waiting.lock().expect("nobody panics here").pop_front();
            while let Some(one) = next() {
                done.push(todo(one).await);
            }
            done
        });
    }
    working.join_all().await.into_iter().flatten().collect()
}

#[test]
fn a_thousand_events_five_times_each_over_two_processes_have_a_thousand_effects() {
    scenario(Kind::Postgres, async |database: Database| {
        // The provider takes the money and never answers, and nobody asks it: only the events can tell.
        let silent = ["--provider-timeout-ms", "600000"];
        let one = Shop::open_with(&database, &silent);
        let other = one.beside_with(&database, &silent, &[]);
        let clients = [one.client.clone(), other.client.clone()];
        let numbers: Vec<usize> = (0..EVENTS).collect();
        let payments = all(numbers, move |number| {
            let client = clients[number % 2].clone();
            async move {
                let key = format!("k-{number}");
                let headers = [
                    ("content-type", "application/json"),
                    ("idempotency-key", key.as_str()),
                    ("prefer", "wait=0"),
                ];
                let body = order("pm_times_out").to_string();
                let path = "/v1/payments";
                let reply = client.send(Method::POST, path, &headers, body).await;
                assert_eq!(reply.status, 202, "{}", reply.json());
                text(&reply.json(), "/id")
            }
        })
        .await;
        assert_eq!(payments.len(), EVENTS);
        let charges = eventually("every charge is made", async || {
            let journal = one.journal().await;
            let made = journal.iter().filter(|row| row["effects"] == 1).count();
            (made == EVENTS).then_some(journal)
        })
        .await;
        let captured = "SELECT count(*) FROM payment WHERE status = 'succeeded'";
        assert_eq!(database.number(captured), 0, "nobody knows yet");

        let senders = [Sender::of(&one), Sender::of(&other)];
        let mut deliveries: Vec<(Sender, Arc<Vec<u8>>)> = Vec::new();
        for (number, charge) in charges.iter().enumerate() {
            let body = Arc::new(event(&format!("evt_{number}"), "charge.succeeded", charge));
            // The copies of one event are sent at the same moment, some to each process.
            for copy in 0..COPIES {
                deliveries.push((senders[(number + copy) % 2].clone(), Arc::clone(&body)));
            }
        }
        let answers = all(
            deliveries,
            |(sender, body): (Sender, Arc<Vec<u8>>)| async move {
                loop {
                    let reply = sender.deliver(&body).await;
                    // A sender comes again after a 503.
                    if reply.status != 503 {
                        return said(&reply);
                    }
                }
            },
        )
        .await;

        let mut counts: BTreeMap<(u16, String), usize> = BTreeMap::new();
        for answer in answers {
            *counts.entry(answer).or_default() += 1;
        }
        let expected = [
            ((200, "applied".to_owned()), EVENTS),
            ((200, "duplicate".to_owned()), EVENTS * (COPIES - 1)),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
        let events = i64::try_from(EVENTS).expect("few");
        assert_eq!(database.number(captured), events);
        assert_eq!(kept(&database), (events, 0));
        let received = "SELECT count(*) FROM audit_entry \
                        WHERE convert_from(leaf, 'UTF8') LIKE '%webhook.received%applied%'";
        assert_eq!(database.number(received), events);
        let clearing: Value = one.find(CLEARING).await.expect("money was taken");
        assert_eq!(
            number(&clearing, "/version"),
            events,
            "one entry for each event"
        );
        assert_eq!(number(&clearing, "/balances/posted"), events * PRICE);
        books_hold(&database);
    });
}
