//! The server, and the limits that hold before any handler runs.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use access::Mode;
use actix_http::HttpService;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Extensions, ServerHandle, ServiceRequest};
use actix_web::middleware::{self, Next};
use edge::{Routes, Shared, State, Surface};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::amounts::Fields;
use crate::caller::Callers;
use crate::connection::{self, Connection, Talk};
use crate::{amounts, mount, openapi, request, system};

/// Longest time that a connection may be idle.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Longest time in which the head of the first request on a connection must arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The API: its state, its routes, and its callers.
pub struct Api {
    pub(crate) state: Shared,
    pub(crate) routes: &'static Routes,
    pub(crate) amounts: Fields,
    /// The mode of the books. Keys of the other mode are refused.
    pub(crate) mode: Mode,
    pub(crate) callers: Callers,
}

impl Api {
    /// The API with the routes of this surface and those for operators and tools. `counters` are the metrics to
    /// show, if metrics are collected.
    #[must_use]
    pub fn new(
        state: State,
        surface: &Surface,
        mode: Mode,
        counters: Option<PrometheusHandle>,
    ) -> Self {
        let mut routes = surface.table();
        let description = openapi::text(surface);
        system::routes(&mut routes, description, surface.codes(), counters);
        Self {
            state: Arc::new(state),
            // The routes live as long as the process.
            routes: Box::leak(Box::new(routes)),
            amounts: surface.amounts,
            mode,
            callers: Callers::default(),
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or does not belong to this machine.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        cause: std::io::Error,
    },
}

/// A server that runs until it is stopped.
pub struct Server {
    /// The address at which it listens.
    pub address: SocketAddr,
    handle: ServerHandle,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Takes no new connections, lets running requests finish within 30 seconds, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        let _ended = self.running.await;
    }
}

/// Serves the API on `listener` with this number of threads, at least one.
///
/// # Errors
/// [`ServeError`] if the listener cannot be used.
pub fn serve(api: Api, listener: TcpListener, threads: usize) -> Result<Server, ServeError> {
    let api = Arc::new(api);
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
            let (api, fields) = (Arc::clone(&api), api.amounts);
            let as_asked = move |request: ServiceRequest, next: Next<BoxBody>| {
                amounts::as_asked(fields, request, next)
            };
            let app = App::new()
                .wrap(middleware::from_fn(as_asked))
                // The wrapper that is added last runs first, so the refusals of the first one have an id too.
                .wrap(middleware::from_fn(request::identify))
                .configure(move |app| mount::all(&api, app));
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

/// Accepts `Expect: 100-continue`. [`connection`] decides when the `100 Continue` is sent.
async fn expect_continue(
    request: actix_http::Request,
) -> Result<actix_http::Request, actix_web::Error> {
    if let Some(talk) = request.conn_data::<Rc<Talk>>() {
        talk.expect_continue();
    }
    Ok(request)
}
