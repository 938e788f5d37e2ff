//! A simulated payment provider over real HTTP, with scripted behaviour.
//!
//! It charges nothing, but it behaves as real providers do: it declines, times out after the execution, answers 500
//! after the execution, sends its webhook before its reply, or twice, or never. A charge is captured at once, or only
//! authorized; then *steps* follow: captures, increments, a void. What was captured can be refunded, or disputed by the
//! payer's bank. Payouts go to the merchant. The *payment method* of a charge selects the behaviour:
//!
//! | payment method | executes | answers | webhook |
//! |---|---|---|---|
//! | `pm_succeeds` | succeeded, or authorized | 200 | once, after the reply |
//! | `pm_declines` | failed, `do_not_honor` | 402 | once, after the reply |
//! | `pm_declines_insufficient_funds`, `pm_declines_expired_card`, `pm_declines_stolen_card` | failed, the code in the name | 402 | once, after the reply |
//! | `pm_times_out` | as `pm_succeeds` | nothing; closed after 120 s | none |
//! | `pm_server_error` | as `pm_succeeds` | 500 | none |
//! | `pm_webhook_before_reply` | as `pm_succeeds` | 200, once the webhook was answered (10 s at most) | once, before the reply |
//! | `pm_webhook_twice` | as `pm_succeeds` | 200 | twice, one event id |
//! | `pm_never_answers` | no | nothing; closed after 120 s | none |
//! | `pm_requires_action` | no, until the payer acts | 200 with `action_url` | once, after the payer's action |
//! | `pm_refund_pending` | as `pm_succeeds`; its refunds wait | 200 | of a refund: once the bank has decided |
//! | `pm_STEP_declines`, `pm_STEP_times_out`, `pm_STEP_server_error`, `pm_STEP_webhook_before_reply`, `pm_STEP_webhook_twice`, `pm_STEP_never_answers` | as `pm_succeeds`; this one step behaves as the charge of the method without `STEP_` | 200 | once, after the reply |
//! | `pm_declines\|pm_succeeds` | a chain: see below | | |
//!
//! `STEP` is `capture`, `void`, `increment` or `refund`. All other steps succeed.
//!
//! A *chain* is 2 to 8 methods of the charge, joined by `|`. The first is for the first call that has this chain and
//! this reference (or this key, if it has no reference), the second for the second call, and so on; the last is
//! repeated. A member that answers without a record (`pm_times_out`, `pm_server_error`, `pm_never_answers`) executes
//! nothing unless it is the last; then the next call can execute the same key. A call of an executed key gets its
//! record and does not move the chain.
//!
//! The *destination* of a payout selects the behaviour too:
//!
//! | destination | executes | answers | webhook |
//! |---|---|---|---|
//! | `ba_declines` | failed, `account_closed` | 402 | once, after the reply |
//! | `ba_pending` | pending | 200 | once the bank has decided |
//! | `ba_succeeds`, `ba_server_error`, `ba_times_out`, `ba_never_answers`, `ba_webhook_before_reply`, `ba_webhook_twice` | as the charge with the payment method of this name | as that | as that |
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/charges` with `Idempotency-Key` | as above; the key again: the stored record, no webhook; the key with another order: 409 |
//! | `POST /v1/charges/{charge id}/captures`, `…/voids`, `…/increments`, `…/refunds` with `Idempotency-Key` | the same for a step |
//! | `POST /v1/payouts` with `Idempotency-Key` | the same for a payout |
//! | `GET /v1/charges?idempotency_key=…`, `/v1/captures?…`, `/v1/voids?…`, `/v1/increments?…`, `/v1/refunds?…`, `/v1/payouts?…` | the inquiry: 200 with the record as it is now, or 404 |
//! | `GET /pay/{charge id}` | a page with two forms, if the charge waits for its payer |
//! | `POST /pay/{charge id}/complete`, `…/fail` | the payer acts: 200 with the record; a second time: 409 |
//! | `POST /v1/charges/{charge id}/succeed-late` | a charge that failed succeeds after all: 200 with the record, or 409 |
//! | `POST /v1/refunds/{refund id}/succeed`, `…/fail`, `/v1/payouts/{payout id}/succeed`, `…/fail` | the bank decides about a refund or a payout that waits: 200 with the record, or 409 |
//! | `POST /v1/refunds/{refund id}/return`, `/v1/payouts/{payout id}/return` | it comes back after its success, which has an event of its own: 200 with the record, or 409 |
//! | `POST /v1/charges/{charge id}/disputes` | the payer's bank opens a dispute: see below |
//! | `POST /v1/disputes/{dispute id}/withdraw`, `…/reinstate`, `…/win`, `…/lose` | a step of the bank: 200 with the dispute, or 409 |
//! | `POST /v1/disputes/{dispute id}/evidence` with `Idempotency-Key` | the merchant's evidence, an object of texts: 200 with the dispute and the key; the key with other texts: 409 |
//! | `GET /v1/evidence?idempotency_key=…` | the dispute for which this key has given evidence, or 404 |
//! | `GET /v1/disputes/{dispute id}` | the dispute as it is now |
//! | `GET /v1/journal`, `GET /v1/journal?reference=…` | every key of a record with its `effects` and `calls`, or those of one reference |
//! | `GET /v1/webhooks/{record id}` | the events of the record or dispute as they are sent, the oldest first: id, type and body |
//! | `GET /v1/totals` | the amounts authorized, captured, released, refunded, withdrawn and paid out, by currency |
//! | `POST /v1/webhooks/{record id}/redeliver` | sends the newest event of the record or dispute again, signed anew, and says whether it was `delivered` |
//! | `POST /v1/webhooks/{record id}/redeliver-all` | sends all its events again, one after the other, the newest first; their ids are in `events` |
//!
//! The provider keeps the totals of each charge and refuses steps by them, before it plays the script. A refused step
//! is a record too: it failed, and is answered with 402.
//!
//! | step | refused if | `decline_code` |
//! |---|---|---|
//! | every step | the charge failed, or waits for its payer | `not_authorized` |
//! | capture | it is more than what is left: authorized − captured − released | `amount_too_large` |
//! | void | it is not exactly what is left | `amount_mismatch` |
//! | increment | nothing is left | `not_authorized` |
//! | refund | it is more than captured − refunded; refunds that wait are counted | `exceeds_captured` |
//!
//! A capture that is `final` releases the rest.
//!
//! A *dispute* is of a charge, has no key, and is never refused by a script. All disputes of a charge together are at
//! most what was captured of it, or else 409 `not_captured`. Each step but the evidence has an event, which shows the
//! dispute as it was right after the step.
//!
//! | step | possible | effect | event |
//! |---|---|---|---|
//! | opening | | `needs_response` | `dispute.opened` |
//! | withdraw | if the money is not withdrawn | `withdrawn`: true | `dispute.funds_withdrawn` |
//! | reinstate | if the money is withdrawn | `withdrawn`: false | `dispute.funds_reinstated` |
//! | evidence | until the bank has decided | `under_review` | |
//! | win | until the bank has decided | `won` | `dispute.won` |
//! | lose | until the bank has decided | `lost` | `dispute.lost` |
//!
//! A text of the evidence that is a magic word makes more happen: `winning_evidence` lets the bank decide for the
//! merchant at once and give withdrawn money back, `losing_evidence` lets it decide for the payer,
//! `unanswered_evidence` is taken, and the first answer is a 500, and `refused_evidence` is refused with a 400.
//!
//! Once the bank has decided, each of withdraw and reinstate is possible once more. `evidence_due_by` is only shown:
//! nothing happens at that time.
//!
//! *Scripted faults* hit calls and webhooks of one tenant, whatever its payment methods are: see the crate `faults`. A
//! caller names its tenant in `Sandbox-Tenant`, which the journal keeps with what the call has made. A caller without a
//! tenant meets no fault.
//!
//! It never knows anything about the system that calls it, and never stores a secret on disk.
//!
//! Invariants:
//! - A provider key has at most one effect, however many calls have it and however often the process is killed.
//! - A call, and a change of a record, is in the journal before anyone learns of it.
//! - An event has one id for ever. A record has a second event only if it comes back, or succeeds late.
//! - No charge is captured beyond its authorization, or refunded or disputed beyond its capture, however many steps
//!   come at once.
//! - Every wait, queue and body has a bound. (The journal itself grows with use: delete the file.)
//!
//! ```
//! # #[tokio::main(flavor = "multi_thread", worker_threads = 1)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let settings = sandbox::Settings {
//!     listen: "127.0.0.1:0".parse()?,
//!     journal: folder.path().join("provider.jsonl"),
//!     webhook: None,
//! };
//! let sandbox = sandbox::start(settings, || 1_700_000_000).await?;
//!
//! let charge = reqwest::Client::new()
//!     .post(format!("http://{}/v1/charges", sandbox.address()))
//!     .header("Idempotency-Key", "order-1")
//!     .json(&serde_json::json!({
//!         "amount": 1099, "currency": "EUR", "payment_method": "pm_declines_expired_card",
//!     }))
//!     .send()
//!     .await?;
//! assert_eq!(charge.status(), 402);
//! let charge: serde_json::Value = charge.json().await?;
//! assert_eq!(charge["decline_code"], "expired_card");
//!
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod actions;
mod courier;
mod destination;
mod dispute;
mod disputes;
mod event;
mod held;
mod journal;
mod lines;
mod method;
mod order;
mod pages;
mod patience;
mod provider;
mod record;
mod refusal;
mod request;
mod routes;
mod scripted;
mod settlement;
mod settlements;
mod totals;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use faults::Desk;
use tokio::task::JoinHandle;

use crate::courier::Courier;
use crate::journal::Journal;
use crate::patience::Patience;
use crate::provider::Provider;

pub use crate::courier::WebhookTarget;
pub use crate::lines::OpenError;

/// Greatest number of open connections; more wait in the backlog of the listener.
const MAX_CONNECTIONS: usize = 4096;

/// The settings of a provider: its address, its journal and the receiver of its webhooks.
pub struct Settings {
    /// The address to listen on. Port 0 picks a free port; [`Sandbox::address`] returns it.
    pub listen: SocketAddr,
    /// The journal file; created if it does not exist. Its folder must exist.
    pub journal: PathBuf,
    /// The receiver of webhooks, if it is known already.
    pub webhook: Option<WebhookTarget>,
}

/// Why the provider did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be opened.
    #[error("{}: {source}", path.display())]
    Journal {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: OpenError,
    },
    /// The provider cannot listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The HTTP client that sends webhooks cannot be created.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// A running provider. Dropping it also stops it, without waiting for the end.
pub struct Sandbox {
    address: SocketAddr,
    provider: Data<Provider>,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

/// Starts the provider inside the current Tokio runtime.
///
/// `clock` gives Unix seconds: the time of events and of their signatures.
///
/// # Errors
/// [`StartError`] says which of the settings cannot be used.
///
/// # Panics
/// Outside a Tokio runtime.
pub async fn start(settings: Settings, clock: fn() -> i64) -> Result<Sandbox, StartError> {
    start_with(settings, clock, Patience::default())
}

impl Sandbox {
    /// The address on which the provider listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends webhooks to this receiver from the next try on, including those that wait for a retry.
    pub fn point_webhooks_at(&self, target: WebhookTarget) {
        self.provider.courier.point_at(target);
    }

    /// A function that tells the number of deliveries of webhooks that are under way or wait for a retry.
    pub fn deliveries(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let courier = Arc::clone(&self.provider.courier);
        move || courier.under_way()
    }

    /// The scripted faults of this provider. A caller names its tenant in `Sandbox-Tenant`, and the faults of that tenant
    /// hit its calls, and the webhooks about what its calls have made.
    pub fn faults(&self) -> Arc<Desk> {
        Arc::clone(&self.provider.faults)
    }

    /// Stops at once, as a crash would: open connections are cut, and webhooks that are being sent are lost. When this
    /// returns, another provider can use the journal.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        match (&mut self.running).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the sandbox's server ended badly"),
            Err(error) => tracing::warn!(%error, "the sandbox's server was torn down"),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The call itself orders the stop; the future only waits until it is done.
        drop(self.server.stop(false));
        self.provider.journal.close();
    }
}

fn start_with(
    settings: Settings,
    clock: fn() -> i64,
    patience: Patience,
) -> Result<Sandbox, StartError> {
    let Settings {
        listen,
        journal: path,
        webhook,
    } = settings;
    let journal = Journal::open(&path).map_err(|source| StartError::Journal { path, source })?;
    let faults = Arc::new(Desk::default());
    let desk = Arc::clone(&faults);
    let courier = Arc::new(Courier::new(webhook, desk, clock, patience)?);
    let provider = Data::new(Provider {
        journal,
        courier,
        faults,
        clock,
        patience,
    });

    let shared = provider.clone();
    let unusable = |source| StartError::Listen {
        address: listen,
        source,
    };
    let bound = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .configure(routes::configure)
    })
    .workers(1)
    .disable_signals()
    .max_connections(MAX_CONNECTIONS)
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(1))
    .keep_alive(Duration::from_secs(30))
    .bind(listen)
    .map_err(unusable)?;
    let address = bound
        .addrs()
        .first()
        .copied()
        .ok_or_else(|| unusable(io::ErrorKind::AddrNotAvailable.into()))?;
    let running = bound.run();
    let server = running.handle();
    Ok(Sandbox {
        address,
        provider,
        server,
        running: tokio::spawn(running),
    })
}
