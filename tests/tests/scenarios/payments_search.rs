//! Payments are found by what they are, and shown with what belongs to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::customers::{acme, attached, customer, patch};
use crate::given::{as_read, eventually, is_problem, rows, text};
use crate::shop::{Shop, list, pointers};

async fn read(client: &Client, path: &str) -> Value {
    let found = client.get(path).await;
    assert_eq!(found.status, 200, "{path}: {}", found.json());
    found.json()
}

/// All payments that match a query, newest first, read by pages of this length.
async fn search(client: &Client, query: &str, limit: usize) -> Vec<Value> {
    let path = format!("/v1/payments?limit={limit}{query}");
    let (mut found, mut next) = (Vec::new(), path.clone());
    loop {
        let page = read(client, &next).await;
        let data = list(&page);
        assert!(data.len() <= limit, "{next}");
        found.extend(data);
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return found,
        }
    }
}

/// The ids of payments.
fn ids(payments: &[Value]) -> Vec<String> {
    payments.iter().map(|row| text(row, "/id")).collect()
}

async fn pay(client: &Client, key: &str, body: &Value) -> Value {
    let made = client.post("/v1/payments", key, body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    as_read(made.json())
}

on_both_databases!(a_payment_keeps_what_the_merchant_says_about_it);
async fn a_payment_keeps_what_the_merchant_says_about_it(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({})).await;
    let order = json!({
        "amount": 1099, "currency": "EUR", "payment_method": "pm_succeeds", "external_id": "order-7",
        "description": "two cups", "metadata": {"channel": "web", "order": "7"}, "customer": ann["id"],
    });

    let first = client.post("/v1/payments", "k-1", &order).await;

    assert_eq!(first.status, 201, "{}", first.json());
    let made = as_read(first.json());
    for field in ["external_id", "description", "metadata", "customer"] {
        assert_eq!(made[field], order[field], "{field}");
    }
    let id = text(&made, "/id");
    assert_eq!(shop.payment(&id).await, made);
    // A retry is a replay, and other metadata are another request.
    let again = client.post("/v1/payments", "k-1", &order).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let mut other = order.clone();
    other["metadata"]["channel"] = json!("shop");
    let reused = client.post("/v1/payments", "k-1", &other).await;
    is_problem("other metadata", &reused, 422, "idempotency_key_reused");
    let before = rows(&database);
    let taken = client.post("/v1/payments", "k-2", &other).await;
    is_problem("the same external id", &taken, 409, "external_id_taken");
    assert_eq!(
        (&taken.json()["resource"], pointers(&taken)),
        (&json!(id), vec!["/external_id".to_owned()])
    );
    // A refusal by an external id is kept for its key, and leaves nothing else but its record.
    let again = client.post("/v1/payments", "k-2", &other).await;
    assert_eq!((again.status, &again.body), (409, &taken.body));
    assert!(rows(&database) <= before + 3);

    // The metadata are replaced later, also after everything else has ended.
    let path = format!("/v1/payments/{id}");
    let new = json!({"metadata": {"channel": "web", "invoice": "2026-7"}});
    let changed = patch(client, &path, &new).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    let changed = changed.json();
    assert_eq!(changed["metadata"], new["metadata"]);
    assert_eq!(
        changed["version"],
        json!(made["version"].as_i64().map(|n| n + 1))
    );
    assert_eq!(shop.payment(&id).await, changed);
    for (query, is_found) in [
        ("&metadata.order=7", false),
        ("&metadata.invoice=2026-7", true),
        ("&metadata.channel=web", true),
    ] {
        let found = search(client, query, 5).await;
        assert_eq!(!found.is_empty(), is_found, "{query}");
    }
    let replayed = client.post("/v1/payments", "k-1", &order).await;
    assert_eq!(replayed.body, first.body, "the first answer stays");
    for (body, pointer) in [
        (json!({"metadata": {"a b": "c"}}), "/metadata/a b"),
        (json!({"metadata": {"note": 7}}), "/metadata/note"),
        (json!({"description": "new"}), "/description"),
    ] {
        let refused = patch(client, &path, &body).await;
        assert_eq!(refused.status, 422, "{body}");
        assert!(pointers(&refused).contains(&pointer.to_owned()), "{body}");
    }
    let nobody = format!("/v1/payments/pay_{}", "0".repeat(32));
    let missing = patch(client, &nobody, &new).await;
    is_problem("unknown", &missing, 404, "not_found");
    let removed = patch(client, &path, &json!({"metadata": null})).await;
    assert_eq!(removed.json()["metadata"], Value::Null);
    assert_eq!(
        search(client, "&metadata.channel=web", 5).await,
        Vec::<Value>::new()
    );
    let refund = shop.ask(&id, "refunds", "r-1", &json!({})).await;
    assert_eq!(refund.json()["status"], "succeeded");
    books_hold(&database);
}

on_both_databases!(of_racing_payments_with_one_external_id_one_is_made);
async fn of_racing_payments_with_one_external_id_one_is_made(database: Database) {
    let shop = Shop::open(&database);
    let beside = shop.beside(&database);
    let mut racing = JoinSet::new();
    for number in 0..12 {
        let server = if number % 2 == 0 { &shop } else { &beside };
        let client = server.client.clone();
        racing.spawn(async move {
            let body = json!({
                "amount": 500, "currency": "EUR", "payment_method": "pm_succeeds",
                "external_id": "order-1", "metadata": {"number": number.to_string()},
            });
            let key = format!("k-{number}");
            client.post("/v1/payments", key.as_str(), &body).await
        });
    }
    let replies = racing.join_all().await;

    let made: Vec<Value> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| reply.json()["id"].clone())
        .collect();
    assert_eq!(made.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        is_problem("a later one", reply, 409, "external_id_taken");
        assert_eq!(reply.json()["resource"], made[0]);
    }
    let found = search(&shop.client, "&external_id=order-1", 5).await;
    assert_eq!(ids(&found), [made[0].as_str().expect("an id")]);
    assert_eq!(search(&shop.client, "", 100).await.len(), 1);
    let mut racing = JoinSet::new();
    for number in 0..12 {
        let server = if number % 2 == 0 { &shop } else { &beside };
        let client = server.client.clone();
        racing.spawn(async move {
            let body = json!({"external_id": "ann"});
            let key = format!("c-{number}");
            client
                .post("/v1/customers", key.as_str(), &body)
                .await
                .status
        });
    }
    let mut statuses = racing.join_all().await;
    statuses.sort_unstable();
    let mut expected = vec![201];
    expected.extend([409; 11]);
    assert_eq!(statuses, expected);
    books_hold(&database);
}

/// Payments that differ in everything by which they are found; none of them goes to the provider but a few.
async fn payments(client: &Client, customers: &[Value]) -> Vec<Value> {
    let mut made = Vec::new();
    for number in 0..40_usize {
        let mut order = json!({
            "amount": 100 + number % 7, "confirm": number % 8 == 0, "payment_method": "pm_succeeds",
            "currency": (if number % 3 == 0 { "USD" } else { "EUR" }),
        });
        if number % 2 == 0 {
            order["customer"] = customers[number % 4 / 2]["id"].clone();
        }
        if number % 5 == 0 {
            order["external_id"] = json!(format!("order-{number}"));
        }
        if number % 4 != 3 {
            let channel = if number % 4 == 0 { "web" } else { "shop" };
            order["metadata"] = json!({"channel": channel, "ten": (number / 10).to_string()});
        }
        made.push(pay(client, &format!("key-{number}"), &order).await);
    }
    // Newest first.
    made.reverse();
    made
}

/// A question, by its parameter, and what it finds.
type Filter = (String, Box<dyn Fn(&Value) -> bool>);

/// Filters, each with a look at a payment.
fn filters(all: &[Value], customer: &Value) -> Vec<Filter> {
    let amount = |row: &Value| row["amount"].as_i64().expect("an amount");
    let of = customer["id"].clone();
    let middle = text(&all[20], "/created_at");
    let today = middle[..10].to_owned();
    let (from, to) = (middle.clone(), middle.clone());
    vec![
        (
            "external_id=order-5".into(),
            Box::new(|row| row["external_id"] == "order-5"),
        ),
        (
            format!("customer={}", text(customer, "/id")),
            Box::new(move |row| row["customer"] == of),
        ),
        (
            "status=succeeded".into(),
            Box::new(|row| row["status"] == "succeeded"),
        ),
        (
            "status=canceled".into(),
            Box::new(|row| row["status"] == "canceled"),
        ),
        (
            "currency=USD".into(),
            Box::new(|row| row["currency"] == "USD"),
        ),
        (
            "metadata.channel=web".into(),
            Box::new(|row| row["metadata"]["channel"] == "web"),
        ),
        (
            "metadata.ten=1".into(),
            Box::new(|row| row["metadata"]["ten"] == "1"),
        ),
        (
            "metadata.channel=".into(),
            Box::new(|row| row["metadata"]["channel"] == ""),
        ),
        ("amount=103".into(), Box::new(move |row| amount(row) == 103)),
        (
            "amount_min=104".into(),
            Box::new(move |row| amount(row) >= 104),
        ),
        (
            "amount_max=102".into(),
            Box::new(move |row| amount(row) <= 102),
        ),
        (
            format!("from={middle}"),
            Box::new(move |row| text(row, "/created_at") >= from),
        ),
        (
            format!("to={middle}"),
            Box::new(move |row| text(row, "/created_at") < to),
        ),
        (
            format!("day={today}"),
            Box::new(move |row| text(row, "/created_at").starts_with(&today)),
        ),
        ("day=1999-12-31".into(), Box::new(|_| false)),
    ]
}

on_both_databases!(each_filter_and_any_two_of_them_find_what_a_look_at_all_payments_finds);
async fn each_filter_and_any_two_of_them_find_what_a_look_at_all_payments_finds(
    database: Database,
) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let customers = [
        customer(client, &json!({})).await,
        customer(client, &json!({})).await,
    ];
    let all = payments(client, &customers).await;
    let foreign = acme(&shop, &database);
    let theirs = json!({
        "amount": 101, "currency": "EUR", "confirm": false, "metadata": {"channel": "web"},
        "external_id": "order-5",
    });
    pay(&foreign, "key-5", &theirs).await;
    let filters = filters(&all, &customers[0]);
    let name = |filter: &str| filter.split('=').next().unwrap_or_default().to_owned();
    for (place, (one, fits)) in filters.iter().enumerate() {
        for (other, fits_too) in filters.iter().skip(place) {
            let query = if one == other {
                format!("&{one}")
            } else if name(one) == name(other) {
                continue;
            } else if [one, other] == ["amount_min=104", "amount_max=102"] {
                let path = format!("/v1/payments?{one}&{other}");
                is_problem(&path, &client.get(&path).await, 400, "invalid_query");
                continue;
            } else {
                format!("&{one}&{other}")
            };
            let expected = all.iter().filter(|row| fits(row) && fits_too(row));
            let expected: Vec<Value> = expected.cloned().collect();
            assert_eq!(
                ids(&search(client, &query, 100).await),
                ids(&expected),
                "{query}"
            );
            assert_eq!(search(client, &query, 3).await, expected, "{query}");
        }
    }
    for number in [0, 8, 39] {
        let key = format!("&idempotency_key=key-{number}");
        let found = search(client, &key, 5).await;
        assert_eq!(found, [all[39 - number].clone()], "{key}");
    }
    // The key stays on the payment if its own row is gone.
    database.execute_raw("DELETE FROM idempotency_key WHERE key = 'key-8'");
    let found = search(client, "&idempotency_key=key-8&status=succeeded", 5).await;
    assert_eq!(ids(&found), [text(&all[31], "/id")]);
    let none = search(client, "&idempotency_key=key-8&status=canceled", 5).await;
    assert_eq!(none, Vec::<Value>::new());
}

on_both_databases!(a_wrong_parameter_is_named);
async fn a_wrong_parameter_is_named(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    for (query, pointer, code) in [
        ("customer=ann", "customer", "malformed_id"),
        ("status=paid", "status", "unknown_value"),
        ("currency=eur", "currency", "unknown_currency"),
        ("amount=0", "amount", "out_of_range"),
        ("amount_min=7&amount_max=6", "amount_max", "range_reversed"),
        ("from=yesterday", "from", "malformed_time"),
        ("day=30.11.2026", "day", "malformed_day"),
        ("day=2026-02-30", "day", "malformed_day"),
        ("metadata.a%20b=c", "metadata.a b", "malformed_key"),
        ("idempotency_key=%20", "idempotency_key", "malformed_key"),
        ("expand[]=payer", "expand[]", "unknown_value"),
        (
            "expand[]=customer&expand[]=refunds&expand[]=disputes&expand[]=operations&expand[]=customer",
            "expand[]",
            "too_many",
        ),
        ("expand=customer", "expand", "unknown_parameter"),
        (
            "status=succeeded&status=canceled",
            "status",
            "duplicate_parameter",
        ),
    ] {
        let reply = client.get(&format!("/v1/payments?{query}")).await;
        is_problem(query, &reply, 400, "invalid_query");
        let error = reply.json()["errors"][0].clone();
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{query}"
        );
    }
    let reply = client.get("/v1/payments?expand[]=payer").await;
    for right in [
        "customer",
        "disputes",
        "operations",
        "payment_method",
        "refunds",
    ] {
        assert!(reply.json().to_string().contains(right), "{right}");
    }
}

on_both_databases!(a_payment_is_shown_with_what_belongs_to_it);
async fn a_payment_is_shown_with_what_belongs_to_it(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({"external_id": "ann"})).await;
    let saved = attached(client, &ann, &json!({"token": "pm_succeeds"})).await;
    let order = json!({
        "amount": 5000, "currency": "EUR", "customer": ann["id"], "payment_method": saved["id"],
    });
    let paid = pay(client, "k-1", &order).await;
    let id = text(&paid, "/id");
    let plain =
        json!({"amount": 5, "currency": "EUR", "confirm": false, "payment_method": "pm_succeeds"});
    let plain = pay(client, "k-2", &plain).await;
    // More operations than are shown.
    for number in 0..21 {
        let key = format!("r-{number}");
        let refund = shop.ask(&id, "refunds", &key, &json!({"amount": 1})).await;
        assert_eq!(refund.status, 201);
    }
    let bank = Client::new(shop.florin.sandbox(), None);
    let operations = format!("/v1/payments/{id}/operations?limit=100");
    let operations = list(&read(client, &operations).await);
    assert_eq!(operations.len(), 22);
    let charge = text(
        operations.last().expect("the charge"),
        "/provider_reference",
    );
    let opened = bank
        .post(
            &format!("/v1/charges/{charge}/disputes"),
            None,
            &json!({"amount": 9}),
        )
        .await;
    assert_eq!(opened.status, 200);
    let disputes = eventually("the dispute is known", async || {
        let disputes = list(&read(client, "/v1/disputes").await);
        (!disputes.is_empty()).then_some(disputes)
    })
    .await;
    let refunds = list(&read(client, &format!("/v1/payments/{id}/refunds?limit=20")).await);

    let all = "expand[]=customer&expand[]=payment_method&expand[]=operations&expand[]=disputes";
    let shown = read(client, &format!("/v1/payments/{id}?{all}")).await;

    assert_eq!(shown["customer"], ann);
    assert_eq!(shown["payment_method"], saved);
    assert_eq!(list_of(&shown, "operations"), operations[..20]);
    assert_eq!(list_of(&shown, "disputes"), disputes);
    assert_eq!(shown.get("refunds"), None);
    let shown = read(client, &format!("/v1/payments/{id}?expand[]=refunds")).await;
    assert_eq!(list_of(&shown, "refunds"), refunds);
    assert_eq!(shown["customer"], ann["id"]);
    assert_eq!(shown.get("operations"), None);
    // In a list the same, for each payment; a token stays a token.
    let page = list(&read(client, &format!("/v1/payments?{all}")).await);
    assert_eq!(page[1]["customer"], ann);
    assert_eq!(list_of(&page[1], "operations"), operations[..20]);
    assert_eq!(
        (
            &page[0]["id"],
            &page[0]["payment_method"],
            &page[0]["customer"]
        ),
        (&plain["id"], &json!("pm_succeeds"), &Value::Null)
    );
    for name in ["operations", "disputes"] {
        assert_eq!(list_of(&page[0], name), Vec::<Value>::new(), "{name}");
    }
    // Amounts in them are written as texts where that is asked for.
    let reply = client
        .send(
            reqwest::Method::GET,
            &format!("/v1/payments/{id}?expand[]=operations"),
            &[("accept", "application/json; amounts=string")],
            "",
        )
        .await;
    assert_eq!(reply.json()["operations"][19]["amount"], json!("1"));
    let nobody = format!("/v1/payments/pay_{}?{all}", "0".repeat(32));
    is_problem(&nobody, &client.get(&nobody).await, 404, "not_found");
    books_hold(&database);
}

fn list_of(payment: &Value, name: &str) -> Vec<Value> {
    let all = payment[name].as_array();
    all.unwrap_or_else(|| panic!("no {name} in {payment}"))
        .clone()
}

on_both_databases!(pages_stay_complete_while_payments_are_made);
async fn pages_stay_complete_while_payments_are_made(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let ann = customer(client, &json!({})).await;
    let order = |channel: &str| {
        json!({
            "amount": 7, "currency": "EUR", "confirm": false, "customer": ann["id"],
            "metadata": {"channel": channel},
        })
    };
    let mut before = BTreeSet::new();
    for number in 0..30 {
        let made = pay(client, &format!("before-{number}"), &order("web")).await;
        before.insert(text(&made, "/id"));
    }
    let queries = [
        String::new(),
        "&metadata.channel=web".to_owned(),
        format!("&customer={}", text(&ann, "/id")),
        "&amount=7".to_owned(),
    ];
    let mut lists: BTreeMap<&str, (String, Vec<String>)> = queries
        .iter()
        .map(|query| (query.as_str(), (String::new(), Vec::new())))
        .collect();
    // One page of each list at a time, and a payment before each.
    let mut number = 0;
    while lists.values().any(|(cursor, _)| cursor != "end") {
        for (query, (cursor, found)) in &mut lists {
            if cursor == "end" {
                continue;
            }
            number += 1;
            pay(client, &format!("while-{number}"), &order("web")).await;
            let page = read(client, &format!("/v1/payments?limit=4{query}{cursor}")).await;
            found.extend(ids(&list(&page)));
            *cursor = match page["next_cursor"].as_str() {
                Some(next) => format!("&cursor={next}"),
                None => "end".to_owned(),
            };
        }
    }
    for (query, (_, found)) in lists {
        let each: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(each.len(), found.len(), "{query}: one twice");
        assert!(each.is_superset(&before), "{query}: one is missing");
        assert!(found.is_sorted_by(|newer, older| newer > older), "{query}");
    }
    books_hold(&database);
}

on_both_databases!(a_list_with_few_matches_among_many_payments_goes_on_and_ends);
async fn a_list_with_few_matches_among_many_payments_goes_on_and_ends(database: Database) {
    let shop = Shop::open(&database);
    let client = &shop.client;
    let order = |amount: i64| {
        json!({
            "amount": amount, "currency": "EUR", "confirm": false, "metadata": {"channel": "web"},
        })
    };
    let rare = pay(client, "first", &order(99)).await;
    // More payments than one page reads, copied from the one that was made.
    let copied = copies(&database);
    database.execute_raw(&copied);

    for (query, pages) in [("amount=99", 2), ("amount=99&metadata.channel=web", 2)] {
        let mut next = format!("/v1/payments?{query}");
        let mut found = Vec::new();
        let mut read_pages = 0;
        loop {
            let page = read(client, &next).await;
            read_pages += 1;
            found.extend(list(&page));
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("/v1/payments?{query}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(found, std::slice::from_ref(&rare), "{query}");
        assert!(read_pages >= pages, "{query}: {read_pages} pages");
    }
}

/// A statement that copies the only payment 2,500 times, with newer ids and another amount.
fn copies(database: &Database) -> String {
    let (digits, id) = match database.kind() {
        tests::Kind::Sqlite => (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)",
            "unhex(printf('ff%030x', i))",
        ),
        tests::Kind::Postgres => (
            "WITH n(i) AS (SELECT generate_series(1, 2500))",
            "decode('ff' || lpad(to_hex(i), 30, '0'), 'hex')",
        ),
    };
    let columns = "amount, currency, capture_method, status, authorized, capturable, captured, released, \
                   incrementing, refunded, disputed, attempts, operations, idempotency_key, version, created_at, \
                   updated_at, tenant_id, metadata";
    let copied = columns.replacen("amount", "100", 1);
    format!(
        "{digits} INSERT INTO payment ({columns}, id) SELECT {copied}, {id} FROM payment, n; \
         {digits} INSERT INTO metadata_text (tenant_id, kind, key, value, subject) \
         SELECT tenant_id, kind, key, value, {id} FROM metadata_text, n"
    )
}

/// The change that gave payments customers, and later ones of these tables.
const CHANGES: [&str; 4] = [
    "20261130000010",
    "20261130000051",
    "20261130000060",
    "20261130000084",
];

on_both_databases!(payments_that_are_older_than_customers_keep_their_reference_as_metadata);
async fn payments_that_are_older_than_customers_keep_their_reference_as_metadata(
    database: Database,
) {
    let reference = "ann \"the \\ first\" \u{e9}";
    let shop = Shop::open(&database);
    let order = json!({"amount": 1099, "currency": "EUR", "payment_method": "pm_succeeds"});
    let paid = pay(&shop.client, "k-1", &order).await;
    let plain = pay(&shop.client, "k-2", &order).await;
    assert_eq!(shop.florin.terminate().code(), Some(0));

    // Given books of before the change,
    let id = text(&paid, "/id").replace("pay_", "");
    let is_paid = match database.kind() {
        tests::Kind::Sqlite => format!("id = unhex('{id}')"),
        tests::Kind::Postgres => format!("id = decode('{id}', 'hex')"),
    };
    for index in [
        "payment_external",
        "payment_customer",
        "payment_key",
        "dispute_payment",
    ] {
        database.execute_raw(&format!("DROP INDEX {index}"));
    }
    for table in ["customer", "payment_method", "metadata_text"] {
        database.execute_raw(&format!("DROP TABLE {table}"));
    }
    for column in [
        "external_id",
        "description",
        "metadata",
        "customer_id",
        "saved_method",
    ] {
        database.execute_raw(&format!("ALTER TABLE payment DROP COLUMN {column}"));
    }
    database.execute_raw("ALTER TABLE payment ADD COLUMN customer TEXT");
    for table in ["operation", "payout"] {
        database.execute_raw(&format!("ALTER TABLE {table} DROP COLUMN metadata"));
    }
    let quoted = reference.replace('\'', "''");
    database.execute_raw(&format!(
        "UPDATE payment SET customer = '{quoted}' WHERE {is_paid}"
    ));
    database.execute_raw("ALTER TABLE payout DROP COLUMN customer_id");
    for column in ["version", "description"] {
        database.execute_raw(&format!("ALTER TABLE operation DROP COLUMN {column}"));
    }
    for index in ["reconciliation_exception_resolved", "bank_line_open"] {
        database.execute_raw(&format!("DROP INDEX {index}"));
    }
    for change in CHANGES {
        database.execute_raw(&format!(
            "DELETE FROM __diesel_schema_migrations WHERE version = '{change}'"
        ));
    }
    // when a server opens them,
    let shop = Shop::open(&database);
    let client = &shop.client;

    // then the reference is metadata, and everything else is as it was.
    let mut expected = paid.clone();
    expected["metadata"] = json!({"customer": reference});
    assert_eq!(shop.payment(&text(&paid, "/id")).await, expected);
    assert_eq!(shop.payment(&text(&plain, "/id")).await, plain);
    let query = "&metadata.customer=ann+%22the+%5C+first%22+%C3%A9";
    assert_eq!(search(client, query, 5).await, [expected.clone()]);
    assert_eq!(search(client, "", 5).await, [plain, expected]);
    let id = text(&paid, "/id");
    let refund = shop.ask(&id, "refunds", "r-1", &json!({})).await;
    assert_eq!(refund.json()["status"], "succeeded");
    books_hold(&database);
}
