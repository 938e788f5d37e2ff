//! Wiring: starts Florin from its settings, and stops it.

use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use access::{Operator, Provision, ProvisionError};
use api::{Api, Server};
use engine::errand::{Runner, read_clocks};
use engine::standstill::{TOLERATED_SECONDS, seconds_between};
use engine::{Engine, LaneError, Request, Tenant};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use payments::Providers;
use payments::draining::Deliveries;
use payments::notices::Receivers;
use payments::providers::Reach;
use payments::scripts::Desks;
use sandbox::Sandbox;
use store::{AnyConnection, Clock, DatabaseUrl, Ids, Note, Store, TenantId, Timestamp, Tuning};
use tokio::sync::{mpsc, watch};

use crate::lane::{lane_settings, start_lane};
use crate::providers::{self, ProviderError};
use crate::settings::{Listen, Mode, SANDBOX_KEY, Settings, WrongSetting};

/// Time in which the outcomes of calls under way must be recorded when the server stops.
const END_OF_WORK: Duration = Duration::from_secs(5);
/// Time between two looks at the errands that are due.
const SWEEP: Duration = Duration::from_millis(500);
/// Number of ports that are tried after the default one.
const NEXT_PORTS: u16 = 20;

/// Why nothing was started, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The database cannot be opened.
    #[error("{0}{advice}", advice = advice(.0))]
    Database(#[from] store::OpenError),
    /// The database may lose data that it has acknowledged.
    #[error(
        "{0} cannot be trusted with money: {1}; turn it on, or say --accept-data-loss \
         (FLORIN_ACCEPT_DATA_LOSS=true)"
    )]
    DataLoss(DatabaseUrl, String),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    /// The books have the other mode.
    #[error(
        "the books in {url} are {} books, and this is {} mode: {}",
        books.name(), books.other().name(), other_mode_advice(*books)
    )]
    OtherMode {
        /// The address of the database, shown without its password.
        url: DatabaseUrl,
        /// The mode of the books.
        books: access::Mode,
    },
    /// There are no books, and new ones in live mode were not requested.
    #[error(
        "there are no books in {url}: check --database-url and --data-dir, or begin new live books there \
         with --init"
    )]
    NoLiveBooks {
        /// The address of the database, shown without its password.
        url: DatabaseUrl,
    },
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {cause}; choose another with --listen (port 0 picks one)")]
    Listen {
        /// The requested address.
        address: Listen,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The server cannot be started.
    #[error(transparent)]
    Serve(#[from] api::ServeError),
    /// The providers cannot be used.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A folder or a thread cannot be made.
    #[error("{what}: {cause}")]
    System {
        /// The action that failed.
        what: String,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// The lane did not execute the first command.
    #[error("the books could not be begun: {0}")]
    Seed(#[from] LaneError),
    /// The tenant cannot be made.
    #[error("{0}: choose another name")]
    Provision(ProvisionError),
    /// The clock is behind the books.
    #[error(
        "the books were last written at {recorded}, and this machine's clock says {now}: set the clock right, or \
         (if it is, and was wrong then) start with --accept-clock-behind; everything is then recorded at that same \
         moment until the clock has reached it"
    )]
    ClockBehind {
        /// The latest time in the books.
        recorded: Timestamp,
        /// The time of the clock.
        now: Timestamp,
    },
    /// The latest time in the books cannot be read.
    #[error("{0}; see that the database runs and --database-url names it")]
    Unread(#[from] store::Error),
}

const fn other_mode_advice(books: access::Mode) -> &'static str {
    match books {
        access::Mode::Sandbox => "name other books with --database-url, or leave --mode live away",
        access::Mode::Live => "add --mode live, or name other books with --database-url",
    }
}

fn advice(error: &store::OpenError) -> &'static str {
    match error {
        store::OpenError::Folder { .. }
        | store::OpenError::NoBooks { .. }
        | store::OpenError::Database { .. } => {
            ": check --database-url (sqlite:PATH or postgres://…)"
        }
        // The message itself says what to do.
        store::OpenError::Unsuitable { .. } => "",
    }
}

/// A running Florin.
pub(crate) struct Florin {
    pub(crate) server: Server,
    pub(crate) engine: Engine,
    /// The played providers, by name; the one of `--provider` comes first, if it is played.
    pub(crate) played: Vec<(String, Sandbox)>,
    pub(crate) database: DatabaseUrl,
    /// True if the books were begun at this start.
    pub(crate) is_new: bool,
    stop: watch::Sender<bool>,
    worker: tokio::task::JoinHandle<()>,
    check: tokio::task::JoinHandle<()>,
}

impl Florin {
    /// The address of the API: `http://…`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Answers the requests under way, commits the queued commands, and ends. Returns true if all of this was
    /// done. Does not wait for a database that does not answer.
    pub(crate) async fn stop(self) -> bool {
        self.server.stop().await;
        let _nobody_listens = self.stop.send(true);
        let _ended = self.worker.await;
        let _ended = self.check.await;
        let is_done = self.engine.shut_down().await;
        for (_, sandbox) in self.played {
            sandbox.stop().await;
        }
        is_done
    }
}

/// Opens and migrates the database, begins the books, and listens.
pub(crate) async fn start(settings: &Settings) -> Result<Florin, StartError> {
    let choice = Arc::new(providers::choice(settings)?);
    let listener = listen(&settings.listen, settings.listen_is_default)?;
    let (store, is_new) = open_or_begin(settings).await?;
    store::make_private_folder(&settings.data_dir).map_err(|cause| StartError::System {
        what: format!("cannot create {}", settings.data_dir.display()),
        cause,
    })?;
    let (clock, recorded) = check_clock(&store, settings).await?;
    let (engine, submitted) = lane(store, settings, clock)?;
    if let Some(recorded) = recorded {
        engine.learn_recorded(recorded);
    }
    let played = providers::play(settings).await?;
    let tenant = tenant(&engine, settings).await?;
    let key = (settings.mode == Mode::Sandbox).then_some(SANDBOX_KEY);
    provision(&engine, settings, &tenant, key).await?;
    let called = providers::called(settings, &played)?;
    let dialects = providers::dialects(settings)?;
    let (stop, stopping) = watch::channel(false);
    let check = engine::check::keep_checking(
        families::CHECK,
        engine.clone(),
        settings.check_every,
        stopping.clone(),
    );
    let check = tokio::spawn(check);
    let reach: Arc<dyn Reach> = Arc::new(called);
    let runner = Runner {
        engine: engine.clone(),
        works: families::works(&engine, &choice, Arc::clone(&reach)),
        searches: families::searches(&engine, dialects.clone(), settings.inbox_policy),
        interval: SWEEP,
        patience: END_OF_WORK,
    };
    let worker = tokio::spawn(runner.run(submitted, stopping));
    let tenants = engine.read(access::tenants).await?;
    // The operations of the first tenant do not name it, also after it was reset.
    let first = first_tenant(settings.mode);
    let first = tenants.iter().find(|tenant| &*tenant.name == first);
    let first = first.unwrap_or(&tenant);
    let receivers = providers::receivers(settings, &dialects, first, &tenants)?.with_reach(reach);
    let mode = settings.mode.of_books();
    let operator = Operator {
        mode,
        key: settings.operator_key,
    };
    let state = families::state(
        engine.clone(),
        operator,
        choice,
        Arc::new(settings.approve_above.clone()),
        receivers,
        providers::deliveries(settings, &played),
        providers::desks(settings, &played),
    );
    let api = Api::new(state, &families::SURFACE, mode, collect_metrics());
    let server = api::serve(api, listener, threads())?;
    providers::point_webhooks(&played, server.address)?;
    let database = settings.database.clone();
    Ok(Florin {
        server,
        engine,
        played,
        database,
        is_new,
        stop,
        worker,
        check,
    })
}

/// The tenant that the server begins with. In sandbox mode it is the one that the sandbox's key acts for, which a reset
/// changes, and `demo` at first; in live mode it is `main`. If it does not exist, it gets a new id; the sandbox's tenant
/// has a fixed one, because its books never move.
pub(crate) async fn tenant(engine: &Engine, settings: &Settings) -> Result<Tenant, StartError> {
    if settings.mode == Mode::Sandbox {
        let hash = access::hash(SANDBOX_KEY);
        let caller = engine.read(move |connection| access::caller(connection, hash));
        if let Some(caller) = caller.await? {
            return Ok(caller.tenant);
        }
    }
    let name = first_tenant(settings.mode);
    let tenants = engine.read(access::tenants).await?;
    let known = tenants.into_iter().find(|tenant| &*tenant.name == name);
    Ok(known.unwrap_or_else(|| Tenant {
        id: match settings.mode {
            Mode::Sandbox => TenantId(1),
            Mode::Live => Ids::random().tenant(),
        },
        name: name.into(),
    }))
}

/// The name of the first tenant of books of this mode.
const fn first_tenant(mode: Mode) -> &'static str {
    match mode {
        Mode::Sandbox => "demo",
        Mode::Live => "main",
    }
}

/// Makes sure that the books have begun in this mode, that the tenant exists and, if there is a key, that the key
/// acts for the tenant.
pub(crate) async fn provision(
    engine: &Engine,
    settings: &Settings,
    tenant: &Tenant,
    key: Option<&str>,
) -> Result<(), StartError> {
    let mode = settings.mode.of_books();
    let key = key.map(|key| (access::hash(key), access::label(key)));
    // Looks first and submits nothing if all of this is there, so that books that are read-only can be served too.
    let (wanted, hash) = (tenant.clone(), key.as_ref().map(|(hash, _)| *hash));
    let is_there = engine.read(move |connection| {
        let acts = match hash {
            Some(hash) => access::caller(connection, hash)?.is_some_and(|is| is.tenant == wanted),
            None => access::tenants(connection)?.contains(&wanted),
        };
        Ok(acts && access::mode(connection)? == Some(mode))
    });
    if is_there.await.unwrap_or(false) {
        return Ok(());
    }
    let request = Request::of_system(tenant.clone(), "start", Provision { mode, key });
    match engine.submit(request).await?.decided {
        Some(Err(ProvisionError::OtherMode(books))) => Err(StartError::OtherMode {
            url: settings.database.clone(),
            books,
        }),
        Some(Err(error @ ProvisionError::NameTaken)) => Err(StartError::Provision(error)),
        Some(Ok(())) | None => Ok(()),
    }
}

/// Opens books of this mode, or begins them; in live mode, begins them only if that was requested. Returns true if
/// they are new. Books of the other mode are not changed, unless they are so old that they have no mode.
pub(crate) async fn open_or_begin(settings: &Settings) -> Result<(Store, bool), StartError> {
    let (url, mode, asked) = (settings.database.clone(), settings.mode, settings.clone());
    let may_begin = settings.init || mode == Mode::Sandbox;
    let opened = tokio::task::spawn_blocking(move || {
        let is_new = !store::has_books(&url, asked.tuning)?;
        if is_new && !may_begin {
            return Err(StartError::NoLiveBooks { url });
        }
        // The mode is checked before anything is migrated. Older books may have no mode before their migration.
        if !is_new
            && let Ok(existing) = Store::open_unmigrated(&url, asked.tuning)
            && let Err(other @ StartError::OtherMode { .. }) = refuse_other_mode(&existing, mode)
        {
            return Err(other);
        }
        let store = Store::open_tuned(&url, asked.tuning)?;
        refuse_other_mode(&store, mode)?;
        heed(&asked, &store)?;
        Ok((store, is_new))
    });
    opened.await.unwrap_or_else(|panic| Err(panicked(panic)))
}

/// Refuses books of the other mode.
pub(crate) fn refuse_other_mode(store: &Store, mode: Mode) -> Result<(), StartError> {
    let found = store
        .read(access::mode)
        .map_err(|cause| store::OpenError::Database {
            url: store.url().clone(),
            cause,
        })?;
    match found {
        Some(books) if books != mode.of_books() => Err(StartError::OtherMode {
            url: store.url().clone(),
            books,
        }),
        Some(_) | None => Ok(()),
    }
}

fn panicked(panic: tokio::task::JoinError) -> StartError {
    StartError::System {
        what: "opening the database panicked".to_owned(),
        cause: std::io::Error::other(panic),
    }
}

/// Opens and migrates the database, away from the async threads.
pub(crate) async fn open(url: DatabaseUrl, tuning: Tuning) -> Result<Store, StartError> {
    let opened = tokio::task::spawn_blocking(move || Store::open_tuned(&url, tuning)).await;
    match opened {
        Ok(opened) => Ok(opened?),
        Err(panic) => Err(panicked(panic)),
    }
}

/// Refuses, in live mode, a database that may lose acknowledged money, unless that was accepted. In sandbox mode,
/// logs a warning.
pub(crate) fn heed(settings: &Settings, store: &Store) -> Result<(), StartError> {
    for note in store.notes() {
        match (note, settings.mode) {
            (Note::Risk(_), _) if settings.accepts_data_loss => {}
            (Note::Risk(risk), Mode::Live) => {
                let url = settings.database.clone();
                return Err(StartError::DataLoss(url, risk.clone()));
            }
            (Note::Risk(_), Mode::Sandbox) | (Note::NotCompared(_), _) => {
                tracing::warn!("{note}");
            }
        }
    }
    Ok(())
}

/// The clock of this process, and the time at which the books were last written. If the clock is far behind that time,
/// this is an error, unless the settings accept it. In sandbox mode the clock knows how far the tenants' clocks are
/// ahead.
pub(crate) async fn check_clock(
    store: &Store,
    settings: &Settings,
) -> Result<(Clock, Option<Timestamp>), StartError> {
    let clock = match settings.mode {
        Mode::Sandbox => Clock::of_tenants(),
        Mode::Live => Clock::system(),
    };
    let (store, known) = (store.clone(), clock.clone());
    let read = move |connection: &mut AnyConnection| {
        read_clocks(connection, &known)?;
        audit_log::tables::latest(connection)
    };
    let read = tokio::task::spawn_blocking(move || store.read(read)).await;
    let recorded = read.map_err(panicked)??;
    let now = clock.latest_now();
    match recorded {
        Some(recorded)
            if seconds_between(now, recorded) > TOLERATED_SECONDS
                && !settings.accept_clock_behind =>
        {
            Err(StartError::ClockBehind { recorded, now })
        }
        Some(_) | None => Ok((clock, recorded)),
    }
}

type AfterCommit = mpsc::UnboundedReceiver<(Tenant, Box<dyn Any + Send>)>;

fn lane(
    store: Store,
    settings: &Settings,
    clock: Clock,
) -> Result<(Engine, AfterCommit), StartError> {
    let (submit, submitted) = mpsc::unbounded_channel();
    let after_commit = Some(submit);
    let engine = start_lane(
        store,
        engine::Settings {
            after_commit,
            clock,
            ..lane_settings(settings)
        },
    )?;
    Ok((engine, submitted))
}

/// Serves the API over a lane that the caller runs, without webhooks.
pub(crate) fn serve_alone(
    engine: Engine,
    listener: TcpListener,
) -> Result<Server, api::ServeError> {
    let provider = payments::Provider {
        name: String::new(),
        lease_millis: 0,
        authorization_millis: 0,
        bank: None,
    };
    let providers = Arc::new(Providers::only(provider));
    let mode = access::Mode::Sandbox;
    let operator = Operator { mode, key: None };
    let state = families::state(
        engine,
        operator,
        providers,
        Arc::default(),
        Receivers::default(),
        Deliveries(None),
        Desks::default(),
    );
    let api = Api::new(state, &families::SURFACE, mode, None);
    api::serve(api, listener, threads())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Begins to collect the counters. This is possible once in a process; a second server in it shows none.
fn collect_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}

/// Listens on the first of the addresses that is free, or (if no address was requested) on the next free port
/// after the default one.
fn listen(asked: &Listen, movable: bool) -> Result<TcpListener, StartError> {
    let mut last = match TcpListener::bind(asked.addresses()) {
        Ok(listener) => return Ok(listener),
        Err(cause) => cause,
    };
    if movable && let Some(address) = asked.addresses().first() {
        for step in 1..=NEXT_PORTS {
            let port = address.port().saturating_add(step);
            match TcpListener::bind(SocketAddr::new(address.ip(), port)) {
                Ok(listener) => return Ok(listener),
                Err(cause) => last = cause,
            }
        }
    }
    Err(StartError::Listen {
        address: asked.clone(),
        cause: last,
    })
}
