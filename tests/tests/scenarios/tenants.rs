//! Many tenants in one database: made, kept apart, and committed together.

use std::collections::BTreeSet;

use books::transfers::Transfer;
use engine::{Engine, Request, Tenant};
use ledger::{AccountClass, AccountId, Limits, NewAccount};
use money::{Amount, Money};
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, Ids, Store};
use tests::{Client, Database, Florin, on_both_databases, run};
use tokio::task::JoinSet;

use crate::books_hold;
use crate::crowds::euro;
use crate::given::{OPERATOR_KEY, account, is_problem, rows, text};
use crate::shop::pointers;

/// Runs a verb on a database; what it prints.
fn verb(database: &Database, words: &[&str]) -> (Option<i32>, String, String) {
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

    // A name is one tenant's, and a key can be added to it.
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

/// Two accounts of a tenant that is new.
async fn newcomer(engine: &Engine, name: &str) -> (Tenant, AccountId, AccountId) {
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

/// Transfers of several tenants at once, through a lane that mixes them or not. Returns whether any commit has
/// carried more than one tenant: the audit batches of a commit have one time, and differ in the log.
async fn commits_are_mixed(database: &Database, mixes_tenants: bool) -> bool {
    let url = DatabaseUrl::parse(database.url()).expect("a URL");
    let store = Store::open(&url).expect("the migrations are applied");
    let settings = engine::Settings {
        shelves: families::shelves(),
        make_again: |_, _, _| unreachable!("nothing is sent again"),
        told: None,
        max_batch: 100,
        line: 1_000,
        mixes_tenants,
        clock: Clock::system(),
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
                let transfer = Transfer {
                    from,
                    to,
                    money: Money {
                        amount: Amount::new(1).expect("positive"),
                        currency: euro(),
                    },
                    description: None,
                };
                let request = Request::of_system(tenant, "scenario", transfer);
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
    // The schema is there once a server has been.
    drop(Florin::start(&database, &[]));
    assert!(!commits_are_mixed(&database, false).await);
    assert!(commits_are_mixed(&database, true).await);
    books_hold(&database);
}
