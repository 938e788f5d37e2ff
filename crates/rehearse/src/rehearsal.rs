//! A rehearsal: schedules one after another against one URL, and the report.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::drive::{self, Driver};
use crate::effects::{ByCommand, ByUrl, Effects};
use crate::order::{Order, Templates};
use crate::plan::{Plan, plan};
use crate::report::{EffectsFound, Report, ScheduleReport, WrongEffect, cases};
use crate::{Schedule, Signer};

/// Orders in each schedule, unless the caller says otherwise.
pub const COUNT: u32 = 5;
/// Orders that are delivered at a time, unless the caller says otherwise.
pub const AT_ONCE: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(10);
const EFFECTS_WITHIN: Duration = Duration::from_secs(1);
/// The pause between two questions about effects.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Why a rehearsal could not be made. It says nothing about the consumer.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The text is no URL of HTTP.
    #[error("`{0}` is no URL that begins with http:// or https://")]
    Url(String),
    /// A header cannot be sent.
    #[error("`{0}` is no header: write 'Name: value'")]
    Header(String),
    /// Nobody listens.
    #[error("nobody answers at {url}: {cause}")]
    Unreachable {
        /// The URL.
        url: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The client for HTTP could not be made.
    #[error("cannot make a client: {0}")]
    Client(#[from] reqwest::Error),
    /// The runtime could not be started.
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
}

/// A rehearsal that is about to be made.
///
/// ```no_run
/// use rehearse::{Rehearsal, Schedule, Signer};
/// use webhook_signatures::Scheme;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "http://127.0.0.1:9000/webhooks";
/// let signer = Signer::new(Scheme::StandardWebhooks, None, url, None, None)?;
/// let report = Rehearsal::new(url, signer)?
///     .schedules(&[Schedule::Duplicates, Schedule::Racing])
///     .seed(7)
///     .effects_by_url("http://127.0.0.1:9000/credited/{order}")?
///     .run_blocking()?;
/// assert!(report.passed(), "{report}");
/// # Ok(())
/// # }
/// ```
pub struct Rehearsal {
    url: Url,
    signer: Signer,
    tolerance: Option<i64>,
    templates: Templates,
    schedules: Vec<Schedule>,
    seed: u64,
    count: u32,
    at_once: usize,
    timeout: Duration,
    headers: Vec<(String, String)>,
    effects: Option<Arc<dyn Effects>>,
    effects_within: Duration,
}

impl Rehearsal {
    /// A rehearsal of all schedules, with seed 1 and without a question about effects.
    ///
    /// # Errors
    /// [`RehearsalError::Url`].
    pub fn new(url: &str, signer: Signer) -> Result<Self, RehearsalError> {
        Ok(Self {
            url: http_url(url)?,
            templates: Templates::of(signer.scheme()),
            signer,
            tolerance: None,
            schedules: Schedule::ALL.to_vec(),
            seed: 1,
            count: COUNT,
            at_once: AT_ONCE,
            timeout: TIMEOUT,
            headers: Vec::new(),
            effects: None,
            effects_within: EFFECTS_WITHIN,
        })
    }

    /// Sets the schedules.
    #[must_use]
    pub fn schedules(mut self, schedules: &[Schedule]) -> Self {
        self.schedules = schedules.to_vec();
        self
    }

    /// Sets the seed. The same seed gives the same orders, events, bodies and faults.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of orders in each schedule.
    #[must_use]
    pub const fn count(mut self, count: u32) -> Self {
        self.count = count;
        self
    }

    /// Sets the number of orders that are delivered at a time.
    #[must_use]
    pub const fn at_once(mut self, at_once: usize) -> Self {
        self.at_once = at_once;
        self
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the tolerance of the consumer, in seconds. The default is the scheme's.
    #[must_use]
    pub const fn tolerance(mut self, seconds: Option<i64>) -> Self {
        self.tolerance = seconds;
        self
    }

    /// Sets the bodies of the events.
    #[must_use]
    pub fn templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Adds a header to every delivery, written as `Name: value`.
    ///
    /// # Errors
    /// [`RehearsalError::Header`].
    pub fn header(mut self, line: &str) -> Result<Self, RehearsalError> {
        let wrong = || RehearsalError::Header(line.to_owned());
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let is_name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
        let value = value.trim();
        if !is_name || reqwest::header::HeaderValue::from_str(value).is_err() {
            return Err(wrong());
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Asks for effects in a way of the caller's own: a function from the name of an order to minor units will do.
    #[must_use]
    pub fn effects(mut self, effects: impl Effects + 'static) -> Self {
        self.effects = Some(Arc::new(effects));
        self
    }

    /// Asks a URL for effects. `{order}` in it is replaced by the name of an order; without it the name is added.
    ///
    /// # Errors
    /// [`RehearsalError`] if it is no URL.
    pub fn effects_by_url(self, url: &str) -> Result<Self, RehearsalError> {
        let url = match url.contains("{order}") {
            true => url.to_owned(),
            false => format!("{}/{{order}}", url.trim_end_matches('/')),
        };
        http_url(&url.replace("{order}", "order"))?;
        let client = drive::client(self.timeout)?;
        Ok(self.effects(ByUrl { client, url }))
    }

    /// Asks a command of the shell for effects. It gets the names of orders on standard input, one a line, and prints
    /// lines of a name and an amount.
    #[must_use]
    pub fn effects_by_command(self, command: &str) -> Self {
        self.effects(ByCommand(command.to_owned()))
    }

    /// Sets how long the effects may take after the last answer of a schedule.
    #[must_use]
    pub const fn effects_within(mut self, patience: Duration) -> Self {
        self.effects_within = patience;
        self
    }

    /// Makes the rehearsal in a runtime of its own, for a `#[test]`.
    ///
    /// # Errors
    /// See [`RehearsalError`].
    pub fn run_blocking(self) -> Result<Report, RehearsalError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(RehearsalError::Runtime)?;
        runtime.block_on(self.run(|_schedule| {}))
    }

    /// Makes the rehearsal. `begins` is called before each schedule.
    ///
    /// # Errors
    /// See [`RehearsalError`].
    pub async fn run(self, mut begins: impl FnMut(Schedule)) -> Result<Report, RehearsalError> {
        let mut stage = self.stage().await?;
        for schedule in &self.schedules {
            begins(*schedule);
            let orders = 1..=drive::orders(*schedule, self.count);
            let orders: Vec<Order> = orders
                .map(|number| self.templates.order(self.seed, *schedule, number))
                .collect();
            stage.play(*schedule, &orders).await;
        }
        Ok(stage.end().await)
    }

    /// Makes sure that somebody listens.
    pub(crate) async fn stage(&self) -> Result<Stage<'_>, RehearsalError> {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = self.url.port_or_known_default().unwrap_or(80);
        let reached = tokio::time::timeout(self.timeout, TcpStream::connect((host, port))).await;
        let reached = reached.unwrap_or_else(|_elapsed| Err(std::io::ErrorKind::TimedOut.into()));
        drop(reached.map_err(|cause| RehearsalError::Unreachable {
            url: self.url.to_string(),
            cause,
        })?);
        let driver = Driver {
            client: drive::client(self.timeout)?,
            url: self.url.clone(),
            signer: self.signer.clone(),
            headers: self.headers.clone(),
            at_once: self.at_once,
        };
        Ok(Stage {
            rehearsal: self,
            driver: Arc::new(driver),
            schedules: Vec::new(),
            right: BTreeMap::new(),
        })
    }
}

/// A rehearsal under way.
pub(crate) struct Stage<'r> {
    rehearsal: &'r Rehearsal,
    driver: Arc<Driver>,
    schedules: Vec<ScheduleReport>,
    /// The orders whose effects were right after their schedule.
    right: BTreeMap<String, i64>,
}

impl Stage<'_> {
    /// Plays one schedule about these orders.
    pub(crate) async fn play(&mut self, schedule: Schedule, orders: &[Order]) {
        let rehearsal = self.rehearsal;
        let mut abilities = rehearsal.signer.abilities(rehearsal.tolerance);
        abilities.refunds = orders.iter().any(|order| order.refund.is_some());
        abilities.unknown = orders.iter().all(|order| order.unknown.is_some());
        abilities.thin = orders.iter().all(|order| order.thin.is_some());
        let began = Instant::now();
        let report = match plan(schedule, &abilities, rehearsal.seed, orders) {
            Err(skipped) => ScheduleReport {
                schedule,
                skipped: Some(skipped),
                cases: Vec::new(),
                effects: EffectsFound::NotAsked,
                milliseconds: 0,
            },
            Ok(plan) => {
                let expected = expected(&plan);
                let sent = self.driver.run(plan).await;
                let effects = self.effects(&expected).await;
                ScheduleReport {
                    schedule,
                    skipped: None,
                    cases: cases(&sent),
                    effects,
                    milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                }
            }
        };
        self.schedules.push(report);
    }

    /// Asks for the effects, until they are right or the patience is over.
    async fn effects(&mut self, expected: &BTreeMap<String, i64>) -> EffectsFound {
        let Some(effects) = &self.rehearsal.effects else {
            return EffectsFound::NotAsked;
        };
        let until = Instant::now().checked_add(self.rehearsal.effects_within);
        loop {
            let found = compare(effects.as_ref(), expected).await;
            let is_over = until.is_none_or(|until| Instant::now() >= until);
            match found {
                Ok(wrong) if wrong.is_empty() || is_over => {
                    let is_wrong = |order: &str| wrong.iter().any(|one| one.order == order);
                    let right = expected.iter().filter(|(order, _)| !is_wrong(order));
                    self.right
                        .extend(right.map(|(order, amount)| (order.clone(), *amount)));
                    let orders = u64::try_from(expected.len()).unwrap_or(u64::MAX);
                    return EffectsFound::Asked { orders, wrong };
                }
                Err(why) if is_over => return EffectsFound::NotTold(why),
                Ok(_) | Err(_) => sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Asks for all effects once more: a credit may have come late.
    pub(crate) async fn end(self) -> Report {
        let late = match &self.rehearsal.effects {
            Some(effects) if !self.right.is_empty() => compare(effects.as_ref(), &self.right)
                .await
                .unwrap_or_default(),
            Some(_) | None => Vec::new(),
        };
        Report {
            url: self.rehearsal.url.to_string(),
            scheme: self.rehearsal.signer.scheme().name(),
            seed: self.rehearsal.seed,
            count: self.rehearsal.count,
            schedules: self.schedules,
            late,
        }
    }
}

async fn compare(
    effects: &dyn Effects,
    expected: &BTreeMap<String, i64>,
) -> Result<Vec<WrongEffect>, String> {
    let orders: Vec<String> = expected.keys().cloned().collect();
    let credited = effects.credited(&orders).await?;
    let wrong = expected.iter().filter_map(|(order, expected)| {
        let credited = credited.get(order).copied().unwrap_or(0);
        (credited != *expected).then(|| WrongEffect {
            order: order.clone(),
            expected: *expected,
            credited,
        })
    });
    Ok(wrong.collect())
}

fn expected(plan: &Plan) -> BTreeMap<String, i64> {
    let tracks = plan.tracks.iter();
    tracks
        .map(|track| (track.order.clone(), track.effect))
        .collect()
}

fn http_url(text: &str) -> Result<Url, RehearsalError> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| RehearsalError::Url(text.to_owned()))
}
