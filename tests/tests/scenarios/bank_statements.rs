//! Statements in MT940 about payouts by a file, whose account has a name of the bank's own; and a bank that is not in the
//! settings for a while.

use serde_json::{Value, json};
use tests::{Database, on_both_databases};

use crate::bank_orders::{ERIKA, bank_account, end_to_end_ids, ordered, paid_to};
use crate::books_hold;
use crate::funds::balance;
use crate::given::{is_problem, text};
use crate::payouts::{pay_out, payout, wanted, with_money};
use crate::reconciliation::{reconcile, shown, write};
use crate::shop::{PRICE, Shop};

/// A statement of this account with these entries: a name, and cents with the sign of the entry.
fn statement(number: u32, account: &str, entries: &[(&str, i64)]) -> String {
    let amount = |cents: i64| format!("{},{:02}", cents.abs() / 100, cents.abs() % 100);
    let mark = |cents: i64| if cents < 0 { "D" } else { "C" };
    let mut balance = 100_000;
    let mut lines = String::new();
    let opening = amount(balance);
    for (name, cents) in entries {
        balance += cents;
        lines += &format!(
            ":61:2611301130{}{}NTRFNONREF\n:86:166?00UEBERWEISUNG?20EREF+{}?21{}?32ERIKA\n",
            mark(*cents),
            amount(*cents),
            &name[..22],
            &name[22..]
        );
    }
    let closing = amount(balance);
    format!(
        ":20:S{number}\n:25:{account}\n:28C:{number}/1\n:60F:C261130EUR{opening}\n{lines}:62F:C261130EUR{closing}\n-\n"
    )
}

fn read(database: &Database, text: &str, words: &[&str]) -> (Option<i32>, Value) {
    let path = write(database, "statement.sta", text.as_bytes());
    reconcile(database, &[&["--statement", shown(&path)], words].concat())
}

on_both_databases!(a_statement_in_mt940_is_heard_for_the_account_that_it_means);
async fn a_statement_in_mt940_is_heard_for_the_account_that_it_means(database: Database) {
    let shop = with_money(&database, &[]).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let mut paid = Vec::new();
    for (key, amount) in [("p-1", 100), ("p-2", 200), ("p-3", 300)] {
        paid.push(paid_to(&shop, key, amount, &erika).await);
    }
    let order = ordered(&shop, "o-1").await;
    let names = end_to_end_ids(&order);
    let (two, three) = (&*names[1], &*names[2]);

    // Another account of the same bank says nothing of these payouts.
    let (code, said) = read(
        &database,
        &statement(1, "37040044/532013001", &[(three, -300)]),
        &[],
    );
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(payout(&shop, &paid[2]).await["status"], "processing");
    for (place, cents, number, account) in [
        (0, -100, 2, "37040044/532013000EUR"),
        (1, -200, 3, "37040044/0532013000"),
    ] {
        let day = statement(number, account, &[(&names[place], cents)]);
        let (_, said) = read(&database, &day, &[]);
        assert!(
            said["bank"]["payouts"].as_i64() >= Some(1),
            "{account}: {said}"
        );
        assert_eq!(
            payout(&shop, &paid[place]).await["status"],
            "paid",
            "{account}"
        );
        let (_, said) = read(&database, &day, &[]);
        assert_eq!(said["bank"]["known"], 1, "{said}");
    }
    // A name that nobody can derive is in the settings.
    let settings = "[bank_accounts.bank]\nname = \"Florin Sandbox\"\niban = \"DE89370400440532013000\"\n\
                    statement_account = \"giro 7\"\n";
    let config = write(&database, "settings.toml", settings.as_bytes());
    let config = ["--config", shown(&config)];
    let day = statement(4, "GIRO 7", &[(three, -300)]);
    let (code, said) = read(&database, &day, &config);
    assert_eq!(code, Some(3), "another name: {said}");
    assert_eq!(payout(&shop, &paid[2]).await["status"], "processing");
    let day = statement(5, "giro  7", &[(three, -300), (two, 200)]);
    let (_, said) = read(&database, &day, &config);
    assert_eq!(payout(&shop, &paid[2]).await["status"], "paid", "{said}");
    let returned = payout(&shop, &paid[1]).await;
    assert_eq!(
        (&returned["status"], &returned["returned"]),
        (&json!("paid"), &json!(true)),
        "{said}"
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 400, 0, 0]);
    books_hold(&database);
}

on_both_databases!(an_approval_while_the_bank_is_not_in_the_settings_waits_for_the_bank);
async fn an_approval_while_the_bank_is_not_in_the_settings_waits_for_the_bank(database: Database) {
    let house = [
        "--approve-above",
        "EUR=50",
        "--bank-account",
        "house=AT483200000012345864:Shop",
    ];
    let shop = with_money(&database, &house).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let made = pay_out(&shop, "p-1", &wanted(100, &erika)).await.json();
    assert_eq!(made["status"], "requires_approval", "{made}");
    let gone = pay_out(&shop, "p-2", &wanted(200, &erika)).await.json();
    assert!(shop.florin.terminate().success());

    // The sandbox's own bank is in the settings, and the house is not.
    let shop = Shop::open_with(&database, &["--approve-above", "EUR=50"]);
    let second = shop.second_person(&database);
    for payout in [&made, &gone] {
        let path = format!("/v1/approvals/{}/approve", text(payout, "/approval"));
        let approved = second.post(&path, None, &json!({})).await;
        assert_eq!(approved.status, 200, "{}", approved.json());
    }
    let (id, of_gone) = (text(&made, "/id"), text(&gone, "/id"));
    assert_eq!(payout(&shop, &id).await["status"], "processing");
    assert_eq!(balance(&shop).await, [0, PRICE - 300, 0, 300]);
    for (provider, status, code) in [
        ("house", 422, "no_provider"),
        ("bank", 409, "nothing_waits"),
    ] {
        let key = format!("o-{provider}");
        let body = json!({"provider": provider});
        let refused = shop
            .client
            .post("/v1/bank_orders", key.as_str(), &body)
            .await;
        is_problem(provider, &refused, status, code);
    }
    // It can still be taken back.
    let path = format!("/v1/payouts/{of_gone}/cancel");
    assert_eq!(shop.client.post(&path, "c-1", &json!({})).await.status, 200);
    assert!(shop.florin.terminate().success());

    let shop = Shop::open_with(&database, &house);
    let body = json!({"provider": "house"});
    let order = shop.client.post("/v1/bank_orders", "o-1", &body).await;
    assert_eq!(
        (order.status, &order.json()["amount"]),
        (201, &json!(100)),
        "{}",
        order.json()
    );
    assert_eq!(balance(&shop).await, [0, PRICE - 100, 0, 100]);
    books_hold(&database);
}
