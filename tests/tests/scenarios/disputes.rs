//! Disputes: opened, withdrawn, won, lost, and reported in every order.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::books_hold;
use crate::funds::{balance, balance_becomes};
use crate::given::{eventually, is_problem, text};
use crate::shop::{PRICE, Shop, list};
use crate::webhooks::{Sender, event, said};

/// A shop with terms by which money is available at once, and a fee of 300 for a dispute.
pub(crate) async fn open(database: &Database) -> Shop {
    let shop = Shop::open(database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0,
                       "dispute_fee": 300});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201);
    shop
}

pub(crate) async fn paid(shop: &Shop, key: &str) -> String {
    let reply = shop.pay(key, "pm_succeeds").await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    text(&reply.json(), "/id")
}

/// The payer's bank, and a dispute of a payment's charge.
pub(crate) struct Bank {
    pub(crate) provider: Client,
    pub(crate) dispute: String,
}

impl Bank {
    pub(crate) async fn disputes(shop: &Shop, payment: &str, amount: i64) -> Self {
        let provider = Client::new(shop.florin.sandbox(), None);
        let charge = text(&shop.charge_of(payment).await, "/id");
        let path = format!("/v1/charges/{charge}/disputes");
        let made = provider.post(&path, None, &json!({"amount": amount})).await;
        assert_eq!(made.status, 200, "{}", made.json());
        let dispute = text(&made.json(), "/id");
        Self { provider, dispute }
    }

    pub(crate) async fn does(&self, word: &str) {
        let path = format!("/v1/disputes/{}/{word}", self.dispute);
        let done = self.provider.post(&path, None, &json!({})).await;
        assert_eq!(done.status, 200, "{word}: {}", done.json());
    }
}

/// The only dispute, once it is as wanted.
pub(crate) async fn dispute(shop: &Shop, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let disputes = list(&shop.client.get("/v1/disputes").await.json());
        disputes
            .into_iter()
            .next()
            .filter(|dispute| wanted(dispute))
    })
    .await
}

on_both_databases!(a_dispute_takes_the_money_at_once_and_may_leave_less_than_nothing);
async fn a_dispute_takes_the_money_at_once_and_may_leave_less_than_nothing(database: Database) {
    let shop = open(&database).await;
    let id = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;

    let bank = Bank::disputes(&shop, &id, 1000).await;

    let opened = dispute(&shop, "the dispute", |_| true).await;
    assert_eq!(
        (
            &opened["status"],
            &opened["amount"],
            &opened["fee"],
            &opened["payment"]
        ),
        (&json!("open"), &json!(1000), &json!(300), &json!(id))
    );
    assert_eq!(opened["reason"], "fraudulent");
    let path = format!("/v1/disputes/{}", text(&opened, "/id"));
    assert_eq!(shop.client.get(&path).await.json(), opened);
    assert_eq!(balance(&shop).await, [0, PRICE - 1300, 0, 0], "negative");
    assert_eq!(shop.payment(&id).await["amount_disputed"], 1000);
    // What is disputed cannot be refunded or paid out.
    let much = shop
        .ask(&id, "refunds", "r-1", &json!({"amount": 100}))
        .await;
    is_problem("disputed", &much, 422, "exceeds_remaining");
    assert_eq!(much.json()["left"], 99);
    let out = json!({"amount": 1, "currency": "EUR", "destination": "ba_succeeds"});
    let out = shop.client.post("/v1/payouts", "p-1", &out).await;
    is_problem("less than nothing", &out, 422, "insufficient_funds");
    shop.assert_as_the_provider_says().await;

    bank.does("withdraw").await;
    dispute(&shop, "the withdrawal", |one| one["withdrawn"] == true).await;
    bank.does("lose").await;
    let lost = dispute(&shop, "the end", |one| one["status"] == "lost").await;
    assert_eq!(
        (&lost["withdrawn"], &lost["reinstated"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 1300, 0, 0]);
    assert_eq!(shop.payment(&id).await["amount_disputed"], 1000);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_dispute_that_is_won_gives_the_money_back_once_the_provider_has);
async fn a_dispute_that_is_won_gives_the_money_back_once_the_provider_has(database: Database) {
    let shop = open(&database).await;
    let id = paid(&shop, "k-1").await;
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let bank = Bank::disputes(&shop, &id, PRICE).await;
    bank.does("withdraw").await;
    dispute(&shop, "the withdrawal", |one| one["withdrawn"] == true).await;
    bank.does("win").await;
    dispute(&shop, "the decision", |one| one["status"] == "won").await;
    assert_eq!(
        balance(&shop).await,
        [0, -300, 0, 0],
        "the provider has it still"
    );
    shop.assert_as_the_provider_says().await;

    bank.does("reinstate").await;

    dispute(&shop, "the money", |one| one["reinstated"] == true).await;
    assert_eq!(balance(&shop).await, [0, PRICE - 300, 0, 0]);
    assert_eq!(shop.payment(&id).await["amount_disputed"], 0);
    shop.assert_as_the_provider_says().await;
    // All events again, the newest first: nothing changes.
    let path = format!("/v1/webhooks/{}/redeliver-all", bank.dispute);
    let again = bank.provider.post(&path, None, &json!({})).await.json();
    assert_eq!(again["delivered"], true);
    assert_eq!(balance(&shop).await, [0, PRICE - 300, 0, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

/// Every order of these five.
fn orders(words: &[&'static str]) -> Vec<Vec<&'static str>> {
    if words.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let mut rest = words.to_vec();
        rest.remove(place);
        for order in orders(&rest) {
            all.push([vec![*word], order].concat());
        }
    }
    all
}

on_both_databases!(reports_on_a_dispute_end_in_one_state_in_every_order);
async fn reports_on_a_dispute_end_in_one_state_in_every_order(database: Database) {
    let shop = open(&database).await;
    let sender = Sender::of(&shop);
    let mut available = 0;
    let words = ["opened", "funds_withdrawn", "funds_reinstated", "won"];
    for (number, order) in orders(&words).into_iter().enumerate() {
        let payment = paid(&shop, &format!("k-{number}")).await;
        let charge = shop.charge_of(&payment).await;
        let about = json!({
            "id": format!("dp_{number}"), "object": "dispute", "amount": 700, "currency": "EUR",
            "reason": "fraudulent", "charge": charge["id"], "charge_key": charge["idempotency_key"],
        });
        for word in &order {
            let id = format!("evt_{number}_{word}");
            let body = event(&id, &format!("dispute.{word}"), &about);
            let applied = (200, "applied".to_owned());
            assert_eq!(
                said(&sender.deliver(&body).await),
                applied,
                "{order:?} {word}"
            );
            assert_eq!(
                said(&sender.deliver(&body).await).1,
                "duplicate",
                "{order:?} {word}"
            );
        }
        available += PRICE - 300;
        balance_becomes(&shop, [0, available, 0, 0]).await;
        assert_eq!(
            shop.payment(&payment).await["amount_disputed"],
            0,
            "{order:?}"
        );
    }
    for (code, posted) in [
        ("liabilities:dispute_holds:EUR", 0),
        ("income:dispute_fees:EUR", 24 * 300),
    ] {
        assert_eq!(shop.posted(code).await, posted, "{code}");
    }
    books_hold(&database);
}

on_both_databases!(a_dispute_that_is_reported_before_its_charge_waits_for_it);
async fn a_dispute_that_is_reported_before_its_charge_waits_for_it(database: Database) {
    let shop = open(&database).await;
    let sender = Sender::of(&shop);
    // The provider has taken the money, and has not told yet.
    let reply = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    let payment = text(&reply.json(), "/id");
    let charge = shop.charge_of(&payment).await;
    let about = json!({"id": "dp_1", "amount": 700, "currency": "EUR", "reason": "fraudulent",
                       "charge_key": charge["idempotency_key"]});
    let opened = event("evt_1", "dispute.opened", &about);
    for _ in 0..2 {
        let parked = (202, "parked".to_owned());
        assert_eq!(said(&sender.deliver(&opened).await), parked);
    }
    assert_eq!(shop.payment(&payment).await["status"], "processing");

    let taken = event("evt_2", "charge.succeeded", &charge);
    let applied = (200, "applied".to_owned());
    assert_eq!(said(&sender.deliver(&taken).await), applied);

    dispute(&shop, "the dispute", |one| one["status"] == "open").await;
    assert_eq!(shop.payment(&payment).await["amount_disputed"], 700);
    balance_becomes(&shop, [0, PRICE - 1000, 0, 0]).await;
    let known = (200, "duplicate".to_owned());
    assert_eq!(said(&sender.deliver(&opened).await), known);
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 0);
    books_hold(&database);
}

on_both_databases!(a_report_that_contradicts_a_dispute_is_put_aside);
async fn a_report_that_contradicts_a_dispute_is_put_aside(database: Database) {
    let shop = open(&database).await;
    let sender = Sender::of(&shop);
    let payment = paid(&shop, "k-1").await;
    let charge = shop.charge_of(&payment).await;
    let about = |amount: i64| {
        json!({"id": "dp_1", "amount": amount, "currency": "EUR", "reason": "fraudulent",
               "charge_key": charge["idempotency_key"]})
    };
    for (id, word, amount, status) in [
        ("evt_0", "opened", PRICE + 1, "quarantined"),
        ("evt_1", "lost", 700, "applied"),
        ("evt_2", "won", 700, "quarantined"),
        ("evt_3", "funds_withdrawn", 701, "quarantined"),
        ("evt_4", "funds_withdrawn", 700, "applied"),
    ] {
        let body = event(id, &format!("dispute.{word}"), &about(amount));
        assert_eq!(
            said(&sender.deliver(&body).await),
            (200, status.to_owned()),
            "{id}"
        );
    }
    let disputes = list(&shop.client.get("/v1/disputes").await.json());
    assert_eq!(disputes.len(), 1);
    assert_eq!(
        (&disputes[0]["status"], &disputes[0]["withdrawn"]),
        (&json!("lost"), &json!(true))
    );
    books_hold(&database);
}
