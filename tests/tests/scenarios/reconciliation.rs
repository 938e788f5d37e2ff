//! Reconciliation: what the provider settles and what the bank's statement says, held against the books.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::books_hold;
use crate::given::{eventually, is_problem, number, text};
use crate::shop::{CLEARING, PRICE, Shop, list, pointers};
use crate::tenants::verb;

const TRANSIT: &str = "assets:provider_payout_transit:EUR";
/// The provider's fee for [`PRICE`].
const COST: i64 = PRICE / 100 + 10;

impl Shop {
    pub(crate) fn bank(&self) -> Client {
        Client::new(self.florin.sandbox(), None)
    }

    /// Lets the provider settle, and writes its report into a file.
    pub(crate) async fn settled(&self, database: &Database) -> (String, PathBuf) {
        let made = self.bank().post("/v1/settlements", None, &json!({})).await;
        assert_eq!(made.status, 200, "{}", made.json());
        let id = text(&made.json(), "/id");
        let report = self
            .bank()
            .get(&format!("/v1/settlements/{id}/report"))
            .await;
        let path = write(database, &format!("{id}.csv"), &report.body);
        (id, path)
    }

    /// Writes the bank's statements into a file.
    pub(crate) async fn statement(&self, database: &Database) -> PathBuf {
        let statement = self.bank().get("/v1/bank/statement").await;
        write(database, "statement.sta", &statement.body)
    }

    /// The open exceptions, newest first.
    pub(crate) async fn open_exceptions(&self) -> Vec<Value> {
        let path = "/v1/reconciliation_exceptions?status=open&limit=100";
        list(&self.client.get(path).await.json())
    }
}

pub(crate) fn write(database: &Database, name: &str, bytes: &[u8]) -> PathBuf {
    let path = database.folder().join(name);
    std::fs::write(&path, bytes).expect("a scratch folder can be written");
    path
}

/// Runs `florin reconcile`, and returns its exit status and its JSON.
pub(crate) fn reconcile(database: &Database, words: &[&str]) -> (Option<i32>, Value) {
    let words = [&["reconcile", "--json", "--days", "0"], words].concat();
    let (code, said, heard) = verb(database, &words);
    let said = serde_json::from_str(&said);
    (code, said.unwrap_or_else(|_| panic!("{heard}")))
}

pub(crate) fn shown(path: &std::path::Path) -> &str {
    path.to_str().expect("plain names")
}

/// A moved report: each line changed by this function, without the head.
fn changed(path: &std::path::Path, change: impl Fn(&str) -> Vec<String>) -> Vec<u8> {
    let report = std::fs::read_to_string(path).expect("it was written");
    let mut lines = report.lines();
    let mut text = lines.next().unwrap_or_default().to_owned();
    for line in lines.flat_map(change) {
        text += "\n";
        text += &line;
    }
    text.push('\n');
    text.into_bytes()
}

on_both_databases!(from_a_first_payment_to_a_payout_that_is_on_the_statement);
async fn from_a_first_payment_to_a_payout_that_is_on_the_statement(database: Database) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    assert_eq!(
        shop.client
            .post("/v1/payment_terms", None, &terms)
            .await
            .status,
        201
    );
    let paid = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    let parts = text(&shop.authorize("k-2", "pm_succeeds").await, "/id");
    let part = json!({"amount": 99, "final": false});
    assert_eq!(shop.ask(&parts, "capture", "c-1", &part).await.status, 200);
    assert_eq!(
        shop.ask(&parts, "capture", "c-2", &json!({})).await.status,
        200
    );
    let refund = shop
        .ask(&paid, "refunds", "r-1", &json!({"amount": 99}))
        .await;
    assert_eq!(refund.status, 201);
    let taken = 2 * PRICE - 99;
    assert_eq!(shop.posted(CLEARING).await, taken);

    let (settlement, report) = shop.settled(&database).await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);

    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said["report"]["matched"], 4, "{said}");
    // The fee of each capture is a hundredth and 10.
    let cost = COST + 10 + ((PRICE - 99) / 100 + 10);
    assert_eq!(shop.posted(CLEARING).await, 0);
    assert_eq!(shop.posted(TRANSIT).await, taken - cost);
    assert_eq!(shop.posted("expenses:psp_fees:EUR").await, cost);
    let settlements = list(&shop.client.get("/v1/settlements").await.json());
    assert_eq!(settlements[0]["reference"], json!(settlement));
    assert_eq!(number(&settlements[0], "/net"), taken - cost);
    assert_eq!(number(&settlements[0], "/lines"), 4);
    let path = format!(
        "/v1/settlements/{}/lines?limit=3",
        text(&settlements[0], "/id")
    );
    let page = shop.client.get(&path).await.json();
    let next = text(&page, "/next_cursor");
    let rest = shop
        .client
        .get(&format!("{path}&cursor={next}"))
        .await
        .json();
    let lines = [list(&page), list(&rest)].concat();
    assert_eq!(lines.len(), 4);
    assert!(
        lines.iter().all(|line| line["status"] == "matched"),
        "{lines:?}"
    );
    let sum: i64 = lines.iter().map(|line| number(line, "/net")).sum();
    assert_eq!(sum, taken - cost);
    let absent = "/v1/settlements/set_00000000000000000000000000000000/lines";
    is_problem("absent", &shop.client.get(absent).await, 404, "not_found");

    // The same report again adds nothing.
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(
        (code, &said["report"]["known"]),
        (Some(0), &json!(4)),
        "{said}"
    );
    assert_eq!(said["report"]["matched"], 0);

    // A payout, and the statement with both.
    crate::funds::balance_becomes(&shop, [0, taken, 0, 0]).await;
    let body = json!({"amount": 1000, "currency": "EUR", "destination": "ba_succeeds"});
    assert_eq!(
        shop.client.post("/v1/payouts", "p-1", &body).await.status,
        201
    );
    let statement = shop.statement(&database).await;
    let (code, said) = reconcile(&database, &["--statement", shown(&statement)]);

    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        (&said["bank"]["settlements"], &said["bank"]["payouts"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shop.posted(TRANSIT).await, 0);
    assert_eq!(shop.posted("assets:bank:EUR").await, taken - cost - 1000);
    let settlements = list(&shop.client.get("/v1/settlements").await.json());
    assert_eq!(settlements[0]["banked"], settlements[0]["net"]);
    // The statement grows, and what is known is not counted twice.
    let statement = shop.statement(&database).await;
    let (code, said) = reconcile(&database, &["--statement", shown(&statement)]);
    assert_eq!(
        (code, &said["bank"]["known"]),
        (Some(0), &json!(2)),
        "{said}"
    );
    let (code, table, _) = verb(&database, &["reconcile", "--statement", shown(&statement)]);
    assert!(
        code == Some(0) && table.contains("nothing is open"),
        "{table}"
    );
    books_hold(&database);
}

/// A report of five payments, and the same with a mistake of each kind.
async fn tampered(shop: &Shop, database: &Database) -> (PathBuf, PathBuf) {
    let mut charges = Vec::new();
    for place in 0..5 {
        let paid = shop.pay(&format!("k-{place}"), "pm_succeeds").await.json();
        charges.push(text(&shop.charge_of(&text(&paid, "/id")).await, "/id"));
    }
    let (settlement, report) = shop.settled(database).await;
    let tampered = changed(&report, |line| {
        let of = |place: usize| line.contains(&format!(",{},", charges[place]));
        let mut own = vec![line.to_owned()];
        if of(0) {
            // Another amount.
            own = vec![line.replace("10.99,0.20,10.79", "11.99,0.20,11.79")];
        } else if of(1) {
            // Another currency.
            own = vec![line.replace(",EUR,", ",USD,")];
        } else if of(2) {
            // The same twice, under another id: another content is needed to be another line.
            own.push(line.replace("10.99,0.20,10.79", "10.99,0.30,10.69"));
        } else if of(3) {
            // Left out.
            own.clear();
        }
        own
    });
    let extra = format!(
        "x,capture,ch_unheard,,5.00,0.10,4.90,EUR,2026-11-30,{settlement}\n\
         y,fee,,,0.00,3.00,-3.00,EUR,2026-11-30,{settlement}\n\
         z,capture,{},,0.01,0.00,0.01,EUR,2026-11-30,{settlement}\n",
        "ch_also_unheard"
    );
    let path = write(
        database,
        "tampered.csv",
        &[tampered, extra.into_bytes()].concat(),
    );
    (report, path)
}

on_both_databases!(a_payout_that_came_back_is_on_the_statement_twice);
async fn a_payout_that_came_back_is_on_the_statement_twice(database: Database) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    let terms = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(terms.status, 201);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    crate::funds::balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let body = json!({"amount": 1000, "currency": "EUR", "destination": "ba_pending"});
    let made = shop.client.post("/v1/payouts", "p-1", &body).await;
    assert_eq!(made.status, 202, "{}", made.json());
    let journal = shop.journal().await;
    let payout = journal.iter().find(|row| row["object"] == "payout");
    let payout = text(payout.expect("it was asked for"), "/id");
    for step in ["succeed", "return"] {
        let path = format!("/v1/payouts/{payout}/{step}");
        let done = shop.bank().post(&path, None, &json!({})).await;
        assert_eq!(done.status, 200, "{step}");
        shop.drain().await;
    }
    let (_, report) = shop.settled(&database).await;
    let statement = shop.statement(&database).await;
    let words = ["--report", shown(&report), "--statement", shown(&statement)];

    let (code, said) = reconcile(&database, &words);

    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said["bank"]["payouts"], 2, "{said}");
    assert_eq!(shop.posted(TRANSIT).await, 0);
    assert_eq!(shop.posted("assets:bank:EUR").await, PRICE - COST);
    books_hold(&database);
}

on_both_databases!(each_difference_is_an_exception_of_its_kind_until_a_person_resolves_it);
async fn each_difference_is_an_exception_of_its_kind_until_a_person_resolves_it(
    database: Database,
) {
    let shop = Shop::open(&database);
    let (report, path) = tampered(&shop, &database).await;

    let (code, said) = reconcile(&database, &["--report", shown(&path)]);

    assert_eq!(code, Some(3), "{said}");
    assert_eq!(said["report"]["matched"], 2, "{said}");
    assert_eq!(said["adds_up"], true, "{said}");
    let open = shop.open_exceptions().await;
    let mut kinds: Vec<&str> = open.iter().filter_map(|one| one["kind"].as_str()).collect();
    kinds.sort_unstable();
    // Both wrong lines leave their payment without a line, and so does the one that was left out.
    assert_eq!(
        kinds,
        [
            "amount",
            "currency",
            "duplicate",
            "fee",
            "missing_here",
            "missing_here",
            "missing_there",
            "missing_there",
            "missing_there"
        ],
        "{open:?}"
    );
    books_hold(&database);

    // The right report resolves what it explains; the wrong lines wait for a person.
    let (_, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(said["report"]["matched"], 3, "{said}");
    assert_eq!(said["report"]["resolved"], 3, "{said}");
    let open = shop.open_exceptions().await;
    assert_eq!(open.len(), 6, "{open:?}");
    let one = |kind: &str| {
        open.iter()
            .find(|one| one["kind"] == kind)
            .expect("it is open")
    };
    let resolve = async |of: &Value, key: &str, how: &str| {
        let path = format!("/v1/reconciliation_exceptions/{}/resolve", text(of, "/id"));
        let body = json!({"resolution": how, "reason": "seen with the provider"});
        shop.client.post(&path, key, &body).await
    };
    let before = shop.posted(TRANSIT).await;
    let fees = shop.posted("expenses:psp_fees:EUR").await;
    let done = resolve(one("fee"), "e-1", "posted_as_fee").await;
    assert_eq!(
        (done.status, &done.json()["status"]),
        (200, &json!("resolved")),
        "{}",
        done.json()
    );
    assert_eq!(shop.posted(TRANSIT).await, before - 300);
    assert_eq!(shop.posted("expenses:psp_fees:EUR").await, fees + 300);
    let left = done.json()["balances_after"].clone();
    let posted = |place: usize| (left[place]["code"].clone(), number(&left[place], "/posted"));
    assert_eq!(
        [posted(0), posted(1)],
        [
            (json!("expenses:psp_fees:EUR"), fees + 300),
            (json!(TRANSIT), before - 300)
        ]
    );
    let again = resolve(one("fee"), "e-2", "accepted").await;
    is_problem("resolved", &again, 409, "exception_resolved");
    let done = resolve(one("missing_here"), "e-3", "posted_as_unallocated").await;
    assert_eq!(done.status, 200, "{}", done.json());
    assert!(shop.posted("liabilities:unallocated_receipts:EUR").await > 0);
    let done = resolve(one("amount"), "e-4", "accepted").await;
    assert_eq!(
        done.json()["balances_after"],
        json!([]),
        "nothing is posted"
    );
    assert_eq!(
        done.json()["resolved_by"].as_str().map(|by| !by.is_empty()),
        Some(true)
    );
    let wrong = resolve(one("duplicate"), "e-5", "matched").await;
    is_problem("no word for people", &wrong, 422, "invalid_field");
    let absent = json!({"id": "exc_00000000000000000000000000000000"});
    is_problem(
        "absent",
        &resolve(&absent, "e-6", "accepted").await,
        404,
        "not_found",
    );
    books_hold(&database);
}

on_both_databases!(a_wrong_file_names_its_place_and_nothing_of_it_is_taken);
async fn a_wrong_file_names_its_place_and_nothing_of_it_is_taken(database: Database) {
    let shop = Shop::open(&database);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    assert_eq!(shop.pay("k-2", "pm_succeeds").await.status, 201);
    let (_, report) = shop.settled(&database).await;
    let statement = shop.statement(&database).await;
    let report_text = std::fs::read_to_string(&report).expect("written");
    let last = report_text.lines().last().unwrap_or_default().to_owned();
    let bad = report_text.replace(&last, &last.replace("10.79", "10.80"));
    let bad = write(&database, "bad.csv", bad.as_bytes());
    let statement_text = std::fs::read_to_string(&statement).expect("written");
    let short = statement_text
        .replacen(",62", ",61", 1)
        .replacen(",58", ",57", 1);
    let short = write(&database, "short.sta", short.as_bytes());

    let (code, said) = reconcile(&database, &["--report", shown(&bad)]);
    assert_eq!(code, Some(1), "{said}");
    let mistake = text(&said, "/mistake");
    assert!(mistake.starts_with("line 3, column 7 (net)"), "{mistake}");
    // A right report beside a wrong statement is not taken either.
    let (code, said) = reconcile(
        &database,
        &["--report", shown(&report), "--statement", shown(&short)],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(text(&said, "/mistake").contains("line "), "{said}");
    assert_eq!(database.number("SELECT count(*) FROM settlement_line"), 0);
    let (code, _, said) = verb(&database, &["reconcile"]);
    assert!(code == Some(2) && said.contains("--report"), "{said}");
    books_hold(&database);
}

on_both_databases!(what_has_no_outcome_yet_is_matched_by_the_same_report_later);
async fn what_has_no_outcome_yet_is_matched_by_the_same_report_later(database: Database) {
    let shop = Shop::open_with(&database, &["--provider-timeout-ms", "60000"]);
    // The provider takes the money and does not answer, so the books do not know it yet.
    let waits = shop.pay_waiting("k-1", "pm_times_out", 0).await;
    assert_eq!(waits.status, 202);
    let report = eventually("the provider has taken the money", async || {
        let made = shop.bank().post("/v1/settlements", None, &json!({})).await;
        let id = (made.status == 200).then(|| text(&made.json(), "/id"))?;
        let report = shop
            .bank()
            .get(&format!("/v1/settlements/{id}/report"))
            .await;
        Some(write(&database, "early.csv", &report.body))
    })
    .await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(
        (code, &said["open_exceptions"]["timing"]),
        (Some(3), &json!(1)),
        "{said}"
    );

    let shop = {
        let Shop { florin, .. } = shop;
        florin.kill9();
        Shop::open(&database)
    };
    shop.drain().await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);

    assert_eq!(
        (code, &said["report"]["matched"]),
        (Some(0), &json!(1)),
        "{said}"
    );
    assert!(shop.open_exceptions().await.is_empty());
    books_hold(&database);
}

on_both_databases!(disputes_and_returns_are_settled_too);
async fn disputes_and_returns_are_settled_too(database: Database) {
    let shop = Shop::open(&database);
    let paid = text(&shop.pay("k-1", "pm_succeeds").await.json(), "/id");
    let charge = text(&shop.charge_of(&paid).await, "/id");
    let slow = text(&shop.pay("k-2", "pm_refund_pending").await.json(), "/id");
    assert_eq!(
        shop.ask(&slow, "refunds", "r-1", &json!({})).await.status,
        202
    );
    let journal = shop.journal().await;
    let refund = journal
        .iter()
        .find(|row| row["object"] == "refund")
        .expect("it was asked for");
    let refund = text(refund, "/id");
    for (path, body) in [
        (format!("/v1/refunds/{refund}/succeed"), json!({})),
        (format!("/v1/refunds/{refund}/return"), json!({})),
        (
            format!("/v1/charges/{charge}/disputes"),
            json!({"amount": 500, "reason": "x"}),
        ),
    ] {
        assert_eq!(
            shop.bank().post(&path, None, &body).await.status,
            200,
            "{path}"
        );
        shop.drain().await;
    }
    let dispute = list(&shop.client.get("/v1/disputes").await.json()).remove(0);
    let dispute = text(&dispute, "/provider_reference");
    for step in ["withdraw", "win", "reinstate"] {
        let path = format!("/v1/disputes/{dispute}/{step}");
        assert_eq!(
            shop.bank().post(&path, None, &json!({})).await.status,
            200,
            "{path}"
        );
        shop.drain().await;
    }
    let (_, report) = shop.settled(&database).await;

    let (code, said) = reconcile(&database, &["--report", shown(&report)]);

    assert_eq!(code, Some(0), "{said}");
    // Two captures, a refund and its return, a dispute and its reversal.
    assert_eq!(said["report"]["matched"], 6, "{said}");
    assert_eq!(shop.posted(CLEARING).await, 0);
    assert_eq!(shop.posted(TRANSIT).await, 2 * (PRICE - COST));
    books_hold(&database);
}

/// Where prices of providers are.
const PRICES: &str = "/v1/provider_prices";

/// The price of a capture: a hundredth, and this.
fn price(fixed: i64) -> Value {
    json!({"provider": "sandbox", "currency": "EUR", "kind": "capture", "rate": "0.01", "fixed": fixed})
}

async fn wrong_prices_are_refused(shop: &Shop) {
    for (field, value, code) in [
        ("kind", json!("payout"), "unknown_choice"),
        ("rate", json!("1.1"), "malformed_rate"),
        ("valid_from", json!("2026-02-30"), "malformed_day"),
        ("currency", json!("EURO"), "unknown_currency"),
        ("tolerance", json!(-1), "out_of_range"),
    ] {
        let mut wrong = price(10);
        wrong[field] = value;
        let refused = shop.client.post(PRICES, None, &wrong).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.json());
        let error = &refused.json()["errors"][0];
        assert_eq!(error["pointer"], format!("/{field}"));
        assert_eq!(error["code"], code, "{field}");
    }
    // A price for a provider that is not there would never be used.
    let mut unknown = price(10);
    unknown["provider"] = json!("sandbocks");
    let refused = shop.client.post(PRICES, None, &unknown).await;
    is_problem("unknown provider", &refused, 422, "invalid_field");
    assert_eq!(pointers(&refused), ["/provider"]);
    let mut limits = price(10);
    limits["least"] = json!(9);
    limits["most"] = json!(8);
    let refused = shop.client.post(PRICES, None, &limits).await;
    assert_eq!(
        (refused.status, pointers(&refused)),
        (422, vec!["/most".to_owned()])
    );
}

on_both_databases!(a_fee_that_is_not_the_agreed_one_is_an_exception);
async fn a_fee_that_is_not_the_agreed_one_is_an_exception(database: Database) {
    let north = [
        "--other-provider",
        "north=sandbox",
        "--provider-rule",
        "sandbox=*",
    ];
    let shop = Shop::open_with(&database, &north);
    wrong_prices_are_refused(&shop).await;

    // Without a price there is nothing to compare with.
    shop.pay("k-1", "pm_succeeds").await;
    let (_, report) = shop.settled(&database).await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(code, Some(0), "{said}");

    // By the price it is 10.99 rounded to 11, and 10. The provider rounds down: one minor unit less.
    let made = shop.client.post(PRICES, None, &price(10)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let agreed = made.json();
    assert_eq!(
        (&agreed["version"], &agreed["tolerance"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&agreed["rate"], &agreed["valid_from"]),
        (&json!("0.01"), &json!("1970-01-01"))
    );
    shop.pay("k-2", "pm_succeeds").await;
    let (_, report) = shop.settled(&database).await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(code, Some(0), "{said}");

    // Two less is not. Prices of another provider, another kind and another time count for other lines.
    assert_eq!(shop.client.post(PRICES, None, &price(7)).await.status, 201);
    for (field, value) in [
        ("provider", json!("north")),
        ("kind", json!("refund")),
        ("valid_from", json!("2999-01-01")),
    ] {
        let mut other = price(500);
        other[field] = value;
        assert_eq!(
            shop.client.post(PRICES, None, &other).await.status,
            201,
            "{field}"
        );
    }
    let listed = list(&shop.client.get(PRICES).await.json());
    assert_eq!(listed.len(), 5);
    assert_eq!((&listed[0]["version"], &listed[4]), (&json!(5), &agreed));
    let paid = text(&shop.pay("k-3", "pm_succeeds").await.json(), "/id");
    let before = shop.posted("expenses:psp_fees:EUR").await;
    let (_, report) = shop.settled(&database).await;
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);

    assert_eq!(code, Some(3), "{said}");
    assert_eq!(
        (&said["report"]["matched"], &said["report"]["open"]),
        (&json!(1), &json!(0)),
        "{said}"
    );
    // The money is what the provider says.
    assert_eq!(shop.posted("expenses:psp_fees:EUR").await, before + COST);
    let open = shop.open_exceptions().await;
    assert_eq!(open.len(), 1, "{open:?}");
    let exception = &open[0];
    assert_eq!(
        (
            &exception["kind"],
            &exception["expected_fee"],
            &exception["reported_fee"]
        ),
        (&json!("fee"), &json!(COST - 2), &json!(COST))
    );
    assert_eq!(exception["amount"], 2);
    assert!(
        text(exception, "/subject").starts_with("srl_"),
        "{exception}"
    );
    // The same report again opens no second one.
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(
        (code, &said["report"]["known"]),
        (Some(3), &json!(1)),
        "{said}"
    );
    assert_eq!(shop.open_exceptions().await.len(), 1);

    // There is no money to post a second time, and the line stays matched.
    let path = format!(
        "/v1/reconciliation_exceptions/{}/resolve",
        text(exception, "/id")
    );
    let twice = json!({"resolution": "posted_as_fee", "reason": "x"});
    let refused = shop.client.post(&path, "e-1", &twice).await;
    is_problem("posted already", &refused, 422, "nothing_to_post");
    let accepted = json!({"resolution": "accepted", "reason": "the provider pays it back"});
    let resolved = shop.client.post(&path, "e-2", &accepted).await;
    assert_eq!(resolved.status, 200, "{}", resolved.json());
    assert_eq!(resolved.json()["reported_fee"], COST);
    let settlements = list(&shop.client.get("/v1/settlements").await.json());
    let lines = format!("/v1/settlements/{}/lines", text(&settlements[0], "/id"));
    let lines = list(&shop.client.get(&lines).await.json());
    assert_eq!(lines[0]["status"], "matched");
    assert_eq!(shop.payment(&paid).await["status"], "succeeded");
    let (code, said) = reconcile(&database, &["--report", shown(&report)]);
    assert_eq!(code, Some(0), "{said}");
    books_hold(&database);
}
