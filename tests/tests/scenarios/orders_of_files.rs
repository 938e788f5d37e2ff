//! Reports and statements in every order: the end is the same.

use serde_json::json;
use tests::{Database, Kind, on_both_databases};

use crate::books_hold;
use crate::funds::balance_becomes;
use crate::given::{number, text};
use crate::payouts::{pay_out, payout, wanted};
use crate::reconciliation::{reconcile, shown};
use crate::shop::{PRICE, Shop};

/// What reconciliation has left behind, in words that do not depend on ids and times.
fn end(database: &Database) -> Vec<String> {
    let join = |what: &str, of: &str| match database.kind() {
        Kind::Sqlite => format!(
            "SELECT coalesce(group_concat(x, ';'), '') FROM (SELECT {what} AS x FROM {of} ORDER BY x)"
        ),
        Kind::Postgres => format!(
            "SELECT coalesce(string_agg(x, ';' ORDER BY x), '') FROM (SELECT {what} AS x FROM {of}) AS t"
        ),
    };
    [
        join("status || amount || coalesce(subject, '')", "bank_line"),
        join("reference || net || ' ' || banked", "settlement"),
        join("status || net", "settlement_line"),
        join("code || debits_posted || ' ' || credits_posted", "account"),
        join(
            "kind || amount",
            "reconciliation_exception WHERE status = 'open'",
        ),
    ]
    .iter()
    .map(|query| database.text(query))
    .collect()
}

on_both_databases!(reports_and_statements_may_come_in_any_order);
async fn reports_and_statements_may_come_in_any_order(database: Database) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    let terms = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(terms.status, 201);
    let mut reports = Vec::new();
    for key in ["k-1", "k-2"] {
        assert_eq!(shop.pay(key, "pm_succeeds").await.status, 201);
        reports.push(shop.settled(&database).await.1);
    }
    balance_becomes(&shop, [0, 2 * PRICE, 0, 0]).await;
    let paid = pay_out(&shop, "p-1", &wanted(500, "ba_succeeds")).await;
    assert_eq!(paid.status, 201);
    shop.drain().await;
    let statement = shop.statement(&database).await;
    assert!(shop.florin.terminate().success());
    let files = [
        ["--report", shown(&reports[0])],
        ["--report", shown(&reports[1])],
        ["--statement", shown(&statement)],
    ];
    let mut ends = Vec::new();
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let books = database.copy();
        let mut last = None;
        for place in order {
            last = Some(reconcile(&books, &files[place]));
        }
        let (code, said) = last.expect("three files were read");
        assert_eq!(code, Some(0), "{order:?}: {said}");
        assert_eq!(said["open_exceptions"], json!({}), "{order:?}");
        // Both settlements are on the statement. The last file is a report, or the statement itself.
        let later = i64::from(order[2] != 2);
        assert_eq!(
            number(&said, "/bank/matched_later"),
            later,
            "{order:?}: {said}"
        );
        ends.push((order, end(&books)));
        books_hold(&books);
    }
    let (_, first) = &ends[0];
    assert!(first[0].matches("matched").count() == 3, "{first:?}");
    for (order, end) in &ends {
        assert_eq!(end, first, "{order:?}");
    }
}

on_both_databases!(a_line_waits_for_the_outcome_of_its_payout_and_not_after_a_person_has_decided);
async fn a_line_waits_for_the_outcome_of_its_payout_and_not_after_a_person_has_decided(
    database: Database,
) {
    let shop = Shop::open(&database);
    let terms = json!({"currency": "EUR", "calendar": "every_day", "available_after_days": 0});
    let terms = shop.client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(terms.status, 201);
    assert_eq!(shop.pay("k-1", "pm_succeeds").await.status, 201);
    balance_becomes(&shop, [0, PRICE, 0, 0]).await;
    let mut waits = Vec::new();
    for key in ["p-1", "p-2"] {
        let made = pay_out(&shop, key, &wanted(100, "ba_pending")).await;
        assert_eq!(made.status, 202);
        waits.push(text(&made.json(), "/id"));
    }
    // The bank has paid both, and the provider does not know it yet.
    let hex = match database.kind() {
        Kind::Sqlite => "lower(hex(id))",
        Kind::Postgres => "encode(id, 'hex')",
    };
    let operations = ["ASC", "DESC"].map(|order| {
        let query = "FROM operation WHERE kind = 'payout' ORDER BY id";
        database.text(&format!("SELECT {hex} {query} {order} LIMIT 1"))
    });
    let entries = operations
        .iter()
        .map(|name| format!(":61:2611301130D1,00NTRFNONREF\n:86:{name}\n"));
    let entries: String = entries.collect();
    let text_of = format!(
        ":20:S\n:25:BANK/1\n:28C:1/1\n:60F:C261130EUR10,00\n{entries}:62F:C261130EUR8,00\n-\n"
    );
    let path = crate::reconciliation::write(&database, "early.sta", text_of.as_bytes());
    let words = ["--statement", shown(&path)];
    let (code, said) = reconcile(&database, &words);
    assert_eq!(
        (code, &said["open_exceptions"]["timing"]),
        (Some(3), &json!(2)),
        "{said}"
    );
    let open = shop.open_exceptions().await;
    let of_second = open
        .iter()
        .find(|one| text(one, "/detail").contains(&operations[1]));
    let id = text(of_second.expect("it is open"), "/id");
    let path = format!("/v1/reconciliation_exceptions/{id}/resolve");
    let body = json!({"resolution": "accepted", "reason": "seen"});
    assert_eq!(shop.client.post(&path, "r-1", &body).await.status, 200);

    for row in shop
        .journal()
        .await
        .iter()
        .filter(|row| row["object"] == "payout")
    {
        let path = format!("/v1/payouts/{}/succeed", text(row, "/id"));
        assert_eq!(shop.bank().post(&path, None, &json!({})).await.status, 200);
    }
    shop.drain().await;
    for id in &waits {
        assert_eq!(payout(&shop, id).await["status"], "paid");
    }
    let (code, said) = reconcile(&database, &words);

    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        (&said["bank"]["known"], &said["bank"]["matched_later"]),
        (&json!(2), &json!(1)),
        "{said}"
    );
    let path = "/v1/reconciliation_exceptions?status=resolved";
    let resolved = crate::shop::list(&shop.client.get(path).await.json());
    let mut how: Vec<String> = resolved
        .iter()
        .map(|one| text(one, "/resolution"))
        .collect();
    how.sort_unstable();
    assert_eq!(how, ["accepted", "matched"]);
    books_hold(&database);
}
