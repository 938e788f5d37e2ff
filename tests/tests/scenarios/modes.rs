//! Books store whether their money is real, and cannot be opened in the other mode.

use std::process::Output;

use serde_json::json;
use tests::{Client, Database, Florin, Kind, on_both_databases, run};

use crate::books_hold;
use crate::given::{OPERATOR_KEY, is_problem, rows, text};

const SANDBOX_KEY: &str = "sk_sandbox_4f9d2b7c1e8a5036";
/// The settings that live mode needs. Nothing listens at that address.
const LIVE: [&str; 8] = [
    "--mode",
    "live",
    "--provider-url",
    "http://127.0.0.1:9",
    "--webhook-secret",
    "acme=stripe:whsec_0123456789abcdef",
    "--provider-timeout-ms",
    "200",
];

fn says(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Checks for exit 2 and a message that names the mode of the books.
fn is_other_mode(case: &str, output: &Output, books: &str) {
    let said = says(output);
    assert_eq!(output.status.code(), Some(2), "{case}: {said}");
    assert!(said.contains(&format!("{books} books")), "{case}: {said}");
}

/// Runs a verb that ends on its own on these books.
fn on(database: &Database, verb: &[&str]) -> Output {
    let folder = database.data_dir();
    let folder = folder.to_str().expect("plain names");
    let books = ["--database-url", database.url(), "--data-dir", folder];
    run(&[verb, &books].concat(), b"")
}

on_both_databases!(books_of_one_mode_never_open_in_the_other);
async fn books_of_one_mode_never_open_in_the_other(live: Database) {
    let key = on(&live, &["key", "create", "--mode", "live", "--init"]);
    assert_eq!(key.status.code(), Some(0), "{}", says(&key));
    let key = String::from_utf8(key.stdout).expect("text");
    let key = key.trim();
    assert!(key.starts_with("sk_live_"), "{key}");
    let florin = Florin::start(&live, &LIVE);
    let client = Client::new(florin.api(), key);
    assert_eq!(client.get("/v1/accounts").await.status, 200);
    // Neither the key of the README nor any other key of the sandbox opens live books.
    for stranger in [SANDBOX_KEY, "sk_sandbox_0000000000000000"] {
        let refused = Client::new(florin.api(), stranger)
            .get("/v1/accounts")
            .await;
        is_problem(stranger, &refused, 401, "unauthorized");
        assert!(text(&refused.json(), "/detail").contains("live books"));
    }
    florin.kill9();

    let before = rows(&live);
    let listen = ["--listen", "127.0.0.1:0"];
    is_other_mode(
        "serve",
        &on(&live, &[&["serve"][..], &listen].concat()),
        "live",
    );
    for verb in [
        &["demo"][..],
        &["key", "create"],
        &["check", "--mode", "sandbox"],
        &["audit", "verify", "--mode", "sandbox"],
        &["export", "--format", "json", "--mode", "sandbox"],
    ] {
        is_other_mode(&format!("{verb:?}"), &on(&live, verb), "live");
    }
    let bench = [
        "bench",
        "--rounds",
        "1",
        "--transfers",
        "10",
        "--accounts",
        "12",
    ];
    let bench = on(&live, &bench);
    assert_ne!(bench.status.code(), Some(0), "{}", says(&bench));
    assert!(says(&bench).contains("live books"), "{}", says(&bench));
    assert_eq!(rows(&live), before, "something was written into live books");

    // Once a sandbox was started on them by an older program, its key is in live books: it opens nothing.
    let hash: String = access::hash(SANDBOX_KEY)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let hash = match live.kind() {
        Kind::Sqlite => format!("x'{hash}'"),
        Kind::Postgres => format!("'\\x{hash}'"),
    };
    live.execute_raw(&format!(
        "INSERT INTO api_key (created_at, tenant_id, label, hash) \
         SELECT 0, tenant_id, 'stray', {hash} FROM tenant"
    ));
    let florin = Florin::start(&live, &LIVE);
    let refused = Client::new(florin.api(), SANDBOX_KEY)
        .get("/v1/accounts")
        .await;
    is_problem("stray", &refused, 401, "unauthorized");
    florin.kill9();
    books_hold(&live);

    let sandbox = Database::fresh(live.kind()).expect("the first one was to be had");
    let florin = Florin::start(&sandbox, &[]);
    let stranger = Client::new(florin.api(), key).get("/v1/accounts").await;
    is_problem("a live key", &stranger, 401, "unauthorized");
    let body = json!({"code": "liabilities:w", "currency": "EUR"});
    assert_eq!(
        florin
            .client()
            .post("/v1/accounts", None, &body)
            .await
            .status,
        201
    );
    florin.kill9();
    let before = rows(&sandbox);
    for more in [&[][..], &["--init"]] {
        let serve = [&["serve"][..], &listen, &LIVE, more].concat();
        is_other_mode("serve", &on(&sandbox, &serve), "sandbox");
    }
    let create = ["key", "create", "--mode", "live"];
    is_other_mode("key create", &on(&sandbox, &create), "sandbox");
    assert_eq!(
        rows(&sandbox),
        before,
        "something was written into sandbox books"
    );
}

on_both_databases!(in_live_mode_tenants_are_made_with_a_key_that_only_the_operator_knows);
async fn in_live_mode_tenants_are_made_with_a_key_that_only_the_operator_knows(database: Database) {
    let key = on(&database, &["key", "create", "--mode", "live", "--init"]);
    assert_eq!(key.status.code(), Some(0), "{}", says(&key));
    let listen = ["--listen", "127.0.0.1:0", "--operator-key"];
    for (wrong, hint) in [("short", "at least 32"), (OPERATOR_KEY, "everybody knows")] {
        let serve = [&["serve"][..], &LIVE, &listen, &[wrong]].concat();
        let refused = on(&database, &serve);
        assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
        assert!(says(&refused).contains(hint), "{}", says(&refused));
        assert!(!says(&refused).contains(wrong), "a key is repeated");
    }
    let own = "0123456789abcdef0123456789abcdef";
    for (set, status) in [(&[][..], 401), (&["--operator-key", own][..], 201)] {
        let florin = Florin::start(&database, &[&LIVE[..], set].concat());
        let operator = Client::new(florin.api(), own);
        let new = json!({"name": "acme"});
        let stranger = Client::new(florin.api(), OPERATOR_KEY);
        let refused = stranger.post("/v1/admin/tenants", None, &new).await;
        is_problem("the sandbox's key", &refused, 401, "unauthorized");
        let absent = operator.post("/sandbox/tenants", None, &json!({})).await;
        is_problem("live", &absent, 404, "not_found");
        let made = operator.post("/v1/admin/tenants", None, &new).await;
        assert_eq!(made.status, status, "{}", made.json());
        if status == 201 {
            let key = text(&made.json(), "/api_key");
            assert!(key.starts_with("sk_live_"), "{key}");
            let acme = Client::new(florin.api(), key.as_str());
            assert_eq!(acme.get("/v1/accounts").await.status, 200);
            let fault = json!({"operation": "any", "fault": "drop", "next": 1});
            for (path, body) in [
                ("/sandbox/faults", fault),
                ("/sandbox/faults/clear", json!({})),
            ] {
                is_problem(path, &acme.post(path, None, &body).await, 404, "not_found");
            }
            is_problem(
                "faults",
                &acme.get("/sandbox/faults").await,
                404,
                "not_found",
            );
        }
        florin.kill9();
    }
    books_hold(&database);
}

on_both_databases!(live_books_are_begun_only_on_purpose_and_once);
async fn live_books_are_begun_only_on_purpose_and_once(database: Database) {
    let create = ["key", "create", "--mode", "live"];
    let refused = on(&database, &create);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("--init"), "{}", says(&refused));
    for verb in [
        &["check"][..],
        &["audit", "verify"],
        &["export", "--format", "json"],
    ] {
        let refused = on(&database, verb);
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{verb:?}: {}",
            says(&refused)
        );
        let said = says(&refused);
        let expected = match database.kind() {
            Kind::Postgres => "there are no books in",
            Kind::Sqlite => "there is no such file",
        };
        assert!(said.contains(expected), "{verb:?}: {said}");
    }
    // Two programs of different modes begin the same books at the same time: exactly one succeeds.
    let folder = database.data_dir().display().to_string();
    let begin = |mode: &'static str| {
        let (url, folder) = (database.url().to_owned(), folder.clone());
        tokio::task::spawn_blocking(move || {
            let create = ["key", "create", "--init", "--mode", mode];
            let books = ["--database-url", &url, "--data-dir", &folder];
            run(&[&create[..], &books].concat(), b"")
        })
    };
    let (live, sandbox) = tokio::join!(begin("live"), begin("sandbox"));
    let (live, sandbox) = (live.expect("it ends"), sandbox.expect("it ends"));
    let codes = [live.status.code(), sandbox.status.code()];
    assert!(
        codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)],
        "{}{}",
        says(&live),
        says(&sandbox)
    );
    assert_eq!(database.number("SELECT count(*) FROM books"), 1);
    assert_eq!(database.number("SELECT count(*) FROM api_key"), 1);
    books_hold(&database);
}
