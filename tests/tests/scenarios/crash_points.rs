//! The real binary dies at each crash point, in the middle of the life of several payments. It is started again, the
//! customers send their requests again, and in the end nothing is lost, done twice, or done by halves.
//!
//! The sandbox provider runs inside the process that dies. Its journal is a file, so it forgets nothing.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crash_points::{DIED_AT, Point};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Database, Florin, Kind, Reply};

use crate::books_hold;
use crate::funds::balance_becomes;
use crate::given::{eventually_every, text};
use crate::moves_of_chance::Chance;
use crate::shop::{PRICE, Shop, list, order};
use crate::webhooks::{Sender, event};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "600"];
/// Number of servers at a time.
const AT_ONCE: usize = 5;
/// Pause between two looks. Many servers look at once.
const PAUSE: Duration = Duration::from_millis(150);
/// Greatest time until a point is hit after everything was asked for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The signal of a process that aborts itself (SIGABRT).
const ABORTED: i32 = 6;
/// Number of deaths that are drawn, and the greatest number of a hit.
const DRAWN: usize = 150;
const MOST_HITS: usize = 24;
/// Number of operations at the provider in [`Play::Shop`], with the one from before.
const OPERATIONS: usize = 9;

/// What is going on when the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Play {
    /// Payments of all kinds, a refund, a payout, a webhook.
    Shop,
    /// A parked webhook whose cause comes.
    Parked,
    /// A bulk that is so heavy that a thread of its own writes it.
    Heavy,
}

/// How a point is reached: what is played, and at which of its hits the process dies.
const fn way(point: Point) -> (Play, &'static [usize]) {
    match point {
        Point::LaneTaken
        | Point::LaneLoaded
        | Point::LaneDecided
        | Point::LaneCommitted
        | Point::LaneAnswered
        | Point::LaneSilent => (Play::Shop, &[1, 6]),
        Point::BeginBefore | Point::BeginAfter => (Play::Shop, &[1, 5]),
        Point::WriteBefore | Point::WriteAfter => (Play::Shop, &[1, 8]),
        Point::CommitBefore | Point::CommitAfter => (Play::Shop, &[1, 4]),
        Point::WaitBegun
        | Point::ReplyBefore
        | Point::MessageHeard
        | Point::CallBefore
        | Point::CallSent
        | Point::CallAfter
        | Point::OutcomeBefore
        | Point::OutcomeAfter => (Play::Shop, &[1, 5]),
        Point::WaitOver
        | Point::ErrandFound
        | Point::ErrandTaken
        | Point::LeaseBefore
        | Point::LeaseAfter
        | Point::InquiryBefore
        | Point::InquiryAfter
        | Point::AgainBefore => (Play::Shop, &[1]),
        Point::WebhookBefore | Point::WebhookAfter => (Play::Shop, &[1, 3]),
        Point::ParkedBefore | Point::ParkedAfter => (Play::Parked, &[1]),
        Point::WriterBefore | Point::WriterEarly | Point::WriterAfter => (Play::Heavy, &[1]),
    }
}

/// One death.
#[derive(Debug, Clone, Copy)]
struct Death {
    point: Point,
    play: Play,
    /// The number of the hit, from 1.
    hit: usize,
    /// True if it is known that the point is hit as often.
    is_certain: bool,
}

impl Death {
    /// The value of `FAILPOINTS`.
    fn armed(self) -> String {
        match self.hit.saturating_sub(1) {
            0 => format!("{}=return", self.point.name()),
            before => format!("{}={before}*off->return", self.point.name()),
        }
    }
}

#[test]
fn the_process_dies_at_every_point_and_nothing_is_lost_or_done_twice_sqlite() {
    die_one_by_one(Kind::Sqlite, &everywhere());
}

#[test]
fn the_process_dies_at_every_point_and_nothing_is_lost_or_done_twice_postgres() {
    die_one_by_one(Kind::Postgres, &everywhere());
}

#[test]
#[ignore = "it takes many minutes: run it by hand (docs/reliability.md)"]
fn the_process_dies_at_hundreds_of_hits_and_nothing_is_lost_or_done_twice() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        die_one_by_one(kind, &anywhere());
    }
}

/// Each point, at the hits that are certain.
fn everywhere() -> Vec<Death> {
    let deaths = Point::ALL.iter().flat_map(|point| {
        let (play, hits) = way(*point);
        hits.iter().map(move |hit| Death {
            point: *point,
            play,
            hit: *hit,
            is_certain: true,
        })
    });
    deaths.collect()
}

/// Hits drawn by chance. Some points are not hit as often; then the process does not die.
fn anywhere() -> Vec<Death> {
    let mut chance = Chance(20_261_130);
    let mut draw = |bound: usize| {
        let bound = u64::try_from(bound).expect("few");
        usize::try_from(chance.below(bound)).expect("few")
    };
    let deaths = (0..DRAWN).map(|_| {
        let point = Point::ALL[draw(Point::ALL.len())];
        Death {
            point,
            play: way(point).0,
            hit: 1 + draw(MOST_HITS),
            is_certain: false,
        }
    });
    deaths.collect()
}

fn die_one_by_one(kind: Kind, deaths: &[Death]) {
    let Some(first) = Database::fresh(kind) else {
        return;
    };
    wait_for(begin(&first));
    let deaths = deaths.iter().copied();
    // Only on PostgreSQL, a batch is written by a thread of its own.
    let deaths = deaths.filter(|death| kind == Kind::Postgres || death.play != Play::Heavy);
    let deaths: VecDeque<Death> = deaths.collect();
    let planned = deaths.len();
    let (deaths, failed) = (Mutex::new(deaths), Mutex::new(Vec::new()));
    let died = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(death) = next(&deaths) {
                    let database = first.copy();
                    let told = AssertUnwindSafe(|| wait_for(die(database, death)));
                    match catch_unwind(told) {
                        Ok(has_died) => {
                            died.fetch_add(usize::from(has_died), Ordering::Relaxed);
                        }
                        Err(_panic) => {
                            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                            failed.push(death);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "the reasons are above: {failed:?}");
    // Of the hits that are drawn, many are too late in the story.
    let died = died.into_inner();
    assert!(died >= planned / 5, "{died} of {planned} have died");
}

fn next(deaths: &Mutex<VecDeque<Death>>) -> Option<Death> {
    let mut deaths = deaths.lock().unwrap_or_else(PoisonError::into_inner);
    deaths.pop_front()
}

fn wait_for<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(story)
}

/// The books before each death: terms, and money that can be paid out.
async fn begin(database: &Database) {
    let shop = Shop::open_with(database, &IMPATIENT);
    let at_once = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    let agreed = shop.client.post("/v1/payment_terms", None, &at_once).await;
    assert_eq!(agreed.status, 201);
    assert_eq!(shop.pay("money", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    assert_eq!(shop.florin.terminate().code(), Some(0));
}

/// Plays until the process has died. Returns false if it has not, because the hit is too late.
async fn die(database: Database, death: Death) -> bool {
    if death.play == Play::Parked {
        park(&database).await;
    }
    let mut merchant = Merchant::open(&database, death);
    if death.play == Play::Parked {
        // The server chooses a provider key, and nobody knows it before the commit. So this simulates the late commit.
        database.execute_raw(
            "UPDATE operation SET provider_key = 'op_not_known_yet' WHERE status <> 'succeeded'",
        );
    }
    match death.play {
        Play::Shop => merchant.trade().await,
        Play::Parked => merchant.hear_late().await,
        Play::Heavy => merchant.post_in_bulk().await,
    }
    merchant.hears_the_same_again().await;
    books_hold(&database);
    merchant.died
}

/// A merchant whose server dies once.
struct Merchant<'d> {
    database: &'d Database,
    death: Death,
    /// Absent for a moment between two lives.
    shop: Option<Shop>,
    died: bool,
    /// All requests, each with its final answer.
    asked: Vec<(String, String, Value, Reply)>,
}

impl<'d> Merchant<'d> {
    fn open(database: &'d Database, death: Death) -> Self {
        let armed = death.armed();
        let florin =
            Florin::start_with_environment(database, &IMPATIENT, &[("FAILPOINTS", &armed)]);
        let client = florin.client();
        Self {
            database,
            death,
            shop: Some(Shop { florin, client }),
            died: false,
            asked: Vec::new(),
        }
    }

    fn shop(&self) -> &Shop {
        self.shop.as_ref().expect("it is open")
    }

    /// Checks that the server died at the point and nowhere else, and opens the next one, which does not die.
    fn revive(&mut self) {
        let death = self.death;
        assert!(!self.died, "{death:?}: it died a second time");
        let mut shop = self.shop.take().expect("it is open");
        let Some((status, log)) = shop.florin.ended_within(PATIENCE) else {
            panic!("{death:?}: the point was not hit as often");
        };
        assert_eq!(status.signal(), Some(ABORTED), "{death:?}: {status}\n{log}");
        let last = format!("{DIED_AT}{}", death.point.name());
        assert_eq!(log.lines().last(), Some(last.as_str()), "{death:?}:\n{log}");
        self.died = true;
        self.shop = Some(Shop::open_with(self.database, &IMPATIENT));
    }

    /// Waits until the server has died, if that has not happened yet.
    fn must_have_died(&mut self) {
        if !self.died && self.death.is_certain {
            self.revive();
        }
    }

    /// Sends a request until there is a final answer, whichever server gives it.
    async fn ask(&mut self, key: &str, path: &str, body: Value, seconds: u32) -> Reply {
        let reply = self.insist(key, path, &body, seconds).await;
        let asked = (key.to_owned(), path.to_owned(), body, reply.clone());
        self.asked.push(asked);
        reply
    }

    async fn insist(&mut self, key: &str, path: &str, body: &Value, seconds: u32) -> Reply {
        let wait = format!("wait={seconds}");
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
            ("prefer", wait.as_str()),
        ];
        eventually_every(PAUSE, key, async || {
            let client = self.shop().client.clone();
            let sent = client.try_send(Method::POST, path, &headers, body.to_string());
            let Ok(reply) = sent.await else {
                self.revive();
                return None;
            };
            let is_final = match reply.status {
                503 => false,
                409 => !["idempotency_key_in_use", "operation_in_flight"]
                    .contains(&text(&reply.json(), "/code").as_str()),
                _ => true,
            };
            is_final.then_some(reply)
        })
        .await
    }

    /// Reads until the answer is as wanted, whichever server gives it.
    async fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually_every(PAUSE, path, async || {
            let client = self.shop().client.clone();
            let sent = client.try_send(Method::GET, path, &[], "").await;
            match sent {
                Ok(reply) => (reply.status == 200)
                    .then(|| reply.json())
                    .filter(|read| wanted(read)),
                Err(_gone) => {
                    self.revive();
                    None
                }
            }
        })
        .await
    }

    /// Asks for a payment, and waits until it has left this state.
    async fn pays(&mut self, key: &str, body: Value, seconds: u32) -> String {
        let reply = self.ask(key, "/v1/payments", body, seconds).await;
        assert!([201, 202].contains(&reply.status), "{}", reply.json());
        text(&reply.json(), "/id")
    }

    /// Waits until the payment is no longer processing.
    async fn settles(&mut self, payment: &str) {
        let path = format!("/v1/payments/{payment}");
        self.until(&path, |read| read["status"] != "processing")
            .await;
    }

    /// Sends a webhook until it is accepted, as a provider does.
    async fn delivers(&mut self, bytes: &[u8]) -> u16 {
        eventually_every(PAUSE, "the webhook is accepted", async || {
            let sender = Sender::of(self.shop());
            match sender.try_deliver(bytes).await {
                Ok(reply) => (reply.status < 300).then_some(reply.status),
                Err(_gone) => {
                    self.revive();
                    None
                }
            }
        })
        .await
    }

    /// The life of several payments, up to the last outcome. The books and the provider then agree.
    async fn trade(&mut self) {
        let mut manual = order("pm_succeeds");
        manual["capture_method"] = json!("manual");
        let charged = self.pays("k-1", order("pm_succeeds"), 10).await;
        let held = self.pays("k-2", manual, 10).await;
        // The provider answers these two late, or has to be asked twice.
        let silent = self.pays("k-3", order("pm_times_out"), 0).await;
        let lost = order("pm_server_error|pm_succeeds");
        let lost = self.pays("k-4", lost, 10).await;
        self.settles(&held).await;
        let captures = format!("/v1/payments/{held}/capture");
        let part = json!({"amount": 400, "final": false});
        assert!(self.ask("k-5", &captures, part, 10).await.status < 300);
        assert!(self.ask("k-6", &captures, json!({}), 10).await.status < 300);
        self.settles(&charged).await;
        let refunds = format!("/v1/payments/{charged}/refunds");
        let part = json!({"amount": 100});
        assert!(self.ask("k-7", &refunds, part, 10).await.status < 300);
        let payout = json!({"amount": 300, "currency": "EUR", "destination": "ba_succeeds"});
        assert!(self.ask("k-8", "/v1/payouts", payout, 10).await.status < 300);
        let other = event("evt_1", "customer.created", &json!({}));
        assert_eq!(self.delivers(&other).await, 200);
        for payment in [charged, held, silent, lost] {
            let path = format!("/v1/payments/{payment}/operations");
            let is_done = |read: &Value| list(read).iter().all(|one| one["status"] == "succeeded");
            self.until(&path, is_done).await;
        }
        let is_paid = |read: &Value| list(read).iter().all(|one| one["status"] == "paid");
        self.until("/v1/payouts", is_paid).await;
        // Accounts are read one after the other, so no money may move between them meanwhile.
        let is_available = |read: &Value| read["balances"][0]["pending"] == 0;
        self.until("/v1/balance", is_available).await;
        self.must_have_died();

        let shop = self.shop();
        shop.assert_as_the_provider_says().await;
        let journal = shop.journal().await;
        assert_eq!(journal.len(), OPERATIONS, "{journal:?}");
        for row in journal {
            assert_eq!(row["effects"], 1, "{row}");
        }
    }

    /// A parked webhook is applied once.
    async fn hear_late(&mut self) {
        let is_paid = |read: &Value| {
            let payments = list(read);
            payments.len() == 2 && payments.iter().all(|one| one["status"] == "succeeded")
        };
        self.until("/v1/payments", is_paid).await;
        self.must_have_died();
        let early = self.database.number("SELECT count(*) FROM inbox");
        assert_eq!(early, 2, "that of the first payment, and the parked one");
    }

    /// A bulk is posted once, completely.
    async fn post_in_bulk(&mut self) {
        const ITEMS: usize = 700;
        let mut ids = Vec::new();
        for code in ["equity:rich", "equity:till"] {
            let account = json!({"code": code, "currency": "EUR", "floor": null});
            let opened = self.ask(code, "/v1/accounts", account, 10).await;
            ids.push(text(&opened.json(), "/id"));
        }
        let posting = json!({"debit": ids[0], "credit": ids[1], "amount": 1, "currency": "EUR"});
        let item = json!({"kind": "part", "postings": [posting]});
        let bulk = json!({"atomic": true, "transactions": vec![item; ITEMS]});
        let path = "/v1/transactions/bulk";
        let posted = self.ask("bulk", path, bulk, 10).await;
        assert!(posted.status < 300, "{}", posted.status);
        self.must_have_died();
        let till = self.shop().read(&ids[1]).await;
        assert_eq!(till["balances"]["posted"], ITEMS);
    }

    /// Every request that is sent again gets the answer that it had.
    async fn hears_the_same_again(&mut self) {
        for (key, path, body, reply) in std::mem::take(&mut self.asked) {
            let again = self.insist(&key, &path, &body, 10).await;
            let (first, again) = ((reply.status, reply.body), (again.status, again.body));
            assert_eq!(first, again, "{:?}: {key}", self.death);
        }
    }
}

/// A webhook arrives before its cause.
async fn park(database: &Database) {
    let shop = Shop::open_with(database, &IMPATIENT);
    let reply = shop.pay_waiting("k-1", "pm_never_answers", 0).await;
    assert_eq!(reply.status, 202);
    let early = json!({
        "id": "ch_1", "amount": PRICE, "currency": "EUR", "decline_code": null,
        "idempotency_key": "op_not_known_yet",
    });
    let early = event("evt_1", "charge.succeeded", &early);
    assert_eq!(Sender::of(&shop).deliver(&early).await.status, 202);
    shop.florin.kill9();
}
