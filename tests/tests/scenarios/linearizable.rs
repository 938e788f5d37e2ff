//! What customers see at two processes could have been seen at one place that does one thing after the other: the
//! history of each key and of each payment is linearizable.
//!
//! A history has the beginning and the end of each request, in the order of one clock. The checker (`todc-utils`, the
//! algorithm of Wing, Gong and Lowe) looks for an order of the requests in which each takes effect between its
//! beginning and its end, and a specification accepts each answer. Histories are short, because the search may take
//! exponential time.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, scenario};
use todc_utils::specifications::Specification;
use todc_utils::{Action, History, WGLChecker};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{number, text};
use crate::moves_of_chance::{Chance, is_at_rest};
use crate::shop::{PRICE, Shop, movement, order};

/// Number of customers of one key or payment.
const CUSTOMERS: usize = 8;

/// A history: the number of the customer, and the beginning or the end of a request.
type Events<T> = Vec<(usize, Action<T>)>;

/// Notes the beginnings and ends of requests.
struct Recorder<T>(Arc<Mutex<Events<T>>>);

impl<T: Clone> Recorder<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn copy(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn note(&self, customer: usize, action: Action<T>) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.push((customer, action));
    }

    fn events(&self) -> Events<T> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.clone()
    }
}

fn is_linearizable<S: Specification>(events: &Events<S::Operation>) -> bool {
    WGLChecker::<S>::is_linearizable(History::from_actions(events.clone()))
}

/// Sends a request, again as long as it is told to wait, until `read` finds an answer, and notes both ends.
async fn ask<T: Clone>(
    client: &Client,
    (path, key): (&str, &str),
    body: &Value,
    (recorder, customer, asked): (&Recorder<T>, usize, T),
    read: impl Fn(&Reply) -> Option<T>,
) {
    recorder.note(customer, Action::Call(asked));
    loop {
        let reply = client.post(path, key, body).await;
        if let Some(answer) = read(&reply) {
            recorder.note(customer, Action::Response(answer));
            return;
        }
    }
}

/// The code of a problem.
fn code(reply: &Reply) -> String {
    text(&reply.json(), "/code")
}

// A key. ------------------------------------------------------------------------------------------

/// The answer to a request with a key, and which body the request had.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyAnswer {
    /// There is no answer yet.
    Waits,
    /// It was done now, with these bytes as its reply.
    Done(usize, Vec<u8>),
    /// It was done before, with these bytes as its reply.
    Replayed(usize, Vec<u8>),
    /// The key belongs to another body.
    Reused(usize),
}

/// A key: the request that is done gives it a body and a reply, for ever.
struct OneKey;

impl Specification for OneKey {
    type State = Option<(usize, Vec<u8>)>;
    type Operation = KeyAnswer;

    fn init() -> Self::State {
        None
    }

    fn apply(answer: &KeyAnswer, state: &Self::State) -> (bool, Self::State) {
        let is_right = match (answer, state) {
            (KeyAnswer::Done(body, reply), None) => return (true, Some((*body, reply.clone()))),
            (KeyAnswer::Replayed(body, reply), Some((first, kept))) => {
                (body, reply) == (first, kept)
            }
            (KeyAnswer::Reused(body), Some((first, _))) => body != first,
            (KeyAnswer::Waits, _)
            | (KeyAnswer::Done(..), Some(_))
            | (KeyAnswer::Replayed(..) | KeyAnswer::Reused(_), None) => false,
        };
        (is_right, state.clone())
    }
}

fn answer_of_key(body: usize, reply: &Reply) -> Option<KeyAnswer> {
    let bytes = reply.body.to_vec();
    match reply.status {
        503 => None,
        409 if code(reply) == "idempotency_key_in_use" => None,
        422 if code(reply) == "idempotency_key_reused" => Some(KeyAnswer::Reused(body)),
        _ if reply.header("idempotent-replayed").is_some() => {
            Some(KeyAnswer::Replayed(body, bytes))
        }
        _ => Some(KeyAnswer::Done(body, bytes)),
    }
}

#[test]
fn the_history_of_each_key_is_linearizable() {
    const KEYS: usize = 12;
    const EACH: usize = 6;
    scenario(Kind::Postgres, async |database: Database| {
        let one = Shop::open(&database);
        let other = one.beside(&database);
        let from = one.wallet("liabilities:wallets:ann", 1_000_000).await;
        let to = one.wallet("liabilities:wallets:bob", 0).await;
        let (mut replayed, mut reused) = (0, 0);
        for key in 0..KEYS {
            // Half of the keys are those of payments, whose outcome comes in a later commit than the key.
            let (path, bodies) = match key % 2 {
                0 => (
                    "/v1/payments",
                    ["pm_succeeds", "pm_webhook_twice"].map(order),
                ),
                _ => (
                    "/v1/transfers",
                    [1, 2].map(|cents| movement(&from, &to, cents)),
                ),
            };
            let mut chance = Chance(u64::try_from(key).expect("small"));
            let recorder = Recorder::new();
            let mut customers = JoinSet::new();
            for customer in 0..CUSTOMERS {
                let client = [&one.client, &other.client][customer % 2].clone();
                let (recorder, bodies) = (recorder.copy(), bodies.clone());
                let chosen: Vec<usize> = (0..EACH)
                    .map(|_| usize::from(chance.below(4) == 0))
                    .collect();
                customers.spawn(async move {
                    for body in chosen {
                        let note = (&recorder, customer, KeyAnswer::Waits);
                        let key = format!("k-{key}");
                        let read = |reply: &Reply| answer_of_key(body, reply);
                        ask(&client, (path, &key), &bodies[body], note, read).await;
                    }
                });
            }
            customers.join_all().await;
            let events = recorder.events();
            let count = |is: fn(&KeyAnswer) -> bool| {
                let ends = events.iter().filter(|(_, action)| match action {
                    Action::Response(answer) => is(answer),
                    Action::Call(_) => false,
                });
                ends.count()
            };
            assert_eq!(count(|answer| matches!(answer, KeyAnswer::Done(..))), 1);
            replayed += count(|answer| matches!(answer, KeyAnswer::Replayed(..)));
            reused += count(|answer| matches!(answer, KeyAnswer::Reused(_)));
            assert!(is_linearizable::<OneKey>(&events), "{path}: {events:?}");
        }
        assert!(replayed > 0 && reused > 0, "{replayed}, {reused}");
        books_hold(&database);
    });
}

// A payment. --------------------------------------------------------------------------------------

/// The answer to a request about one payment. Amounts are in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PaymentAnswer {
    /// There is no answer yet.
    Waits,
    /// This amount goes to be captured.
    Captured(i64),
    /// The first amount was not captured, because only the second one is left.
    CaptureExceeds(i64, i64),
    /// Nothing can be captured any more.
    NothingToCapture,
    /// This amount goes to be refunded.
    Refunded(i64),
    /// The first amount was not refunded, because only the second one is left.
    RefundExceeds(i64, i64),
    /// Nothing was captured yet.
    NothingToRefund,
    /// What the payment shows: capturable, captured, refunded.
    Shown(i64, i64, i64),
}

/// A payment of [`PRICE`] that is authorized. Its parts are captured and refunded.
///
/// A capture leaves the capturable amount with its first commit, and arrives in the captured amount with its second
/// one. So the captured amount is only known to lie between what was seen of it and what is no longer capturable.
struct OnePayment;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Amounts {
    capturable: i64,
    /// The greatest captured amount that was seen.
    seen: i64,
    refunded: i64,
}

impl Amounts {
    /// The amounts after this captured amount is seen, if it can be right.
    fn seeing(&self, captured: i64) -> Option<Self> {
        let can_be = (self.seen..=PRICE - self.capturable).contains(&captured);
        can_be.then(|| Self {
            seen: captured,
            ..self.clone()
        })
    }
}

impl Specification for OnePayment {
    type State = Amounts;
    type Operation = PaymentAnswer;

    fn init() -> Amounts {
        Amounts {
            capturable: PRICE,
            seen: 0,
            refunded: 0,
        }
    }

    fn apply(answer: &PaymentAnswer, now: &Amounts) -> (bool, Amounts) {
        let after = match *answer {
            PaymentAnswer::Waits => None,
            PaymentAnswer::Captured(amount) => (amount <= now.capturable).then(|| Amounts {
                capturable: now.capturable - amount,
                ..now.clone()
            }),
            PaymentAnswer::CaptureExceeds(amount, left) => {
                (left == now.capturable && amount > left).then(|| now.clone())
            }
            PaymentAnswer::NothingToCapture => (now.capturable == 0).then(|| now.clone()),
            PaymentAnswer::Refunded(amount) => {
                let refunded = now.refunded + amount;
                now.seeing(now.seen.max(refunded))
                    .map(|seen| Amounts { refunded, ..seen })
            }
            PaymentAnswer::RefundExceeds(amount, left) => {
                let seen = now.seeing(now.refunded + left);
                seen.filter(|_| amount > left)
            }
            PaymentAnswer::NothingToRefund => (now.seen == 0).then(|| now.clone()),
            PaymentAnswer::Shown(capturable, captured, refunded) => {
                let is_right = (capturable, refunded) == (now.capturable, now.refunded);
                now.seeing(captured).filter(|_| is_right)
            }
        };
        let is_right = after.is_some();
        (is_right, after.unwrap_or_else(|| now.clone()))
    }
}

fn shown(payment: &Value) -> PaymentAnswer {
    let [capturable, captured, refunded] = ["capturable", "captured", "refunded"]
        .map(|name| number(payment, &format!("/amount_{name}")));
    PaymentAnswer::Shown(capturable, captured, refunded)
}

/// The answer to a request for a part: a capture, or a refund.
fn answer_of_part(to: &str, amount: i64, reply: &Reply) -> Option<PaymentAnswer> {
    let is_capture = to == "capture";
    match reply.status {
        200..300 if is_capture => Some(PaymentAnswer::Captured(amount)),
        200..300 => Some(PaymentAnswer::Refunded(amount)),
        503 => None,
        409 => match code(reply).as_str() {
            "operation_in_flight" | "idempotency_key_in_use" => None,
            "payment_state_conflict" if is_capture => Some(PaymentAnswer::NothingToCapture),
            "payment_state_conflict" => Some(PaymentAnswer::NothingToRefund),
            other => panic!("{other}"),
        },
        422 => {
            let left = number(&reply.json(), "/left");
            Some(match is_capture {
                true => PaymentAnswer::CaptureExceeds(amount, left),
                false => PaymentAnswer::RefundExceeds(amount, left),
            })
        }
        status => panic!("{status}: {}", reply.json()),
    }
}

#[test]
fn the_history_of_each_payment_is_linearizable() {
    scenario(Kind::Postgres, |database| move_payments(database, 6, 14));
}

#[test]
#[ignore = "it takes minutes: run it by hand (docs/reliability.md)"]
fn the_long_history_of_each_payment_is_linearizable() {
    scenario(Kind::Postgres, |database| move_payments(database, 4, 64));
}

/// So many payments, and so many requests of each customer about each of them.
async fn move_payments(database: Database, number_of_payments: usize, each: usize) {
    let one = Shop::open(&database);
    let other = one.beside(&database);
    let mut chance = Chance(3);
    let mut payments = Vec::new();
    let (mut refused, mut requests) = (0, 0);
    for place in 0..number_of_payments {
        let key = format!("k-{place}");
        let payment = text(&one.authorize(&key, "pm_succeeds").await, "/id");
        let recorder = Recorder::new();
        let mut customers = JoinSet::new();
        for customer in 0..CUSTOMERS {
            let client = [&one.client, &other.client][customer % 2].clone();
            let (recorder, payment) = (recorder.copy(), payment.clone());
            let drawn: Vec<(&str, i64)> = (0..each)
                .map(|_| {
                    let to = chance.of(&["", "capture", "capture", "refunds"]);
                    (to, i64::try_from(1 + chance.below(60)).expect("small"))
                })
                .collect();
            customers.spawn(async move {
                for (step, (to, amount)) in drawn.into_iter().enumerate() {
                    let path = format!("/v1/payments/{payment}");
                    if to.is_empty() {
                        recorder.note(customer, Action::Call(PaymentAnswer::Waits));
                        let read = client.get(&path).await.json();
                        recorder.note(customer, Action::Response(shown(&read)));
                        continue;
                    }
                    let mut body = json!({"amount": amount});
                    if to == "capture" {
                        body["final"] = json!(false);
                    }
                    let (path, key) =
                        (format!("{path}/{to}"), format!("{place}-{customer}-{step}"));
                    let note = (&recorder, customer, PaymentAnswer::Waits);
                    let read = |reply: &Reply| answer_of_part(to, amount, reply);
                    ask(&client, (&path, &key), &body, note, read).await;
                }
            });
        }
        customers.join_all().await;
        let events = recorder.events();
        requests += events.len() / 2;
        let is_refused = |(_, action): &&(usize, Action<PaymentAnswer>)| {
            use PaymentAnswer::{CaptureExceeds, RefundExceeds};
            matches!(
                action,
                Action::Response(CaptureExceeds(..) | RefundExceeds(..))
            )
        };
        refused += events.iter().filter(is_refused).count();
        assert!(is_linearizable::<OnePayment>(&events), "{events:?}");
        assert!(!is_linearizable::<OnePayment>(&tampered(&events)));
        payments.push(payment);
    }
    assert!(refused > 0, "nothing was refused");
    assert_eq!(requests, payments.len() * CUSTOMERS * each);
    is_at_rest(&one.client, &payments).await;
    one.assert_as_the_provider_says().await;
    books_hold(&database);
}

/// The same history, in which the last refund that was seen by somebody was seen as one cent more.
fn tampered(events: &Events<PaymentAnswer>) -> Events<PaymentAnswer> {
    let mut events = events.clone();
    let shown = events
        .iter_mut()
        .rev()
        .find_map(|(_, action)| match action {
            Action::Response(PaymentAnswer::Shown(_, _, refunded)) => Some(refunded),
            Action::Response(_) | Action::Call(_) => None,
        });
    *shown.expect("somebody has read the payment") += 1;
    events
}

// The checker. ------------------------------------------------------------------------------------

/// One request after the other.
fn in_sequence<T: Clone>(waits: &T, answers: &[T]) -> Events<T> {
    let both = answers.iter().flat_map(|answer| {
        [
            (0, Action::Call(waits.clone())),
            (0, Action::Response(answer.clone())),
        ]
    });
    both.collect()
}

#[test]
fn a_history_that_breaks_a_promise_of_keys_is_refused() {
    use KeyAnswer::{Done, Replayed, Reused, Waits};
    let (first, second) = (b"1".to_vec(), b"2".to_vec());
    let done = || Done(0, first.clone());
    let right = [done(), Replayed(0, first.clone()), Reused(1)];
    assert!(is_linearizable::<OneKey>(&in_sequence(&Waits, &right)));
    for (case, wrong) in [
        ("done twice", vec![done(), done()]),
        ("another reply", vec![done(), Replayed(0, second)]),
        (
            "the reply of another body",
            vec![done(), Replayed(1, first.clone())],
        ),
        (
            "a replay of nothing",
            vec![Replayed(0, first.clone()), done()],
        ),
        ("reused by the same body", vec![done(), Reused(0)]),
        ("reused before it was used", vec![Reused(1), done()]),
    ] {
        assert!(
            !is_linearizable::<OneKey>(&in_sequence(&Waits, &wrong)),
            "{case}"
        );
    }
    // A replay that ends before the first request ends is right, if both were under way at once.
    let at_once = vec![
        (0, Action::Call(Waits)),
        (1, Action::Call(Waits)),
        (1, Action::Response(Replayed(0, first.clone()))),
        (0, Action::Response(done())),
    ];
    assert!(is_linearizable::<OneKey>(&at_once));
}

#[test]
fn a_history_that_breaks_a_promise_of_payments_is_refused() {
    use PaymentAnswer::{
        CaptureExceeds, Captured, NothingToCapture, NothingToRefund, RefundExceeds, Refunded,
        Shown, Waits,
    };
    let right = [
        NothingToRefund,
        Captured(1000),
        Shown(99, 0, 0),
        CaptureExceeds(100, 99),
        Refunded(600),
        RefundExceeds(500, 400),
        Shown(99, 1000, 600),
        Captured(99),
        NothingToCapture,
    ];
    assert!(is_linearizable::<OnePayment>(&in_sequence(&Waits, &right)));
    for (case, wrong) in [
        ("too much captured", vec![Captured(1000), Captured(100)]),
        (
            "too much refunded",
            vec![Captured(500), Refunded(400), Refunded(101)],
        ),
        (
            "refunded before the capture",
            vec![Refunded(1), Captured(1)],
        ),
        (
            "a capture forgotten",
            vec![Captured(500), Shown(PRICE, 0, 0)],
        ),
        (
            "a refund forgotten",
            vec![Captured(500), Refunded(1), Shown(599, 500, 0)],
        ),
        (
            "captured falls",
            vec![Captured(9), Shown(1090, 9, 0), Shown(1090, 8, 0)],
        ),
        ("refused too early", vec![CaptureExceeds(100, 99)]),
        (
            "refused though it fits",
            vec![Captured(9), RefundExceeds(5, 9)],
        ),
        ("ended too early", vec![Captured(1098), NothingToCapture]),
    ] {
        let wrong = in_sequence(&Waits, &wrong);
        assert!(!is_linearizable::<OnePayment>(&wrong), "{case}");
    }
    // A read that began after a refund had ended must show it, whatever else is under way.
    let stale = vec![
        (0, Action::Call(Waits)),
        (0, Action::Response(Captured(500))),
        (1, Action::Call(Waits)),
        (0, Action::Call(Waits)),
        (0, Action::Response(Refunded(100))),
        (2, Action::Call(Waits)),
        (2, Action::Response(Shown(599, 500, 0))),
        (1, Action::Response(Refunded(7))),
    ];
    assert!(!is_linearizable::<OnePayment>(&stale));
}
