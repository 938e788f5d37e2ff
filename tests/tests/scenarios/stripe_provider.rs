//! Stripe as a provider, played by `localstripe`: what Florin has in its books is what the other side has made.

use serde_json::{Value, json};
use tests::{Database, Florin, on_both_databases};
use webhook_signatures::Scheme;

use crate::books_hold;
use crate::given::{eventually, number, text};
use crate::localstripe::{Encrypted, Fault, KEY, LocalStripe};
use crate::shop::{CLEARING, PRICE, Shop, list, order};
use crate::webhooks::{Sender, event, kept, said};

const PATH: &str = "/webhooks/card";
const SECRET: &str = "whsec_of_the_scenario_with_localstripe";
/// Payment methods that localstripe knows.
const GOOD: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeCustomerFail";

/// A shop whose payments and payouts all go to localstripe, whose webhooks come back.
async fn open(database: &Database, stripe: &LocalStripe, environment: &[(&str, &str)]) -> Shop {
    let arguments = [
        &format!("--other-provider=card=stripe:5000:{}", stripe.wire.url),
        "--provider-rule=card=*",
        &format!("--provider-key=card={KEY}"),
        &format!("--webhook-secret=card=stripe:{SECRET}"),
    ];
    let florin = Florin::start_with_environment(database, &arguments, environment);
    let client = florin.client();
    let shop = Shop { florin, client };
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0,
                       "dispute_fee": 300});
    let agreed = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201);
    let url = format!("{}{PATH}", shop.florin.api());
    let target = json!({"url": url, "secret": SECRET});
    let path = "/_config/webhooks/florin";
    let pointed = stripe.client.post(path, None, &target).await;
    assert_eq!(pointed.status, 200);
    shop
}

/// The PaymentIntent of a payment. There is exactly one.
async fn intent(stripe: &LocalStripe, payment: &str) -> Value {
    let all = stripe.all("payment_intents").await.into_iter();
    let mut own = all.filter(|intent| intent["metadata"]["florin_reference"] == payment);
    let intent = own.next().expect("it is there");
    assert_eq!(own.next(), None, "a second one for {payment}");
    intent
}

/// The money that localstripe has moved, in cents.
async fn moved(stripe: &LocalStripe) -> i64 {
    let moves = stripe.all("balance_transactions").await;
    moves.iter().map(|row| number(row, "/amount")).sum()
}

/// Pays [`PRICE`] by a method. Returns the payment.
async fn paid(shop: &Shop, key: &str) -> String {
    let reply = shop.pay(key, GOOD).await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (201, &json!("succeeded"))
    );
    text(&reply.json(), "/id")
}

fn applied(database: &Database, kind: &str) -> i64 {
    let query = format!("SELECT count(*) FROM inbox WHERE status = 'applied' AND kind = '{kind}'");
    database.number(&query)
}

on_both_databases!(payments_live_their_lives_at_stripe);
async fn payments_live_their_lives_at_stripe(database: Database) {
    let Some(stripe) = LocalStripe::start(&database).await else {
        return;
    };
    let shop = open(&database, &stripe, &[]).await;

    // A charge, and two refunds of parts of it.
    let charged = paid(&shop, "k-1").await;
    assert_eq!(intent(&stripe, &charged).await["status"], "succeeded");
    for (key, amount) in [("r-1", 300), ("r-2", 99)] {
        let reply = shop
            .ask(&charged, "refunds", key, &json!({"amount": amount}))
            .await;
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (201, &json!("succeeded"))
        );
    }
    let refunds = stripe.all("refunds").await;
    let amounts = refunds.iter().map(|refund| number(refund, "/amount"));
    assert_eq!(amounts.sum::<i64>(), 399);
    assert_eq!(moved(&stripe).await, PRICE - 399);

    // Authorizations: captured as a whole, captured in part, voided.
    let whole = text(&shop.authorize("a-1", GOOD).await, "/id");
    let part = text(&shop.authorize("a-2", GOOD).await, "/id");
    let void = text(&shop.authorize("a-3", GOOD).await, "/id");
    assert_eq!(intent(&stripe, &void).await["status"], "requires_capture");
    for (id, to, body, captured) in [
        (&whole, "capture", json!({}), PRICE),
        (&part, "capture", json!({"amount": 700}), 700),
        (&void, "cancel", json!({}), 0),
    ] {
        let reply = shop.ask(id, to, &format!("{to}-{id}"), &body).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        assert_eq!(number(&reply.json(), "/amount_captured"), captured);
        assert_eq!(number(&reply.json(), "/amount_capturable"), 0);
    }
    assert_eq!(intent(&stripe, &whole).await["status"], "succeeded");
    assert_eq!(intent(&stripe, &part).await["status"], "succeeded");
    assert_eq!(intent(&stripe, &void).await["status"], "canceled");

    // A declined card.
    let reply = shop.pay("k-2", DECLINED).await;
    assert_eq!(reply.status, 402, "{}", reply.json());
    assert_eq!(reply.json()["decline_code"], "card_declined");
    // A method that Stripe does not have.
    let reply = shop.pay("k-3", "pm_unheard_of").await;
    assert_eq!(reply.status, 402, "{}", reply.json());

    // An amount that Stripe cannot take is never sent.
    let before = stripe.wire.heads().len();
    let ariary = json!({"amount": 501, "currency": "MGA", "payment_method": GOOD});
    let reply = shop.client.post("/v1/payments", "k-4", &ariary).await;
    assert_eq!(reply.status, 402, "{}", reply.json());
    assert_eq!(reply.json()["decline_code"], "amount_not_expressible");
    assert_eq!(stripe.wire.heads().len(), before);

    // Every event is accepted: of the charge and the declined card. Those of captures say nothing new.
    eventually("the webhooks of localstripe", async || {
        let stored = "SELECT count(*) FROM inbox WHERE status = 'stored'";
        let told = (
            applied(&database, "payment_intent.succeeded"),
            applied(&database, "payment_intent.payment_failed"),
            database.number(stored),
        );
        (told == (1, 1, 2)).then_some(())
    })
    .await;
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 0);
    assert_eq!(shop.posted(CLEARING).await, moved(&stripe).await);
    books_hold(&database);
}

on_both_databases!(what_is_lost_on_the_way_to_stripe_is_found_and_done_once);
async fn what_is_lost_on_the_way_to_stripe_is_found_and_done_once(database: Database) {
    let Some(stripe) = LocalStripe::start(&database).await else {
        return;
    };
    let shop = open(&database, &stripe, &[]).await;
    let mut refunds = 0;
    for (number, fault) in [Fault::AnswerLost, Fault::RequestLost]
        .into_iter()
        .enumerate()
    {
        // The outcome is unknown at first, and an inquiry finds it.
        let lose = async |path: &str| {
            stripe.wire.lose(path, fault);
            eventually("it is lost", async || stripe.wire.has_lost().then_some(())).await;
        };
        let becomes = async |id: &str, status: &str| {
            eventually("the outcome is found", async || {
                (shop.payment(id).await["status"] == status).then_some(())
            })
            .await;
        };
        // The charge.
        let key = format!("k-{number}");
        let (reply, ()) = tokio::join!(shop.pay(&key, GOOD), lose("/payment_intents"));
        assert_eq!(reply.status, 202, "{}", reply.json());
        let charged = text(&reply.json(), "/id");
        becomes(&charged, "succeeded").await;
        assert_eq!(intent(&stripe, &charged).await["status"], "succeeded");
        // Its refund.
        let (key, body) = (format!("r-{number}"), json!({"amount": 100}));
        let refund = shop.ask(&charged, "refunds", &key, &body);
        let (reply, ()) = tokio::join!(refund, lose("/refunds"));
        assert_eq!(reply.status, 202, "{}", reply.json());
        let path = format!("/v1/refunds/{}", text(&reply.json(), "/id"));
        eventually("the refund is found", async || {
            let refund = shop.client.get(&path).await.json();
            (refund["status"] == "succeeded").then_some(())
        })
        .await;
        refunds += 1;
        assert_eq!(stripe.all("refunds").await.len(), refunds);
        // An authorization, with its capture or its void.
        for (to, ends) in [("capture", "succeeded"), ("cancel", "canceled")] {
            let key = format!("{to}-{number}");
            let mut body = order(GOOD);
            body["capture_method"] = json!("manual");
            let asked = shop.client.post("/v1/payments", &*key, &body);
            let (reply, ()) = tokio::join!(asked, lose("/payment_intents"));
            assert_eq!(reply.status, 202, "{}", reply.json());
            let id = text(&reply.json(), "/id");
            becomes(&id, "requires_capture").await;
            let (key, body) = (format!("{key}-now"), json!({}));
            let step = shop.ask(&id, to, &key, &body);
            let path = format!("/{to}");
            let (reply, ()) = tokio::join!(step, lose(&path));
            assert_eq!(reply.status, 202, "{}", reply.json());
            becomes(&id, ends).await;
            assert_eq!(intent(&stripe, &id).await["status"], ends);
        }
    }
    assert_eq!(stripe.all("payment_intents").await.len(), 6);
    assert_eq!(shop.posted(CLEARING).await, moved(&stripe).await);
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 0);
    books_hold(&database);
}

on_both_databases!(a_payer_who_acts_at_stripe_is_reported_and_the_key_is_told_to_nobody);
async fn a_payer_who_acts_at_stripe_is_reported_and_the_key_is_told_to_nobody(database: Database) {
    let Some(stripe) = LocalStripe::start(&database).await else {
        return;
    };
    let shop = open(&database, &stripe, &[("FLORIN_LOG", "trace")]).await;
    let card =
        json!({"number": "4000002500003155", "exp_month": 12, "exp_year": 2030, "cvc": "123"});
    let card = json!({"type": "card", "card": card});
    let method = stripe.client.post("/v1/payment_methods", None, &card).await;
    let method = text(&method.json(), "/id");

    let reply = shop.pay_waiting("k-1", &method, 0).await;
    assert_eq!(reply.status, 202, "{}", reply.json());
    let id = text(&reply.json(), "/id");
    let waiting = eventually("localstripe has it", async || {
        let all = stripe.all("payment_intents").await.into_iter();
        let mut own = all.filter(|intent| intent["metadata"]["florin_reference"] == *id);
        own.next()
    })
    .await;
    assert_eq!(waiting["status"], "requires_action");
    assert_eq!(shop.payment(&id).await["status"], "processing");

    let path = format!(
        "/v1/payment_intents/{}/_authenticate",
        text(&waiting, "/id")
    );
    let acts = json!({"client_secret": waiting["client_secret"], "success": true});
    let acted = stripe.client.post(&path, None, &acts).await;
    assert_eq!(acted.status, 200, "{}", acted.json());

    assert_eq!(shop.finished(&id).await["status"], "succeeded");
    eventually("the webhook", async || {
        (applied(&database, "payment_intent.succeeded") == 1).then_some(())
    })
    .await;
    assert_eq!(shop.posted(CLEARING).await, moved(&stripe).await);
    let head = stripe
        .wire
        .heads()
        .into_iter()
        .find(|head| head.starts_with("POST"));
    let head = head.expect("it was called").to_ascii_lowercase();
    for line in [
        &format!("authorization: bearer {KEY}"),
        "content-type: application/x-www-form-urlencoded",
        "stripe-version: 2025-09-30.clover",
        "idempotency-key: op_",
    ] {
        assert!(head.contains(line), "no {line} in {head}");
    }
    // The log is long, and has neither secret.
    let log = shop.florin.log();
    assert!(log.contains("TRACE"), "{}", log.len());
    assert!(!log.contains(KEY) && !log.contains(SECRET));
    books_hold(&database);
}

on_both_databases!(an_encrypted_address_is_trusted_by_the_roots_of_the_system);
async fn an_encrypted_address_is_trusted_by_the_roots_of_the_system(database: Database) {
    let Some(stripe) = Encrypted::start(&database).await else {
        return;
    };
    let arguments = [
        &*format!("--other-provider=card=stripe:5000:{}", stripe.url),
        "--provider-rule=card=*",
        &format!("--provider-key=card={KEY}"),
    ];
    let certificate = stripe.certificate.to_str().expect("a plain path");
    let trusting = [("SSL_CERT_FILE", certificate)];
    // A certificate that the system does not know is not trusted, and nothing is sent.
    for (environment, status) in [(&[][..], 202), (&trusting[..], 201)] {
        let florin = Florin::start_with_environment(&database, &arguments, environment);
        let client = florin.client();
        let shop = Shop { florin, client };
        let reply = shop.pay(&format!("k-{status}"), GOOD).await;
        assert_eq!(reply.status, status, "{}", reply.json());
        if status == 201 {
            // The first payment was not sent, so it is sent now.
            eventually("both are paid", async || {
                (shop.posted(CLEARING).await == 2 * PRICE).then_some(())
            })
            .await;
        }
        assert!(shop.florin.terminate().success());
    }
    books_hold(&database);
}

/// An event as Stripe sends it.
async fn tell(sender: &Sender, id: &str, kind: &str, object: &Value) -> (u16, String) {
    said(&sender.deliver(&event(id, kind, object)).await)
}

on_both_databases!(stripe_reports_disputes_and_what_comes_back);
async fn stripe_reports_disputes_and_what_comes_back(database: Database) {
    let Some(stripe) = LocalStripe::start(&database).await else {
        return;
    };
    let shop = open(&database, &stripe, &[]).await;
    let sender = Sender::signing(&shop, PATH, Scheme::Stripe, SECRET);
    let one = paid(&shop, "k-1").await;
    let id = text(&intent(&stripe, &one).await, "/id");

    // A dispute names the PaymentIntent, which is the record of the charge.
    let dispute = |status: &str, intent: &str| {
        json!({"id": "du_1", "object": "dispute", "amount": 500, "charge": "ch_1", "currency": "eur",
               "payment_intent": intent, "reason": "fraudulent", "status": status})
    };
    let known = (200, "applied".to_owned());
    for (number, (word, status)) in [
        ("created", "needs_response"),
        ("funds_withdrawn", "needs_response"),
        ("updated", "under_review"),
        ("closed", "lost"),
    ]
    .into_iter()
    .enumerate()
    {
        let kind = format!("charge.dispute.{word}");
        let answer = tell(
            &sender,
            &format!("evt_{number}"),
            &kind,
            &dispute(status, &id),
        )
        .await;
        assert_eq!(answer, known, "{kind}");
    }
    let disputes = list(&shop.client.get("/v1/disputes").await.json());
    assert_eq!(disputes.len(), 1);
    assert_eq!(
        (&disputes[0]["status"], &disputes[0]["payment"]),
        (&json!("lost"), &json!(one))
    );
    assert_eq!(shop.posted(CLEARING).await, PRICE - 500);
    // Another program uses the same account of Stripe.
    let foreign = dispute("needs_response", "pi_of_somebody_else");
    let answer = tell(&sender, "evt_foreign", "charge.dispute.created", &foreign).await;
    assert_eq!(answer, (200, "stored".to_owned()));

    // A refund fails after it succeeded: the money is the merchant's again.
    let two = paid(&shop, "k-2").await;
    let refunded = shop
        .ask(&two, "refunds", "r-1", &json!({"amount": 300}))
        .await;
    assert_eq!(refunded.json()["status"], "succeeded");
    let mut refund = stripe.all("refunds").await.remove(0);
    refund["status"] = json!("failed");
    refund["failure_reason"] = json!("expired_or_canceled_card");
    for event in ["evt_back", "evt_again"] {
        assert_eq!(tell(&sender, event, "refund.failed", &refund).await, known);
    }
    assert_eq!(number(&shop.payment(&two).await, "/amount_refunded"), 0);
    // What contradicts the operation is put aside.
    refund["amount"] = json!(301);
    let answer = tell(&sender, "evt_wrong", "refund.failed", &refund).await;
    assert_eq!(answer, (200, "quarantined".to_owned()));
    assert_eq!(kept(&database).1, 1);
    books_hold(&database);
}

on_both_databases!(a_payout_to_another_account_than_was_asked_for_is_put_aside);
async fn a_payout_to_another_account_than_was_asked_for_is_put_aside(database: Database) {
    let Some(stripe) = LocalStripe::start(&database).await else {
        return;
    };
    let shop = open(&database, &stripe, &[]).await;
    let sender = Sender::signing(&shop, PATH, Scheme::Stripe, SECRET);
    paid(&shop, "k-1").await;
    eventually("the money is available", async || {
        (shop.posted("liabilities:merchant_available:EUR").await == PRICE).then_some(())
    })
    .await;
    let body = json!({"amount": 400, "currency": "EUR", "destination": "ba_of_the_merchant"});
    let reply = shop.post_waiting("/v1/payouts", "p-1", &body, 0).await;
    assert_eq!(reply.status, 202, "{}", reply.json());
    let payout = text(&reply.json(), "/id");
    let mut there = eventually("localstripe has it", async || {
        let all = stripe.all("payouts").await.into_iter();
        let mut own = all.filter(|row| row["metadata"]["florin_reference"] == *payout);
        own.next()
    })
    .await;

    // localstripe pays to an account of its own choice. Once it is paid, an inquiry sees that.
    assert_ne!(there["destination"], "ba_of_the_merchant");
    let path = format!("/v1/payouts/{}", text(&there, "/id"));
    let made = stripe
        .client
        .post(&path, None, &json!({"status": "paid"}))
        .await;
    assert_eq!(made.status, 200, "{}", made.json());
    eventually("the answer is put aside", async || {
        (database.number("SELECT count(*) FROM quarantine") == 1).then_some(())
    })
    .await;
    let status = async || {
        let reply = shop.client.get(&format!("/v1/payouts/{payout}")).await;
        text(&reply.json(), "/status")
    };
    assert_eq!(status().await, "processing");

    // Stripe itself reports the account that was asked for, and later that the bank sent the money back.
    there["destination"] = json!("ba_of_the_merchant");
    for (kind, state, amount) in [
        ("payout.paid", "paid", -400),
        ("payout.failed", "failed", 0),
    ] {
        there["status"] = json!(state);
        let answer = tell(&sender, &format!("evt_{kind}"), kind, &there).await;
        assert_eq!(answer, (200, "applied".to_owned()), "{kind}");
        assert_eq!(shop.posted("assets:bank:EUR").await, amount, "{kind}");
    }
    books_hold(&database);
}
