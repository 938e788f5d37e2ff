//! A provider that the scenario plays over real HTTP: each call waits until the scenario answers it.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::shop::PRICE;

/// A provider that does nothing on its own.
pub(crate) struct Provider {
    pub(crate) url: String,
    calls: mpsc::UnboundedReceiver<Call>,
}

/// A call that waits for its answer.
pub(crate) struct Call {
    pub(crate) is_inquiry: bool,
    /// The operation's provider key.
    pub(crate) key: String,
    /// The body of the request; null in an inquiry.
    pub(crate) order: Value,
    answer: oneshot::Sender<(u16, Vec<u8>)>,
}

impl Provider {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (told, calls) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, told.clone()));
            }
        });
        Self {
            url: format!("http://{address}"),
            calls,
        }
    }

    /// The next call.
    pub(crate) async fn call(&mut self) -> Call {
        self.calls
            .recv()
            .await
            .expect("it runs as long as it is held")
    }
}

impl Call {
    pub(crate) fn answer(self, status: u16, body: impl Into<Vec<u8>>) {
        // The caller may have stopped waiting.
        let _unheard = self.answer.send((status, body.into()));
    }

    /// A charge of [`PRICE`] for this call, with this id.
    pub(crate) fn charge(&self, id: &str) -> Value {
        json!({
            "id": id, "status": "succeeded", "amount": PRICE, "currency": "EUR",
            "idempotency_key": self.key, "decline_code": null,
        })
    }
}

/// Answers one connection, call after call.
async fn serve(mut connection: TcpStream, told: mpsc::UnboundedSender<Call>) {
    let mut heard = Vec::new();
    while let Some((head, body)) = request(&mut connection, &mut heard).await {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            is_inquiry: head.starts_with(Method::GET.as_str()),
            key: key(&head),
            order: serde_json::from_slice(&body).unwrap_or_default(),
            answer,
        };
        if told.send(call).is_err() {
            return;
        }
        let Ok((status, body)) = answered.await else {
            return;
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let whole = [head.into_bytes(), body].concat();
        if connection.write_all(&whole).await.is_err() {
            return;
        }
    }
}

/// The next request, if there is one.
pub(crate) async fn request(
    connection: &mut TcpStream,
    heard: &mut Vec<u8>,
) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = heard.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&heard[..end]).into_owned();
            let length = header(&head, "content-length").and_then(|value| value.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if heard.len() >= whole {
                let body = heard[end + 4..whole].to_vec();
                heard.drain(..whole);
                return Some((head, body));
            }
        }
        if connection.read_buf(heard).await.ok()? == 0 {
            return None;
        }
    }
}

/// The provider key: in a header, or in the query of an inquiry.
fn key(head: &str) -> String {
    let query = head.lines().next().and_then(|line| {
        let (_, rest) = line.split_once("idempotency_key=")?;
        rest.split(' ').next().map(str::to_owned)
    });
    query
        .or_else(|| header(head, "idempotency-key"))
        .unwrap_or_default()
}

pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}
