//! Bytes that no client would send, on separate connections: each is refused or closed within a limited time, and the
//! next connection is served.

use std::time::{Duration, Instant};

use tests::{Client, Database, Florin, Kind, on_both_databases};

use crate::given::rows;

/// A refusal comes at once; this limit only ends a test that waits in vain.
const PATIENCE: Duration = Duration::from_secs(8);
/// The server's own limit for a head and for a body, with some time for a busy machine.
const LIMIT: Duration = Duration::from_secs(15);

/// The head of a request with these further lines, and the bytes after it.
fn post(lines: &str, after: &str) -> Vec<u8> {
    format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: florin\r\nAuthorization: Bearer \
         sk_sandbox_4f9d2b7c1e8a5036\r\nContent-Type: application/json\r\n{lines}\r\n{after}"
    )
    .into_bytes()
}

fn bad_requests() -> Vec<(&'static str, Vec<u8>)> {
    let body = r#"{"code":"assets:smuggled","currency":"EUR"}"#;
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let many: String = (0..97).map(|line| format!("X-{line}: y\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "x".repeat(129 * 1024));
    let url = format!(
        "GET /{} HTTP/1.1\r\nHost: florin\r\n\r\n",
        "x".repeat(129 * 1024)
    );
    vec![
        ("97 headers more", post(&format!("{length}{many}"), body)),
        ("a head of 129 KiB", post(&format!("{length}{large}"), body)),
        ("a URL of 129 KiB", url.into_bytes()),
        (
            "an encoding nobody knows",
            post("Transfer-Encoding: nonsense\r\n", &chunked),
        ),
        (
            "chunked, but not at the end",
            post("Transfer-Encoding: chunked, gzip\r\n", &chunked),
        ),
        (
            "a length and chunks",
            post(&format!("{length}Transfer-Encoding: chunked\r\n"), &chunked),
        ),
        (
            "two lengths",
            post(&format!("{length}Content-Length: 2\r\n"), body),
        ),
        (
            "a length with a sign",
            post("Content-Length: +43\r\n", body),
        ),
        ("a negative length", post("Content-Length: -1\r\n", body)),
        ("a length of no number", post("Content-Length: x\r\n", body)),
        (
            "a length beyond 64 bits",
            post("Content-Length: 18446744073709551616\r\n", body),
        ),
        (
            "a chunk of no size",
            post("Transfer-Encoding: chunked\r\n", "x\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk beyond 64 bits",
            post(
                "Transfer-Encoding: chunked\r\n",
                "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            ),
        ),
        (
            "a space in a header's name",
            post(&format!("{length}X y: z\r\n"), body),
        ),
        ("NUL in a header", post(&format!("{length}X: \0\r\n"), body)),
        (
            "a folded header",
            post(&format!("{length}X: y\r\n z\r\n\0: z\r\n"), body),
        ),
        (
            "another protocol",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        (
            "HTTP/9",
            b"GET /livez HTTP/9.9\r\nHost: florin\r\n\r\n".to_vec(),
        ),
        ("no protocol", b"GET /livez\r\n\r\n".to_vec()),
        (
            "noise",
            (0..=255).chain([b'\r', b'\n', b'\r', b'\n']).collect(),
        ),
    ]
}

/// The status of an answer's first line.
fn status(answer: &[u8]) -> Option<u16> {
    let first = answer.split(|byte| *byte == b'\r').next()?;
    let first = std::str::from_utf8(first).ok()?;
    first
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| first.strip_prefix("HTTP/1.0 "))?
        .get(..3)?
        .parse()
        .ok()
}

on_both_databases!(what_is_not_http_is_refused_and_the_next_connection_served);
async fn what_is_not_http_is_refused_and_the_next_connection_served(database: Database) {
    let florin = Florin::start(&database, &[]);
    let before = rows(&database);
    for (name, bytes) in bad_requests() {
        let client = Client::new(florin.api(), None);
        let started = Instant::now();
        let answer = client.raw(&bytes, PATIENCE).await;
        assert!(
            started.elapsed() < PATIENCE,
            "{name}: neither answered nor hung up"
        );
        let shown = String::from_utf8_lossy(&answer);
        assert!(
            status(&answer).is_some_and(|status| (400..500).contains(&status)),
            "{name}: {shown}"
        );
        assert!(
            shown.contains("content-type: application/problem+json")
                && shown.contains("request-id: req_")
                && shown.contains("\"error\":{"),
            "{name}: {shown}"
        );
        assert_eq!(rows(&database), before, "{name} wrote something");
        assert_eq!(client.get("/livez").await.status, 200, "after {name}");
    }
    // The control: the same head with a correct body is served.
    let body = r#"{"code":"assets:smuggled","currency":"EUR"}"#;
    let good = post(&format!("Content-Length: {}\r\n", body.len()), body);
    let answer = Client::new(florin.api(), None).raw(&good, PATIENCE).await;
    assert_eq!(
        status(&answer),
        Some(201),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn who_speaks_too_slowly_is_hung_up_on_and_keeps_nobody_waiting() {
    // This slowness belongs to the connection, so one database is enough.
    tests::scenario(Kind::Sqlite, async |database| {
        let florin = Florin::start(&database, &[]);
        let client = Client::new(florin.api(), None);
        let before = rows(&database);
        let half_a_head = b"POST /v1/accounts HTTP/1.1\r\nHost: flo".to_vec();
        let half_a_body = post("Content-Length: 43\r\n", r#"{"code":"assets:sm"#);
        let started = Instant::now();
        let others = async {
            for _ in 0..20 {
                let asked = Instant::now();
                assert_eq!(client.get("/readyz").await.status, 200);
                assert!(asked.elapsed() < PATIENCE);
            }
        };
        let (head, body, ()) = tokio::join!(
            client.raw(&half_a_head, LIMIT),
            client.raw(&half_a_body, LIMIT),
            others
        );
        assert!(started.elapsed() < LIMIT, "nobody was hung up on");
        let shown = String::from_utf8_lossy(&head);
        assert_eq!(status(&head), Some(408), "{shown}");
        assert!(
            shown.contains("\"code\":\"request_timeout\"") && shown.contains("request-id: req_"),
            "{shown}"
        );
        assert_eq!(
            status(&body),
            Some(408),
            "{}",
            String::from_utf8_lossy(&body)
        );
        assert_eq!(rows(&database), before);
    });
}
