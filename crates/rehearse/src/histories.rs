//! Histories: what providers tell of one payment or payout, in several events. Whatever the schedule by chance of each
//! history is, the books of Florin must end as after each event once, in order.
//!
//! The events are those of the sandbox provider itself. Florin is told to lose all its webhooks, and to answer inquiries
//! late, so that only the schedule delivers them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use webhook_signatures::Scheme;

use crate::books::{Address, Books, BooksError, Shop, added, rows, text};
use crate::chance::Chance;
use crate::drive::{Driver, Sent};
use crate::order::Event;
use crate::plan::{Plan, Track};
use crate::shuffle::{plain, shuffled};
use crate::{RehearsalError, Schedule, Signer};

/// Number of schedules that are played at the same time, each about a history of its own.
pub const HISTORIES_AT_ONCE: u32 = 50;
/// Number of histories that are made or delivered at a time.
const AT_ONCE: usize = 8;
/// How long Florin may take for the effects of what it has accepted.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(30);

/// A history whose end is another one than in the plain order, or an account whose numbers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherEnd {
    /// The number of the batch.
    pub batch: u32,
    /// The history or the account.
    pub of: String,
    /// The end in the plain order.
    pub expected: String,
    /// The end after the schedule.
    pub found: String,
}

/// The result of schedules by chance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoriesReport {
    /// The seed, which repeats the run on new books.
    pub seed: u64,
    /// Number of schedules.
    pub schedules: u32,
    /// Number of deliveries.
    pub deliveries: usize,
    /// The deliveries that were answered wrongly: history, event, fault of the delivery, answers.
    pub wrong_answers: Vec<String>,
    /// The ends that differ.
    pub other_ends: Vec<OtherEnd>,
}

impl HistoriesReport {
    /// True if every schedule has ended in the same books.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.wrong_answers.is_empty() && self.other_ends.is_empty()
    }
}

/// What a history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A charge without an answer, and a dispute that takes the money, is won, and gives the money back.
    Won,
    /// A charge without an answer, and a dispute that is lost before it takes the money.
    Lost,
    /// Two captures without an answer of one authorization, and a dispute of it.
    Captured,
    /// A refund that succeeds and comes back.
    Refunded,
    /// A payout that succeeds and comes back.
    PaidOut,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Won,
        Self::Lost,
        Self::Captured,
        Self::Refunded,
        Self::PaidOut,
    ];

    fn of(number: u32) -> Self {
        let place = usize::try_from(number).unwrap_or(0);
        let kind = Self::ALL.iter().cycle().nth(place % Self::ALL.len());
        kind.copied().unwrap_or(Self::Won)
    }
}

/// One history: its subject in the API, and its events in order.
struct History {
    name: String,
    path: String,
    events: Vec<Event>,
}

#[derive(Clone)]
struct Stage(Shop);

/// Plays this number of batches of [`HISTORIES_AT_ONCE`] schedules by chance against a Florin in sandbox mode, on books
/// of its own: after each batch the same must have been added to every account as by the same histories in the plain
/// order, and every payment, dispute and payout must be the same.
///
/// # Errors
/// See [`BooksError`].
pub async fn rehearse_histories(
    at: &Address,
    seed: u64,
    batches: u32,
) -> Result<HistoriesReport, BooksError> {
    let stage = Stage(Shop {
        http: crate::drive::client(TIMEOUT)?,
        at: Arc::new(at.clone()),
        seed,
        count: HISTORIES_AT_ONCE,
    });
    stage.prepare().await?;
    let mut report = HistoriesReport {
        seed,
        ..HistoriesReport::default()
    };
    let (control, ends) = stage.batch(0, None, &mut report).await?;
    for number in 1..=batches {
        let wanted = Some((&control, &ends));
        let (found, found_ends) = stage.batch(number, wanted, &mut report).await?;
        report.schedules = report.schedules.saturating_add(HISTORIES_AT_ONCE);
        let mut differ = |of: &str, expected: String, found: String| {
            if expected != found {
                report.other_ends.push(OtherEnd {
                    batch: number,
                    of: of.to_owned(),
                    expected,
                    found,
                });
            }
        };
        for (name, end) in &ends {
            let found = found_ends.get(name).cloned().unwrap_or_default();
            differ(name, end.clone(), found);
        }
        let shown = |books: &Books, account: &str| format!("{:?}", books.get(account));
        for account in control.keys().chain(found.keys()) {
            differ(account, shown(&control, account), shown(&found, account));
        }
    }
    Ok(report)
}

type Ends = BTreeMap<String, String>;

impl Stage {
    /// Scripts the faults, and puts available and pending money into the books.
    async fn prepare(&self) -> Result<(), BooksError> {
        for fault in [
            json!({"operation": "webhook", "fault": "drop", "per_mille": 1000}),
            json!({"operation": "inquiry", "fault": "latency", "latency_ms": 30_000, "per_mille": 1000}),
        ] {
            self.post("a fault", "/sandbox/faults", None, fault).await?;
        }
        let body =
            json!({"amount": 50_000_000, "currency": "EUR", "payment_method": "pm_succeeds"});
        for name in ["available", "pending"] {
            let key = format!("history-{}-{name}", self.0.seed);
            let paid = self
                .post("a payment", "/v1/payments", Some(key), body.clone())
                .await?;
            if text(&paid, "status") != "succeeded" {
                return Err(other("a payment", &paid));
            }
            if name == "available" {
                let days = json!({"seconds": 30 * 86_400});
                self.post("the clock", "/sandbox/clock/advance", None, days)
                    .await?;
                self.post("the work", "/sandbox/drain", None, json!({}))
                    .await?;
            }
        }
        Ok(())
    }

    /// Makes the histories of a batch and delivers their events: in the plain order for batch 0, and otherwise by chance.
    /// Returns what was added to the books, and the ends of the histories, once they are as `wanted` or the patience is
    /// over.
    async fn batch(
        &self,
        batch: u32,
        wanted: Option<(&Books, &Ends)>,
        report: &mut HistoriesReport,
    ) -> Result<(Books, Ends), BooksError> {
        let before = self.0.books().await?;
        let histories = self.make(batch).await?;
        let tracks = histories.iter().zip(0_u64..).map(|(history, number)| {
            let mut chance = Chance::of(self.0.seed, u64::from(batch), number);
            match batch {
                0 => plain(&history.name, &history.events, &mut chance),
                _ => shuffled(&mut chance, &history.name, &history.events),
            }
        });
        let sent = self.deliver(tracks.collect()).await?;
        report.deliveries = report.deliveries.saturating_add(sent.len());
        let wrong = sent.iter().filter(|sent| !sent.is_right());
        report.wrong_answers.extend(wrong.map(|sent| {
            let (order, event, case) = (&sent.order, &sent.event, sent.case);
            format!("batch {batch}: {order} {event} {case}: {:?}", sent.answers)
        }));
        let until = Instant::now() + PATIENCE;
        let mut last = None;
        loop {
            let found = (
                added(&before, &self.0.books().await?),
                self.ends(&histories).await?,
            );
            let is_right = match wanted {
                Some((books, ends)) => *books == found.0 && *ends == found.1,
                // Nobody knows the end of the plain order before. It has come when nothing changes any more.
                None => {
                    let drained = self.post("the rest", "/sandbox/drain", None, json!({}));
                    drained.await?;
                    last.as_ref() == Some(&found)
                }
            };
            if is_right || Instant::now() >= until {
                return Ok(found);
            }
            last = Some(found);
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn deliver(&self, tracks: Vec<Track>) -> Result<Vec<Sent>, BooksError> {
        let url = format!("{}/webhooks/sandbox", self.0.at.api);
        let secret = Some(self.0.at.webhook_secret.as_str());
        let signer = Signer::new(Scheme::StandardWebhooks, secret, &url, None, None)?;
        let driver = Driver {
            client: self.0.http.clone(),
            url: Url::parse(&url).map_err(|_wrong| RehearsalError::Url(url.clone()))?,
            signer,
            headers: Vec::new(),
            at_once: AT_ONCE,
        };
        let plan = Plan {
            schedule: Schedule::Mixed,
            all_at_once: false,
            tracks,
        };
        Ok(Arc::new(driver).run(plan).await)
    }

    async fn make(&self, batch: u32) -> Result<Vec<History>, BooksError> {
        let mut making = JoinSet::new();
        let mut made = Vec::new();
        for number in 0..HISTORIES_AT_ONCE {
            if making.len() >= AT_ONCE
                && let Some(one) = making.join_next().await
            {
                made.push(one.map_err(|panic| other("a history", &json!(panic.to_string())))??);
            }
            let stage = self.clone();
            making.spawn(async move { stage.history(batch, number).await });
        }
        for one in making.join_all().await {
            made.push(one?);
        }
        made.sort_by_key(|(number, _)| *number);
        Ok(made.into_iter().map(|(_, history)| history).collect())
    }

    /// Makes a history. Its amounts depend on the seed and its number only.
    async fn history(&self, batch: u32, number: u32) -> Result<(u32, History), BooksError> {
        let kind = Kind::of(number);
        let mut chance = Chance::of(self.0.seed, u64::MAX, u64::from(number));
        let part = i64::from(chance.between(1, 99));
        let amount = i64::from(chance.between(1_000, 9_999));
        let key = format!("history-{}-{batch}-{number}", self.0.seed);
        let pay = |method: &str, capture: &str| {
            let body = json!({
                "amount": amount, "currency": "EUR", "payment_method": method, "capture_method": capture,
            });
            self.post("a payment", "/v1/payments", Some(key.clone()), body)
        };
        let (subject, mut records) = match kind {
            Kind::Won | Kind::Lost => {
                let payment = text(&pay("pm_times_out", "automatic").await?, "id");
                let charge = self.records(&payment, 1).await?;
                let mut dispute = self.dispute(&charge, part).await?;
                let steps: &[&str] = match kind {
                    Kind::Won => &["withdraw", "win", "reinstate"],
                    Kind::Lost | Kind::Captured | Kind::Refunded | Kind::PaidOut => {
                        &["lose", "withdraw"]
                    }
                };
                for step in steps {
                    dispute = self.play(&format!("/v1/disputes/{dispute}/{step}")).await?;
                }
                (
                    format!("/v1/payments/{payment}"),
                    [charge, vec![dispute]].concat(),
                )
            }
            Kind::Captured => {
                let payment = text(&pay("pm_capture_times_out", "manual").await?, "id");
                for (place, amount) in [(1, 300), (2, 400)] {
                    let path = format!("/v1/payments/{payment}/capture");
                    let key = Some(format!("{key}-{place}"));
                    let body = json!({"amount": amount, "final": false});
                    self.post("a capture", &path, key, body).await?;
                }
                let records = self.records(&payment, 3).await?;
                let dispute = self.dispute(&records, part).await?;
                let dispute = self
                    .play(&format!("/v1/disputes/{dispute}/withdraw"))
                    .await?;
                (
                    format!("/v1/payments/{payment}"),
                    [records, vec![dispute]].concat(),
                )
            }
            Kind::Refunded => {
                let payment = text(&pay("pm_refund_pending", "automatic").await?, "id");
                let path = format!("/v1/payments/{payment}/refunds");
                let key = Some(format!("{key}-refund"));
                self.post("a refund", &path, key, json!({"amount": part}))
                    .await?;
                let records = self.records(&payment, 2).await?;
                let refund = records.last().cloned().unwrap_or_default();
                for step in ["succeed", "return"] {
                    self.play(&format!("/v1/refunds/{refund}/{step}")).await?;
                }
                (format!("/v1/payments/{payment}"), records)
            }
            Kind::PaidOut => {
                let body =
                    json!({"amount": amount, "currency": "EUR", "destination": "ba_pending"});
                let payout = self.post("a payout", "/v1/payouts", Some(key.clone()), body);
                let payout = text(&payout.await?, "id");
                let records = self.records(&payout, 1).await?;
                for step in ["succeed", "return"] {
                    for record in &records {
                        self.play(&format!("/v1/payouts/{record}/{step}")).await?;
                    }
                }
                (format!("/v1/payouts/{payout}"), records)
            }
        };
        let mut events = Vec::new();
        for record in records.drain(..) {
            events.extend(self.events(&record).await?);
        }
        let history = History {
            name: format!("{number} {kind:?}"),
            path: subject,
            events,
        };
        Ok((number, history))
    }

    /// The ids of the provider's records about this payment or payout, once there are so many: the charge first, then
    /// its steps.
    async fn records(&self, subject: &str, number: usize) -> Result<Vec<String>, BooksError> {
        let until = Instant::now() + PATIENCE;
        let path = format!("{}/v1/journal?reference={subject}", self.0.at.sandbox);
        loop {
            let journal = self
                .ask("the journal", Method::GET, path.clone(), None, None)
                .await?;
            let mut found = rows(&journal);
            found.retain(|row| !text(row, "id").is_empty());
            if found.len() >= number {
                found.sort_by_key(|row| text(row, "object") != "charge");
                return Ok(found.iter().map(|row| text(row, "id")).collect());
            }
            if Instant::now() >= until {
                return Err(other("records at the provider", &journal));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Opens a dispute of the first of these records, and returns its id.
    async fn dispute(&self, records: &[String], amount: i64) -> Result<String, BooksError> {
        let charge = records.first().cloned().unwrap_or_default();
        let url = format!("{}/v1/charges/{charge}/disputes", self.0.at.sandbox);
        let body = Some(json!({"amount": amount}));
        let dispute = self.ask("a dispute", Method::POST, url, None, body).await?;
        Ok(text(&dispute, "id"))
    }

    /// Plays the bank at the provider. Returns the id of what it is about.
    async fn play(&self, path: &str) -> Result<String, BooksError> {
        let url = format!("{}{path}", self.0.at.sandbox);
        let played = self.ask("the bank", Method::POST, url, None, None).await?;
        Ok(text(&played, "id"))
    }

    /// The events of a record or a dispute, as the provider sends them.
    async fn events(&self, record: &str) -> Result<Vec<Event>, BooksError> {
        let url = format!("{}/v1/webhooks/{record}", self.0.at.sandbox);
        let told = self.ask("the events", Method::GET, url, None, None).await?;
        let event = |row: Value| {
            let body = text(&row, "body");
            Event {
                id: text(&row, "id"),
                kind: text(&row, "type"),
                changed: body.replacen("\"amount\":", "\"amount\":9", 1),
                body,
                effect: 0,
            }
        };
        Ok(rows(&told).into_iter().map(event).collect())
    }

    /// The ends of histories: what the API says of each, without ids and times.
    async fn ends(&self, histories: &[History]) -> Result<Ends, BooksError> {
        let mut ends = Ends::new();
        for history in histories {
            let url = format!("{}{}", self.0.at.api, history.path);
            let subject = self.ask("the end", Method::GET, url, None, None).await?;
            let told = [
                "status",
                "amount",
                "amount_captured",
                "amount_refunded",
                "amount_disputed",
                "returned",
            ];
            let told =
                told.map(|name| format!("{name}={}", subject.get(name).unwrap_or(&Value::Null)));
            ends.insert(history.name.clone(), told.join(" "));
        }
        Ok(ends)
    }

    async fn post(
        &self,
        what: &'static str,
        path: &str,
        key: Option<String>,
        body: Value,
    ) -> Result<Value, BooksError> {
        let url = format!("{}{path}", self.0.at.api);
        self.ask(what, Method::POST, url, key, Some(body)).await
    }

    async fn ask(
        &self,
        what: &'static str,
        method: Method,
        url: String,
        key: Option<String>,
        body: Option<Value>,
    ) -> Result<Value, BooksError> {
        // Only what is slow on purpose is not waited for.
        let wait = match what {
            "a capture" => "wait=0",
            "the rest" => "wait=1",
            "a payment" if is_silent(body.as_ref()) => "wait=0",
            _ => "wait=10",
        };
        self.0
            .ask_waiting(what, (method, url), key, body, wait)
            .await
    }
}

/// True if the provider never answers a payment of this body.
fn is_silent(body: Option<&Value>) -> bool {
    body.is_some_and(|body| text(body, "payment_method") == "pm_times_out")
}

fn other(what: &'static str, got: &Value) -> BooksError {
    BooksError::Other {
        what,
        got: got.to_string(),
    }
}
