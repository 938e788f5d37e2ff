//! Hundreds of requests at once, and batches so large that the next one is decided while one is being written.

use std::time::Duration;

use books::accounts::OpenAccount;
use books::transactions::{Details, Draft, Expiry, Results, StepResult, Transact};
use books::transfers::Transfer;
use books::{Refusal, transactions::Action};
use engine::{Answer, Engine, RefusalReply, Reply, Request};
use idempotency::{Claim, Fingerprint, Key};
use ledger::{AccountClass, AccountId, Kind as Word, Limits, NewAccount, Posting};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use money::{Amount, Currency, Money};
use serde_json::{Value, json};
use tests::{Client, Database, Kind, on_both_databases, scenario};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::number;
use crate::outages::{TERMINATE, with_private_cluster};
use crate::shop::{Shop, engine_beside, movement, other_tenant, request_of_other};

const CUSTOMERS: usize = 240;
const EACH: usize = 4;
/// One customer in four pays from a purse that has too little for all of them.
const POOR: usize = 4;
pub(crate) const PURSE: i64 = 150;
const RERUNS: &str = "florin_lane_reruns_total";

/// The accounts: one without limit, the purse, and the till that all pay into.
struct Accounts {
    rich: String,
    purse: String,
    till: String,
}

impl Accounts {
    async fn open(shop: &Shop) -> Self {
        let rich = json!({"code": "equity:rich", "currency": "EUR", "floor": null});
        Self {
            rich: shop.account(&rich).await,
            purse: shop.wallet("wallets:purse", PURSE).await,
            till: shop.wallet("wallets:till", 0).await,
        }
    }
}

on_both_databases!(a_crowd_is_served_once_each);
async fn a_crowd_is_served_once_each(database: Database) {
    let shop = Shop::open(&database);
    let accounts = Accounts::open(&shop).await;
    let mut customers = send(&[&shop.client], &accounts);
    let (mut posted, mut refused) = (0, 0);
    while let Some(done) = customers.join_next().await {
        let (one, other) = done.expect("no customer panics");
        posted += one;
        refused += other;
    }
    adds_up(&shop, &accounts, posted, refused).await;
    books_hold(&database);
}

#[test]
fn a_crowd_at_two_processes_is_served_once_each() {
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let accounts = Accounts::open(&one).await;
        let other = one.beside(&database);
        let mut customers = send(&[&one.client, &other.client], &accounts);
        let (mut posted, mut refused) = (0, 0);
        while let Some(done) = customers.join_next().await {
            let (some, more) = done.expect("no customer panics");
            posted += some;
            refused += more;
        }
        adds_up(&one, &accounts, posted, refused).await;
        let reruns = one.counter(RERUNS).await + other.counter(RERUNS).await;
        assert!(reruns > 0, "the two never met");
        books_hold(&database);
    });
}

#[test]
fn a_crowd_is_served_once_each_while_backends_are_terminated() {
    with_private_cluster(async |cluster| {
        let database = Database::within(&cluster);
        let shop = Shop::open(&database);
        let accounts = Accounts::open(&shop).await;
        let mut customers = send(&[&shop.client], &accounts);
        let (mut posted, mut refused) = (0, 0);
        let mut storm = tokio::time::interval(Duration::from_millis(100));
        while !customers.is_empty() {
            tokio::select! {
                Some(done) = customers.join_next() => {
                    let (some, more) = done.expect("no customer panics");
                    posted += some;
                    refused += more;
                }
                _ = storm.tick() => database.execute_raw(TERMINATE),
            }
        }
        adds_up(&shop, &accounts, posted, refused).await;
        books_hold(&database);
    });
}

on_both_databases!(what_a_crowd_holds_is_posted_or_voided_and_never_both);
async fn what_a_crowd_holds_is_posted_or_voided_and_never_both(database: Database) {
    let shop = Shop::open(&database);
    let accounts = Accounts::open(&shop).await;
    let posting =
        json!({"debit": accounts.rich, "credit": accounts.till, "amount": 1, "currency": "EUR"});
    let mut customers = JoinSet::new();
    for customer in 0..CUSTOMERS / 2 {
        let (client, posting) = (shop.client.clone(), posting.clone());
        customers.spawn(async move {
            let mut posted = 0;
            for time in 0..2 {
                let name = format!("{customer}-{time}");
                let new = json!({"kind": "stay", "pending": true, "postings": [posting]});
                let path = "/v1/transactions";
                let held = client
                    .post(path, format!("hold-{name}").as_str(), &new)
                    .await;
                assert_eq!(held.status, 201, "{}", held.json());
                let path = format!("{path}/{}", held.json()["id"].as_str().expect("an id"));
                let (post, void) = (format!("{path}/post"), format!("{path}/void"));
                let (post_key, void_key) = (format!("post-{name}"), format!("void-{name}"));
                let body = json!({});
                let (post, void) = tokio::join!(
                    client.post(&post, post_key.as_str(), &body),
                    client.post(&void, void_key.as_str(), &body),
                );
                match (post.status, void.status) {
                    (201, 409) => posted += 1,
                    (409, 201) => {}
                    other => panic!("{other:?}: {} {}", post.json(), void.json()),
                }
            }
            posted
        });
    }
    let mut posted = 0;
    while let Some(done) = customers.join_next().await {
        posted += done.expect("no customer panics");
    }
    let till = shop.read(&accounts.till).await;
    assert_eq!(number(&till, "/balances/posted"), posted);
    assert_eq!(number(&till, "/balances/pending"), posted);
    books_hold(&database);
}

/// Each customer pays [`EACH`] times, tries again while the answer is 503, and then repeats each request.
fn send(clients: &[&Client], accounts: &Accounts) -> JoinSet<(usize, usize)> {
    let mut customers = JoinSet::new();
    for (customer, client) in (0..CUSTOMERS).zip(clients.iter().cycle()) {
        let from = if customer % POOR == 0 {
            &accounts.purse
        } else {
            &accounts.rich
        };
        let (client, body) = ((*client).clone(), movement(from, &accounts.till, 1));
        customers.spawn(async move {
            let (mut posted, mut refused) = (0, 0);
            let mut answers = Vec::new();
            for transfer in 0..EACH {
                let key = format!("crowd-{customer}-{transfer}");
                let first = insist(&client, &key, &body).await;
                match first.0 {
                    201 => posted += 1,
                    422 => refused += 1,
                    status => panic!("{status}: {:?}", first.1),
                }
                answers.push((key, first));
            }
            for (key, first) in answers {
                let again = insist(&client, &key, &body).await;
                assert_eq!(first, again, "the same answer again");
            }
            (posted, refused)
        });
    }
    customers
}

/// Status and body of the first answer that is not 503.
async fn insist(client: &Client, key: &str, body: &Value) -> (u16, Vec<u8>) {
    loop {
        let reply = client.post("/v1/transfers", key, body).await;
        if reply.status != 503 {
            return (reply.status, reply.body.to_vec());
        }
    }
}

/// Checks that the books contain all acknowledged transfers, and that the purse gave all that it had and no more.
async fn adds_up(shop: &Shop, accounts: &Accounts, posted: usize, refused: usize) {
    assert_eq!(posted + refused, CUSTOMERS * EACH);
    let posted = i64::try_from(posted).expect("small");
    let till = shop.read(&accounts.till).await;
    assert_eq!(number(&till, "/balances/posted"), posted);
    assert_eq!(number(&till, "/version"), posted);
    let purse = shop.read(&accounts.purse).await;
    assert_eq!(number(&purse, "/balances/posted"), 0);
    let poor = CUSTOMERS / POOR * EACH;
    let expected = i64::try_from(poor).expect("small") - PURSE;
    assert_eq!(i64::try_from(refused).expect("small"), expected);
}

/// Number of commands that a lane gets at once; how many a commit may take.
const GIVEN: i64 = 900;
/// Greatest number of rounds until two lanes meet.
pub(crate) const MAX_ROUNDS: i64 = 20;
pub(crate) const MAX_BATCH: usize = 100;

#[test]
fn what_is_decided_while_a_batch_is_written_is_committed_after_it() {
    scenario(Kind::Postgres, async |database: Database| {
        let counters = counters();
        let lane = Lane::open(&database).await;
        let before = counted(&counters, "florin_lane_overlapped_batches_total");
        let (posted, refused) = lane.pay(&lane.engine).await;
        let after = counted(&counters, "florin_lane_overlapped_batches_total");
        assert!(after > before, "nothing overlapped");
        // The purse is empty: refusals that were decided ahead considered all earlier commands.
        assert_eq!((posted, refused), (GIVEN / 2 + PURSE, GIVEN / 2 - PURSE));
        assert_eq!(lane.till().await, posted);
        lane.engine.shut_down().await;
        books_hold(&database);
    });
}

#[test]
fn what_was_decided_after_a_batch_that_fails_is_decided_again() {
    scenario(Kind::Postgres, async |database: Database| {
        let counters = counters();
        let lane = Lane::open(&database).await;
        let other = engine_beside(&database, MAX_BATCH);
        let before = counted(&counters, "florin_lane_reruns_total");
        // Two lanes on one tenant: the second one has a batch refused. On a machine that runs them one after the other,
        // they meet in a later round.
        let (mut rounds, mut posted) = (0, 0);
        while counted(&counters, "florin_lane_reruns_total") <= before {
            assert!(rounds < MAX_ROUNDS, "the lanes never met");
            let (one, two) = tokio::join!(lane.pay(&lane.engine), lane.pay(&other));
            posted += one.0 + two.0;
            rounds += 1;
        }
        assert_eq!(posted, rounds * GIVEN + PURSE);
        assert_eq!(lane.till().await, posted);
        lane.engine.shut_down().await;
        other.shut_down().await;
        books_hold(&database);
    });
}

#[test]
fn a_retry_is_answered_as_before_though_it_would_be_a_mistake_by_now() {
    scenario(Kind::Postgres, async |database: Database| {
        let lane = Lane::open(&database).await;
        let expires_at = lane.engine.clock().now().plus_millis(300);
        let mut promise = request_of_other(
            Transact(Action::Post(Draft {
                kind: Word::parse("promise").expect("a kind"),
                postings: vec![Posting {
                    debit: lane.rich,
                    credit: lane.till,
                    amount: Amount::new(1).expect("positive"),
                    currency: euro(),
                }],
                pending: Some(Expiry::At(expires_at)),
                conditions: Vec::new(),
                details: Details::default(),
            })),
            made,
            refused,
        );
        promise.claim = Some(Claim {
            key: Key::parse("the-promise".to_owned()).expect("a key"),
            fingerprint: Fingerprint::of("POST", "/v1/transactions", "1", b"{}"),
        });
        let first = lane.engine.submit(promise.clone()).await;
        assert_eq!(status(&first.expect("committed").answer), 201);
        lane.engine.shut_down().await;
        let clock = lane.engine.clock();
        crate::given::eventually("its time is over", async || {
            (clock.now() > expires_at).then_some(())
        })
        .await;

        // A lane that has never seen the key, and neighbours that leave a trace.
        let engine = engine_beside(&database, MAX_BATCH);
        let mut asking = JoinSet::new();
        for number in 0..60 {
            let (promise, other) = (
                (number == 30).then(|| promise.clone()),
                lane.transfer(lane.rich, lane.till, 1),
            );
            let engine = engine.clone();
            asking.spawn(async move {
                let answer = match promise {
                    Some(promise) => engine.submit(promise).await.map(|outcome| outcome.answer),
                    None => engine.submit(other).await.map(|outcome| outcome.answer),
                };
                status(&answer.expect("committed"))
            });
        }
        assert_eq!(asking.join_all().await, [201; 60]);
        engine.shut_down().await;
        books_hold(&database);
    });
}

/// A separate lane, with accounts of a tenant that no server serves.
pub(crate) struct Lane {
    pub(crate) engine: Engine,
    pub(crate) rich: AccountId,
    pub(crate) purse: AccountId,
    pub(crate) till: AccountId,
}

impl Lane {
    pub(crate) async fn open(database: &Database) -> Self {
        // The schema exists after a server has run.
        drop(Shop::open(database));
        crate::shop::second_tenant(database).await;
        let engine = engine_beside(database, MAX_BATCH);
        let mut ids = Vec::new();
        for (code, limits) in [
            ("rich", Limits::NONE),
            ("purse", Limits::NO_OVERDRAFT),
            ("till", Limits::NONE),
        ] {
            let opened = OpenAccount(NewAccount {
                code: ledger::AccountCode::trusted(code),
                name: ledger::AccountName::trusted(code),
                currency: euro(),
                class: AccountClass::Liability,
                limits,
                metadata: None,
            });
            let request = Request::of_system(other_tenant(), "scenario", opened);
            let opened = engine.submit(request).await.expect("answered").done();
            ids.push(opened.expect("opened").id);
        }
        let lane = Self {
            engine,
            rich: ids[0],
            purse: ids[1],
            till: ids[2],
        };
        let funded = lane.transfer(lane.rich, lane.purse, PURSE);
        let funded = lane.engine.submit(funded).await;
        assert_eq!(status(&funded.expect("funded").answer), 201);
        lane
    }

    fn transfer(&self, from: AccountId, to: AccountId, amount: i64) -> Request<Transfer> {
        let transfer = Transfer {
            from,
            to,
            money: Money {
                amount: Amount::new(amount).expect("positive"),
                currency: euro(),
            },
            description: None,
        };
        let show = |_: &_, _| reply(201, Vec::new());
        request_of_other(transfer, show, refused)
    }

    /// Sends all commands at once, every other one from the purse; returns how many were posted and refused.
    async fn pay(&self, engine: &Engine) -> (i64, i64) {
        let mut asking = JoinSet::new();
        for number in 0..GIVEN {
            let from = if number % 2 == 0 {
                self.rich
            } else {
                self.purse
            };
            let envelope = self.transfer(from, self.till, 1);
            let engine = engine.clone();
            asking.spawn(async move {
                // Two lanes on one tenant may starve each other for a while, so both try again.
                loop {
                    if let Ok(outcome) = engine.submit(envelope.clone()).await {
                        return status(&outcome.answer);
                    }
                }
            });
        }
        let statuses = asking.join_all().await;
        let of = |wanted| {
            let count = statuses.iter().filter(|status| **status == wanted).count();
            i64::try_from(count).expect("small")
        };
        (of(201), of(422))
    }

    pub(crate) async fn till(&self) -> i64 {
        let till = self.till;
        let tenant = other_tenant().id;
        let account = self
            .engine
            .read(move |connection| ledger::account(connection, tenant, till))
            .await;
        let account = account.expect("readable").expect("opened above");
        assert_eq!(account.version, account.posted().get());
        account.version
    }
}

pub(crate) fn euro() -> Currency {
    Currency::from_code("EUR").expect("a currency")
}

fn status(answer: &Answer) -> u16 {
    let Answer::Replied { reply, .. } = answer else {
        panic!("{answer:?}");
    };
    reply.status
}

fn made(_made: &StepResult, _is_dry_run: bool) -> Reply {
    reply(201, Vec::new())
}

/// The reply to a bulk: the number of posted transactions.
pub(crate) fn posted_of(results: &Results, _is_dry_run: bool) -> Reply {
    let posted = results.0.iter().filter(|result| result.is_ok()).count();
    reply(200, posted.to_string().into_bytes())
}

pub(crate) fn refused<C>(_command: &C, refusal: &Refusal) -> RefusalReply {
    RefusalReply {
        reply: reply(422, Vec::new()),
        ..books::refusal_reply(refusal)
    }
}

fn reply(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, body }
}

/// The counters of the lanes in this process.
pub(crate) fn counters() -> PrometheusHandle {
    static COUNTERS: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    let installed = || PrometheusBuilder::new().install_recorder();
    let handle = COUNTERS.get_or_init(|| installed().expect("the only recorder"));
    handle.clone()
}

pub(crate) fn counted(counters: &PrometheusHandle, name: &str) -> u64 {
    let shown = counters.render();
    let value = shown
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or(0)
}
