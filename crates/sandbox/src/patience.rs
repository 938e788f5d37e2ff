//! The time limits of the provider: every wait has an end.

use std::time::Duration;

/// The limits of every wait, except those of the HTTP server itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Time for which a connection that is never answered is held open.
    pub(crate) hold: Duration,
    /// Time that the body of a request may take to arrive.
    pub(crate) body: Duration,
    /// Time that a reply waits for a webhook that is sent before it.
    pub(crate) announcement: Duration,
    /// Time that the receiver of a webhook may take to answer one try.
    pub(crate) receiver: Duration,
    /// Time for which a webhook is held at most until it is sent in another order.
    pub(crate) held: Duration,
    /// The pause before each try of a webhook; there are as many tries as pauses.
    pub(crate) before_tries: [Duration; 5],
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(120),
            body: Duration::from_secs(10),
            announcement: Duration::from_secs(10),
            receiver: Duration::from_secs(10),
            held: Duration::from_secs(5),
            before_tries: [0, 100, 300, 900, 2700].map(Duration::from_millis),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::net::SocketAddr;

    use serde_json::{Value, json};
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use webhook_signatures::{Scheme, Secret};

    use super::*;
    use crate::{Sandbox, Settings, WebhookTarget, start_with};

    const SHORT: Duration = Duration::from_millis(50);

    fn sandbox(folder: &TempDir, receiver: Option<SocketAddr>, patience: Patience) -> Sandbox {
        let scheme = Scheme::StandardWebhooks;
        let settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            journal: folder.path().join("journal"),
            webhook: receiver.map(|address| WebhookTarget {
                url: format!("http://{address}/"),
                scheme,
                secret: Secret::parse(scheme, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").unwrap(),
            }),
        };
        start_with(settings, || 1_700_000_000, patience).unwrap()
    }

    fn charge(sandbox: &Sandbox, method: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .post(format!("http://{}/v1/charges", sandbox.address()))
            .header("Idempotency-Key", method)
            .json(&json!({ "amount": 1099, "currency": "EUR", "payment_method": method }))
    }

    /// Sends these bytes, then reads everything until the server closes.
    async fn talk(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_held_connection_is_closed_without_a_byte() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = sandbox(
            &folder,
            None,
            Patience {
                hold: SHORT,
                ..Patience::default()
            },
        );
        for method in ["pm_times_out", "pm_never_answers"] {
            let body = json!({ "amount": 1, "currency": "EUR", "payment_method": method });
            let body = body.to_string();
            let request = format!(
                "POST /v1/charges HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {method}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            assert_eq!(talk(sandbox.address(), &request).await, "", "{method}");
        }
        sandbox.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_that_does_not_arrive_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = sandbox(
            &folder,
            None,
            Patience {
                body: SHORT,
                ..Patience::default()
            },
        );
        let request = "POST /v1/charges HTTP/1.1\r\nHost: x\r\nIdempotency-Key: slow\r\n\
                       Content-Length: 100\r\nConnection: close\r\n\r\n{";
        let answer = talk(sandbox.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.ends_with(r#"{"error":"body_too_slow"}"#), "{answer}");
        sandbox.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reply_does_not_wait_for_ever_for_the_webhook_before_it() {
        let folder = tempfile::tempdir().unwrap();
        // The system accepts the connections, but no program reads from them.
        let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let patience = Patience {
            announcement: SHORT,
            ..Patience::default()
        };
        let sandbox = sandbox(&folder, Some(deaf.local_addr().unwrap()), patience);
        let reply = charge(&sandbox, "pm_webhook_before_reply")
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200);
        sandbox.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_webhook_nobody_accepts_is_given_up_after_five_tries() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tries = tokio::spawn(async move {
            let mut tries = 0;
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut first = [0; 4096];
                if stream.read(&mut first).await.unwrap() == 4 {
                    return tries;
                }
                tries += 1;
                let refusal = "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await.unwrap();
            }
        });
        let before_tries = [Duration::ZERO; 5];
        let sandbox = sandbox(
            &folder,
            Some(address),
            Patience {
                before_tries,
                ..Patience::default()
            },
        );

        let reply = charge(&sandbox, "pm_server_error").send().await.unwrap();
        assert_eq!(reply.status(), 500);
        let executed: Value = charge(&sandbox, "pm_server_error")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let id = executed.pointer("/id").and_then(Value::as_str).unwrap();
        let url = format!("http://{}/v1/webhooks/{id}/redeliver", sandbox.address());
        let answer = reqwest::Client::new().post(url).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer.pointer("/delivered"), Some(&json!(false)));

        TcpStream::connect(address)
            .await
            .unwrap()
            .write_all(b"over")
            .await
            .unwrap();
        assert_eq!(tries.await.unwrap(), 5);
        sandbox.stop().await;
    }
}
