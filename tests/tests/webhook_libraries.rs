//! The senders' own libraries for webhooks against ours: what they sign is accepted here, what is signed here they
//! accept, and the table of `docs/webhooks.md` says what they do differently.
//!
//! Their versions stand in `tests/clients/webhooks`. `REQUIRE_CLIENTS=1` installs them below `target/` with npm and pip,
//! and fails if that is not possible. Without it, if they are not installed, the tests print a message.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Database, Florin, on_both_databases};
use webhook_signatures::{Request, Scheme, Secret, Setup};

const BODY: &str = "{\"id\":\"evt_1\",\"object\":\"event\",\"name\":\"Zo\u{eb}\"}";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const NOTIFICATION: &str = r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"SIGNATURE"},"amount":{"value":1130,"currency":"EUR"},"pspReference":"7914073381342284","originalReference":"","eventCode":"AUTHORISATION","merchantAccountCode":"TestMerchant","merchantReference":"Test:1","reason":"none","success":"true"}}]}"#;
const URL: &str = "https://a.example/hooks/pay";
const HOUR: i64 = 3_600;
/// Paddle's library for JavaScript takes a message for five seconds after its time, and any time before it. A message
/// that is signed ahead does not depend on the speed of the machine.
const PADDLE_AHEAD: i64 = 300;

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Python,
    JavaScript,
}

use Language::{JavaScript, Python};

/// A running program that asks the libraries of one language.
struct Libraries {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("webhook-libraries");
    let lists = ["package-lock.json", "requirements.txt"].map(own);
    let wanted = lists.map(|list| std::fs::read_to_string(list).expect("it is there"));
    let wanted = wanted.concat();
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Some(folder);
    }
    if std::env::var_os("REQUIRE_CLIENTS").is_none_or(|value| value != "1") {
        println!(
            "webhook libraries: SKIPPED, they are not installed: REQUIRE_CLIENTS=1 installs them"
        );
        return None;
    }
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    for name in ["package.json", "package-lock.json"] {
        let _bytes = std::fs::copy(own(name), folder.join(name)).expect("the folder is writable");
    }
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
});

fn done(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn own(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/webhooks");
    folder.join(name)
}

impl Libraries {
    /// Starts both programs; `None` if the libraries are not installed and need not be.
    fn start() -> Option<[Self; 2]> {
        let folder = FOLDER.as_ref()?;
        let mut python = Command::new(folder.join("python/bin/python"));
        let script = folder.join("library.mjs");
        // A module of JavaScript finds its libraries beside itself.
        let _bytes = std::fs::copy(own("library.mjs"), &script).expect("the folder is writable");
        Some([
            Self::run(python.arg(own("library.py"))),
            Self::run(Command::new("node").arg(&script)),
        ])
    }

    fn run(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it is installed");
        Self {
            questions: child.stdin.take().expect("it is a pipe"),
            answers: BufReader::new(child.stdout.take().expect("it is a pipe")),
            child,
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").expect("it reads");
        let mut line = String::new();
        let _length = self.answers.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{question}: {line}{error}"))
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The libraries of one language.
fn of(both: &mut [Libraries; 2], language: Language) -> &mut Libraries {
    let [python, javascript] = both;
    match language {
        Python => python,
        JavaScript => javascript,
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.expect("after 1970").as_secs();
    i64::try_from(seconds).expect("a time of our days")
}

/// A message with all that a receiver knows.
#[derive(Clone)]
struct Message {
    scheme: Scheme,
    secret: &'static str,
    headers: BTreeMap<String, String>,
    body: String,
    tolerance: Option<i64>,
    url: &'static str,
}

impl Message {
    fn unsigned(scheme: Scheme, secret: &'static str, body: &str) -> Self {
        Self {
            scheme,
            secret,
            headers: BTreeMap::new(),
            body: body.to_owned(),
            tolerance: None,
            url: URL,
        }
    }

    /// A message that is signed here.
    fn signed(scheme: Scheme, secret: &'static str, body: &str, timestamp: i64) -> Self {
        let mut message = Self::unsigned(scheme, secret, body);
        let key = Secret::parse(scheme, secret).expect("a secret");
        let made = message
            .setup()
            .sign(&key, "msg_1", timestamp, body.as_bytes());
        let made = made.expect("it can be signed");
        let headers = made
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value));
        message.take(headers.collect());
        message
    }

    /// Takes the headers, or what belongs into the body.
    fn take(&mut self, headers: BTreeMap<String, String>) {
        match headers.get("hmacSignature") {
            Some(signature) => self.body = self.body.replace("SIGNATURE", signature),
            None => self.headers = headers,
        }
    }

    fn setup(&self) -> Setup {
        let setup = Setup::new(self.scheme).with_url(self.url);
        match self.tolerance {
            Some(seconds) => setup.with_tolerance(seconds),
            None => setup,
        }
    }

    /// Whether the message is accepted here.
    fn is_accepted(&self, now: i64) -> bool {
        let secret = Secret::parse(self.scheme, self.secret).expect("a secret");
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request = Request {
            headers: &headers,
            body: self.body.as_bytes(),
        };
        self.setup().verify(&[secret], &request, now).is_ok()
    }

    fn question(&self, library: &str) -> Value {
        let mut question = json!({
            "do": "verify", "library": library, "secret": self.secret, "headers": self.headers,
            "body": self.body, "url": self.url,
        });
        if let (Some(seconds), Some(object)) = (self.tolerance, question.as_object_mut()) {
            let _none = object.insert("tolerance".to_owned(), json!(seconds));
        }
        question
    }
}

/// The libraries that sign or verify, with the scheme, the secret and the body.
const ALL: [(Language, &str, Scheme, &str, &str); 14] = [
    (Python, "stripe", Scheme::Stripe, WHSEC, BODY),
    (JavaScript, "stripe", Scheme::Stripe, WHSEC, BODY),
    (
        Python,
        "standardwebhooks",
        Scheme::StandardWebhooks,
        WHSEC,
        BODY,
    ),
    (
        JavaScript,
        "standardwebhooks",
        Scheme::StandardWebhooks,
        WHSEC,
        BODY,
    ),
    (Python, "svix", Scheme::Svix, WHSEC, BODY),
    (JavaScript, "svix", Scheme::Svix, WHSEC, BODY),
    (JavaScript, "octokit", Scheme::Github, "It's a Secret", BODY),
    (Python, "paddle", Scheme::Paddle, "pdl_ntfset_1", BODY),
    (
        Python,
        "adyen-notification",
        Scheme::AdyenStandard,
        ADYEN,
        NOTIFICATION,
    ),
    (
        JavaScript,
        "adyen-notification",
        Scheme::AdyenStandard,
        ADYEN,
        NOTIFICATION,
    ),
    (Python, "adyen-payload", Scheme::AdyenPlatform, ADYEN, BODY),
    (
        JavaScript,
        "adyen-payload",
        Scheme::AdyenPlatform,
        ADYEN,
        BODY,
    ),
    (Python, "square", Scheme::Square, "asdf1234", BODY),
    (JavaScript, "square", Scheme::Square, "asdf1234", BODY),
];

/// A changed body of the same length, so that nothing but the signature tells.
fn changed(body: &str) -> String {
    let changed = body.replace("evt_1", "evt_2").replace("1130", "9130");
    assert_ne!(changed, body);
    changed
}

#[test]
fn what_their_libraries_sign_is_accepted_here() {
    let Some(mut both) = Libraries::start() else {
        return;
    };
    // Square's libraries only verify.
    for (language, library, scheme, secret, body) in ALL.into_iter().filter(|row| row.1 != "square")
    {
        let now = now();
        let question = json!({
            "do": "sign", "library": library, "secret": secret, "body": body, "id": "msg_1",
            "timestamp": now,
        });
        let answer = of(&mut both, language).ask(&question);
        let headers = serde_json::from_value(answer["headers"].clone());
        let headers = headers.unwrap_or_else(|error| panic!("{library}: {answer} {error}"));
        let mut message = Message::unsigned(scheme, secret, body);
        message.take(headers);
        assert!(message.is_accepted(now), "{library}: {answer}");
        message.body = changed(&message.body);
        assert!(!message.is_accepted(now), "{library}: {answer}");
    }
}

on_both_databases!(what_their_libraries_sign_is_received_once_by_a_server);
async fn what_their_libraries_sign_is_received_once_by_a_server(database: Database) {
    let Some(mut both) = Libraries::start() else {
        return;
    };
    // Each library is a provider of its own, so that equal ids of events are no repetitions.
    let name = |number: usize| format!("library-{number}");
    let mut arguments = Vec::new();
    for (number, (_, _, scheme, secret, _)) in ALL.iter().enumerate() {
        let secret = format!("{}={}:{secret}", name(number), scheme.name());
        arguments.extend(["--webhook-secret".to_owned(), secret]);
        if *scheme == Scheme::Square {
            let option = format!("{}=url:{URL}", name(number));
            arguments.extend(["--webhook-option".to_owned(), option]);
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let florin = Florin::start(&database, &arguments);
    let client = Client::new(florin.api(), None);
    for (number, (language, library, scheme, secret, body)) in ALL.into_iter().enumerate() {
        let mut message = if library == "square" {
            // Square's libraries only verify.
            Message::signed(scheme, secret, body, now())
        } else {
            let question = json!({
                "do": "sign", "library": library, "secret": secret, "body": body, "id": "msg_1",
                "timestamp": now(),
            });
            let answer = of(&mut both, language).ask(&question);
            let headers = serde_json::from_value(answer["headers"].clone());
            let headers = headers.unwrap_or_else(|error| panic!("{library}: {answer} {error}"));
            let mut message = Message::unsigned(scheme, secret, body);
            message.take(headers);
            message
        };
        let send = async |message: &Message| {
            let headers = message.headers.iter();
            let mut headers: Vec<(&str, &str)> = headers
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            headers.push(("content-type", "application/json"));
            let path = format!("/webhooks/{}", name(number));
            let body = message.body.clone().into_bytes();
            let reply = client.send(Method::POST, &path, &headers, body).await;
            (reply.status, reply.json()["status"].clone())
        };
        assert_eq!(send(&message).await, (200, json!("stored")), "{library}");
        assert_eq!(send(&message).await, (200, json!("duplicate")), "{library}");
        message.body = changed(&message.body);
        assert_eq!(send(&message).await.0, 401, "{library}");
    }
    assert_eq!(database.number("SELECT count(*) FROM inbox"), 14);
    assert_eq!(database.number("SELECT count(*) FROM quarantine"), 0);
}

#[test]
fn what_is_signed_here_their_libraries_accept() {
    let Some(mut both) = Libraries::start() else {
        return;
    };
    let paddle = (JavaScript, "paddle", Scheme::Paddle, "pdl_ntfset_1", BODY);
    for (language, library, scheme, secret, body) in ALL.into_iter().chain([paddle]) {
        let ahead = if scheme == Scheme::Paddle {
            PADDLE_AHEAD
        } else {
            0
        };
        let mut message = Message::signed(scheme, secret, body, now() + ahead);
        message.tolerance = Some(HOUR);
        let said = of(&mut both, language).ask(&message.question(library));
        // The library of Svix for Python has nothing to say about a genuine message.
        let is_silent = language == Python && library == "svix";
        let good = if is_silent {
            &["nothing"][..]
        } else {
            &["true", "event"]
        };
        let word = said["said"].as_str().unwrap_or_default();
        assert!(good.contains(&word), "{library}: {said}");
        message.body = changed(&message.body);
        let said = of(&mut both, language).ask(&message.question(library));
        let word = said["said"].as_str().unwrap_or_default();
        assert!(
            word == "false" || word.starts_with("raises"),
            "{library}: {said}"
        );
    }
}

/// One case of the table, and the libraries that are asked about it.
struct Case {
    says: &'static str,
    message: Message,
    asked: Vec<(Language, &'static str)>,
}

fn case(says: &'static str, message: Message, asked: &[(Language, &'static str)]) -> Case {
    Case {
        says,
        message,
        asked: asked.to_vec(),
    }
}

const STRIPE: [(Language, &str); 2] = [(Python, "stripe"), (JavaScript, "stripe")];
const STANDARD: [(Language, &str); 2] = [
    (Python, "standardwebhooks"),
    (JavaScript, "standardwebhooks"),
];
const SVIX: [(Language, &str); 2] = [(Python, "svix"), (JavaScript, "svix")];
const PADDLE: [(Language, &str); 2] = [(Python, "paddle"), (JavaScript, "paddle")];
const SQUARE: [(Language, &str); 2] = [(Python, "square"), (JavaScript, "square")];
const NOTICE: [(Language, &str); 2] = [
    (Python, "adyen-notification"),
    (JavaScript, "adyen-notification"),
];

fn append(headers: &mut BTreeMap<String, String>, name: &str, before: &str, after: &str) {
    let value = headers.get_mut(name).expect("it is signed");
    *value = format!("{before}{value}{after}");
}

fn cases(now: i64, local_time: BTreeMap<String, String>) -> Vec<Case> {
    let mut cases = times(now, local_time);
    cases.extend(headers(now));
    cases.extend(notices(now));
    cases.extend(bodies(now));
    cases
}

fn times(now: i64, local_time: BTreeMap<String, String>) -> Vec<Case> {
    let zero = |scheme, secret| Message {
        tolerance: Some(0),
        ..Message::signed(scheme, secret, BODY, now - HOUR)
    };
    let ahead = |scheme, secret| Message::signed(scheme, secret, BODY, now + HOUR);
    let (old, early) = ("tolerance 0, signed an hour ago", "signed an hour ahead");
    let mut fraction = Message::signed(Scheme::StandardWebhooks, WHSEC, BODY, now);
    append(&mut fraction.headers, "webhook-timestamp", "", ".5");
    let mut local = Message::unsigned(Scheme::StandardWebhooks, WHSEC, BODY);
    local.take(local_time);
    let zoned = "`sign` was given a local time, five hours ahead of UTC";
    vec![
        case(old, zero(Scheme::Stripe, WHSEC), &STRIPE),
        case(old, zero(Scheme::Paddle, "pdl_ntfset_1"), &PADDLE[..1]),
        case(early, ahead(Scheme::Stripe, WHSEC), &STRIPE),
        case(early, ahead(Scheme::StandardWebhooks, WHSEC), &STANDARD),
        case(early, ahead(Scheme::Paddle, "pdl_ntfset_1"), &PADDLE),
        case("`.5` after the signed time", fraction, &STANDARD),
        case(zoned, local, &STANDARD),
    ]
}

fn headers(now: i64) -> Vec<Case> {
    let standard = Scheme::StandardWebhooks;
    let unpadded = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nw";
    let unpadded = Message::signed(standard, unpadded, BODY, now);
    let mut no_comma = Message::signed(standard, WHSEC, BODY, now);
    append(&mut no_comma.headers, "webhook-signature", "x ", "");
    let mut mixed = Message::signed(Scheme::Svix, WHSEC, BODY, now);
    for part in ["timestamp", "signature"] {
        let value = mixed.headers.remove(&format!("svix-{part}"));
        let value = value.expect("it is signed");
        let _none = mixed.headers.insert(format!("webhook-{part}"), value);
    }
    let mut two = Message::signed(Scheme::Paddle, "pdl_ntfset_1", BODY, now + PADDLE_AHEAD);
    two.tolerance = Some(HOUR);
    let other = format!(";h1={}", "0".repeat(64));
    append(&mut two.headers, "Paddle-Signature", "", &other);
    let mut slash = Message::signed(Scheme::Square, "asdf1234", BODY, now);
    slash.url = "https://a.example/hooks/pay/";
    vec![
        case("a secret without its base64 padding", unpadded, &STANDARD),
        case(
            "an entry without a comma before the right signature",
            no_comma,
            &STANDARD,
        ),
        case(
            "`svix-id` beside `webhook-timestamp` and `webhook-signature`",
            mixed,
            &SVIX,
        ),
        case("the right `h1`, and another one behind it", two, &PADDLE),
        case(
            "the receiver's URL with a slash more at its end",
            slash,
            &SQUARE,
        ),
    ]
}

fn notices(now: i64) -> Vec<Case> {
    let notice = |change: &dyn Fn(String) -> String| {
        let mut notice = Message::signed(Scheme::AdyenStandard, ADYEN, NOTIFICATION, now);
        notice.body = change(notice.body);
        notice
    };
    let second = |body: String| {
        let start = body.find("{\"NotificationRequestItem").expect("an item");
        let (before, rest) = body.split_at(start);
        let item = rest.strip_suffix("]}").expect("the end of the items");
        format!("{before}{item},{}]}}", changed(item))
    };
    let (empty, null) = ("\"originalReference\":\"\"", "\"originalReference\":null");
    let reason = notice(&|body| body.replace("\"none\"", "\"new\""));
    let none = notice(&|body| body.replace("additionalData", "other"));
    vec![
        case(
            "`reason` was changed, which is not one of the eight fields",
            reason,
            &NOTICE,
        ),
        case(
            "`originalReference` is null",
            notice(&|body| body.replace(empty, null)),
            &NOTICE,
        ),
        case("no `additionalData`, so no signature", none, &NOTICE),
        // The program for JavaScript gives the library one item, so it is not asked.
        case(
            "two items, the second one changed",
            notice(&second),
            &NOTICE[..1],
        ),
    ]
}

fn bodies(now: i64) -> Vec<Case> {
    let mut cases = Vec::new();
    for (says, body) in [("signed, and empty", ""), ("signed, and not JSON", "a=b")] {
        let kinds = [
            (Scheme::Stripe, WHSEC, &STRIPE[..]),
            (Scheme::StandardWebhooks, WHSEC, &STANDARD),
            (Scheme::Svix, WHSEC, &SVIX),
            (Scheme::Square, "asdf1234", &SQUARE),
            (Scheme::Github, "It's a Secret", &[(JavaScript, "octokit")]),
        ];
        for (scheme, secret, asked) in kinds {
            let message = Message::signed(scheme, secret, body, now);
            cases.push(case(says, message, asked));
        }
    }
    cases
}

/// The name of the package with its version, from the list from which it was installed.
fn package(language: Language, library: &str) -> String {
    let (name, list) = match (language, library) {
        (Python, "adyen-notification") => ("Adyen", "requirements.txt"),
        (Python, "square") => ("squareup", "requirements.txt"),
        (Python, "paddle") => ("paddle-python-sdk", "requirements.txt"),
        (Python, name) => (name, "requirements.txt"),
        (JavaScript, "adyen-notification") => ("@adyen/api-library", "package.json"),
        (JavaScript, "octokit") => ("@octokit/webhooks-methods", "package.json"),
        (JavaScript, "paddle") => ("@paddle/paddle-node-sdk", "package.json"),
        (JavaScript, name) => (name, "package.json"),
    };
    let list = std::fs::read_to_string(own(list)).expect("it is there");
    let begin = match language {
        Python => format!("{name}=="),
        JavaScript => format!("\"{name}\": \""),
    };
    let version = list
        .lines()
        .find_map(|line| line.trim().strip_prefix(&begin));
    let version = version.unwrap_or_else(|| panic!("no {name} in {list}"));
    let version = version.trim_end_matches(['"', ',']);
    let language = match language {
        Python => "Python",
        JavaScript => "JavaScript",
    };
    format!("{name} {version} ({language})")
}

#[test]
fn the_table_says_what_their_libraries_do() {
    let Some(mut both) = Libraries::start() else {
        return;
    };
    let now = now();
    let local = json!({
        "do": "sign", "library": "standardwebhooks", "secret": WHSEC, "body": BODY, "id": "msg_1",
        "timestamp": now, "offset": 5,
    });
    let local = of(&mut both, Python).ask(&local)["headers"].clone();
    let local = serde_json::from_value(local).expect("headers");
    let mut rows = Vec::new();
    for case in cases(now, local) {
        let ours = match case.message.is_accepted(now) {
            true => "accepts",
            false => "refuses",
        };
        for (language, library) in case.asked {
            let answer = of(&mut both, language).ask(&case.message.question(library));
            let said = answer["said"].as_str().expect("a word");
            let said = match said {
                "event" | "true" => "accepts".to_owned(),
                "false" => "refuses".to_owned(),
                "nothing" => "returns nothing".to_owned(),
                raises => raises.replacen("raises ", "raises `", 1) + "`",
            };
            let package = package(language, library);
            rows.push(format!("| {} | {package} | {said} | {ours} |", case.says));
        }
    }
    assert!(rows.len() > 30, "{rows:#?}");
    let page = include_str!("../../docs/webhooks.md");
    let (_, table) = page
        .split_once("## What the senders' libraries do")
        .expect("the part");
    let printed: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert_eq!(printed, rows, "the table must be:\n{}", rows.join("\n"));
}
