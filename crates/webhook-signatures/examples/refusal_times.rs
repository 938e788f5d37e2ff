//! Measures how long refusals of wrong signatures take, for `tests/performance refusals`.
//!
//! Each try has a new message. Its right signature is spoiled in one bit: of the first byte, or of the last byte, by
//! chance. So both kinds look alike to the receiver, except in the comparison with the right signature. Each line of the
//! output has a scheme, the spoiled byte, a time in nanoseconds and the number of tries that took it.
//!
//! `refusal_times TRIES` measures the schemes in this process, and a comparison that stops at the first difference, for
//! which the times must differ. `refusal_times TRIES ADDRESS SECRET` measures `POST /webhooks/sandbox` at a server.
#![expect(
    clippy::expect_used,
    reason = "a measurement may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use webhook_signatures::{Form, Refusal, Request, Scheme, Secret, Setup};

const NOW: i64 = 1_767_225_600;
const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Number of messages that are made before they are measured.
const AT_ONCE: usize = 1_000;
/// The name of the comparison that stops at the first difference.
const CONTROL: &str = "control";
const NOTIFICATION: &str = r#"{"notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"SIGNATURE"},"amount":{"value":1130,"currency":"EUR"},"pspReference":"NUMBER","eventCode":"AUTHORISATION","merchantAccountCode":"TestMerchant","merchantReference":"1","success":"true"}}]}"#;
const EVENT: &str = r#"{"id":"evt_NUMBER","type":"charge.succeeded","created":1767225590,"data":{"object":{"id":"ch_NUMBER","idempotency_key":"op_NUMBER","amount":1099,"currency":"EUR","status":"succeeded"}}}"#;

/// How a signature is written in its header.
#[derive(Clone, Copy)]
enum Written {
    Hex,
    Base64,
}

/// The schemes with an HMAC: what stands around the signature, the name of the header, and the secret.
const SCHEMES: [(Scheme, &str, [&str; 2], Written, &str); 15] = {
    use Written::{Base64, Hex};
    [
        (Scheme::Stripe, "Stripe-Signature", ["v1=", ""], Hex, WHSEC),
        (
            Scheme::StandardWebhooks,
            "webhook-signature",
            ["v1,", ""],
            Base64,
            WHSEC,
        ),
        (Scheme::Svix, "svix-signature", ["v1,", ""], Base64, WHSEC),
        (
            Scheme::Github,
            "X-Hub-Signature-256",
            ["sha256=", ""],
            Hex,
            KEY,
        ),
        (
            Scheme::Shopify,
            "X-Shopify-Hmac-Sha256",
            ["", ""],
            Base64,
            KEY,
        ),
        (
            Scheme::Square,
            "x-square-hmacsha256-signature",
            ["", ""],
            Base64,
            KEY,
        ),
        (Scheme::Paddle, "Paddle-Signature", ["h1=", ""], Hex, KEY),
        (
            Scheme::AdyenStandard,
            "hmacSignature",
            ["", ""],
            Base64,
            KEY,
        ),
        (
            Scheme::AdyenPlatform,
            "HmacSignature",
            ["", ""],
            Base64,
            KEY,
        ),
        (Scheme::CheckoutCom, "Cko-Signature", ["", ""], Hex, KEY),
        (
            Scheme::Mollie,
            "X-Mollie-Signature",
            ["sha256=", ""],
            Hex,
            KEY,
        ),
        (
            Scheme::Hyperswitch,
            "x-webhook-signature-512",
            ["", ""],
            Hex,
            KEY,
        ),
        (Scheme::Column, "Column-Signature", ["", ""], Hex, KEY),
        (
            Scheme::Rfc9421HmacSha256,
            "Signature",
            [":", ":"],
            Base64,
            KEY,
        ),
        (Scheme::Generic, "X-Signature", ["", ""], Hex, KEY),
    ]
};

/// The byte of the signature in which it is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spoiled {
    First,
    Last,
}

impl Spoiled {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// Numbers by chance (SplitMix64).
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A message with a spoiled signature, and the right one.
struct Message {
    spoiled: Spoiled,
    headers: Vec<(String, String)>,
    body: String,
    right: Vec<u8>,
    wrong: Vec<u8>,
}

/// How many tries took a time in nanoseconds.
type Times = BTreeMap<(Spoiled, u128), u64>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [tries] => in_process(tries.parse().expect("a number of tries")),
        [tries, address, secret] => {
            let tries = tries.parse().expect("a number of tries");
            over_http(tries, address, secret);
        }
        _ => println!("refusal_times TRIES [ADDRESS SECRET]"),
    }
}

fn in_process(tries: usize) {
    let mut chance = Chance::new();
    for (scheme, header, around, written, key) in SCHEMES {
        let form = Form::parse("header=X-Signature").expect("a form");
        let setup = Setup::new(scheme)
            .with_url("https://a.example/hooks")
            .with_form(form);
        let secrets = [Secret::parse(scheme, key).expect("a secret")];
        let mut times = Times::new();
        let mut naive = Times::new();
        for _ in (0..tries).step_by(AT_ONCE) {
            let messages: Vec<Message> = (0..AT_ONCE)
                .map(|_| {
                    message(
                        &setup,
                        &secrets,
                        NOW,
                        (header, around, written),
                        &mut chance,
                    )
                })
                .collect();
            for message in &messages {
                count(
                    &mut times,
                    message.spoiled,
                    refusal_time(&setup, &secrets, message),
                );
            }
            if scheme == Scheme::Github {
                for message in &messages {
                    let begun = Instant::now();
                    let equal = black_box(&message.wrong)
                        .iter()
                        .eq(black_box(&message.right));
                    count(&mut naive, message.spoiled, begun.elapsed().as_nanos());
                    assert!(!equal, "it is spoiled");
                }
            }
        }
        print(scheme.name(), &times);
        print(CONTROL, &naive);
    }
}

fn refusal_time(setup: &Setup, secrets: &[Secret], message: &Message) -> u128 {
    let headers: Vec<(&str, &[u8])> = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let request = Request {
        headers: &headers,
        body: message.body.as_bytes(),
    };
    let begun = Instant::now();
    let verdict = setup.verify(black_box(secrets), black_box(&request), NOW);
    let taken = begun.elapsed().as_nanos();
    assert_eq!(
        verdict,
        Err(Refusal::NoMatchingSignature),
        "{:?}",
        setup.scheme()
    );
    taken
}

/// Sends the tries one after the other on one connection.
fn over_http(tries: usize, address: &str, secret: &str) {
    let setup = Setup::new(Scheme::StandardWebhooks);
    let secrets = [Secret::parse(setup.scheme(), secret).expect("a secret")];
    let shape = ("webhook-signature", ["v1,", ""], Written::Base64);
    let mut chance = Chance::new();
    let mut stream = TcpStream::connect(address).expect("a server listens");
    stream.set_nodelay(true).expect("an option of every socket");
    let mut times = Times::new();
    for _ in (0..tries).step_by(AT_ONCE) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        let now = i64::try_from(since.as_secs()).expect("before the end of time");
        let requests: Vec<(Spoiled, Vec<u8>)> = (0..AT_ONCE)
            .map(|_| {
                let message = message(&setup, &secrets, now, shape, &mut chance);
                (message.spoiled, request(&message))
            })
            .collect();
        for (spoiled, request) in &requests {
            let begun = Instant::now();
            stream.write_all(request).expect("it is taken");
            let answer = answer(&mut stream);
            count(&mut times, *spoiled, begun.elapsed().as_nanos());
            assert!(
                answer.starts_with(b"HTTP/1.1 401 "),
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    }
    print("http", &times);
}

fn request(message: &Message) -> Vec<u8> {
    let headers: String = message
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = message.body.len();
    let head = format!(
        "POST /webhooks/sandbox HTTP/1.1\r\nHost: florin\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), message.body.as_bytes()].concat()
}

/// Reads one answer, whose end is that of its JSON.
fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    while !answer.ends_with(b"}}") {
        let read = stream.read(&mut buffer).expect("an answer");
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    answer
}

/// A new message, with its right signature spoiled in one bit.
fn message(
    setup: &Setup,
    secrets: &[Secret],
    now: i64,
    (header, [before, after], written): (&str, [&str; 2], Written),
    chance: &mut Chance,
) -> Message {
    let number = format!("{:016x}", chance.next());
    let is_in_body = setup.scheme() == Scheme::AdyenStandard;
    let template = if is_in_body { NOTIFICATION } else { EVENT };
    let body = template.replace("NUMBER", &number);
    let secret = secrets.first().expect("one secret");
    let id = format!("msg_{number}");
    let signed = setup
        .sign(secret, &id, now, body.as_bytes())
        .expect("signed");
    let spoiled = if chance.next().is_multiple_of(2) {
        Spoiled::First
    } else {
        Spoiled::Last
    };
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    let mut headers = Vec::new();
    for (name, value) in signed {
        if !name.eq_ignore_ascii_case(header) {
            headers.push((name.into_owned(), value));
            continue;
        }
        let start = if before.is_empty() {
            0
        } else {
            value.find(before).expect("it is there") + before.len()
        };
        let end = value.len() - after.len();
        let text = value.get(start..end).expect("a signature");
        right = match written {
            Written::Hex => hex::decode(text).expect("hex"),
            Written::Base64 => BASE64.decode(text).expect("base64"),
        };
        wrong.clone_from(&right);
        let place = match spoiled {
            Spoiled::First => wrong.first_mut(),
            Spoiled::Last => wrong.last_mut(),
        };
        *place.expect("bytes") ^= 1 << (chance.next() % 8);
        let other = match written {
            Written::Hex => hex::encode(&wrong),
            Written::Base64 => BASE64.encode(&wrong),
        };
        let value = value.replace(text, &other);
        headers.push((name.into_owned(), value));
    }
    assert_ne!(right, wrong, "{:?} has no {header}", setup.scheme());
    let body = match headers.last() {
        Some((_, value)) if is_in_body => body.replace("SIGNATURE", value),
        _ => body,
    };
    Message {
        spoiled,
        headers,
        body,
        right,
        wrong,
    }
}

fn count(times: &mut Times, spoiled: Spoiled, nanos: u128) {
    *times.entry((spoiled, nanos)).or_default() += 1;
}

fn print(name: &str, times: &Times) {
    let mut output = std::io::stdout().lock();
    for ((spoiled, nanos), tries) in times {
        writeln!(output, "{name} {} {nanos} {tries}", spoiled.name()).expect("somebody reads it");
    }
}
