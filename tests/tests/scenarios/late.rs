//! Money that a provider has taken although it had said that the charge failed.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::books_hold;
use crate::given::{eventually, text};
use crate::shop::{CLEARING, PENDING, PRICE, Shop, list};
use crate::webhooks::{Sender, event, kept, said};

/// The account of money that belongs to no payment.
const UNALLOCATED: &str = "liabilities:unallocated_receipts:EUR";

on_both_databases!(money_that_is_taken_after_a_charge_has_failed_is_held_once);
async fn money_that_is_taken_after_a_charge_has_failed_is_held_once(database: Database) {
    let shop = Shop::open(&database);
    let id = text(&shop.pay("k-1", "pm_declines").await.json(), "/resource");
    let charge = shop.charge_of(&id).await;
    let body = json!({"payment_method": "pm_succeeds"});
    let second = shop.ask(&id, "confirm", "k-2", &body).await;
    assert_eq!(second.json()["status"], "succeeded", "{:?}", second.json());
    let before = shop.payment(&id).await;

    // The provider reports it by itself, and then three times more, at once.
    let path = format!("/v1/charges/{}/succeed-late", text(&charge, "/id"));
    let provider = Client::new(shop.florin.sandbox(), None);
    assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
    eventually("the money has arrived", async || {
        (shop.posted(UNALLOCATED).await == PRICE).then_some(())
    })
    .await;
    let mut succeeded = charge.clone();
    succeeded["status"] = json!("succeeded");
    succeeded["decline_code"] = Value::Null;
    let sender = Sender::of(&shop);
    let events = ["evt_1", "evt_2", "evt_3"].map(|id| event(id, "charge.succeeded", &succeeded));
    let [one, two, three] = [0, 1, 2].map(|place| sender.deliver(&events[place]));
    let (one, two, three) = tokio::join!(one, two, three);
    for reply in [one, two, three] {
        assert_eq!(said(&reply), (200, "applied".to_owned()));
    }

    assert_eq!(shop.posted(UNALLOCATED).await, PRICE);
    assert_eq!(shop.posted(CLEARING).await, 2 * PRICE);
    assert_eq!(shop.posted(PENDING).await, PRICE);
    assert_eq!(shop.payment(&id).await, before, "the payment has its money");
    let operations = format!("/v1/payments/{id}/operations");
    let operations = list(&shop.client.get(&operations).await.json());
    let failed = operations.iter().find(|one| one["status"] == "failed");
    let failed = failed.expect("the first charge has failed");
    assert_eq!(
        (&failed["decline_code"], &failed["unallocated"]),
        (&json!("do_not_honor"), &json!(PRICE))
    );

    // What differs from the charge is not believed.
    for (number, (field, value)) in [
        ("id", json!("ch_second")),
        ("amount", json!(PRICE + 1)),
        ("payment_method", json!("pm_other")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut wrong = succeeded.clone();
        wrong[field] = value;
        let event = event(&format!("evt_wrong_{number}"), "charge.succeeded", &wrong);
        let reply = sender.deliver(&event).await;
        assert_eq!(said(&reply), (200, "quarantined".to_owned()), "{field}");
    }
    assert_eq!(kept(&database).1, 3);
    assert_eq!(shop.posted(UNALLOCATED).await, PRICE);
    books_hold(&database);
}

on_both_databases!(an_authorization_that_succeeds_late_is_put_aside);
async fn an_authorization_that_succeeds_late_is_put_aside(database: Database) {
    let shop = Shop::open(&database);
    let body = json!({"amount": PRICE, "currency": "EUR", "payment_method": "pm_declines",
                      "capture_method": "manual"});
    let declined = shop.client.post("/v1/payments", "k-1", &body).await.json();
    let id = text(&declined, "/resource");
    let charge = shop.charge_of(&id).await;

    // Nobody's money has moved, so there is nothing to hold. A person voids it at the provider.
    let path = format!("/v1/charges/{}/succeed-late", text(&charge, "/id"));
    let provider = Client::new(shop.florin.sandbox(), None);
    assert_eq!(provider.post(&path, None, &json!({})).await.status, 200);
    eventually("the report is put aside", async || {
        (kept(&database).1 == 1).then_some(())
    })
    .await;
    assert_eq!(shop.payment(&id).await["status"], "requires_payment_method");
    assert_eq!(shop.posted(UNALLOCATED).await, 0);
    books_hold(&database);
}
