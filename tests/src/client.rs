//! HTTP requests: those that customers send, and those that nobody should send.

use std::sync::Once;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::contract;

/// Greatest time to wait for an answer; none of the server's own limits is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one server, with one API key. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    api: String,
    key: Option<String>,
    http: reqwest::Client,
}

/// A complete answer, unchanged.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The bytes of the body, to compare replies that must be identical.
    pub body: Bytes,
}

impl Client {
    /// A client of `api` (`http://127.0.0.1:PORT`) with or without an API key.
    pub fn new<'a>(api: &str, key: impl Into<Option<&'a str>>) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // This fails if another part of the process chose first, which is just as good.
            let _chosen_before = rustls::crypto::ring::default_provider().install_default();
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        Self {
            api: api.trim_end_matches('/').to_owned(),
            key: key.into().map(str::to_owned),
            http,
        }
    }

    /// Reads `path` (with its query).
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Asks for a change, with or without an idempotency key.
    pub async fn post<'a>(
        &self,
        path: &str,
        idempotency_key: impl Into<Option<&'a str>>,
        body: &Value,
    ) -> Reply {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(idempotency_key.into().map(|key| ("idempotency-key", key)));
        self.send(Method::POST, path, &headers, body.to_string())
            .await
    }

    /// Sends exactly these headers (and the API key) and these body bytes. Panics if no answer comes: see
    /// [`Client::try_send`].
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let sent = self.try_send(method.clone(), path, headers, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {path} had no answer: {error:?}"))
    }

    /// As [`Client::send`], for a server that may die before it answers. Panics if the answer differs from the
    /// description of the API.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, reqwest::Error> {
        let body: Bytes = body.into();
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.api))
            .body(body.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let answered = response.headers().clone();
        let reply = Reply {
            status,
            headers: answered,
            body: response.bytes().await?,
        };
        let is_accept = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case("accept");
        let accepts = headers.iter().find(is_accept);
        let accept = accepts.map_or("", |(_, value)| *value);
        contract::hold(&method, path, accept, &body, &reply);
        Ok(reply)
    }

    /// Sends these bytes on a separate connection and returns the bytes that come back: one complete answer, or what
    /// had arrived when the server closed the connection or `patience` ended.
    pub async fn raw(&self, bytes: &[u8], patience: Duration) -> Vec<u8> {
        let address = self.api.strip_prefix("http://").unwrap_or(&self.api);
        let connection = TcpStream::connect(address)
            .await
            .expect("the server listens");
        let (mut incoming, mut outgoing) = connection.into_split();
        let mut answer = Vec::new();
        let listening = async {
            while !is_whole(&answer) {
                // On bad input the server may close the connection abruptly. The bytes that arrived before count.
                match incoming.read_buf(&mut answer).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        let speaking = async {
            // The server may refuse before it has read everything.
            let _cut_short = outgoing.write_all(bytes).await;
            std::future::pending::<()>().await;
        };
        let _out_of_patience = tokio::time::timeout(patience, async {
            tokio::select! { () = listening => (), () = speaking => () }
        })
        .await;
        answer
    }
}

/// True if the body of an answer is as long as the answer has announced.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = answer.split_at(end);
    let length = String::from_utf8_lossy(head)
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| {
            let value = line.strip_prefix("content-length:")?;
            value.trim().parse::<usize>().ok()
        });
    // Without a length only the end of the connection shows it. The four bytes are the blank line.
    length.is_some_and(|length| body.len() >= length.saturating_add(4))
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "{error} in {} {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            )
        })
    }

    /// The value of a header, if it occurs once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::{Client, is_whole};

    /// Answers one connection with `answer`, keeps it open, and returns the received bytes.
    async fn answering(answer: &'static [u8], until: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let api = format!("http://{}", listener.local_addr().expect("bound"));
        let heard = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.expect("a caller");
            let mut heard = Vec::new();
            while !String::from_utf8_lossy(&heard).contains(until) {
                connection.read_buf(&mut heard).await.expect("readable");
            }
            connection.write_all(answer).await.expect("writable");
            let _until_the_caller_leaves = connection.read_buf(&mut heard).await;
            String::from_utf8_lossy(&heard).to_ascii_lowercase()
        });
        (api, heard)
    }

    #[tokio::test]
    async fn a_post_carries_the_key_the_idempotency_key_and_the_body() {
        let (api, heard) = answering(
            b"HTTP/1.1 201 Created\r\nx: y\r\nContent-Length: 2\r\n\r\n{}",
            "{\"a\":1}",
        )
        .await;
        let reply = Client::new(&api, "sk_1")
            .post("/v1/x?y=z", "k-1", &json!({"a": 1}))
            .await;
        assert_eq!(
            (reply.status, reply.json(), reply.header("x")),
            (201, json!({}), Some("y"))
        );
        let heard = heard.await.expect("heard");
        assert!(heard.starts_with("post /v1/x?y=z http/1.1\r\n"), "{heard}");
        for line in [
            "authorization: bearer sk_1\r\n",
            "idempotency-key: k-1\r\n",
            "content-type: application/json\r\n",
        ] {
            assert!(heard.contains(line), "{line} in {heard}");
        }
    }

    #[tokio::test]
    async fn raw_bytes_arrive_as_they_are_and_a_whole_answer_ends_the_wait() {
        let (api, heard) = answering(
            b"HTTP/1.1 400 Bad\r\ncontent-length: 3\r\n\r\nno!",
            "\0\x07",
        )
        .await;
        let answer = Client::new(&api, None)
            .raw(b"G\0\x07", Duration::from_secs(60))
            .await;
        assert!(answer.ends_with(b"no!"));
        assert_eq!(heard.await.expect("heard"), "g\0\x07");
    }

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        assert!(is_whole(b"HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n"));
        assert!(is_whole(b"HTTP/1.1 400 X\r\nCONTENT-LENGTH: 2\r\n\r\nab"));
        assert!(!is_whole(b"HTTP/1.1 400 X\r\ncontent-length: 3\r\n\r\nab"));
        assert!(!is_whole(b"HTTP/1.1 400 X\r\ncontent-length: 0\r\n"));
        assert!(!is_whole(b"HTTP/1.1 400 X\r\n\r\nuntil it closes"));
    }
}
