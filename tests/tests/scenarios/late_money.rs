//! Decisions about money that a provider has taken although it had said that the charge failed.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::funds::{balance, balance_becomes};
use crate::given::{as_read, eventually, is_problem, number, text};
use crate::shop::{CLEARING, PRICE, Shop, list};
use crate::violations::{tamper, violated};

/// The account of money that belongs to no payment.
const UNALLOCATED: &str = "liabilities:unallocated_receipts:EUR";

/// Terms: a fee of 62 of [`PRICE`], and available on the next day.
async fn agree(shop: &Shop, late_money: &str) {
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 1,
                       "rate": "0.029", "fixed": 30, "late_money": late_money});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201, "{}", agreed.json());
    assert_eq!(agreed.json()["late_money"], late_money);
}

/// A payment whose first charge has failed and brought its money later.
struct Late {
    payment: String,
    charge: String,
    provider: Client,
}

impl Late {
    async fn of(shop: &Shop, key: &str) -> Self {
        let declined = shop.pay(key, "pm_declines").await.json();
        let payment = text(&declined, "/resource");
        let charge = text(&shop.charge_of(&payment).await, "/id");
        let provider = Client::new(shop.florin.sandbox(), None);
        let path = format!("/v1/charges/{charge}/succeed-late");
        assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
        Self {
            payment,
            charge,
            provider,
        }
    }

    /// The operation that had failed.
    async fn operation(&self, shop: &Shop) -> Value {
        let path = format!("/v1/payments/{}/operations", self.payment);
        let operations = list(&shop.client.get(&path).await.json());
        let failed = operations
            .into_iter()
            .find(|one| one["status"] == "failed" && one["kind"] == "charge");
        failed.expect("the charge has failed")
    }
}

/// The amounts of an operation: unallocated, allocated, given back.
fn amounts(operation: &Value) -> [i64; 3] {
    ["unallocated", "allocated", "given_back"].map(|name| number(operation, &format!("/{name}")))
}

async fn arrived(shop: &Shop, expected: i64) {
    eventually("the money has arrived", async || {
        (shop.posted(UNALLOCATED).await == expected).then_some(())
    })
    .await;
}

async fn decide(client: &Client, operation: &str, word: &str, key: &str) -> Reply {
    let path = format!("/v1/operations/{operation}/{word}");
    client.post(&path, key, &json!({})).await
}

on_both_databases!(the_merchant_gets_late_money_less_the_fee_on_its_day);
async fn the_merchant_gets_late_money_less_the_fee_on_its_day(database: Database) {
    let shop = Shop::open(&database);
    agree(&shop, "hold").await;
    let late = Late::of(&shop, "k-1").await;
    arrived(&shop, PRICE).await;
    let before = shop.payment(&late.payment).await;
    let id = text(&late.operation(&shop).await, "/id");

    let reply = decide(&shop.client, &id, "allocate", "a-1").await;

    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(amounts(&reply.json()), [0, PRICE, 0]);
    assert_eq!(as_read(reply.json()), late.operation(&shop).await);
    assert_eq!(reply.json()["status"], "failed", "what is final stays");
    let again = decide(&shop.client, &id, "allocate", "a-1").await;
    assert_eq!((again.status, &again.body), (200, &reply.body));
    for (word, key) in [("allocate", "a-2"), ("refund", "a-3")] {
        let refused = decide(&shop.client, &id, word, key).await;
        is_problem(word, &refused, 409, "nothing_unallocated");
    }
    assert_eq!(balance(&shop).await, [PRICE - 62, 0, 0, 0]);
    assert_eq!(shop.posted(UNALLOCATED).await, 0);
    assert_eq!(shop.posted("income:fees:EUR").await, 62);
    assert_eq!(shop.payment(&late.payment).await, before);
    shop.assert_as_the_provider_says().await;
    shop.advance(1).await;
    assert_eq!(shop.drain().await["finished"], true);
    assert_eq!(balance(&shop).await, [0, PRICE - 62, 0, 0]);

    let absent = "op_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6";
    let absent = decide(&shop.client, absent, "allocate", "a-4").await;
    is_problem("no such operation", &absent, 404, "not_found");
    let paid = text(&shop.pay("k-2", "pm_succeeds").await.json(), "/id");
    let path = format!("/v1/payments/{paid}/operations");
    let paid = text(&list(&shop.client.get(&path).await.json())[0], "/id");
    let nothing = decide(&shop.client, &paid, "refund", "a-5").await;
    is_problem("nothing came late", &nothing, 409, "nothing_unallocated");
    books_hold(&database);
}

on_both_databases!(late_money_goes_back_to_the_payer_and_may_come_back_again);
async fn late_money_goes_back_to_the_payer_and_may_come_back_again(database: Database) {
    let shop = Shop::open(&database);
    let late = Late::of(&shop, "k-1").await;
    arrived(&shop, PRICE).await;
    let id = text(&late.operation(&shop).await, "/id");

    let path = format!("/v1/operations/{id}/refund");
    let body = json!({"reason": "the order was canceled"});
    let reply = shop.client.post(&path, "r-1", &body).await;

    let refund = reply.json();
    assert_eq!(
        (reply.status, &refund["status"]),
        (201, &json!("succeeded")),
        "{refund}"
    );
    assert_eq!(
        (
            &refund["gives_back"],
            &refund["amount"],
            &refund["payment"],
            &refund["reason"]
        ),
        (
            &json!(id),
            &json!(PRICE),
            &json!(late.payment),
            &json!("the order was canceled")
        )
    );
    assert_eq!(amounts(&late.operation(&shop).await), [0, 0, PRICE]);
    assert_eq!(shop.payment(&late.payment).await["amount_refunded"], 0);
    assert_eq!(
        (shop.posted(UNALLOCATED).await, shop.posted(CLEARING).await),
        (0, 0)
    );
    shop.assert_as_the_provider_says().await;
    let listed = list(&shop.client.get("/v1/refunds").await.json());
    assert_eq!(listed, [as_read(refund)]);

    // The bank returns it: it is unallocated again, and can be decided on again.
    let journal = shop.journal().await;
    let at_bank = journal.iter().find(|row| row["object"] == "refund");
    let at_bank = text(at_bank.expect("the refund"), "/id");
    let returns = format!("/v1/refunds/{at_bank}/return");
    let returned = late.provider.post(&returns, None, &json!({})).await;
    assert_eq!(returned.status, 200, "{}", returned.json());
    arrived(&shop, PRICE).await;
    assert_eq!(amounts(&late.operation(&shop).await), [PRICE, 0, 0]);
    let allocated = decide(&shop.client, &id, "allocate", "a-1").await;
    assert_eq!(amounts(&allocated.json()), [0, PRICE, 0]);
    assert_eq!(balance(&shop).await, [PRICE, 0, 0, 0]);
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refund_of_late_money_that_fails_leaves_it_unallocated);
async fn a_refund_of_late_money_that_fails_leaves_it_unallocated(database: Database) {
    let shop = Shop::open(&database);
    let late = Late::of(&shop, "k-1").await;
    arrived(&shop, PRICE).await;
    let id = text(&late.operation(&shop).await, "/id");
    // Somebody has given a part of it back at the provider, so the whole is too much.
    let path = format!("/v1/charges/{}/refunds", late.charge);
    let part = late
        .provider
        .post(&path, "by-hand", &json!({"amount": 1}))
        .await;
    assert_eq!(part.status, 200, "{}", part.json());

    let reply = decide(&shop.client, &id, "refund", "r-1").await;

    is_problem("refused", &reply, 402, "declined");
    assert_eq!(reply.json()["decline_code"], "exceeds_captured");
    assert_eq!(amounts(&late.operation(&shop).await), [PRICE, 0, 0]);
    assert_eq!(shop.posted(UNALLOCATED).await, PRICE);
    assert_eq!(shop.posted("liabilities:refunds_in_transit:EUR").await, 0);
    let again = decide(&shop.client, &id, "refund", "r-2").await;
    is_problem("refused again", &again, 402, "declined");
    books_hold(&database);
}

on_both_databases!(of_decisions_that_race_one_wins);
async fn of_decisions_that_race_one_wins(database: Database) {
    let shop = Shop::open(&database);
    let beside = shop.beside(&database);
    let late = Late::of(&shop, "k-1").await;
    arrived(&shop, PRICE).await;
    let id = text(&late.operation(&shop).await, "/id");
    let mut races = JoinSet::new();
    for number in 0..8 {
        let client = if number % 3 == 0 { &beside } else { &shop }.client.clone();
        let (id, word) = (id.clone(), ["allocate", "refund"][number % 2]);
        races.spawn(async move {
            let key = format!("race-{number}");
            (word, decide(&client, &id, word, &key).await)
        });
    }
    let replies = races.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|(_, reply)| reply.status < 300);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for (word, reply) in lost {
        is_problem(word, reply, 409, "nothing_unallocated");
    }
    let expected = match won[0].0 {
        "allocate" => [0, PRICE, 0],
        _ => [0, 0, PRICE],
    };
    assert_eq!(amounts(&late.operation(&shop).await), expected);
    assert_eq!(shop.posted(UNALLOCATED).await, 0);
    shop.assert_as_the_provider_says().await;
    assert!(beside.florin.terminate().success());
    books_hold(&database);
}

on_both_databases!(late_money_goes_back_by_itself_if_the_terms_say_so);
async fn late_money_goes_back_by_itself_if_the_terms_say_so(database: Database) {
    let shop = Shop::open(&database);
    let wrong = json!({"currency": "EUR", "late_money": "keep"});
    let wrong = shop.client.post("/v1/payment_terms", None, &wrong).await;
    is_problem("no such rule", &wrong, 422, "invalid_field");
    agree(&shop, "refund").await;
    let id = text(&shop.pay("k-1", "pm_declines").await.json(), "/resource");
    // Later terms change nothing about a charge that went to the provider before.
    agree(&shop, "hold").await;
    let charge = text(&shop.charge_of(&id).await, "/id");
    let provider = Client::new(shop.florin.sandbox(), None);
    let path = format!("/v1/charges/{charge}/succeed-late");
    assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);

    let refund = eventually("the refund", async || {
        let refunds = list(&shop.client.get("/v1/refunds").await.json());
        refunds.into_iter().find(|one| one["status"] == "succeeded")
    })
    .await;

    assert_eq!(
        (&refund["amount"], &refund["payment"]),
        (&json!(PRICE), &json!(id))
    );
    assert_eq!(shop.posted(UNALLOCATED).await, 0);
    shop.assert_as_the_provider_says().await;
    // By the newest terms it is held.
    let held = Late::of(&shop, "k-2").await;
    arrived(&shop, PRICE).await;
    let done = shop.drain().await;
    assert_eq!(done["finished"], true, "{done}");
    assert_eq!(amounts(&held.operation(&shop).await), [PRICE, 0, 0]);
    assert_eq!(shop.posted(UNALLOCATED).await, PRICE);
    books_hold(&database);
}

on_both_databases!(a_refund_may_take_allocated_money_that_is_pending);
async fn a_refund_may_take_allocated_money_that_is_pending(database: Database) {
    let shop = Shop::open(&database);
    let late = Late::of(&shop, "k-1").await;
    arrived(&shop, PRICE).await;
    let body = json!({"payment_method": "pm_succeeds"});
    let paid = shop.ask(&late.payment, "confirm", "k-2", &body).await;
    assert_eq!(paid.json()["status"], "succeeded");
    let id = text(&late.operation(&shop).await, "/id");
    assert_eq!(
        decide(&shop.client, &id, "allocate", "a-1").await.status,
        200
    );
    assert_eq!(balance(&shop).await, [2 * PRICE, 0, 0, 0]);
    let reply = shop.ask(&late.payment, "refunds", "r-1", &json!({})).await;
    assert_eq!(reply.status, 201, "{}", reply.json());
    assert_eq!(balance(&shop).await, [PRICE, 0, 0, 0]);
    // What was captured is refunded; the allocated money is no part of it.
    let more = shop.ask(&late.payment, "refunds", "r-2", &json!({})).await;
    is_problem("nothing is left", &more, 422, "exceeds_remaining");
    shop.advance(7).await;
    assert_eq!(shop.drain().await["finished"], true);
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    books_hold(&database);
}

on_both_databases!(check_names_late_money_that_does_not_add_up);
async fn check_names_late_money_that_does_not_add_up(database: Database) {
    let shop = Shop::open(&database);
    let allocated = Late::of(&shop, "k-1").await;
    let given_back = Late::of(&shop, "k-2").await;
    arrived(&shop, 2 * PRICE).await;
    for (late, word, key) in [
        (&allocated, "allocate", "d-1"),
        (&given_back, "refund", "d-2"),
    ] {
        let id = text(&late.operation(&shop).await, "/id");
        let reply = decide(&shop.client, &id, word, key).await;
        assert!(reply.status < 300, "{}", reply.json());
    }
    assert_eq!(shop.florin.terminate().code(), Some(0));
    assert_eq!(violated(&database), (Some(0), vec![]));
    for (plant, undo, broken) in [
        // A decision that nobody has posted.
        (
            "UPDATE operation SET allocated = 0 WHERE unreleased > 0",
            "UPDATE operation SET allocated = unallocated WHERE unreleased > 0",
            vec!["P1", "P3"],
        ),
        // Money that the merchant got and that is nowhere.
        (
            "UPDATE operation SET unreleased = 1098 WHERE unreleased = 1099",
            "UPDATE operation SET unreleased = 1099 WHERE unreleased = 1098",
            vec!["P1"],
        ),
        // Money that goes back, and could go back again.
        (
            "UPDATE operation SET given_back = 1 WHERE given_back = 1099",
            "UPDATE operation SET given_back = 1099 WHERE given_back = 1",
            vec!["P1"],
        ),
        // A refund of captured money, of which there is none.
        (
            "CREATE TABLE keep AS SELECT * FROM operation; UPDATE operation SET gives_back = NULL",
            "UPDATE operation SET gives_back = (SELECT gives_back FROM keep WHERE keep.id = operation.id);
             DROP TABLE keep",
            vec!["P1", "P3"],
        ),
    ] {
        tamper(&database, plant);
        let (status, mut names) = violated(&database);
        names.sort_unstable();
        let broken = broken.into_iter().map(str::to_owned).collect();
        assert_eq!((status, names), (Some(1), broken), "{plant}");
        tamper(&database, undo);
    }
    assert_eq!(violated(&database), (Some(0), vec![]));
}
