//! No list is a scan: the databases' plans for every question that the server asks, first with few rows in the books
//! and then with more.
//!
//! PostgreSQL reports what it did (`auto_explain`), with the real parameters. SQLite reports what it would do for the
//! statements that the server logs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Client, Cluster, Database, Florin, Kind, scenario};

use crate::given::{account, eventually, text};
use crate::tenants::verb;

/// Number of transactions in the books at the end: more than twice what a page may read.
const MANY: usize = 5_000;
/// Greatest number of rows that a step of a plan may read; a second look at each candidate may be a second row.
const MAX_ROWS: i64 = 4_200;
/// Number of rows up to which any plan is good.
const FEW: i64 = 100;
/// Tables of a few rows, which are scanned on purpose.
const SMALL: [&str; 8] = [
    "audit_log",
    "tenant",
    "api_key",
    "payment_terms",
    "provider_price",
    "books",
    "sqlite_master",
    "__diesel_schema_migrations",
];

#[test]
fn postgres_answers_every_question_by_an_index() {
    let Some(cluster) = Cluster::private() else {
        return;
    };
    let database = Database::within(&cluster);
    explain(&database);
    // While there are almost no rows, any plan is good; from then on none of these is. Until the planner has new
    // statistics it keeps plans of small tables; those must not read all postings.
    let (filled, looked) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    runtime().block_on(async {
        let florin = Florin::start(
            &database,
            &["--check-every", "0", "--approve-above", "EUR=8"],
        );
        ask_everything(
            (&florin, &database),
            || filled.set(cluster.log().len()),
            || {
                looked.set(cluster.log().len());
                database.execute_raw("ANALYZE");
            },
        )
        .await;
    });
    let log = cluster.log();
    let (mut examined, mut wrong) = (0, BTreeMap::new());
    for (plans, tables) in [
        (plans(&log[filled.get()..looked.get()]), " of posting"),
        (plans(&log[looked.get()..]), ""),
    ] {
        let questions = plans.into_iter().filter(|plan| {
            let query = plan["Query Text"].as_str().expect("a text");
            query.trim_start().starts_with("SELECT")
        });
        for plan in questions {
            let faults = faults(&plan["Plan"]);
            for fault in faults.into_iter().filter(|fault| fault.ends_with(tables)) {
                wrong.insert(plan["Query Text"].to_string(), (fault, plan.clone()));
            }
            examined += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(examined > 100, "only {examined} questions were asked");
}

/// PostgreSQL is asked to report what it did for each statement.
fn explain(database: &Database) {
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_format = json",
    ] {
        let alter = format!("'ALTER DATABASE %I SET {}'", setting.replace('\'', "''"));
        database.execute_raw(&format!(
            "DO $$ BEGIN EXECUTE format({alter}, current_database()); END $$"
        ));
    }
}

/// The first report of a book finds empty tables, and the plans that are made then are kept while its lines come.
#[test]
fn postgres_matches_the_first_report_by_an_index() {
    let Some(cluster) = Cluster::private() else {
        return;
    };
    let database = Database::within(&cluster);
    drop(Florin::start(&database, &[]));
    for table in ["settlement_line", "reconciliation_exception"] {
        // No new statistics: with them the plans would be made again.
        database.execute_raw(&format!(
            "ALTER TABLE {table} SET (autovacuum_enabled = off)"
        ));
    }
    explain(&database);
    let mut report =
        "id,type,reference,our_reference,gross,fee,net,currency,day,settlement\n".to_owned();
    // More than two commands have lines.
    for number in 0..1_200 {
        report += &format!(
            "ch_{number},capture,ch_{number},op_{number},1.00,0.20,0.80,EUR,2026-11-30,st_1\n"
        );
    }
    let path = database.folder().join("report.csv");
    std::fs::write(&path, report).expect("a scratch folder can be written");
    let path = path.to_str().expect("plain names");
    // The lines are new, and then open and tried again.
    for (key, number) in [("open", 1_200), ("known", 1_200)] {
        let before = cluster.log().len();
        let words = ["reconcile", "--json", "--report", path];
        let (_, said, heard) = verb(&database, &words);
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{heard}"));
        assert_eq!(said["report"][key], number, "{said}");

        let plans = plans(&cluster.log()[before..]);
        let is_of_keys = |plan: &&Value| {
            let text = plan["Query Text"].as_str().expect("a text");
            text.starts_with("WITH ") || text.contains("CROSS JOIN LATERAL")
        };
        let of_keys: Vec<&Value> = plans.iter().filter(is_of_keys).collect();
        assert!(of_keys.len() > 20, "{plans:#?}");
        for plan in of_keys {
            let faults = faults(&plan["Plan"]);
            assert!(faults.is_empty(), "{faults:?}: {plan:#}");
        }
        // The proof counts the open exceptions, and reads no others.
        let proof = "SELECT \"reconciliation_exception\".\"kind\"";
        let of_proof = plans.iter().find(|plan| {
            let text = plan["Query Text"].as_str().expect("a text");
            text.starts_with(proof)
        });
        let index = &of_proof.expect("it is asked")["Plan"]["Index Name"];
        assert_eq!(index, "reconciliation_exception_open");
    }
}

#[test]
fn sqlite_answers_every_question_by_an_index() {
    scenario(Kind::Sqlite, async |database: Database| {
        let shown = [("FLORIN_LOG", "florin::statements=trace")];
        let florin = Florin::start_with_environment(
            &database,
            &["--check-every", "0", "--approve-above", "EUR=8"],
            &shown,
        );
        ask_everything((&florin, &database), || {}, || {}).await;
        let log = florin.log();
        let mut statements: Vec<String> = log.lines().filter_map(statement).collect();
        statements.sort_unstable();
        statements.dedup();
        let (mut examined, mut wrong) = (0, Vec::new());
        for question in statements.iter().filter(|text| text.starts_with("SELECT")) {
            let steps = database.plan(question).into_iter();
            let steps: Vec<String> = steps.filter(|step| !is_by_index(step)).collect();
            if !steps.is_empty() {
                wrong.push((question, steps));
            }
            examined += 1;
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(examined > 30, "only {examined} questions were asked");
    });
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

/// The plans in a log of PostgreSQL.
fn plans(log: &str) -> Vec<Value> {
    let mut plans = Vec::new();
    let mut parts = log.split("plan:\n");
    parts.next();
    for part in parts {
        let lines = part.lines().take_while(|line| line.starts_with('\t'));
        let text: Vec<&str> = lines.map(str::trim_start).collect();
        plans.push(serde_json::from_str(&text.join("\n")).expect("a plan is JSON"));
    }
    plans
}

/// The faults of a step of a plan, and of the steps below it.
fn faults(step: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let of = |name: &str| step[name].as_str().unwrap_or_default();
    // Newer servers print hundredths of rows.
    let number = |name: &str| -> i64 {
        let told = step[name].to_string();
        told.split('.')
            .next()
            .and_then(|whole| whole.parse().ok())
            .unwrap_or(0)
    };
    let (kind, table) = (of("Node Type"), of("Relation Name"));
    if !table.is_empty() && !SMALL.contains(&table) {
        let passed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        let rows = (number("Actual Rows") + passed) * number("Actual Loops");
        let condition = of("Index Cond");
        // A condition on the tenant does not count, because nearly all rows belong to the tenant.
        let told = condition.matches(['=', '<', '>']).count();
        let of_tenant = condition.matches("tenant_id = ").count();
        if rows > FEW && (kind.ends_with("Seq Scan") || told <= of_tenant) {
            faults.push(format!("{kind} of {table}"));
        }
        if rows > MAX_ROWS {
            faults.push(format!("{rows} rows of {table}"));
        }
    }
    let below = step["Plans"].as_array().into_iter().flatten();
    faults.extend(below.flat_map(self::faults));
    faults
}

/// The statement in a line of the server's log.
fn statement(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = line["fields"]["message"].as_str()?;
    (line["target"] == "florin::statements").then(|| text.to_owned())
}

/// True if a step of SQLite reads no table, or only a part of an index that is selected by more than the tenant.
/// All transactions before a given one are not such a part, because with any other filter all of them would be
/// searched. A range of postings in the order of their key is not such a part either, because it has the postings
/// of all tenants.
fn is_by_index(step: &str) -> bool {
    let table = step.split(' ').nth(1).unwrap_or_default();
    match step.split_once('(') {
        _ if SMALL.contains(&table) || step == "SCAN CONSTANT ROW" => true,
        Some((_, told)) if step.starts_with("SEARCH ") => {
            let told: Vec<&str> = told.trim_end_matches(')').split(" AND ").collect();
            let is_open = told.contains(&"id<?") && !told.contains(&"id>?");
            let is_of_all = !told.iter().any(|told| told.ends_with("=?"));
            told.iter().any(|told| *told != "tenant_id=?")
                && !(is_open && table == "ledger_transaction")
                && !(is_of_all && table == "posting")
        }
        // Other lines are words of the planner about the steps around them.
        Some(_) | None => !step.starts_with("SCAN ") && !step.starts_with("SEARCH "),
    }
}

/// Asks everything that can be asked over HTTP, of small books and of larger ones. A list that is in the description
/// of the API and is not asked here stops the test.
async fn ask_everything(
    (florin, database): (&Florin, &Database),
    filled: impl Fn(),
    look_at_tables: impl Fn(),
) {
    let client = &florin.client();
    let accounts = begin(florin).await;
    fill(client, &accounts, 60).await;
    // Statements are prepared now, while any plan would do.
    for _ in 0..3 {
        ask(client, &accounts).await;
    }
    fill(client, &accounts, MANY).await;
    fill_payments(&accounts, database);
    for number in 0..3 * FEW {
        account(
            client,
            &format!("liabilities:others:{number}"),
            &Value::Null,
        )
        .await;
    }
    filled();
    // The plans are still those of small books, and then those of the planner's newest statistics.
    ask(client, &accounts).await;
    look_at_tables();
    ask(client, &accounts).await;
}

/// The rows that the questions name: two accounts, a pending transaction, an exchange and a payment.
struct Named {
    bank: String,
    wallet: String,
    pending: String,
    exchange: String,
    payment: String,
    refund: String,
    payout: String,
    approval: String,
    dispute: String,
    customer: String,
    method: String,
    reserve: String,
    bank_account: String,
    order: String,
}

async fn begin(florin: &Florin) -> Named {
    let client = &florin.client();
    let bank = account(client, "assets:bank", &Value::Null).await;
    let wallet = account(client, "liabilities:wallets:1", &Value::Null).await;
    account(client, "liabilities:wallets:2", &Value::Null).await;
    let euros = account(client, "assets:euros", &Value::Null).await;
    let dollars = json!({"code": "assets:dollars", "currency": "USD", "floor": null});
    let dollars = text(
        &client.post("/v1/accounts", None, &dollars).await.json(),
        "/id",
    );
    let cents = json!({"code": "assets:cents", "currency": "USD", "floor": null});
    let cents = text(
        &client.post("/v1/accounts", None, &cents).await.json(),
        "/id",
    );
    let asset = json!({"code": "POINTS", "exponent": 0});
    assert_eq!(client.post("/v1/assets", None, &asset).await.status, 201);
    let posting = json!({"debit": bank, "credit": wallet, "amount": 7, "currency": "EUR"});
    let pending = json!({"kind": "stay", "postings": [posting], "pending": {"expires_in": 900}});
    let pending = client.post("/v1/transactions", Some("p"), &pending).await;
    let exchange = json!({
        "from": bank, "to": dollars, "sold_to": euros, "bought_from": cents, "sell": 500,
        "rate": "1.5", "source": "test", "quoted_at": "2026-11-20T15:00:00Z",
    });
    let exchange = client.post("/v1/exchanges", Some("x"), &exchange).await;
    let customer = client.post("/v1/customers", None, &json!({})).await;
    let customer = text(&customer.json(), "/id");
    let methods = format!("/v1/customers/{customer}/payment_methods");
    let token = json!({"token": "pm_succeeds"});
    client.post(&methods, None, &token).await;
    let method = client.post(&methods, None, &token).await;
    let method = text(&method.json(), "/id");
    let payment = json!({
        "amount": 5, "currency": "EUR", "customer": customer, "payment_method": method,
    });
    let payment = client.post("/v1/payments", Some("pay"), &payment).await;
    let payment = text(&payment.json(), "/id");
    let refunds = format!("/v1/payments/{payment}/refunds");
    let part = json!({"amount": 1});
    client.post(&refunds, Some("refund-1"), &part).await;
    let refund = client.post(&refunds, Some("refund-2"), &part).await;
    let mut approvals = Vec::new();
    for key in ["payout-1", "payout-2"] {
        let payout = json!({"amount": 9, "currency": "EUR", "destination": "ba_succeeds"});
        let payout = client.post("/v1/payouts", Some(key), &payout).await.json();
        approvals.push((text(&payout, "/id"), text(&payout, "/approval")));
    }
    let (payout, approval) = approvals.remove(0);
    let dispute = disputed(florin, &payment).await;
    let reserve = reserved(client).await;
    let (bank_account, order) = ordered(client).await;
    Named {
        pending: text(&pending.json(), "/id"),
        exchange: text(&exchange.json(), "/transaction/id"),
        refund: text(&refund.json(), "/id"),
        payout,
        approval,
        dispute,
        customer,
        method,
        reserve,
        bank_account,
        order,
        payment,
        bank,
        wallet,
    }
}

/// Makes two bank accounts, and two orders of a payout each from the money of [`reserved`]. Returns the newest account
/// and the newest order.
async fn ordered(client: &Client) -> (String, String) {
    let (mut account, mut order) = (String::new(), String::new());
    for key in ["bank-1", "bank-2"] {
        let new = json!({"holder": "Erika", "iban": "AT611904300234573201"});
        let made = client.post("/v1/bank_accounts", None, &new).await;
        account = text(&made.json(), "/id");
        let payout = json!({"amount": 1, "currency": "CHF", "destination": account});
        let made = client.post("/v1/payouts", Some(key), &payout).await;
        assert_eq!(made.status, 202, "{}", made.json());
        let wanted = json!({"provider": "bank"});
        let name = format!("order-{key}");
        let made = client.post("/v1/bank_orders", name.as_str(), &wanted).await;
        order = text(&made.json(), "/id");
    }
    (account, order)
}

/// Makes two payments of which a share is held back. Returns the newest reserve.
async fn reserved(client: &Client) -> String {
    let terms = json!({"currency": "CHF", "calendar": "every_day", "available_after_days": 0,
                       "reserve_rate": "0.5", "reserve_days": 90});
    let agreed = client.post("/v1/payment_terms", None, &terms).await;
    assert_eq!(agreed.status, 201);
    for key in ["share-1", "share-2"] {
        let payment = json!({"amount": 8, "currency": "CHF", "payment_method": "pm_succeeds"});
        let paid = client.post("/v1/payments", Some(key), &payment).await;
        assert_eq!(paid.status, 201);
    }
    eventually("both reserves", async || {
        let reserves = client.get("/v1/reserves").await.json();
        let both = reserves["data"].as_array().filter(|all| all.len() == 2)?;
        Some(text(both.first()?, "/id"))
    })
    .await
}

/// Has the payer's bank dispute a payment twice. Returns the newest dispute.
async fn disputed(florin: &Florin, payment: &str) -> String {
    let bank = Client::new(florin.sandbox(), None);
    let journal = bank.get("/v1/journal").await.json();
    let mut rows = journal["data"].as_array().expect("a list").iter();
    let is_charge = |row: &&Value| row["object"] == "charge" && row["reference"] == payment;
    let charge = text(rows.find(is_charge).expect("its charge"), "/id");
    for _ in 0..2 {
        let path = format!("/v1/charges/{charge}/disputes");
        let made = bank.post(&path, None, &json!({"amount": 1})).await;
        assert_eq!(made.status, 200);
    }
    let client = florin.client();
    eventually("both disputes", async || {
        let disputes = client.get("/v1/disputes").await.json();
        let both = disputes["data"].as_array().filter(|all| all.len() == 2)?;
        Some(text(both.first()?, "/id"))
    })
    .await
}

/// Posts this number of transactions: a fifth of them displaced, each with metadata and an external id.
async fn fill(client: &Client, named: &Named, number: usize) {
    let mut left = number;
    while left > 0 {
        let size = left.min(1_000);
        left -= size;
        let items: Vec<Value> = (0..size)
            .map(|n| {
                let posting = json!({
                    "debit": named.bank, "credit": named.wallet, "amount": 1 + n % 50, "currency": "EUR",
                });
                let mut item = json!({
                    "kind": "gift", "postings": [posting], "external_id": format!("{number} {left} {n}"),
                    "metadata": {"order": n.to_string()},
                });
                if n % 5 == 0 {
                    item["effective_at"] = json!("2024-02-29T12:00:00Z");
                }
                item
            })
            .collect();
        let bulk = json!({"atomic": true, "transactions": items});
        let key = format!("fill-{number}-{left}");
        let reply = client
            .post("/v1/transactions/bulk", Some(key.as_str()), &bulk)
            .await;
        assert_eq!(
            reply.status,
            200,
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
    }
}

/// Copies the payment and the customer [`MANY`] times, each with a key, an external id and metadata of its own. They go
/// around the server, because the provider is not needed here.
fn fill_payments(named: &Named, database: &Database) {
    let (numbers, id) = match database.kind() {
        Kind::Sqlite => (
            format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})"
            ),
            "unhex(printf('01%030x', i))",
        ),
        Kind::Postgres => (
            format!("WITH n(i) AS (SELECT generate_series(1, {MANY}))"),
            "decode('01' || lpad(to_hex(i), 30, '0'), 'hex')",
        ),
    };
    let columns = "amount, currency, capture_method, status, authorized, capturable, captured, released, \
                   incrementing, refunded, disputed, attempts, operations, version, created_at, updated_at, \
                   tenant_id, customer_id";
    let customer = named.customer.trim_start_matches("cus_");
    let payment = named.payment.trim_start_matches("pay_");
    let is = |id: &str| match database.kind() {
        Kind::Sqlite => format!("id = unhex('{id}')"),
        Kind::Postgres => format!("id = decode('{id}', 'hex')"),
    };
    database.execute_raw(&format!(
        "{numbers} INSERT INTO payment ({columns}, id, idempotency_key, external_id) \
         SELECT {columns}, {id}, 'p-' || i, 'p-' || i FROM payment, n WHERE {}; \
         {numbers} INSERT INTO customer (version, created_at, updated_at, tenant_id, id, external_id, metadata) \
         SELECT version, created_at, updated_at, tenant_id, {id}, 'c-' || i, '{{\"all\":\"1\",\"n\":\"1\"}}' \
         FROM customer, n WHERE {}",
        is(payment),
        is(customer),
    ));
    // Of payments, customers, refunds and payouts.
    for kind in 1..=4 {
        for value in ["CAST(i % 10 AS TEXT)", "'1'"] {
            let key = if value == "'1'" { "all" } else { "n" };
            database.execute_raw(&format!(
                "{numbers} INSERT INTO metadata_text (tenant_id, kind, key, value, subject) \
                 SELECT tenant_id, {kind}, '{key}', {value}, {id} FROM customer, n WHERE {}",
                is(customer)
            ));
        }
    }
}

async fn ask(client: &Client, named: &Named) {
    let described = client.get("/openapi.json").await.json();
    let paths = described["paths"].as_object().expect("paths");
    let mut lists = 0;
    for path in paths.iter().filter(|(_, verbs)| verbs.get("get").is_some()) {
        for question in questions(path.0, named) {
            let mut next = Some(question.clone());
            // Two pages: the second begins where the first one ended.
            for _ in 0..2 {
                let Some(question) = next else { break };
                let reply = client.get(&question).await;
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                assert_eq!(reply.status, 200, "{question}: {body}");
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                let separator = if question.contains('?') { '&' } else { '?' };
                next = body["next_cursor"]
                    .as_str()
                    .filter(|_| !question.contains("cursor="))
                    .map(|cursor| format!("{question}{separator}cursor={cursor}"));
                lists += usize::from(next.is_some());
            }
        }
    }
    assert!(lists > 20, "only {lists} lists went on");
}

/// The questions for a path.
fn questions(path: &str, named: &Named) -> Vec<String> {
    let Named {
        bank,
        wallet,
        pending,
        exchange,
        payment,
        refund,
        payout,
        approval,
        dispute,
        customer,
        method,
        reserve,
        bank_account,
        order,
    } = named;
    let span = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
    let asked: Vec<String> = match path {
        "/v1/accounts" => vec![format!("{path}?limit=2")],
        "/v1/settlements" => vec![format!("{path}?limit=1")],
        // Nothing is settled here. The lines of a settlement, and one exception, are read by what a list finds.
        "/v1/settlements/{id}/lines" => Vec::new(),
        "/v1/reconciliation_exceptions/{id}" => Vec::new(),
        "/v1/reconciliation_exceptions" => vec![
            format!("{path}?limit=1"),
            format!("{path}?limit=1&status=open"),
            format!("{path}?limit=1&status=resolved"),
        ],
        "/v1/disputes" | "/v1/approvals" | "/v1/reserves" | "/v1/assets" | "/v1/bank_accounts"
        | "/v1/bank_orders" => {
            vec![format!("{path}?limit=1")]
        }
        "/v1/payouts" | "/v1/refunds" => vec![
            format!("{path}?limit=1"),
            format!("{path}?limit=1&metadata.n=1"),
            format!("{path}?limit=1&metadata.n=1&metadata.all=1"),
        ],
        "/v1/payments" => payments(named),
        "/v1/customers" => vec![
            format!("{path}?limit=1"),
            format!("{path}?limit=1&external_id=c-7"),
            format!("{path}?limit=1&metadata.n=1"),
            format!("{path}?limit=1&metadata.n=1&metadata.all=1"),
        ],
        "/v1/customers/{id}" => vec![format!("/v1/customers/{customer}")],
        "/v1/customers/{id}/payment_methods" => {
            vec![format!("/v1/customers/{customer}/payment_methods?limit=1")]
        }
        "/v1/payment_methods/{id}" => vec![format!("/v1/payment_methods/{method}")],
        "/v1/assets/{code}" => vec!["/v1/assets/POINTS".to_owned()],
        "/v1/balance_transactions" => vec![format!("{path}?currency=EUR&limit=2")],
        "/v1/balances" => vec![
            format!("{path}?code=liabilities"),
            format!("{path}?code=liabilities:wallets:1&as_of=2025-01-01T00:00:00Z&by=effective"),
        ],
        "/v1/trial-balance" => vec![
            format!("{path}?limit=2"),
            format!("{path}?limit=2&as_of=2025-01-01T00:00:00Z&by=effective"),
        ],
        "/v1/accounts/{id}/statement" => vec![
            format!("/v1/accounts/{bank}/statement?{span}"),
            format!("/v1/accounts/{bank}/statement?by=effective&{span}"),
            format!("/v1/accounts/{wallet}/statement?{span}&limit=100"),
        ],
        "/v1/accounts/{id}/balance" => vec![
            format!("/v1/accounts/{bank}/balance"),
            format!("/v1/accounts/{bank}/balance?as_of=2025-01-01T00:00:00Z&by=effective"),
        ],
        "/v1/transactions" => searches(named),
        "/v1/transactions/{id}" => vec![format!("/v1/transactions/{pending}")],
        "/v1/exchanges/{id}" => vec![format!("/v1/exchanges/{exchange}")],
        "/v1/payments/{id}" => vec![format!("/v1/payments/{payment}?{EXPANDED}")],
        "/v1/payments/{id}/operations" => {
            vec![format!("/v1/payments/{payment}/operations?limit=1")]
        }
        "/v1/payments/{id}/refunds" => vec![format!("/v1/payments/{payment}/refunds?limit=1")],
        // The events of the stage come and go; one is read by what a list finds.
        "/v1/webhook_events/{id}" => Vec::new(),
        "/v1/webhook_events" => vec![
            format!("{path}?limit=1"),
            format!("{path}?limit=1&event_id=evt_1"),
            format!("{path}?limit=1&status=parked"),
            format!("{path}?limit=1&operation=op_019f0d5c2b7a7c3e8f10a1b2c3d4e5f6"),
        ],
        "/v1/disputes/{id}" => vec![format!("/v1/disputes/{dispute}")],
        "/v1/bank_accounts/{id}" => vec![format!("/v1/bank_accounts/{bank_account}")],
        "/v1/bank_orders/{id}" => vec![format!("/v1/bank_orders/{order}")],
        "/v1/reserves/{id}" => vec![format!("/v1/reserves/{reserve}")],
        "/v1/payouts/{id}" => vec![format!("/v1/payouts/{payout}")],
        "/v1/approvals/{id}" => vec![format!("/v1/approvals/{approval}")],
        "/v1/refunds/{id}" => vec![format!("/v1/refunds/{refund}")],
        of_account if of_account.starts_with("/v1/accounts/{id}") => {
            vec![of_account.replace("{id}", bank)]
        }
        plain if !plain.contains('{') => vec![plain.to_owned()],
        unknown => panic!("{unknown} is not asked about: say here what to ask"),
    };
    asked
}

/// All parts of a payment but the refunds, which are among the operations.
const EXPANDED: &str =
    "expand[]=customer&expand[]=payment_method&expand[]=operations&expand[]=disputes";

/// Each filter on payments alone, and each beside each other one.
fn payments(named: &Named) -> Vec<String> {
    let filters = [
        "external_id=p-7".to_owned(),
        "idempotency_key=p-7".to_owned(),
        format!("customer={}", named.customer),
        "metadata.n=1".to_owned(),
        "metadata.all=1".to_owned(),
        "status=canceled".to_owned(),
        "currency=USD".to_owned(),
        "amount=3".to_owned(),
        "from=2026-01-01T00:00:00Z".to_owned(),
        "to=2100-01-01T00:00:00Z".to_owned(),
        "day=2026-11-30".to_owned(),
    ];
    let mut asked = vec![format!("/v1/payments?limit=3&{EXPANDED}")];
    for (place, one) in filters.iter().enumerate() {
        asked.push(format!("/v1/payments?limit=3&{one}"));
        for other in filters.iter().skip(place + 1) {
            asked.push(format!("/v1/payments?limit=3&{one}&{other}"));
        }
    }
    asked
}

/// Each filter alone, and each beside each other one.
fn searches(named: &Named) -> Vec<String> {
    let Named { bank, .. } = named;
    let filters = [
        "external_id=60%200%207".to_owned(),
        format!("account={bank}"),
        "code_prefix=liabilities:wallets".to_owned(),
        "code_prefix=liabilities:wallets:1".to_owned(),
        "kind=none_of_them".to_owned(),
        "status=pending".to_owned(),
        "status=posted".to_owned(),
        "status=voided".to_owned(),
        "status=expired".to_owned(),
        "currency=USD".to_owned(),
        "from=2026-01-01T00:00:00Z".to_owned(),
        "to=2026-01-01T00:00:00Z".to_owned(),
        "effective_from=2024-02-29T12:00:00Z".to_owned(),
        "effective_to=2024-03-01T00:00:00Z".to_owned(),
        "metadata.order=49".to_owned(),
        "metadata_prefix.order=49".to_owned(),
        "metadata_present=order".to_owned(),
        "amount_min=49".to_owned(),
        "amount_max=49".to_owned(),
    ];
    let mut asked = vec!["/v1/transactions?limit=3".to_owned()];
    for (place, one) in filters.iter().enumerate() {
        asked.push(format!("/v1/transactions?limit=3&{one}"));
        let name = |filter: &str| filter.split('=').next().unwrap_or_default().to_owned();
        for other in filters.iter().skip(place + 1) {
            if name(one) != name(other) {
                asked.push(format!("/v1/transactions?limit=3&{one}&{other}"));
            }
        }
    }
    asked
}
