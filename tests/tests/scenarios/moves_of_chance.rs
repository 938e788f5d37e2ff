//! Moves of payments, drawn by chance and raced, with providers that fail in every way. In the end the books and the
//! provider's own totals agree.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{eventually, text};
use crate::shop::{Shop, list};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "500"];
/// Number of payments.
const PAYMENTS: u64 = 12;
/// Number of moves that race on each payment.
const MOVES: u64 = 14;

/// Numbers that look drawn by chance, and are the same at every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        let bound = u64::try_from(all.len()).expect("few words");
        let place = usize::try_from(self.below(bound)).expect("few words");
        all[place]
    }
}

/// A payment method: one of its steps may go wrong.
fn method(chance: &mut Chance) -> String {
    let step = chance.of(&["capture_", "void_", "increment_", "refund_"]);
    let fault = chance.of(&[
        "declines",
        "server_error",
        "times_out",
        "webhook_before_reply",
        "webhook_twice",
    ]);
    match chance.below(3) {
        0 => "pm_succeeds".to_owned(),
        _ => format!("pm_{step}{fault}"),
    }
}

/// A move, and its body.
fn step(chance: &mut Chance) -> (&'static str, Value) {
    let amount = i64::try_from(1 + chance.below(400)).expect("small");
    match chance.below(10) {
        0..4 => (
            "capture",
            json!({"amount": amount, "final": chance.below(5) == 0}),
        ),
        4..7 => ("refunds", json!({"amount": amount})),
        7..9 => ("increment", json!({"amount": amount})),
        _ => ("cancel", json!({})),
    }
}

on_both_databases!(whatever_is_asked_the_books_agree_with_the_provider);
async fn whatever_is_asked_the_books_agree_with_the_provider(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);
    let mut chance = Chance(20_261_130);
    let mut payments = Vec::new();
    for number in 0..PAYMENTS {
        let method = method(&mut chance);
        let key = format!("k-{number}");
        payments.push(text(&shop.authorize(&key, &method).await, "/id"));
    }
    let mut racing = JoinSet::new();
    for (number, payment) in payments.iter().enumerate() {
        for place in 0..MOVES {
            let (to, body) = step(&mut chance);
            let (client, payment) = (shop.client.clone(), payment.clone());
            racing.spawn(async move {
                let key = format!("m-{number}-{place}");
                let path = format!("/v1/payments/{payment}/{to}");
                let reply = client.post(&path, key.as_str(), &body).await;
                (reply.status, to)
            });
        }
    }
    let answered = racing.join_all().await;
    for (status, to) in &answered {
        assert!(
            [200, 201, 202, 402, 409, 422].contains(status),
            "{to}: {status}"
        );
    }
    let done = answered.iter().filter(|(status, _)| *status < 300).count();
    assert!(done > 20, "only {done} moves were made: {answered:?}");

    is_at_rest(&shop.client, &payments).await;
    shop.assert_as_the_provider_says().await;
    for row in shop.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    books_hold(&database);
}

/// Waits until no operation of these payments is without an outcome.
pub(crate) async fn is_at_rest(client: &Client, payments: &[String]) {
    for payment in payments {
        let path = format!("/v1/payments/{payment}/operations?limit=100");
        eventually("every outcome is known", async || {
            let operations = list(&client.get(&path).await.json());
            let is_open = |one: &Value| {
                ["submitted", "unknown"]
                    .iter()
                    .any(|word| one["status"] == **word)
            };
            (!operations.iter().any(is_open)).then_some(())
        })
        .await;
    }
}
