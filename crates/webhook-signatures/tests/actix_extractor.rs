//! The extractor in a real server: only genuine requests reach the handler, and the sender does not learn why.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;

use actix_web::{App, HttpResponse, HttpServer, web};
use webhook_signatures::actix::{Sender, Verified};
use webhook_signatures::{Refusal, Scheme, Secret, Setup, SetupError};

const NOW: i64 = 1_767_225_600;
const SECRET: &str = "It's a Secret to Everybody";

/// The reasons that the server has told to its log.
static REASONS: Mutex<Vec<Refusal>> = Mutex::new(Vec::new());

async fn hook(webhook: Verified) -> HttpResponse {
    HttpResponse::Ok().body(webhook.body)
}

/// Sends a request and gives the status and the body of the answer.
fn send(to: SocketAddr, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(to).unwrap();
    let head = format!(
        "POST /hook HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    let _length = stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap();
    let (head, rest) = answer.split_at(end + 4);
    let status = str::from_utf8(head).unwrap().split(' ').nth(1).unwrap();
    (status.parse().unwrap(), rest.to_vec())
}

#[actix_web::test]
async fn only_genuine_requests_reach_the_handler() {
    let setup = Setup::new(Scheme::Github);
    let secret = Secret::parse(Scheme::Github, SECRET).unwrap();
    let signed = setup.sign(&secret, "", NOW, b"Hello, World!").unwrap();
    let signed: String = signed
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let sender = Sender::new(setup, vec![secret], || NOW)
        .unwrap()
        .max_bytes(20)
        .on_refusal(|refusal| REASONS.lock().unwrap().push(refusal.clone()));
    assert!(!format!("{sender:?}").contains("Everybody"));
    let sender = web::Data::new(sender);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(sender.clone())
            .route("/hook", web::post().to(hook))
    })
    .workers(1)
    .bind("127.0.0.1:0")
    .unwrap();
    let address = *server.addrs().first().unwrap();
    let server = server.run();
    let handle = server.handle();
    let client = std::thread::spawn(move || {
        [
            send(address, &signed, b"Hello, World!"),
            send(address, &signed, b"Hello, world!"),
            send(address, "", b"Hello, World!"),
            send(
                address,
                &format!("{signed}Content-Encoding: gzip\r\n"),
                b"Hello, World!",
            ),
            send(address, &signed, b"Hello, World! And more."),
        ]
    });
    let (served, answers) = futures(server, async move {
        let answers = web::block(move || client.join().unwrap()).await.unwrap();
        handle.stop(true).await;
        answers
    })
    .await;
    served.unwrap();
    let nothing = Vec::new;
    let expected = [
        (200, b"Hello, World!".to_vec()),
        (401, nothing()),
        (401, nothing()),
        (415, nothing()),
        (413, nothing()),
    ];
    assert_eq!(answers, expected);
    let missing = Refusal::MissingHeader {
        name: "X-Hub-Signature-256".into(),
    };
    assert_eq!(
        *REASONS.lock().unwrap(),
        [Refusal::NoMatchingSignature, missing]
    );
}

/// Runs two futures at once.
async fn futures<A: 'static, B: 'static>(
    one: impl Future<Output = A> + 'static,
    other: impl Future<Output = B> + 'static,
) -> (A, B) {
    let one = actix_web::rt::spawn(one);
    let other = other.await;
    (one.await.unwrap(), other)
}

#[test]
fn a_sender_without_what_its_scheme_needs_is_refused_at_the_start() {
    let secret = Secret::parse(Scheme::Square, "asdf1234").unwrap();
    let sender = Sender::new(Setup::new(Scheme::Square), vec![secret], || NOW);
    let missing = |what| Some(SetupError::Missing { what });
    assert_eq!(sender.err(), missing("URL"));
    let sender = Sender::new(Setup::new(Scheme::Github), Vec::new(), || NOW);
    assert_eq!(sender.err(), missing("secret"));
}
