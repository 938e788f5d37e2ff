//! Payouts that are canceled before they are sent: while they wait for an approval, or for an order of a bank.

use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::bank_orders::{ERIKA, bank_account, end_to_end_ids, ordered, paid_to};
use crate::books_hold;
use crate::funds::balance;
use crate::given::{as_read, is_problem, number, text};
use crate::payouts::{pay_out, payout, wanted, with_money};
use crate::shop::{PRICE, Shop, list};

async fn cancel(client: &Client, payout: &str, key: &str) -> Reply {
    let path = format!("/v1/payouts/{payout}/cancel");
    client.post(&path, key, &json!({})).await
}

/// The lines of the newest transaction of a kind, each as debit, credit and amount.
async fn lines(shop: &Shop, kind: &str) -> Vec<(Value, Value, Value)> {
    let path = format!("/v1/transactions?kind={kind}&limit=1");
    let newest = list(&shop.client.get(&path).await.json());
    let postings = newest.first().expect("it was posted")["postings"].clone();
    let lines = postings.as_array().expect("postings").iter();
    lines
        .map(|line| {
            (
                line["debit"].clone(),
                line["credit"].clone(),
                line["amount"].clone(),
            )
        })
        .collect()
}

on_both_databases!(a_payout_that_no_order_has_is_canceled_once_and_its_money_goes_back);
async fn a_payout_that_no_order_has_is_canceled_once_and_its_money_goes_back(database: Database) {
    let shop = with_money(&database, &[]).await;
    let wallet = shop.wallet("liabilities:ann", 500).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let mine = paid_to(&shop, "p-1", 100, &erika).await;
    let mut body = wanted(300, &erika);
    body["from"] = json!(wallet);
    let of_wallet = pay_out(&shop, "p-2", &body).await.json();
    assert_eq!(balance(&shop).await, [0, PRICE - 100, 0, 400]);
    assert_eq!(shop.posted("liabilities:ann").await, 200);

    for (id, key, source, amount) in [
        (mine, "c-1", "liabilities:merchant_available:EUR", 100),
        (text(&of_wallet, "/id"), "c-2", "liabilities:ann", 300),
    ] {
        let reply = cancel(&shop.client, &id, key).await;

        let canceled = reply.json();
        assert_eq!(
            (reply.status, &canceled["status"]),
            (200, &json!("canceled")),
            "{canceled}"
        );
        let after = canceled["balances_after"].as_array().expect("balances");
        let codes: Vec<&Value> = after.iter().map(|one| &one["code"]).collect();
        assert_eq!(
            codes,
            [&json!(source), &json!("liabilities:payouts_in_transit:EUR")]
        );
        assert_eq!(payout(&shop, &id).await, as_read(canceled));
        // What was posted is posted the other way round.
        let made = lines(&shop, "payment_payout").await;
        let back = lines(&shop, "payment_payout_canceled").await;
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].2, json!(amount));
        if amount == 300 {
            let turned = made
                .into_iter()
                .map(|(debit, credit, of)| (credit, debit, of));
            assert_eq!(back, Vec::from_iter(turned));
        }
        let again = cancel(&shop.client, &id, key).await;
        assert_eq!((again.status, again.body), (200, reply.body));
        let second = cancel(&shop.client, &id, &format!("{key}-b")).await;
        is_problem("it is canceled", &second, 409, "payout_state_conflict");
        assert_eq!(second.json()["state"], "canceled");
        assert_eq!(second.json()["moves"], json!([]));
    }

    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    assert_eq!(shop.posted("liabilities:ann").await, 500);
    shop.assert_movements_add_up().await;
    // The request that made it is answered as before.
    let made = pay_out(&shop, "p-2", &body).await;
    assert_eq!((made.status, made.json()), (202, of_wallet));
    let none = json!({"provider": "bank"});
    let none = shop.client.post("/v1/bank_orders", "o-1", &none).await;
    is_problem("no payout waits", &none, 409, "nothing_waits");
    books_hold(&database);
}

on_both_databases!(what_a_bank_or_a_provider_has_is_not_canceled);
async fn what_a_bank_or_a_provider_has_is_not_canceled(database: Database) {
    let shop = with_money(&database, &[]).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let in_order = paid_to(&shop, "p-1", 100, &erika).await;
    let order = ordered(&shop, "o-1").await;
    let pending = pay_out(&shop, "p-2", &wanted(10, "ba_pending"))
        .await
        .json();
    let paid = pay_out(&shop, "p-3", &wanted(10, "ba_succeeds"))
        .await
        .json();
    let failed = pay_out(&shop, "p-4", &wanted(10, "ba_declines"))
        .await
        .json();
    let before = balance(&shop).await;
    for (id, state) in [
        (in_order.clone(), "processing"),
        (text(&pending, "/id"), "processing"),
        (text(&paid, "/id"), "paid"),
        (text(&failed, "/resource"), "failed"),
    ] {
        let key = format!("c-{id}");
        let refused = cancel(&shop.client, &id, &key).await;
        is_problem(state, &refused, 409, "payout_state_conflict");
        let said = refused.json();
        assert_eq!(
            (&said["state"], &said["moves"]),
            (&json!(state), &json!([]))
        );
        assert_eq!(cancel(&shop.client, &id, &key).await.body, refused.body);
        assert_eq!(payout(&shop, &id).await["status"], state);
    }
    for absent in ["po_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6", "po_1", "x"] {
        let refused = cancel(&shop.client, absent, &format!("c-{absent}")).await;
        is_problem(absent, &refused, 404, "not_found");
    }
    assert_eq!(balance(&shop).await, before);

    // The database refuses it too, whoever asks.
    let name = &end_to_end_ids(&order)[0];
    let id = match database.kind() {
        Kind::Sqlite => format!("X'{name}'"),
        Kind::Postgres => format!("'\\x{name}'"),
    };
    let forced = format!("UPDATE operation SET status = 'canceled' WHERE id = {id}");
    let refused = database.try_raw(&forced).expect_err("an order has it");
    assert!(refused.contains("in an order of a bank"), "{refused}");
    let waits = paid_to(&shop, "p-5", 20, &erika).await;
    assert_eq!(cancel(&shop.client, &waits, "c-5").await.status, 200);
    let forced = format!(
        "INSERT INTO bank_order_transfer (position, tenant_id, operation_id, order_id) \
         SELECT 9, o.tenant_id, o.id, t.order_id FROM operation AS o, bank_order_transfer AS t \
         WHERE o.status = 'canceled' AND t.operation_id = {id}"
    );
    let refused = database.try_raw(&forced).expect_err("it is canceled");
    assert!(refused.contains("goes to no bank"), "{refused}");
    books_hold(&database);
}

on_both_databases!(a_payout_that_waits_for_an_approval_is_canceled_by_whoever_asked_for_it);
async fn a_payout_that_waits_for_an_approval_is_canceled_by_whoever_asked_for_it(
    database: Database,
) {
    let shop = with_money(&database, &["--approve-above", "EUR=500"]).await;
    let second = shop.second_person(&database);
    let made = pay_out(&shop, "p-1", &wanted(600, "ba_succeeds"))
        .await
        .json();
    let approval = format!("/v1/approvals/{}", text(&made, "/approval"));

    let canceled = cancel(&shop.client, &text(&made, "/id"), "c-1").await;

    assert_eq!(canceled.status, 200, "{}", canceled.json());
    assert_eq!(canceled.json()["status"], "canceled");
    assert_eq!(canceled.json()["balances_after"], json!([]));
    let withdrawn = second.get(&approval).await.json();
    assert_eq!(
        (&withdrawn["status"], &withdrawn["decided_by"]),
        (&json!("withdrawn"), &Value::Null)
    );
    assert_ne!(withdrawn["decided_at"], Value::Null);
    for word in ["approve", "reject"] {
        let path = format!("{approval}/{word}");
        let late = second.post(&path, None, &json!({})).await;
        is_problem(word, &late, 409, "approval_decided");
        assert_eq!(late.json()["state"], "withdrawn");
    }
    // Once it is approved, the provider has it.
    let made = pay_out(&shop, "p-2", &wanted(600, "ba_pending"))
        .await
        .json();
    let path = format!("/v1/approvals/{}/approve", text(&made, "/approval"));
    assert_eq!(second.post(&path, None, &json!({})).await.status, 200);
    let late = cancel(&shop.client, &text(&made, "/id"), "c-2").await;
    is_problem("the provider has it", &late, 409, "payout_state_conflict");
    let again = cancel(&second, &text(&made, "/id"), "c-3").await;
    is_problem("whoever asks", &again, 409, "payout_state_conflict");
    assert_eq!(balance(&shop).await, [0, PRICE - 600, 0, 600]);
    books_hold(&database);
}

/// What became of a payout that was approved, ordered and canceled at the same time.
struct Raced {
    payout: String,
    approved: u16,
    canceled: u16,
}

on_both_databases!(of_a_cancellation_an_approval_and_an_order_at_once_each_edge_is_legal);
async fn of_a_cancellation_an_approval_and_an_order_at_once_each_edge_is_legal(database: Database) {
    let arguments = ["--approve-above", "EUR=9"];
    let shop = with_money(&database, &arguments).await;
    let beside = match database.kind() {
        Kind::Sqlite => None,
        Kind::Postgres => Some(shop.beside_with(&database, &arguments, &[])),
    };
    let other = beside.as_ref().unwrap_or(&shop);
    let second = shop.second_person(&database);
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let mut racing: JoinSet<Option<Raced>> = JoinSet::new();
    let mut waits = Vec::new();
    for number in 0..24_i64 {
        // Every third one needs no approval.
        let amount = if number % 3 == 0 { 9 } else { 10 + number };
        let made = pay_out(&shop, &format!("p-{number}"), &wanted(amount, &erika)).await;
        assert_eq!(made.status, 202, "{}", made.json());
        waits.push((number, made.json()));
    }
    for (number, made) in waits {
        let (second, canceling) = (second.clone(), other.client.clone());
        racing.spawn(async move {
            let id = text(&made, "/id");
            let approving = async {
                let Some(approval) = made["approval"].as_str() else {
                    return 0;
                };
                let path = format!("/v1/approvals/{approval}/approve");
                let reply = second.post(&path, None, &json!({})).await;
                if reply.status != 200 {
                    is_problem("approved late", &reply, 409, "approval_decided");
                    assert_eq!(reply.json()["state"], "withdrawn");
                }
                reply.status
            };
            let key = format!("c-{number}");
            let (approved, reply) = tokio::join!(approving, cancel(&canceling, &id, &key));
            if reply.status != 200 {
                is_problem("canceled late", &reply, 409, "payout_state_conflict");
                assert_eq!(reply.json()["state"], "processing");
            }
            Some(Raced {
                payout: id,
                approved,
                canceled: reply.status,
            })
        });
        if number % 4 == 0 {
            let ordering = shop.client.clone();
            racing.spawn(async move {
                let body = json!({"provider": "bank"});
                let key = format!("o-{number}");
                let reply = ordering.post("/v1/bank_orders", key.as_str(), &body).await;
                assert!([201, 409].contains(&reply.status), "{}", reply.json());
                None
            });
        }
    }
    let raced = racing.join_all().await;
    let mut sent = 0;
    for one in raced.into_iter().flatten() {
        let now = payout(&shop, &one.payout).await;
        match (one.canceled, one.approved) {
            (200, _) => assert_eq!(now["status"], "canceled", "{now}"),
            // An order was first.
            (_, 0 | 200) => {
                assert_eq!(now["status"], "processing", "{now}");
                sent += number(&now, "/amount");
            }
            (_, approved) => panic!("neither approved ({approved}) nor canceled: {now}"),
        }
    }
    assert_eq!(balance(&shop).await, [0, PRICE - sent, 0, sent]);
    let orders = list(&shop.client.get("/v1/bank_orders").await.json());
    let ordered: i64 = orders.iter().map(|one| number(one, "/amount")).sum();
    assert_eq!(
        ordered, sent,
        "what is sent is in an order, and nothing else"
    );
    let none = json!({"provider": "bank"});
    let none = shop.client.post("/v1/bank_orders", "o-end", &none).await;
    is_problem("no payout waits", &none, 409, "nothing_waits");
    books_hold(&database);
}
