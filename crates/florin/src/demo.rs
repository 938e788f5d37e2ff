//! `florin demo`: one payment end to end, with the request and its webhook sent repeatedly.
//!
//! The provider executes the payment and then answers 500, so that the outcome is unknown. A signed webhook
//! reports it, twenty times, eight at once. The money moves once.

mod all;
mod held;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use reqwest::StatusCode;
use serde_json::{Value, json};
use store::{Clock, DatabaseUrl, Store};
use webhook_signatures::{Scheme, Secret};

use crate::output;
use crate::providers::ProviderError;
use crate::settings::{SANDBOX, SANDBOX_KEY, SANDBOX_SECRET, Settings};
use crate::start::{StartError, start};
use families::CHECK;

const DELIVERIES: usize = 20;
const AT_ONCE: usize = 8;

/// Options of `florin demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The URL of a running server in sandbox mode; if absent, a server is started on books of its own
    #[arg(long, requires = "sandbox_url")]
    url: Option<String>,
    /// The URL of the running server's sandbox provider, as the server printed it
    #[arg(long, requires = "url")]
    sandbox_url: Option<String>,
    /// Show every edge of the life of a payment, each with its postings
    #[arg(long, conflicts_with = "url")]
    all: bool,
}

/// The failure of a step.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{step}: expected {expected}, got {got}")]
    Other {
        step: &'static str,
        expected: &'static str,
        got: String,
    },
}

/// Runs the demo. The exit status is 0 if every step ended as expected, 1 if not.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &DemoArguments,
    json: bool,
) -> Result<ExitCode, StartError> {
    if let (Some(url), Some(sandbox)) = (&arguments.url, &arguments.sandbox_url) {
        let script = Script::new(url, sandbox, json)?;
        return Ok(script.end(script.play(None).await));
    }
    let (settings, _folder) = own_books(settings)?;
    let florin = start(&settings).await?;
    let sandbox = florin.played.first();
    let sandbox = sandbox.map(|(_, sandbox)| format!("http://{}", sandbox.address()));
    let script = Script::new(&florin.url(), &sandbox.unwrap_or_default(), json)?;
    script.say(
        "database",
        &settings.database.to_string(),
        &json!(settings.database.to_string()),
    );
    let store = crate::start::open(settings.database.clone(), settings.tuning).await?;
    let ended = if arguments.all {
        script.play_all(store).await
    } else {
        script.play(Some(store)).await
    };
    florin.stop().await;
    Ok(script.end(ended))
}

/// Settings for a server on books of its own, unless a database is named. The folder is deleted with the value.
pub(crate) fn own_books(settings: &Settings) -> Result<(Settings, tempfile::TempDir), StartError> {
    let folder = tempfile_folder()?;
    let mut settings = settings.clone().in_sandbox()?;
    settings.listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into();
    settings.listen_is_default = false;
    // It is about one provider, which takes everything.
    settings.other_providers.clear();
    settings.provider_rules.clear();
    settings.no_default_provider = false;
    if settings.database == DatabaseUrl::Sqlite(settings.data_dir.join("florin.db")) {
        settings.database = DatabaseUrl::Sqlite(folder.path().join("florin.db"));
    }
    settings.data_dir = folder.path().to_path_buf();
    Ok((settings, folder))
}

fn tempfile_folder() -> Result<tempfile::TempDir, StartError> {
    tempfile::tempdir().map_err(|cause| StartError::System {
        what: "cannot create a temporary folder".to_owned(),
        cause,
    })
}

struct Script {
    http: reqwest::Client,
    url: String,
    sandbox: String,
    json: bool,
}

impl Script {
    fn new(url: &str, sandbox: &str, json: bool) -> Result<Self, StartError> {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.map_err(ProviderError::Client)?;
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            url: trim(url),
            sandbox: trim(sandbox),
            json,
        })
    }

    async fn play(&self, store: Option<Store>) -> Result<(), DemoError> {
        let (payment, body, key) = self.create().await?;
        self.retry(&payment, &body, &key).await?;
        let charge = self.charge_of(&payment).await?;
        let event = serde_json::to_vec(&json!({
            "id": format!("evt_{}", payment.trim_start_matches("pay_")),
            "type": "charge.succeeded",
            "created": Clock::system().now().unix_seconds(),
            "data": {"object": charge},
        }))
        .unwrap_or_default();
        self.deliver(&event).await?;
        self.tamper(&event).await?;
        self.finished(&payment).await?;
        match store {
            Some(store) => self.prove(store).await,
            None => {
                let hint = "run `florin check` and `florin audit verify` on the server's database";
                self.say("books", hint, &Value::Null);
                Ok(())
            }
        }
    }

    async fn play_all(&self, store: Store) -> Result<(), DemoError> {
        all::Stories::new(self).tell_all(&store).await?;
        all::every_edge(self, store.clone()).await?;
        self.prove(store).await
    }

    async fn create(&self) -> Result<(String, Vec<u8>, String), DemoError> {
        let key = unique_name();
        let answer = self.post_payment(&key).await?;
        let status = answer.status();
        let body = answer.bytes().await?.to_vec();
        let payment: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = payment
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if status != StatusCode::ACCEPTED || id.is_empty() {
            return Err(wrong(
                "created",
                "202 processing",
                format!("{status} {payment}"),
            ));
        }
        let text = format!("{id}  EUR 10.99  processing: the provider did it and answered 500");
        self.say("created", &text, &payment);
        Ok((id, body, key))
    }

    async fn retry(&self, payment: &str, first: &[u8], key: &str) -> Result<(), DemoError> {
        let answer = self.post_payment(key).await?;
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let body = answer.bytes().await?;
        if !replayed || body != first {
            return Err(wrong("retried", "the same bytes", format!("{body:?}")));
        }
        let said = json!({"payment": payment, "replayed": true, "same_bytes": true});
        self.say("retried", "same key → replayed, same bytes", &said);
        Ok(())
    }

    async fn post_payment(&self, key: &str) -> Result<reqwest::Response, DemoError> {
        let body = json!({
            "amount": 1099, "currency": "EUR", "description": "ann",
            "payment_method": "pm_server_error", "confirm": true,
        });
        let request = self.http.post(format!("{}/v1/payments", self.url));
        let request = request
            .bearer_auth(SANDBOX_KEY)
            .header("Idempotency-Key", key);
        Ok(request.json(&body).send().await?)
    }

    /// The charge, as the provider has it. The demo sends the webhook instead of the provider.
    async fn charge_of(&self, payment: &str) -> Result<Value, DemoError> {
        let journal = self
            .http
            .get(format!("{}/v1/journal", self.sandbox))
            .send()
            .await?;
        let journal: Value = journal.json().await?;
        let charges = journal
            .get("data")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let ours =
            |charge: &Value| charge.get("reference").and_then(Value::as_str) == Some(payment);
        let charge = charges.into_iter().find(ours);
        let charge = charge.ok_or_else(|| wrong("provider", "one charge", "none".to_owned()))?;
        match charge.get("effects").and_then(Value::as_i64) {
            Some(1) => Ok(charge),
            effects => Err(wrong("provider", "one effect", format!("{effects:?}"))),
        }
    }

    async fn deliver(&self, event: &[u8]) -> Result<(), DemoError> {
        let (mut applied, mut duplicates) = (0_usize, 0_usize);
        let mut left = DELIVERIES;
        while left > 0 {
            let mut under_way = tokio::task::JoinSet::new();
            for _ in 0..left.min(AT_ONCE) {
                under_way.spawn(self.signed(event, event)?.send());
                left = left.saturating_sub(1);
            }
            while let Some(answer) = under_way.join_next().await {
                let answer =
                    answer.map_err(|panic| wrong("webhook", "an answer", panic.to_string()))?;
                let receipt: Value = answer?.json().await?;
                match receipt.get("status").and_then(Value::as_str) {
                    Some("applied") => applied = applied.saturating_add(1),
                    Some("duplicate") => duplicates = duplicates.saturating_add(1),
                    _ => {
                        return Err(wrong(
                            "webhook",
                            "applied or duplicate",
                            receipt.to_string(),
                        ));
                    }
                }
            }
        }
        let text = format!(
            "delivered {DELIVERIES}×, {AT_ONCE} at once: {applied} applied, {duplicates} duplicates"
        );
        if applied != 1 {
            return Err(wrong("webhook", "1 applied", text));
        }
        self.say(
            "webhook",
            &text,
            &json!({"applied": applied, "duplicates": duplicates}),
        );
        Ok(())
    }

    async fn tamper(&self, event: &[u8]) -> Result<(), DemoError> {
        let text = String::from_utf8_lossy(event).replace("1099", "9901");
        let answer = self.signed(event, text.as_bytes())?.send().await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Err(wrong("tampered", "401", answer.status().to_string()));
        }
        self.say(
            "tampered",
            "one amount changed → refused, 401",
            &json!({"status": 401}),
        );
        Ok(())
    }

    /// A delivery of `sent`, with the signature of `signed`.
    fn signed(&self, signed: &[u8], sent: &[u8]) -> Result<reqwest::RequestBuilder, DemoError> {
        let scheme = Scheme::StandardWebhooks;
        let secret = Secret::parse(scheme, SANDBOX_SECRET)
            .map_err(|error| wrong("webhook", "a secret", error.to_string()))?;
        let now = Clock::system().now().unix_seconds();
        let headers = webhook_signatures::sign(scheme, &secret, "msg_demo", now, signed)
            .map_err(|error| wrong("webhook", "a signature", error.to_string()))?;
        let mut request = self.http.post(format!("{}/webhooks/{SANDBOX}", self.url));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request
            .header("content-type", "application/json")
            .body(sent.to_vec()))
    }

    async fn finished(&self, payment: &str) -> Result<(), DemoError> {
        let request = self.http.get(format!("{}/v1/payments/{payment}", self.url));
        let payment: Value = request
            .bearer_auth(SANDBOX_KEY)
            .send()
            .await?
            .json()
            .await?;
        if payment.get("status").and_then(Value::as_str) != Some("succeeded") {
            return Err(wrong("settled", "succeeded", payment.to_string()));
        }
        self.say(
            "settled",
            "the payment succeeded, 10.99 captured once",
            &payment,
        );
        Ok(())
    }

    async fn prove(&self, store: Store) -> Result<(), DemoError> {
        let checked = tokio::task::spawn_blocking(move || {
            let report = engine::check::whole(CHECK, &store, |_, _| {})?;
            store.read(|connection| {
                let mut records = 0_u64;
                for log in audit_log::tables::logs(connection)? {
                    // A log that is not clean is a violation of A1, which is reported below.
                    if let Ok(clean) = audit_log::verify(connection, log, |_| {})? {
                        records = records.saturating_add(clean.head.size);
                    }
                }
                Ok::<_, store::Error>((report, records))
            })
        });
        let checked = checked
            .await
            .map_err(|panic| wrong("check", "an answer", panic.to_string()))?;
        let (report, records) =
            checked.map_err(|error| wrong("check", "an answer", error.to_string()))?;
        for verdict in &report.invariants {
            if let Some(violation) = &verdict.violation {
                return Err(wrong(
                    "check",
                    "every invariant to hold",
                    format!("{} {violation:?}", verdict.name),
                ));
            }
        }
        let names: Vec<&str> = report
            .invariants
            .iter()
            .map(|verdict| verdict.name)
            .collect();
        let text = format!("debits = credits, balances match ({})", names.join(" "));
        self.say("ledger", &text, &json!({"invariants": names}));
        let text = format!("{records} records, every leaf and root re-hashed");
        self.say("audit", &text, &json!({"records": records}));
        Ok(())
    }

    fn say(&self, step: &str, text: &str, said: &Value) {
        // If the reader of standard output is gone, the exit status still shows the result.
        let _unheard = if self.json {
            output::line(&json!({"step": step, "ok": true, "said": said}))
        } else if std::io::stdout().is_terminal() {
            output::line(&format_args!(
                "  \u{1b}[1m{step:<10}\u{1b}[0m {text}  \u{1b}[32mok\u{1b}[0m"
            ))
        } else {
            output::line(&format_args!("  {step:<10} {text}  ok"))
        };
    }

    fn end(&self, ended: Result<(), DemoError>) -> ExitCode {
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                if self.json {
                    let _unheard =
                        output::line(&json!({"ok": false, "failed": failed.to_string()}));
                }
                output::mistake(&format!("the demo failed: {failed}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// A name that no other run of the demo has. The digits are split, because a long run of digits may look like a card
/// number, which is refused.
fn unique_name() -> String {
    let now = Clock::system().now();
    let micros = now.micros().rem_euclid(1_000_000);
    format!("demo-{}s{micros}", now.unix_seconds())
}

fn wrong(step: &'static str, expected: &'static str, got: String) -> DemoError {
    DemoError::Other {
        step,
        expected,
        got,
    }
}
