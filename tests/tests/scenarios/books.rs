//! The steps of the books over HTTP: pending, fulfilled in parts, voided, expired, reversed; limits, periods; many at
//! once.

use serde_json::{Value, json};
use tests::{Client, Database, Florin, Reply, on_both_databases};

use crate::books_hold;
use crate::given::{eventually, is_problem, number, rows, text};
use crate::shop::pointers;

/// A server and three accounts. Money comes from `source`, which has no floor.
pub(crate) struct Books {
    pub(crate) florin: Florin,
    pub(crate) client: Client,
    pub(crate) source: String,
    pub(crate) ann: String,
    pub(crate) bob: String,
}

impl Books {
    /// Ann has 100, Bob nothing.
    pub(crate) async fn open(database: &Database) -> Self {
        let florin = Florin::start(database, &[]);
        let client = florin.client();
        let open = async |code: &str, floor: Value| {
            let new = json!({"code": code, "currency": "EUR", "floor": floor});
            text(&client.post("/v1/accounts", None, &new).await.json(), "/id")
        };
        let source = open("equity:source", Value::Null).await;
        let ann = open("liabilities:ann", json!(0)).await;
        let bob = open("liabilities:bob", json!(0)).await;
        let books = Self {
            florin,
            client,
            source,
            ann,
            bob,
        };
        let deposit = moved(&books.source, &books.ann, 100);
        assert_eq!(books.post("funded", &deposit).await.status, 201);
        books
    }

    pub(crate) async fn post(&self, key: &str, new: &Value) -> Reply {
        self.client.post("/v1/transactions", key, new).await
    }

    /// A step about a transaction, with the key `verb-key`.
    pub(crate) async fn step(&self, verb: &str, key: &str, id: &str, body: &Value) -> Reply {
        let path = format!("/v1/transactions/{id}/{verb}");
        let key = format!("{verb}-{key}");
        self.client.post(&path, key.as_str(), body).await
    }

    /// Holds an amount of Ann's money for Bob.
    pub(crate) async fn hold(&self, key: &str, amount: i64, pending: &Value) -> String {
        let mut new = moved(&self.ann, &self.bob, amount);
        new["pending"] = pending.clone();
        let reply = self.post(key, &new).await;
        assert_eq!(reply.status, 201, "{}", reply.json());
        assert_eq!(reply.json()["step"], "pending");
        text(&reply.json(), "/id")
    }

    async fn read(&self, id: &str) -> Value {
        let path = format!("/v1/transactions/{id}");
        let reply = self.client.get(&path).await;
        assert_eq!(reply.status, 200, "{id}");
        reply.json()
    }

    /// The status of the first posting, and its remaining, posted and released amounts.
    pub(crate) async fn held(&self, id: &str) -> (String, [i64; 3]) {
        let now = self.read(id).await;
        let of = |name: &str| number(&now, &format!("/postings/0/{name}"));
        let amounts = ["remaining", "posted", "released"].map(of);
        (text(&now, "/status"), amounts)
    }

    /// The posted and the available balance.
    pub(crate) async fn balances(&self, account: &str) -> (i64, i64) {
        let path = format!("/v1/accounts/{account}/balances");
        let balances = self.client.get(&path).await.json();
        (
            number(&balances, "/posted"),
            number(&balances, "/available"),
        )
    }
}

/// A movement from the debited account to the credited one, in euro.
pub(crate) fn moved(debit: &str, credit: &str, amount: i64) -> Value {
    let posting = json!({"debit": debit, "credit": credit, "amount": amount, "currency": "EUR"});
    json!({"kind": "gift", "postings": [posting]})
}

/// An amount of the first posting.
fn part(amount: i64) -> Value {
    json!({"amounts": [{"ordinal": 0, "amount": amount}]})
}

on_both_databases!(a_promise_is_posted_in_parts_and_the_last_releases_the_rest);
async fn a_promise_is_posted_in_parts_and_the_last_releases_the_rest(database: Database) {
    let books = Books::open(&database).await;
    let hold = books.hold("hold", 60, &json!(true)).await;

    assert_eq!(books.balances(&books.ann).await, (100, 40));
    assert_eq!(books.balances(&books.bob).await, (0, 0));
    let ann = format!("/v1/accounts/{}", books.ann);
    let ann = books.client.get(&ann).await.json();
    assert_eq!(
        (&ann["pending_debits"], &ann["pending_credits"]),
        (&json!(60), &json!(0))
    );
    let beyond = books
        .post("beyond", &moved(&books.ann, &books.bob, 41))
        .await;
    is_problem("what is held", &beyond, 422, "insufficient_funds");

    let first = books.step("post", "1", &hold, &part(25)).await;
    assert_eq!((first.status, &first.json()["step"]), (201, &json!("post")));
    assert_eq!(first.json()["about"], json!(hold));
    assert_eq!(books.held(&hold).await, ("pending".into(), [35, 25, 0]));
    let more = books.step("post", "2", &hold, &part(36)).await;
    is_problem("more than remains", &more, 422, "exceeds_remaining");
    assert_eq!(pointers(&more), ["/amounts"]);
    let mut last = part(20);
    last["last"] = json!(true);
    assert_eq!(books.step("post", "3", &hold, &last).await.status, 201);
    assert_eq!(books.held(&hold).await, ("posted".into(), [0, 45, 15]));

    for verb in ["post", "void"] {
        let late = books.step(verb, "late", &hold, &json!({})).await;
        is_problem(verb, &late, 409, "transaction_state_conflict");
    }
    assert_eq!(books.balances(&books.ann).await, (55, 55));
    assert_eq!(books.balances(&books.bob).await, (45, 45));
    let entries = format!("/v1/accounts/{}/entries", books.bob);
    let entries = books.client.get(&entries).await.json();
    let phases: Vec<&Value> = entries["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["phase"])
        .collect();
    assert_eq!(phases, ["released", "settled", "settled", "pending"]);
    books_hold(&database);
}

on_both_databases!(a_promise_is_voided_and_what_was_posted_before_stays);
async fn a_promise_is_voided_and_what_was_posted_before_stays(database: Database) {
    let books = Books::open(&database).await;
    let hold = books.hold("hold", 60, &json!(true)).await;
    assert_eq!(books.step("post", "1", &hold, &part(10)).await.status, 201);

    let said =
        json!({"external_id": "void-1", "description": "given up", "metadata": {"by": "ann"}});
    let voided = books.step("void", "2", &hold, &said).await;

    assert_eq!(voided.status, 201, "{}", voided.json());
    let voided = books.read(&text(&voided.json(), "/id")).await;
    assert_eq!(
        (&voided["step"], &voided["status"]),
        (&json!("void"), &json!("posted"))
    );
    assert_eq!(voided["metadata"], json!({"by": "ann"}));
    assert_eq!(voided["external_id"], "void-1");
    assert_eq!(books.held(&hold).await, ("voided".into(), [0, 10, 50]));
    assert_eq!(books.balances(&books.ann).await, (90, 90));
    let mut taken = moved(&books.ann, &books.bob, 1);
    taken["external_id"] = json!("void-1");
    let taken = books.post("taken", &taken).await;
    is_problem("its name is taken", &taken, 409, "external_id_taken");
    assert_eq!(taken.json()["resource"], voided["id"]);
    books_hold(&database);
}

on_both_databases!(a_promise_expires_first_by_the_clock_and_then_in_the_books);
async fn a_promise_expires_first_by_the_clock_and_then_in_the_books(database: Database) {
    let books = Books::open(&database).await;
    let mut tries = 0;
    let hold = eventually(
        "a posting comes between the end and its sweeping",
        async || {
            tries += 1;
            let key = format!("hold-{tries}");
            let hold = books.hold(&key, 1, &json!({"expires_in": 1})).await;
            assert_eq!(books.held(&hold).await, ("pending".into(), [1, 0, 0]));
            // Dry runs, until one is refused. If the sweeper was here already, the refusal has another reason.
            let asked = json!({"dry_run": true});
            let refused = eventually("it cannot be posted any more", async || {
                let reply = books.step("post", &key, &hold, &asked).await;
                (reply.status != 200).then_some(reply)
            })
            .await;
            (text(&refused.json(), "/code") == "transaction_expired").then_some(hold)
        },
    )
    .await;

    eventually("it is swept", async || {
        (books.held(&hold).await.0 == "expired").then_some(())
    })
    .await;

    assert_eq!(books.held(&hold).await, ("expired".into(), [0, 0, 1]));
    let late = books.step("post", "late", &hold, &json!({})).await;
    is_problem("late", &late, 409, "transaction_state_conflict");
    eventually("nothing is held", async || {
        (books.balances(&books.ann).await == (100, 100)).then_some(())
    })
    .await;
    // The expiry as a moment instead of seconds; and as a moment in the past.
    let until = json!({"expires_at": "2099-01-01T00:00:00Z"});
    let hold = books.hold("until", 1, &until).await;
    assert_eq!(
        books.read(&hold).await["expires_at"],
        "2099-01-01T00:00:00.000000Z"
    );
    let mut over = moved(&books.ann, &books.bob, 1);
    over["pending"] = json!({"expires_at": "2020-01-01T00:00:00Z"});
    let over = books.post("over", &over).await;
    is_problem("over before it began", &over, 422, "invalid_field");
    assert_eq!(pointers(&over), ["/pending/expires_at"]);
    books_hold(&database);
}

on_both_databases!(a_transaction_is_reversed_in_parts_until_nothing_remains);
async fn a_transaction_is_reversed_in_parts_until_nothing_remains(database: Database) {
    let books = Books::open(&database).await;
    let mut two = moved(&books.ann, &books.bob, 50);
    let other =
        json!({"debit": books.ann, "credit": books.source, "amount": 20, "currency": "EUR"});
    two["postings"].as_array_mut().expect("a list").push(other);
    let posted = text(&books.post("two", &two).await.json(), "/id");

    let reversed = books.step("reverse", "1", &posted, &part(30)).await;
    assert_eq!(reversed.status, 201, "{}", reversed.json());
    let now = books.read(&posted).await;
    let of = |index: usize| {
        let of = |name: &str| number(&now, &format!("/postings/{index}/{name}"));
        (of("remaining"), of("reversed"))
    };
    assert_eq!((of(0), of(1)), ((20, 30), (20, 0)));
    let more = books.step("reverse", "2", &posted, &part(21)).await;
    is_problem("more than remains", &more, 422, "exceeds_remaining");
    assert_eq!(
        books.step("reverse", "3", &posted, &json!({})).await.status,
        201
    );
    let nothing = books.step("reverse", "4", &posted, &json!({})).await;
    is_problem(
        "nothing remains",
        &nothing,
        409,
        "transaction_state_conflict",
    );
    let reversal = text(&reversed.json(), "/id");
    let again = books.step("reverse", "5", &reversal, &json!({})).await;
    is_problem("a reversal", &again, 409, "transaction_state_conflict");

    assert_eq!(books.balances(&books.ann).await, (100, 100));
    assert_eq!(books.balances(&books.bob).await, (0, 0));
    let nobody = format!("txn_{}", "0".repeat(32));
    for (case, id) in [("absent", nobody.as_str()), ("malformed", "x")] {
        for verb in ["post", "void", "reverse"] {
            let reply = books.step(verb, case, id, &json!({})).await;
            is_problem(case, &reply, 404, "transaction_not_found");
        }
        let reply = books.client.get(&format!("/v1/transactions/{id}")).await;
        is_problem(case, &reply, 404, "not_found");
    }
    books_hold(&database);
}

on_both_databases!(many_are_made_at_once_all_or_none_or_each_by_itself);
async fn many_are_made_at_once_all_or_none_or_each_by_itself(database: Database) {
    let books = Books::open(&database).await;
    let bulk =
        async |key: &str, body: Value| books.client.post("/v1/transactions/bulk", key, &body).await;
    let good = || moved(&books.ann, &books.bob, 60);

    let none = bulk(
        "none",
        json!({"atomic": true, "transactions": [good(), good()]}),
    )
    .await;
    is_problem("one too many", &none, 422, "insufficient_funds");
    assert_eq!(pointers(&none), ["/transactions/1"]);
    assert_eq!(books.balances(&books.ann).await, (100, 100));

    let each = bulk(
        "each",
        json!({"atomic": false, "transactions": [good(), good()]}),
    )
    .await;
    assert_eq!(each.status, 200);
    let each = each.json();
    assert_eq!(each["results"][0]["status"], 201);
    let made = text(&each, "/results/0/transaction");
    assert_eq!(text(&books.read(&made).await, "/status"), "posted");
    assert_eq!(each["results"][1]["status"], 422);
    assert_eq!(each["results"][1]["problem"]["code"], "insufficient_funds");
    assert_eq!(books.balances(&books.ann).await, (40, 40));

    let hold = books.hold("hold", 10, &json!(true)).await;
    let mut post = part(4);
    post["post"] = json!(hold);
    let steps = [
        post,
        json!({"void": hold, "external_id": "void"}),
        json!({"reverse": made, "amounts": [{"ordinal": 0, "amount": 5}]}),
    ];
    let asked = json!({"atomic": true, "transactions": steps});
    let steps = bulk("steps", asked.clone()).await;
    assert_eq!(steps.status, 200, "{}", steps.json());
    assert_eq!(bulk("steps", asked).await.body, steps.body);
    assert_eq!(books.held(&hold).await, ("voided".into(), [0, 4, 6]));
    assert_eq!(books.balances(&books.ann).await, (41, 41));

    // The greatest number of transactions in one body; and one more.
    let thousand = |more: usize| vec![moved(&books.source, &books.ann, 1); 1_000 + more];
    let asked = json!({"atomic": true, "transactions": thousand(0)});
    let all = bulk("all", asked.clone()).await;
    assert_eq!(bulk("all", asked).await.body, all.body, "sent again");
    let all = all.json();
    assert_eq!(all["results"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(books.balances(&books.ann).await, (1_041, 1_041));
    let beyond = bulk(
        "beyond",
        json!({"atomic": true, "transactions": thousand(1)}),
    )
    .await;
    is_problem("1,001", &beyond, 422, "invalid_field");
    assert_eq!(pointers(&beyond), ["/transactions"]);
    books_hold(&database);
}

on_both_databases!(a_dry_run_says_what_would_happen_and_leaves_every_table_as_it_was);
async fn a_dry_run_says_what_would_happen_and_leaves_every_table_as_it_was(database: Database) {
    let books = Books::open(&database).await;
    let hold = books.hold("hold", 10, &json!(true)).await;
    let posted = books
        .post("posted", &moved(&books.ann, &books.bob, 10))
        .await;
    let posted = text(&posted.json(), "/id");
    let before = rows(&database);
    let dry = |mut body: Value| {
        body["dry_run"] = json!(true);
        body
    };

    let would = books
        .post("dry", &dry(moved(&books.ann, &books.bob, 80)))
        .await;
    assert_eq!(
        (would.status, &would.json()["dry_run"]),
        (200, &json!(true))
    );
    let refused = books
        .post("dry", &dry(moved(&books.ann, &books.bob, 81)))
        .await;
    is_problem("would be refused", &refused, 422, "insufficient_funds");
    for (verb, id) in [("post", &hold), ("void", &hold), ("reverse", &posted)] {
        let would = books.step(verb, "dry", id, &dry(json!({}))).await;
        assert_eq!(
            (would.status, &would.json()["dry_run"]),
            (200, &json!(true))
        );
    }
    for atomic in [true, false] {
        let many = json!({"atomic": atomic, "transactions": [moved(&books.ann, &books.bob, 80)]});
        let path = "/v1/transactions/bulk";
        let would = books.client.post(path, "dry", &dry(many)).await;
        assert_eq!(would.status, 200, "{}", would.json());
        assert_eq!(would.json()["results"][0]["status"], 200);
    }

    assert_eq!(rows(&database), before);
    assert_eq!(books.balances(&books.ann).await, (90, 80));
    // The key is free for the real request.
    let meant = books.post("dry", &moved(&books.ann, &books.bob, 80)).await;
    assert_eq!(meant.status, 201, "{}", meant.json());
    books_hold(&database);
}
