//! Texts at every input: ordinary ones are accepted; texts that must not be stored, and questions that cannot be
//! answered, are refused by name, in the same way on both databases.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};

use super::books_hold;
use super::given::{OPERATOR_KEY, account, is_problem, rows, text};

/// Transfers one cent with this description and this key.
async fn transfer(
    client: &Client,
    key: &str,
    (from, to): (&str, &str),
    description: &str,
) -> Reply {
    let body =
        json!({"from": from, "to": to, "amount": 1, "currency": "EUR", "description": description});
    client.post("/v1/transfers", key, &body).await
}

on_both_databases!(ordinary_keys_and_texts_are_taken_and_card_numbers_are_not);
async fn ordinary_keys_and_texts_are_taken_and_card_numbers_are_not(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let from = account(&client, "assets:cash", &Value::Null).await;
    let to = account(&client, "liabilities:wallets:ann", &json!(0)).await;
    let pair = (from.as_str(), to.as_str());

    for key in [
        "w-1795936088-1-15-554584798",
        "1795936088123",
        "1795936088123456789",
        "order-4242424242424242",
        "4006381333931",
    ] {
        let reply = transfer(&client, key, pair, "for the bread").await;
        assert_eq!(reply.status, 201, "{key}: {}", reply.json());
    }
    for (number, description) in [
        "to AT61 1904 3002 3457 3201",
        "IBAN DE89 3704 0044 0532 0130 00",
        "at 2026-11-29 10:30:22.123456",
        "call +4111 1111 1111 1111 or 415-555-2671 / 415-555-2672",
        "article 4006381333931, order 405-1234567-1234567",
        "w-1795936088-1-15-554584798",
    ]
    .into_iter()
    .enumerate()
    {
        let reply = transfer(&client, &format!("text-{number}"), pair, description).await;
        assert_eq!(reply.status, 201, "{description}: {}", reply.json());
    }

    let before = rows(&database);
    for description in [
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111_1111_1111_1111",
        "4111/1111/1111/1111",
        "\u{ff14}\u{ff11}\u{ff11}\u{ff11} 1111 1111 1111",
        "card 3782 822463 10005 of mine",
    ] {
        let reply = transfer(&client, "card", pair, description).await;
        is_problem(description, &reply, 422, "card_number_refused");
        assert_eq!(text(&reply.json(), "/errors/0/pointer"), "/description");
    }
    for key in [
        "4242424242424242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "\"378282246310005\"",
    ] {
        let reply = transfer(&client, key, pair, "for the bread").await;
        is_problem(key, &reply, 400, "idempotency_key_invalid");
    }
    assert_eq!(rows(&database), before);
    books_hold(&database);
}

/// Every list and question, with the parameters that it knows.
fn questions(account: &str) -> Vec<(String, Vec<&'static str>)> {
    let of_account = |what: &str| format!("/v1/accounts/{account}/{what}");
    let page = ["limit", "cursor"];
    let transactions = [
        "account",
        "code_prefix",
        "kind",
        "from",
        "to",
        "metadata.k",
        "amount_min",
        "amount_max",
    ];
    vec![
        ("/v1/balances".into(), vec!["code", "as_of", "by"]),
        (
            "/v1/trial-balance".into(),
            [&["as_of", "by"][..], &page].concat(),
        ),
        (
            "/v1/transactions".into(),
            [&transactions[..], &page].concat(),
        ),
        ("/v1/accounts".into(), page.into()),
        ("/v1/payments".into(), page.into()),
        ("/v1/assets".into(), page.into()),
        (of_account("entries"), page.into()),
        (of_account("balance"), vec!["as_of", "by"]),
        (
            of_account("statement"),
            [&["from", "to", "by"][..], &page].concat(),
        ),
    ]
}

on_both_databases!(a_text_that_cannot_be_read_or_stored_is_refused_in_every_query_and_path);
async fn a_text_that_cannot_be_read_or_stored_is_refused_in_every_query_and_path(
    database: Database,
) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let id = account(&client, "assets:cash", &Value::Null).await;

    for (path, parameters) in questions(&id) {
        for parameter in parameters {
            for bad in ["%00", "a%00", "%ff", "a%c3", "%", "a%4", "%zz", "%ed%a0%80"] {
                let case = format!("{path}?{parameter}={bad}");
                let reply = client.get(&case).await;
                is_problem(&case, &reply, 400, "invalid_query");
                assert_eq!(
                    text(&reply.json(), "/errors/0/pointer"),
                    parameter,
                    "{case}"
                );
            }
        }
        for (name, pointer) in [
            ("a%00", "a%00"),
            ("metadata.%ff", "metadata.%ff"),
            ("4242424242424242", "[card number]"),
        ] {
            let case = format!("{path}?{name}=x");
            let reply = client.get(&case).await;
            is_problem(&case, &reply, 400, "invalid_query");
            assert_eq!(text(&reply.json(), "/errors/0/pointer"), pointer, "{case}");
        }
    }
    for bad in ["%00", "A%00", "%ff", "%", "%zz", "4242424242424242"] {
        for path in [
            "assets",
            "accounts",
            "transactions",
            "payments",
            "exchanges",
        ] {
            let path = format!("/v1/{path}/{bad}");
            is_problem(&path, &client.get(&path).await, 404, "not_found");
        }
        let path = format!("/webhooks/{bad}");
        is_problem(
            &path,
            &client.post(&path, None, &json!({})).await,
            404,
            "not_found",
        );
    }
}

on_both_databases!(a_question_that_cannot_have_an_answer_is_refused_by_name);
async fn a_question_that_cannot_have_an_answer_is_refused_by_name(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let id = account(&client, "liabilities:wallets:ann", &json!(0)).await;
    let long = "v".repeat(501);
    let many: Vec<String> = (0..51).map(|key| format!("metadata.k{key}=x")).collect();

    let codes = [
        "",
        "liabilities:",
        ":liabilities",
        "a::b",
        "a b",
        "caf%C3%A9",
        "4242-4242-4242-4242",
    ];
    let mut cases: Vec<(String, &str)> = Vec::new();
    for code in codes {
        cases.push((format!("/v1/balances?code={code}"), "code"));
        cases.push((
            format!("/v1/transactions?code_prefix={code}"),
            "code_prefix",
        ));
    }
    for (query, pointer) in [
        ("metadata.bad%20key=x", "metadata.bad key"),
        ("metadata.wallet[$in]=x", "metadata.wallet[$in]"),
        ("metadata.=x", "metadata."),
        (&*format!("metadata.k={long}"), "metadata.k"),
        ("metadata.k=4242%204242%204242%204242", "metadata.k"),
        (&*many.join("&"), "metadata."),
        ("amount_min=2&amount_max=1", "amount_max"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("metadata.k=a&metadata_prefix.k=b", "metadata_prefix.k"),
        ("kind=", "kind"),
        ("kind=4242424242424242", "kind"),
        ("account=", "account"),
        ("from=", "from"),
    ] {
        cases.push((format!("/v1/transactions?{query}"), pointer));
    }
    let statement = format!("/v1/accounts/{id}/statement");
    cases.push((
        format!("{statement}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"),
        "to",
    ));
    for (path, pointer) in cases {
        let reply = client.get(&path).await;
        is_problem(&path, &reply, 400, "invalid_query");
        assert_eq!(text(&reply.json(), "/errors/0/pointer"), pointer, "{path}");
        assert!(
            !String::from_utf8_lossy(&reply.body).contains("4242"),
            "{path}"
        );
    }

    // The control: valid questions get an answer, even if nothing is found.
    for path in [
        "/v1/balances?code=liabilities",
        "/v1/balances?code=liabilities:wallets:ann",
        "/v1/balances?code=nobody",
        "/v1/transactions?code_prefix=liabilities:wallets&metadata.k=&metadata.a-b_c.d=x+y",
        "/v1/transactions?amount_min=1&amount_max=1",
        "/v1/transactions?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        &*format!("{statement}?from=2026-01-01T00:00:00%2B01:00&to=2026-01-02T00:00:00Z"),
    ] {
        let reply = client.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    }
}

on_both_databases!(a_parameter_that_a_route_does_not_read_is_refused_by_name);
async fn a_parameter_that_a_route_does_not_read_is_refused_by_name(database: Database) {
    let florin = Florin::start(&database, &[]);
    let tenant = florin.client();
    let operator = Client::new(florin.api(), OPERATOR_KEY);
    let described = tenant.get("/openapi.json").await.json();
    let before = rows(&database);
    let mut asked = 0;
    for (path, verbs) in described["paths"].as_object().expect("paths") {
        for (verb, operation) in verbs.as_object().expect("verbs") {
            if !path.starts_with("/v1/") {
                continue;
            }
            let method = Method::from_bytes(verb.to_uppercase().as_bytes()).expect("a method");
            let client = match operation.pointer("/security/0/operator_key") {
                Some(_) => &operator,
                None => &tenant,
            };
            for (query, pointer) in [
                ("dry_run=true", "dry_run"),
                ("as_if=2020&as_if=2021", "as_if"),
                ("expand=%ff", "expand"),
                ("%00=1", "%00"),
            ] {
                let case = format!("{verb} {path}?{query}");
                let path = path.replace("{id}", "acc_0").replace("{code}", "EUR");
                let path = format!("{path}?{query}");
                let headers = [
                    ("content-type", "application/json"),
                    ("idempotency-key", "k"),
                ];
                let reply = client.send(method.clone(), &path, &headers, "{}").await;
                is_problem(&case, &reply, 400, "invalid_query");
                assert_eq!(text(&reply.json(), "/errors/0/pointer"), pointer, "{case}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
    assert_eq!(rows(&database), before);
    // The caller is checked first.
    let stranger = Client::new(florin.api(), None);
    let reply = stranger.get("/v1/periods?as_of=2020-01-01").await;
    is_problem("a stranger", &reply, 401, "unauthorized");
}

on_both_databases!(what_bodies_keep_holds_no_card_number_and_references_may_resemble_one);
async fn what_bodies_keep_holds_no_card_number_and_references_may_resemble_one(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let from = account(&client, "assets:cash", &Value::Null).await;
    let to = account(&client, "liabilities:wallets:ann", &json!(0)).await;
    let posting = json!({"debit": from, "credit": to, "amount": 1, "currency": "EUR"});
    let transaction = |own: Value| {
        let mut body = json!({"kind": "gift", "postings": [posting]});
        let fields = own.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(fields);
        body
    };
    let payment = |field: &str, value: &str| {
        let mut body = json!({"amount": 1, "currency": "EUR", "confirm": false});
        body[field] = json!(value);
        body
    };
    let before = rows(&database);
    for (path, body, pointer) in [
        (
            "/v1/transactions",
            transaction(json!({"metadata": {"k": "pan 4242.4242.4242.4242"}})),
            "/metadata/k",
        ),
        (
            "/v1/transactions",
            transaction(json!({"metadata": {"code": "x-4242424242424242"}})),
            "/metadata/code",
        ),
        (
            "/v1/transactions",
            transaction(json!({"metadata": {"4242-4242-4242-4242": "x"}})),
            "/metadata/[card number]",
        ),
        (
            "/v1/transactions",
            transaction(json!({"external_id": "4242_4242_4242_4242"})),
            "/external_id",
        ),
        (
            "/v1/transactions",
            transaction(json!({"description": "x-4242424242424242"})),
            "/description",
        ),
        (
            "/v1/accounts",
            json!({"code": "4242:4242:4242:4242", "currency": "EUR"}),
            "/code",
        ),
        (
            "/v1/accounts",
            json!({"code": "a", "name": "4242/4242/4242/4242", "currency": "EUR"}),
            "/name",
        ),
        (
            "/v1/assets",
            json!({"code": "USDC", "exponent": 6, "name": "4242 4242 4242 4242"}),
            "/name",
        ),
        (
            "/v1/payments",
            payment("payment_method", "card_4242424242424242"),
            "/payment_method",
        ),
        (
            "/v1/payments",
            payment("external_id", "4242424242424242"),
            "/external_id",
        ),
    ] {
        let reply = client.post(path, "card", &body).await;
        is_problem(&body.to_string(), &reply, 422, "card_number_refused");
        let errors = reply.json();
        assert_eq!(text(&errors, "/errors/0/pointer"), pointer, "{body}");
        assert_eq!(errors.pointer("/errors/1"), None, "told once: {errors}");
        assert!(!errors.to_string().contains("4242"), "{errors}");
    }
    assert_eq!(rows(&database), before);

    for (path, body) in [
        (
            "/v1/transactions",
            transaction(
                json!({"external_id": "w-4242424242424242", "metadata": {"iban": "AT61 1904 3002 3457 3201", "at": "1795936088123456"}}),
            ),
        ),
        (
            "/v1/accounts",
            json!({"code": "liabilities:wallets:4242424242424242", "currency": "EUR"}),
        ),
        ("/v1/payments", payment("external_id", "c:4242424242424242")),
    ] {
        let reply = client
            .post(path, body.to_string().len().to_string().as_str(), &body)
            .await;
        assert_eq!(reply.status, 201, "{body}: {}", reply.json());
    }
    books_hold(&database);
}
