//! Sends events to the configured receiver: each try is signed anew; after a few tries it gives up.
//!
//! Deliveries are in memory only, as the replies are, and are lost when the process ends.
//! `POST /v1/webhooks/{record id}/redeliver` sends an event again.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::CONTENT_TYPE;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use webhook_signatures::{Scheme, Secret, SignError, sign};

use crate::event::Message;
use crate::patience::Patience;

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
    clock: fn() -> i64,
    patience: Patience,
    under_way: Arc<Semaphore>,
    connections: Semaphore,
}

impl Courier {
    pub(crate) fn new(
        target: Option<WebhookTarget>,
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

    /// Starts to deliver these events, one after the other. They are accepted if each of them is.
    pub(crate) fn announce(self: &Arc<Self>, messages: Vec<Message>) -> JoinHandle<Delivery> {
        let courier = Arc::clone(self);
        let place = Arc::clone(&self.under_way).try_acquire_owned();
        tokio::spawn(async move {
            let Ok(_place) = place else {
                tracing::warn!("too many webhooks under way, a delivery is dropped");
                return Delivery::GivenUp;
            };
            let mut all = Delivery::Accepted;
            for message in messages {
                if courier.deliver(&message).await == Delivery::GivenUp {
                    all = Delivery::GivenUp;
                }
            }
            all
        })
    }

    async fn deliver(&self, message: &Message) -> Delivery {
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
            match self.post(&target, message).await {
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
    ) -> Result<reqwest::StatusCode, PostError> {
        let headers = sign(
            target.scheme,
            &target.secret,
            &message.event_id,
            (self.clock)(),
            &message.body,
        )?;
        let mut request = self
            .client
            .post(&target.url)
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.body(message.body.clone()).send().await?.status())
    }

    fn target(&self) -> Option<Arc<WebhookTarget>> {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
