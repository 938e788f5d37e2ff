//! Payouts that a bank gets as a file: accounts, orders, the bank's reports and statements.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tests::{Database, Kind, on_both_databases};
use tokio::task::JoinSet;

use crate::bank_files::{SCHEMAS, validates};
use crate::books_hold;
use crate::funds::balance;
use crate::given::{is_problem, number, text};
use crate::payouts::{pay_out, payout, wanted, with_money};
use crate::reconciliation::{reconcile, shown, write};
use crate::shop::{PRICE, Shop, list, pointers};
use crate::tenants::verb;

/// The account of the sandbox's bank.
const OWN: &str = "DE89370400440532013000";
pub(crate) const ERIKA: &str = "AT61 1904 3002 3457 3201";

/// Makes a bank account, and returns its id.
pub(crate) async fn bank_account(shop: &Shop, holder: &str, iban: &str) -> String {
    let new = json!({"holder": holder, "iban": iban});
    let made = shop.client.post("/v1/bank_accounts", None, &new).await;
    assert_eq!(made.status, 201, "{}", made.json());
    text(&made.json(), "/id")
}

/// Makes a payout to a bank account, and returns its id.
pub(crate) async fn paid_to(shop: &Shop, key: &str, amount: i64, account: &str) -> String {
    let made = pay_out(shop, key, &wanted(amount, account)).await;
    let body = made.json();
    assert_eq!(
        (made.status, &body["status"]),
        (202, &json!("processing")),
        "{body}"
    );
    text(&body, "/id")
}

/// Makes an order of all payouts that wait, and returns it with its file.
pub(crate) async fn ordered(shop: &Shop, key: &str) -> Value {
    let body = json!({"provider": "bank"});
    let made = shop.client.post("/v1/bank_orders", key, &body).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let path = format!("/v1/bank_orders/{}", text(&made.json(), "/id"));
    shop.client.get(&path).await.json()
}

/// The end-to-end ids in a file, in its order.
pub(crate) fn end_to_end_ids(order: &Value) -> Vec<String> {
    let file = text(order, "/file");
    let parts = file.split("<EndToEndId>").skip(1);
    let ids = parts.map(|part| part.split('<').next().expect("text").to_owned());
    ids.collect()
}

/// The bank's report on an order: the status of the message, and those of transfers with a reason.
pub(crate) fn report(
    order: &Value,
    id: &str,
    status: &str,
    transfers: &[(&str, &str, &str)],
) -> String {
    let message = text(order, "/message_id");
    let mut of_transfers = String::new();
    for (name, status, reason) in transfers {
        let reason = match *reason {
            "" => String::new(),
            code => format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"),
        };
        write!(
            of_transfers,
            "<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
        )
        .expect("a text");
    }
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.12\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-12-01T06:00:00Z</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{status}</GrpSts></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{of_transfers}</OrgnlPmtInfAndSts>\
         </CstmrPmtStsRpt></Document>"
    )
}

/// An entry of a statement: details with their names, and cents with the sign of the entry.
pub(crate) type Entry<'e> = &'e [(&'e str, i64)];

/// The bank's statement with this number and these entries, in euros.
pub(crate) fn statement(number: u32, entries: &[Entry<'_>]) -> String {
    let cents = |units: i64| format!("{}.{:02}", units.abs() / 100, units.abs() % 100);
    let mark = |units: i64| if units < 0 { "DBIT" } else { "CRDT" };
    let balance = |kind: &str, units: i64| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt>\
             <CdtDbtInd>{}</CdtDbtInd><Dt><Dt>2026-12-01</Dt></Dt></Bal>",
            cents(units),
            mark(units)
        )
    };
    let mut booked = String::new();
    let mut sum = 1_000_000;
    let opening = balance("OPBD", sum);
    for entry in entries {
        let total: i64 = entry.iter().map(|(_, units)| units).sum();
        sum += total;
        let mut details = String::new();
        for (name, units) in *entry {
            write!(
                details,
                "<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><Amt Ccy=\"EUR\">{}</Amt>\
                 <CdtDbtInd>{}</CdtDbtInd></TxDtls>",
                cents(*units),
                mark(*units)
            )
            .expect("a text");
        }
        write!(
            booked,
            "<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-12-01</Dt></BookgDt>\
             <BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>",
            cents(total),
            mark(total)
        )
        .expect("a text");
    }
    let closing = balance("CLBD", sum);
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
         <GrpHdr><MsgId>M-{number}</MsgId><CreDtTm>2026-12-01T22:00:00Z</CreDtTm></GrpHdr>\
         <Stmt><Id>S-{number}</Id><CreDtTm>2026-12-01T22:00:00Z</CreDtTm>\
         <Acct><Id><IBAN>{OWN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{opening}{closing}{booked}</Stmt>\
         </BkToCstmrStmt></Document>"
    )
}

/// Runs `florin bank report`, and returns its exit status and its JSON.
pub(crate) fn bank_report(database: &Database, file: &str) -> (Option<i32>, Value) {
    let path = write(database, "report.xml", file.as_bytes());
    let (code, said, heard) = verb(database, &["bank", "report", shown(&path), "--json"]);
    let said = serde_json::from_str(&said);
    (code, said.unwrap_or_else(|_| panic!("{heard}")))
}

pub(crate) fn bank_statement(database: &Database, file: &str) -> (Option<i32>, Value) {
    let path = write(database, "statement.xml", file.as_bytes());
    reconcile(
        database,
        &["--format", "camt053", "--statement", shown(&path)],
    )
}

fn heard(said: &Value) -> [i64; 4] {
    ["/applied", "/known", "/news", "/quarantined"].map(|name| number(said, name))
}

async fn wrong_accounts_are_refused(shop: &Shop) {
    for (field, code, body) in [
        (
            "/iban",
            "iban_check_digits",
            json!({"holder": "A", "iban": "AT611904300234573202"}),
        ),
        (
            "/iban",
            "iban_country_unknown",
            json!({"holder": "A", "iban": "US611904300234573202"}),
        ),
        ("/iban", "required", json!({"holder": "A"})),
        // A QR-IBAN takes no transfer without a reference of the payee.
        (
            "/iban",
            "not_for_banks",
            json!({"holder": "A", "iban": "CH4431999123000889012"}),
        ),
        (
            "/bic",
            "bic_malformed",
            json!({"holder": "A", "iban": ERIKA, "bic": "X"}),
        ),
        (
            "/holder",
            "not_for_banks",
            json!({"holder": "\u{4e2d}", "iban": ERIKA}),
        ),
        // Each sharp s is two letters for a bank.
        (
            "/holder",
            "not_for_banks",
            json!({"holder": "\u{df}".repeat(36), "iban": ERIKA}),
        ),
        (
            "/holder",
            "too_long",
            json!({"holder": "a".repeat(71), "iban": ERIKA}),
        ),
    ] {
        let refused = shop.client.post("/v1/bank_accounts", None, &body).await;
        is_problem(field, &refused, 422, "invalid_field");
        assert_eq!(pointers(&refused), [field], "{body}");
        assert_eq!(
            refused.json()["errors"][0]["code"],
            code,
            "{}",
            refused.json()
        );
    }
}

on_both_databases!(a_bank_account_is_checked_kept_and_closed_for_ever);
async fn a_bank_account_is_checked_kept_and_closed_for_ever(database: Database) {
    let shop = with_money(&database, &[]).await;
    wrong_accounts_are_refused(&shop).await;
    let id = bank_account(&shop, "Erika M\u{fc}ller", ERIKA).await;
    let other = bank_account(&shop, "Acme", "BE71 0961 2345 6769").await;
    let read = shop
        .client
        .get(&format!("/v1/bank_accounts/{id}"))
        .await
        .json();
    assert_eq!(read["iban"], "AT611904300234573201");
    assert_eq!(read["closed_at"], Value::Null);
    let all = list(&shop.client.get("/v1/bank_accounts").await.json());
    let ids: Vec<String> = all.iter().map(|one| text(one, "/id")).collect();
    assert_eq!(ids, [other, id.clone()]);

    let close = format!("/v1/bank_accounts/{id}/close");
    let closed = shop.client.post(&close, None, &json!({})).await;
    assert_eq!(closed.status, 200);
    let again = shop.client.post(&close, None, &json!({})).await;
    assert_eq!((again.status, again.body), (200, closed.body));
    let refused = pay_out(&shop, "p-1", &wanted(1, &id)).await;
    is_problem("closed", &refused, 409, "bank_account_closed");
    let absent = "bac_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6";
    for (key, absent) in [("p-2", absent), ("p-3", "bac_1"), ("p-4", "bac_")] {
        let refused = pay_out(&shop, key, &wanted(1, absent)).await;
        is_problem("absent", &refused, 404, "bank_account_not_found");
    }
    for method in ["get", "close"] {
        let reply = match method {
            "get" => {
                shop.client
                    .get(&format!("/v1/bank_accounts/{absent}"))
                    .await
            }
            _ => {
                let path = format!("/v1/bank_accounts/{absent}/close");
                shop.client.post(&path, None, &json!({})).await
            }
        };
        is_problem(method, &reply, 404, "not_found");
    }
    // A bank is not asked for money.
    let order = json!({"amount": 1, "currency": "EUR", "payment_method": id, "confirm": true});
    let refused = shop.client.post("/v1/payments", "k-1", &order).await;
    is_problem("a payment", &refused, 422, "no_provider");
    // Names and numbers stand in no audit record.
    for (words, is_there) in [("AT6119", false), ("Erika", false), ("bank_account", true)] {
        let having = match database.kind() {
            Kind::Sqlite => format!("instr(leaf, CAST('{words}' AS BLOB)) > 0"),
            Kind::Postgres => format!("position(convert_to('{words}', 'UTF8') IN leaf) > 0"),
        };
        let records = format!("SELECT count(*) FROM audit_entry WHERE {having}");
        assert_eq!(database.number(&records) > 0, is_there, "{words}");
    }
    assert_eq!(balance(&shop).await, [0, PRICE, 0, 0]);
    books_hold(&database);
}

on_both_databases!(payouts_are_ordered_once_and_paid_refused_or_returned_by_the_banks_files);
async fn payouts_are_ordered_once_and_paid_refused_or_returned_by_the_banks_files(
    database: Database,
) {
    let shop = with_money(&database, &[]).await;
    let erika = bank_account(&shop, "Erika M\u{fc}ller", ERIKA).await;
    let acme = bank_account(&shop, "Acme & Co", "BE71 0961 2345 6769").await;
    let mut payouts = Vec::new();
    for (amount, account) in [(100, &erika), (200, &acme), (300, &erika), (400, &acme)] {
        payouts.push(paid_to(&shop, &format!("p-{amount}"), amount, account).await);
    }
    assert_eq!(balance(&shop).await, [0, 99, 0, 1000]);

    let order = ordered(&shop, "o-1").await;

    assert_eq!(
        (number(&order, "/transfers"), number(&order, "/amount")),
        (4, 1000)
    );
    let file = text(&order, "/file");
    if let Some(schemas) = SCHEMAS.as_ref() {
        validates(schemas, "pain.001.001.09", file.as_bytes(), "EndToEndId");
    }
    for words in [
        OWN,
        "Florin Sandbox",
        "Erika Muller",
        "Acme + Co",
        "AT611904300234573201",
    ] {
        assert!(file.contains(words), "{words}: {file}");
    }
    let again = shop
        .client
        .post("/v1/bank_orders", "o-1", &json!({"provider": "bank"}))
        .await;
    assert_eq!(again.json()["id"], order["id"]);
    let none = shop
        .client
        .post("/v1/bank_orders", "o-2", &json!({"provider": "bank"}))
        .await;
    is_problem("nothing waits", &none, 409, "nothing_waits");
    let names = end_to_end_ids(&order);
    let (one, two, three, four) = (&*names[0], &*names[1], &*names[2], &*names[3]);

    // The first report: the bank has the order, and refuses one transfer.
    let first = report(
        &order,
        "R-1",
        "PART",
        &[(two, "RJCT", "AC04"), (one, "ACSP", "")],
    );
    if let Some(schemas) = SCHEMAS.as_ref() {
        validates(schemas, "pain.002.001.12", first.as_bytes(), "OrgnlMsgId");
    }
    let (code, said) = bank_report(&database, &first);
    assert_eq!((code, heard(&said)), (Some(0), [1, 0, 1, 0]), "{said}");
    let refused = payout(&shop, &payouts[1]).await;
    assert_eq!(
        (&refused["status"], &refused["decline_code"]),
        (&json!("failed"), &json!("AC04"))
    );
    assert_eq!(balance(&shop).await, [0, 299, 0, 800]);
    let (code, said) = bank_report(&database, &first);
    assert_eq!((code, heard(&said)), (Some(0), [0, 2, 0, 0]), "{said}");

    // The statement: two payments in one entry, and one on its own. The last one is not there yet.
    let day = statement(1, &[&[(one, -100), (three, -300)]]);
    let (code, said) = bank_statement(&database, &day);
    assert_eq!(
        (code, &said["bank"]["payouts"]),
        (Some(0), &json!(2)),
        "{said}"
    );
    assert_eq!(payout(&shop, &payouts[0]).await["status"], "paid");
    assert_eq!(payout(&shop, &payouts[2]).await["status"], "paid");
    assert_eq!(payout(&shop, &payouts[3]).await["status"], "processing");
    assert_eq!(balance(&shop).await, [0, 299, 0, 400]);
    assert_eq!(shop.posted("assets:bank:EUR").await, -400);
    let (code, said) = bank_statement(&database, &day);
    assert_eq!(
        (code, &said["bank"]["known"]),
        (Some(0), &json!(2)),
        "{said}"
    );

    // The second report says that the last one was debited; the statement shows it, and its return.
    let second = report(&order, "R-2", "PART", &[(four, "ACSC", "")]);
    let (code, said) = bank_report(&database, &second);
    assert_eq!((code, heard(&said)), (Some(0), [1, 0, 0, 0]), "{said}");
    assert_eq!(payout(&shop, &payouts[3]).await["status"], "paid");
    let day = statement(2, &[&[(four, -400)], &[(four, 400)]]);
    let (code, said) = bank_statement(&database, &day);
    assert_eq!(
        (code, &said["bank"]["payouts"]),
        (Some(0), &json!(2)),
        "{said}"
    );
    let returned = payout(&shop, &payouts[3]).await;
    assert_eq!(
        (&returned["status"], &returned["returned"]),
        (&json!("paid"), &json!(true))
    );
    assert_eq!(balance(&shop).await, [0, 699, 0, 0]);
    assert_eq!(shop.posted("assets:bank:EUR").await, -400);
    books_hold(&database);
}

on_both_databases!(what_a_bank_says_and_cannot_be_right_moves_no_money);
async fn what_a_bank_says_and_cannot_be_right_moves_no_money(database: Database) {
    let shop = with_money(&database, &[]).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let paid = paid_to(&shop, "p-1", 100, &erika).await;
    let lost = paid_to(&shop, "p-2", 200, &erika).await;
    let order = ordered(&shop, "o-1").await;
    let names = end_to_end_ids(&order);

    // Of a wrong file nothing is taken.
    let stranger = "0".repeat(32);
    let both = [(&*names[0], "RJCT", "AC04"), (&*stranger, "RJCT", "AC04")];
    let (code, said) = bank_report(&database, &report(&order, "R-1", "PART", &both));
    assert_eq!(code, Some(1), "{said}");
    let mistake = text(&said, "/mistake");
    assert!(
        mistake.contains(&stranger) && mistake.contains("line 1"),
        "{mistake}"
    );
    let twice = [(&*names[0], "ACSC", ""), (&*names[0], "RJCT", "AC04")];
    let (code, said) = bank_report(&database, &report(&order, "R-1", "PART", &twice));
    assert_eq!(code, Some(1), "{said}");
    assert!(text(&said, "/mistake").contains("twice"), "{said}");
    let group = report(&order, "R-1", "RJCT", &[]).replace("<OrgnlPmtInfId>", "<OrgnlPmtInfId>X");
    let (code, said) = bank_report(&database, &group);
    assert_eq!(code, Some(1), "{said}");
    assert!(text(&said, "/mistake").contains("no group"), "{said}");
    let other = json!({"message_id": stranger});
    let (code, said) = bank_report(&database, &report(&other, "R-1", "RJCT", &[]));
    assert_eq!(code, Some(1), "{said}");
    assert!(text(&said, "/mistake").contains("no such order"), "{said}");
    let (code, said) = bank_report(&database, "<Document>");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(payout(&shop, &paid).await["status"], "processing");

    // A file that is read in another format says which one it has.
    let xml = statement(9, &[]);
    let path = write(&database, "statement.xml", xml.as_bytes());
    let (code, said) = reconcile(&database, &["--statement", shown(&path)]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        text(&said, "/mistake").contains("--format camt053"),
        "{said}"
    );
    let (code, said) = bank_statement(&database, ":20:S\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(text(&said, "/mistake").contains("--format mt940"), "{said}");

    // Another amount than was ordered is in the quarantine, and its line is an exception.
    let day = statement(1, &[&[(&names[0], -101)], &[(&names[1], -200)]]);
    let (code, said) = bank_statement(&database, &day);
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(payout(&shop, &paid).await["status"], "processing");
    assert_eq!(payout(&shop, &lost).await["status"], "paid");
    let open = shop.open_exceptions().await;
    let kinds: Vec<_> = open.iter().map(|one| text(one, "/kind")).collect();
    assert_eq!(kinds, ["amount"]);
    // What is final stays: a refusal of a transfer that was paid is for a person.
    let late = report(&order, "R-2", "PART", &[(&names[1], "RJCT", "MS03")]);
    let (code, said) = bank_report(&database, &late);
    assert_eq!((code, heard(&said)), (Some(3), [0, 0, 0, 1]), "{said}");
    assert_eq!(payout(&shop, &lost).await["status"], "paid");
    assert_eq!(balance(&shop).await, [0, PRICE - 300, 0, 100]);
    let quarantined = "SELECT count(*) FROM quarantine";
    assert_eq!(database.number(quarantined), 2);

    // All transfers of an order that the bank refuses as a whole have failed.
    let third = paid_to(&shop, "p-3", 50, &erika).await;
    let refused = ordered(&shop, "o-2").await;
    let (code, said) = bank_report(&database, &report(&refused, "R-3", "RJCT", &[]));
    assert_eq!((code, heard(&said)), (Some(0), [1, 0, 0, 0]), "{said}");
    let failed = payout(&shop, &third).await;
    assert_eq!(
        (&failed["status"], &failed["decline_code"]),
        (&json!("failed"), &json!("refused_by_bank"))
    );
    books_hold(&database);
}

on_both_databases!(a_payout_with_an_outcome_waits_for_no_order);
async fn a_payout_with_an_outcome_waits_for_no_order(database: Database) {
    let shop = with_money(&database, &[]).await;
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    let payout_id = paid_to(&shop, "p-1", 100, &erika).await;
    // Its order is lost, as after a restored backup, and the bank has paid it.
    let hex = match database.kind() {
        Kind::Sqlite => "lower(hex(subject))",
        Kind::Postgres => "encode(subject, 'hex')",
    };
    let name = format!("SELECT {hex} FROM errand WHERE kind = 'bank_transfer'");
    let name = database.text(&name);

    let (code, said) = bank_statement(&database, &statement(1, &[&[(&name, -100)]]));

    assert_eq!(
        (code, &said["bank"]["payouts"]),
        (Some(0), &json!(1)),
        "{said}"
    );
    assert_eq!(payout(&shop, &payout_id).await["status"], "paid");
    let none = json!({"provider": "bank"});
    let none = shop.client.post("/v1/bank_orders", "o-1", &none).await;
    is_problem("it was paid", &none, 409, "nothing_waits");
    books_hold(&database);
}

on_both_databases!(an_order_ends_before_its_sum_has_too_many_digits);
async fn an_order_ends_before_its_sum_has_too_many_digits(database: Database) {
    let shop = with_money(&database, &[]).await;
    let most = 999_999_999_999_999_999_i64;
    let account = async |code: &str, floor: Value| {
        let new = json!({"code": code, "currency": "JPY", "floor": floor});
        shop.account(&new).await
    };
    let world = account("equity:world", Value::Null).await;
    let wallet = account("liabilities:ann", json!(0)).await;
    let body = json!({"from": world, "to": wallet, "amount": most + 1, "currency": "JPY"});
    let moved = shop.client.post("/v1/transfers", "t-1", &body).await;
    assert_eq!(moved.status, 201, "{}", moved.json());
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    for (key, amount) in [("p-1", most), ("p-2", 1)] {
        let body =
            json!({"amount": amount, "currency": "JPY", "destination": erika, "from": wallet});
        let made = pay_out(&shop, key, &body).await;
        assert_eq!(made.status, 202, "{}", made.json());
    }
    for (key, amount) in [("o-1", most), ("o-2", 1)] {
        assert_eq!(number(&ordered(&shop, key).await, "/amount"), amount);
    }
    books_hold(&database);
}

on_both_databases!(each_waiting_payout_is_in_one_order_however_many_are_made_at_once);
async fn each_waiting_payout_is_in_one_order_however_many_are_made_at_once(database: Database) {
    let shop = with_money(&database, &[]).await;
    let beside = match database.kind() {
        Kind::Sqlite => None,
        Kind::Postgres => Some(shop.beside_with(&database, &[], &[])),
    };
    let erika = bank_account(&shop, "Erika", ERIKA).await;
    // Outside of SEPA, so it needs a file of its own.
    let fatima = bank_account(&shop, "Fatima", "BR15 0000 0000 0000 1093 2840 814P 2").await;
    for number in 0..12 {
        let account = if number % 4 == 3 { &fatima } else { &erika };
        paid_to(&shop, &format!("p-{number}"), 1 + number, account).await;
    }
    let mut ordering = JoinSet::new();
    for number in 0..8 {
        let other = beside.as_ref().filter(|_| number % 2 == 1);
        let client = other.unwrap_or(&shop).client.clone();
        ordering.spawn(async move {
            let body = json!({"provider": "bank"});
            let reply = client
                .post("/v1/bank_orders", format!("o-{number}").as_str(), &body)
                .await;
            assert!([201, 409].contains(&reply.status), "{}", reply.json());
            reply.status
        });
    }
    let made = ordering.join_all().await;
    assert_eq!(
        made.iter().filter(|status| **status == 201).count(),
        2,
        "{made:?}"
    );
    let orders = list(&shop.client.get("/v1/bank_orders").await.json());
    let mut transfers: Vec<i64> = orders.iter().map(|one| number(one, "/transfers")).collect();
    transfers.sort_unstable();
    assert_eq!(transfers, [3, 9]);
    for (field, code, body) in [
        ("/provider", "no_provider", json!({"provider": "sandbox"})),
        (
            "/requested_on",
            "invalid_field",
            json!({"provider": "bank", "requested_on": "2020-01-01"}),
        ),
        (
            "/requested_on",
            "invalid_field",
            json!({"provider": "bank", "requested_on": "soon"}),
        ),
    ] {
        let refused = shop.client.post("/v1/bank_orders", "o-9", &body).await;
        is_problem(field, &refused, 422, code);
        assert_eq!(pointers(&refused), [field], "{body}");
    }
    books_hold(&database);
}

on_both_databases!(a_verb_writes_the_files_and_wallets_are_paid_out_by_the_bank_too);
async fn a_verb_writes_the_files_and_wallets_are_paid_out_by_the_bank_too(database: Database) {
    let shop = with_money(&database, &[]).await;
    let wallet = shop.wallet("liabilities:ann", 500).await;
    let ann = bank_account(&shop, "Ann", ERIKA).await;
    let mut body = wanted(500, &ann);
    body["from"] = json!(wallet);
    assert_eq!(pay_out(&shop, "p-1", &body).await.status, 202);
    body["amount"] = json!(1);
    let much = pay_out(&shop, "p-2", &body).await;
    is_problem("more than the wallet has", &much, 422, "insufficient_funds");
    let folder = database.folder();
    let out = shown(folder);
    let words = [
        "bank",
        "order",
        "--out",
        out,
        "--day",
        "2099-01-01",
        "--json",
    ];
    let (code, _, said) = verb(&database, &words);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("365 days"), "{said}");
    let (code, said, heard) = verb(&database, &["bank", "order", "--out", out, "--json"]);
    assert_eq!(code, Some(0), "{heard}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let file = std::fs::read_to_string(text(&said, "/orders/0/file")).expect("it was written");
    assert!(file.contains("<Nm>Ann</Nm>"), "{file}");
    let (code, said, _) = verb(&database, &["bank", "order", "--out", out]);
    assert_eq!((code, &*said), (Some(0), "no payout waits for an order"));
    // Draining does not wait for the bank.
    let drained = shop.client.post("/sandbox/drain", None, &json!({})).await;
    assert_eq!(drained.status, 200, "{}", drained.json());
    books_hold(&database);
}
