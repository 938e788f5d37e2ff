//! One range of time for every input: the API's bodies and queries, imports and webhooks. Accepted times can be
//! exported, and times of older books outside the range can still be read.

mod future;

use serde_json::{Value, json};
use tests::{Client, Database, Florin, Kind, on_both_databases, run};

use crate::accounting_programs::{exported, programs_agree};
use crate::books_hold;
use crate::given::{account, is_problem, rows, text};
use crate::shop::{list, pointers};
use crate::violations::tamper;

const FIRST: &str = "1900-01-01T00:00:00Z";
const LAST: &str = "9998-12-31T23:59:59.999999Z";
/// Times with a correct form that lie outside the range in UTC.
const BEYOND: [&str; 7] = [
    "1899-12-31T23:59:59.999999Z",
    "1900-01-01T00:00:00+00:01",
    "0000-01-01T00:00:00Z",
    "9999-01-01T00:00:00Z",
    "9998-12-31T23:59:59-00:01",
    "9999-12-30T22:00:00.000001Z",
    "9999-12-31T23:59:59Z",
];
const MALFORMED: [&str; 6] = [
    "-000001-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-11-21T09:30:00+24:00",
    "2026-11-21T09:30:00+25:59",
    "2026-11-21T09:30:00.0000001Z",
    "2026-11-21",
];

/// A server, and accounts in two currencies.
struct Books {
    florin: Florin,
    client: Client,
    source: String,
    ann: String,
    dollar: String,
    liquidity: String,
}

impl Books {
    async fn open(database: &Database) -> Self {
        let florin = Florin::start(database, &[]);
        let client = florin.client();
        let source = account(&client, "equity:source", &Value::Null).await;
        let ann = account(&client, "liabilities:ann", &json!(0)).await;
        let dollars = async |code: &str| {
            let new = json!({"code": code, "currency": "USD", "floor": null});
            text(&client.post("/v1/accounts", None, &new).await.json(), "/id")
        };
        let dollar = dollars("liabilities:ann:usd").await;
        let liquidity = dollars("liabilities:liquidity:usd").await;
        Self {
            florin,
            client,
            source,
            ann,
            dollar,
            liquidity,
        }
    }

    fn gift(&self, field: &str, value: Value) -> Value {
        let posting =
            json!({"debit": self.source, "credit": self.ann, "amount": 100, "currency": "EUR"});
        let mut body = json!({"kind": "gift", "postings": [posting]});
        body[field] = value;
        body
    }

    fn exchange(&self, field: &str, value: &str) -> Value {
        let mut body = json!({
            "from": self.ann, "to": self.dollar, "sold_to": self.source, "bought_from": self.liquidity,
            "sell": 10, "rate": "1.1", "source": "a bank", "quoted_at": "2026-11-20T15:00:00Z",
        });
        body[field] = json!(value);
        body
    }

    /// A request for each time field of a body, with the pointer to the field.
    fn requests(&self, at: &str) -> Vec<(String, Value, &'static str)> {
        let nobody = format!("/v1/transactions/txn_{}", "0".repeat(32));
        let to = |path: &str| path.to_owned();
        let step = json!({"effective_at": at});
        let item = self.gift("effective_at", json!(at));
        vec![
            (to("/v1/transactions"), item.clone(), "/effective_at"),
            (
                to("/v1/transactions"),
                self.gift("pending", json!({"expires_at": at})),
                "/pending/expires_at",
            ),
            (
                to("/v1/transactions/bulk"),
                json!({"atomic": true, "transactions": [item]}),
                "/transactions/0/effective_at",
            ),
            (
                to("/v1/exchanges"),
                self.exchange("quoted_at", at),
                "/quoted_at",
            ),
            (
                to("/v1/exchanges"),
                self.exchange("effective_at", at),
                "/effective_at",
            ),
            (format!("{nobody}/post"), step.clone(), "/effective_at"),
            (format!("{nobody}/void"), step.clone(), "/effective_at"),
            (format!("{nobody}/reverse"), step, "/effective_at"),
            (
                to("/v1/periods/close"),
                json!({"closed_before": at}),
                "/closed_before",
            ),
        ]
    }

    async fn posted(&self, query: &str) -> i64 {
        let path = format!("/v1/accounts/{}/balance?{query}", self.ann);
        let reply = self.client.get(&path).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.json());
        reply.json()["posted"].as_i64().expect("a number")
    }
}

on_both_databases!(one_range_of_time_holds_at_every_entrance_and_can_be_exported);
async fn one_range_of_time_holds_at_every_entrance_and_can_be_exported(database: Database) {
    let books = Books::open(&database).await;
    let before = rows(&database);
    for (at, code) in BEYOND
        .map(|at| (at, "out_of_range"))
        .into_iter()
        .chain(MALFORMED.map(|at| (at, "malformed_time")))
    {
        for (path, body, pointer) in books.requests(at) {
            let refused = books.client.post(&path, Some("refused"), &body).await;
            let case = format!("{path} {at}");
            is_problem(&case, &refused, 422, "invalid_field");
            assert_eq!(pointers(&refused), [pointer], "{case}");
            let error = refused.json()["errors"][0].clone();
            assert_eq!(error["code"], code, "{case}");
            assert!(
                text(&error, "/detail").contains("1900-01-01 to 9998-12-31"),
                "{case}: {error}"
            );
        }
    }
    assert_eq!(rows(&database), before, "nothing of it was kept");

    for (key, path, body) in [
        (
            "early",
            "/v1/transactions",
            books.gift("effective_at", json!(FIRST)),
        ),
        (
            "old",
            "/v1/transactions",
            books.gift("effective_at", json!("1969-12-31T23:59:59.999999Z")),
        ),
        (
            "now",
            "/v1/transactions",
            books.gift("description", json!("now")),
        ),
        (
            "held",
            "/v1/transactions",
            books.gift("pending", json!({"expires_at": LAST})),
        ),
        ("x1", "/v1/exchanges", books.exchange("quoted_at", FIRST)),
        ("x2", "/v1/exchanges", books.exchange("quoted_at", LAST)),
        ("x3", "/v1/exchanges", books.exchange("effective_at", FIRST)),
    ] {
        let made = books.client.post(path, Some(key), &body).await;
        assert_eq!(made.status, 201, "{key}: {}", made.json());
    }
    questions_beyond_the_range_have_no_bound(&books).await;

    programs_agree(&database);
    let json = exported(&database, "json");
    for at in [
        "1900-01-01T00:00:00.000000Z",
        LAST,
        "1969-12-31T23:59:59.999999Z",
    ] {
        assert!(json.contains(&format!("_at\":\"{at}\"")), "{at}");
    }
    let csv = exported(&database, "csv");
    assert!(csv.contains(",1900-01-01T00:00:00.000000Z,"), "{csv}");
    let closed = books
        .client
        .post("/v1/periods/close", None, &json!({"closed_before": FIRST}))
        .await;
    assert_eq!(closed.status, 200, "{}", closed.json());
    assert_eq!(books.florin.terminate().code(), Some(0));
    books_hold(&database);
}

async fn questions_beyond_the_range_have_no_bound(books: &Books) {
    let (client, ann) = (&books.client, &books.ann);
    for path in [
        format!("/v1/accounts/{ann}/balance?as_of="),
        "/v1/trial-balance?as_of=".to_owned(),
        "/v1/balances?code=liabilities&as_of=".to_owned(),
        format!("/v1/accounts/{ann}/statement?to=9999-12-31T23:59:59Z&from="),
        "/v1/transactions?from=".to_owned(),
        "/v1/transactions?to=".to_owned(),
    ] {
        for at in MALFORMED {
            let path = format!("{path}{}", at.replace('+', "%2B"));
            let refused = client.get(&path).await;
            is_problem(&path, &refused, 400, "invalid_query");
            let detail = text(&refused.json(), "/errors/0/detail");
            assert!(
                detail.contains("1900-01-01 to 9998-12-31"),
                "{path}: {detail}"
            );
        }
        for at in BEYOND.into_iter().chain([FIRST, LAST]) {
            let path = format!("{path}{}", at.replace('+', "%2B"));
            let answered = client.get(&path).await;
            assert_eq!(answered.status, 200, "{path}: {}", answered.json());
        }
    }
    for (query, expected) in [
        ("as_of=9999-12-31T23:59:59Z&by=effective", 270),
        ("as_of=9999-12-31T23:59:59Z&by=recorded", 270),
        ("as_of=1900-01-01T00:00:00Z&by=effective", 90),
        ("as_of=1899-12-31T23:59:59Z&by=effective", 0),
        ("as_of=0000-01-01T00:00:00Z&by=recorded", 0),
        ("as_of=1969-12-31T23:59:59.999998Z&by=effective", 90),
        ("as_of=1969-12-31T23:59:59.999999Z&by=effective", 190),
        ("as_of=1970-01-01T00:00:00Z&by=effective", 190),
    ] {
        assert_eq!(books.posted(query).await, expected, "{query}");
    }
    let page = async |path: &str| client.get(path).await.json();
    let whole = page("/v1/transactions?from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z").await;
    assert_eq!(list(&whole).len(), 7);
    for path in [
        "/v1/transactions?from=9999-01-01T00:00:00Z",
        "/v1/transactions?to=1899-12-31T23:59:59Z",
    ] {
        assert_eq!(list(&page(path).await).len(), 0, "{path}");
    }
    let statement = format!("/v1/accounts/{ann}/statement?by=effective");
    let whole = page(&format!(
        "{statement}&from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z"
    ))
    .await;
    assert_eq!(list(&whole).len(), 6);
    assert_eq!(
        (&whole["opening_balance"], &whole["closing_balance"]),
        (&json!(0), &json!(270))
    );
    assert_eq!(
        (&whole["from"], &whole["to"]),
        (&json!("1900-01-01T00:00:00.000000Z"), &json!(LAST))
    );
    let of_1900 = page(&format!(
        "{statement}&from={FIRST}&to=1900-01-01T00:00:00.000001Z"
    ))
    .await;
    assert_eq!(list(&of_1900).len(), 2);
}

on_both_databases!(an_import_has_the_same_range_and_takes_a_day_alone_too);
async fn an_import_has_the_same_range_and_takes_a_day_alone_too(database: Database) {
    // The signal may arrive before the server listens for it; the seeded rows exist all the same.
    Florin::start(&database, &[]).terminate();
    let path = database.folder().join("books.csv");
    let imported = |at: &str| {
        let text = format!(
            "record,account,currency,transaction,side,amount,kind,effective_at,external_id\n\
             account,assets:bank,EUR,,,,,,\naccount,equity:opening,EUR,,,,,,\n\
             entry,assets:bank,EUR,1,debit,12.50,opening,{at},{at}\n\
             entry,equity:opening,EUR,1,credit,12.50,opening,{at},{at}\n"
        );
        std::fs::write(&path, text).expect("writable");
        let path = path.to_str().expect("plain names");
        let output = run(
            &[
                "import",
                "--format",
                "csv",
                path,
                "--database-url",
                database.url(),
            ],
            b"",
        );
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let days = ["1899-12-31", "9999-01-01", "0000-12-31"];
    let malformed = ["-000001-01-01", "2026-02-30", "2026-11-21T09:30:00"];
    let before = rows(&database);
    for at in BEYOND
        .into_iter()
        .chain(days)
        .chain(malformed)
        .chain(MALFORMED.into_iter().filter(|at| *at != "2026-11-21"))
    {
        let (status, said) = imported(at);
        assert_eq!(status, Some(1), "{at}: {said}");
        assert!(
            said.contains("books.csv:4: effective_at") && said.contains("1900-01-01 to 9998-12-31"),
            "{at}: {said}"
        );
    }
    assert_eq!(rows(&database), before, "nothing of it was kept");
    for at in [
        FIRST,
        "1900-01-02",
        "1969-12-31",
        "2026-01-31T09:30:00.000001+23:59",
    ] {
        let (status, said) = imported(at);
        assert_eq!(status, Some(0), "{at}: {said}");
    }
    programs_agree(&database);
    books_hold(&database);
}

on_both_databases!(what_older_books_have_beyond_the_range_is_read_and_exported);
async fn what_older_books_have_beyond_the_range_is_read_and_exported(database: Database) {
    let books = Books::open(&database).await;
    let mut made = Vec::new();
    for key in ["late", "early"] {
        let gift = books.gift("effective_at", json!(FIRST));
        let reply = books
            .client
            .post("/v1/transactions", Some(key), &gift)
            .await;
        made.push(text(&reply.json(), "/id"));
    }
    let bytes = |id: &str| {
        let digits = id.trim_start_matches("txn_");
        match database.kind() {
            Kind::Sqlite => format!("x'{digits}'"),
            Kind::Postgres => format!("'\\x{digits}'::bytea"),
        }
    };
    let moved = [
        (
            &made[0],
            253_402_207_200_000_001_i64,
            "9999-12-30T22:00:00.000001Z",
        ),
        (
            &made[1],
            -62_135_596_800_000_001,
            "0000-12-31T23:59:59.999999Z",
        ),
    ];
    let statements = moved.map(|(id, micros, _)| {
        let id = bytes(id);
        format!("UPDATE ledger_transaction SET effective_at = {micros} WHERE id = {id}")
    });
    tamper(&database, &statements.join("; "));
    let (json, csv) = (exported(&database, "json"), exported(&database, "csv"));
    for (id, _, shown) in moved {
        let read = books.client.get(&format!("/v1/transactions/{id}")).await;
        assert_eq!(read.json()["effective_at"], shown);
        assert!(json.contains(shown) && csv.contains(shown), "{shown}");
        for format in ["hledger", "beancount"] {
            let text = exported(&database, format);
            assert!(text.contains(shown), "{format} {shown}");
        }
    }
    let listed = books
        .client
        .get("/v1/transactions?to=9999-12-31T23:59:59Z")
        .await;
    assert_eq!(list(&listed.json()).len(), 2);
    programs_agree(&database);
}
