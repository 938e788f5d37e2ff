//! Customers and their payment methods: made, changed, used for payments, detached, and kept from other tenants.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Reply, on_both_databases};

use crate::books_hold;
use crate::given::{is_problem, rows, text};
use crate::shop::{Shop, list, pointers};
use crate::tenants::verb;

/// Sends a PATCH without a key.
pub(crate) async fn patch(client: &Client, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    let body = body.to_string();
    client.send(Method::PATCH, path, &headers, body).await
}

/// Makes a customer, and returns it.
pub(crate) async fn customer(client: &Client, body: &Value) -> Value {
    let made = client.post("/v1/customers", None, body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    made.json()
}

/// Attaches a token to a customer, and returns the payment method.
pub(crate) async fn attached(client: &Client, customer: &Value, body: &Value) -> Value {
    let id = text(customer, "/id");
    let path = format!("/v1/customers/{id}/payment_methods");
    let made = client.post(&path, None, body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    made.json()
}

async fn read(client: &Client, path: &str) -> Value {
    let found = client.get(path).await;
    assert_eq!(found.status, 200, "{path}: {}", found.json());
    found.json()
}

on_both_databases!(a_customer_is_made_once_changed_and_found);
async fn a_customer_is_made_once_changed_and_found(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let wanted = json!({
        "external_id": "c-42", "description": "the one with the dog", "metadata": {"tier": "gold"},
    });

    let first = client.post("/v1/customers", Some("k-1"), &wanted).await;

    assert_eq!(first.status, 201, "{}", first.json());
    let made = first.json();
    assert_eq!(made["external_id"], "c-42");
    assert_eq!(made["metadata"], json!({"tier": "gold"}));
    assert_eq!(made["version"], 1);
    let path = format!("/v1/customers/{}", text(&made, "/id"));
    assert_eq!(read(client, &path).await, made);
    // The same request again, another request under its key, and another key with its external id.
    let again = client.post("/v1/customers", Some("k-1"), &wanted).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = json!({"external_id": "c-42", "metadata": {"tier": "lead"}});
    let reused = client.post("/v1/customers", Some("k-1"), &other).await;
    is_problem("other metadata", &reused, 422, "idempotency_key_reused");
    let taken = client.post("/v1/customers", Some("k-2"), &wanted).await;
    is_problem("the same external id", &taken, 409, "external_id_taken");
    assert_eq!(taken.json()["resource"], made["id"]);
    assert_eq!(pointers(&taken), ["/external_id"]);

    let plain = customer(client, &json!({})).await;
    assert_eq!(
        (&plain["external_id"], &plain["metadata"]),
        (&Value::Null, &Value::Null)
    );
    // What a change does not name stays as it is.
    let lead = json!({"metadata": {"tier": "lead", "since": "2026"}});
    let changed = patch(client, &path, &lead).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    assert_eq!(changed.json()["description"], "the one with the dog");
    assert_eq!(changed.json()["version"], 2);
    let changed = patch(client, &path, &json!({"description": null})).await;
    assert_eq!(changed.json()["description"], Value::Null);
    assert_eq!(changed.json()["metadata"], lead["metadata"]);
    let changed = changed.json();
    for (query, expected) in [
        ("", vec![plain.clone(), changed.clone()]),
        ("?limit=1", vec![plain]),
        ("?external_id=c-42", vec![changed.clone()]),
        ("?external_id=c-43", vec![]),
        ("?metadata.tier=lead", vec![changed.clone()]),
        (
            "?metadata.tier=lead&metadata.since=2026",
            vec![changed.clone()],
        ),
        ("?metadata.tier=lead&metadata.since=2025", vec![]),
        ("?external_id=c-42&metadata.tier=gold", vec![]),
        ("?metadata.tier=gold", vec![]),
    ] {
        let page = read(client, &format!("/v1/customers{query}")).await;
        assert_eq!(list(&page), expected, "{query}");
    }
    books_hold(&database);
}

on_both_databases!(a_customer_has_no_personal_data_and_no_card_number);
async fn a_customer_has_no_personal_data_and_no_card_number(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let known = customer(client, &json!({})).await;
    let methods = format!("/v1/customers/{}/payment_methods", text(&known, "/id"));
    let before = rows(&database);
    let card = "4242 4242 4242 4242";
    for (path, body, code, pointer) in [
        (
            "/v1/customers",
            json!({"name": "Ann"}),
            "unknown_field",
            "/name",
        ),
        (
            "/v1/customers",
            json!({"email": "ann@example.com"}),
            "unknown_field",
            "/email",
        ),
        (
            "/v1/customers",
            json!({"external_id": card.replace(' ', "")}),
            "card_number_refused",
            "/external_id",
        ),
        (
            "/v1/customers",
            json!({"description": card}),
            "card_number_refused",
            "/description",
        ),
        (
            "/v1/customers",
            json!({"metadata": {"note": card}}),
            "card_number_refused",
            "/metadata/note",
        ),
        (
            "/v1/customers",
            json!({"external_id": "x".repeat(256)}),
            "invalid_field",
            "/external_id",
        ),
        (
            methods.as_str(),
            json!({"token": card.replace(' ', "")}),
            "card_number_refused",
            "/token",
        ),
        (methods.as_str(), json!({}), "invalid_field", "/token"),
        (
            methods.as_str(),
            json!({"token": "pm_succeeds", "provider": "nobody"}),
            "no_provider",
            "/provider",
        ),
    ] {
        let reply = client.post(path, Some("k"), &body).await;
        is_problem(&body.to_string(), &reply, 422, code);
        assert_eq!(pointers(&reply), [pointer], "{body}");
    }
    assert_eq!(rows(&database), before);
    books_hold(&database);
}

/// A payment of a customer by a payment method.
fn order(customer: &Value, method: &Value) -> Value {
    json!({"amount": 1099, "currency": "EUR", "customer": customer, "payment_method": method})
}

on_both_databases!(a_customer_pays_with_a_saved_payment_method);
async fn a_customer_pays_with_a_saved_payment_method(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({"external_id": "ann"})).await;
    let bob = customer(client, &json!({"external_id": "bob"})).await;
    let saved = attached(client, &ann, &json!({"token": "pm_succeeds"})).await;
    let bad = attached(client, &ann, &json!({"token": "pm_declines"})).await;
    let others = attached(client, &bob, &json!({"token": "pm_succeeds"})).await;
    let methods = format!("/v1/customers/{}/payment_methods", text(&ann, "/id"));
    assert_eq!(
        list(&read(client, &methods).await),
        [bad.clone(), saved.clone()]
    );

    let good = order(&ann["id"], &saved["id"]);
    let paid = client.post("/v1/payments", "p-1", &good).await;

    assert_eq!(paid.status, 201, "{}", paid.json());
    let paid = paid.json();
    assert_eq!(
        (&paid["status"], &paid["customer"], &paid["payment_method"]),
        (&json!("succeeded"), &ann["id"], &saved["id"])
    );
    // The provider gets its own token.
    let id = text(&paid, "/id");
    let operations = read(client, &format!("/v1/payments/{id}/operations")).await;
    assert_eq!(operations["data"][0]["payment_method"], "pm_succeeds");
    // A declined one is replaced by another one of the same customer.
    let declined = order(&ann["id"], &bad["id"]);
    let declined = client.post("/v1/payments", "p-2", &declined).await;
    is_problem("declined", &declined, 402, "declined");
    let id = text(&declined.json(), "/resource");
    let confirm = format!("/v1/payments/{id}/confirm");
    let foreign = json!({"payment_method": others["id"]});
    let refused = client.post(&confirm, "p-2-a", &foreign).await;
    is_problem("foreign", &refused, 404, "payment_method_not_found");
    let own = json!({"payment_method": saved["id"]});
    let confirmed = client.post(&confirm, "p-2-b", &own).await;
    assert_eq!(confirmed.json()["status"], "succeeded");
    assert_eq!(confirmed.json()["payment_method"], saved["id"]);
    books_hold(&database);
}

on_both_databases!(a_payment_names_a_customer_and_a_payment_method_that_belong_together);
async fn a_payment_names_a_customer_and_a_payment_method_that_belong_together(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({})).await;
    let bob = customer(client, &json!({})).await;
    let token = json!({"token": "pm_succeeds"});
    let saved = attached(client, &ann, &token).await["id"].clone();
    let others = attached(client, &bob, &token).await["id"].clone();
    let acme = acme(&shop, &database);
    let abroad = customer(&acme, &json!({})).await;
    let foreign = attached(&acme, &abroad, &token).await["id"].clone();
    let unknown = |prefix: &str| json!(format!("{prefix}_{}", "0".repeat(32)));
    let own = ann["id"].clone();

    for (customer, method, code, pointer) in [
        (unknown("cus"), &saved, "customer_not_found", "/customer"),
        (
            abroad["id"].clone(),
            &saved,
            "customer_not_found",
            "/customer",
        ),
        (
            own.clone(),
            &others,
            "payment_method_not_found",
            "/payment_method",
        ),
        (
            own.clone(),
            &foreign,
            "payment_method_not_found",
            "/payment_method",
        ),
        (
            own,
            &unknown("pmt"),
            "payment_method_not_found",
            "/payment_method",
        ),
        (
            Value::Null,
            &saved,
            "payment_method_not_found",
            "/payment_method",
        ),
    ] {
        let body = order(&customer, method);
        let reply = client.post("/v1/payments", "p", &body).await;
        is_problem(&body.to_string(), &reply, 404, code);
        assert_eq!(pointers(&reply), [pointer], "{body}");
    }
    let malformed = order(&json!("ann"), &saved);
    let reply = client.post("/v1/payments", "p", &malformed).await;
    is_problem("malformed", &reply, 422, "invalid_field");
    assert_eq!(pointers(&reply), ["/customer"]);
    // Nothing was made, and the key is still free.
    for table in ["payment", "operation", "metadata_text"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(database.number(&count), 0, "{table}");
    }
    let good = order(&ann["id"], &saved);
    let paid = client.post("/v1/payments", "p", &good).await;
    assert_eq!(paid.status, 201);
    books_hold(&database);
}

on_both_databases!(a_detached_payment_method_takes_no_further_payment);
async fn a_detached_payment_method_takes_no_further_payment(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({})).await;
    let saved = attached(client, &ann, &json!({"token": "pm_succeeds"})).await;
    let kept = attached(client, &ann, &json!({"token": "pm_declines"})).await;
    let good = order(&ann["id"], &saved["id"]);
    let paid = client.post("/v1/payments", "p-1", &good).await.json();
    let mut later = good.clone();
    later["confirm"] = json!(false);
    let waiting = client.post("/v1/payments", "p-2", &later).await.json();

    let method = format!("/v1/payment_methods/{}", text(&saved, "/id"));
    let detach = format!("{method}/detach");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let detached = client.post(&detach, None, &json!({})).await;
        assert_eq!(detached.status, 200, "{}", detached.json());
        assert_ne!(detached.json()["detached_at"], Value::Null);
        answers.push(detached.json());
    }

    assert_eq!(answers[0], answers[1]);
    assert_eq!(read(client, &method).await, answers[0]);
    let methods = format!("/v1/customers/{}/payment_methods", text(&ann, "/id"));
    assert_eq!(list(&read(client, &methods).await), [kept]);
    let confirm = format!("/v1/payments/{}/confirm", text(&waiting, "/id"));
    let refused = client.post(&confirm, "p-2-a", &json!({})).await;
    is_problem("detached", &refused, 404, "payment_method_not_found");
    let refused = client.post("/v1/payments", "p-3", &good).await;
    is_problem("detached", &refused, 404, "payment_method_not_found");
    let token = json!({"payment_method": "pm_succeeds"});
    let confirmed = client.post(&confirm, "p-2-b", &token).await;
    assert_eq!(confirmed.json()["status"], "succeeded");
    assert_eq!(confirmed.json()["payment_method"], "pm_succeeds");
    // Payments of before can still be refunded, and show the payment method.
    let id = text(&paid, "/id");
    let refunded = shop.ask(&id, "refunds", "r-1", &json!({})).await;
    assert_eq!(refunded.json()["status"], "succeeded");
    assert_eq!(shop.payment(&id).await["payment_method"], saved["id"]);
    books_hold(&database);
}

/// A client of another tenant.
pub(crate) fn acme(shop: &Shop, database: &Database) -> Client {
    let (code, made, said) = verb(database, &["tenant", "create", "acme", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let made: Value = serde_json::from_str(&made).expect("JSON");
    Client::new(shop.florin.api(), text(&made, "/key").as_str())
}

on_both_databases!(a_saved_payment_method_goes_to_its_own_provider);
async fn a_saved_payment_method_goes_to_its_own_provider(database: Database) {
    let settings = [
        "--other-provider=second=sandbox",
        "--provider-rule=sandbox=EUR",
        "--provider-rule=second=EUR+USD",
    ];
    let shop = Shop::open_with(&database, &settings);
    let client = &shop.client;
    let ann = customer(client, &json!({})).await;
    // Without a provider the rules choose; the provider of a payment method comes before them.
    for (number, provider, in_euros, in_dollars) in [
        (1, Value::Null, "sandbox", "second"),
        (2, json!("sandbox"), "sandbox", "sandbox"),
        (3, json!("second"), "second", "second"),
    ] {
        let body = json!({"token": "pm_succeeds", "provider": provider});
        let saved = attached(client, &ann, &body).await;
        assert_eq!(saved["provider"], provider);
        for (currency, confirm, expected) in [
            ("EUR", true, in_euros),
            ("EUR", false, in_euros),
            ("USD", true, in_dollars),
            ("USD", false, in_dollars),
        ] {
            let order = json!({
                "amount": 500, "currency": currency, "customer": ann["id"], "confirm": confirm,
                "payment_method": saved["id"],
            });
            let key = format!("{number}-{currency}-{confirm}");
            let made = client.post("/v1/payments", key.as_str(), &order).await;
            let id = text(&made.json(), "/id");
            if !confirm {
                let (again, nothing) = (format!("{key}-a"), json!({}));
                let confirmed = shop.ask(&id, "confirm", &again, &nothing).await;
                assert_eq!(confirmed.json()["status"], "succeeded");
            }
            let operations = format!("/v1/payments/{id}/operations");
            let operations = read(client, &operations).await;
            assert_eq!(operations["data"][0]["provider"], expected, "{key}");
        }
    }
    books_hold(&database);
}

on_both_databases!(customers_of_another_tenant_do_not_exist);
async fn customers_of_another_tenant_do_not_exist(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let acme = acme(&shop, &database);
    let named = json!({"external_id": "ann", "metadata": {"tier": "gold"}});
    let ann = customer(client, &named).await;
    let saved = attached(client, &ann, &json!({"token": "pm_succeeds"})).await;
    // The external id belongs to one tenant only.
    let own = customer(&acme, &named).await;

    let path = format!("/v1/customers/{}", text(&ann, "/id"));
    let method = format!("/v1/payment_methods/{}", text(&saved, "/id"));

    for path in [
        path.clone(),
        format!("{path}/payment_methods"),
        method.clone(),
    ] {
        let reply = acme.get(&path).await;
        is_problem(&path, &reply, 404, "not_found");
    }
    let token = json!({"token": "pm_succeeds"});
    let nothing = json!({});
    for (path, body) in [
        (format!("{path}/payment_methods"), &token),
        (format!("{method}/detach"), &nothing),
    ] {
        let reply = acme.post(&path, None, body).await;
        is_problem(&path, &reply, 404, "not_found");
    }
    let reply = patch(&acme, &path, &json!({"description": "mine"})).await;
    is_problem(&path, &reply, 404, "not_found");
    for query in ["", "?external_id=ann", "?metadata.tier=gold"] {
        let page = read(&acme, &format!("/v1/customers{query}")).await;
        assert_eq!(list(&page), std::slice::from_ref(&own), "{query}");
    }
    assert_eq!(read(client, &path).await, ann);
    books_hold(&database);
}
