//! Rehearsals of Florin itself: its events are about real payments, and its books must not depend on the schedule.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use webhook_signatures::Scheme;

use crate::chance::Chance;
use crate::effects::{Credited, Effects};
use crate::order::{Event, Order};
use crate::{Rehearsal, RehearsalError, Report, Schedule, Signer, SignerError};

/// How long the provider may take for its charges, and Florin for the effects of its answers.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Greatest number of orders in a schedule: the provider never answers, and a call to it stays open for each payment.
pub const MOST_PAYMENTS: u32 = 50;

/// Where a Florin in sandbox mode is. It prints all of this when it starts with `--json`.
#[derive(Clone, Debug)]
pub struct Address {
    /// The address of the API: `http://…`.
    pub api: String,
    /// The API key.
    pub key: String,
    /// The secret of the provider `sandbox`.
    pub webhook_secret: String,
    /// The address of the sandbox provider.
    pub sandbox: String,
}

/// An account that has other numbers after a schedule than after each event once, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The schedule.
    pub schedule: Schedule,
    /// The code of the account.
    pub account: String,
    /// What was added to the account by each event once: posted and pending balance in minor units, number of entries.
    pub expected: [i64; 3],
    /// What the schedule has added.
    pub found: [i64; 3],
}

/// The result of a rehearsal of Florin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BooksReport {
    /// The answers and the effects.
    pub report: Report,
    /// The places at which the books differ.
    pub differences: Vec<Difference>,
}

impl BooksReport {
    /// True if the answers, the effects and the books are right.
    pub fn passed(&self) -> bool {
        self.report.passed() && self.differences.is_empty()
    }
}

/// Why Florin could not be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The rehearsal itself could not be made.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// The secret cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A request failed.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// An answer was another one than expected.
    #[error("{what}: {got}")]
    Other {
        /// What was asked for.
        what: &'static str,
        /// What came.
        got: String,
    },
    /// These books have had the same rehearsal before, so nothing would happen.
    #[error("these books know the seed {0} already: choose another, or begin new books")]
    KnownSeed(u64),
    /// Even in order, and once, the events did not have their effects.
    #[error("the events had wrong effects although each was delivered once, in order:\n{0}")]
    Control(Box<Report>),
}

/// What the payments of a schedule are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The provider takes the money, and only an event can tell.
    Credited,
    /// The same, and a part is disputed.
    Disputed,
    /// The provider takes nothing: the events must have no effect.
    Nothing,
}

impl Kind {
    const fn of(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Reordered => Self::Disputed,
            Schedule::Unknown | Schedule::Thin => Self::Nothing,
            Schedule::Once
            | Schedule::Duplicates
            | Schedule::Racing
            | Schedule::Delayed
            | Schedule::Dropped
            | Schedule::Stale
            | Schedule::Future
            | Schedule::Forged
            | Schedule::Reserialised
            | Schedule::Rotated
            | Schedule::Burst
            | Schedule::Slow
            | Schedule::Cut
            | Schedule::Mixed => Self::Credited,
        }
    }

    const fn payment_method(self) -> &'static str {
        match self {
            Self::Credited | Self::Disputed => "pm_times_out",
            Self::Nothing => "pm_never_answers",
        }
    }
}

/// Accounts by code: posted and pending balance in minor units, and number of entries.
pub(crate) type Books = BTreeMap<String, [i64; 3]>;

/// Rehearses a Florin in sandbox mode on books that do not know the seed. Every schedule is about payments of the same
/// amounts; afterwards each account must have had the same added to it as by each event once, in order.
///
/// # Errors
/// See [`BooksError`].
pub async fn rehearse_books(
    at: &Address,
    schedules: &[Schedule],
    seed: u64,
    count: u32,
) -> Result<BooksReport, BooksError> {
    let shop = Shop {
        http: crate::drive::client(TIMEOUT)?,
        at: Arc::new(at.clone()),
        seed,
        count: count.clamp(1, MOST_PAYMENTS),
    };
    let mut control = BTreeMap::from([(Kind::Nothing, Books::new())]);
    for kind in [Kind::Credited, Kind::Disputed] {
        let orders = shop.orders(kind, "control").await?;
        let before = shop.books().await?;
        let rehearsal = shop.rehearsal(&[Schedule::Once])?;
        let mut stage = rehearsal.stage().await?;
        stage.play(Schedule::Once, &orders).await;
        let report = stage.end().await;
        if !report.passed() {
            return Err(BooksError::Control(Box::new(report)));
        }
        let added = added(&before, &shop.books().await?);
        if added.is_empty() {
            return Err(BooksError::KnownSeed(seed));
        }
        control.insert(kind, added);
    }

    let rehearsal = shop.rehearsal(schedules)?;
    let mut stage = rehearsal.stage().await?;
    let mut differences = Vec::new();
    for schedule in schedules {
        let kind = Kind::of(*schedule);
        let orders = shop.orders(kind, schedule.name()).await?;
        let before = shop.books().await?;
        stage.play(*schedule, &orders).await;
        let found = added(&before, &shop.books().await?);
        let expected = control.get(&kind).cloned().unwrap_or_default();
        differences.extend(different(*schedule, &expected, &found));
    }
    Ok(BooksReport {
        report: stage.end().await,
        differences,
    })
}

fn different(schedule: Schedule, expected: &Books, found: &Books) -> Vec<Difference> {
    let mut accounts: Vec<&String> = expected.keys().chain(found.keys()).collect();
    accounts.sort();
    accounts.dedup();
    let of = |books: &Books, account: &String| books.get(account).copied().unwrap_or_default();
    let differences = accounts.into_iter().map(|account| Difference {
        schedule,
        account: account.clone(),
        expected: of(expected, account),
        found: of(found, account),
    });
    differences
        .filter(|one| one.expected != one.found)
        .collect()
}

/// What was added to each account. Accounts that stayed as they were are left out.
pub(crate) fn added(before: &Books, after: &Books) -> Books {
    let added = after.iter().map(|(account, now)| {
        let then = before.get(account).copied().unwrap_or_default();
        let mut added = *now;
        for (number, then) in added.iter_mut().zip(then) {
            *number = number.saturating_sub(then);
        }
        (account.clone(), added)
    });
    added.filter(|(_, added)| *added != [0; 3]).collect()
}

/// A merchant with payments at the sandbox provider.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) http: Client,
    pub(crate) at: Arc<Address>,
    pub(crate) seed: u64,
    pub(crate) count: u32,
}

impl Shop {
    fn rehearsal(&self, schedules: &[Schedule]) -> Result<Rehearsal, BooksError> {
        let url = format!("{}/webhooks/sandbox", self.at.api);
        let secret = Some(self.at.webhook_secret.as_str());
        let signer = Signer::new(Scheme::StandardWebhooks, secret, &url, None, None)?;
        Ok(Rehearsal::new(&url, signer)?
            .schedules(schedules)
            .seed(self.seed)
            .count(self.count)
            .timeout(TIMEOUT)
            .effects_within(PATIENCE)
            .effects(self.clone()))
    }

    async fn ask(
        &self,
        what: &'static str,
        method: Method,
        url: String,
        key: Option<String>,
        body: Option<Value>,
    ) -> Result<Value, BooksError> {
        self.ask_waiting(what, (method, url), key, body, "wait=0")
            .await
    }

    /// Asks Florin or its provider, and waits for an outcome as long as `wait` says.
    pub(crate) async fn ask_waiting(
        &self,
        what: &'static str,
        (method, url): (Method, String),
        key: Option<String>,
        body: Option<Value>,
        wait: &str,
    ) -> Result<Value, BooksError> {
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(&self.at.key)
            .header("prefer", wait);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        match serde_json::from_str(&text) {
            Ok(value) if status.is_success() => Ok(value),
            Ok(_) | Err(_) => Err(BooksError::Other {
                what,
                got: format!("{status} {text}"),
            }),
        }
    }

    async fn get(&self, what: &'static str, url: String) -> Result<Value, BooksError> {
        self.ask(what, Method::GET, url, None, None).await
    }

    /// Makes the payments of a schedule, and the events about them. The amounts depend on the seed and the number of the
    /// order only.
    async fn orders(&self, kind: Kind, name: &str) -> Result<Vec<Order>, BooksError> {
        let mut making = JoinSet::new();
        for number in 1..=self.count {
            let (shop, name) = (self.clone(), name.to_owned());
            making.spawn(async move {
                let order = shop.order(kind, &name, number).await?;
                Ok::<_, BooksError>((number, order))
            });
        }
        let mut made = Vec::new();
        for one in making.join_all().await {
            made.push(one?);
        }
        made.sort_by_key(|(number, _)| *number);
        Ok(made.into_iter().map(|(_, order)| order).collect())
    }

    async fn order(&self, kind: Kind, name: &str, number: u32) -> Result<Order, BooksError> {
        let mut chance = Chance::of(self.seed, 0, u64::from(number));
        let amount = i64::from(chance.between(100, 99_999));
        let disputed = i64::from(chance.between(1, 99));
        let method = kind.payment_method();
        let body = json!({"amount": amount, "currency": "EUR", "payment_method": method});
        let unique = format!("rehearsal-{}-{name}-{kind:?}-{number}", self.seed);
        let url = format!("{}/v1/payments", self.at.api);
        let payment = self
            .ask(
                "a payment",
                Method::POST,
                url,
                Some(unique.clone()),
                Some(body),
            )
            .await?;
        let payment = text(&payment, "id");
        let charge = match kind {
            Kind::Credited | Kind::Disputed => self.charge_of(&payment).await?,
            // The provider never made one. Nothing in this one is true.
            Kind::Nothing => json!({
                "id": format!("ch_{unique}"), "idempotency_key": unique, "amount": amount, "currency": "EUR",
            }),
        };
        let event = |what: &str, kind: &str, about: &Value, effect: i64| {
            let id = format!("evt_{unique}_{what}");
            let written = |about: &Value| {
                json!({"id": id, "type": kind, "created": 1_767_225_600, "data": {"object": about}})
                    .to_string()
            };
            let mut changed = about.clone();
            if let Some(amount) = changed.get_mut("amount") {
                *amount = amount.as_i64().unwrap_or(0).saturating_mul(2).into();
            }
            Event {
                kind: kind.to_owned(),
                body: written(about),
                changed: written(&changed),
                id,
                effect,
            }
        };
        let dispute = json!({
            "id": format!("dp_{unique}"), "object": "dispute", "amount": disputed, "currency": "EUR",
            "reason": "fraudulent", "charge": charge.get("id"), "charge_key": charge.get("idempotency_key"),
        });
        let is_nothing = kind == Kind::Nothing;
        let back = disputed.saturating_neg();
        let refund =
            (kind == Kind::Disputed).then(|| event("dispute", "dispute.opened", &dispute, back));
        let unknown = is_nothing.then(|| event("unknown", "rehearsal.unknown", &charge, 0));
        let thin = is_nothing.then(|| {
            let named = json!({"type": "charge", "id": charge.get("id"), "url": "/v1/charges", "version": 1});
            Event {
                body: json!({
                    "id": format!("evt_{unique}_thin"), "type": "charge.succeeded", "created": 1, "object": named,
                })
                .to_string(),
                ..event("thin", "charge.succeeded", &charge, 0)
            }
        });
        Ok(Order {
            credit: event("credit", "charge.succeeded", &charge, amount),
            name: payment,
            refund,
            unknown,
            thin,
        })
    }

    /// The charge that the provider has made for a payment, once it has.
    async fn charge_of(&self, payment: &str) -> Result<Value, BooksError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let journal = self
                .get("the journal", format!("{}/v1/journal", self.at.sandbox))
                .await?;
            let charge = rows(&journal)
                .into_iter()
                .find(|row| row.get("reference").and_then(Value::as_str) == Some(payment));
            match charge {
                Some(charge) => return Ok(charge),
                None if Instant::now() >= until => {
                    return Err(BooksError::Other {
                        what: "a charge at the provider",
                        got: format!("none for {payment}"),
                    });
                }
                None => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// All accounts by code: posted and pending balance, and number of entries.
    pub(crate) async fn books(&self) -> Result<Books, BooksError> {
        let mut books = Books::new();
        let mut next = String::new();
        loop {
            let url = format!("{}/v1/accounts?limit=100{next}", self.at.api);
            let page = self.get("the accounts", url).await?;
            for account in rows(&page) {
                let number = |pointer| account.pointer(pointer).and_then(Value::as_i64);
                let numbers = ["/balances/posted", "/balances/pending", "/version"];
                let numbers = numbers.map(|pointer| number(pointer).unwrap_or(0));
                let code = format!("{} {}", text(&account, "code"), text(&account, "currency"));
                books.insert(code, numbers);
            }
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return Ok(books),
            }
        }
    }

    async fn credited_to(&self, payment: &str) -> Result<i64, BooksError> {
        let url = format!("{}/v1/payments/{payment}", self.at.api);
        let payment = self.get("a payment", url).await?;
        let amount = |name: &str| payment.get(name).and_then(Value::as_i64).unwrap_or(0);
        Ok(amount("amount_captured").saturating_sub(amount("amount_disputed")))
    }
}

impl Effects for Shop {
    fn credited<'a>(&'a self, orders: &'a [String]) -> Credited<'a> {
        Box::pin(async move {
            let mut credited = BTreeMap::new();
            for order in orders {
                let amount = self.credited_to(order).await;
                credited.insert(order.clone(), amount.map_err(|error| error.to_string())?);
            }
            Ok(credited)
        })
    }
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

pub(crate) fn rows(page: &Value) -> Vec<Value> {
    let rows = page.get("data").and_then(Value::as_array);
    rows.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Books, added, different};
    use crate::Schedule;

    fn books(accounts: &[(&str, [i64; 3])]) -> Books {
        let accounts = accounts.iter();
        let accounts = accounts.map(|(account, numbers)| ((*account).to_owned(), *numbers));
        accounts.collect()
    }

    #[test]
    fn books_differ_by_what_was_added_to_each_account() {
        let before = books(&[("a", [10, 10, 1]), ("b", [5, 5, 1])]);
        let after = books(&[("a", [30, 30, 2]), ("b", [5, 5, 1]), ("c", [0, 0, 2])]);
        let once = added(&before, &after);
        assert_eq!(once, books(&[("a", [20, 20, 1]), ("c", [0, 0, 2])]));
        assert!(different(Schedule::Racing, &once, &once).is_empty());

        // The same balance in more entries, and an account that was left out.
        let other = books(&[("a", [20, 20, 3])]);
        let found = different(Schedule::Racing, &once, &other);
        let found: Vec<(&str, [i64; 3], [i64; 3])> = found
            .iter()
            .map(|one| (one.account.as_str(), one.expected, one.found))
            .collect();
        let expected = [("a", [20, 20, 1], [20, 20, 3]), ("c", [0, 0, 2], [0; 3])];
        assert_eq!(found, expected);
    }
}
