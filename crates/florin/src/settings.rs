//! Settings: from a flag, else the environment, else the TOML file, else the default.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use store::DatabaseUrl;
use webhook_signatures::{Scheme, Secret};

/// The sandbox's API key: the same at every start, because it protects nothing.
pub(crate) const SANDBOX_KEY: &str = "sk_sandbox_4f9d2b7c1e8a5036";
/// The sandbox's webhook secret (Standard Webhooks): likewise.
pub(crate) const SANDBOX_SECRET: &str = "whsec_c2FuZGJveC1zZWNyZXQtb2YtZmxvcmluLTAx";
/// The provider that the sandbox plays.
pub(crate) const SANDBOX: &str = "sandbox";

/// What every verb may be told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Where the books are kept: sqlite:PATH or postgres://… (default: sqlite:DATA_DIR/florin.db)
    #[arg(
        long,
        global = true,
        env = "FLORIN_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// Where to listen; port 0 picks a free one and prints it (default: 127.0.0.1:8080)
    #[arg(long, global = true, env = "FLORIN_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where files are kept (default: ./data)
    #[arg(long, global = true, env = "FLORIN_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A TOML file with any of these settings (default: florin.toml, if it is there)
    #[arg(long, global = true, env = "FLORIN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// sandbox seeds a tenant, a key and a provider; live seeds nothing (default: sandbox)
    #[arg(long, global = true, env = "FLORIN_MODE")]
    pub(crate) mode: Option<Mode>,
    /// How long the provider may take for an answer, in milliseconds (default: 10000)
    #[arg(long, global = true, env = "FLORIN_PROVIDER_TIMEOUT_MS")]
    pub(crate) provider_timeout_ms: Option<u32>,
    /// How often the server checks every invariant of the books, in seconds; 0 never (default: 3600)
    #[arg(long, global = true, env = "FLORIN_CHECK_EVERY")]
    pub(crate) check_every: Option<u32>,
    /// The provider's name, as in its webhooks' URL (default: sandbox; in live mode, the one with a
    /// webhook secret)
    #[arg(long, global = true, env = "FLORIN_PROVIDER")]
    pub(crate) provider: Option<String>,
    /// The provider's address; in sandbox mode, the built-in one if absent
    #[arg(long, global = true, env = "FLORIN_PROVIDER_URL")]
    pub(crate) provider_url: Option<String>,
    /// A provider's webhook secret as PROVIDER=SCHEME:SECRET; again for the old one while it is replaced
    #[arg(
        long = "webhook-secret",
        global = true,
        env = "FLORIN_WEBHOOK_SECRETS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) webhook_secrets: Vec<String>,
}

/// Whether money is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// A seeded tenant, a fixed key, a pretend provider.
    Sandbox,
    /// Nothing is seeded, and every secret must be set.
    Live,
}

/// The TOML file. Unknown names are refused, so that a mistyped one is not ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    mode: Option<Mode>,
    provider_timeout_ms: Option<u32>,
    check_every: Option<u32>,
    provider: Option<String>,
    provider_url: Option<String>,
    #[serde(default)]
    webhook_secrets: BTreeMap<String, Vec<String>>,
}

/// Everything, decided.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) database: DatabaseUrl,
    pub(crate) listen: SocketAddr,
    /// Whether the address was asked for, or may be moved to the next free port.
    pub(crate) listen_is_default: bool,
    pub(crate) data_dir: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) provider_timeout: Duration,
    /// `None`: never.
    pub(crate) check_every: Option<Duration>,
    pub(crate) provider: String,
    pub(crate) provider_url: Option<String>,
    pub(crate) webhooks: BTreeMap<String, (Scheme, Vec<Secret>)>,
}

/// A setting that cannot be used, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongSetting(String);

impl Settings {
    /// Puts flags, environment, file and defaults together.
    pub(crate) fn decide(arguments: &Arguments) -> Result<Self, WrongSetting> {
        let file = read_file(arguments.config.as_deref())?;
        let data_dir = arguments.data_dir.clone().or(file.data_dir);
        let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("./data"));
        let database = match arguments.database_url.clone().or(file.database_url) {
            Some(text) => DatabaseUrl::parse(&text)
                .map_err(|error| WrongSetting(format!("--database-url: {error}")))?,
            None => DatabaseUrl::Sqlite(data_dir.join("florin.db")),
        };
        let listen = arguments.listen.or(file.listen);
        let mode = arguments.mode.or(file.mode).unwrap_or(Mode::Sandbox);
        let timeout = arguments.provider_timeout_ms.or(file.provider_timeout_ms);
        let check_every = arguments.check_every.or(file.check_every).unwrap_or(3_600);
        let mut webhooks = BTreeMap::new();
        let listed = file
            .webhook_secrets
            .into_iter()
            .flat_map(|(provider, secrets)| {
                secrets
                    .into_iter()
                    .map(move |secret| format!("{provider}={secret}"))
            });
        let given = arguments.webhook_secrets.iter().cloned();
        for text in listed.chain(given) {
            add_secret(&mut webhooks, &text)?;
        }
        let settings = Self {
            database,
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            listen_is_default: listen.is_none(),
            data_dir,
            mode,
            provider_timeout: Duration::from_millis(u64::from(timeout.unwrap_or(10_000).max(1))),
            check_every: (check_every > 0).then(|| Duration::from_secs(check_every.into())),
            provider: arguments
                .provider
                .clone()
                .or(file.provider)
                .unwrap_or_default(),
            provider_url: arguments.provider_url.clone().or(file.provider_url),
            webhooks,
        };
        settings.complete()
    }

    /// What sandbox mode fills in, live mode demands.
    fn complete(mut self) -> Result<Self, WrongSetting> {
        match self.mode {
            Mode::Sandbox => {
                if self.provider.is_empty() {
                    SANDBOX.clone_into(&mut self.provider);
                }
                if !self.webhooks.contains_key(SANDBOX) {
                    let scheme = Scheme::StandardWebhooks.name();
                    let text = format!("{SANDBOX}={scheme}:{SANDBOX_SECRET}");
                    add_secret(&mut self.webhooks, &text)?;
                }
            }
            Mode::Live => {
                if self.webhooks.is_empty() {
                    return Err(WrongSetting(
                        "live mode needs a webhook secret: set --webhook-secret \
                         PROVIDER=SCHEME:SECRET (or FLORIN_WEBHOOK_SECRETS)"
                            .to_owned(),
                    ));
                }
                if self.provider.is_empty() {
                    let mut names = self.webhooks.keys();
                    if let (Some(only), None) = (names.next(), names.next()) {
                        self.provider.clone_from(only);
                    }
                }
                if !self.webhooks.contains_key(&self.provider) {
                    return Err(WrongSetting(
                        "live mode needs to know the provider: set --provider (or FLORIN_PROVIDER) \
                         to one that has a webhook secret"
                            .to_owned(),
                    ));
                }
                if self.provider_url.is_none() {
                    return Err(WrongSetting(
                        "live mode needs a provider: set --provider-url (or FLORIN_PROVIDER_URL)"
                            .to_owned(),
                    ));
                }
            }
        }
        Ok(self)
    }
}

fn read_file(named: Option<&Path>) -> Result<File, WrongSetting> {
    let path = named.unwrap_or_else(|| Path::new("florin.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(File::default());
        }
        Err(error) => {
            return Err(WrongSetting(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
    };
    toml::from_str(&text).map_err(|error| {
        let line = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        WrongSetting(format!("{} is not right: {line}", path.display()))
    })
}

/// Reads `PROVIDER=SCHEME:SECRET`. An error never repeats the secret.
fn add_secret(
    webhooks: &mut BTreeMap<String, (Scheme, Vec<Secret>)>,
    text: &str,
) -> Result<(), WrongSetting> {
    let parts = text.split_once('=').and_then(|(provider, rest)| {
        rest.split_once(':')
            .map(|(scheme, secret)| (provider, scheme, secret))
    });
    let Some((provider, scheme, secret)) = parts else {
        return Err(WrongSetting(
            "a webhook secret is PROVIDER=SCHEME:SECRET".to_owned(),
        ));
    };
    let named = provider
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if provider.is_empty() || !named {
        return Err(WrongSetting(
            "a provider's name is letters, digits, dashes and underscores".to_owned(),
        ));
    }
    let Some(scheme) = Scheme::from_name(scheme) else {
        let names: Vec<&str> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
        return Err(WrongSetting(format!(
            "the webhook scheme of {provider} is unknown: use one of {}",
            names.join(", ")
        )));
    };
    let secret = Secret::parse(scheme, secret)
        .map_err(|error| WrongSetting(format!("the webhook secret of {provider}: {error}")))?;
    let (known, secrets) = webhooks
        .entry(provider.to_owned())
        .or_insert((scheme, Vec::new()));
    if *known != scheme {
        return Err(WrongSetting(format!(
            "the secrets of {provider} name two schemes"
        )));
    }
    secrets.push(secret);
    Ok(())
}
