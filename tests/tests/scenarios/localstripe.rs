//! The Python package `localstripe`: a server with Stripe's API that somebody else has written, and the wire to it.
//!
//! Its version stands in `tests/clients/localstripe.txt`. `REQUIRE_CLIENTS=1` installs it below `target/` with pip, and
//! fails if that is not possible. Without it, if it is not installed, the scenarios print a message.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tests::{Client, Database, Program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::given::eventually;
use crate::provider::{header, request};
use crate::shop::list;

/// The API key. localstripe takes every key that begins like this.
pub(crate) const KEY: &str = "sk_test_of_the_scenario_0123456789";

static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("localstripe");
    let list = own("localstripe.txt");
    let wanted = std::fs::read_to_string(&list).expect("it is there");
    let (stamp, python) = (folder.join("installed"), folder.join("bin/python"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    if std::env::var_os("REQUIRE_CLIENTS").is_none_or(|value| value != "1") {
        println!("localstripe: SKIPPED, it is not installed: REQUIRE_CLIENTS=1 installs it");
        return None;
    }
    let mut venv = Command::new("python3");
    done(venv.args(["-m", "venv"]).arg(&folder));
    let mut pip = Command::new(&python);
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
    ];
    done(pip.args(install).arg(&list));
    std::fs::write(&stamp, wanted).expect("the folder is writable");
    Some(python)
});

fn done(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

/// Starts localstripe, with TLS if there is a certificate with its key. Returns its port.
async fn run(database: &Database, pem: Option<&Path>) -> Option<(Program, u16)> {
    let python = PYTHON.as_ref()?;
    // localstripe takes no port 0. The port is free at this moment.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let mut command = Command::new(python);
    command.arg(own("start_localstripe.py"));
    command.args(["--from-scratch", "--port", &port.to_string()]);
    command.envs(pem.map(|pem| ("PEM", pem)));
    let program = Program::start(command, database.folder());
    eventually("localstripe listens", async || {
        TcpStream::connect(("127.0.0.1", port)).await.ok()
    })
    .await;
    Some((program, port))
}

/// A running localstripe behind TLS, with a certificate that nobody knows.
pub(crate) struct Encrypted {
    pub(crate) url: String,
    /// The file with the certificate.
    pub(crate) certificate: PathBuf,
    _program: Program,
}

impl Encrypted {
    /// Starts it; `None` if it is not installed and need not be.
    pub(crate) async fn start(database: &Database) -> Option<Self> {
        let folder = database.folder();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        done(
            openssl
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        );
        let both = [&certificate, &key].map(|file| std::fs::read(file).expect("it was made"));
        let pem = folder.join("both.pem");
        std::fs::write(&pem, both.concat()).expect("the folder is writable");
        let (program, port) = run(database, Some(&pem)).await?;
        Some(Self {
            url: format!("https://localhost:{port}"),
            certificate,
            _program: program,
        })
    }
}

/// A running localstripe, empty at first.
pub(crate) struct LocalStripe {
    pub(crate) client: Client,
    pub(crate) wire: Wire,
    _program: Program,
}

impl LocalStripe {
    /// Starts localstripe; `None` if it is not installed and need not be.
    pub(crate) async fn start(database: &Database) -> Option<Self> {
        let (program, port) = run(database, None).await?;
        Some(Self {
            client: Client::new(&format!("http://127.0.0.1:{port}"), KEY),
            wire: Wire::to(port).await,
            _program: program,
        })
    }

    /// All objects of a kind, such as `payment_intents`.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Value> {
        let reply = self.client.get(&format!("/v1/{kind}?limit=100")).await;
        assert_eq!(reply.status, 200, "{kind}");
        list(&reply.json())
    }
}

/// What happens to the next request that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request arrives, and its answer is lost.
    AnswerLost,
    /// The request never arrives.
    RequestLost,
}

/// The wire between Florin and localstripe. It shows what was sent, and loses what it is told to lose.
pub(crate) struct Wire {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
    fault: Arc<Mutex<Option<(String, Fault)>>>,
}

impl Wire {
    async fn to(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let wire = Self {
            url,
            heads: Arc::default(),
            fault: Arc::default(),
        };
        let (heads, fault) = (Arc::clone(&wire.heads), Arc::clone(&wire.fault));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (heads, fault) = (Arc::clone(&heads), Arc::clone(&fault));
                tokio::spawn(serve(connection, port, heads, fault));
            }
        });
        wire
    }

    /// Loses the next POST whose path ends like this, or its answer.
    pub(crate) fn lose(&self, path: &str, fault: Fault) {
        *self.fault.lock().expect("no panic inside") = Some((path.to_owned(), fault));
    }

    /// True if what was to be lost is lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.fault.lock().expect("no panic inside").is_none()
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic inside").clone()
    }
}

/// Carries the requests of one connection, and closes it with the first loss.
async fn serve(
    mut connection: TcpStream,
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    fault: Arc<Mutex<Option<(String, Fault)>>>,
) {
    let mut heard = Vec::new();
    while let Some((head, body)) = request(&mut connection, &mut heard).await {
        heads.lock().expect("no panic inside").push(head.clone());
        let line = head.lines().next().unwrap_or_default();
        let path = line.strip_prefix("POST ").unwrap_or_default();
        let path = path.split(' ').next().unwrap_or_default().to_owned();
        let lost = fault
            .lock()
            .expect("no panic inside")
            .take_if(|(wanted, _)| path.ends_with(wanted.as_str()))
            .map(|(_, fault)| fault);
        if lost == Some(Fault::RequestLost) {
            return;
        }
        let Some(answer) = carry(port, &head, &body).await else {
            return;
        };
        if lost == Some(Fault::AnswerLost) || connection.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// Sends a request to localstripe, and reads its whole answer.
async fn carry(port: u16, head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut there = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let whole = [head.as_bytes(), b"\r\n\r\n", body].concat();
    there.write_all(&whole).await.ok()?;
    let mut answer = Vec::new();
    loop {
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&answer[..end]).into_owned();
            let length = header(&head, "content-length").and_then(|value| value.parse().ok());
            if answer.len() >= end + 4 + length.unwrap_or(0) {
                return Some(answer);
            }
        }
        if there.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
}
