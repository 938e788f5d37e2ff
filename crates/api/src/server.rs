//! The server: what handlers share, and the limits that hold before any handler runs.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use access::{Caller, Mode};
use actix_http::HttpService;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Extensions, ServerHandle};
use actix_web::web::Data;
use actix_web::{App, middleware};
use edge::strict_json::{self, Body, CardNumbers, Object, Reading};
use edge::{Problem, Response};
use engine::{Command, Engine, Key, Origin, Request, Show, Tell, Tenant};
use idempotency::{Claim, Fingerprint};
use metrics_exporter_prometheus::PrometheusHandle;
use webhook_signatures::{Scheme, Secret};

use crate::caller::Callers;
use crate::connection::{self, Connection, Talk};
use crate::currencies::{Assets, Currencies};
use crate::{API_VERSION, amounts, mount, request, respond};

/// How long a connection may be idle.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the head of a connection's first request may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// What handlers share.
pub struct Api {
    /// The lane.
    pub engine: Engine,
    /// The provider that payments go to.
    pub provider: ::payments::Provider,
    /// Whether the money is real: keys of the other mode are refused at the door.
    pub mode: Mode,
    /// Who may send webhooks, by provider name.
    pub receivers: HashMap<String, Receiver>,
    /// Where the counters are read, if they are collected.
    pub metrics: Option<PrometheusHandle>,
    /// The assets that requests have named.
    pub assets: Assets,
    /// The callers seen lately.
    pub callers: Callers,
}

/// How a provider's webhooks are verified, and whose they are.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Whose payments they are about.
    pub tenant: Tenant,
    /// How they are signed.
    pub scheme: Scheme,
    /// The live secrets: while one is being replaced, the old and the new.
    pub secrets: Vec<Secret>,
    /// How far the sender's clock may be off.
    pub tolerance_seconds: i64,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        cause: std::io::Error,
    },
}

/// A server that runs until it is stopped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    handle: ServerHandle,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Takes no new connections, finishes the requests under way, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        let _ended = self.running.await;
    }
}

/// Serves the API on `listener` with so many threads.
///
/// # Errors
/// [`ServeError`] if the listener cannot be used.
pub fn serve(api: Data<Api>, listener: TcpListener, threads: usize) -> Result<Server, ServeError> {
    let unusable = |address, cause| ServeError::Listen { address, cause };
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener
        .local_addr()
        .map_err(|cause| unusable(nowhere, cause))?;
    let server = actix_server::Server::build()
        .workers(threads.max(1))
        .backlog(4_096)
        .shutdown_timeout(30)
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let server = server
        .listen("api", listener, move || {
            let stopping = stopping.clone();
            let app = App::new()
                .app_data(api.clone())
                .wrap(middleware::from_fn(amounts::as_asked))
                // The last is the first: each answer has its id, whoever made it.
                .wrap(middleware::from_fn(request::identify))
                .configure(mount::all);
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIME)
                .client_disconnect_timeout(connection::LINGER)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .on_connect_ext(|connection: &Connection, data: &mut Extensions| {
                    data.insert(connection.talk());
                })
                .expect(fn_service(expect_continue))
                .finish(map_config(app, |()| AppConfig::default()));
            fn_service(Connection::accept).and_then(http)
        })
        .map_err(|cause| unusable(address, cause))?
        .run();
    let handle = server.handle();
    Ok(Server {
        address,
        handle,
        running: tokio::spawn(server),
    })
}

/// Somebody asks before sending a body. What is said by it is [`connection`]'s to withhold.
async fn expect_continue(
    request: actix_http::Request,
) -> Result<actix_http::Request, actix_web::Error> {
    if let Some(talk) = request.conn_data::<Rc<Talk>>() {
        talk.expect_continue();
    }
    Ok(request)
}

/// The rule for card numbers in every body.
const CARDS: CardNumbers = CardNumbers {
    identifiers: &["code", "customer", "external_id"],
    labels: "metadata",
    detail: "Card numbers are not accepted in any field. Send a payment method token.",
};

/// The state that every handler shares.
pub(crate) type Shared = Arc<Api>;
/// A request of a caller who is known.
pub(crate) type Call = edge::Call<Caller>;
/// The routes of the API.
pub(crate) type Routes = edge::Routes<Shared, Caller>;

/// A request that changes something: the caller is known, the body is an object, the key is a key.
pub(crate) struct Asked {
    caller: Caller,
    request: String,
    claim: Option<Claim>,
    is_dry_run: bool,
    body: Object,
}

impl Asked {
    /// Reads the body of a request.
    pub(crate) fn of(call: Call) -> Result<Self, Problem> {
        let body = call.json()?;
        let claim = call.key.map(|key| {
            let canonical = strict_json::canonical(&body);
            let fingerprint = Fingerprint::of(call.method, &call.path, API_VERSION, &canonical);
            Claim { key, fingerprint }
        });
        Ok(Self {
            caller: call.caller,
            request: call.request_id,
            claim,
            is_dry_run: false,
            body,
        })
    }

    /// Hands the body to its reader.
    pub(crate) fn read_by<B: Body>(&mut self, reader: &B) -> Reading<B::Out> {
        reader.whole(std::mem::take(&mut self.body), &CARDS)
    }

    /// The same request, only tried.
    pub(crate) fn trying(self, is_dry_run: bool) -> Self {
        Self { is_dry_run, ..self }
    }

    /// The tenant that the caller acts for.
    pub(crate) fn tenant(&self) -> Tenant {
        self.caller.tenant.clone()
    }

    /// The author, for the audit log.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            kind: "api_key",
            id: self.caller.label.clone(),
            request: Some(self.request.clone()),
        }
    }

    /// The idempotency key, if the request has one.
    pub(crate) fn key(&self) -> Option<&Key> {
        self.claim.as_ref().map(|claim| &claim.key)
    }

    /// The same as text; empty if the request has none.
    pub(crate) fn key_text(&self) -> String {
        self.key()
            .map_or_else(String::new, |key| key.as_str().to_owned())
    }

    /// The command on its way to the lane.
    pub(crate) fn request<C: Command>(
        self,
        command: C,
        show: Show<C>,
        tell: Tell<C>,
    ) -> Request<C> {
        Request {
            origin: self.origin(),
            tenant: self.caller.tenant,
            command,
            claim: self.claim,
            is_dry_run: self.is_dry_run,
            show,
            tell,
        }
    }
}

impl Api {
    /// The currencies that a request may name.
    pub(crate) async fn currencies(&self, asked: &Asked) -> Result<Currencies, Problem> {
        let tenant = asked.caller.tenant.id;
        self.assets.of(&self.engine, tenant, &asked.body).await
    }

    /// Sends a command on its way, and makes the answer of what the lane says.
    pub(crate) async fn submit<C: Command>(
        &self,
        asked: Asked,
        command: C,
        show: Show<C>,
        tell: Tell<C>,
    ) -> Result<Response, Problem> {
        let outcome = self.engine.submit(asked.request(command, show, tell)).await;
        respond::to_command(outcome.map_err(respond::lane_error)?.answer)
    }
}
