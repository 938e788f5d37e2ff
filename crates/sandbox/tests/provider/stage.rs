//! A running sandbox and the calls that a test makes to it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use sandbox::{Sandbox, Settings, WebhookTarget};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The present time in all tests, in Unix seconds.
pub(crate) const NOW: i64 = 1_700_000_000;

/// Less than the time that the sandbox waits for the answer to a webhook, so that a wrong wait is noticed.
const MAX_WAIT: Duration = Duration::from_secs(8);

pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
}

impl Stage {
    pub(crate) async fn set(webhook: Option<WebhookTarget>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = start(folder.path().join("journal.jsonl"), webhook).await;
        Self {
            folder,
            sandbox,
            client: Client::builder()
                .no_proxy()
                .timeout(MAX_WAIT)
                .build()
                .unwrap(),
        }
    }

    /// Stops the sandbox, gives the journal to `meanwhile`, and starts the sandbox again.
    pub(crate) async fn restarted(self, meanwhile: impl FnOnce(PathBuf)) -> Self {
        let Self {
            folder,
            sandbox,
            client,
        } = self;
        sandbox.stop().await;
        let journal = folder.path().join("journal.jsonl");
        meanwhile(journal.clone());
        let sandbox = start(journal, None).await;
        Self {
            folder,
            sandbox,
            client,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.address())
    }

    /// A charge with this whole body.
    pub(crate) async fn post(&self, key: &str, body: impl Into<reqwest::Body>) -> Response {
        self.post_to("/v1/charges", key, body).await
    }

    /// Anything that has a key, with this whole body.
    pub(crate) async fn post_to(
        &self,
        path: &str,
        key: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let request = self
            .client
            .post(self.url(path))
            .header("Idempotency-Key", key);
        request.body(body).send().await.unwrap()
    }

    /// An ordinary charge with this payment method.
    pub(crate) async fn charge(&self, key: &str, method: &str) -> (StatusCode, Value) {
        read(self.post(key, order(method).to_string()).await).await
    }

    /// A charge of 1000 that is not captured at once.
    pub(crate) async fn authorize(&self, key: &str, method: &str) -> Value {
        let mut body = order(method);
        body["amount"] = json!(1000);
        body["capture"] = json!(false);
        let (_, charge) = read(self.post(key, body.to_string()).await).await;
        charge
    }

    /// A step of a charge with this whole body; `records` is the last part of its URL.
    pub(crate) async fn step(
        &self,
        key: &str,
        charge: &Value,
        records: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let request = self.step_request(key, charge, records);
        read(request.body(body.to_string()).send().await.unwrap()).await
    }

    pub(crate) fn step_request(&self, key: &str, charge: &Value, records: &str) -> RequestBuilder {
        let id = charge["id"].as_str().unwrap();
        let url = self.url(&format!("/v1/charges/{id}/{records}"));
        self.client.post(url).header("Idempotency-Key", key)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.client.get(self.url(path)).send().await.unwrap()).await
    }

    /// Posts without a key and a body: what the payer and the bank do.
    pub(crate) async fn act(&self, path: &str) -> (StatusCode, Value) {
        read(self.client.post(self.url(path)).send().await.unwrap()).await
    }

    pub(crate) async fn inquire(&self, key: &str) -> (StatusCode, Value) {
        self.inquire_at("charges", key).await
    }

    pub(crate) async fn inquire_at(&self, records: &str, key: &str) -> (StatusCode, Value) {
        self.get(&format!("/v1/{records}?idempotency_key={key}"))
            .await
    }

    pub(crate) async fn redeliver(&self, record: &Value) -> (StatusCode, Value) {
        let id = record["id"].as_str().unwrap();
        self.act(&format!("/v1/webhooks/{id}/redeliver")).await
    }

    pub(crate) async fn redeliver_all(&self, record: &Value) -> (StatusCode, Value) {
        let id = record["id"].as_str().unwrap();
        self.act(&format!("/v1/webhooks/{id}/redeliver-all")).await
    }

    /// The amounts authorized, captured, released and refunded in euro.
    pub(crate) async fn totals(&self) -> [i64; 4] {
        let names = ["authorized", "captured", "released", "refunded"];
        self.totals_named(names).await
    }

    /// The totals with these names in euro.
    pub(crate) async fn totals_named<const N: usize>(&self, names: [&str; N]) -> [i64; N] {
        let (status, totals) = self.get("/v1/totals").await;
        assert_eq!(status, 200);
        let rows = totals["data"].as_array().unwrap();
        let row = rows.iter().find(|row| row["currency"] == "EUR").unwrap();
        names.map(|name| row[name].as_i64().unwrap())
    }

    pub(crate) async fn rows(&self) -> Vec<Value> {
        let (status, journal) = self.get("/v1/journal").await;
        assert_eq!(status, 200);
        journal["data"].as_array().unwrap().clone()
    }

    /// The numbers of effects and calls of one key.
    pub(crate) async fn counts(&self, key: &str) -> (u64, u64) {
        let rows = self.rows().await;
        let mut rows = rows.iter().filter(|row| row["idempotency_key"] == key);
        let row = rows.next().unwrap();
        assert!(rows.next().is_none(), "{key} has two rows");
        (
            row["effects"].as_u64().unwrap(),
            row["calls"].as_u64().unwrap(),
        )
    }

    pub(crate) async fn strike(self) {
        self.sandbox.stop().await;
    }
}

pub(crate) fn order(method: &str) -> Value {
    json!({ "amount": 1099, "currency": "EUR", "payment_method": method, "reference": "pay_1" })
}

pub(crate) async fn read(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.unwrap())
}

async fn start(journal: PathBuf, webhook: Option<WebhookTarget>) -> Sandbox {
    let listen = ([127, 0, 0, 1], 0).into();
    sandbox::start(
        Settings {
            listen,
            journal,
            webhook,
        },
        || NOW,
    )
    .await
    .unwrap()
}
