//! Lists: the beginning of the next page, and the rows that are found.

mod plans;
mod searches;

use serde_json::{Value, json};
use tests::{Client, Database, Florin, on_both_databases};

use crate::given::{account, is_problem, text};

on_both_databases!(a_transaction_is_found_by_whatever_is_known_of_it);
async fn a_transaction_is_found_by_whatever_is_known_of_it(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let (bank, ann) = (
        account(&client, "assets:bank", &Value::Null).await,
        account(&client, "liabilities:ann", &json!(0)).await,
    );
    let asset = json!({"code": "POINTS", "exponent": 0});
    assert_eq!(client.post("/v1/assets", None, &asset).await.status, 201);
    let opened = async |code: &str| {
        let body = json!({"code": code, "currency": "POINTS", "floor": null});
        text(
            &client.post("/v1/accounts", None, &body).await.json(),
            "/id",
        )
    };
    let (shop, fan) = (opened("equity:points").await, opened("equity:fan").await);
    let post = async |key: &str, more: Value| {
        let posting = json!({"debit": bank, "credit": ann, "amount": 10, "currency": "EUR"});
        let mut body = json!({"kind": "gift", "postings": [posting]});
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        let reply = client.post("/v1/transactions", Some(key), &body).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        text(&reply.json(), "/id")
    };
    let named = post("named", json!({"external_id": "bill/7 ü"})).await;
    let early = post("early", json!({"effective_at": "2024-02-29T12:00:00Z"})).await;
    let points = json!([{"debit": shop, "credit": fan, "amount": 3, "currency": "POINTS"}]);
    let points = post("points", json!({"postings": points})).await;
    let told = post("told", json!({"metadata": {"order": "A%_7", "batch": ""}})).await;
    let held = post("held", json!({"pending": true})).await;
    let voided = post("voided", json!({"pending": true})).await;
    let path = format!("/v1/transactions/{voided}/void");
    let void = client.post(&path, Some("void"), &json!({})).await;
    let void = text(&void.json(), "/id");

    let all = [&void, &voided, &held, &told, &points, &early, &named];
    let but = |gone: &[&String]| -> Vec<&String> {
        all.into_iter().filter(|id| !gone.contains(id)).collect()
    };
    let early_last = [but(&[&early]), vec![&early]].concat();
    for (question, expected) in [
        ("limit=100", all.to_vec()),
        ("external_id=bill%2F7%20%C3%BC", vec![&named]),
        ("external_id=bill%2F7", vec![]),
        ("external_id=bill%2F7%20%C3%BC&kind=fee", vec![]),
        ("effective_to=2024-03-01T00:00:00Z", vec![&early]),
        (
            "effective_from=2024-02-29T12:00:00Z&effective_to=2024-02-29T12:00:00.000001Z",
            vec![&early],
        ),
        ("effective_from=2024-03-01T00:00:00Z", but(&[&early])),
        // The transaction that happened last comes first.
        ("effective_from=2024-01-01T00:00:00Z", early_last),
        ("currency=POINTS", vec![&points]),
        ("currency=EUR&amount_max=3", vec![]),
        ("currency=USD", vec![]),
        ("status=pending", vec![&held]),
        ("status=voided", vec![&voided]),
        ("status=expired", vec![]),
        ("status=posted", but(&[&held, &voided])),
        ("metadata.order=A%25_7", vec![&told]),
        ("metadata.order=a%25_7", vec![]),
        ("metadata_prefix.order=A%25", vec![&told]),
        ("metadata_prefix.order=a", vec![]),
        ("metadata_prefix.order=%25", vec![]),
        ("metadata.batch=", vec![&told]),
        ("metadata_present=batch", vec![&told]),
        ("metadata_present=batch,order", vec![&told]),
        ("metadata_present=batch,other", vec![]),
    ] {
        let reply = client.get(&format!("/v1/transactions?{question}")).await;
        assert_eq!(reply.status, 200, "{question}: {}", reply.json());
        let page = reply.json();
        let data = page["data"].as_array().expect("transactions");
        let found: Vec<String> = data.iter().map(|one| text(one, "/id")).collect();
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(found, expected, "{question}");
        for (id, status) in data.iter().zip(question.strip_prefix("status=")) {
            let one = client
                .get(&format!("/v1/transactions/{}", text(id, "/id")))
                .await;
            assert_eq!(one.json()["status"], status);
        }
    }
    wrong_questions(&client).await;
}

async fn wrong_questions(client: &Client) {
    for (question, parameter) in [
        ("external_id=", "external_id"),
        ("status=held", "status"),
        ("status=", "status"),
        ("currency=eur", "currency"),
        ("currency=GOLD", "currency"),
        ("currency=POINTS/0", "currency"),
        ("effective_from=yesterday", "effective_from"),
        (
            "effective_from=2024-01-02T00:00:00Z&effective_to=2024-01-01T00:00:00Z",
            "effective_to",
        ),
        ("metadata_present=", "metadata_present"),
        ("metadata_present=a,,b", "metadata_present"),
        ("metadata_present=bad%20key", "metadata_present"),
        ("metadata_prefix.order=", "metadata_prefix.order"),
        ("metadata_prefix.=a", "metadata_prefix."),
        ("metadata_prefix=a", "metadata_prefix"),
        ("metadata_present.order=", "metadata_present.order"),
    ] {
        let reply = client.get(&format!("/v1/transactions?{question}")).await;
        is_problem(question, &reply, 400, "invalid_query");
        assert_eq!(
            text(&reply.json(), "/errors/0/pointer"),
            parameter,
            "{question}"
        );
    }
}

on_both_databases!(a_list_goes_on_though_accounts_are_opened_below_its_code);
async fn a_list_goes_on_though_accounts_are_opened_below_its_code(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let bank = account(&client, "assets:bank", &Value::Null).await;
    let ann = account(&client, "liabilities:ann", &Value::Null).await;
    let mut made = Vec::new();
    for day in 1..=6 {
        let posting = json!({"debit": bank, "credit": ann, "amount": day, "currency": "EUR"});
        let effective_at = format!("2026-01-0{day}T00:00:00Z");
        let body = json!({
            "kind": "gift", "postings": [posting], "effective_at": effective_at,
            "metadata": {"k": "v"},
        });
        let key = format!("gift-{day}");
        let reply = client.post("/v1/transactions", Some(&*key), &body).await;
        made.insert(0, text(&reply.json(), "/id"));
    }
    for (number, more) in [
        "effective_to=2026-06-01T00:00:00Z",
        "effective_from=2026-01-01T00:00:00Z",
        "amount_min=1",
        "metadata.k=v",
        "metadata_present=k",
        "kind=gift",
        "from=2026-01-01T00:00:00Z",
    ]
    .into_iter()
    .enumerate()
    {
        let code = if number == 0 {
            "liabilities:ann"
        } else {
            "liabilities"
        };
        let question = format!("/v1/transactions?code_prefix={code}&{more}&limit=2");
        let (mut found, mut next) = (Vec::new(), Some(question.clone()));
        while let Some(path) = next {
            let page = client.get(&path).await.json();
            let data = page["data"].as_array().expect("a list");
            found.extend(data.iter().map(|one| text(one, "/id")));
            // Another client opens an account below the code in the meantime.
            account(
                &client,
                &format!("liabilities:ann:{number}:{}", found.len()),
                &Value::Null,
            )
            .await;
            let cursor = page["next_cursor"].as_str();
            next = cursor.map(|cursor| format!("{question}&cursor={cursor}"));
        }
        assert_eq!(found, made, "{more}");
    }
}

on_both_databases!(a_cursor_goes_on_with_its_own_list_alone);
async fn a_cursor_goes_on_with_its_own_list_alone(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let lists = two_of_each(&client).await;
    let mut cursors = Vec::new();
    for list in &lists {
        let page = client.get(list).await.json();
        cursors.push(text(&page, "/next_cursor"));
    }
    for (list, own) in lists.iter().zip(&cursors) {
        for cursor in &cursors {
            let path = format!("{list}&cursor={cursor}");
            let reply = client.get(&path).await;
            if cursor == own {
                assert_eq!(reply.status, 200, "{path}: {}", reply.json());
            } else {
                is_problem(&path, &reply, 400, "invalid_query");
                let error = &reply.json()["errors"][0];
                assert_eq!(
                    (&error["pointer"], &error["code"]),
                    (&json!("cursor"), &json!("foreign_cursor")),
                    "{path}"
                );
            }
        }
    }

    // A cursor survives the server, and the next page may have another length.
    let goes_on = format!("{}&cursor={}", lists[0], cursors[0]);
    let rest = client.get(&goes_on).await.json();
    drop(florin);
    let florin = Florin::start(&database, &[]);
    let longer = goes_on.replace("limit=1", "limit=7");
    let reply = florin.client().get(&longer).await;
    assert_eq!(reply.status, 200, "{longer}: {}", reply.json());
    assert_eq!(reply.json()["data"][0], rest["data"][0]);
}

/// Makes two rows for each list; returns each list, and some with other filters, with its first page.
async fn two_of_each(client: &Client) -> Vec<String> {
    let bank = account(client, "assets:bank", &Value::Null).await;
    let wallet = account(client, "liabilities:wallet", &json!(0)).await;
    for number in ["1", "2"] {
        let body = json!({"from": bank, "to": wallet, "amount": 5, "currency": "EUR"});
        let made = client.post("/v1/transfers", Some(number), &body).await;
        assert_eq!(made.status, 201, "{}", made.json());
        let key = format!("payment-{number}");
        let body = json!({"amount": 5, "currency": "EUR", "confirm": false});
        let made = client.post("/v1/payments", Some(key.as_str()), &body).await;
        assert_eq!(made.status, 201, "{}", made.json());
        let body = json!({"code": format!("POINTS{number}"), "exponent": 0});
        let made = client.post("/v1/assets", None, &body).await;
        assert_eq!(made.status, 201, "{}", made.json());
    }
    let span = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&limit=1";
    vec![
        "/v1/accounts?limit=1".to_owned(),
        "/v1/payments?limit=1".to_owned(),
        "/v1/assets?limit=1".to_owned(),
        "/v1/trial-balance?limit=1".to_owned(),
        "/v1/trial-balance?by=effective&limit=1".to_owned(),
        "/v1/transactions?limit=1".to_owned(),
        "/v1/transactions?kind=transfer&limit=1".to_owned(),
        "/v1/transactions?code_prefix=liabilities&limit=1".to_owned(),
        format!("/v1/accounts/{bank}/entries?limit=1"),
        format!("/v1/accounts/{wallet}/entries?limit=1"),
        format!("/v1/accounts/{wallet}/statement?{span}"),
        format!("/v1/accounts/{wallet}/statement?by=effective&{span}"),
    ]
}
