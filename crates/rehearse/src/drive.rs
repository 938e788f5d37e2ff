//! The sending of a plan over HTTP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::{Body, Client, Url};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::plan::{Delivery, Expected, Manner, Plan, Track};
use crate::{Schedule, Signer};

/// Greatest number of attempts after a consumer has asked to come again.
const ATTEMPTS: u32 = 5;
/// The pause before the first of them. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Greatest number of orders that are about to be delivered at the same moment.
const CROWD: usize = 256;
/// Greatest part of an answer that is kept, in bytes.
const EXCERPT: usize = 200;

/// The reaction of the consumer to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The status, and the beginning of the body.
    Status(u16, String),
    /// Why there is none.
    None(String),
}

impl Answer {
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status, _) => Some(*status),
            Self::None(_) => None,
        }
    }

    fn is_accepted(&self) -> bool {
        self.status().is_some_and(is_2xx)
    }
}

const fn is_2xx(status: u16) -> bool {
    matches!(status, 200..=299)
}

const fn is_4xx(status: u16) -> bool {
    matches!(status, 400..=499)
}

/// A delivery with all answers that it got: one, unless it was sent again.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) case: &'static str,
    pub(crate) expected: Expected,
    pub(crate) order: Arc<str>,
    pub(crate) event: String,
    pub(crate) manner: Manner,
    pub(crate) answers: Vec<Answer>,
}

impl Sent {
    /// True if a correct consumer could have answered so.
    pub(crate) fn is_right(&self) -> bool {
        let first = self.answers.first().and_then(Answer::status);
        let in_the_end = self.answers.last().is_some_and(Answer::is_accepted);
        match self.expected {
            Expected::Accepted | Expected::AcceptedInTheEnd => {
                in_the_end
                    && first.is_some_and(|first| is_2xx(first) || may_wait(self.expected, first))
            }
            Expected::Refused => first.is_some_and(is_4xx),
            Expected::Answered => first.is_some_and(|first| is_2xx(first) || is_4xx(first)),
            Expected::Nothing => true,
        }
    }
}

/// True if the consumer may answer so to a genuine delivery, if the next attempt succeeds.
const fn may_wait(expected: Expected, status: u16) -> bool {
    match expected {
        Expected::Accepted => matches!(status, 429 | 503),
        Expected::AcceptedInTheEnd => is_4xx(status) || status == 503,
        Expected::Refused | Expected::Answered | Expected::Nothing => false,
    }
}

/// The sender of deliveries.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) signer: Signer,
    /// Headers that are sent with every delivery.
    pub(crate) headers: Vec<(String, String)>,
    /// Greatest number of orders at a time.
    pub(crate) at_once: usize,
}

impl Driver {
    /// Sends all deliveries of a plan, and returns them in the order of the plan.
    pub(crate) async fn run(self: &Arc<Self>, plan: Plan) -> Vec<Sent> {
        let workers = if plan.all_at_once {
            plan.tracks.len().min(CROWD)
        } else {
            self.at_once
        };
        let waiting: VecDeque<(usize, Track)> = plan.tracks.into_iter().enumerate().collect();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut working = JoinSet::new();
        for _ in 0..workers.max(1) {
            let (driver, waiting) = (Arc::clone(self), Arc::clone(&waiting));
            working.spawn(async move {
                let mut done = Vec::new();
                while let Some((number, track)) = next(&waiting) {
                    done.push((number, driver.track(track).await));
                }
                done
            });
        }
        let mut done: Vec<(usize, Vec<Sent>)> = working.join_all().await.concat();
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().flat_map(|(_, sent)| sent).collect()
    }

    async fn track(self: &Arc<Self>, track: Track) -> Vec<Sent> {
        let order: Arc<str> = track.order.into();
        let mut all: Vec<(Delivery, Sent)> = Vec::new();
        for step in track.steps {
            let mut racing = JoinSet::new();
            for delivery in step {
                let (driver, order) = (Arc::clone(self), Arc::clone(&order));
                racing.spawn(async move {
                    let answer = driver.send(&delivery).await;
                    let sent = Sent {
                        case: delivery.case,
                        expected: delivery.expected,
                        order,
                        event: delivery.event.clone(),
                        manner: delivery.manner,
                        answers: vec![answer],
                    };
                    (delivery, sent)
                });
            }
            all.extend(racing.join_all().await);
        }
        for (delivery, sent) in &mut all {
            self.send_again(delivery, sent).await;
        }
        all.into_iter().map(|(_, sent)| sent).collect()
    }

    /// Does what a sender does when a consumer asks to come again.
    async fn send_again(&self, delivery: &Delivery, sent: &mut Sent) {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            let last = sent.answers.last().and_then(Answer::status);
            if !last.is_some_and(|status| may_wait(sent.expected, status)) {
                return;
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2);
            let answer = self.send(delivery).await;
            sent.answers.push(answer);
        }
    }

    async fn send(&self, delivery: &Delivery) -> Answer {
        let (headers, body) = match self.signer.sign(delivery, now_unix()) {
            Ok(signed) => signed,
            Err(error) => return Answer::None(format!("cannot sign: {error}")),
        };
        let body = Bytes::from(body);
        let body = match delivery.manner {
            Manner::Whole | Manner::Unheard => Body::from(body),
            Manner::Slow => Body::wrap(crate::body::Pieces::slow(body)),
            Manner::Cut => Body::wrap(crate::body::Pieces::cut(body)),
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json");
        for (name, value) in headers.iter().chain(&self.headers) {
            request = request.header(name, value);
        }
        let mut response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) => return Answer::None(reason(&error)),
        };
        let status = response.status().as_u16();
        let mut excerpt = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            let wanted = EXCERPT.saturating_sub(excerpt.len()).min(piece.len());
            excerpt.extend(piece.iter().take(wanted));
        }
        Answer::Status(status, String::from_utf8_lossy(&excerpt).into_owned())
    }
}

fn next(waiting: &Mutex<VecDeque<(usize, Track)>>) -> Option<(usize, Track)> {
    // A worker that panicked has left a queue that is still whole.
    let mut waiting = waiting
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    waiting.pop_front()
}

fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        return "no connection".to_owned();
    }
    "the connection was closed".to_owned()
}

/// The time of the machine's clock, in Unix seconds.
fn now_unix() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// Makes a client that follows no redirect and uses no proxy.
pub(crate) fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    // It fails only if another one was installed before, which serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        // Consumers close idle connections after some seconds.
        .pool_idle_timeout(Duration::from_secs(1))
        .build()
}

/// The number of orders of a schedule: a burst has more.
pub(crate) const fn orders(schedule: Schedule, count: u32) -> u32 {
    match schedule {
        Schedule::Burst => count.saturating_mul(10),
        Schedule::Once
        | Schedule::Duplicates
        | Schedule::Racing
        | Schedule::Reordered
        | Schedule::Delayed
        | Schedule::Dropped
        | Schedule::Stale
        | Schedule::Future
        | Schedule::Forged
        | Schedule::Reserialised
        | Schedule::Rotated
        | Schedule::Unknown
        | Schedule::Slow
        | Schedule::Cut
        | Schedule::Thin
        | Schedule::Mixed => count,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Sent};
    use crate::plan::{Expected, Manner};

    fn is_right(expected: Expected, statuses: &[u16]) -> bool {
        let answers = statuses.iter();
        let answers = answers.map(|status| match status {
            0 => Answer::None("no answer in time".to_owned()),
            status => Answer::Status(*status, String::new()),
        });
        let sent = Sent {
            case: "a case",
            expected,
            order: "order-1".into(),
            event: "evt_1".to_owned(),
            manner: Manner::Whole,
            answers: answers.collect(),
        };
        sent.is_right()
    }

    #[test]
    fn an_answer_is_right_if_a_correct_consumer_could_have_given_it() {
        let (accepted, in_the_end) = (Expected::Accepted, Expected::AcceptedInTheEnd);
        let cases: [(Expected, &[u16], bool); 22] = [
            (accepted, &[200], true),
            (accepted, &[204], true),
            (accepted, &[302], false),
            (accepted, &[400], false),
            (accepted, &[500], false),
            (accepted, &[0], false),
            (accepted, &[503, 200], true),
            (accepted, &[429, 429, 202], true),
            (accepted, &[503, 503], false),
            (accepted, &[409, 200], false),
            (in_the_end, &[200], true),
            (in_the_end, &[404, 200], true),
            (in_the_end, &[409, 409], false),
            (in_the_end, &[500, 200], false),
            (Expected::Refused, &[401], true),
            (Expected::Refused, &[422], true),
            (Expected::Refused, &[200], false),
            (Expected::Refused, &[500], false),
            (Expected::Refused, &[0], false),
            (Expected::Answered, &[404], true),
            (Expected::Answered, &[500], false),
            (Expected::Nothing, &[0], true),
        ];
        for (expected, statuses, right) in cases {
            assert_eq!(
                is_right(expected, statuses),
                right,
                "{expected:?} {statuses:?}"
            );
        }
    }
}
