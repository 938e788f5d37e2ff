//! Every refusal by any part of the server has one form: a problem with an `error` object, its content type and a
//! `Request-Id`. This includes refusals by the HTTP library before there is a request.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tests::{Client, Database, Florin, Kind, Reply, on_both_databases, scenario};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::given::{is_problem, rows, text};

/// A refusal comes at once; this limit only ends a test that waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Number of bytes that may be in the buffers of the sockets, which the server has not read.
pub(crate) const IN_BUFFERS: usize = 16 * 1024 * 1024;

/// The head and the body of an answer, as they came over the wire.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    head: String,
    body: Vec<u8>,
}

impl Raw {
    /// The answers in these bytes, one after the other.
    pub(crate) fn all(mut bytes: &[u8]) -> Vec<Self> {
        let mut answers = Vec::new();
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let rest = &bytes[end + 4..];
            let body = &rest[..rest.len().min(length.unwrap_or(0))];
            let status = head.get(9..12).and_then(|status| status.parse().ok());
            answers.push(Self {
                status: status.unwrap_or_else(|| panic!("no status in {head}")),
                body: body.to_vec(),
                head: head.clone(),
            });
            bytes = &rest[body.len()..];
        }
        assert!(bytes.is_empty(), "{}", String::from_utf8_lossy(bytes));
        answers
    }

    fn header(&self, name: &str) -> Option<&str> {
        let line = format!("{name}: ");
        self.head
            .lines()
            .find_map(|found| found.strip_prefix(&line))
    }

    /// Checks that it is a problem, as every refusal is.
    pub(crate) fn is_problem(&self, case: &str, status: u16, code: &str) {
        assert_eq!(self.status, status, "{case}: {self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{case}"
        );
        let id = self
            .header("request-id")
            .unwrap_or_else(|| panic!("{case}: no Request-Id"));
        let body: Value = serde_json::from_slice(&self.body).expect(case);
        assert_eq!(text(&body, "/code"), code, "{case}");
        assert_eq!(text(&body, "/error/code"), code, "{case}");
        assert_eq!(text(&body, "/request_id"), id, "{case}");
        assert!(self.header("date").is_some(), "{case}: {self:?}");
    }
}

/// Sends bytes, and returns all that comes back until the server closes or is silent for long.
pub(crate) async fn exchange(florin: &Florin, bytes: &[u8]) -> Vec<u8> {
    let address = florin.api().strip_prefix("http://").expect("plain HTTP");
    let connection = TcpStream::connect(address).await.expect("it listens");
    let (mut incoming, mut outgoing) = connection.into_split();
    let mut answer = Vec::new();
    let listening =
        async { while matches!(incoming.read_buf(&mut answer).await, Ok(read) if read > 0) {} };
    let speaking = async {
        let _cut_short = outgoing.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let in_time = tokio::time::timeout(PATIENCE, async {
        tokio::select! { () = listening => (), () = speaking => () }
    });
    assert!(
        in_time.await.is_ok(),
        "not hung up: {}",
        String::from_utf8_lossy(&answer)
    );
    answer
}

#[test]
fn what_is_no_request_is_refused_as_a_problem_counted_and_not_logged_as_an_error() {
    // These faults belong to the connection, so one database is enough.
    scenario(Kind::Sqlite, async |database| {
        let florin = Florin::start(&database, &[]);
        let client = florin.client();
        let before = rows(&database);
        let many: String = (0..97).map(|line| format!("X-{line}: y\r\n")).collect();
        let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
            ("no protocol", b"GET /livez\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("HTTP/9", b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("no host", b"GET /livez HTTP/1.1\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("two hosts", b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("a bad name", b"GET /livez HTTP/1.1\r\nHost: x\r\nX y: z\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("a NUL", b"GET /livez HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("two lengths", b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx".to_vec(), 400, "malformed_request"),
            ("no such encoding", b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nx".to_vec(), 400, "malformed_request"),
            ("a bad URL", b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400, "malformed_request"),
            ("a long URL", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000)).into_bytes(), 400, "malformed_request"),
            ("many headers", format!("GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes(), 431, "head_too_large"),
            ("a large head", format!("GET /livez HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200_000)).into_bytes(), 431, "head_too_large"),
            ("CONNECT", b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), 404, "not_found"),
            ("TRACE", b"TRACE /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), 405, "method_not_allowed"),
            ("no UTF-8 in a path", b"GET /v1/payments/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), 401, "unauthorized"),
            ("half an escape", b"GET /v1/payments/%2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), 401, "unauthorized"),
            ("no such page", b"GET /docs/nothing.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(), 404, "not_found"),
        ];
        for (case, bytes, status, code) in &cases {
            let answers = Raw::all(&exchange(&florin, bytes).await);
            assert_eq!(answers.len(), 1, "{case}: {answers:?}");
            answers[0].is_problem(case, *status, code);
        }
        // A refusal can also follow a good request on the same connection, which is answered first.
        let good = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/9.9\r\n\r\n";
        let answers = Raw::all(&exchange(&florin, good).await);
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert_eq!(answers[0].status, 200);
        answers[1].is_problem("after a good one", 400, "malformed_request");

        assert_eq!(rows(&database), before);
        let metrics = client.get("/metrics").await;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        for counted in ["{status=\"400\"} 13", "{status=\"431\"} 2"] {
            let line = format!("florin_http_no_requests_total{counted}");
            assert!(metrics.contains(&line), "{line} in {metrics}");
        }
        let log = florin.log();
        assert!(!log.contains("ERROR"), "strangers make no errors: {log}");
    });
}

/// The client, its headers and its body.
type Try<'a> = (&'a Client, &'a [(&'a str, &'a str)], &'a str);

/// All routes of the description and all routes for operators, with an example in place of each id.
async fn paths(client: &Client) -> Vec<String> {
    let described = client.get("/openapi.json").await.json();
    let described = described["paths"].as_object().expect("paths").clone();
    let mut paths: BTreeSet<String> = described
        .keys()
        .map(|path| {
            path.replace("{provider}", "sandbox")
                .replace("{id}", "x")
                .replace("{code}", "X")
        })
        .collect();
    for path in [
        "/",
        "/livez",
        "/readyz",
        "/version",
        "/metrics",
        "/openapi.json",
        "/docs/",
        "/nothing",
    ] {
        paths.insert(path.to_owned());
    }
    paths.into_iter().collect()
}

on_both_databases!(every_route_refuses_in_one_form_whatever_it_is_asked);
async fn every_route_refuses_in_one_form_whatever_it_is_asked(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let nobody = Client::new(florin.api(), None);
    let stranger = Client::new(florin.api(), "sk_sandbox_of_nobody");
    let json = ("content-type", "application/json");
    let key = ("idempotency-key", "k-1");
    let large = "x".repeat(3 * 1024 * 1024);
    let mut refused = 0;
    for path in paths(&client).await {
        for method in [
            "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "TRACE", "PROPFIND",
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let tries: [Try<'_>; 8] = [
                (&nobody, &[json, key], "{}"),
                (&stranger, &[json, key], "{}"),
                (&client, &[json, key], "{"),
                (&client, &[json, key], "[]"),
                (&client, &[json, key, key], "{}"),
                (&client, &[key], "{}"),
                (&client, &[json, ("content-encoding", "gzip"), key], "{}"),
                (&client, &[json, key], &large),
            ];
            for (number, (client, headers, body)) in (1..).zip(tries) {
                let case = format!("{method} {path}, try {number}");
                let sent = client
                    .try_send(method.clone(), &path, headers, body.to_owned())
                    .await;
                // A server that answers before it has read everything may cut the client off.
                let Ok(reply) = sent else {
                    assert_eq!(number, 8, "{case}");
                    continue;
                };
                if reply.status >= 400 {
                    is_refusal(&case, &method, &reply);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

fn is_refusal(case: &str, method: &Method, reply: &Reply) {
    assert!(reply.status < 500, "{case}: {reply:?}");
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{case}"
    );
    assert!(reply.header("request-id").is_some(), "{case}");
    if reply.status == 405 {
        assert!(reply.header("allow").is_some(), "{case}");
    }
    if method == Method::HEAD {
        assert!(reply.body.is_empty(), "{case}");
        return;
    }
    let body = reply.json();
    assert_eq!(text(&body, "/error/code"), text(&body, "/code"), "{case}");
}

on_both_databases!(what_can_be_read_can_be_asked_for_its_head_and_says_its_methods);
async fn what_can_be_read_can_be_asked_for_its_head_and_says_its_methods(database: Database) {
    let florin = Florin::start(&database, &[]);
    let client = florin.client();
    let mut read = 0;
    for path in paths(&client).await {
        let whole = client.get(&path).await;
        let head = client.send(Method::HEAD, &path, &[], "").await;
        assert_eq!(head.status, whole.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(
            head.header("content-type"),
            whole.header("content-type"),
            "{path}"
        );
        if whole.status == 200 && path != "/metrics" {
            let length = whole.body.len().to_string();
            assert_eq!(
                head.header("content-length"),
                Some(length.as_str()),
                "{path}"
            );
            read += 1;
        }
        let options = client.send(Method::OPTIONS, &path, &[], "").await;
        if path == "/nothing" {
            is_problem(&path, &options, 404, "not_found");
            continue;
        }
        assert_eq!((options.status, options.body.len()), (204, 0), "{path}");
        let allow = options
            .header("allow")
            .unwrap_or_else(|| panic!("{path}: no Allow"))
            .to_owned();
        assert!(allow.ends_with("OPTIONS"), "{path}: {allow}");
        let refused = client.send(Method::DELETE, &path, &[], "").await;
        is_problem(&path, &refused, 405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some(allow.as_str()), "{path}");
        // A reader's key may use HEAD too; HEAD of a route that cannot be read is refused like GET.
        assert_eq!(
            allow.contains("GET, HEAD"),
            whole.status != 405,
            "{path}: {allow}"
        );
    }
    assert!(read > 10, "{read}");
    let everything = Raw::all(
        &exchange(
            &florin,
            b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await,
    );
    assert_eq!(everything[0].status, 204, "{everything:?}");

    let root = client.get("/").await;
    assert_eq!(
        (root.status, text(&root.json(), "/docs")),
        (200, "/docs/".to_owned())
    );
    for pointer in ["/docs", "/openapi"] {
        let there = client.get(&text(&root.json(), pointer)).await;
        assert_eq!(there.status, 200, "{pointer}");
    }
    assert_eq!(text(&root.json(), "/api"), "/v1");
}

/// The head of a POST, with or without a key, with these further lines.
fn head(path: &str, key: bool, lines: &str) -> String {
    let key = if key {
        "Authorization: Bearer sk_sandbox_4f9d2b7c1e8a5036\r\n"
    } else {
        ""
    };
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n{key}{lines}\r\n"
    )
}

/// Sends a head and then a body without an end, until the server closes. Returns the number of body bytes that could be
/// sent, and the answer.
async fn endless(florin: &Florin, head: &str, chunked: bool) -> (usize, Vec<u8>) {
    let address = florin.api().strip_prefix("http://").expect("plain HTTP");
    let connection = TcpStream::connect(address).await.expect("it listens");
    let (mut incoming, mut outgoing) = connection.into_split();
    outgoing
        .write_all(head.as_bytes())
        .await
        .expect("a head is taken");
    let block = "x".repeat(64 * 1024);
    let block = if chunked {
        format!("{:x}\r\n{block}\r\n", block.len())
    } else {
        block
    };
    let sending = async {
        let mut sent = 0;
        while sent < 4 * IN_BUFFERS && outgoing.write_all(block.as_bytes()).await.is_ok() {
            sent += block.len();
        }
        sent
    };
    let hearing = async {
        let mut answer = Vec::new();
        while matches!(incoming.read_buf(&mut answer).await, Ok(read) if read > 0) {}
        answer
    };
    let both = tokio::time::timeout(PATIENCE, async { tokio::join!(sending, hearing) });
    both.await.expect("the server hangs up")
}

#[test]
fn a_body_that_nobody_wants_is_not_read_on() {
    // These faults belong to the connection, so one database is enough.
    scenario(Kind::Sqlite, async |database| {
        let florin = Florin::start(&database, &[]);
        let before = rows(&database);
        let encoded = "Content-Encoding: gzip\r\n";
        let cases = [
            ("no key", head("/v1/transfers", false, ""), 401),
            ("no such path", head("/nothing", true, ""), 404),
            ("no such provider", head("/webhooks/nobody", false, ""), 404),
            ("another method", head("/livez", true, ""), 405),
            ("a packed body", head("/v1/transfers", true, encoded), 415),
            ("a body too large", head("/v1/transfers", true, ""), 413),
            (
                "a webhook too large",
                head("/webhooks/sandbox", false, ""),
                413,
            ),
        ];
        for (case, head, status) in cases {
            for chunked in [true, false] {
                let lines = if chunked {
                    "Transfer-Encoding: chunked\r\n\r\n".to_owned()
                } else {
                    format!("Content-Length: {}\r\n\r\n", u64::MAX)
                };
                let whole = format!(
                    "{}{lines}",
                    head.strip_suffix("\r\n").expect("a blank line")
                );
                let (sent, answer) = endless(&florin, &whole, chunked).await;
                assert!(
                    sent < IN_BUFFERS,
                    "{case}, chunked {chunked}: {sent} bytes were taken"
                );
                let answers = Raw::all(&answer);
                assert_eq!(answers.len(), 1, "{case}, chunked {chunked}: {answers:?}");
                assert_eq!(
                    answers[0].status, status,
                    "{case}, chunked {chunked}: {answers:?}"
                );
                assert_eq!(answers[0].header("connection"), Some("close"), "{case}");
            }
        }
        assert_eq!(rows(&database), before);
    });
}

#[test]
fn who_asks_before_sending_a_body_hears_the_refusal_instead() {
    scenario(Kind::Sqlite, async |database| {
        let florin = Florin::start(&database, &[]);
        let expect = "Expect: 100-continue\r\n";
        let length = |length: usize| format!("{expect}Content-Length: {length}\r\n");
        for (case, head, status) in [
            ("no key", head("/v1/transfers", false, &length(2)), 401),
            (
                "too large",
                head("/v1/transfers", true, &length(65 * 1024)),
                413,
            ),
            (
                "a bulk too large",
                head("/v1/transactions/bulk", true, &length(3 << 20)),
                413,
            ),
            (
                "a webhook too large",
                head("/webhooks/sandbox", false, &length(257 * 1024)),
                413,
            ),
            ("no such path", head("/nothing", true, &length(2)), 404),
            (
                "chunked, no key",
                head(
                    "/v1/transfers",
                    false,
                    &format!("{expect}Transfer-Encoding: chunked\r\n"),
                ),
                401,
            ),
        ] {
            let answers = Raw::all(&exchange(&florin, head.as_bytes()).await);
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(statuses, [status], "{case}");
        }
        // A client that may send a body is told so, once, and then gets its answer.
        let body = r#"{"code":"assets:expected","currency":"EUR"}"#;
        let lines = format!("{}Connection: close\r\n", length(body.len()));
        let good = format!("{}{body}", head("/v1/accounts", true, &lines));
        let answers = Raw::all(&exchange(&florin, good.as_bytes()).await);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [100, 201], "{answers:?}");
    });
}

#[test]
fn a_small_body_that_nobody_wants_does_not_cost_its_connection() {
    scenario(Kind::Sqlite, async |database| {
        let florin = Florin::start(&database, &[]);
        let refused = format!(
            "{}{{}}",
            head("/v1/transfers", false, "Content-Length: 2\r\n")
        );
        let last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answers =
            Raw::all(&exchange(&florin, format!("{refused}{refused}{last}").as_bytes()).await);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [401, 401, 200], "{answers:?}");
    });
}
