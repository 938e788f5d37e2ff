//! A receiver of webhooks that verifies each signature and keeps the webhooks that it received.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use sandbox::WebhookTarget;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::timeout;
use webhook_signatures::{Request, Scheme, Secret, verify};

use crate::stage::NOW;

/// One webhook with a valid signature.
pub(crate) struct Webhook {
    /// The signed id; `None` if the scheme has no id.
    pub(crate) message_id: Option<String>,
    pub(crate) event: Value,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    scheme: Scheme,
    secret: Secret,
    server: ServerHandle,
    arrivals: UnboundedReceiver<Result<Webhook, String>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    gate: watch::Sender<bool>,
}

struct Desk {
    scheme: Scheme,
    secret: Secret,
    arrivals: UnboundedSender<Result<Webhook, String>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    gate: watch::Receiver<bool>,
}

impl Receiver {
    pub(crate) fn start(scheme: Scheme) -> Self {
        let secret = Secret::parse(scheme, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").unwrap();
        let (sender, arrivals) = unbounded_channel();
        let (gate, gate_seen) = watch::channel(true);
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let desk = Data::new(Desk {
            scheme,
            secret: secret.clone(),
            arrivals: sender,
            answers: Arc::clone(&answers),
            gate: gate_seen,
        });
        let bound = HttpServer::new(move || {
            App::new()
                .app_data(desk.clone())
                .default_service(web::to(take))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let address = bound.addrs()[0];
        let running = bound.run();
        let server = running.handle();
        tokio::spawn(running);
        Self {
            address,
            scheme,
            secret,
            server,
            arrivals,
            answers,
            gate,
        }
    }

    pub(crate) fn target(&self) -> WebhookTarget {
        WebhookTarget {
            url: format!("http://{}/hooks", self.address),
            scheme: self.scheme,
            secret: self.secret.clone(),
        }
    }

    /// The statuses of the next answers; after them it answers 200 again.
    pub(crate) fn answer_next(&self, statuses: impl IntoIterator<Item = StatusCode>) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// From now on no request is answered until [`Receiver::release`].
    pub(crate) fn hold(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.gate.send_replace(true);
    }

    /// The next webhook; a forged or misdirected one fails the test.
    pub(crate) async fn next(&mut self) -> Webhook {
        let arrival = timeout(Duration::from_secs(20), self.arrivals.recv()).await;
        arrival.unwrap().unwrap().unwrap()
    }

    /// Why the next webhook is refused; a genuine one fails the test.
    pub(crate) async fn next_refused(&mut self) -> String {
        let arrival = timeout(Duration::from_secs(20), self.arrivals.recv()).await;
        arrival.unwrap().unwrap().err().unwrap()
    }

    /// Whether everything that arrived was taken.
    pub(crate) fn is_quiet(&self) -> bool {
        self.arrivals.is_empty()
    }

    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
    }
}

async fn take(request: HttpRequest, body: Bytes, desk: Data<Desk>) -> HttpResponse {
    let arrival = examine(&request, &body, &desk);
    let genuine = arrival.is_ok();
    desk.arrivals.send(arrival).unwrap();
    desk.gate.clone().wait_for(|open| *open).await.unwrap();
    let scripted = desk.answers.lock().unwrap().pop_front();
    match scripted {
        Some(status) => HttpResponse::build(status)
            .insert_header(("Location", "/elsewhere"))
            .finish(),
        None if genuine => HttpResponse::Ok().finish(),
        None => HttpResponse::Unauthorized().finish(),
    }
}

fn examine(request: &HttpRequest, body: &[u8], desk: &Desk) -> Result<Webhook, String> {
    if request.method() != "POST" || request.path() != "/hooks" {
        return Err(format!(
            "misdirected: {} {}",
            request.method(),
            request.path()
        ));
    }
    let headers: Vec<(&str, &[u8])> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let received = Request {
        headers: &headers,
        body,
    };
    let secrets = [desk.secret.clone()];
    let verified =
        verify(desk.scheme, &secrets, &received, NOW, 0).map_err(|refusal| refusal.to_string())?;
    Ok(Webhook {
        message_id: verified.message_id,
        event: serde_json::from_slice(body).map_err(|error| error.to_string())?,
    })
}
