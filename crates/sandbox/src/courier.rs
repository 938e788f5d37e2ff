//! Sends events to the configured receiver: each try is signed anew; after a few tries it gives up.
//!
//! Deliveries are in memory only, as the replies are, and are lost when the process ends.
//! `POST /v1/webhooks/{record id}/redeliver` sends an event again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use faults::{Desk, Group, Part, WebhookFaults};
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use webhook_signatures::{Scheme, Secret, SignError, sign};

use crate::event::Message;
use crate::held::{Held, Holding, Outgoing, Step};
use crate::patience::Patience;
use crate::request::Tenant;

/// Greatest number of deliveries that are under way or wait for a retry; more are dropped and logged.
const MAX_UNDER_WAY: usize = 4096;
/// Greatest number of open requests to the receiver.
const MAX_CONNECTIONS: usize = 32;

/// A receiver of webhooks.
pub struct WebhookTarget {
    /// The URL to which events are posted, `http://…` or `https://…`.
    pub url: String,
    /// The signing scheme.
    pub scheme: Scheme,
    /// The signing secret.
    pub secret: Secret,
}

/// The result of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The receiver answered 2xx.
    Accepted,
    /// Every try failed, or no receiver is configured.
    GivenUp,
}

impl Delivery {
    /// The result of two deliveries together.
    const fn and(self, other: Self) -> Self {
        match self {
            Self::Accepted => other,
            Self::GivenUp => Self::GivenUp,
        }
    }
}

/// The same event with another amount; a body without an amount gets a space.
fn changed(body: &[u8]) -> Vec<u8> {
    let mut changed = body.to_vec();
    let name = br#""amount":"#;
    let at = body.windows(name.len()).position(|bytes| bytes == name);
    let digit = at.and_then(|at| changed.get_mut(at.saturating_add(name.len())));
    match digit {
        Some(digit @ b'9') => *digit = b'8',
        Some(digit @ b'0'..=b'8') => *digit = b'9',
        Some(_) | None => changed.push(b' '),
    }
    changed
}

/// Why one try got no answer.
#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error(transparent)]
    Unsigned(#[from] SignError),
    #[error(transparent)]
    Sent(#[from] reqwest::Error),
}

/// The sending part of the provider.
pub(crate) struct Courier {
    client: reqwest::Client,
    target: Mutex<Option<Arc<WebhookTarget>>>,
    faults: Arc<Desk>,
    holding: Holding,
    clock: fn() -> i64,
    patience: Patience,
    under_way: Arc<Semaphore>,
    connections: Semaphore,
}

impl Courier {
    pub(crate) fn new(
        target: Option<WebhookTarget>,
        faults: Arc<Desk>,
        clock: fn() -> i64,
        patience: Patience,
    ) -> Result<Self, reqwest::Error> {
        // The process may have chosen its cryptography already; then that choice stays.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(patience.receiver)
            .user_agent("florin-sandbox")
            .build()?;
        Ok(Self {
            client,
            target: Mutex::new(target.map(Arc::new)),
            faults,
            holding: Holding::default(),
            clock,
            patience,
            under_way: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
            connections: Semaphore::new(MAX_CONNECTIONS),
        })
    }

    /// Sends everything to this receiver, from the next try on.
    pub(crate) fn point_at(&self, target: WebhookTarget) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(target));
    }

    /// Number of deliveries that are under way or wait for a retry.
    pub(crate) fn under_way(&self) -> usize {
        MAX_UNDER_WAY.saturating_sub(self.under_way.available_permits())
    }

    /// Whether a receiver is configured.
    pub(crate) fn has_target(&self) -> bool {
        self.target().is_some()
    }

    /// Starts to deliver these events, one after the other, with the faults that their tenant has scripted. They are
    /// accepted if each of them is. An event that is held does not delay the events after it.
    pub(crate) fn announce(
        self: &Arc<Self>,
        tenant: Option<&Tenant>,
        messages: Vec<Message>,
    ) -> JoinHandle<Delivery> {
        let courier = Arc::clone(self);
        let place = Arc::clone(&self.under_way).try_acquire_owned();
        let faults = |_: &Message| match tenant {
            Some(tenant) => self.faults.webhook(tenant.as_str()),
            None => WebhookFaults::default(),
        };
        let scripts: Vec<WebhookFaults> = messages.iter().map(faults).collect();
        tokio::spawn(async move {
            let Ok(_place) = place else {
                tracing::warn!("too many webhooks under way, a delivery is dropped");
                return Delivery::GivenUp;
            };
            let (mut all, mut held) = (Delivery::Accepted, Vec::new());
            for (message, faults) in messages.into_iter().zip(scripts) {
                tokio::time::sleep(Duration::from_millis(u64::from(faults.pause))).await;
                let outgoing = Outgoing {
                    message,
                    copies: faults.copies,
                    corrupted: faults.corrupted,
                };
                let delivered = match (faults.is_lost, faults.held) {
                    (true, _) => Delivery::GivenUp,
                    (false, Some(group)) => {
                        held.push(courier.hold(group, outgoing));
                        Delivery::Accepted
                    }
                    (false, None) => courier.deliver(&outgoing).await,
                };
                all = all.and(delivered);
            }
            for delivered in held {
                all = all.and(delivered.await.unwrap_or(Delivery::GivenUp));
            }
            all
        })
    }

    /// Holds a webhook until its group is whole, or has waited long enough.
    fn hold(self: &Arc<Self>, group: Group, outgoing: Outgoing) -> oneshot::Receiver<Delivery> {
        let (tell, told) = oneshot::channel();
        let courier = Arc::clone(self);
        match self.holding.add(group, (outgoing, tell)) {
            Step::Joined => {}
            Step::Whole(all) => {
                tokio::spawn(async move { courier.release(all).await });
            }
            Step::Begun(number) => {
                tokio::spawn(async move {
                    tokio::time::sleep(courier.patience.held).await;
                    let all = courier.holding.give_up(group.fault, number);
                    courier.release(all).await;
                });
            }
        }
        told
    }

    /// Sends webhooks that were held, one after the other.
    async fn release(&self, all: Vec<Held>) {
        for (outgoing, tell) in all {
            let delivered = self.deliver(&outgoing).await;
            // Nobody waits any more.
            let _unheard = tell.send(delivered);
        }
    }

    /// Sends all copies of a webhook, one after the other. It is accepted if each of them is.
    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let mut all = Delivery::Accepted;
        let mut corrupted = outgoing.corrupted;
        for _ in 0..outgoing.copies {
            all = all.and(self.deliver_once(&outgoing.message, corrupted.take()).await);
        }
        all
    }

    async fn deliver_once(&self, message: &Message, mut corrupted: Option<Part>) -> Delivery {
        let event = &message.event_id;
        if !self.has_target() {
            return Delivery::GivenUp;
        }
        for pause in self.patience.before_tries {
            tokio::time::sleep(pause).await;
            let Some(target) = self.target() else {
                return Delivery::GivenUp;
            };
            let Ok(_connection) = self.connections.acquire().await else {
                return Delivery::GivenUp;
            };
            match self.post(&target, message, corrupted.take()).await {
                Ok(status) if status.is_success() => return Delivery::Accepted,
                Ok(status) => {
                    tracing::info!(event, %status, "a webhook was not accepted");
                }
                Err(PostError::Sent(error)) => {
                    tracing::info!(event, %error, "a webhook did not arrive");
                }
                Err(PostError::Unsigned(error)) => {
                    tracing::error!(event, %error, "a webhook cannot be signed");
                    return Delivery::GivenUp;
                }
            }
        }
        tracing::warn!(event, "a webhook is given up after its last try");
        Delivery::GivenUp
    }

    /// One try. The body of the answer is never read, so its size does not matter.
    async fn post(
        &self,
        target: &WebhookTarget,
        message: &Message,
        corrupted: Option<Part>,
    ) -> Result<reqwest::StatusCode, PostError> {
        let other = changed(&message.body);
        let (signed, sent) = match corrupted {
            None => (&message.body, &message.body),
            Some(Part::Body) => (&message.body, &other),
            Some(Part::Signature) => (&other, &message.body),
        };
        let headers = sign(
            target.scheme,
            &target.secret,
            &message.event_id,
            (self.clock)(),
            signed,
        )?;
        let mut request = self
            .client
            .post(&target.url)
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.body(sent.clone()).send().await?.status())
    }

    fn target(&self) -> Option<Arc<WebhookTarget>> {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
