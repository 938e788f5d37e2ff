//! Custom assets over HTTP: registered once, held, moved and exchanged like any currency, unknown to other tenants,
//! and refused wherever they are not registered.

use serde_json::{Value, json};
use tests::{Client, Database, Kind, Reply, on_both_databases, run};

use crate::accounting_programs::exported;
use crate::books_hold;
use crate::given::{is_problem, rows, text};
use crate::shop::{Shop, list, pointers, second_tenant};

/// A dollar asset with six decimal places.
fn usdc() -> Value {
    json!({"code": "USDC", "exponent": 6, "name": "USD Coin"})
}

async fn register(client: &Client, asset: &Value) -> Reply {
    client.post("/v1/assets", None, asset).await
}

/// An account without limits.
async fn open(shop: &Shop, code: &str, currency: &str) -> String {
    shop.account(&json!({"code": code, "currency": currency, "floor": null}))
        .await
}

async fn registered(shop: &Shop, asset: &Value) {
    let made = register(&shop.client, asset).await;
    assert_eq!(made.status, 201, "{}", made.json());
}

on_both_databases!(an_asset_is_registered_held_moved_and_shown);
async fn an_asset_is_registered_held_moved_and_shown(database: Database) {
    let shop = Shop::open(&database);
    let made = shop.client.post("/v1/assets", "asset", &usdc()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let asset = made.json();
    let shown = ["object", "code", "exponent", "name"].map(|field| asset[field].clone());
    let expected = [json!("asset"), json!("USDC"), json!(6), json!("USD Coin")];
    assert_eq!(shown, expected);
    let again = shop.client.post("/v1/assets", "asset", &usdc()).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let one = shop.client.get("/v1/assets/USDC").await;
    assert_eq!((one.status, one.json()), (200, asset.clone()));
    // Without a name, the code is the name. The list is by code, a page at a time.
    registered(&shop, &json!({"code": "POINTS", "exponent": 0})).await;
    let first = shop.client.get("/v1/assets?limit=1").await.json();
    assert_eq!(list(&first)[0]["name"], "POINTS");
    let cursor = text(&first, "/next_cursor");
    let rest = format!("/v1/assets?limit=1&cursor={cursor}");
    let second = shop.client.get(&rest).await.json();
    assert_eq!(
        (list(&second), &second["next_cursor"]),
        (vec![asset], &Value::Null)
    );

    let source = open(&shop, "equity:usdc", "USDC").await;
    let ann = open(&shop, "liabilities:ann", "USDC").await;
    let transfer = json!({"from": source, "to": ann, "amount": 1_500_000, "currency": "USDC"});
    let moved = shop.client.post("/v1/transfers", "t", &transfer).await;
    assert_eq!(
        (moved.status, &moved.json()["currency"]),
        (201, &json!("USDC"))
    );
    // A replay is made again from the stored transaction, and is the same.
    let replayed = shop.client.post("/v1/transfers", "t", &transfer).await;
    assert_eq!(replayed.body, moved.body);
    let posting = json!({"debit": source, "credit": ann, "amount": 1, "currency": "USDC"});
    let transaction = json!({"kind": "gift", "postings": [posting], "pending": true,
        "conditions": [{"account": ann, "available_at_least": 1}]});
    let pending = shop
        .client
        .post("/v1/transactions", "p", &transaction)
        .await;
    assert_eq!(pending.status, 201, "{}", pending.json());
    assert_eq!(pending.json()["postings"][0]["currency"], "USDC");
    let post = json!({"post": text(&pending.json(), "/id")});
    let bulk =
        json!({"atomic": true, "transactions": [{"kind": "gift", "postings": [posting]}, post]});
    let bulk = shop.client.post("/v1/transactions/bulk", "b", &bulk).await;
    assert_eq!(bulk.status, 200, "{}", bulk.json());

    let account = shop.read(&ann).await;
    assert_eq!(
        (&account["currency"], &account["balances"]["posted"]),
        (&json!("USDC"), &json!(1_500_002))
    );
    assert_eq!(shop.entries(&ann).await[0]["currency"], "USDC");
    let year = "from=2020-01-01T00:00:00Z&to=2120-01-01T00:00:00Z";
    let statement = format!("/v1/accounts/{ann}/statement?{year}");
    let statement = shop.client.get(&statement).await.json();
    assert_eq!(
        (&statement["currency"], &statement["closing_balance"]),
        (&json!("USDC"), &json!(1_500_002))
    );
    let trial = shop.client.get("/v1/trial-balance").await.json();
    let total = &trial["totals"][0];
    assert_eq!(
        (&total["currency"], &total["debits"], &total["balance"]),
        (&json!("USDC"), &json!(1_500_002), &json!(0))
    );
    assert_eq!(trial["data"][0]["currency"], "USDC");
    books_hold(&database);
}

on_both_databases!(euro_buys_an_asset_with_six_places);
async fn euro_buys_an_asset_with_six_places(database: Database) {
    let shop = Shop::open(&database);
    registered(&shop, &usdc()).await;
    let euro = shop.wallet("liabilities:ann:eur", 10_000).await;
    let coins = shop
        .account(&json!({"code": "liabilities:ann:usdc", "currency": "USDC"}))
        .await;
    let sold_to = open(&shop, "liabilities:liquidity:eur", "EUR").await;
    let bought_from = open(&shop, "liabilities:liquidity:usdc", "USDC").await;
    let exchange = json!({
        "from": euro, "to": coins, "sold_to": sold_to, "bought_from": bought_from,
        "sell": 5_001, "rate": "1.08425", "source": "desk", "quoted_at": "2026-11-20T15:00:00Z",
    });
    let made = shop.client.post("/v1/exchanges", "x", &exchange).await;
    assert_eq!(made.status, 201, "{}", made.json());
    // 50.01 euro are 54.2233425 coins.
    let told = made.json();
    assert_eq!(told["sold"], json!({"amount": 5_001, "currency": "EUR"}));
    assert_eq!(
        told["bought"],
        json!({"amount": 54_223_342, "currency": "USDC"})
    );
    let id = text(&told, "/transaction/id");
    let read = shop.client.get(&format!("/v1/exchanges/{id}")).await;
    assert_eq!(read.json(), told);
    assert_eq!(shop.read(&coins).await["balances"]["posted"], 54_223_342);
    books_hold(&database);
}

on_both_databases!(what_is_no_asset_is_refused_and_a_code_is_registered_once);
async fn what_is_no_asset_is_refused_and_a_code_is_registered_once(database: Database) {
    let shop = Shop::open(&database);
    registered(&shop, &usdc()).await;
    let before = rows(&database);
    // A code and an exponent as JSON, the field that is wrong, and its fault.
    for (code, exponent, pointer, rule) in [
        ("EUR", "2", "/code", "taken_by_iso"),
        ("DEM", "2", "/code", "taken_by_iso"),
        ("XAU", "2", "/code", "taken_by_iso"),
        ("usdt", "6", "/code", "malformed_code"),
        ("US", "6", "/code", "malformed_code"),
        ("USDT/6", "6", "/code", "malformed_code"),
        ("", "6", "/code", "too_short"),
        ("USDT", "19", "/exponent", "out_of_range"),
        ("USDT", "-1", "/exponent", "out_of_range"),
        ("USDT", "null", "/exponent", "expected_integer"),
        ("USDT", "6, \"symbol\": 1", "/symbol", "unknown_field"),
    ] {
        let asset = format!(r#"{{"code": "{code}", "exponent": {exponent}}}"#);
        let asset: Value = serde_json::from_str(&asset).expect("JSON");
        let refused = register(&shop.client, &asset).await;
        assert_eq!(refused.status, 422, "{asset}: {}", refused.json());
        assert_eq!(pointers(&refused), [pointer], "{asset}");
        assert_eq!(text(&refused.json(), "/errors/0/code"), rule, "{asset}");
    }
    for absent in ["USDT", "EUR", "usdc", "USDC%2F6"] {
        let reply = shop.client.get(&format!("/v1/assets/{absent}")).await;
        is_problem(absent, &reply, 404, "not_found");
    }
    assert_eq!(rows(&database), before, "something was written");

    // A code keeps its exponent. That it is taken is a decision, so a retry gets it again.
    for (key, exponent) in [("same", 6), ("other", 8)] {
        let again = json!({"code": "USDC", "exponent": exponent});
        let refused = shop.client.post("/v1/assets", key, &again).await;
        is_problem(key, &refused, 409, "asset_exists");
        assert_eq!(pointers(&refused), ["/code"]);
        assert_eq!(text(&refused.json(), "/resource"), "USDC");
        let retried = shop.client.post("/v1/assets", key, &again).await;
        assert_eq!(retried.header("idempotent-replayed"), Some("true"));
    }
    assert_eq!(database.number("SELECT count(*) FROM asset"), 1);
    books_hold(&database);
}

on_both_databases!(what_is_not_registered_is_refused_by_its_field);
async fn what_is_not_registered_is_refused_by_its_field(database: Database) {
    let shop = Shop::open(&database);
    registered(&shop, &usdc()).await;
    let source = open(&shop, "equity:usdc", "USDC").await;
    let ann = open(&shop, "liabilities:ann", "USDC").await;
    let before = rows(&database);
    let transfer =
        |currency: &str| json!({"from": ann, "to": source, "amount": 1, "currency": currency});
    let posting =
        |currency: &str| json!({"debit": source, "credit": ann, "amount": 1, "currency": currency});
    let two = |currency| json!({"kind": "gift", "postings": [posting("USDC"), posting(currency)]});
    for currency in ["USDT", "usdc", "USDC/6", "USDC/8", "XAU"] {
        let account = json!({"code": "x", "currency": currency});
        let bulk = json!({"atomic": false, "transactions": [two("USDC"), two(currency)]});
        for (path, body, pointer) in [
            ("/v1/accounts", account, "/currency"),
            ("/v1/transfers", transfer(currency), "/currency"),
            ("/v1/transactions", two(currency), "/postings/1/currency"),
            (
                "/v1/transactions/bulk",
                bulk,
                "/transactions/1/postings/1/currency",
            ),
        ] {
            let refused = shop.client.post(path, "refused", &body).await;
            is_problem(path, &refused, 422, "invalid_field");
            assert_eq!(pointers(&refused), [pointer], "{currency}");
            assert_eq!(text(&refused.json(), "/errors/0/code"), "unknown_currency");
            let detail = text(&refused.json(), "/detail");
            assert!(detail.contains("POST /v1/assets"), "{detail}");
        }
    }
    // No provider takes the asset, registered or not.
    let payment = json!({"amount": 1, "currency": "USDC", "payment_method": "pm_succeeds"});
    let refused = shop.client.post("/v1/payments", "refused", &payment).await;
    is_problem("a payment", &refused, 422, "invalid_field");
    assert_eq!(pointers(&refused), ["/currency"]);
    assert!(text(&refused.json(), "/detail").contains("provider"));
    // Its accounts hold only this asset, like accounts of any currency.
    let refused = shop
        .client
        .post("/v1/transfers", "refused", &transfer("EUR"))
        .await;
    is_problem("another currency", &refused, 422, "currency_mismatch");
    let accounts = shop.client.get("/v1/accounts?limit=1").await.json();
    let foreign = format!("/v1/assets?cursor={}", text(&accounts, "/next_cursor"));
    let foreign = shop.client.get(&foreign).await;
    is_problem("another list's cursor", &foreign, 400, "invalid_query");
    assert_eq!(rows(&database), before, "something was written");
    books_hold(&database);
}

on_both_databases!(another_tenants_asset_is_unseen);
async fn another_tenants_asset_is_unseen(database: Database) {
    let shop = Shop::open(&database);
    let stranger = Client::new(shop.florin.api(), second_tenant(&database).await);
    registered(&shop, &usdc()).await;
    // The register is in memory now, for the tenant who registered the asset.
    open(&shop, "equity:usdc", "USDC").await;
    let absent = stranger.get("/v1/assets/USDC").await;
    is_problem("another tenant's", &absent, 404, "not_found");
    assert_eq!(
        list(&stranger.get("/v1/assets").await.json()),
        Vec::<Value>::new()
    );
    let account = json!({"code": "equity:usdc", "currency": "USDC"});
    let refused = stranger.post("/v1/accounts", None, &account).await;
    is_problem("another tenant's", &refused, 422, "invalid_field");
    // The other tenant may register the same code with another exponent.
    let theirs = register(&stranger, &json!({"code": "USDC", "exponent": 2})).await;
    assert_eq!(theirs.status, 201, "{}", theirs.json());
    let opened = stranger.post("/v1/accounts", None, &account).await;
    assert_eq!(opened.status, 201, "{}", opened.json());
    assert_eq!(
        database.number("SELECT count(*) FROM account WHERE currency = 'USDC/2'"),
        1
    );
    assert_eq!(
        database.number("SELECT count(*) FROM account WHERE currency = 'USDC/6'"),
        1
    );
    books_hold(&database);
}

on_both_databases!(what_another_process_has_registered_is_seen);
async fn what_another_process_has_registered_is_seen(database: Database) {
    let shop = Shop::open(&database);
    let other = shop.beside(&database);
    let account = json!({"code": "equity:usdc", "currency": "USDC", "floor": null});
    let early = shop.client.post("/v1/accounts", None, &account).await;
    is_problem("not registered yet", &early, 422, "invalid_field");
    registered(&other, &usdc()).await;
    let source = shop.account(&account).await;
    let ann = open(&other, "liabilities:ann", "USDC").await;
    let body = json!({"from": source, "to": ann, "amount": 7, "currency": "USDC"});
    for (key, server) in [("one", &shop), ("two", &other)] {
        let moved = server.client.post("/v1/transfers", key, &body).await;
        assert_eq!(moved.status, 201, "{}", moved.json());
    }
    // Both servers register the code at the same time: one of them wins, with its own exponent.
    let points = |exponent: i64| json!({"code": "POINTS", "exponent": exponent});
    let (one, two) = (points(0), points(2));
    let (one, two) = tokio::join!(register(&shop.client, &one), register(&other.client, &two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", one.json(), two.json());
    let exponent = if one.status == 201 { 0 } else { 2 };
    let kept = shop.client.get("/v1/assets/POINTS").await.json();
    assert_eq!(kept["exponent"], exponent);
    books_hold(&database);
}

/// The result of an import of this document: its exit code, and its output.
fn imported(database: &Database, name: &str, document: &str) -> (Option<i32>, String) {
    let path = database.folder().join(name);
    std::fs::write(&path, document).expect("writable");
    let path = path.to_str().expect("plain names");
    let verb = [
        "import",
        "--format",
        "json",
        path,
        "--database-url",
        database.url(),
    ];
    let output = run(&verb, b"");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

on_both_databases!(books_bring_their_assets_with_them);
async fn books_bring_their_assets_with_them(database: Database) {
    let shop = Shop::open(&database);
    let holding = |account: &str, currency: &str| {
        format!(
            "{{\"format\":\"florin\",\"version\":1,\"accounts\":[\n{{\"code\":\"{account}\",\"currency\":\"{currency}\",\"class\":\"asset\"}}]}}"
        )
    };
    let (code, said) = imported(&database, "coins.json", &holding("assets:coins", "COIN/8"));
    assert_eq!(code, Some(0), "{said}");
    let coin = shop.client.get("/v1/assets/COIN").await;
    assert_eq!((coin.status, &coin.json()["exponent"]), (200, &json!(8)));
    let bought = open(&shop, "equity:coins", "COIN").await;
    let coins = shop.find("assets:coins").await.expect("it is there");
    let posting = json!({"debit": coins["id"], "credit": bought, "amount": 3, "currency": "COIN"});
    let bought = json!({"kind": "opening", "postings": [posting]});
    let bought = shop.client.post("/v1/transactions", "o", &bought).await;
    assert_eq!(bought.status, 201, "{}", bought.json());

    let before = rows(&database);
    let (code, said) = imported(&database, "other.json", &holding("assets:other", "COIN/2"));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("other.json:2: currency the asset is registered with 8 decimal places"),
        "{said}"
    );
    assert_eq!(rows(&database), before);
    let (code, said) = imported(&database, "more.json", &holding("assets:more", "COIN/8"));
    assert_eq!(code, Some(0), "{said}");

    // The export is imported elsewhere, and is the same there.
    assert_eq!(shop.florin.terminate().code(), Some(0));
    let there = Database::fresh(Kind::Sqlite).expect("it is built in");
    let elsewhere = Shop::open(&there);
    let (code, said) = imported(&there, "books.json", &exported(&database, "json"));
    assert_eq!(code, Some(0), "{said}");
    let coins = elsewhere.find("assets:coins").await.expect("it is there");
    assert_eq!(
        (&coins["currency"], &coins["balances"]["posted"]),
        (&json!("COIN"), &json!(3))
    );
    let coin = elsewhere.client.get("/v1/assets/COIN").await.json();
    assert_eq!(coin["exponent"], 8);
    for books in [&database, &there] {
        books_hold(books);
    }
}

on_both_databases!(books_that_are_older_than_the_register_have_their_assets_in_it);
async fn books_that_are_older_than_the_register_have_their_assets_in_it(database: Database) {
    let shop = Shop::open(&database);
    registered(&shop, &usdc()).await;
    open(&shop, "equity:usdc", "USDC").await;
    open(&shop, "liabilities:ann", "USDC").await;
    assert_eq!(shop.florin.terminate().code(), Some(0));
    // The books as they were before the migration.
    database.execute_raw(match database.kind() {
        Kind::Sqlite => "DROP TRIGGER account_fits; DROP TABLE asset",
        Kind::Postgres => "DROP FUNCTION refuse_unregistered_asset CASCADE; DROP TABLE asset",
    });
    // The later migration must run again too: it made the ids of tenants longer, also in the table of assets.
    database.execute_raw(
        "DELETE FROM __diesel_schema_migrations WHERE version IN ('20261122000004', '20261129000010')",
    );
    let shop = Shop::open(&database);
    let asset = shop.client.get("/v1/assets/USDC").await.json();
    assert_eq!(
        (&asset["exponent"], &asset["name"]),
        (&json!(6), &json!("USDC"))
    );
    open(&shop, "liabilities:bob", "USDC").await;
    books_hold(&database);
}
