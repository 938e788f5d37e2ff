//! The providers of this process, made from its settings: the providers that it calls, the providers that it
//! plays, and the providers that may send webhooks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Tenant;
use payments::draining::Deliveries;
use payments::notices::{Receiver, Receivers};
use payments::providers::{self, Dialect, Dialects, Providers, SANDBOX};
use payments::scripts::Desks;
use sandbox::{Sandbox, WebhookTarget};
use store::Clock;

use crate::places::Places;
use crate::provider::Provider;
use crate::reach::{Link, Links};
use crate::settings::{Mode, NamedProvider, SANDBOX_SECRET, Settings, WrongSetting};

/// Duration of a lease in addition to twice the provider's time-out.
const LEASE_MARGIN_MILLIS: i64 = 2_000;

/// Why the providers cannot be used, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// A sandbox provider cannot be started.
    #[error("the sandbox provider does not start: {0}; choose another folder with --data-dir")]
    Sandbox(#[from] sandbox::StartError),
    /// The HTTP client of a provider cannot be set up.
    #[error("the provider's client does not start: {0}")]
    Client(#[from] reqwest::Error),
    /// The webhook secret of the sandbox cannot be read.
    #[error("the sandbox's webhook secret: {0}")]
    Secret(#[from] webhook_signatures::SecretError),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] WrongSetting),
}

/// The providers and rules of the settings, for payments.
pub(crate) fn choice(settings: &Settings) -> Result<Providers, WrongSetting> {
    let authorization_millis = i64::from(settings.authorization_seconds).saturating_mul(1_000);
    let known = settings.providers().into_iter();
    let known = known.map(|provider| payments::Provider {
        lease_millis: lease_millis(provider.timeout),
        authorization_millis,
        name: provider.name,
        bank: None,
    });
    let banks = settings.bank_accounts.iter();
    let banks = banks.map(|(name, own)| payments::Provider {
        lease_millis: 0,
        authorization_millis,
        name: name.clone(),
        bank: Some(Arc::clone(own)),
    });
    let rules = settings.provider_rules.clone();
    let providers = Providers::new(
        known.chain(banks).collect(),
        rules,
        settings.default_provider(),
    )?;
    Ok(providers.with_overdue_days(settings.overdue_days))
}

/// Starts the played providers, each with a journal of its own. In sandbox mode these are the providers without an
/// address; in live mode there are none.
pub(crate) async fn play(settings: &Settings) -> Result<Vec<(String, Sandbox)>, ProviderError> {
    let mut played = Vec::new();
    if settings.mode == Mode::Live {
        return Ok(played);
    }
    for NamedProvider { name, url, .. } in settings.providers() {
        if url.is_some() {
            continue;
        }
        let journal = match name == settings.provider {
            true => "sandbox-provider.jsonl".to_owned(),
            false => format!("sandbox-provider-{}.jsonl", name.replace('/', ".")),
        };
        let played_so = sandbox::Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            journal: settings.data_dir.join(journal),
            webhook: None,
        };
        let clock = || Clock::system().now().unix_seconds();
        played.push((name, sandbox::start(played_so, clock).await?));
    }
    Ok(played)
}

/// Makes the played providers send their webhooks to this server, each under its own name.
pub(crate) fn point_webhooks(
    played: &[(String, Sandbox)],
    server: SocketAddr,
) -> Result<(), ProviderError> {
    let scheme = webhook_signatures::Scheme::StandardWebhooks;
    for (name, sandbox) in played {
        sandbox.point_webhooks_at(WebhookTarget {
            url: format!("http://{server}/webhooks/{name}"),
            scheme,
            secret: webhook_signatures::Secret::parse(scheme, SANDBOX_SECRET)?,
        });
    }
    Ok(())
}

/// The webhooks that the played providers have not delivered yet; none in live mode.
pub(crate) fn deliveries(settings: &Settings, played: &[(String, Sandbox)]) -> Deliveries {
    let of: Vec<_> = played
        .iter()
        .map(|(_, sandbox)| sandbox.deliveries())
        .collect();
    let all: Arc<dyn Fn() -> usize + Send + Sync> =
        Arc::new(move || of.iter().map(|deliveries| deliveries()).sum());
    Deliveries((settings.mode == Mode::Sandbox).then_some(all))
}

/// The desks of the played providers, at which their faults are scripted; none in live mode.
pub(crate) fn desks(settings: &Settings, played: &[(String, Sandbox)]) -> Desks {
    let desks = played.iter();
    let desks = desks.map(|(name, sandbox)| (name.clone(), sandbox.faults()));
    Desks((settings.mode == Mode::Sandbox).then(|| desks.collect()))
}

/// The clients of all providers.
pub(crate) fn called(
    settings: &Settings,
    played: &[(String, Sandbox)],
) -> Result<Links, ProviderError> {
    let mut called = Links::default();
    for NamedProvider {
        name,
        url,
        dialect,
        timeout,
    } in settings.providers()
    {
        let base = match (url, played.iter().find(|(played, _)| *played == name)) {
            (Some(url), _) => url.as_str().to_owned(),
            (None, Some((_, sandbox))) => format!("http://{}", sandbox.address()),
            (None, None) => String::new(),
        };
        let link = Link {
            provider: Provider::new(
                base,
                dialect_of(&dialect, settings.return_urls.get(&name).cloned())?,
                timeout,
                settings.provider_keys.get(&name),
                settings.mode == Mode::Sandbox && dialect == SANDBOX,
            )?,
            places: Places::new(name.clone()),
            lease_millis: lease_millis(timeout),
        };
        called.0.insert(name, link);
    }
    Ok(called)
}

/// The dialects of all providers that may send webhooks, or whose events may be parked.
pub(crate) fn dialects(settings: &Settings) -> Result<Dialects, WrongSetting> {
    let mut dialects = Dialects::new();
    // A provider that has only a secret may still send events about payments that it got before.
    for name in settings.webhooks.keys() {
        dialects.insert(name.clone(), dialect_of(SANDBOX, None)?);
    }
    for NamedProvider { name, dialect, .. } in settings.providers() {
        dialects.insert(name, dialect_of(&dialect, None)?);
    }
    Ok(dialects)
}

fn dialect_of(name: &str, return_url: Option<String>) -> Result<Arc<dyn Dialect>, WrongSetting> {
    let dialect = providers::dialect(name, return_url);
    dialect.ok_or_else(|| WrongSetting(format!("there is no dialect {name}")))
}

/// The providers that may send webhooks: the providers with a secret. What they send belongs to `tenant`, unless the
/// settings name another one of `tenants`.
pub(crate) fn receivers(
    settings: &Settings,
    dialects: &Dialects,
    tenant: &Tenant,
    tenants: &[Tenant],
) -> Result<Receivers, WrongSetting> {
    let providers = settings.providers();
    let mut by_name = HashMap::new();
    for (name, (scheme, secrets)) in &settings.webhooks {
        let Some(dialect) = dialects.get(name) else {
            continue;
        };
        let tenant = match settings.webhook_tenant(name) {
            None => tenant,
            Some(wanted) => {
                let found = tenants.iter().find(|tenant| *tenant.name == *wanted);
                found.ok_or_else(|| {
                    WrongSetting(format!(
                        "the webhooks of {name} belong to the tenant {wanted}, which these books do not have: make \
                         it with florin tenant create"
                    ))
                })?
            }
        };
        let receiver = Receiver {
            tenant: tenant.clone(),
            dialect: Arc::clone(dialect),
            only_stored: !providers.iter().any(|provider| provider.name == *name),
            setup: settings.webhook_setup(name, *scheme),
            unsigned: settings.takes_unsigned(name),
            secrets: secrets.clone(),
            warnings: Arc::default(),
        };
        by_name.insert(name.clone(), receiver);
    }
    Ok(Receivers::new(by_name))
}

/// Duration of a lease: a worker may need an inquiry and a charge, each of which may last until the provider's
/// time-out.
fn lease_millis(timeout: Duration) -> i64 {
    let timeout = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
    timeout
        .saturating_mul(2)
        .saturating_add(LEASE_MARGIN_MILLIS)
}
