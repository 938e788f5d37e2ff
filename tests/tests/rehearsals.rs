//! `florin rehearse` against the consumers of `examples/consumers`: the naive ones fail visibly, the correct ones pass.
//! The tutorial `docs/duplicate-webhooks.md` runs as it is written.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rehearse::{Florin, Rehearsal, Schedule, Signer, Templates};
use serde_json::Value;
use tests::{binary, run};
use webhook_signatures::Scheme;

/// What a naive consumer does not pass.
const WRONG: [&str; 12] = [
    "duplicates",
    "racing",
    "reordered",
    "delayed",
    "dropped",
    "stale",
    "future",
    "reserialised",
    "rotated",
    "unknown",
    "thin",
    "mixed",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A running consumer. It is killed when the value is dropped.
struct Consumer {
    child: Child,
    url: String,
}

impl Consumer {
    /// Starts a consumer on a free port. `None` if its language is not on this machine, and need not be.
    fn start(program: &str, file: &str) -> Option<Self> {
        let mut command = Command::new(program);
        command.arg(root().join("examples/consumers").join(file));
        command.arg("0").stdin(Stdio::null()).stdout(Stdio::piped());
        let is_needed = std::env::var_os("REQUIRE_CLIENTS").is_some_and(|value| value == "1");
        match command.spawn() {
            Ok(child) => Some(Self::of(child)),
            Err(error) if !is_needed => {
                println!("{file}: SKIPPED, {program}: {error}");
                None
            }
            Err(error) => panic!("{program}: {error}"),
        }
    }

    fn of(mut child: Child) -> Self {
        let mut line = String::new();
        let output = child.stdout.take().expect("it is a pipe");
        let _length = BufReader::new(output).read_line(&mut line).expect("text");
        let url = line.trim().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("the consumer says {line:?}"));
        Self {
            url: url.to_owned(),
            child,
        }
    }

    fn rehearse(&self, more: &[&str]) -> Output {
        let (url, effects) = (
            format!("{}/webhooks", self.url),
            format!("{}/credited/{{order}}", self.url),
        );
        let mut arguments = vec!["rehearse", &url, "--seed", "7", "--effects-url", &effects];
        arguments.extend(more);
        run(&arguments, &[])
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // This fails only if it has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)))
}

fn verdicts(report: &Value, wanted: &str) -> Vec<String> {
    let schedules = report["schedules"].as_array().expect("schedules");
    let some = schedules.iter().filter(|one| one["verdict"] == wanted);
    let names = some.map(|one| one["schedule"].as_str().expect("a name").to_owned());
    names.collect()
}

#[test]
fn a_naive_consumer_fails_visibly() {
    for (program, file) in [("python3", "naive.py"), ("node", "naive.mjs")] {
        let Some(consumer) = Consumer::start(program, file) else {
            continue;
        };
        let rehearsed = consumer.rehearse(&["--json"]);
        assert_eq!(rehearsed.status.code(), Some(1), "{}", text(&rehearsed));
        let report = json(&rehearsed);
        assert_eq!(verdicts(&report, "failed"), WRONG, "{file}");
        assert_eq!(report["verdict"], "failed");
        // Which schedule, which order, and how much: every answer was a 200.
        let duplicates = &report["schedules"][1];
        for case in duplicates["cases"].as_array().expect("cases") {
            let answers = case["answers"].as_object().expect("answers");
            assert!(answers.keys().eq(["200"]), "{case}");
            assert_eq!(case["wrong"], Value::Array(Vec::new()));
        }
        let wrong = &duplicates["effects"]["wrong"][0];
        assert_eq!(wrong["order"], "order-7-duplicates-1");
        let amount = |name: &str| wrong[name].as_i64().expect("an amount");
        assert_eq!(amount("credited"), amount("expected") * 3, "{wrong}");

        let told = text(&consumer.rehearse(&["--schedule", "duplicates", "--count", "1"]));
        assert!(told.contains("wrong for 1 of 1 orders"), "{told}");
        assert!(told.contains("order-7-duplicates-1 was credited"), "{told}");
        assert!(
            told.contains("failed 1 of 1 schedules: duplicates"),
            "{told}"
        );
    }
}

#[test]
fn a_correct_consumer_passes_every_schedule() {
    for (program, file) in [("python3", "correct.py"), ("node", "correct.mjs")] {
        let Some(consumer) = Consumer::start(program, file) else {
            continue;
        };
        let rehearsed = consumer.rehearse(&["--json"]);
        assert!(rehearsed.status.success(), "{file}: {}", text(&rehearsed));
        let report = json(&rehearsed);
        assert_eq!(verdicts(&report, "passed").len(), Schedule::ALL.len());
        assert!(verdicts(&report, "failed").is_empty());
        assert!(report["deliveries"].as_u64().is_some_and(|sent| sent > 200));
        let effects = |one: &Value| one["effects"]["orders"].as_u64();
        let schedules = report["schedules"].as_array().expect("schedules");
        assert!(
            schedules
                .iter()
                .all(|one| effects(one).is_some_and(|asked| asked >= 5))
        );
    }
}

#[test]
fn the_difference_is_ten_lines() {
    for (naive, correct) in [("naive.py", "correct.py"), ("naive.mjs", "correct.mjs")] {
        let read = |name: &str| {
            let path = root().join("examples/consumers").join(name);
            std::fs::read_to_string(path).expect("it is there")
        };
        let (before, after) = (read(naive), read(correct));
        let new = after
            .lines()
            .filter(|line| !before.lines().any(|old| old == *line));
        assert!(new.count() <= 10, "{correct}");
    }
}

#[test]
fn a_seed_repeats_a_run() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let first = consumer.rehearse(&["--schedule", "mixed", "--count", "40"]);
    assert!(first.status.success(), "{}", text(&first));
    // The same ids again: the consumer knows them all, and its effects stay.
    let again = consumer.rehearse(&["--schedule", "mixed", "--count", "40"]);
    assert_eq!(text(&first), text(&again));
    let other = consumer.rehearse(&["--schedule", "mixed", "--count", "40", "--seed=8"]);
    assert_ne!(text(&first), text(&other));
}

#[test]
fn ten_thousand_deliveries_take_less_than_twenty_seconds() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let many = [
        "--schedule",
        "mixed",
        "--count",
        "4600",
        "--at-once",
        "16",
        "--json",
    ];
    let rehearsed = consumer.rehearse(&many);
    assert!(rehearsed.status.success(), "{}", text(&rehearsed));
    let report = json(&rehearsed);
    let number = |name: &str| report[name].as_u64().expect("a number");
    let (sent, milliseconds) = (number("deliveries"), number("milliseconds"));
    println!("{sent} deliveries in {milliseconds} ms");
    assert!(sent >= 10_000, "{sent}");
    assert!(milliseconds < 20_000, "{milliseconds}");
}

#[test]
fn what_cannot_be_found_out_is_told_and_is_no_verdict() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let url = format!("{}/webhooks", consumer.url);
    for (arguments, expected) in [
        (
            vec!["http://127.0.0.1:1/webhooks"],
            "nobody answers at http://127.0.0.1:1/webhooks",
        ),
        (
            vec!["ftp://127.0.0.1/"],
            "the URL must begin with https:// or http://",
        ),
        (
            vec![&url, "--schedule", "chaos"],
            "unknown schedule `chaos`; the schedules are once, ",
        ),
        (
            vec![&url, "--scheme", "morse"],
            "unknown scheme `morse`; the schemes are stripe, ",
        ),
        (vec![&url, "--scheme", "paypal"], "only PayPal can sign"),
        (
            vec![&url, "--scheme", "adyen-platform"],
            "needs a secret of its own",
        ),
        (
            vec![&url, "--schedule", "once", "--skip", "once"],
            "no schedule is left",
        ),
        (
            vec![&url, "--header", "no header"],
            "`no header` is no header",
        ),
        (vec![&url, "--event-body", "/nowhere"], "/nowhere: "),
        (vec![&url, "--count", "0"], "0 is not in 1..=100000"),
        (vec![], "<URL>"),
        (
            vec!["--against-florin", "--count", "51"],
            "at most 50 orders",
        ),
        (vec!["--against-florin", &url], "cannot be used with"),
        (
            vec![
                &url,
                "--schedule",
                "once",
                "--effects-url",
                "http://127.0.0.1:1/",
            ],
            "not told: ",
        ),
        (
            vec![&url, "--schedule", "once", "--effects-command", "exit 3"],
            "not told: the command ended with",
        ),
    ] {
        let said = run(&[vec!["rehearse"], arguments.clone()].concat(), &[]);
        let told = text(&said);
        assert_eq!(said.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    let list = run(&["rehearse", "--list"], &[]);
    assert!(list.status.success());
    let listed = text(&list);
    for schedule in Schedule::ALL {
        let is_listed = listed.lines().any(|line| line.starts_with(schedule.name()));
        assert!(is_listed, "{listed}");
    }
}

#[test]
fn effects_may_come_from_a_command_and_bodies_from_files() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let body = r#"{"id":"{{id}}","type":"payment.succeeded","data":{"object":{"order":"shop/{{order}}","amount":{{amount}}}},"note":"own"}"#;
    std::fs::write(path("credit.json"), body).expect("writable");
    let script = format!(
        "import sys, urllib.request\nfor line in sys.stdin:\n    order = line.strip()\n    \
         print(order, urllib.request.urlopen('{}/credited/shop/' + order).read().decode())\n",
        consumer.url
    );
    std::fs::write(path("effects.py"), script).expect("writable");
    let url = format!("{}/webhooks", consumer.url);
    let effects = format!("python3 {}", path("effects.py"));
    let (credit, junit) = (path("credit.json"), path("report.xml"));
    let rehearsed = run(
        &[
            "rehearse",
            &url,
            "--event-body",
            &credit,
            "--effects-command",
            &effects,
            "--junit",
            &junit,
        ],
        &[],
    );
    let told = text(&rehearsed);
    assert!(rehearsed.status.success(), "{told}");
    assert!(
        told.contains("reordered     not run: there is no body of a refund"),
        "{told}"
    );
    assert!(
        told.contains("effects                     right for 5 orders"),
        "{told}"
    );
    let xml = std::fs::read_to_string(junit).expect("it was written");
    assert_eq!(xml.matches("<testsuite ").count(), Schedule::ALL.len());
    assert!(
        xml.contains("<testcase classname=\"rehearse.racing\" name=\"effects\"/>"),
        "{xml}"
    );
    assert!(
        xml.contains("<skipped message=\"there is no body of a refund\"/>"),
        "{xml}"
    );
    assert!(!xml.contains("<failure"), "{xml}");
}

#[test]
fn a_failure_is_a_failure_in_the_xml_of_junit() {
    let Some(consumer) = Consumer::start("python3", "naive.py") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("report.xml").display().to_string();
    let rehearsed = consumer.rehearse(&["--schedule", "duplicates", "--junit", &junit]);
    assert_eq!(rehearsed.status.code(), Some(1));
    let xml = std::fs::read_to_string(junit).expect("it was written");
    assert!(
        xml.contains("failures=\"1\" errors=\"0\" skipped=\"0\""),
        "{xml}"
    );
    assert!(xml.contains("order-7-duplicates-1 was credited"), "{xml}");
}

/// The library form: a test of one's own consumer, without the command line.
#[test]
fn a_test_in_rust_rehearses_a_consumer() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let url = format!("{}/webhooks", consumer.url);
    let signer = Signer::new(Scheme::StandardWebhooks, None, &url, None, None).expect("it signs");
    let report = Rehearsal::new(&url, signer)
        .expect("a URL")
        .schedules(&[Schedule::Duplicates, Schedule::Racing, Schedule::Forged])
        .seed(7)
        .effects_by_url(&format!("{}/credited/{{order}}", consumer.url))
        .expect("a URL")
        .run_blocking()
        .expect("it answers");
    assert!(report.passed(), "{report}");
}

/// A consumer in Python that does something between the request and `correct.py`.
fn changed(between: &str) -> Consumer {
    let script = [
        "import sys\n",
        "sys.path.insert(0, sys.argv[1])\n",
        "sys.dont_write_bytecode = True\n",
        "import correct\n",
        "receive, met = correct.receive, {}\n",
        "def between(headers, body):\n",
        "    event = headers['webhook-id'] if correct.is_genuine(headers, body) else None\n",
        "    met[event] = met.get(event, 0) + 1\n",
        between,
        "    return receive(headers, body)\n",
        "correct.receive = between\n",
        "server = correct.ThreadingHTTPServer(('127.0.0.1', 0), correct.Handler)\n",
        "print(f'listening on http://127.0.0.1:{server.server_port}', flush=True)\n",
        "server.serve_forever()\n",
    ];
    let mut command = Command::new("python3");
    command
        .args(["-c", &script.concat()])
        .arg(root().join("examples/consumers"));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    Consumer::of(command.spawn().expect("python3"))
}

#[test]
fn a_consumer_may_ask_to_come_again_and_must_then_accept() {
    let busy = changed("    if event and met[event] == 1: return 503\n");
    let rehearsed = busy.rehearse(&["--schedule", "once", "--schedule", "burst"]);
    let told = text(&rehearsed);
    assert!(rehearsed.status.success(), "{told}");
    assert!(told.contains("503 → 200 ×50"), "{told}");

    let never = changed("    if event and 'racing_1_' in event: return 409\n");
    let rehearsed = never.rehearse(&["--schedule", "racing"]);
    let told = text(&rehearsed);
    assert_eq!(rehearsed.status.code(), Some(1), "{told}");
    assert!(
        told.contains("evt_7_racing_1_credit was answered 409"),
        "{told}"
    );

    // A crash in the place of a refusal: a sender would come again and again.
    let crashes = changed("    if event is None: return 500\n");
    let rehearsed = crashes.rehearse(&["--schedule", "forged"]);
    let told = text(&rehearsed);
    assert_eq!(rehearsed.status.code(), Some(1), "{told}");
    assert!(
        told.contains("✗ forged        another secret              500 ×5"),
        "{told}"
    );
}

#[test]
fn only_the_last_or_the_first_signature_is_read_by_some_and_that_is_found() {
    for (place, case) in [("0", "own signature last"), ("-1", "own signature first")] {
        let reads_one = changed(&format!(
            "    headers.replace_header('webhook-signature', headers['webhook-signature'].split()[{place}]) if event else None\n"
        ));
        let rehearsed = reads_one.rehearse(&["--schedule", "rotated"]);
        let told = text(&rehearsed);
        assert_eq!(rehearsed.status.code(), Some(1), "{told}");
        let wrong: Vec<&str> = told.lines().filter(|line| line.starts_with("✗ ")).collect();
        assert_eq!(wrong.len(), 1, "{told}");
        assert!(wrong[0].contains(case), "{told}");
    }
}

/// An effect that comes after the question about it.
#[test]
fn a_second_credit_that_comes_late_is_found_at_the_end() {
    let Some(consumer) = Consumer::start("python3", "correct.py") else {
        return;
    };
    let url = format!("{}/webhooks", consumer.url);
    let signer = Signer::new(Scheme::StandardWebhooks, None, &url, None, None).expect("it signs");
    let templates = Templates::of(Scheme::StandardWebhooks);
    let asked = std::sync::atomic::AtomicU32::new(0);
    let order = templates.order(7, Schedule::Slow, 1);
    let (name, amount) = (order.name, order.credit.effect);
    let report = Rehearsal::new(&url, signer)
        .expect("a URL")
        .schedules(&[Schedule::Slow])
        .seed(7)
        .count(1)
        .effects(move |order: &str| {
            assert_eq!(order, name);
            let before = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            if before == 0 { amount } else { amount * 2 }
        })
        .run_blocking()
        .expect("it answers");
    assert!(report.failed().is_empty(), "{report}");
    assert!(!report.passed(), "{report}");
    assert!(
        report
            .to_string()
            .contains("✗ at the end: order-7-slow-1 was credited"),
        "{report}"
    );
    assert!(
        report
            .to_junit()
            .expect("XML")
            .contains("name=\"at the end\"")
    );
}

/// The library form: a Florin on a free port, its schedules, its books and its check.
#[test]
fn a_test_in_rust_rehearses_florin() {
    let florin = Florin::start(binary(), &[]).unwrap_or_else(|error| panic!("{error}"));
    let schedules = [Schedule::Duplicates, Schedule::Reordered, Schedule::Cut];
    let rehearsed = florin.rehearse(&schedules, 7, 3);
    let rehearsed = rehearsed.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        rehearsed.passed(),
        "{}\n{:?}",
        rehearsed.report,
        rehearsed.differences
    );
    florin.check().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn florin_rehearses_a_server_of_its_own() {
    let said = run(
        &[
            "rehearse",
            "--against-florin",
            "--seed",
            "7",
            "--count",
            "2",
        ],
        &[],
    );
    let told = text(&said);
    assert!(said.status.success(), "{told}");
    assert!(told.contains("passed 17 of 17 schedules"), "{told}");
    assert!(
        told.contains("✓ books: the same after every schedule"),
        "{told}"
    );
    assert!(told.contains("✓ check: every invariant holds"), "{told}");
    let once = [
        "rehearse",
        "--against-florin",
        "--schedule",
        "racing",
        "--seed",
        "7",
        "--json",
    ];
    let report = json(&run(&once, &[]));
    assert_eq!(report["verdict"], "passed");
    assert_eq!(report["differences"], Value::Array(Vec::new()));
    assert_eq!(report["broken_invariants"], Value::Array(Vec::new()));
}

/// The folder with pytest, Jest and Go, at the versions of `tests/clients/rehearsals`. `None` if they are not installed,
/// and need not be.
fn runners() -> Option<PathBuf> {
    let own = |name: &str| root().join("tests/clients/rehearsals").join(name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rehearsals");
    let wanted = ["package-lock.json", "requirements.txt"].map(own);
    let wanted = wanted.map(|list| std::fs::read_to_string(list).expect("it is there"));
    let (stamp, wanted) = (folder.join("installed"), wanted.concat());
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Some(folder);
    }
    if std::env::var_os("REQUIRE_CLIENTS").is_none_or(|value| value != "1") {
        println!(
            "recipes: SKIPPED, pytest, Jest and Go are not installed: REQUIRE_CLIENTS=1 installs them"
        );
        return None;
    }
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    for name in ["package.json", "package-lock.json"] {
        let _bytes = std::fs::copy(own(name), folder.join(name)).expect("the folder is writable");
    }
    let done = |command: &mut Command| {
        let output = command.output();
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{command:?}: {}", text(&output));
    };
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    done(Command::new("npm").args(npm).current_dir(&folder));
    let venv = folder.join("python");
    done(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
    ];
    let mut install = Command::new(venv.join("bin/python"));
    done(install.args(pip).arg(own("requirements.txt")));
    std::fs::write(&stamp, wanted).expect("the folder is writable");
    Some(folder)
}

/// The recipes for test suites: each schedule is a test of its own there.
#[test]
fn recipes_for_test_suites_run_as_they_are_written() {
    let Some(folder) = runners() else {
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let scratch = scratch.path();
    for name in ["test_webhooks.py", "webhooks.test.js", "webhooks_test.go"] {
        // Jest finds its parts beside the test.
        let to = if name.ends_with(".js") {
            &folder
        } else {
            scratch
        };
        let from = root().join("examples/rehearsals").join(name);
        let _bytes = std::fs::copy(from, to.join(name)).expect("the folder is writable");
    }
    std::fs::write(scratch.join("go.mod"), "module webhooks\n").expect("writable");
    let florin = binary().parent().expect("a folder").display().to_string();
    let bin = folder.join("python/bin");
    let path = [
        florin,
        bin.display().to_string(),
        std::env::var("PATH").unwrap_or_default(),
    ];
    let path = path.join(":");
    let runners: [(&str, &[&str], &Path); 3] = [
        (
            "pytest",
            &["-q", "-p", "no:cacheprovider", "test_webhooks.py"],
            scratch,
        ),
        (
            "node_modules/.bin/jest",
            &["--ci", "--rootDir=.", "webhooks.test.js"],
            &folder,
        ),
        ("go", &["test", "-count=1", "-v", "./..."], scratch),
    ];
    for (file, is_correct) in [("correct.py", true), ("naive.py", false)] {
        let Some(consumer) = Consumer::start("python3", file) else {
            return;
        };
        for (program, arguments, within) in runners {
            let program = match program.contains('/') {
                true => within.join(program),
                false => bin.join(program),
            };
            let mut command = Command::new(&program);
            command.args(arguments).current_dir(within);
            command.env("PATH", &path).env("CONSUMER", &consumer.url);
            command
                .env("GOCACHE", folder.join("go"))
                .env("GOFLAGS", "-mod=mod");
            command
                .env("GOPROXY", "off")
                .env("GOTOOLCHAIN", "local")
                .env("CGO_ENABLED", "0");
            let output = command.output();
            let output = output.unwrap_or_else(|error| panic!("{program:?}: {error}"));
            let said = text(&output);
            assert_eq!(
                output.status.success(),
                is_correct,
                "{program:?}, {file}: {said}"
            );
            for schedule in Schedule::ALL {
                let is_told = is_correct || !WRONG.contains(&schedule.name());
                assert!(
                    is_told || said.contains(schedule.name()),
                    "{program:?}: {said}"
                );
            }
            assert_eq!(
                said.contains("was credited"),
                !is_correct,
                "{program:?}: {said}"
            );
        }
    }
}

/// The commands of a page, each with the output below it.
fn commands(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("\n```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let commands = blocks.flat_map(|block| block.strip_prefix("$ ").unwrap_or(block).split("\n$ "));
    let pairs = commands.map(|command| command.split_once('\n').unwrap_or((command, "")));
    pairs
        .map(|(one, said)| (one.to_owned(), said.to_owned()))
        .collect()
}

/// Runs a page in the root of the repository, with `florin` on the path and another port than the page's 9000.
#[test]
fn the_tutorial_runs_as_it_is_written() {
    let page = std::fs::read_to_string(root().join("docs/duplicate-webhooks.md")).expect("text");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("it is bound").port().to_string();
    drop(free);
    let folder = binary().parent().expect("a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let shell = |command: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .current_dir(root())
            .env("PATH", &path);
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        shell
    };
    let commands = commands(&page);
    assert!(commands.len() >= 7, "{commands:?}");
    let mut consumer: Option<Consumer> = None;
    for (command, expected) in commands {
        let (command, expected) = (
            command.replace("9000", &port),
            expected.replace("9000", &port),
        );
        if command == "kill %1" {
            assert!(consumer.take().is_some(), "there is nothing to kill");
        } else if let Some(command) = command.strip_suffix(" &") {
            // Without `exec` the shell would be killed, and not the consumer.
            let child = shell(&format!("exec {command}")).spawn().expect("a shell");
            let started = Consumer::of(child);
            assert_eq!(format!("listening on {}", started.url), expected);
            consumer = Some(started);
        } else {
            let output = shell(&command).output().expect("a shell");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said.trim_end(), expected, "{command}");
        }
    }
}
