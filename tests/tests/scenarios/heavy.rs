//! Batches so heavy that one is written while the previous one is still being written: many bulks of hundreds.

use std::time::Duration;

use books::transactions::{Action, Bulk, Details, Draft};
use engine::{Answer, Engine, LaneError, Request};
use idempotency::{Claim, Fingerprint, Key};
use ledger::{Kind as Word, Posting};
use money::Amount;
use store::{DatabaseUrl, Store};
use tests::{Database, Kind, on_both_databases, scenario};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::crowds::{
    Lane, MAX_BATCH, MAX_ROUNDS, PURSE, counted, counters, euro, posted_of, refused,
};
use crate::outages::{TERMINATE, with_private_cluster};
use crate::shop::{engine_beside, request_of_other};
use crate::tenants::{newcomer, smallest_transfer};

/// Number of bulks that a lane gets at once.
const GIVEN: i64 = 14;
/// Number of transactions in each bulk. Every second one is from the purse.
const EACH: i64 = 600;
const QUIET: &str = "florin_lane_quiet_batches_total";
const EARLY: &str = "florin_lane_early_batches_total";

#[test]
fn heavy_batches_are_written_two_at_a_time_and_committed_in_order() {
    scenario(Kind::Postgres, async |database: Database| {
        let counters = counters();
        let lane = Lane::open(&database).await;
        let before = counted(&counters, EARLY);
        let answers = pay(&lane, &lane.engine, "one").await;
        let after = counted(&counters, EARLY);
        assert!(after > before, "nothing was written early");
        // The purse gave all that it had, and decisions made ahead considered all earlier commands.
        assert_eq!(posted(&answers), GIVEN * EACH / 2 + PURSE);
        assert_eq!(lane.till().await, GIVEN * EACH / 2 + PURSE);
        // Each bulk that is sent again gets the same answer as before.
        assert_eq!(pay(&lane, &lane.engine, "one").await, answers);
        assert_eq!(lane.till().await, GIVEN * EACH / 2 + PURSE);
        lane.engine.shut_down().await;
        books_hold(&database);
    });
}

on_both_databases!(a_quiet_tenant_is_served_between_the_bulks_of_another);
async fn a_quiet_tenant_is_served_between_the_bulks_of_another(database: Database) {
    let counters = counters();
    let lane = Lane::open(&database).await;
    let (tenant, from, to) = newcomer(&lane.engine, "quiet").await;
    let before = counted(&counters, QUIET);
    let mut paying = std::pin::pin!(pay(&lane, &lane.engine, "one"));
    let mut served = 0_i64;
    let answers = loop {
        let request = smallest_transfer(tenant.clone(), from, to);
        let mut lone = std::pin::pin!(lane.engine.submit(request));
        tokio::select! {
            answers = &mut paying => {
                served += i64::from(lone.await.expect("committed").done().is_some());
                break answers;
            }
            outcome = &mut lone => served += i64::from(outcome.expect("committed").done().is_some()),
        }
    };
    // The turns alone serve it after each bulk. On PostgreSQL it is served beside them as well.
    assert!(served >= GIVEN / 2, "it was served {served} times");
    if database.kind() == Kind::Postgres {
        let after = counted(&counters, QUIET);
        assert!(after > before, "nothing was committed beside a bulk");
    }
    assert_eq!(posted(&answers), GIVEN * EACH / 2 + PURSE);
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the lane has opened it");
    let read = store.read(|connection| ledger::account(connection, tenant.id, to));
    let account = read.expect("readable").expect("opened above");
    assert_eq!(account.posted().get(), served);
    lane.engine.shut_down().await;
    books_hold(&database);
}

#[test]
fn heavy_batches_of_two_lanes_are_decided_again_until_each_is_committed_once() {
    scenario(Kind::Postgres, async |database: Database| {
        let counters = counters();
        let lane = Lane::open(&database).await;
        let other = engine_beside(&database, MAX_BATCH);
        let before = counted(&counters, "florin_lane_reruns_total");
        // On a machine that runs the lanes one after the other, they meet in a later round.
        let (mut rounds, mut sum) = (0, 0);
        while counted(&counters, "florin_lane_reruns_total") <= before {
            assert!(rounds < MAX_ROUNDS, "the lanes never met");
            let names = ["one", "other"].map(|name| format!("{name}-{rounds}"));
            let (one, two) = tokio::join!(
                pay(&lane, &lane.engine, &names[0]),
                pay(&lane, &other, &names[1])
            );
            sum += posted(&one) + posted(&two);
            rounds += 1;
        }
        assert_eq!(sum, rounds * GIVEN * EACH + PURSE);
        assert_eq!(lane.till().await, sum);
        lane.engine.shut_down().await;
        other.shut_down().await;
        books_hold(&database);
    });
}

#[test]
fn heavy_batches_are_committed_once_each_while_backends_are_terminated() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let counters = counters();
        let lane = Lane::open(&database).await;
        let before = counted(&counters, "florin_lane_reconnects_total");
        let mut paying = std::pin::pin!(pay(&lane, &lane.engine, "one"));
        let mut storm = tokio::time::interval(Duration::from_millis(60));
        let answers = loop {
            tokio::select! {
                answers = &mut paying => break answers,
                _ = storm.tick() => database.execute_raw(TERMINATE),
            }
        };
        let after = counted(&counters, "florin_lane_reconnects_total");
        assert!(after > before, "the storm was never felt");
        assert_eq!(posted(&answers), GIVEN * EACH / 2 + PURSE);
        assert_eq!(lane.till().await, GIVEN * EACH / 2 + PURSE);
        lane.engine.shut_down().await;
        books_hold(&database);
    });
}

#[test]
fn a_bulk_that_the_database_refuses_fails_alone_among_heavy_ones() {
    scenario(Kind::Postgres, async |database: Database| {
        let lane = Lane::open(&database).await;
        database.execute_raw(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'poison'; END $$; \
             CREATE TRIGGER poison AFTER INSERT ON ledger_transaction FOR EACH ROW \
             WHEN (NEW.description = 'poison') EXECUTE FUNCTION poison()",
        );
        let mut asking = JoinSet::new();
        for number in 0..GIVEN {
            let name = (number == GIVEN / 2).then_some("poison");
            let (engine, bulk) = (lane.engine.clone(), bulk(&lane, number, "one", name));
            asking.spawn(async move {
                let answer = engine.submit(bulk).await;
                (number, answer.map(|outcome| count(&outcome.answer)))
            });
        }
        let mut sum = 0;
        for (number, answer) in asking.join_all().await {
            match answer {
                Ok(posted) => sum += posted,
                Err(LaneError::Failed) => assert_eq!(number, GIVEN / 2),
                Err(other) => panic!("{number}: {other}"),
            }
        }
        assert_eq!(sum, (GIVEN - 1) * EACH / 2 + PURSE);
        assert_eq!(lane.till().await, sum);
        lane.engine.shut_down().await;
        // The check finds every object that the migrations have not made.
        database.execute_raw("DROP TRIGGER poison ON ledger_transaction; DROP FUNCTION poison()");
        books_hold(&database);
    });
}

/// Sends all bulks at once; returns the number of posted transactions of each, in order.
async fn pay(lane: &Lane, engine: &Engine, name: &str) -> Vec<i64> {
    let mut asking = JoinSet::new();
    for number in 0..GIVEN {
        let (engine, bulk) = (engine.clone(), bulk(lane, number, name, None));
        asking.spawn(async move {
            // A bulk that gets 503 is sent again.
            loop {
                if let Ok(outcome) = engine.submit(bulk.clone()).await {
                    return (number, count(&outcome.answer));
                }
            }
        });
    }
    let mut answers = asking.join_all().await;
    answers.sort_unstable();
    answers.into_iter().map(|(_, posted)| posted).collect()
}

fn bulk(lane: &Lane, number: i64, name: &str, description: Option<&str>) -> Request<Bulk> {
    let actions = (0..EACH).map(|place| {
        let from = if place % 2 == 0 {
            lane.rich
        } else {
            lane.purse
        };
        Action::Post(Draft {
            kind: Word::parse("payout").expect("a kind"),
            postings: vec![Posting {
                debit: from,
                credit: lane.till,
                amount: Amount::new(1).expect("positive"),
                currency: euro(),
            }],
            pending: None,
            conditions: Vec::new(),
            details: Details {
                description: description.map(ledger::Description::trusted),
                ..Details::default()
            },
        })
    });
    let command = Bulk {
        actions: actions.collect(),
        is_atomic: false,
    };
    let mut request = request_of_other(command, posted_of, refused);
    request.claim = Some(Claim {
        key: Key::parse(format!("{name}-{number}")).expect("a key"),
        fingerprint: Fingerprint::of("POST", "/v1/transactions/bulk", "1", b"{}"),
    });
    request
}

fn count(answer: &Answer) -> i64 {
    let Answer::Replied { reply, .. } = answer else {
        panic!("{answer:?}");
    };
    let text = std::str::from_utf8(&reply.body).expect("a number");
    text.parse().expect("a number")
}

fn posted(answers: &[i64]) -> i64 {
    answers.iter().sum()
}
