//! Input that must be refused: every POST route with every kind of bad body, every list with every kind of bad query.
//! Each answer is a 4xx problem that names the field, and nothing is written.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};

use super::given::{account, is_problem, rows, text};

/// A Luhn-valid number that belongs to no person.
const CARD: &str = "4242 4242 4242 4242";
const JSON: (&str, &str) = ("content-type", "application/json");

/// A route that changes something, with a body that it accepts: fields and their JSON text.
struct Route {
    path: String,
    fields: Vec<(&'static str, String)>,
    required: &'static [&'static str],
    texts: &'static [&'static str],
    amounts: &'static [&'static str],
}

/// A body that must be refused.
struct Bad {
    name: String,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    pointer: Option<String>,
}

async fn routes(client: &Client) -> Vec<Route> {
    let from = account(client, "assets:cash", &Value::Null).await;
    let to = account(client, "liabilities:wallets:ann", &json!(0)).await;
    let payment =
        json!({"amount": 1, "currency": "EUR", "payment_method": "pm_succeeds", "confirm": false});
    let payment = client.post("/v1/payments", "given", &payment).await.json();
    let payment = text(&payment, "/id");
    let quoted = |text: &str| format!("\"{text}\"");
    let mut routes = vec![
        Route {
            path: "/v1/accounts".into(),
            fields: vec![
                ("code", quoted("assets:other")),
                ("name", quoted("Other")),
                ("currency", quoted("EUR")),
                ("class", quoted("asset")),
                ("normal_side", quoted("debit")),
                ("floor", "0".into()),
            ],
            required: &["code", "currency"],
            texts: &["code", "name", "currency", "class", "normal_side"],
            amounts: &[],
        },
        Route {
            path: "/v1/transfers".into(),
            fields: vec![
                ("from", quoted(&from)),
                ("to", quoted(&to)),
                ("amount", "1".into()),
                ("currency", quoted("EUR")),
                ("description", quoted("for the bread")),
            ],
            required: &["from", "to", "amount", "currency"],
            texts: &["from", "to", "currency", "description"],
            amounts: &["amount"],
        },
        Route {
            path: "/v1/payments".into(),
            fields: vec![
                ("amount", "1".into()),
                ("currency", quoted("EUR")),
                ("external_id", quoted("ann")),
                ("payment_method", quoted("pm_succeeds")),
                ("confirm", "false".into()),
            ],
            required: &["amount", "currency"],
            texts: &["currency", "external_id", "payment_method"],
            amounts: &["amount"],
        },
        Route {
            path: format!("/v1/payments/{payment}/confirm"),
            fields: vec![("payment_method", quoted("pm_succeeds"))],
            required: &[],
            texts: &["payment_method"],
            amounts: &[],
        },
    ];
    routes.extend(routes_of_the_books(client, &from, &to).await);
    routes
}

async fn routes_of_the_books(client: &Client, from: &str, to: &str) -> Vec<Route> {
    let posting = json!({"debit": from, "credit": to, "amount": 1, "currency": "EUR"});
    let hold = json!({"kind": "gift", "postings": [posting], "pending": true});
    let hold = client.post("/v1/transactions", "hold", &hold).await.json();
    let hold = text(&hold, "/id");
    let quoted = |text: &str| format!("\"{text}\"");
    let postings = json!([posting]).to_string();
    let item = json!({"kind": "gift", "postings": [posting]});
    vec![
        Route {
            path: "/v1/transactions".into(),
            fields: vec![
                ("kind", quoted("gift")),
                ("postings", postings),
                ("external_id", quoted("mine")),
                ("description", quoted("for the bread")),
                ("effective_at", quoted("2026-01-01T00:00:00Z")),
            ],
            required: &["kind", "postings"],
            texts: &["kind", "external_id", "description", "effective_at"],
            amounts: &[],
        },
        Route {
            path: "/v1/transactions/bulk".into(),
            fields: vec![
                ("transactions", json!([item]).to_string()),
                ("atomic", "true".into()),
            ],
            required: &["transactions", "atomic"],
            texts: &[],
            amounts: &[],
        },
        Route {
            path: format!("/v1/transactions/{hold}/post"),
            fields: vec![("description", quoted("sent")), ("last", "true".into())],
            required: &[],
            texts: &["description"],
            amounts: &[],
        },
        Route {
            path: "/v1/periods/close".into(),
            fields: vec![("closed_before", quoted("2020-01-01T00:00:00Z"))],
            required: &["closed_before"],
            texts: &["closed_before"],
            amounts: &[],
        },
    ]
}

impl Route {
    /// The body with the JSON text of a field replaced, added (if there is no such field) or left out.
    fn with(&self, name: &str, json: Option<&str>) -> Vec<u8> {
        let mut members: Vec<String> = Vec::new();
        let mut found = false;
        for (field, own) in &self.fields {
            if *field == name {
                found = true;
                members.extend(json.map(|json| format!("\"{field}\":{json}")));
            } else {
                members.push(format!("\"{field}\":{own}"));
            }
        }
        if !found {
            members.extend(json.map(|json| format!("\"{name}\":{json}")));
        }
        format!("{{{}}}", members.join(",")).into_bytes()
    }

    fn good(&self) -> Vec<u8> {
        self.with("", None)
    }

    fn bad_bodies(&self) -> Vec<Bad> {
        let mut bad = self.bad_wholes();
        for field in self.required {
            let body = self.with(field, None);
            bad.push(invalid(format!("without {field}"), body, field));
        }
        for field in self.texts {
            bad.extend(self.bad_texts(field));
        }
        for field in self.amounts {
            bad.extend(self.bad_amounts(field));
        }
        bad
    }

    /// Bodies that are wrong whatever the fields are.
    fn bad_wholes(&self) -> Vec<Bad> {
        let good = String::from_utf8(self.good()).expect("text");
        let whole = |name: &str, body: Vec<u8>, status, code| Bad {
            name: name.to_owned(),
            body,
            status,
            code,
            pointer: None,
        };
        let malformed = |name: &str, body: Vec<u8>| whole(name, body, 400, "malformed_json");
        let not_an_object = |body: String| Bad {
            pointer: Some(String::new()),
            ..whole(&body, body.clone().into_bytes(), 422, "invalid_field")
        };
        let first = self.fields.first().expect("a route has fields").0;
        let twice = format!("{{\"{first}\":1,{}", good.trim_start_matches('{'));
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let mut not_utf8 = self.with(first, Some("\"?\""));
        for byte in &mut not_utf8 {
            if *byte == b'?' {
                *byte = 0xff;
            }
        }
        let too_large = format!("{{\"pad\":\"{}\",{}", "x".repeat(3 << 20), &good[1..]);
        vec![
            malformed("nothing", Vec::new()),
            malformed("cut short", good[..good.len() - 1].into()),
            malformed("a comma too many", good.replace('}', ",}").into()),
            malformed("more after the end", format!("{good}{{}}").into()),
            malformed("not UTF-8", not_utf8),
            malformed("single quotes", good.replace('"', "'").into()),
            not_an_object(format!("[{good}]")),
            not_an_object(deep(2)),
            not_an_object("null".into()),
            not_an_object("\"text\"".into()),
            not_an_object("1".into()),
            invalid("a key twice", twice.into(), first),
            invalid(
                "a nested key twice",
                self.with(first, Some(r#"{"a":{"b":1,"c":2,"b":3}}"#)),
                &format!("{first}/a/b"),
            ),
            invalid(
                "depth 129",
                self.with(first, Some(&deep(128))),
                &format!("{first}{}", "/0".repeat(31)),
            ),
            whole("3 MiB", too_large.into(), 413, "payload_too_large"),
            Bad {
                code: "unknown_field",
                ..invalid("unknown", self.with("colour", Some("\"red\"")), "colour")
            },
            Bad {
                code: "card_number_refused",
                ..invalid(
                    "a card number under an unknown name",
                    self.with("cvv/~", Some(&format!("\"{CARD}\""))),
                    "cvv~1~0",
                )
            },
        ]
    }

    fn bad_texts(&self, field: &str) -> Vec<Bad> {
        let case = |name: &str, json: &str| {
            let name = format!("{field} {name}");
            invalid(name, self.with(field, Some(json)), field)
        };
        let card = |json: String| Bad {
            code: "card_number_refused",
            ..case("with a card number", &json)
        };
        vec![
            case("an integer", "1"),
            case("a boolean", "true"),
            case("an array", "[\"EUR\"]"),
            case("an object", "{}"),
            case("empty", "\"\""),
            case("too long", &format!("\"{}\"", "x".repeat(501))),
            case("with NUL, escaped", r#""a\u0000b""#),
            case("with NUL, raw", "\"a\0b\""),
            case("with half a pair", r#""\ud800""#),
            case("with the other half", r#""\udc00x""#),
            card(format!("\"{CARD}\"")),
            card("\"my card is 4242424242424242!\"".to_owned()),
        ]
    }

    fn bad_amounts(&self, field: &str) -> Vec<Bad> {
        let case = |json: &str| {
            let name = format!("{field} {json}");
            invalid(name, self.with(field, Some(json)), field)
        };
        let mut bad: Vec<Bad> = [
            "12.5",
            "1e3",
            "1E0",
            "10.0",
            "\"10\"",
            "-0",
            "-0.0",
            "0",
            "-1",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "1e999",
            "null",
            "true",
            "[1]",
            "{}",
        ]
        .map(case)
        .into();
        for json in ["NaN", "Infinity", "+1", "01", "0x10", "1_000", ".5", "1."] {
            bad.push(Bad {
                status: 400,
                code: "malformed_json",
                // The pointer is not compared. If the number ends before its text, the fault is in the characters
                // that follow.
                pointer: None,
                ..case(json)
            });
        }
        for (name, unit) in [
            ("currency", "\"XYZ\""),
            ("currency", "\"eur\""),
            ("currency", "null"),
        ] {
            bad.push(invalid(
                format!("currency {unit}"),
                self.with(name, Some(unit)),
                name,
            ));
        }
        // A provider repeats this field in its answers, which may have no control characters.
        let method = "payment_method";
        for unit in [r#""tok\nx""#, r#""tok\u0007""#, r#""tok\u0085""#] {
            if self.texts.contains(&method) {
                let name = format!("{method} {unit}");
                bad.push(invalid(name, self.with(method, Some(unit)), method));
            }
        }
        bad
    }
}

/// A bad field, named by its path below the body.
fn invalid(name: impl Into<String>, body: Vec<u8>, field: &str) -> Bad {
    Bad {
        name: name.into(),
        body,
        status: 422,
        code: "invalid_field",
        pointer: Some(format!("/{field}")),
    }
}

on_both_databases!(a_bad_body_is_refused_by_name_and_nothing_is_written);
async fn a_bad_body_is_refused_by_name_and_nothing_is_written(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let routes = routes(&client).await;
    let before = rows(&database);
    let key = ("idempotency-key", "bad");

    for route in &routes {
        for bad in route.bad_bodies() {
            let case = format!("{}, {}", route.path, bad.name);
            let reply = client
                .send(Method::POST, &route.path, &[JSON, key], bad.body)
                .await;
            is_problem(&case, &reply, bad.status, bad.code);
            assert!(!shows_card(&reply), "{case}");
            if let Some(pointer) = bad.pointer {
                let first = text(&reply.json(), "/errors/0/pointer");
                assert_eq!(first, pointer, "{case}: {}", reply.json());
            }
            assert_eq!(rows(&database), before, "{case} wrote something");
        }
    }
    assert!(!is_card_in(&florin.log()), "a card number is in the log");

    // The control: the bodies from which these were made are accepted with the same key.
    for route in &routes {
        let key = ("idempotency-key", route.path.as_str());
        let reply = client
            .send(Method::POST, &route.path, &[JSON, key], route.good())
            .await;
        assert!(reply.status < 300, "{}: {}", route.path, reply.json());
    }
    assert!(rows(&database) > before);
}

fn shows_card(reply: &Reply) -> bool {
    is_card_in(&String::from_utf8_lossy(&reply.body))
}

/// Four digits of the card number may also occur in the random id of a request.
fn is_card_in(text: &str) -> bool {
    text.replace([' ', '-'], "").contains("42424242")
}

on_both_databases!(a_body_in_another_form_is_refused);
async fn a_body_in_another_form_is_refused(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let routes = routes(&client).await;
    let before = rows(&database);
    let key = ("idempotency-key", "form");

    for Route { path, .. } in &routes {
        for headers in [
            &[key][..],
            &[key, ("content-type", "text/plain")],
            &[key, ("content-type", "application/x-www-form-urlencoded")],
            &[key, ("content-type", "application/json; charset=latin1")],
            &[key, JSON, JSON],
            &[key, JSON, ("content-encoding", "gzip")],
            &[key, JSON, ("content-encoding", "identity")],
        ] {
            let reply = client.send(Method::POST, path, headers, "{}").await;
            is_problem(
                &format!("{path} {headers:?}"),
                &reply,
                415,
                "unsupported_media_type",
            );
        }
    }
    // A compressed body of zeros is never unpacked, not on the webhook's route either.
    for headers in [
        [JSON, ("content-encoding", "gzip")],
        [JSON, ("content-encoding", "br")],
    ] {
        let reply = client
            .send(Method::POST, "/webhooks/sandbox", &headers, "{}")
            .await;
        is_problem(
            "a compressed webhook",
            &reply,
            415,
            "unsupported_media_type",
        );
    }
    assert_eq!(rows(&database), before);
}

on_both_databases!(a_webhook_nobody_signed_is_refused_unread);
async fn a_webhook_nobody_signed_is_refused_unread(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = Client::new(florin.api(), None);
    let before = rows(&database);

    for body in [
        "",
        "{",
        "[]",
        "\0",
        r#"{"id":"evt_1","type":"charge.succeeded"}"#,
    ] {
        let reply = client
            .send(Method::POST, "/webhooks/sandbox", &[JSON], body)
            .await;
        is_problem(body, &reply, 401, "signature_refused");
        let reply = client
            .send(Method::POST, "/webhooks/nobody", &[JSON], body)
            .await;
        is_problem(body, &reply, 404, "not_found");
    }
    let large = vec![b'x'; 256 * 1024 + 1];
    let reply = client
        .send(Method::POST, "/webhooks/sandbox", &[JSON], large)
        .await;
    is_problem("256 KiB and one byte", &reply, 413, "payload_too_large");
    assert_eq!(rows(&database), before);
}

on_both_databases!(nobody_without_a_known_key_gets_in);
async fn nobody_without_a_known_key_gets_in(database: Database) {
    let florin = Florin::start(&database, &[]);
    let routes = routes(&florin.client()).await;
    let before = rows(&database);
    let nobody = Client::new(florin.api(), None);
    let key = florin.key();
    let schemes = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {key}")),
        Some(key.to_owned()),
        Some(format!("Bearer {key}x")),
        Some(format!("Bearer {}", key.to_uppercase())),
        Some(format!("Bearer {key} {key}")),
        Some("Bearer ' OR 1=1 --".to_owned()),
        Some(format!("Bearer {}", "k".repeat(4_000))),
    ];
    for authorization in &schemes {
        let mut headers = vec![JSON, ("idempotency-key", "nobody")];
        headers.extend(
            authorization
                .as_deref()
                .map(|value| ("authorization", value)),
        );
        for route in &routes {
            let reply = nobody
                .send(Method::POST, &route.path, &headers, route.good())
                .await;
            is_problem(
                &format!("{} {authorization:?}", route.path),
                &reply,
                401,
                "unauthorized",
            );
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        }
        for path in [
            "/v1/accounts",
            "/v1/payments",
            "/v1/accounts/acc_0/entries",
            "/v1/payments/pay_0",
            "/v1/transactions/txn_0",
            "/v1/periods",
        ] {
            let reply = nobody.send(Method::GET, path, &headers, "").await;
            is_problem(
                &format!("{path} {authorization:?}"),
                &reply,
                401,
                "unauthorized",
            );
        }
    }
    assert_eq!(rows(&database), before);
}

on_both_databases!(a_bad_query_is_refused_by_name);
async fn a_bad_query_is_refused_by_name(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let id = account(&client, "assets:cash", &Value::Null).await;

    for path in [
        "/v1/accounts".to_owned(),
        "/v1/payments".to_owned(),
        format!("/v1/accounts/{id}/entries"),
    ] {
        for (query, pointer) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=abc", "limit"),
            ("limit=-1", "limit"),
            ("limit=1.0", "limit"),
            ("limit=", "limit"),
            ("limit=%31%00", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=1", "limit"),
            ("cursor=", "cursor"),
            ("cursor=garbage", "cursor"),
            ("cursor=AQ", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=%ff", "cursor"),
            ("cursor=x&cursor=x", "cursor"),
            ("colour=red", "colour"),
            ("Limit=1", "Limit"),
        ] {
            let case = format!("{path}?{query}");
            let reply = client.get(&case).await;
            is_problem(&case, &reply, 400, "invalid_query");
            assert_eq!(text(&reply.json(), "/errors/0/pointer"), pointer, "{case}");
        }
        let reply = client.get(&format!("{path}?limit=100")).await;
        assert_eq!(reply.status, 200, "the control: {}", reply.json());
    }
}

on_both_databases!(what_is_not_there_is_a_404_and_a_wrong_method_a_405);
async fn what_is_not_there_is_a_404_and_a_wrong_method_a_405(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let zeroes = "0".repeat(32);
    for path in [
        "/v1".to_owned(),
        "/v1/".to_owned(),
        "/v2/accounts".to_owned(),
        "/v1/accounts/".to_owned(),
        "/v1/nothing".to_owned(),
        "/../etc/passwd".to_owned(),
        "/%00".to_owned(),
        "/v1/accounts/x".to_owned(),
        "/v1/accounts/%00".to_owned(),
        "/v1/accounts/%ff".to_owned(),
        format!("/v1/accounts/acc_{zeroes}"),
        format!("/v1/accounts/pay_{zeroes}/entries"),
        format!("/v1/payments/pay_{zeroes}"),
        format!("/v1/customers/cus_{zeroes}"),
        format!("/v1/customers/pay_{zeroes}"),
        format!("/v1/customers/cus_{zeroes}/payment_methods"),
        format!("/v1/payment_methods/pmt_{zeroes}"),
        "/v1/payment_methods/pm_succeeds".to_owned(),
        format!("/v1/transactions/txn_{zeroes}"),
        format!("/v1/payments/{}", "x".repeat(3_000)),
    ] {
        is_problem(&path, &client.get(&path).await, 404, "not_found");
    }

    let reads = [
        "/v1/accounts/x/balance",
        "/v1/accounts/x/statement",
        "/v1/balances",
        "/v1/trial-balance",
        "/v1/exchanges/x",
        "/v1/accounts/x/pending",
        "/v1/periods",
        "/v1/accounts/x/balances",
        "/v1/accounts/x/entries",
        "/v1/payments/x/operations",
        "/v1/payment_methods/x",
        "/livez",
        "/readyz",
        "/version",
        "/metrics",
        "/openapi.json",
    ];
    let posts = [
        "/v1/accounts/x/freeze",
        "/v1/accounts/x/unfreeze",
        "/v1/accounts/x/close",
        "/v1/exchanges",
        "/v1/transactions/bulk",
        "/v1/transactions/x/post",
        "/v1/transactions/x/void",
        "/v1/transactions/x/reverse",
        "/v1/periods/close",
        "/v1/transfers",
        "/v1/payments/x/confirm",
        "/v1/payment_methods/x/detach",
        "/webhooks/sandbox",
    ];
    let both = [
        "/v1/accounts",
        "/v1/payments",
        "/v1/transactions",
        "/v1/customers",
        "/v1/customers/x/payment_methods",
    ];
    let allowed = reads.map(|path| (path, "GET, HEAD, OPTIONS")).into_iter();
    let allowed = allowed.chain(posts.map(|path| (path, "POST, OPTIONS")));
    let patched = [
        "/v1/accounts/x",
        "/v1/transactions/x",
        "/v1/payments/x",
        "/v1/customers/x",
    ];
    let allowed = allowed.chain(patched.map(|path| (path, "GET, HEAD, PATCH, OPTIONS")));
    for (path, allow) in allowed.chain(both.map(|path| (path, "GET, HEAD, POST, OPTIONS"))) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            if allow.contains(method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let reply = client.send(method.clone(), path, &[JSON], "{}").await;
            is_problem(
                &format!("{method} {path}"),
                &reply,
                405,
                "method_not_allowed",
            );
            assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
        }
    }
}
