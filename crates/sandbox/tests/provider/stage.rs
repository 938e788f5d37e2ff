//! A running sandbox and the calls that a test makes to it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
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
        let request = self
            .client
            .post(self.url("/v1/charges"))
            .header("Idempotency-Key", key);
        request.body(body).send().await.unwrap()
    }

    /// An ordinary charge with this payment method.
    pub(crate) async fn charge(&self, key: &str, method: &str) -> (StatusCode, Value) {
        read(self.post(key, order(method).to_string()).await).await
    }

    pub(crate) async fn inquire(&self, key: &str) -> (StatusCode, Value) {
        let url = self.url(&format!("/v1/charges?idempotency_key={key}"));
        read(self.client.get(url).send().await.unwrap()).await
    }

    pub(crate) async fn redeliver(&self, charge: &Value) -> (StatusCode, Value) {
        let id = charge["id"].as_str().unwrap();
        let url = self.url(&format!("/v1/webhooks/{id}/redeliver"));
        read(self.client.post(url).send().await.unwrap()).await
    }

    /// The numbers of effects and calls of one key.
    pub(crate) async fn counts(&self, key: &str) -> (u64, u64) {
        let (status, journal) = read(
            self.client
                .get(self.url("/v1/journal"))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(status, 200);
        let rows = journal["data"].as_array().unwrap();
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
