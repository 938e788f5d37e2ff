//! Many tenants in one database: made, kept apart, and committed together.

use std::collections::BTreeSet;

use books::transfers::Transfer;
use engine::{Engine, Request, Tenant};
use ledger::{AccountClass, AccountId, Limits, NewAccount};
use money::{Amount, Money};
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, Ids, Store};
use tests::{Client, Database, Florin, Kind, on_both_databases, run};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::crowds::euro;
use crate::given::{OPERATOR_KEY, account, is_problem, rows, text};
use crate::shop::{movement, pointers};
use crate::violations::{report, tamper};

/// Runs a verb on a database. Returns its exit code, its output and its error messages.
pub(crate) fn verb(database: &Database, words: &[&str]) -> (Option<i32>, String, String) {
    let data_dir = database.data_dir();
    let data_dir = data_dir.to_str().expect("plain names");
    let more = ["--database-url", database.url(), "--data-dir", data_dir];
    let output = run(&[words, &more].concat(), b"");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

on_both_databases!(a_tenant_is_made_on_the_machine_and_sees_nothing_of_another);
async fn a_tenant_is_made_on_the_machine_and_sees_nothing_of_another(database: Database) {
    let florin = Florin::start(&database, &[]);
    let (code, made, said) = verb(&database, &["tenant", "create", "acme", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["name"], "acme");
    let key = text(&made, "/key");
    let acme = Client::new(florin.api(), key.as_str());
    let own = account(&acme, "liabilities:ann", &Value::Null).await;
    let demo = florin.client();
    assert_eq!(demo.get(&format!("/v1/accounts/{own}")).await.status, 404);
    assert_eq!(acme.get(&format!("/v1/accounts/{own}")).await.status, 200);

    // A name belongs to one tenant, and a key can be added to that tenant.
    let (code, _, said) = verb(&database, &["tenant", "create", "acme"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("name"), "{said}");
    let (code, _, said) = verb(&database, &["tenant", "create", "Acme!"]);
    assert_eq!(code, Some(2), "{said}");
    let (code, another, _) = verb(&database, &["key", "create", "--tenant", "acme"]);
    assert_eq!(code, Some(0));
    let another = Client::new(florin.api(), another.as_str());
    assert_eq!(
        another.get(&format!("/v1/accounts/{own}")).await.status,
        200
    );
    let (code, _, said) = verb(&database, &["key", "create", "--tenant", "nobody"]);
    assert_eq!(code, Some(2), "{said}");
    let (_, listed, _) = verb(&database, &["tenant", "list"]);
    for name in ["demo", "acme"] {
        assert!(listed.contains(name), "{listed}");
    }
    florin.kill9();
    books_hold(&database);
}

/// Makes a new tenant, and opens two accounts for it.
pub(crate) async fn newcomer(engine: &Engine, name: &str) -> (Tenant, AccountId, AccountId) {
    let tenant = Tenant {
        id: Ids::random().tenant(),
        name: name.into(),
    };
    let command = access::Provision {
        mode: access::Mode::Sandbox,
        key: None,
    };
    let request = Request::of_system(tenant.clone(), "scenario", command);
    engine.submit(request).await.expect("provisioned");
    let mut ids = Vec::new();
    for code in ["from", "to"] {
        let opened = books::accounts::OpenAccount(NewAccount {
            code: ledger::AccountCode::trusted(code),
            name: ledger::AccountName::trusted(code),
            currency: euro(),
            class: AccountClass::Liability,
            limits: Limits::NONE,
            metadata: None,
        });
        let request = Request::of_system(tenant.clone(), "scenario", opened);
        let opened = engine.submit(request).await.expect("answered").done();
        ids.push(opened.expect("opened").id);
    }
    (tenant, ids[0], ids[1])
}

/// A transfer of the smallest amount between two accounts of a tenant.
pub(crate) fn smallest_transfer(
    tenant: Tenant,
    from: AccountId,
    to: AccountId,
) -> Request<Transfer> {
    let transfer = Transfer {
        from,
        to,
        money: Money {
            amount: Amount::new(1).expect("positive"),
            currency: euro(),
        },
        description: None,
    };
    Request::of_system(tenant, "scenario", transfer)
}

/// Sends transfers of several tenants at once, through a lane that mixes tenants or not. Returns true if any
/// commit has carried more than one tenant: then audit batches of different logs have the same time.
async fn commits_are_mixed(database: &Database, mixes_tenants: bool) -> bool {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let settings = engine::Settings {
        shelves: families::shelves(),
        make_again: |_, _, _| unreachable!("nothing is sent again"),
        after_commit: None,
        max_batch: 100,
        line: 1_000,
        mixes_tenants,
        clock: Clock::system(),
        key_life_seconds: 30 * 86_400,
    };
    let engine = Engine::start(store.clone(), settings, Ids::random()).expect("a thread");
    let mut tenants = Vec::new();
    for number in 0..6 {
        tenants.push(newcomer(&engine, &format!("tenant-{mixes_tenants}-{number}")).await);
    }
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        for (tenant, from, to) in tenants.clone() {
            let engine = engine.clone();
            asking.spawn(async move {
                let request = smallest_transfer(tenant, from, to);
                engine.submit(request).await.expect("committed").done()
            });
        }
    }
    let posted = asking.join_all().await;
    assert!(posted.iter().all(Option::is_some));
    for (tenant, _, to) in &tenants {
        let (id, to) = (tenant.id, *to);
        let read = store.read(|connection| ledger::account(connection, id, to));
        let account = read.expect("readable").expect("opened above");
        assert_eq!(account.posted().get(), 20);
    }
    engine.shut_down().await;
    let ids = tenants.iter().map(|(tenant, ..)| tenant.id.to_string());
    let ids = ids.collect::<Vec<String>>().join(", ");
    let counted = format!(
        "SELECT count(*) - count(DISTINCT at) FROM audit_batch \
         WHERE start > 0 AND log IN ({ids})"
    );
    database.number(&counted) > 0
}

on_both_databases!(a_name_is_taken_once_however_many_ask_for_it_and_nobody_else_suffers);
async fn a_name_is_taken_once_however_many_ask_for_it_and_nobody_else_suffers(database: Database) {
    let florin = Florin::start(&database, &[]);
    let operator = Client::new(florin.api(), OPERATOR_KEY);
    let tenant = florin.client();
    for round in 0..5 {
        let mut asked = JoinSet::new();
        for number in 0..16 {
            let (operator, tenant) = (operator.clone(), tenant.clone());
            asked.spawn(async move {
                let name = json!({"name": format!("acme-{round}")});
                let code = format!("assets:cash:r{round}n{number}");
                let made = operator.post("/v1/admin/tenants", None, &name);
                let opened = json!({"code": code, "currency": "EUR"});
                let opened = tenant.post("/v1/accounts", None, &opened);
                let (made, opened) = tokio::join!(made, opened);
                assert_eq!(opened.status, 201, "{}", opened.json());
                made
            });
        }
        let made = asked.join_all().await;
        let taken = made.iter().filter(|made| made.status == 201);
        assert_eq!(taken.count(), 1);
        for refused in made.iter().filter(|made| made.status != 201) {
            is_problem("the name is taken", refused, 409, "tenant_exists");
        }
    }
    books_hold(&database);
}

on_both_databases!(a_tenant_is_made_over_http_by_the_operator_or_in_the_sandbox_by_anybody);
async fn a_tenant_is_made_over_http_by_the_operator_or_in_the_sandbox_by_anybody(
    database: Database,
) {
    const ADMIN: &str = "/v1/admin/tenants";
    const SANDBOX: &str = "/sandbox/tenants";
    let florin = Florin::start(&database, &[]);
    let demo = florin.client();
    let operator = Client::new(florin.api(), OPERATOR_KEY);
    let made = operator.post(ADMIN, None, &json!({"name": "acme"})).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.json()["name"], "acme");
    let acme = Client::new(florin.api(), text(&made.json(), "/api_key").as_str());
    let own = account(&acme, "liabilities:ann", &Value::Null).await;
    let own = format!("/v1/accounts/{own}");
    assert_eq!(acme.get(&own).await.status, 200);
    assert_eq!(demo.get(&own).await.status, 404);

    let before = rows(&database);
    for path in [ADMIN, SANDBOX] {
        let taken = operator.post(path, None, &json!({"name": "acme"})).await;
        is_problem(path, &taken, 409, "tenant_exists");
        assert_eq!(pointers(&taken), ["/name"]);
        let malformed = operator.post(path, None, &json!({"name": "Acme!"})).await;
        is_problem(path, &malformed, 422, "invalid_field");
        assert_eq!(pointers(&malformed), ["/name"]);
        let unknown = operator
            .post(path, None, &json!({"name": "b", "x": 1}))
            .await;
        is_problem(path, &unknown, 422, "unknown_field");
    }
    let nameless = operator.post(ADMIN, None, &json!({})).await;
    is_problem("no name", &nameless, 422, "invalid_field");
    for (who, client) in [("a tenant", &demo), ("the new tenant", &acme)] {
        let refused = client.post(ADMIN, None, &json!({"name": "b"})).await;
        is_problem(who, &refused, 401, "unauthorized");
    }
    let as_tenant = operator.get("/v1/accounts").await;
    is_problem("the operator has no books", &as_tenant, 401, "unauthorized");
    assert_eq!(rows(&database), before);

    // In the sandbox no key is needed, and no name.
    let nobody = Client::new(florin.api(), "none");
    let mut names = BTreeSet::new();
    for _ in 0..3 {
        let made = nobody.post(SANDBOX, None, &json!({})).await;
        assert_eq!(made.status, 201, "{}", made.json());
        names.insert(text(&made.json(), "/name"));
        let own = Client::new(florin.api(), text(&made.json(), "/api_key").as_str());
        assert_eq!(own.get("/v1/accounts").await.json()["data"], json!([]));
    }
    assert_eq!(names.len(), 3);
    books_hold(&database);
}

on_both_databases!(a_commit_carries_the_commands_of_many_tenants_where_it_may);
async fn a_commit_carries_the_commands_of_many_tenants_where_it_may(database: Database) {
    // The schema exists after a server has run.
    drop(Florin::start(&database, &[]));
    assert!(!commits_are_mixed(&database, false).await);
    assert!(commits_are_mixed(&database, true).await);
    books_hold(&database);
}

/// Adds 3,000 keys for each tenant. All tenants have the same texts as keys.
fn keys_of_each_tenant(database: &Database) {
    let (zeros, body) = match database.kind() {
        Kind::Sqlite => ("zeroblob(32)", "x'6f6b'"),
        Kind::Postgres => ("decode(repeat('00', 32), 'hex')", "decode('6f6b', 'hex')"),
    };
    database.execute_raw(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO idempotency_key (created_at, tenant_id, status, key, fingerprint, body)
         SELECT 0, tenant_id, 200, 'key-' || i, {zeros}, {body} FROM n, tenant"
    ));
}

/// Makes a tenant with two transfers, and returns its id.
async fn with_two_transfers(database: &Database, florin: &Florin, name: &str) -> i64 {
    let (code, made, said) = verb(database, &["tenant", "create", name, "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let client = Client::new(florin.api(), text(&made, "/key").as_str());
    let from = account(&client, "liabilities:ann", &Value::Null).await;
    let to = account(&client, "liabilities:bob", &Value::Null).await;
    for key in ["one", "two"] {
        let asked = movement(&from, &to, 5);
        let moved = client.post("/v1/transfers", key, &asked).await;
        assert_eq!(moved.status, 201, "{}", moved.json());
    }
    database.number(&format!(
        "SELECT tenant_id FROM tenant WHERE name = '{name}'"
    ))
}

on_both_databases!(the_check_reads_each_row_of_many_tenants_once_and_names_whose_is_broken);
async fn the_check_reads_each_row_of_many_tenants_once_and_names_whose_is_broken(
    database: Database,
) {
    let florin = Florin::start(&database, &["--check-every", "0"]);
    with_two_transfers(&database, &florin, "acme").await;
    let bolt = with_two_transfers(&database, &florin, "bolt").await;
    assert_eq!(florin.terminate().code(), Some(0));
    // More than two pages, and the first one ends between two tenants with the same text.
    keys_of_each_tenant(&database);
    let found = |name: &str| {
        let (_, report) = report(&database);
        let invariants = report["invariants"].as_array().expect("a list");
        let found = invariants.iter().find(|one| one["name"] == name);
        found.expect("it is checked").clone()
    };
    for (name, table) in [("L1", "posting"), ("I1", "idempotency_key")] {
        let rows = database.number(&format!("SELECT count(*) FROM {table}"));
        let verdict = found(name);
        assert_eq!(verdict["holds"], true, "{verdict}");
        assert_eq!(verdict["examined"], rows, "{verdict}");
    }
    let first =
        format!("(SELECT id FROM ledger_transaction WHERE tenant_id = {bolt} ORDER BY id LIMIT 1)");
    let planted = [
        (
            format!(
                "CREATE TABLE keep AS SELECT * FROM ledger_transaction WHERE id = {first};
                 DELETE FROM ledger_transaction WHERE id = {first}"
            ),
            "INSERT INTO ledger_transaction SELECT * FROM keep; DROP TABLE keep".to_owned(),
            ("L1", json!("bolt"), "its transaction does not exist"),
        ),
        (
            "INSERT INTO posting SELECT amount, debit_version, debit_balance, credit_version, \
             credit_balance, 99, ordinal, transaction_id, debit_account, credit_account, currency, \
             phase FROM posting"
                .to_owned(),
            "DELETE FROM posting WHERE tenant_id = 99".to_owned(),
            ("L1", Value::Null, "its transaction does not exist"),
        ),
        (
            format!(
                "UPDATE idempotency_key SET key = 'no key'
                  WHERE key = 'key-2999' AND tenant_id = {bolt}"
            ),
            "UPDATE idempotency_key SET key = 'key-2999' WHERE key = 'no key'".to_owned(),
            ("I1", json!("bolt"), "it is no idempotency key"),
        ),
    ];
    for (plant, undo, (name, whose, detail)) in planted {
        tamper(&database, &plant);
        let verdict = found(name);
        assert_eq!(verdict["holds"], false, "{plant}: {verdict}");
        let violation = &verdict["violation"];
        assert_eq!(violation["tenant"], whose, "{verdict}");
        assert_eq!(violation["detail"], detail, "{verdict}");
        tamper(&database, &undo);
    }
    books_hold(&database);
}
