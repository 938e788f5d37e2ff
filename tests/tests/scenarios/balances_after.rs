//! The balances that each answer that moves money says it has left: they are those of the accounts, in the very commit
//! of the answer, and a repetition has the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::funds::{balance, balance_becomes};
use crate::given::{eventually, number, text};
use crate::shop::{PRICE, Shop, list, order};

/// A shop with terms: a fee of 62 of [`PRICE`], and the money is available at once.
async fn open(database: &Database, arguments: &[&str]) -> Shop {
    let shop = Shop::open_with(database, arguments);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0,
                       "rate": "0.029", "fixed": 30});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201, "{}", agreed.json());
    shop
}

/// What an answer says that it has left: code, balance and version of each account.
fn told(answer: &Value) -> Vec<(String, i64, i64)> {
    let told = answer["balances_after"].as_array();
    let told = told.unwrap_or_else(|| panic!("no balances in {answer}"));
    let of = |one: &Value| {
        assert_eq!(one["currency"], "EUR");
        let numbers = [number(one, "/posted"), number(one, "/version")];
        (text(one, "/code"), numbers[0], numbers[1])
    };
    told.iter().map(of).collect()
}

/// The codes of the accounts, without their currency.
fn codes(answer: &Value) -> Vec<String> {
    let told = told(answer).into_iter();
    told.map(|(code, _, _)| code.trim_end_matches(":EUR").to_owned())
        .collect()
}

impl Shop {
    /// Asserts that an answer with this status tells the balances of exactly these accounts, as the accounts have them
    /// now, and that what it made is read without balances.
    async fn leaves(&self, reply: &Reply, status: u16, read_at: &str, accounts: &[&str]) -> Value {
        let answer = reply.json();
        assert_eq!(reply.status, status, "{answer}");
        assert_eq!(codes(&answer), accounts, "{answer}");
        for (one, (code, posted, version)) in answer["balances_after"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(told(&answer))
        {
            let account = self.read(&text(one, "/account")).await;
            assert_eq!(
                (&account["code"], &account["balances"]["posted"]),
                (&json!(code), &json!(posted)),
                "{answer}"
            );
            assert_eq!(account["version"], version, "{code} in {answer}");
        }
        let balance = balance(self).await;
        for (place, code) in [
            "liabilities:merchant_pending:EUR",
            "liabilities:merchant_available:EUR",
            "liabilities:reserve:EUR",
            "liabilities:payouts_in_transit:EUR",
        ]
        .into_iter()
        .enumerate()
        {
            let said = told(&answer).into_iter().find(|one| one.0 == code);
            let said = said.map_or(balance[place], |one| one.1);
            assert_eq!(said, balance[place], "{code} in {answer}");
        }
        if !read_at.is_empty() {
            let path = format!("{read_at}/{}", text(&answer, "/id"));
            let read = self.client.get(&path).await.json();
            assert_eq!(read.get("balances_after"), None, "{read}");
            assert_eq!(read["version"], answer["version"], "{read} and {answer}");
            assert!(answer["version"].as_i64() > Some(0), "{answer}");
        }
        answer
    }
}

const CLEARING: &str = "assets:psp_clearing";
const PENDING: &str = "liabilities:merchant_pending";
const AVAILABLE: &str = "liabilities:merchant_available";
const FEES: &str = "income:fees";
const HOLD: &str = "memo:auth_hold";
const CONTRA: &str = "memo:auth_hold_contra";
const REFUNDS: &str = "liabilities:refunds_in_transit";
const PAYOUTS: &str = "liabilities:payouts_in_transit";
const BANK: &str = "assets:bank";
const RESERVE: &str = "liabilities:reserve";
const UNALLOCATED: &str = "liabilities:unallocated_receipts";

on_both_databases!(each_answer_about_a_payment_says_what_it_has_left);
async fn each_answer_about_a_payment_says_what_it_has_left(database: Database) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 9,
                       "rate": "0.029", "fixed": 30});
    assert_eq!(
        shop.client
            .post("/v1/payment_terms", None, &terms)
            .await
            .status,
        201
    );
    let at = "/v1/payments";

    // Nothing is moved before a payment is confirmed, and a cancellation then moves nothing.
    let mut waiting = order("pm_succeeds");
    waiting["confirm"] = json!(false);
    let made = shop.client.post(at, "k-0", &waiting).await;
    let made = shop.leaves(&made, 201, at, &[]).await;
    let id = text(&made, "/id");
    let canceled = shop.ask(&id, "cancel", "k-0-a", &json!({})).await;
    shop.leaves(&canceled, 200, at, &[]).await;

    // A charge.
    let paid = shop.pay("k-1", "pm_succeeds").await;
    let made = shop
        .leaves(&paid, 201, at, &[CLEARING, PENDING, FEES])
        .await;
    assert_eq!(told(&made)[1].1, PRICE - 62);
    let charged = text(&made, "/id");

    // An authorization, a part of it, an increment, the last part.
    let mut later = order("pm_succeeds");
    later["capture_method"] = json!("manual");
    let reply = shop.client.post(at, "k-2", &later).await;
    let made = shop.leaves(&reply, 201, at, &[HOLD, CONTRA]).await;
    let id = text(&made, "/id");
    let part = json!({"amount": 1000, "final": false});
    let part = shop.ask(&id, "capture", "k-2-a", &part).await;
    let all = [CLEARING, PENDING, FEES, CONTRA, HOLD];
    let made = shop.leaves(&part, 200, at, &all).await;
    assert_eq!(told(&made)[0].1, PRICE + 1000);
    assert_eq!(told(&made)[4].1, 99, "what is still reserved");
    let more = shop
        .ask(&id, "increment", "k-2-b", &json!({"amount": 1}))
        .await;
    let made = shop.leaves(&more, 200, at, &[HOLD, CONTRA]).await;
    assert_eq!(told(&made)[0].1, 100);
    let last = shop
        .ask(&id, "capture", "k-2-c", &json!({"amount": 60}))
        .await;
    let made = shop.leaves(&last, 200, at, &all).await;
    assert_eq!(told(&made)[4].1, 0);

    // A cancellation releases what was reserved.
    let reserved = shop.authorize("k-3", "pm_succeeds").await;
    let canceled = shop
        .ask(&text(&reserved, "/id"), "cancel", "k-3-a", &json!({}))
        .await;
    shop.leaves(&canceled, 200, at, &[CONTRA, HOLD]).await;

    // A refund has two commits: its answer tells the balances after the second one, also of what the first one took.
    let refund = shop
        .ask(&charged, "refunds", "r-1", &json!({"amount": 99}))
        .await;
    let accounts = [PENDING, REFUNDS, CLEARING];
    let made = shop.leaves(&refund, 201, "/v1/refunds", &accounts).await;
    assert_eq!((told(&made)[1].1, number(&made, "/version")), (0, 2));

    // A replay has the same bytes, whatever has happened since.
    for (path, key, body, first) in [
        (at.to_owned(), "k-1", order("pm_succeeds"), &paid),
        (
            format!("{at}/{charged}/refunds"),
            "r-1",
            json!({"amount": 99}),
            &refund,
        ),
    ] {
        let again = shop.client.post(&path, key, &body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!((again.status, &again.body), (first.status, &first.body));
    }
    // A refusal has nothing to tell: what was taken is back.
    let stubborn = shop.pay("k-4", "pm_refund_declines").await.json();
    let refused = shop
        .ask(
            &text(&stubborn, "/id"),
            "refunds",
            "r-2",
            &json!({"amount": 99}),
        )
        .await;
    assert_eq!(refused.status, 402);
    assert_eq!(refused.json().get("balances_after"), None);
    books_hold(&database);
}

on_both_databases!(each_answer_about_money_of_the_merchant_says_what_it_has_left);
async fn each_answer_about_money_of_the_merchant_says_what_it_has_left(database: Database) {
    let shop = open(&database, &["--approve-above", "EUR=500"]).await;
    let second = shop.second_person(&database);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE - 62, 0, 0]).await;
    let wanted =
        |amount: i64, to: &str| json!({"amount": amount, "currency": "EUR", "destination": to});
    let at = "/v1/payouts";

    // A payout, at once and later.
    let paid = shop
        .client
        .post(at, "p-1", &wanted(100, "ba_succeeds"))
        .await;
    shop.leaves(&paid, 201, at, &[AVAILABLE, PAYOUTS, BANK])
        .await;
    let sent = shop.client.post(at, "p-2", &wanted(50, "ba_pending")).await;
    let made = shop.leaves(&sent, 202, at, &[AVAILABLE, PAYOUTS]).await;
    assert_eq!(told(&made)[1].1, 50, "it is on its way");

    // A wallet that pays is told by its own code.
    let wallet = shop.wallet("liabilities:wallets:ann", 200).await;
    let mut of_wallet = wanted(30, "ba_succeeds");
    of_wallet["from"] = json!(wallet);
    let paid = shop.client.post(at, "p-3", &of_wallet).await;
    let accounts = ["liabilities:wallets:ann", PAYOUTS, BANK];
    let made = shop.leaves(&paid, 201, at, &accounts).await;
    assert_eq!((told(&made)[0].1, told(&made)[1].1), (170, 50));

    // What waits for a second person has moved nothing. The approval does, and a rejection does not.
    let asked = shop
        .client
        .post(at, "p-4", &wanted(501, "ba_pending"))
        .await;
    let made = shop.leaves(&asked, 202, at, &[]).await;
    let path = format!("/v1/approvals/{}/approve", text(&made, "/approval"));
    let approved = second.post(&path, None, &json!({})).await;
    let done = shop
        .leaves(&approved, 200, "/v1/approvals", &[AVAILABLE, PAYOUTS])
        .await;
    assert_eq!((told(&done)[1].1, number(&done, "/version")), (551, 2));
    let asked = shop
        .client
        .post(at, "p-5", &wanted(501, "ba_succeeds"))
        .await
        .json();
    let path = format!("/v1/approvals/{}/reject", text(&asked, "/approval"));
    let rejected = second.post(&path, None, &json!({})).await;
    shop.leaves(&rejected, 200, "/v1/approvals", &[]).await;

    // Reserves.
    let at = "/v1/reserves";
    let body = json!({"amount": 40, "currency": "EUR"});
    let held = shop.client.post(at, "rsv-1", &body).await;
    let made = shop.leaves(&held, 201, at, &[AVAILABLE, RESERVE]).await;
    let path = format!("{at}/{}/release", text(&made, "/id"));
    let released = shop
        .client
        .post(&path, "rsv-2", &json!({"amount": 10}))
        .await;
    let made = shop.leaves(&released, 200, at, &[RESERVE, AVAILABLE]).await;
    assert_eq!((told(&made)[0].1, number(&made, "/version")), (30, 2));
    let again = shop
        .client
        .post(&path, "rsv-2", &json!({"amount": 10}))
        .await;
    assert_eq!((again.status, &again.body), (200, &released.body));
    books_hold(&database);
}

on_both_databases!(each_answer_about_late_money_says_what_it_has_left);
async fn each_answer_about_late_money_says_what_it_has_left(database: Database) {
    let shop = Shop::open(&database);
    let provider = Client::new(shop.florin.sandbox(), None);
    let mut late = Vec::new();
    for (number, key) in ["k-1", "k-2"].into_iter().enumerate() {
        let declined = shop.pay(key, "pm_declines").await.json();
        let payment = text(&declined, "/resource");
        let charge = text(&shop.charge_of(&payment).await, "/id");
        let path = format!("/v1/charges/{charge}/succeed-late");
        assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
        let arrived = PRICE * i64::try_from(number + 1).expect("small");
        eventually("the money has arrived", async || {
            (shop.posted("liabilities:unallocated_receipts:EUR").await == arrived).then_some(())
        })
        .await;
        let path = format!("/v1/payments/{payment}/operations");
        let operation = list(&shop.client.get(&path).await.json()).remove(0);
        assert_eq!(number_of(&operation), 3, "made, failed, taken late");
        late.push((text(&operation, "/id"), path));
    }
    let allocate = format!("/v1/operations/{}/allocate", late[0].0);
    let allocated = shop.client.post(&allocate, "a-1", &json!({})).await;
    let accounts = [CLEARING, UNALLOCATED, PENDING];
    let done = shop.leaves(&allocated, 200, "", &accounts).await;
    assert_eq!(told(&done)[1].1, PRICE);
    let read = list(&shop.client.get(&late[0].1).await.json()).remove(0);
    assert_eq!((number_of(&done), number_of(&read)), (4, 4));

    let back = format!("/v1/operations/{}/refund", late[1].0);
    let back = shop.client.post(&back, "a-2", &json!({})).await;
    let accounts = [UNALLOCATED, REFUNDS, CLEARING];
    let done = shop.leaves(&back, 201, "/v1/refunds", &accounts).await;
    assert_eq!(
        told(&done).iter().map(|one| one.1).collect::<Vec<_>>(),
        [0, 0, PRICE]
    );
    books_hold(&database);
}

fn number_of(object: &Value) -> i64 {
    number(object, "/version")
}

on_both_databases!(
    an_answer_before_the_outcome_and_one_after_it_have_the_balances_of_their_own_commits
);
async fn an_answer_before_the_outcome_and_one_after_it_have_the_balances_of_their_own_commits(
    database: Database,
) {
    let shop = open(&database, &[]).await;
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE - 62, 0, 0]).await;

    // A refund that waits at the bank: the money is taken, and nothing of it has arrived.
    let slow = shop.pay("k-2", "pm_refund_pending").await.json();
    let paid = text(&slow, "/id");
    balance_becomes(&shop, [0, 2 * (PRICE - 62), 0, 0]).await;
    let early = shop
        .ask(&paid, "refunds", "r-1", &json!({"amount": 99}))
        .await;
    let made = shop
        .leaves(&early, 202, "/v1/refunds", &[AVAILABLE, REFUNDS])
        .await;
    assert_eq!(
        (told(&made)[1].1, number_of(&made)),
        (99, 2),
        "its outcome was asked for, and is unknown"
    );

    // One that waits for money has taken nothing.
    let much =
        json!({"amount": 2 * (PRICE - 62) - 99, "currency": "EUR", "destination": "ba_succeeds"});
    assert_eq!(
        shop.client.post("/v1/payouts", "p-1", &much).await.status,
        201
    );
    let poor = shop
        .ask(&paid, "refunds", "r-2", &json!({"amount": 500}))
        .await;
    let made = shop.leaves(&poor, 202, "/v1/refunds", &[]).await;
    assert_eq!(
        (&made["pending_reason"], number_of(&made)),
        (&json!("insufficient_funds"), 1)
    );

    // One whose outcome comes while its caller waits tells the balances of that commit.
    let journal = shop.journal().await;
    let at_bank = journal.iter().find(|row| row["object"] == "refund");
    let at_bank = text(at_bank.expect("the provider has it"), "/id");
    let provider = Client::new(shop.florin.sandbox(), None);
    let path = format!("/v1/refunds/{at_bank}/succeed");
    assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
    eventually("the refund has succeeded", async || {
        (shop.posted("liabilities:refunds_in_transit:EUR").await == 0).then_some(())
    })
    .await;
    let again = shop
        .ask(&paid, "refunds", "r-1", &json!({"amount": 99}))
        .await;
    assert_eq!(
        (again.status, &again.body),
        (202, &early.body),
        "what was said first stays said"
    );
    let act = shop.pay_waiting("k-3", "pm_webhook_before_reply", 10).await;
    assert_eq!(act.status, 201, "{}", act.json());
    assert_eq!(codes(&act.json()), [CLEARING, PENDING, FEES]);
    books_hold(&database);
}

on_both_databases!(in_a_race_each_answer_has_balances_that_its_accounts_really_had);
async fn in_a_race_each_answer_has_balances_that_its_accounts_really_had(database: Database) {
    let shop = open(&database, &[]).await;
    let beside = shop.beside(&database);
    assert_eq!(shop.pay("k-0", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE - 62, 0, 0]).await;
    let mut racing = JoinSet::new();
    for number in 0..12 {
        let shop = if number % 2 == 0 { &shop } else { &beside };
        let client = shop.client.clone();
        racing.spawn(async move {
            let key = format!("race-{number}");
            let paid = client
                .post("/v1/payments", key.as_str(), &order("pm_succeeds"))
                .await;
            assert_eq!(paid.status, 201, "{}", paid.json());
            let path = format!("/v1/payments/{}/refunds", text(&paid.json(), "/id"));
            let key = format!("refund-{number}");
            let refund = client
                .post(&path, key.as_str(), &json!({"amount": 10}))
                .await;
            assert_eq!(refund.status, 201, "{}", refund.json());
            let out = json!({"amount": 7, "currency": "EUR", "destination": "ba_succeeds"});
            let key = format!("payout-{number}");
            let out = client.post("/v1/payouts", key.as_str(), &out).await;
            assert_eq!(out.status, 201, "{}", out.json());
            [paid.json(), refund.json(), out.json()]
        });
    }
    let answers: Vec<Value> = racing.join_all().await.into_iter().flatten().collect();

    // The balance that each entry has left, by the code of the account and the number of the entry.
    let mut entries: BTreeMap<(String, i64), i64> = BTreeMap::new();
    let mut captured: BTreeSet<i64> = BTreeSet::new();
    for answer in &answers {
        for one in answer["balances_after"].as_array().into_iter().flatten() {
            let code = text(one, "/code");
            let of_account = (code.clone(), number(one, "/version"));
            if !entries.contains_key(&of_account) {
                for entry in shop.entries(&text(one, "/account")).await {
                    let name = (code.clone(), number(&entry, "/version"));
                    entries.insert(name, number(&entry, "/balance"));
                }
            }
            assert_eq!(
                entries.get(&of_account),
                Some(&number(one, "/posted")),
                "{answer}"
            );
            if answer["object"] == "payment" && code.starts_with(CLEARING) {
                captured.insert(number(one, "/version"));
            }
        }
    }
    assert_eq!(captured.len(), 12, "each payment has an entry of its own");
    books_hold(&database);
}
