//! Webhooks from strangers and from broken senders: bodies that are no events, and requests that do not end as they
//! should. Each gets a refusal, leaves nothing but a count or a row in the quarantine, and costs the server little.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::{Client, Database, Florin, Kind, on_both_databases, scenario};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::task::JoinSet;

use crate::books_hold;
use crate::given::{is_problem, rows};
use crate::http_refusals::{IN_BUFFERS, PATIENCE, Raw, exchange};
use crate::shop::Shop;
use crate::webhooks::{Sender, event, kept, now, said};

/// Greatest number of bytes of a webhook.
const MOST: usize = 256 * 1024;
/// The server's own limit for a head and for a body is ten seconds; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// Number of connections that send at the same time in the test of the memory.
const CONNECTIONS: usize = 64;
/// Greatest growth of the server's memory while they send, in KiB: twice what the bodies may be together, and some more.
const GROWTH: u64 = 64 * 1024;

/// An event of a charge with these fields besides its id and its type.
fn with_fields(fields: &str) -> Vec<u8> {
    format!(r#"{{"id":"evt_1","type":"charge.succeeded",{fields}}}"#).into_bytes()
}

fn charge(amount: &str) -> Vec<u8> {
    with_fields(&format!(
        r#""data":{{"object":{{"id":"ch_1","idempotency_key":"op_1","amount":{amount},"currency":"EUR"}}}}"#
    ))
}

fn nested(start: &str, middle: &str, end: &str, times: usize) -> Vec<u8> {
    format!("{}{middle}{}", start.repeat(times), end.repeat(times)).into_bytes()
}

/// Bodies that cannot be read as JSON.
fn not_json() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let wide = "{\"id\":1}".encode_utf16().flat_map(u16::to_be_bytes);
    vec![
        ("lists in lists", nested("[", "", "]", 100_000)),
        ("lists without an end", nested("[", "", "", MOST)),
        ("objects in objects", nested("{\"a\":", "1", "}", 40_000)),
        (
            "a deep field",
            with_fields(&format!("\"data\":{}", "[".repeat(200_000))),
        ),
        ("no UTF-8", b"{\"id\":\"evt_\xff\",\"type\":\"x\"}".to_vec()),
        (
            "a long form in UTF-8",
            b"{\"id\":\"evt_\xc0\xaf\",\"type\":\"x\"}".to_vec(),
        ),
        ("half a pair", text(r#"{"id":"evt_\ud800","type":"x"}"#)),
        (
            "a byte order mark",
            text("\u{feff}{\"id\":\"evt_1\",\"type\":\"x\"}"),
        ),
        ("UTF-16", wide.collect()),
        ("NUL", vec![0]),
        (
            "NUL after an event",
            text("{\"id\":\"evt_1\",\"type\":\"x\"}\0"),
        ),
        ("NUL in a text", text("{\"id\":\"evt_\0\",\"type\":\"x\"}")),
        (
            "two events",
            text(r#"{"id":"evt_1","type":"x"}{"id":"evt_2","type":"x"}"#),
        ),
        ("a form", text("id=tr_d0b0E3EA3v")),
        ("XML", text("<event id='evt_1'/>")),
        ("no number", charge("NaN")),
        ("a number of 100,000 digits", charge(&"9".repeat(100_000))),
        ("beyond a float", charge("1e999")),
    ]
}

/// Bodies that are JSON and no event.
fn json_only() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let long = "x".repeat(200_000);
    vec![
        ("two ids", with_fields(r#""id":"evt_2""#)),
        ("two ids, one escaped", with_fields(r#""\u0069d":"evt_2""#)),
        ("two amounts", charge(r#"1099,"amount":1"#)),
        (
            "NUL as an escape",
            text(r#"{"id":"evt_\u0000","type":"x"}"#),
        ),
        ("beyond 64 bits", charge("9223372036854775808")),
        ("a fraction", charge("1099.0")),
        ("an exponent", charge("1e3")),
        ("a negative amount", charge("-1")),
        ("an amount as a text", charge("\"1099\"")),
        ("a list", text("[]")),
        ("nothing in it", text("{}")),
        (
            "a long id",
            text(&format!(r#"{{"id":"{long}","type":"x"}}"#)),
        ),
        (
            "a long name",
            with_fields(&format!(r#""{long}":1,"data":[]"#)),
        ),
    ]
}

/// Bodies that are no events, with the answer to them if they are genuine.
fn no_events() -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let not_json = not_json().into_iter();
    let not_json = not_json.map(|(case, body)| (case, body, 400, "malformed_json"));
    let json_only = json_only().into_iter();
    let json_only = json_only.map(|(case, body)| (case, body, 422, "invalid_field"));
    not_json.chain(json_only).collect()
}

on_both_databases!(what_is_no_event_leaves_a_count_if_forged_and_one_row_if_signed);
async fn what_is_no_event_leaves_a_count_if_forged_and_one_row_if_signed(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let bodies = no_events();
    let before = rows(&database);
    for (case, body, ..) in &bodies {
        let mut forged = provider.headers(now(), body);
        let genuine = provider.headers(now(), b"another body");
        forged[2] = genuine[2].clone();
        is_problem(
            case,
            &provider.send(&forged, body).await,
            401,
            "signature_refused",
        );
    }
    assert_eq!(rows(&database), before, "nothing is stored but the count");
    let refused = shop.counter("florin_webhooks_refused_total").await;
    assert_eq!(refused, u64::try_from(bodies.len()).expect("few"));

    for _ in 0..2 {
        for (case, body, status, code) in &bodies {
            is_problem(case, &provider.deliver(body).await, *status, code);
        }
    }
    let quarantined = i64::try_from(bodies.len()).expect("few");
    assert_eq!(kept(&database), (0, quarantined));
    let good = event("evt_1", "customer.created", &json!({}));
    assert_eq!(
        said(&provider.deliver(&good).await),
        (200, "stored".to_owned())
    );
    shop.assert_captured(0).await;
    books_hold(&database);
}

on_both_databases!(the_content_type_is_no_part_of_a_webhook);
async fn the_content_type_is_no_part_of_a_webhook(database: Database) {
    // No scheme signs it, and what counts are the bytes: a sender that writes a wrong one has still sent its event.
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let client = Client::new(shop.florin.api(), None);
    let form = "application/x-www-form-urlencoded";
    let types: [&[&str]; 6] = [
        &[],
        &["text/plain"],
        &[form],
        &["application/json; charset=latin1"],
        &["application/json", "text/html"],
        &["no type at all"],
    ];
    for (number, types) in (0..).zip(types) {
        let body = event(&format!("evt_{number}"), "customer.created", &json!({}));
        let signed = provider.headers(now(), &body);
        let mut headers: Vec<(&str, &str)> = signed
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        headers.extend(types.iter().map(|value| ("content-type", *value)));
        let sent = client.send(Method::POST, "/webhooks/sandbox", &headers, body);
        assert_eq!(said(&sent.await), (200, "stored".to_owned()), "{types:?}");
    }
    assert_eq!(kept(&database), (6, 0));
    // A classic webhook of Mollie is a form without a signature.
    let classic = [("content-type", form)];
    let sent = client.send(Method::POST, "/webhooks/sandbox", &classic, "id=tr_1");
    is_problem("a classic webhook", &sent.await, 401, "signature_refused");
    assert_eq!(kept(&database), (6, 0));
    books_hold(&database);
}

/// A head that signs this body as the sandbox does, and announces it with these lines.
fn head(provider: &Sender, body: &[u8], lines: &str) -> String {
    let signed: String = provider
        .headers(now(), body)
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("POST /webhooks/sandbox HTTP/1.1\r\nHost: florin\r\n{signed}{lines}\r\n")
}

async fn connect(florin: &Florin) -> TcpStream {
    let address = florin.api().strip_prefix("http://").expect("plain HTTP");
    TcpStream::connect(address).await.expect("it listens")
}

/// All that comes until the server closes the connection.
async fn heard(mut incoming: OwnedReadHalf) -> Vec<u8> {
    let mut answer = Vec::new();
    while matches!(incoming.read_buf(&mut answer).await, Ok(read) if read > 0) {}
    answer
}

/// The statuses of the answers in these bytes.
fn statuses(answer: &[u8]) -> Vec<u16> {
    Raw::all(answer)
        .iter()
        .map(|answer| answer.status)
        .collect()
}

on_both_databases!(a_signed_body_that_ends_too_early_is_no_webhook);
async fn a_signed_body_that_ends_too_early_is_no_webhook(database: Database) {
    let shop = Shop::open(&database);
    let provider = Sender::of(&shop);
    let body = event("evt_1", "customer.created", &json!({}));
    let before = rows(&database);
    let (half, size) = (&body[..body.len() / 2], body.len());
    let length = head(&provider, &body, &format!("Content-Length: {size}\r\n"));
    let chunked = head(&provider, &body, "Transfer-Encoding: chunked\r\n");
    let chunk = |size: usize| format!("{size:x}\r\n").into_bytes();
    // What is sent is itself signed rightly: only its end is missing.
    let cases = [
        ("half a body", [length.as_bytes(), half].concat()),
        ("no body", length.clone().into_bytes()),
        (
            "half a chunk",
            [chunked.as_bytes(), &chunk(size), half].concat(),
        ),
        (
            "no last chunk",
            [chunked.as_bytes(), &chunk(size), &body, b"\r\n"].concat(),
        ),
        (
            "half a last chunk",
            [chunked.as_bytes(), &chunk(size), &body, b"\r\n0\r\n"].concat(),
        ),
    ];
    for (case, bytes) in &cases {
        let (incoming, mut outgoing) = connect(&shop.florin).await.into_split();
        outgoing.write_all(bytes).await.expect("it is taken");
        outgoing.shutdown().await.expect("it is open");
        let answer = tokio::time::timeout(PATIENCE, heard(incoming)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{case}: not hung up"));
        let refused = statuses(&answer);
        assert!(
            refused.is_empty() || refused == [400],
            "{case}: {refused:?}"
        );

        // The connection is cut without a word.
        let mut stream = connect(&shop.florin).await;
        stream.write_all(bytes).await.expect("it is taken");
        stream.set_zero_linger().expect("an option of every socket");
        drop(stream);
    }
    let wrong_end = [chunked.as_bytes(), &chunk(size), &body, b"xx0\r\n\r\n"].concat();
    assert_eq!(statuses(&exchange(&shop.florin, &wrong_end).await), [400]);

    assert_eq!(rows(&database), before);
    assert_eq!(
        said(&provider.deliver(&body).await),
        (200, "stored".to_owned())
    );
    assert_eq!(kept(&database), (1, 0));
    books_hold(&database);
}

#[test]
fn who_sends_a_webhook_byte_by_byte_is_hung_up_on() {
    // This slowness belongs to the connection, so one database is enough.
    scenario(Kind::Sqlite, async |database| {
        let shop = Shop::open(&database);
        let provider = Sender::of(&shop);
        let body = event("evt_1", "customer.created", &json!({}));
        let before = rows(&database);
        let length = format!("Content-Length: {}\r\n", body.len());
        let whole = head(&provider, &body, &length);
        let chunked = head(&provider, &body, "Transfer-Encoding: chunked\r\n");
        let chunks: Vec<Vec<u8>> = body
            .iter()
            .map(|byte| [b"1\r\n", &[*byte][..], b"\r\n"].concat())
            .collect();
        let bytes: Vec<Vec<u8>> = body.iter().map(|byte| vec![*byte]).collect();
        let (start, rest) = whole.as_bytes().split_at(100);
        let lines: Vec<Vec<u8>> = rest.iter().map(|byte| vec![*byte]).collect();
        let cases = [
            ("a body", whole.as_bytes(), bytes),
            ("chunks", chunked.as_bytes(), chunks),
            ("a head", start, lines),
        ];
        let mut slow = JoinSet::new();
        for (case, first, pieces) in cases {
            let (incoming, mut outgoing) = connect(&shop.florin).await.into_split();
            outgoing.write_all(first).await.expect("it is taken");
            slow.spawn(async move {
                let mut pace = tokio::time::interval(Duration::from_secs(1));
                let speaking = async {
                    for piece in pieces {
                        pace.tick().await;
                        if outgoing.write_all(&piece).await.is_err() {
                            break;
                        }
                    }
                    std::future::pending().await
                };
                tokio::select! { answer = heard(incoming) => (case, answer), () = speaking => (case, Vec::new()) }
            });
        }
        let started = Instant::now();
        let client = shop.florin.client();
        while let Some(ended) = slow.join_next().await {
            let (case, answer) = ended.expect("it does not panic");
            assert!(started.elapsed() < LIMIT, "{case}: not hung up on");
            let answers = Raw::all(&answer);
            assert_eq!(answers.len(), 1, "{case}: {answers:?}");
            answers[0].is_problem(case, 408, "request_timeout");
            assert_eq!(client.get("/readyz").await.status, 200);
        }
        assert_eq!(rows(&database), before);
        assert_eq!(
            said(&provider.deliver(&body).await),
            (200, "stored".to_owned())
        );
    });
}

#[test]
fn a_flood_of_headers_is_refused() {
    // The head belongs to the connection, so one database is enough.
    scenario(Kind::Sqlite, async |database| {
        let shop = Shop::open(&database);
        let provider = Sender::of(&shop);
        let body = event("evt_1", "customer.created", &json!({}));
        let before = rows(&database);
        let length = format!("Content-Length: {}\r\n", body.len());
        let signature = provider.headers(now(), &body)[2].1.clone();
        let with = |lines: &str| {
            let head = head(
                &provider,
                &body,
                &format!("{length}{lines}Connection: close\r\n"),
            );
            [head.as_bytes(), &body].concat()
        };
        let many = |number: usize, line: &str| with(&line.repeat(number));
        let signatures = format!("webhook-signature: {}\r\n", "v1,AAAA ".repeat(12_000));
        let doubled = format!("webhook-signature: {signature}\r\n");
        for (case, bytes, status, code) in [
            (
                "a hundred headers",
                many(100, "X-Y: z\r\n"),
                431,
                "head_too_large",
            ),
            (
                "a hundred signatures",
                many(100, &doubled),
                431,
                "head_too_large",
            ),
            (
                "a long header",
                with(&format!("X: {}\r\n", "x".repeat(200_000))),
                431,
                "head_too_large",
            ),
            (
                "eighty signatures",
                many(80, &doubled),
                401,
                "signature_refused",
            ),
            (
                "12,000 signatures in one",
                with(&signatures),
                401,
                "signature_refused",
            ),
        ] {
            let answers = Raw::all(&exchange(&shop.florin, &bytes).await);
            assert_eq!(answers.len(), 1, "{case}: {answers:?}");
            answers[0].is_problem(case, status, code);
        }
        for line in ["X-Y: z\r\n", "x"] {
            let (incoming, mut outgoing) = connect(&shop.florin).await.into_split();
            let begun = head(&provider, &body, "X-Long: ");
            let begun = begun.strip_suffix("\r\n").expect("a blank line");
            outgoing
                .write_all(begun.as_bytes())
                .await
                .expect("it is taken");
            let block = line.repeat(8_192);
            let sending = async {
                let mut sent = 0;
                while sent < IN_BUFFERS && outgoing.write_all(block.as_bytes()).await.is_ok() {
                    sent += block.len();
                }
                sent
            };
            let both = async { tokio::join!(sending, heard(incoming)) };
            let both = tokio::time::timeout(PATIENCE, both).await;
            let (sent, answer) = both.expect("the server hangs up");
            assert!(sent < IN_BUFFERS, "{sent} bytes were taken");
            assert_eq!(statuses(&answer), [431], "{line:?}");
        }
        assert_eq!(rows(&database), before);
        assert_eq!(
            said(&provider.deliver(&body).await),
            (200, "stored".to_owned())
        );
    });
}

/// The greatest memory that the process ever had, in KiB.
fn greatest_memory(florin: &Florin) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", florin.pid()));
    let status = status.expect("the system tells about its processes");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the greatest memory is one of the lines")
}

#[test]
fn bodies_without_an_end_take_a_bounded_memory() {
    // The memory belongs to the connections, so one database is enough.
    scenario(Kind::Sqlite, async |database| {
        let shop = Shop::open(&database);
        let client = shop.florin.client();
        let provider = Sender::of(&shop);
        let before = rows(&database);
        let block = [
            format!("{:x}\r\n", 64 * 1024).into_bytes(),
            vec![b'x'; 64 * 1024],
            b"\r\n".to_vec(),
        ];
        let (block, head) = (
            block.concat(),
            head(&provider, b"", "Transfer-Encoding: chunked\r\n"),
        );
        assert_eq!(client.get("/readyz").await.status, 200);
        let memory = greatest_memory(&shop.florin);

        // Half of them never stop; the other half stops right below the limit, and waits.
        let mut sending = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (incoming, mut outgoing) = connect(&shop.florin).await.into_split();
            outgoing
                .write_all(head.as_bytes())
                .await
                .expect("it is taken");
            let (block, blocks) = (block.clone(), if number % 2 == 0 { 3 } else { usize::MAX });
            sending.spawn(async move {
                let speaking = async {
                    for _ in 0..blocks {
                        if outgoing.write_all(&block).await.is_err() {
                            break;
                        }
                    }
                    std::future::pending().await
                };
                tokio::select! { answer = heard(incoming) => answer, () = speaking => Vec::new() }
            });
        }
        let mut ended = [0, 0];
        while let Some(answer) = sending.join_next().await {
            match statuses(&answer.expect("it does not panic"))[..] {
                [413] => ended[0] += 1,
                [408] => ended[1] += 1,
                ref other => panic!("{other:?}"),
            }
            assert_eq!(client.get("/readyz").await.status, 200);
        }
        assert_eq!(ended, [CONNECTIONS / 2; 2]);
        let grown = greatest_memory(&shop.florin) - memory;
        assert!(grown < GROWTH, "{grown} KiB");
        assert_eq!(rows(&database), before);
    });
}
