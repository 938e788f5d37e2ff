//! Payouts: of available money and of wallets, refused, without an outcome, returned, and approved by a second person.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::funds::{balance, balance_becomes};
use crate::given::{as_read, eventually, is_problem, number, text};
use crate::shop::{PRICE, Shop, list, pointers};

/// Short enough to give up a silent provider soon, long enough for a busy one.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "500"];

/// A shop with [`PRICE`] of available money.
pub(crate) async fn with_money(database: &Database, arguments: &[&str]) -> Shop {
    let shop = Shop::open_with(database, arguments);
    let at_once = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    let agreed = shop.client.post("/v1/payment_terms", None, &at_once).await;
    assert_eq!(agreed.status, 201);
    assert_eq!(shop.pay("money", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    shop
}

pub(crate) fn wanted(amount: i64, destination: &str) -> Value {
    json!({"amount": amount, "currency": "EUR", "destination": destination})
}

pub(crate) async fn pay_out(shop: &Shop, key: &str, body: &Value) -> Reply {
    shop.client.post("/v1/payouts", key, body).await
}

pub(crate) async fn payout(shop: &Shop, id: &str) -> Value {
    let reply = shop.client.get(&format!("/v1/payouts/{id}")).await;
    assert_eq!(reply.status, 200, "{id}");
    reply.json()
}

/// The payout, after it is no longer processing.
async fn finished(shop: &Shop, id: &str) -> Value {
    eventually("the payout settles", async || {
        let payout = payout(shop, id).await;
        (payout["status"] != "processing").then_some(payout)
    })
    .await
}

on_both_databases!(available_money_is_paid_out_and_no_more);
async fn available_money_is_paid_out_and_no_more(database: Database) {
    let shop = with_money(&database, &[]).await;

    let much = pay_out(&shop, "p-0", &wanted(PRICE + 1, "ba_succeeds")).await;
    is_problem("more than is available", &much, 422, "insufficient_funds");
    assert_eq!(pointers(&much), ["/amount"]);
    let reply = pay_out(&shop, "p-1", &wanted(1000, "ba_succeeds")).await;

    let made = reply.json();
    assert_eq!((reply.status, &made["status"]), (201, &json!("paid")));
    assert_eq!(
        (&made["from"], &made["approval"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        payout(&shop, &text(&made, "/id")).await,
        as_read(made.clone())
    );
    assert_eq!(balance(&shop).await, [0, 99, 0, 0]);
    assert_eq!(shop.posted("assets:bank:EUR").await, -1000);
    shop.assert_as_the_provider_says().await;
    let again = pay_out(&shop, "p-1", &wanted(1000, "ba_succeeds")).await;
    assert_eq!((again.status, &again.body), (201, &reply.body));
    let second = pay_out(&shop, "p-2", &wanted(99, "ba_webhook_twice")).await;
    assert_eq!(second.status, 201);
    let newest_first = [second.json(), made].map(as_read);
    assert_eq!(
        list(&shop.client.get("/v1/payouts").await.json()),
        newest_first
    );
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payout_that_the_provider_refuses_gives_the_money_back);
async fn a_payout_that_the_provider_refuses_gives_the_money_back(database: Database) {
    let shop = with_money(&database, &[]).await;

    let reply = pay_out(&shop, "p-1", &wanted(PRICE, "ba_declines")).await;

    is_problem("refused", &reply, 402, "declined");
    assert_eq!(reply.json()["decline_code"], "account_closed");
    let failed = payout(&shop, &text(&reply.json(), "/resource")).await;
    assert_eq!(failed["status"], "failed");
    let unknown = pay_out(&shop, "p-2", &wanted(PRICE, "nobody")).await;
    is_problem(
        "a destination that the provider does not know",
        &unknown,
        402,
        "declined",
    );
    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payout_without_an_answer_is_finished_by_inquiry);
async fn a_payout_without_an_answer_is_finished_by_inquiry(database: Database) {
    let shop = with_money(&database, &IMPATIENT).await;
    for destination in ["ba_server_error", "ba_times_out"] {
        let reply = pay_out(&shop, destination, &wanted(100, destination)).await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (202, &json!("processing"))
        );
        let done = finished(&shop, &text(&reply.json(), "/id")).await;
        assert_eq!(done["status"], "paid", "{destination}");
    }
    for row in shop.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payout_that_is_on_its_way_ends_when_the_provider_says_so_and_may_come_back);
async fn a_payout_that_is_on_its_way_ends_when_the_provider_says_so_and_may_come_back(
    database: Database,
) {
    let shop = with_money(&database, &[]).await;
    let provider = Client::new(shop.florin.sandbox(), None);
    let tell = async |payout: &Value, word: &str| {
        let reference = text(payout, "/id");
        let journal = shop.journal().await;
        let row = journal.iter().find(|row| row["reference"] == reference);
        let at_provider = text(row.expect("the provider has it"), "/id");
        let path = format!("/v1/payouts/{at_provider}/{word}");
        assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
    };
    for (word, status, available) in [("fail", "failed", PRICE), ("succeed", "paid", 99)] {
        let reply = pay_out(&shop, word, &wanted(1000, "ba_pending")).await;
        let made = reply.json();
        assert_eq!((reply.status, &made["status"]), (202, &json!("processing")));
        assert_eq!(balance(&shop).await, [0, 99, 0, 1000]);
        tell(&made, word).await;
        let done = finished(&shop, &text(&made, "/id")).await;
        assert_eq!(done["status"], status);
        assert_eq!(balance(&shop).await, [0, available, 0, 0]);
        shop.assert_as_the_provider_says().await;
        if word == "succeed" {
            tell(&made, "return").await;
            let returned = eventually("the return", async || {
                let payout = payout(&shop, &text(&made, "/id")).await;
                (payout["returned"] == true).then_some(payout)
            })
            .await;
            assert_eq!(returned["status"], "paid", "a final state is not left");
            assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
        }
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_wallet_pays_out_what_it_has);
async fn a_wallet_pays_out_what_it_has(database: Database) {
    let shop = Shop::open(&database);
    let wallet = shop.wallet("wallets:ann", 500).await;
    let from = |amount: i64, account: &str, destination: &str| {
        let mut body = wanted(amount, destination);
        body["from"] = json!(account);
        body
    };

    let much = pay_out(&shop, "p-0", &from(501, &wallet, "ba_succeeds")).await;
    is_problem("more than the wallet has", &much, 422, "insufficient_funds");
    let paid = pay_out(&shop, "p-1", &from(200, &wallet, "ba_succeeds")).await;
    assert_eq!((paid.status, &paid.json()["from"]), (201, &json!(wallet)));
    let refused = pay_out(&shop, "p-2", &from(300, &wallet, "ba_declines")).await;
    is_problem("refused", &refused, 402, "declined");
    let left = shop.read(&wallet).await;
    assert_eq!(number(&left, "/balances/available"), 300);
    for (account, code) in [
        ("acc_00000000000000000000000000000000", "account_not_found"),
        ("acc_1", "invalid_field"),
    ] {
        let reply = pay_out(&shop, account, &from(1, account, "ba_succeeds")).await;
        let status = if code == "invalid_field" { 422 } else { 404 };
        is_problem(account, &reply, status, code);
        assert_eq!(pointers(&reply), ["/from"]);
    }
    let dollars =
        json!({"amount": 1, "currency": "USD", "destination": "ba_succeeds", "from": wallet});
    let reply = pay_out(&shop, "p-3", &dollars).await;
    is_problem("another currency", &reply, 422, "currency_mismatch");
    books_hold(&database);
}

on_both_databases!(racing_payouts_never_exceed_what_is_available);
async fn racing_payouts_never_exceed_what_is_available(database: Database) {
    let shop = with_money(&database, &[]).await;
    let mut racing = JoinSet::new();
    for number in 0..20 {
        let client = shop.client.clone();
        racing.spawn(async move {
            let key = format!("p-{number}");
            let body = wanted(300, "ba_succeeds");
            client.post("/v1/payouts", key.as_str(), &body).await.status
        });
    }
    let statuses = racing.join_all().await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        3,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [201, 422].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 900, 0, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_payout_above_the_limit_needs_a_second_person);
async fn a_payout_above_the_limit_needs_a_second_person(database: Database) {
    let shop = with_money(&database, &["--approve-above", "EUR=500"]).await;
    let second = shop.second_person(&database);
    let small = pay_out(&shop, "p-0", &wanted(99, "ba_succeeds")).await;
    assert_eq!(
        (small.status, &small.json()["approval"]),
        (201, &Value::Null)
    );

    let reply = pay_out(&shop, "p-1", &wanted(600, "ba_succeeds")).await;

    let made = reply.json();
    assert_eq!(
        (reply.status, &made["status"]),
        (202, &json!("requires_approval"))
    );
    let (id, approval) = (text(&made, "/id"), text(&made, "/approval"));
    let path = |word: &str| format!("/v1/approvals/{approval}/{word}");
    let proposed = shop
        .client
        .get(&format!("/v1/approvals/{approval}"))
        .await
        .json();
    assert_eq!(
        (
            &proposed["status"],
            &proposed["subject"],
            &proposed["action"]
        ),
        (&json!("proposed"), &json!(id), &json!("payout"))
    );
    for word in ["approve", "reject"] {
        let own = shop.client.post(&path(word), None, &json!({})).await;
        is_problem(word, &own, 403, "second_person_required");
    }
    assert_eq!(
        balance(&shop).await,
        [0, PRICE - 99, 0, 0],
        "no money was taken"
    );
    let done = second
        .post(&path("approve"), None, &json!({"reason": "seen"}))
        .await;
    assert_eq!(
        (done.status, &done.json()["status"]),
        (200, &json!("approved"))
    );
    assert_eq!(done.json()["reason"], "seen");
    assert_eq!(finished(&shop, &id).await["status"], "paid");
    let late = second.post(&path("reject"), None, &json!({})).await;
    is_problem("decided already", &late, 409, "approval_decided");
    assert_eq!(late.json()["state"], "approved");
    shop.assert_as_the_provider_says().await;

    // What is rejected is canceled, and takes nothing.
    let made = pay_out(&shop, "p-2", &wanted(501, "ba_succeeds"))
        .await
        .json();
    let path = format!("/v1/approvals/{}/reject", text(&made, "/approval"));
    assert_eq!(second.post(&path, None, &json!({})).await.status, 200);
    assert_eq!(
        payout(&shop, &text(&made, "/id")).await["status"],
        "canceled"
    );

    // What the books refuse at the time of the approval still waits.
    let made = pay_out(&shop, "p-3", &wanted(5_000, "ba_succeeds"))
        .await
        .json();
    let approval = text(&made, "/approval");
    let path = format!("/v1/approvals/{approval}/approve");
    let refused = second.post(&path, None, &json!({})).await;
    is_problem("not enough money", &refused, 422, "insufficient_funds");
    let still = second
        .get(&format!("/v1/approvals/{approval}"))
        .await
        .json();
    assert_eq!(still["status"], "proposed");
    assert_eq!(list(&second.get("/v1/approvals").await.json()).len(), 3);
    assert_eq!(
        pointers(&refused),
        Vec::<String>::new(),
        "{}",
        refused.json()
    );
    books_hold(&database);
}
