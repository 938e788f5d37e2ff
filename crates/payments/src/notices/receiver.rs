//! The receivers: how the webhooks of each provider are verified and read, and the tenant that they belong to.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};

use edge::{Call, Headers, Problem, State, code};
use engine::errand::tenants;
use engine::{RepeatedWarning, Tenant};
use serde_json::{Value, json};
use store::TenantId;
use webhook_signatures::{Covers, Refusal, Request, Scheme, Secret, Setup, SignedData};

use crate::providers::{Dialect, Reach};

/// Headers whose values are never stored, because they open doors.
const UNSTORED: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The rules for the webhooks of a provider: their signatures, their dialect, and the tenant that they belong to.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// The tenant of events that do not name one.
    pub tenant: Tenant,
    /// The dialect in which they are read.
    pub dialect: Arc<dyn Dialect>,
    /// True if no operation ever goes to the provider. What it sends is stored, in whatever form it is.
    pub only_stored: bool,
    /// The scheme of their signatures, with what it needs besides a secret.
    pub setup: Setup,
    /// True if a webhook without a signature is taken as a hint: what it names is fetched, and nothing in it is believed.
    /// Mollie's classic webhooks are such.
    pub unsigned: bool,
    /// The valid secrets. While one is being replaced, these are the old and the new one.
    pub secrets: Vec<Secret>,
    /// The warnings about what was refused.
    pub warnings: Arc<RefusalWarnings>,
}

/// The warnings about refused webhooks: one for each kind of refusal, which is logged at most once a minute.
#[derive(Debug, Default)]
pub struct RefusalWarnings(Mutex<HashMap<Discriminant<Refusal>, RepeatedWarning>>);

impl RefusalWarnings {
    /// The number of refusals of this kind since the last line in the log, if it is time for the next one.
    fn due(&self, refusal: &Refusal) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.entry(discriminant(refusal)).or_default().due()
    }
}

impl Receiver {
    /// Verifies the signature. The answer to a wrong one does not tell the reason; the log does.
    pub(super) fn verify(
        &self,
        name: &str,
        request: &Request<'_>,
        now: i64,
    ) -> Result<SignedData, Problem> {
        let verdict = self.setup.verify(&self.secrets, request, now);
        if self.unsigned && matches!(verdict, Err(Refusal::MissingHeader { .. })) {
            return Ok(SignedData {
                timestamp: None,
                message_id: None,
                covers: Covers::Nothing,
            });
        }
        verdict.map_err(|refusal| {
            metrics::counter!("florin_webhooks_refused_total").increment(1);
            // A stranger who sends many must not fill the log.
            if let Some(times) = self.warnings.due(&refusal) {
                tracing::warn!(provider = name, %refusal, times, "a webhook was refused");
            }
            Problem::new(code::SIGNATURE_REFUSED)
        })
    }

    /// The delivery of a request, as JSON: the headers and the verdict on the signature.
    pub(super) fn delivery(&self, headers: &Headers, signed: &SignedData) -> String {
        let headers: Vec<Value> = headers
            .iter()
            .map(|(name, value)| {
                let is_stored = !UNSTORED.contains(&name);
                let value = is_stored.then(|| String::from_utf8_lossy(value));
                json!([name, value])
            })
            .collect();
        json!({
            "scheme": self.setup.scheme().name(),
            "covers": covers_name(signed.covers),
            "signed_at": signed.timestamp,
            "headers": headers,
        })
        .to_string()
    }

    /// The genuine part of a stored body. Older deliveries do not tell it; then the scheme does.
    pub(super) fn covered(&self, delivery: &str) -> Covers {
        let read: Value = serde_json::from_str(delivery).unwrap_or_default();
        let written = read.get("covers").and_then(Value::as_str);
        let all = [
            Covers::Body,
            Covers::Fields,
            Covers::Checksum,
            Covers::Nothing,
        ];
        let named = all
            .into_iter()
            .find(|covers| written == Some(covers_name(*covers)));
        named.unwrap_or_else(|| match self.setup.scheme() {
            Scheme::AdyenStandard => Covers::Fields,
            Scheme::Paypal => Covers::Checksum,
            Scheme::Mollie | Scheme::Rfc9421HmacSha256 => Covers::Nothing,
            Scheme::Stripe
            | Scheme::StandardWebhooks
            | Scheme::StandardWebhooksV1a
            | Scheme::Svix
            | Scheme::Github
            | Scheme::Shopify
            | Scheme::Square
            | Scheme::Paddle
            | Scheme::AdyenPlatform
            | Scheme::CheckoutCom
            | Scheme::Hyperswitch
            | Scheme::Column
            | Scheme::Generic => Covers::Body,
        })
    }
}

/// The name of what a signature covers, as it is stored.
const fn covers_name(covers: Covers) -> &'static str {
    match covers {
        Covers::Body => "body",
        Covers::Fields => "fields",
        Covers::Checksum => "checksum",
        Covers::Nothing => "nothing",
    }
}

/// The providers that may send webhooks, by name. The name of an account of a provider is `PROVIDER/ACCOUNT`.
#[derive(Clone, Default)]
pub struct Receivers {
    by_name: HashMap<String, Receiver>,
    /// The way to the providers, for hints.
    reach: Option<Arc<dyn Reach>>,
    /// The tenants that events have named, with their names.
    known: Arc<Mutex<HashMap<TenantId, Tenant>>>,
}

impl Receivers {
    /// The receivers, by name.
    #[must_use]
    pub fn new(by_name: HashMap<String, Receiver>) -> Self {
        Self {
            by_name,
            reach: None,
            known: Arc::default(),
        }
    }

    /// The receivers, with the way to the providers. Without it, nothing is fetched for a hint, and it is stored only.
    #[must_use]
    pub fn with_reach(mut self, reach: Arc<dyn Reach>) -> Self {
        self.reach = Some(reach);
        self
    }

    pub(super) fn reach(&self) -> Option<&dyn Reach> {
        self.reach.as_deref()
    }

    /// The receiver that a request is for, and its name.
    pub(super) fn named(&self, call: &Call<()>) -> Result<(&Receiver, String), Problem> {
        let provider = call.segment("provider");
        let name = match call.segment("account") {
            "" => provider.to_owned(),
            account => format!("{provider}/{account}"),
        };
        let receiver = self.by_name.get(&name);
        let receiver = receiver.ok_or_else(|| Problem::new(code::NOT_FOUND))?;
        Ok((receiver, name))
    }

    /// The receiver with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Receiver> {
        self.by_name.get(name)
    }

    /// The tenant with this id; `None` if these books have no such tenant.
    pub(super) async fn tenant(
        &self,
        state: &State,
        id: TenantId,
    ) -> Result<Option<Tenant>, Problem> {
        if let Some(known) = self.known().get(&id) {
            return Ok(Some(known.clone()));
        }
        let found = state.read(move |connection| tenants(connection, &[id]));
        let found = found.await?.into_iter().next();
        if let Some(tenant) = &found {
            self.known().insert(id, tenant.clone());
        }
        Ok(found)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Tenant>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
