//! The command line: the message for a wrong setting, the setting that wins, and the exit of each verb.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tests::{Client, Database, Florin, Kind, binary, on_both_databases, run};

use crate::given::text;

/// Greatest time for a verb that has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(60);
const SANDBOX_KEY: &str = "sk_sandbox_4f9d2b7c1e8a5036";

/// Runs a verb that must end on its own, with this environment and no other settings. If it does not end, it is
/// killed and the test fails.
fn ends(arguments: &[impl AsRef<OsStr>], environment: &[(&str, &str)], input: &[u8]) -> Output {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FLORIN_") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("piped");
    // A verb may refuse its arguments without reading its input.
    let _unread = pipe.write_all(input);
    drop(pipe);
    let pid = child.id().to_string();
    let (sender, output) = channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(PATIENCE) else {
        let kill = ["-c", "kill -s KILL \"$1\"", "kill", &pid];
        let _ended = Command::new("sh").args(kill).status();
        panic!("{command:?} did not end within {PATIENCE:?}");
    };
    output.expect("an own child can be waited for")
}

/// Exit 2, nothing on standard output, and one line on standard error that has all of these words.
fn is_refused(case: &str, output: &Output, words: &[impl AsRef<str>]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{case}: {said}");
    assert_eq!(output.stdout, b"", "{case}: {said}");
    assert_eq!(said.lines().count(), 1, "{case}: one line, not\n{said}");
    assert!(said.starts_with("florin: "), "{case}: {said}");
    for word in words {
        let word = word.as_ref();
        assert!(said.contains(word), "{case}: no {word:?} in {said}");
    }
}

/// Settings that cannot be used, and words of the one line. `DIR` stands for a folder with a few wrong files, `TAKEN`
/// for an address that is in use.
const WRONG: &[(&[&str], &[&str])] = &[
    (
        &["--database-url", "florin.db"],
        &["--database-url", "sqlite:", "postgres://"],
    ),
    (
        &["--database-url", "mysql://localhost/florin"],
        &["--database-url", "postgres://"],
    ),
    (&["--database-url", ""], &["--database-url", "sqlite:"]),
    (&["--database-url", "sqlite:"], &["--database-url", "path"]),
    (
        &["--database-url", "sqlite:DIR/garbage"],
        &["--database-url", "not a database"],
    ),
    (
        &["--database-url", "sqlite:DIR/garbage/florin.db"],
        &["--database-url", "DIR/garbage"],
    ),
    (
        &["--database-url", "sqlite:DIR"],
        &["--database-url", "DIR"],
    ),
    (
        &["--database-url", "postgres://ann:s3cret@127.0.0.1:1/florin"],
        &["--database-url", "127.0.0.1:1/florin", "ann:***"],
    ),
    (&["--listen", "TAKEN"], &["--listen", "TAKEN", "port 0"]),
    (&["--listen", "192.0.2.1:80"], &["--listen", "192.0.2.1:80"]),
    (
        &["--listen", "here"],
        &["--listen", "here", "localhost:8080"],
    ),
    (
        &["--listen", "nowhere.invalid:80"],
        &["--listen", "nowhere.invalid"],
    ),
    (&["--mode", "production"], &["--mode", "sandbox", "live"]),
    (
        &["--provider-timeout-ms", "soon"],
        &["--provider-timeout-ms"],
    ),
    (
        &["--provider-timeout-ms", "0"],
        &["--provider-timeout-ms", "1 to"],
    ),
    (
        &["--provider-url", "ftp://x"],
        &["--provider-url", "http://"],
    ),
    (&["--provider-url", "acme"], &["--provider-url", "http://"]),
    (&["--provider", "a b"], &["a provider's name"]),
    (&["--config", "DIR/nul.toml"], &["a provider's name"]),
    (
        &["--other-provider", "acme=telegraph"],
        &["acme", "dialect", "use one of sandbox"],
    ),
    (
        &["--other-provider", "acme=sandbox:https://s3cret@/?a"],
        &["acme", "http://"],
    ),
    (
        &["--other-provider", "sandbox=sandbox"],
        &["sandbox", "--provider", "another name"],
    ),
    (
        &["--other-provider", "acme=sandbox,acme=sandbox"],
        &["acme", "--other-provider", "another name"],
    ),
    (
        &["--provider-rule", "acme=EUR"],
        &["acme", "--other-provider", "--provider-rule"],
    ),
    (
        &["--provider-rule", "sandbox=EURO"],
        &["sandbox", "unknown currency", "ISO 4217"],
    ),
    (
        &["--no-default-provider"],
        &["--provider-rule", "--no-default-provider"],
    ),
    (
        &[
            "--mode",
            "live",
            "--other-provider",
            "acme=sandbox",
            "--webhook-secret",
            "acme=stripe:whsec_0123456789abcdef",
        ],
        &["acme", "--other-provider acme=sandbox:https://"],
    ),
    (
        &[
            "--mode",
            "live",
            "--other-provider",
            "acme=sandbox:https://acme.example",
            "--webhook-secret",
            "other=stripe:whsec_0123456789abcdef",
        ],
        &["acme", "--webhook-secret acme=SCHEME:SECRET"],
    ),
    (&["--colour", "red"], &["--colour"]),
    (
        &["--config", "/nowhere/florin.toml"],
        &["/nowhere/florin.toml"],
    ),
    (&["--config", "DIR"], &["DIR"]),
    (&["--config", "DIR/not.toml"], &["not.toml"]),
    (
        &["--config", "DIR/unknown.toml"],
        &["unknown.toml", "line 1", "colour", "database_url"],
    ),
    (
        &["--config", "DIR/mistyped.toml"],
        &["mistyped.toml", "line 2", "listen", "localhost:8080"],
    ),
    (&["--data-dir", "DIR/garbage"], &["DIR/garbage"]),
    (
        &["--mode", "live"],
        &["--webhook-secret", "FLORIN_WEBHOOK_SECRETS"],
    ),
    (
        &[
            "--mode",
            "live",
            "--webhook-secret",
            "acme=stripe:whsec_0123456789abcdef",
        ],
        &["--provider-url", "FLORIN_PROVIDER_URL"],
    ),
    (
        &[
            "--mode",
            "live",
            "--provider-url",
            "http://127.0.0.1:9",
            "--webhook-secret",
            "acme=stripe:whsec_0123456789abcdef",
            "--database-url",
            "sqlite:DIR/mistyped/florin.db",
        ],
        &["no books", "DIR/mistyped/florin.db", "--init"],
    ),
    (&["--webhook-secret", "s3cret"], &["PROVIDER=SCHEME:SECRET"]),
    (&["--provider-key", "s3cret"], &["PROVIDER=KEY"]),
    (
        &["--other-provider", "card=stripe"],
        &["card", "--provider-key card=KEY", "FLORIN_PROVIDER_KEYS"],
    ),
    (
        &[
            "--other-provider",
            "card=stripe:http://stripe.example",
            "--provider-key",
            "card=sk_test_s3cret",
        ],
        &["card", "unencrypted", "https://"],
    ),
    (
        &[
            "--other-provider",
            "card=stripe",
            "--provider-key",
            "card=rk_live_s3cret",
        ],
        &["card", "real money", "sk_test_"],
    ),
    (
        &[
            "--mode",
            "live",
            "--other-provider",
            "card=stripe",
            "--provider-key",
            "card=sk_test_s3cret",
        ],
        &["card", "for tests", "sk_live_"],
    ),
    (
        &["--return-url", "card=shop.example"],
        &["card", "https://shop.example"],
    ),
    (
        &["--webhook-secret", "-----BEGIN PUBLIC KEY-----s3cret"],
        &["PROVIDER=SCHEME:SECRET"],
    ),
    (
        &[
            "--webhook-secret",
            "acme=svix:-----BEGIN PUBLIC KEY-----s3cret",
        ],
        &["acme", "PEM"],
    ),
    (
        &["--webhook-secret", "acme=magic:s3cret"],
        &["acme", "stripe, standard-webhooks"],
    ),
    (&["--webhook-secret", "acme=svix:s3cret!"], &["acme"]),
    (&["--webhook-secret", "a/c/me=svix:s3cret"], &["name"]),
    (
        &["--webhook-secret", "shop=square:s3cret"],
        &["shop", "square", "URL", "--webhook-option"],
    ),
    (
        &["--webhook-secret", "club=generic:s3cret"],
        &["club", "form", "--webhook-option"],
    ),
    (
        &["--webhook-option", "nobody=tolerance:5"],
        &["nobody", "--webhook-secret"],
    ),
    (
        &["--webhook-option", "acme=colour:red"],
        &["acme", "url, id, form, tolerance"],
    ),
];

#[test]
fn a_wrong_setting_is_one_line_that_says_what_to_do_and_exit_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in [
        ("garbage", "no database ".repeat(500).as_str()),
        ("not.toml", "listen = \n"),
        ("nul.toml", "provider = \"a\\u0000\"\n"),
        ("unknown.toml", "colour = \"red\"\n"),
        ("mistyped.toml", "# an address\nlisten = \"here\"\n"),
    ] {
        fs::write(folder.path().join(name), content).expect("writable");
    }
    let folder = folder.path().to_str().expect("plain names");
    let data = format!("{folder}/data");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("bound").to_string();
    let meant = |text: &&str| text.replace("DIR", folder).replace("TAKEN", &taken);

    for (settings, words) in WRONG {
        let mut arguments = vec!["serve".to_owned()];
        for (flag, value) in [("--data-dir", data.as_str()), ("--listen", "127.0.0.1:0")] {
            if !settings.contains(&flag) {
                arguments.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        arguments.extend(settings.iter().map(meant));
        let words: Vec<String> = words.iter().map(meant).collect();
        let output = ends(&arguments, &[], b"");
        is_refused(&format!("{settings:?}"), &output, &words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !said.contains("s3cret"),
            "{settings:?} shows a secret: {said}"
        );
    }
    let made = Path::new(folder).join("mistyped");
    assert!(!made.exists(), "a folder was made for a mistyped address");
    // The same settings from the environment.
    for variable in [
        ("FLORIN_DATABASE_URL", "florin.db"),
        ("FLORIN_LISTEN", "here"),
        ("FLORIN_MODE", "production"),
        ("FLORIN_CONFIG", "/nowhere/florin.toml"),
        ("FLORIN_WEBHOOK_SECRETS", "s3cret"),
    ] {
        let output = ends(&["serve", "--data-dir", &data], &[variable], b"");
        is_refused(variable.0, &output, &[""]);
    }
}

#[test]
fn verbs_that_only_look_never_make_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("absent.db");
    let url = format!("sqlite:{}", path.display());
    let export = &["export", "--format", "json"];
    for verb in [&["check"][..], &["audit", "verify"], export] {
        let output = ends(&[verb, &["--database-url", &url]].concat(), &[], b"");
        is_refused(
            &format!("{verb:?}"),
            &output,
            &["--database-url", "absent.db"],
        );
        assert!(!path.exists());
        let away = "postgres://127.0.0.1:1/florin";
        let output = ends(&[verb, &["--database-url", away]].concat(), &[], b"");
        is_refused(&format!("{verb:?}"), &output, &["--database-url", away]);
    }
}

/// In sandbox mode the key of the sandbox is accepted, in live mode it is refused.
async fn is_sandbox(florin: &Florin) -> bool {
    let client = Client::new(florin.api(), SANDBOX_KEY);
    match client.get("/v1/accounts").await.status {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

on_both_databases!(a_flag_wins_over_the_environment_and_that_over_the_file);
async fn a_flag_wins_over_the_environment_and_that_over_the_file(database: Database) {
    let path = database.folder().join("live.toml");
    let content = "mode = \"live\"\nprovider_url = \"http://127.0.0.1:9\"\n\
         [webhook_secrets]\nacme = [\"stripe:whsec_0123456789abcdef\"]\n";
    fs::write(&path, content).expect("writable");
    let file = ["--config", path.to_str().expect("plain names"), "--init"];
    let (live, sandbox) = (("FLORIN_MODE", "live"), ("FLORIN_MODE", "sandbox"));
    let of_file = Florin::start(&database, &file);
    assert!(!is_sandbox(&of_file).await, "the file is read");
    of_file.kill9();
    let flag = [&file[..], &["--mode", "live"]].concat();
    let of_flag = Florin::start_with_environment(&database, &flag, &[sandbox]);
    assert!(
        !is_sandbox(&of_flag).await,
        "the flag wins over the environment"
    );
    of_flag.kill9();
    // These books are live now; the sandbox gets new ones.
    let kind = database.kind();
    let other = Database::fresh(kind).expect("the first one was to be had");
    let of_environment = Florin::start_with_environment(&other, &file, &[sandbox]);
    assert!(
        is_sandbox(&of_environment).await,
        "the environment wins over the file"
    );
    let second = other.folder().join("second");
    let second = second.to_str().expect("plain names");
    let flag = ["--mode", "sandbox", "--data-dir", second];
    let of_flag = Florin::start_with_environment(&other, &flag, &[live]);
    assert_eq!(
        of_flag.key(),
        SANDBOX_KEY,
        "the flag wins over the environment"
    );
    assert_ne!(
        of_flag.api(),
        of_environment.api(),
        "port 0 picks a free one"
    );
}

#[test]
fn in_live_mode_no_key_is_made_and_no_provider_is_played() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::fresh(Kind::Sqlite).expect("it is built in");
    let secrets = [(
        "FLORIN_WEBHOOK_SECRETS",
        "acme=stripe:whsec_0123456789abcdef,acme=stripe:whsec_fedcba9876543210",
    )];
    let data = folder.path().to_str().expect("plain names");
    let arguments = [
        "--mode",
        "live",
        "--provider-url",
        "http://127.0.0.1:9",
        "--data-dir",
        data,
        "--init",
    ];
    let florin = Florin::start_with_environment(&database, &arguments, &secrets);
    assert_eq!(database.number("SELECT count(*) FROM api_key"), 0);
    let begun = database.number("SELECT count(*) FROM books WHERE mode = 2");
    assert_eq!(begun, 1, "the books know their mode from the first day");
    let left = fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 0, "a sandbox would have its journal there");
    florin.kill9();
}

#[test]
fn help_and_version_are_what_was_asked_for() {
    let help = run(&["--help"], b"");
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8(help.stdout).expect("text");
    for word in [
        "serve",
        "demo",
        "check",
        "audit",
        "export",
        "webhook",
        "bench",
        "openapi",
        "FLORIN_DATABASE_URL",
    ] {
        assert!(help.contains(word), "{word} in {help}");
    }
    let version = run(&["--version"], b"");
    assert_eq!(version.status.code(), Some(0));
    assert!(version.stdout.starts_with(b"florin 0."));
}

#[test]
fn the_printed_openapi_description_is_the_committed_one() {
    let printed = run(&["openapi"], b"");
    assert_eq!(printed.status.code(), Some(0));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = fs::read_to_string(&path)
        .expect("docs/openapi.json is there: cargo run -- openapi > docs/openapi.json");
    assert!(
        String::from_utf8_lossy(&printed.stdout) == committed,
        "the API has changed: cargo run -- openapi > docs/openapi.json"
    );
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNING: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const VERIFYING: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

#[test]
fn what_webhook_sign_prints_webhook_verify_accepts_and_no_other_body() {
    for (scheme, signing, verifying) in [
        ("stripe", SECRET, SECRET),
        ("standard-webhooks", SECRET, SECRET),
        ("standard-webhooks-v1a", SIGNING, VERIFYING),
        ("svix", SECRET, SECRET),
    ] {
        // The body is not text: it has every byte value.
        let body: Vec<u8> = (0..=255).collect();
        let signed = run(
            &["webhook", "sign", "--scheme", scheme, "--secret", signing],
            &body,
        );
        assert_eq!(signed.status.code(), Some(0), "{scheme}");
        let headers = String::from_utf8(signed.stdout).expect("text");
        let mut verify = vec![
            "webhook", "verify", "--scheme", scheme, "--secret", verifying,
        ];
        for header in headers.lines() {
            verify.extend(["--header", header]);
        }
        assert_eq!(run(&verify, &body).status.code(), Some(0), "{scheme}");
        let refused = run(&verify, &body[1..]);
        assert_eq!(refused.status.code(), Some(1), "{scheme}");
        assert!(refused.stdout.starts_with(b"refused: "), "{scheme}");
        let much_later = [&verify[..], &["--now", "4102444800"]].concat();
        assert_eq!(run(&much_later, &body).status.code(), Some(1), "{scheme}");
    }
    for usage in [
        &["webhook", "verify", "--scheme", "magic", "--secret", SECRET][..],
        &["webhook", "verify", "--scheme", "stripe"],
        &[
            "webhook", "verify", "--scheme", "stripe", "--secret", SECRET, "--header", "no colon",
        ],
        &[
            "webhook", "verify", "--scheme", "stripe", "--secret", SECRET, "--now", "today",
        ],
        &[
            "webhook", "sign", "--scheme", "svix", "--secret", SECRET, "--id", "a.b",
        ],
        &[
            "webhook", "sign", "--scheme", "stripe", "--secret", "whsec_",
        ],
        &["webhook", "verify", "--scheme", "stripe", "--secret", ""],
        &[
            "webhook", "verify", "--scheme", "svix", "--secret", SECRET, "--secret", "short",
        ],
        &["webhook", "guess"],
        &["--json", "webhook", "guess"],
        &["webhook"],
    ] {
        let refused = run(usage, b"{}");
        assert_eq!(refused.status.code(), Some(3), "{usage:?}");
        assert_eq!(refused.stdout, b"", "{usage:?}");
        assert_ne!(refused.stderr, b"", "{usage:?}");
    }
}

#[test]
fn every_recorded_signature_ends_webhook_verify_as_recorded() {
    const CASES: &str = include_str!("../../../crates/webhook-signatures/tests/vectors.json");
    let recorded: Value = serde_json::from_str(CASES).expect("JSON");
    let cases = recorded["vectors"].as_array().expect("a list");
    let mut ended = [0, 0];
    for case in cases {
        let (name, now) = (text(case, "/id"), case["now"].to_string());
        let scheme = text(case, "/scheme");
        let mut arguments = vec!["webhook", "verify", "--scheme", &scheme, "--now", &now];
        for secret in case["secrets"].as_array().expect("a list") {
            arguments.extend(["--secret", secret.as_str().expect("text")]);
        }
        let headers = case["headers"].as_object().expect("an object");
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.as_str().expect("text")))
            .collect();
        for header in &headers {
            arguments.extend(["--header", header]);
        }
        let tolerance = case["tolerance"]
            .as_i64()
            .map(|seconds| seconds.to_string());
        if let Some(seconds) = &tolerance {
            arguments.extend(["--tolerance", seconds]);
        }
        for (field, option) in [
            ("notification_url", "--url"),
            ("webhook_id", "--webhook-id"),
        ] {
            if let Some(value) = case[field].as_str() {
                arguments.extend([option, value]);
            }
        }
        let body = STANDARD.decode(text(case, "/body_base64")).expect("base64");
        let expected = match text(case, "/expect").as_str() {
            "accept" => 0,
            // The signature is genuine, and the answer says that the body may not be.
            "signature_verifies_but_body_forged" => 0,
            // An unusable secret is a mistake of the receiver: it says nothing about the delivery.
            "reject" if name == "stripe/bad_empty_secret" => 3,
            "reject" => 1,
            other => panic!("{name}: {other}"),
        };
        let output = run(&arguments, &body);
        assert_eq!(output.status.code(), Some(expected), "{name}: {output:?}");
        if scheme == "paypal" && expected == 0 {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("only a checksum of the body"), "{said}");
        }
        ended[usize::from(expected != 0)] += 1;
    }
    assert!(ended[0] >= 21 && ended[1] >= 28, "{ended:?}");
}

on_both_databases!(the_demo_ends_well_in_words_and_as_json);
async fn the_demo_ends_well_in_words_and_as_json(database: Database) {
    for round in 0..2 {
        let output = run(&["demo", "--database-url", database.url()], b"");
        let said = String::from_utf8_lossy(&output.stdout);
        let logged = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}\n{logged}");
        let steps: Vec<&str> = said
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        for step in [
            "created", "retried", "webhook", "tampered", "settled", "ledger", "audit",
        ] {
            assert!(steps.contains(&step), "{step} in\n{said}");
        }
        for line in said.lines() {
            assert!(line.ends_with("  ok"), "{line}");
        }
        assert_eq!(
            database.number("SELECT count(*) FROM ledger_transaction"),
            round + 1,
            "each demo posts once"
        );
    }
    let output = run(&["demo", "--json", "--database-url", database.url()], b"");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert!(lines.len() > 6);
    assert!(lines.iter().all(|line| line["ok"] == true), "{said}");
    crate::books_hold(&database);
}

on_both_databases!(the_whole_demo_shows_every_edge_with_its_postings);
async fn the_whole_demo_shows_every_edge_with_its_postings(database: Database) {
    let output = run(&["demo", "--all", "--database-url", database.url()], b"");
    let said = String::from_utf8_lossy(&output.stdout);
    let logged = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{logged}");
    for machine in ["payment", "operation", "dispute"] {
        assert!(said.contains(&format!("{machine}: all ")), "{said}");
    }
    // Every set of postings, as the page of the postings names them.
    let page = include_str!("../../../docs/postings.md");
    let (_, sets) = page.split_once("## The sets").expect("it is there");
    let rows = sets.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<&str> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    assert!(rows.len() > 20, "{rows:?}");
    // The sandbox refuses no refund of a charge that it has declined before.
    let rows = rows
        .into_iter()
        .filter(|row| *row != "payment_late_refund_failed");
    for kind in rows {
        assert!(said.contains(&format!(" {kind} ")), "{kind} in\n{said}");
    }
    let json = ["demo", "--all", "--json", "--database-url", database.url()];
    let output = run(&json, b"");
    assert_eq!(output.status.code(), Some(0), "a second time");
    let said = String::from_utf8(output.stdout).expect("text");
    for line in said.lines() {
        let line: Value = serde_json::from_str(line).expect(line);
        assert_eq!(line["ok"], true, "{line}");
    }
    crate::books_hold(&database);
}

on_both_databases!(the_demo_runs_against_a_server_that_is_there);
async fn the_demo_runs_against_a_server_that_is_there(database: Database) {
    let florin = Florin::start(&database, &[]);
    let (url, sandbox) = (florin.api(), florin.sandbox());
    let output = run(&["demo", "--url", url, "--sandbox-url", sandbox], b"");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        database.number("SELECT count(*) FROM ledger_transaction"),
        1
    );
    // A server that does not exist, or is not Florin: an error message, and not a success.
    let output = run(&["demo", "--url", sandbox, "--sandbox-url", url], b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_ne!(output.stderr, b"");
}

/// Runs a verb whose output nobody reads: the pipe is closed before the verb starts.
fn unheard(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    drop(command);
    child
        .wait_with_output()
        .expect("an own child can be waited for")
}

#[test]
fn no_verb_panics_when_nobody_reads_what_it_prints() {
    let database = Database::fresh(Kind::Sqlite).expect("it is built in");
    let books = ["--database-url", database.url()];
    let on_books = |verb: &[&'static str]| -> Vec<&str> { [verb, &books].concat() };
    let create = unheard(&on_books(&["key", "create"]));
    assert_eq!(
        create.status.code(),
        Some(2),
        "the key is lost, and that is said"
    );
    let said = String::from_utf8_lossy(&create.stderr);
    assert!(said.contains("make another"), "{said}");
    for verb in [
        &["openapi"][..],
        &["--help"],
        &["--version"],
        &["serve", "--help"],
        &["check"],
        &["check", "--json"],
        &["audit", "verify"],
        &["export", "--format", "json"],
        &["export", "--format", "hledger"],
        &["demo"],
        &["demo", "--json"],
        &["webhook", "sign", "--scheme", "stripe", "--secret", SECRET],
    ] {
        let arguments = match verb[0] {
            "check" | "audit" | "export" => on_books(verb),
            _ => verb.to_vec(),
        };
        let ended = unheard(&arguments);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!said.contains("panicked"), "{verb:?}: {said}");
        let code = ended.status.code();
        assert!(
            code.is_some_and(|code| code <= 3),
            "{verb:?}: {code:?} {said}"
        );
    }
    let text = unheard(&["openapi"]);
    assert_eq!((text.status.code(), text.stderr), (Some(0), vec![]));
}

#[test]
fn new_books_are_readable_by_their_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let rights = |path: &Path| {
        let known =
            fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        known.permissions().mode() & 0o777
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("new/data");
    let database = Database::fresh(Kind::Sqlite).expect("it is built in");
    let url = format!("sqlite:{}", data.join("florin.db").display());
    let florin = Florin::start(
        &database,
        &[
            "--data-dir",
            data.to_str().expect("plain names"),
            "--database-url",
            &url,
        ],
    );
    assert_eq!(rights(&data), 0o700);
    for name in [
        "florin.db",
        "florin.db-wal",
        "florin.db-shm",
        "sandbox-provider.jsonl",
    ] {
        assert_eq!(rights(&data.join(name)), 0o600, "{name}");
    }
    florin.kill9();
}

#[test]
fn a_server_listens_where_people_say_and_says_that_it_has_ended() {
    let database = Database::fresh(Kind::Sqlite).expect("it is built in");
    for (listen, host) in [
        ("0", "http://127.0.0.1:"),
        (":0", "http://127.0.0.1:"),
        ("localhost:0", "http://127.0.0.1:"),
    ] {
        let florin = Florin::start(&database, &["--listen", listen]);
        assert!(florin.api().starts_with(host), "{listen}: {}", florin.api());
        let log = florin.log_file().to_owned();
        assert_eq!(florin.terminate().code(), Some(0), "{listen}");
        let log = fs::read_to_string(log).expect("kept");
        assert!(log.contains("stopped: everything"), "{listen}: {log}");
    }
}
