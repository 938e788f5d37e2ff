//! Scripted faults of the sandbox provider: whatever goes wrong by them, the books and the provider agree in the end.

use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};

use crate::books_hold;
use crate::disputes::{Bank, dispute, paid};
use crate::given::{eventually, is_problem, number, text};
use crate::moves_of_chance::is_at_rest;
use crate::shop::{Shop, list, pointers, second_tenant};

const FAULTS: &str = "/sandbox/faults";
/// A silent provider is given up soon.
const IMPATIENT: [&str; 2] = ["--provider-timeout-ms", "1000"];

impl Shop {
    /// Scripts a fault.
    pub(crate) async fn fault(&self, fault: &Value) -> Value {
        let reply = self.client.post(FAULTS, None, fault).await;
        assert_eq!(reply.status, 201, "{fault}: {}", reply.json());
        reply.json()
    }

    async fn faults(&self) -> Vec<Value> {
        list(&self.client.get(FAULTS).await.json())
    }

    async fn clear_faults(&self) -> i64 {
        let path = "/sandbox/faults/clear";
        let reply = self.client.post(path, None, &json!({})).await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        number(&reply.json(), "/cleared")
    }
}

on_both_databases!(each_operation_that_fails_as_scripted_has_its_one_effect);
async fn each_operation_that_fails_as_scripted_has_its_one_effect(database: Database) {
    let shop = Shop::open_with(&database, &IMPATIENT);
    let mut payments = Vec::new();
    let faults = [
        json!({"fault": "status", "status": 503, "retry_after_seconds": 1}),
        json!({"fault": "status", "status": 500, "when": "after"}),
        json!({"fault": "status", "status": 429}),
        json!({"fault": "drop"}),
        json!({"fault": "drop", "when": "before"}),
        json!({"fault": "latency", "latency_ms": 1500}),
        json!({"fault": "latency", "latency_ms": 1500, "when": "before"}),
    ];
    for (number, fault) in faults.iter().enumerate() {
        for operation in ["charge", "capture", "refund"] {
            let mut fault = fault.clone();
            fault["operation"] = json!(operation);
            fault["next"] = json!(1);
            let set = shop.fault(&fault).await;
            assert_eq!(
                (&set["hits"], &set["operation"]),
                (&json!(0), &json!(operation))
            );
        }
        let mut held = crate::shop::order("pm_succeeds");
        held["capture_method"] = json!("manual");
        let asked = shop
            .post_waiting("/v1/payments", &format!("p-{number}"), &held, 0)
            .await;
        // The webhook may be faster than the answer.
        let is_begun = |status: u16| matches!(status, 200..=202);
        assert!(is_begun(asked.status), "{}", asked.json());
        let payment = text(&asked.json(), "/id");
        assert_eq!(shop.finished(&payment).await["status"], "requires_capture");
        for (to, field) in [
            ("capture", "amount_captured"),
            ("refunds", "amount_refunded"),
        ] {
            let path = format!("/v1/payments/{payment}/{to}");
            let body = json!({"amount": 500});
            let asked = shop
                .post_waiting(&path, &format!("{to}-{number}"), &body, 0)
                .await;
            assert!(is_begun(asked.status), "{to}: {}", asked.json());
            eventually("the step is done", async || {
                (shop.payment(&payment).await[field] == 500).then_some(())
            })
            .await;
        }
        payments.push(payment);
    }
    is_at_rest(&shop.client, &payments).await;
    for fault in shop.faults().await {
        assert_eq!(fault["hits"], 1, "{fault}");
    }
    for row in shop.journal().await {
        assert_eq!(row["effects"], 1, "{row}");
    }
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(a_refusal_is_final_and_an_inquiry_that_fails_is_made_again);
async fn a_refusal_is_final_and_an_inquiry_that_fails_is_made_again(database: Database) {
    let shop = Shop::open(&database);
    shop.fault(&json!({"operation": "charge", "fault": "status", "status": 400, "next": 1}))
        .await;
    let refused = shop.pay("k-1", "pm_succeeds").await;
    assert_eq!(refused.status, 402, "{}", refused.json());
    assert_eq!(shop.journal().await.len(), 0);

    shop.fault(&json!({"operation": "inquiry", "fault": "status", "status": 502, "nth": 1}))
        .await;
    let asked = shop.pay_waiting("k-2", "pm_server_error", 0).await;
    let payment = text(&asked.json(), "/id");
    assert_eq!(shop.finished(&payment).await["status"], "succeeded");
    let seen = shop
        .faults()
        .await
        .iter()
        .map(|fault| number(fault, "/seen"))
        .max();
    assert!(
        seen >= Some(2),
        "the inquiry that failed was made again: {seen:?}"
    );
    shop.assert_captured(1).await;
    books_hold(&database);
}

on_both_databases!(webhooks_that_go_wrong_as_scripted_are_applied_once);
async fn webhooks_that_go_wrong_as_scripted_are_applied_once(database: Database) {
    let shop = Shop::open(&database);
    for fault in [
        json!({"fault": "duplicate", "copies": 3, "per_mille": 1000}),
        json!({"fault": "reorder", "hold": 3, "next": 3}),
        json!({"fault": "corrupt", "next": 2}),
        json!({"fault": "corrupt", "part": "signature", "nth": 3}),
        json!({"fault": "latency", "latency_ms": 5, "per_mille": 500, "seed": 7}),
    ] {
        let mut fault = fault.clone();
        fault["operation"] = json!("webhook");
        shop.fault(&fault).await;
    }
    // The provider tells of a charge and of a dispute by webhooks, which come in the opposite order.
    let payment = paid(&shop, "k-1").await;
    let bank = Bank::disputes(&shop, &payment, 400).await;
    bank.does("withdraw").await;
    let done = shop.drain().await;
    assert_eq!(done["finished"], true, "{done}");
    let withdrawn = dispute(&shop, "the money is withdrawn", |one| {
        one["withdrawn"] == true
    })
    .await;
    assert_eq!(withdrawn["amount"], 400, "{withdrawn}");
    assert_eq!(shop.counter("florin_webhooks_refused_total").await, 3);
    let received = |status: &str| {
        let name = format!("florin_webhooks_total{{status=\"{status}\"}}");
        let shop = &shop;
        async move { shop.counter(&name).await }
    };
    assert_eq!(received("duplicate").await, 3 * 2);
    assert_eq!(crate::webhooks::kept(&database), (3, 0));

    // A webhook that is lost does not matter if an inquiry tells the same, and is sent again on demand.
    assert_eq!(shop.clear_faults().await, 5);
    shop.fault(&json!({"operation": "webhook", "fault": "drop", "next": 1}))
        .await;
    bank.does("win").await;
    shop.drain().await;
    assert_eq!(crate::webhooks::kept(&database), (3, 0));
    let again = format!("/v1/webhooks/{}/redeliver", bank.dispute);
    let again = bank.provider.post(&again, None, &json!({})).await;
    assert_eq!(again.json()["delivered"], true);
    dispute(&shop, "it is won", |one| one["status"] == "won").await;
    shop.assert_as_the_provider_says().await;
    books_hold(&database);
}

on_both_databases!(faults_belong_to_the_tenant_that_set_them_and_end_with_the_server);
async fn faults_belong_to_the_tenant_that_set_them_and_end_with_the_server(database: Database) {
    let shop = Shop::open(&database);
    let other = Client::new(shop.florin.api(), second_tenant(&database).await);
    // The provider of both processes is that of the first, so the second one plays none, and its calls are hit.
    let beside = shop.beside(&database);
    let fault = json!({"operation": "charge", "fault": "status", "status": 400, "per_mille": 1000});
    let set = shop.fault(&fault).await;
    assert_eq!(
        (&set["provider"], &set["number"], &set["when"], &set["seed"]),
        (&json!("sandbox"), &json!(1), &json!("before"), &json!(0))
    );
    is_problem(
        "beside",
        &beside.client.post(FAULTS, None, &fault).await,
        409,
        "no_sandbox_provider",
    );
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 402);
    assert_eq!(beside.pay("k-2", "pm_succeeds").await.status, 402);
    let body = crate::shop::order("pm_succeeds");
    assert_eq!(other.post("/v1/payments", "k-1", &body).await.status, 201);
    assert!(list(&other.get(FAULTS).await.json()).is_empty());
    let seen = shop.faults().await;
    assert_eq!(seen.len(), 1);
    assert_eq!((&seen[0]["seen"], &seen[0]["hits"]), (&json!(2), &json!(2)));
    let cleared = other.post("/sandbox/faults/clear", None, &json!({})).await;
    assert_eq!(cleared.json()["cleared"], 0);
    assert_eq!(shop.faults().await.len(), 1);

    drop(beside);
    shop.florin.kill9();
    let shop = Shop::open(&database);
    assert!(shop.faults().await.is_empty());
    assert_eq!(shop.pay("k-3", "pm_succeeds").await.status, 201);
    books_hold(&database);
}

on_both_databases!(a_fault_that_cannot_be_is_refused_by_its_field);
async fn a_fault_that_cannot_be_is_refused_by_its_field(database: Database) {
    let north = ["--other-provider", "north=sandbox"];
    let shop = Shop::open_with(&database, &north);
    let with = |more: Value| {
        let mut body = json!({"operation": "charge", "fault": "drop", "next": 1});
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        body
    };
    for (more, pointer) in [
        (json!({"operation": "charges"}), "/operation"),
        (json!({"fault": "explode"}), "/fault"),
        (json!({"fault": "duplicate"}), "/fault"),
        (
            json!({"operation": "webhook", "fault": "status", "status": 500}),
            "/fault",
        ),
        (json!({"operation": "webhook", "when": "after"}), "/when"),
        (json!({"fault": "status"}), "/status"),
        (json!({"fault": "status", "status": 200}), "/status"),
        (json!({"fault": "status", "status": 600}), "/status"),
        (json!({"fault": "status", "status": 500.5}), "/status"),
        (
            json!({"fault": "status", "status": 500, "retry_after_seconds": 3601}),
            "/retry_after_seconds",
        ),
        (json!({"fault": "latency"}), "/latency_ms"),
        (
            json!({"fault": "latency", "latency_ms": 60_001}),
            "/latency_ms",
        ),
        (json!({"fault": "latency", "latency_ms": 0}), "/latency_ms"),
        (json!({"latency_ms": 5}), "/latency_ms"),
        (json!({"copies": 2}), "/copies"),
        (
            json!({"operation": "webhook", "fault": "duplicate", "copies": 21}),
            "/copies",
        ),
        (
            json!({"operation": "webhook", "fault": "reorder", "hold": 1}),
            "/hold",
        ),
        (
            json!({"operation": "webhook", "fault": "corrupt", "part": "header"}),
            "/part",
        ),
        (json!({"when": "during"}), "/when"),
        (json!({"nth": 1}), ""),
        (json!({"next": 0}), "/next"),
        (json!({"next": 1_000_001}), "/next"),
        (json!({"next": null}), "/next"),
        (json!({"seed": 1}), "/seed"),
        (json!({"provider": "south"}), "/provider"),
        (json!({"provider": ""}), "/provider"),
        (json!({"tenant": "1"}), "/tenant"),
    ] {
        let reply = shop.client.post(FAULTS, None, &with(more.clone())).await;
        assert_eq!(reply.status, 422, "{more}: {}", reply.json());
        assert_eq!(pointers(&reply), [pointer], "{more}: {}", reply.json());
    }
    let none = json!({"operation": "charge", "fault": "drop"});
    let reply = shop.client.post(FAULTS, None, &none).await;
    is_problem("no calls", &reply, 422, "invalid_field");
    let share = with(json!({"per_mille": 1001}));
    is_problem(
        "1001",
        &shop.client.post(FAULTS, None, &share).await,
        422,
        "invalid_field",
    );
    let body = json!({"all": true});
    let reply = shop.client.post("/sandbox/faults/clear", None, &body).await;
    is_problem("clear", &reply, 422, "unknown_field");
    assert!(shop.faults().await.is_empty());

    // A fault is of one provider, and a tenant has at most a hundred at each.
    let of_north = shop.fault(&with(json!({"provider": "north"}))).await;
    assert_eq!(of_north["provider"], "north");
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    for _ in 0..100 {
        shop.fault(&with(json!({}))).await;
    }
    let reply: Reply = shop.client.post(FAULTS, None, &with(json!({}))).await;
    is_problem("the hundred and first", &reply, 409, "too_many_faults");
    assert_eq!(shop.clear_faults().await, 101);
    shop.assert_captured(1).await;
    books_hold(&database);
}
