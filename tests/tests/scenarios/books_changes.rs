//! Changes around the books: accounts frozen, closed and given limits, periods closed; requests sent again after a
//! crash; and bodies with a wrong shape.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Database, Florin, Reply, on_both_databases};

use crate::books::{Books, moved};
use crate::books_hold;
use crate::given::{is_problem, rows, text};
use crate::shop::pointers;

impl Books {
    async fn change(&self, account: &str, verb: &str) -> Reply {
        let path = format!("/v1/accounts/{account}/{verb}");
        self.client.post(&path, None, &json!({})).await
    }

    async fn patch(&self, account: &str, body: &Value) -> Reply {
        let path = format!("/v1/accounts/{account}");
        let headers = [("content-type", "application/json")];
        let sent = self
            .client
            .send(Method::PATCH, &path, &headers, body.to_string());
        sent.await
    }
}

on_both_databases!(an_account_is_frozen_opened_again_and_closed_for_ever);
async fn an_account_is_frozen_opened_again_and_closed_for_ever(database: Database) {
    let books = Books::open(&database).await;
    let to_bob = moved(&books.ann, &books.bob, 1);

    let frozen = books.change(&books.bob, "freeze").await;
    assert_eq!(
        (frozen.status, &frozen.json()["status"]),
        (200, &json!("frozen"))
    );
    let twice = books.change(&books.bob, "freeze").await;
    is_problem("frozen already", &twice, 409, "account_state_conflict");
    let refused = books.post("1", &to_bob).await;
    is_problem("frozen", &refused, 409, "account_frozen");
    assert_eq!(refused.json()["resource"], json!(books.bob));
    let open = books.change(&books.bob, "unfreeze").await;
    assert_eq!((open.status, &open.json()["status"]), (200, &json!("open")));
    assert_eq!(books.post("2", &to_bob).await.status, 201);

    let holds_something = books.change(&books.bob, "close").await;
    is_problem("not empty", &holds_something, 409, "account_state_conflict");
    let back = moved(&books.bob, &books.ann, 1);
    assert_eq!(books.post("3", &back).await.status, 201);
    let closed = books.change(&books.bob, "close").await;
    assert_eq!(
        (closed.status, &closed.json()["status"]),
        (200, &json!("closed"))
    );
    let refused = books.post("4", &to_bob).await;
    is_problem("closed", &refused, 409, "account_closed");
    let limits = json!({"floor": 0, "ceiling": null, "credit_line": null});
    let refused = books.patch(&books.bob, &limits).await;
    is_problem("limits", &refused, 409, "account_state_conflict");
    let nobody = format!("acc_{}", "0".repeat(32));
    for verb in ["freeze", "unfreeze", "close"] {
        let reply = books.change(&nobody, verb).await;
        is_problem(verb, &reply, 404, "not_found");
    }
    books_hold(&database);
}

on_both_databases!(a_ceiling_a_credit_line_and_metadata_are_set_and_kept);
async fn a_ceiling_a_credit_line_and_metadata_are_set_and_kept(database: Database) {
    let books = Books::open(&database).await;
    let new = json!({
        "code": "liabilities:eve", "currency": "EUR", "class": "liability", "ceiling": 50,
        "credit_line": 20, "metadata": {"customer": "42"}
    });
    let eve = books.client.post("/v1/accounts", None, &new).await;
    assert_eq!(eve.status, 201, "{}", eve.json());
    let eve = eve.json();
    assert_eq!(eve["class"], "liability");
    assert_eq!((&eve["floor"], &eve["ceiling"]), (&json!(0), &json!(50)));
    assert_eq!(eve["credit_line"], 20);
    assert_eq!(eve["metadata"], json!({"customer": "42"}));
    let eve = text(&eve, "/id");

    let lent = books.post("lent", &moved(&eve, &books.bob, 21)).await;
    is_problem("beyond the line", &lent, 422, "insufficient_funds");
    let lent = books.post("line", &moved(&eve, &books.bob, 20)).await;
    assert_eq!(lent.status, 201);
    assert_eq!(books.balances(&eve).await, (-20, -20));
    let paid = books.post("paid", &moved(&books.ann, &eve, 71)).await;
    is_problem("above the ceiling", &paid, 422, "limit_exceeded");
    assert_eq!(
        books
            .post("full", &moved(&books.ann, &eve, 70))
            .await
            .status,
        201
    );

    let lower = json!({"floor": 50, "ceiling": 60, "credit_line": null});
    let patched = books.patch(&eve, &lower).await;
    assert_eq!(patched.status, 200, "{}", patched.json());
    assert_eq!(patched.json()["credit_line"], Value::Null);
    let refused = books.post("floor", &moved(&eve, &books.bob, 1)).await;
    is_problem("the new floor", &refused, 422, "insufficient_funds");
    let labels = books
        .patch(&eve, &json!({"metadata": {"tier": "gold"}}))
        .await;
    assert_eq!(labels.json()["metadata"], json!({"tier": "gold"}));
    let none = books.patch(&eve, &json!({"metadata": null})).await;
    assert_eq!(none.json().get("metadata"), None);
    assert_eq!(none.json()["ceiling"], 60);
    books_hold(&database);
}

on_both_databases!(nothing_is_added_to_a_closed_period);
async fn nothing_is_added_to_a_closed_period(database: Database) {
    let books = Books::open(&database).await;
    let close = async |before: &str| {
        let body = json!({"closed_before": before});
        books.client.post("/v1/periods/close", None, &body).await
    };
    let at = |moment: &str| {
        let mut new = moved(&books.ann, &books.bob, 1);
        new["effective_at"] = json!(moment);
        new
    };
    let open = books.client.get("/v1/periods").await.json();
    assert_eq!(open, json!({"object": "period", "closed_before": null}));
    assert_eq!(
        books
            .post("1", &at("2019-12-31T23:59:59.999999Z"))
            .await
            .status,
        201
    );

    let closed = close("2020-01-01T00:00:00Z").await;

    let shown = json!({"object": "period", "closed_before": "2020-01-01T00:00:00.000000Z"});
    assert_eq!((closed.status, closed.json()), (200, shown.clone()));
    assert_eq!(books.client.get("/v1/periods").await.json(), shown);
    let late = books.post("2", &at("2019-12-31T23:59:59.999999Z")).await;
    is_problem("late", &late, 409, "period_closed");
    assert_eq!(pointers(&late), ["/effective_at"]);
    // The same moment, written in another zone.
    assert_eq!(
        books
            .post("3", &at("2020-01-01T02:00:00+02:00"))
            .await
            .status,
        201
    );
    let less = close("2019-01-01T00:00:00Z").await;
    is_problem("less than is closed", &less, 409, "period_closed");
    let future = close("2999-01-01T00:00:00Z").await;
    is_problem("what may still happen", &future, 422, "invalid_field");
    assert_eq!(pointers(&future), ["/closed_before"]);
    books_hold(&database);
}

on_both_databases!(each_step_sent_again_has_the_same_bytes_after_a_crash_too);
async fn each_step_sent_again_has_the_same_bytes_after_a_crash_too(database: Database) {
    let books = Books::open(&database).await;
    let mut new = moved(&books.ann, &books.bob, 10);
    new["metadata"] = json!({"b": "2", "a": "1"});
    let mut hold = new.clone();
    hold["pending"] = json!({"expires_in": 3600});
    let hold = (String::from("/v1/transactions"), hold);
    let made = books.client.post(&hold.0, "hold", &hold.1).await;
    let pending = text(&made.json(), "/id");
    let about = |verb: &str| format!("/v1/transactions/{pending}/{verb}");
    let many = json!({"atomic": false, "transactions": [new, moved(&books.ann, &books.bob, 999)]});
    let closed = json!({"closed_before": "2001-01-01T00:00:00Z"});
    let one = json!({"amounts": [{"ordinal": 0, "amount": 1}]});
    let freeze = format!("/v1/accounts/{}/freeze", books.bob);
    let requests = [
        ("hold", hold),
        ("posted", ("/v1/transactions".into(), new.clone())),
        (
            "refused",
            (
                "/v1/transactions".into(),
                moved(&books.ann, &books.bob, 999),
            ),
        ),
        ("part", (about("post"), one)),
        ("void", (about("void"), json!({}))),
        ("too-late", (about("void"), json!({}))),
        ("many", ("/v1/transactions/bulk".into(), many)),
        ("period", ("/v1/periods/close".into(), closed)),
        ("freeze", (freeze, json!({}))),
    ];
    let mut first = Vec::new();
    for (key, (path, body)) in &requests {
        first.push(books.client.post(path, *key, body).await);
    }
    let statuses: Vec<u16> = first.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [201, 201, 422, 201, 201, 409, 200, 200, 200]);
    assert_eq!(made.body, first[0].body);
    let before = rows(&database);

    books.florin.kill9();
    let florin = Florin::start(&database, &[]);
    let client = florin.client();

    for ((key, (path, body)), first) in requests.iter().zip(&first) {
        let again = client.post(path, *key, body).await;
        assert_eq!(
            (again.status, &again.body),
            (first.status, &first.body),
            "{key}"
        );
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{key}");
    }
    assert_eq!(rows(&database), before);
    books_hold(&database);
}

on_both_databases!(a_wrong_shape_is_named_by_its_pointer);
async fn a_wrong_shape_is_named_by_its_pointer(database: Database) {
    let books = Books::open(&database).await;
    let mut hold = moved(&books.ann, &books.bob, 10);
    hold["pending"] = json!(true);
    let hold = text(&books.post("hold", &hold).await.json(), "/id");
    let before = rows(&database);
    let good = moved(&books.ann, &books.bob, 1);

    let mut requests = Vec::new();
    for (body, pointer) in misshapen(&good) {
        if pointer != "/dry_run" {
            let many = json!({"atomic": true, "transactions": [good, body]});
            let below = format!("/transactions/1{pointer}");
            requests.push(("/v1/transactions/bulk".to_owned(), many, below));
        }
        requests.push(("/v1/transactions".to_owned(), body, pointer.to_owned()));
    }
    for (verb, body, pointer) in misshapen_steps() {
        let path = format!("/v1/transactions/{hold}/{verb}");
        requests.push((path, body, pointer.to_owned()));
    }
    for (body, pointer) in misshapen_bulks(&good, &hold) {
        requests.push(("/v1/transactions/bulk".to_owned(), body, pointer.to_owned()));
    }
    for (body, pointer) in misshapen_accounts() {
        requests.push(("/v1/accounts".to_owned(), body, pointer.to_owned()));
    }

    for (path, body, pointer) in &requests {
        let case = format!("{path} {body}");
        let reply = books.client.post(path, "wrong", body).await;
        assert_eq!(reply.status, 422, "{case}: {}", reply.json());
        assert_eq!(pointers(&reply), [pointer.as_str()], "{case}");
        assert_eq!(rows(&database), before, "{case} wrote something");
    }
    for (body, pointer) in [
        (json!({"floor": 0}), "/ceiling"),
        (
            json!({"floor": 1, "ceiling": 0, "credit_line": null}),
            "/ceiling",
        ),
        (json!({"metadata": {}, "floor": 0}), "/floor"),
        (json!({"status": "closed"}), "/floor"),
    ] {
        let reply = books.patch(&books.ann, &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.json());
        assert_eq!(pointers(&reply)[0], pointer, "{body}");
    }
    assert_eq!(rows(&database), before);
    books_hold(&database);
}

/// A good transaction with one thing wrong, and the place of the fault.
fn misshapen(good: &Value) -> Vec<(Value, &'static str)> {
    let ann = &good["postings"][0]["debit"];
    let with = |name: &str, value: Value| {
        let mut new = good.clone();
        new[name] = value;
        new
    };
    let posting = |name: &str, value: Value| {
        let mut new = good.clone();
        new["postings"][0][name] = value;
        new
    };
    let pending = |body: Value| with("pending", body);
    let condition = |body: Value| with("conditions", json!([body]));
    let both = json!({"expires_in": 1, "expires_at": "2099-01-01T00:00:00Z"});
    vec![
        (with("kind", json!("transfer")), "/kind"),
        (with("kind", json!("capture")), "/kind"),
        (with("kind", json!("reversal")), "/kind"),
        (with("kind", json!("Gift")), "/kind"),
        (with("postings", json!([])), "/postings"),
        (with("postings", json!([1])), "/postings/0"),
        (with("postings", json!({})), "/postings"),
        (posting("debit", json!("ann")), "/postings/0/debit"),
        (posting("amount", json!(0)), "/postings/0/amount"),
        (posting("amount", json!("1")), "/postings/0/amount"),
        (posting("currency", json!("eur")), "/postings/0/currency"),
        (posting("colour", json!(1)), "/postings/0/colour"),
        (pending(json!("yes")), "/pending"),
        (pending(json!({})), "/pending"),
        (pending(json!({"expires_in": 0})), "/pending/expires_in"),
        (
            pending(json!({"expires_at": "soon"})),
            "/pending/expires_at",
        ),
        (pending(both), "/pending"),
        (condition(json!({"account": ann})), "/conditions/0"),
        (condition(json!({"version": 1})), "/conditions/0/account"),
        (
            condition(json!({"account": ann, "version": -1})),
            "/conditions/0/version",
        ),
        (with("effective_at", json!("2026-01-01")), "/effective_at"),
        (
            with("effective_at", json!("1899-12-31T23:59:59Z")),
            "/effective_at",
        ),
        (with("effective_at", json!(0)), "/effective_at"),
        (with("external_id", json!("")), "/external_id"),
        (with("metadata", json!({"a b": "c"})), "/metadata/a b"),
        (with("metadata", json!({"a": 1})), "/metadata/a"),
        (with("dry_run", json!(1)), "/dry_run"),
    ]
}

/// The same for steps about a pending transaction of one posting.
fn misshapen_steps() -> Vec<(&'static str, Value, &'static str)> {
    let parts = |body: Value| json!({"amounts": [body]});
    let far = parts(json!({"ordinal": 300, "amount": 1}));
    vec![
        ("post", json!({"amounts": []}), "/amounts"),
        ("post", parts(json!({"ordinal": 0})), "/amounts/0/amount"),
        ("post", far, "/amounts/0/ordinal"),
        (
            "post",
            parts(json!({"ordinal": 1, "amount": 1})),
            "/amounts",
        ),
        ("post", json!({"last": "yes"}), "/last"),
        ("void", json!({"amounts": []}), "/amounts"),
        ("void", json!({"last": true}), "/last"),
        ("reverse", json!({"last": true}), "/last"),
    ]
}

fn misshapen_bulks(good: &Value, hold: &str) -> Vec<(Value, &'static str)> {
    let both = json!({"post": hold, "void": hold});
    let mut named = good.clone();
    named["external_id"] = json!("twice");
    vec![
        (
            json!({"atomic": true, "transactions": [named, named]}),
            "/transactions/1/external_id",
        ),
        (json!({"transactions": [good]}), "/atomic"),
        (json!({"atomic": true, "transactions": []}), "/transactions"),
        (
            json!({"atomic": true, "transactions": [both]}),
            "/transactions/0/void",
        ),
    ]
}

fn misshapen_accounts() -> Vec<(Value, &'static str)> {
    let with = |name: &str, value: Value| {
        let mut new = json!({"code": "assets:new", "currency": "EUR"});
        new[name] = value;
        new
    };
    let mut contradiction = with("class", json!("asset"));
    contradiction["normal_side"] = json!("credit");
    vec![
        (with("class", json!("assets")), "/class"),
        (with("credit_line", json!(-1)), "/credit_line"),
        (with("ceiling", json!(-1)), "/ceiling"),
        (contradiction, "/normal_side"),
    ]
}
