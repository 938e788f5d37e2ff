//! Outcomes that a bank or a provider does not tell in time.

use serde_json::{Value, json};
use tests::{Client, Database, on_both_databases};

use crate::bank_orders::{
    ERIKA, bank_account, bank_report, end_to_end_ids, ordered, paid_to, report,
};
use crate::books_hold;
use crate::given::{eventually, is_problem, number, text};
use crate::payouts::{pay_out, payout, wanted, with_money};
use crate::shop::{Shop, list};

/// Two bank days, which are over after a fortnight and not after a day.
const DAYS: [&str; 2] = ["--overdue-days", "2"];
const DAY: i64 = 86_400;
const FORTNIGHT: i64 = 14 * DAY;

async fn advance(shop: &Shop, seconds: i64) {
    let body = json!({"seconds": seconds});
    let moved = shop
        .client
        .post("/sandbox/clock/advance", None, &body)
        .await;
    assert_eq!(moved.status, 200, "{}", moved.json());
}

/// Waits until all work is done that is due.
async fn drain(shop: &Shop) {
    let drained = shop.client.post("/sandbox/drain", None, &json!({})).await;
    assert_eq!(drained.status, 200, "{}", drained.json());
}

/// The exceptions about outcomes that are overdue, newest first.
async fn overdue(shop: &Shop, status: &str) -> Vec<Value> {
    let path = format!("/v1/reconciliation_exceptions?status={status}&limit=100");
    let mut all = list(&shop.client.get(&path).await.json());
    all.retain(|one| one["kind"] == "overdue");
    all
}

async fn counted(shop: &Shop) -> bool {
    let metrics = shop.client.get("/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    metrics.contains("florin_outcomes_overdue_total 1")
}

on_both_databases!(a_payout_that_a_bank_never_reports_is_overdue_until_the_bank_reports_it);
async fn a_payout_that_a_bank_never_reports_is_overdue_until_the_bank_reports_it(
    database: Database,
) {
    let shop = with_money(&database, &DAYS).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let sent = paid_to(&shop, "p-1", 100, &erika).await;
    let soon = paid_to(&shop, "p-2", 200, &erika).await;
    let order = ordered(&shop, "o-1").await;
    let names = end_to_end_ids(&order);
    let done = report(&order, "R-1", "PART", &[(&names[1], "ACSC", "")]);
    assert_eq!(bank_report(&database, &done).0, Some(0));
    assert_eq!(payout(&shop, &soon).await["status"], "paid");
    // It waits for an order, so the bank knows nothing of it.
    let waits = paid_to(&shop, "p-3", 50, &erika).await;
    advance(&shop, DAY).await;
    drain(&shop).await;
    assert_eq!(overdue(&shop, "open").await, Vec::<Value>::new());

    advance(&shop, FORTNIGHT).await;

    let open = eventually("an exception", async || {
        let open = overdue(&shop, "open").await;
        (!open.is_empty()).then_some(open)
    })
    .await;
    assert_eq!(open.len(), 1, "{open:?}");
    let of = format!("op_{}", names[0]);
    let said = &open[0];
    assert!(
        text(said, "/detail").contains("bank does not tell"),
        "{said}"
    );
    assert_eq!(
        (text(said, "/provider"), number(said, "/amount")),
        ("bank".to_owned(), -100)
    );
    assert!(
        text(said, "/detail").replace('-', "").contains(&of),
        "{said}"
    );
    assert!(counted(&shop).await);
    let log = shop.florin.log();
    assert_eq!(log.matches("the outcome is overdue").count(), 1, "{log}");
    for id in [&sent, &waits] {
        assert_eq!(payout(&shop, id).await["status"], "processing");
    }
    // It is said once.
    advance(&shop, DAY).await;
    drain(&shop).await;
    assert_eq!(overdue(&shop, "open").await, open);
    books_hold(&database);

    let late = report(&order, "R-2", "PART", &[(&names[0], "ACSC", "")]);
    assert_eq!(bank_report(&database, &late).0, Some(0));

    let resolved = eventually("the exception ends", async || {
        let resolved = overdue(&shop, "resolved").await;
        (!resolved.is_empty()).then_some(resolved)
    })
    .await;
    assert_eq!(resolved[0]["resolution"], "matched");
    assert_eq!(resolved[0]["id"], open[0]["id"]);
    assert_eq!(payout(&shop, &sent).await["status"], "paid");
    assert_eq!(
        database.number("SELECT count(*) FROM errand WHERE kind = 'outcome_overdue'"),
        0
    );
    books_hold(&database);
}

on_both_databases!(reconciliation_says_what_is_overdue_without_a_server);
async fn reconciliation_says_what_is_overdue_without_a_server(database: Database) {
    let shop = with_money(&database, &DAYS).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let sent = paid_to(&shop, "p-1", 100, &erika).await;
    let order = ordered(&shop, "o-1").await;
    let name = end_to_end_ids(&order).remove(0);
    advance(&shop, FORTNIGHT).await;
    assert!(shop.florin.terminate().success());
    let empty = crate::bank_orders::statement(1, &[]);

    let (code, said) = crate::bank_orders::bank_statement(&database, &empty);
    assert_eq!(
        (code, &said["open_exceptions"]["overdue"]),
        (Some(3), &json!(1)),
        "{said}"
    );
    let paid = crate::bank_orders::statement(2, &[&[(&name, -100)]]);
    let (code, said) = crate::bank_orders::bank_statement(&database, &paid);
    assert_eq!(
        (code, &said["open_exceptions"]["overdue"]),
        (Some(0), &Value::Null),
        "{said}"
    );
    let shop = Shop::open_with(&database, &DAYS);
    assert_eq!(payout(&shop, &sent).await["status"], "paid");
    books_hold(&database);
}

on_both_databases!(an_outcome_that_a_provider_does_not_tell_is_overdue_and_a_person_may_accept_it);
async fn an_outcome_that_a_provider_does_not_tell_is_overdue_and_a_person_may_accept_it(
    database: Database,
) {
    let shop = with_money(&database, &DAYS).await;
    let provider = Client::new(shop.florin.sandbox(), None);
    let pending = pay_out(&shop, "p-1", &wanted(100, "ba_pending"))
        .await
        .json();
    let accepted = pay_out(&shop, "p-2", &wanted(200, "ba_pending"))
        .await
        .json();
    // A payer may take as long as they like.
    let payer = shop.pay("k-1", "pm_requires_action").await;
    assert_eq!(payer.json()["status"], "requires_action");
    advance(&shop, DAY).await;
    drain(&shop).await;
    assert_eq!(overdue(&shop, "open").await, Vec::<Value>::new());

    advance(&shop, FORTNIGHT).await;

    let open = eventually("two exceptions", async || {
        let open = overdue(&shop, "open").await;
        (open.len() == 2).then_some(open)
    })
    .await;
    let of = |amount: i64| {
        let of = open.iter().find(|one| number(one, "/amount") == -amount);
        text(of.expect("it is there"), "/id")
    };
    let path = format!("/v1/reconciliation_exceptions/{}/resolve", of(200));
    let fee = json!({"resolution": "posted_as_fee", "reason": "x"});
    let refused = shop.client.post(&path, "r-1", &fee).await;
    is_problem("no money", &refused, 422, "nothing_to_post");
    let known = json!({"resolution": "accepted", "reason": "the provider looks for it"});
    assert_eq!(shop.client.post(&path, "r-2", &known).await.status, 200);
    advance(&shop, DAY).await;
    drain(&shop).await;
    assert_eq!(
        overdue(&shop, "open").await.len(),
        1,
        "it is not said again"
    );

    for made in [&pending, &accepted] {
        let id = text(made, "/id");
        let journal = list(&provider.get("/v1/journal").await.json());
        let at_bank = journal.iter().find(|row| row["reference"] == json!(id));
        let at_bank = text(at_bank.expect("the provider has it"), "/id");
        let done = format!("/v1/payouts/{at_bank}/succeed");
        assert_eq!(provider.post(&done, None, &json!({})).await.status, 200);
    }
    eventually("both are paid", async || {
        let one = payout(&shop, &text(&pending, "/id")).await;
        let other = payout(&shop, &text(&accepted, "/id")).await;
        (one["status"] == "paid" && other["status"] == "paid").then_some(())
    })
    .await;
    // The work looks again after some minutes.
    advance(&shop, 600).await;
    eventually("no exception is open", async || {
        overdue(&shop, "open").await.is_empty().then_some(())
    })
    .await;
    let by = |resolution: &str| json!(resolution);
    let resolved = overdue(&shop, "resolved").await;
    let mut how: Vec<Value> = resolved
        .iter()
        .map(|one| one["resolution"].clone())
        .collect();
    how.sort_by_key(ToString::to_string);
    assert_eq!(how, [by("accepted"), by("matched")]);
    books_hold(&database);
}
