//! The settings. Each comes from the first of these that has it: a flag, the environment, the TOML file, the default.

mod banks;
mod file;
mod keys;
mod listen;
mod providers;
mod times;
mod tuning;
mod values;
mod webhooks;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use payments::approvals::ApprovalLimits;
use payments::notices::InboxPolicy;
use payments::providers::Rule;
use serde::Deserialize;
use store::{DatabaseUrl, Tuning};
use webhook_signatures::Scheme;

use banks::{Banks, SANDBOX_ACCOUNT, SANDBOX_BANK, add_bank};
use keys::{Keys, add_key, add_return_url};
pub(crate) use listen::Listen;
pub(crate) use providers::{NamedProvider, OtherProvider};
use providers::{rules, together};
use times::{
    InboxTimes, MAX_AUTHORIZATION_SECONDS, MAX_KEY_DAYS, MAX_OVERDUE_DAYS, inbox_policy, key_life,
    overdue_days, seconds,
};
use tuning::{DatabaseTimeout, LogLimit};
use values::{ProviderTimeout, ProviderUrl};
use webhooks::{WebhookOptions, Webhooks, add_option, add_secret, check_name};

/// The sandbox's API key: the same at every start, because it protects nothing.
pub(crate) const SANDBOX_KEY: &str = "sk_sandbox_4f9d2b7c1e8a5036";
/// The sandbox's webhook secret (Standard Webhooks): the same at every start, because it protects nothing.
pub(crate) const SANDBOX_SECRET: &str = "whsec_c2FuZGJveC1zZWNyZXQtb2YtZmxvcmluLTAx";
/// The operator's key in sandbox mode, which everybody knows.
const SANDBOX_OPERATOR_KEY: &str = "ok_sandbox_0d2f6b1c93a7e854d1ba7c30";
/// Name of the provider that the sandbox plays.
pub(crate) const SANDBOX: &str = "sandbox";

/// Time that the provider has for an answer, if it is not set.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings that every verb takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The database of the books: sqlite:PATH or postgres://… (default: sqlite:DATA_DIR/florin.db)
    #[arg(
        long,
        global = true,
        env = "FLORIN_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// The address to listen at: a port, or HOST:PORT. Port 0 picks a free port and prints it (default:
    /// 127.0.0.1:8080)
    #[arg(long, global = true, env = "FLORIN_LISTEN")]
    pub(crate) listen: Option<Listen>,
    /// The folder of the files (default: ./data)
    #[arg(long, global = true, env = "FLORIN_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// A TOML file with any of these settings (default: florin.toml, if it is there)
    #[arg(long, global = true, env = "FLORIN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// sandbox has a fixed key and a pretend provider, live has neither. Books keep the mode in which they were
    /// begun (default: sandbox)
    #[arg(long, global = true, env = "FLORIN_MODE")]
    pub(crate) mode: Option<Mode>,
    /// In live mode, begin new books if there are none. Without this option, an address without books is an
    /// error, because it may be mistyped
    #[arg(long, global = true)]
    pub(crate) init: bool,
    /// How long the provider may take for an answer, in milliseconds (default: 10000)
    #[arg(long, global = true, env = "FLORIN_PROVIDER_TIMEOUT_MS")]
    pub(crate) provider_timeout_ms: Option<ProviderTimeout>,
    /// How long the database may take for one statement, in milliseconds. If it takes longer, a
    /// request that waits for it is answered with a 503 about two seconds later (default: 10000)
    #[arg(long, global = true, env = "FLORIN_DATABASE_TIMEOUT_MS")]
    pub(crate) database_timeout_ms: Option<DatabaseTimeout>,
    /// How large the log beside a SQLite file may become before it is cut, in MiB (default: 64)
    #[arg(long, global = true, env = "FLORIN_WAL_LIMIT")]
    pub(crate) wal_limit: Option<LogLimit>,
    /// Serve in live mode even if the database can lose acknowledged writes, because of its setting of fsync,
    /// full_page_writes or synchronous_commit
    #[arg(
        long,
        global = true,
        env = "FLORIN_ACCEPT_DATA_LOSS",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) accept_data_loss: Option<bool>,
    /// How often the server checks every invariant of the books, in seconds; 0: never (default: 3600)
    #[arg(long, global = true, env = "FLORIN_CHECK_EVERY")]
    pub(crate) check_every: Option<u32>,
    /// Start even if the books were last written at a later time than this machine's clock shows. Until the clock
    /// has reached that time, everything is recorded at that same moment
    #[arg(long, global = true, env = "FLORIN_ACCEPT_CLOCK_BEHIND")]
    pub(crate) accept_clock_behind: bool,
    /// Commit the commands of one tenant at a time, for databases that are distributed by tenant
    #[arg(long, global = true, env = "FLORIN_ONE_TENANT_COMMITS")]
    pub(crate) one_tenant_commits: bool,
    /// The provider's name, as in the URL of its webhooks (default: sandbox; in live mode, the one provider that
    /// has a webhook secret)
    #[arg(long, global = true, env = "FLORIN_PROVIDER")]
    pub(crate) provider: Option<String>,
    /// The provider's address (default in sandbox mode: the built-in provider)
    #[arg(long, global = true, env = "FLORIN_PROVIDER_URL")]
    pub(crate) provider_url: Option<ProviderUrl>,
    /// A further provider, as NAME=DIALECT[:TIMEOUT_MS][:URL]; repeat the option for each (dialects: sandbox, stripe). In
    /// sandbox mode, a provider of the dialect sandbox without an address is built in
    #[arg(
        long = "other-provider",
        global = true,
        env = "FLORIN_OTHER_PROVIDERS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) other_providers: Vec<String>,
    /// A rule for payments that go to a provider, as PROVIDER=CURRENCIES[:METHODS], such as
    /// acme=EUR+USD:pm_card_*; repeat the option for each rule. The first rule that fits a payment decides. A
    /// payment that no rule fits goes to the provider of --provider
    #[arg(
        long = "provider-rule",
        global = true,
        env = "FLORIN_PROVIDER_RULES",
        value_delimiter = ','
    )]
    pub(crate) provider_rules: Vec<String>,
    /// Refuse payments that no --provider-rule fits
    #[arg(long, global = true, env = "FLORIN_NO_DEFAULT_PROVIDER")]
    pub(crate) no_default_provider: bool,
    /// The API key for a provider, as PROVIDER=KEY; repeat the option for each. Every request to the provider has it
    #[arg(
        long = "provider-key",
        global = true,
        env = "FLORIN_PROVIDER_KEYS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) provider_keys: Vec<String>,
    /// The account from which a bank-file provider pays, as PROVIDER=IBAN[/BIC]:HOLDER; repeat the option for each
    #[arg(
        long = "bank-account",
        global = true,
        env = "FLORIN_BANK_ACCOUNTS",
        value_delimiter = ';'
    )]
    pub(crate) bank_accounts: Vec<String>,
    /// Where a provider sends the payer back to, as PROVIDER=URL; repeat the option for each
    #[arg(
        long = "return-url",
        global = true,
        env = "FLORIN_RETURN_URLS",
        value_delimiter = ','
    )]
    pub(crate) return_urls: Vec<String>,
    /// Seconds after which what is left of an authorization is voided, 1 to 31536000 (default: 604800, a week)
    #[arg(
        long,
        global = true,
        env = "FLORIN_AUTHORIZATION_SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=MAX_AUTHORIZATION_SECONDS)
    )]
    pub(crate) authorization_seconds: Option<u32>,
    /// Days for which an answered idempotency key counts, 1 to 3650 (default: 30)
    #[arg(
        long,
        global = true,
        env = "FLORIN_KEY_DAYS",
        value_parser = clap::value_parser!(u16).range(1..=MAX_KEY_DAYS)
    )]
    pub(crate) key_days: Option<u16>,
    #[command(flatten)]
    pub(crate) inbox_times: InboxTimes,
    /// Bank days after which an operation without an outcome is overdue, 1 to 60 (default: 5)
    #[arg(
        long,
        global = true,
        env = "FLORIN_OVERDUE_DAYS",
        value_parser = clap::value_parser!(u16).range(1..=MAX_OVERDUE_DAYS)
    )]
    pub(crate) overdue_days: Option<u16>,
    /// An amount above which a payout needs the approval of a second person, as CURRENCY=AMOUNT in minor units, such
    /// as EUR=100000; repeat the option for each currency (default: no payout needs one)
    #[arg(
        long = "approve-above",
        global = true,
        env = "FLORIN_APPROVE_ABOVE",
        value_delimiter = ','
    )]
    pub(crate) approve_above: Vec<String>,
    /// The key with which the operator makes tenants over HTTP: at least 32 visible ASCII characters (default: a
    /// publicly known key in sandbox mode; no key in live mode, so that nobody is the operator)
    #[arg(
        long,
        global = true,
        env = "FLORIN_OPERATOR_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub(crate) operator_key: Option<String>,
    /// A provider's webhook secret, as PROVIDER=SCHEME:SECRET. While a secret is being replaced, repeat the option
    /// for the old one
    #[arg(
        long = "webhook-secret",
        global = true,
        env = "FLORIN_WEBHOOK_SECRETS",
        value_delimiter = ',',
        allow_hyphen_values = true,
        hide_env_values = true
    )]
    pub(crate) webhook_secrets: Vec<String>,
    /// What a scheme of webhooks needs besides a secret, as PROVIDER=NAME:VALUE: url, id or form, and tolerance in
    /// seconds; repeat the option for each
    #[arg(
        long = "webhook-option",
        global = true,
        env = "FLORIN_WEBHOOK_OPTIONS",
        value_delimiter = '\n'
    )]
    pub(crate) webhook_options: Vec<String>,
}

/// The mode of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// The server has a prepared tenant, a fixed key and a pretend provider.
    Sandbox,
    /// No key is made, no provider is played, and every secret must be set.
    Live,
}

impl Mode {
    /// The mode, as the books have it.
    pub(crate) const fn of_books(self) -> access::Mode {
        match self {
            Self::Sandbox => access::Mode::Sandbox,
            Self::Live => access::Mode::Live,
        }
    }
}

/// The decided values of all settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) database: DatabaseUrl,
    pub(crate) listen: Listen,
    /// True if no address was requested. Then the server may take the next free port.
    pub(crate) listen_is_default: bool,
    pub(crate) data_dir: PathBuf,
    pub(crate) mode: Mode,
    /// True if no mode was requested.
    pub(crate) mode_is_default: bool,
    /// True if new books may be begun in live mode.
    pub(crate) init: bool,
    pub(crate) provider_timeout: Duration,
    pub(crate) tuning: Tuning,
    pub(crate) accepts_data_loss: bool,
    /// Time between two checks of the books. `None`: they are never checked.
    pub(crate) check_every: Option<Duration>,
    /// True if the books may be ahead of the clock at the start.
    pub(crate) accept_clock_behind: bool,
    /// True if a commit may carry the commands of many tenants.
    pub(crate) mixes_tenants: bool,
    /// SHA-256 of the operator's key. `None`: there is no operator.
    pub(crate) operator_key: Option<[u8; 32]>,
    pub(crate) provider: String,
    pub(crate) provider_url: Option<ProviderUrl>,
    pub(crate) other_providers: Vec<OtherProvider>,
    /// The rules for the choice of a provider. The first rule that fits a payment decides.
    pub(crate) provider_rules: Vec<Rule>,
    /// True if payments that no rule fits are refused.
    pub(crate) no_default_provider: bool,
    /// The API keys of providers, by name.
    pub(crate) provider_keys: Keys,
    /// The accounts from which bank-file providers pay, by the provider's name.
    pub(crate) bank_accounts: Banks,
    /// Where providers send payers back to, by name.
    pub(crate) return_urls: BTreeMap<String, String>,
    /// Seconds after which what is left of an authorization is voided.
    pub(crate) authorization_seconds: u32,
    /// Bank days after which an operation without an outcome is overdue.
    pub(crate) overdue_days: u16,
    /// Time for which an answered idempotency key counts, in seconds.
    pub(crate) key_life_seconds: i64,
    /// The times of events that were received.
    pub(crate) inbox_policy: InboxPolicy,
    /// The amounts above which a payout needs an approval.
    pub(crate) approve_above: ApprovalLimits,
    pub(crate) webhooks: Webhooks,
    pub(crate) webhook_options: WebhookOptions,
}

/// A setting that cannot be used, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongSetting(pub(crate) String);

/// The limits of the file and of the command line. Of two for one currency, the command line's counts.
fn limits(file: &[String], arguments: &[String]) -> Result<ApprovalLimits, WrongSetting> {
    let texts = file.iter().chain(arguments).map(String::as_str);
    ApprovalLimits::parse(texts).map_err(|error| WrongSetting(format!("--approve-above: {error}")))
}

impl Settings {
    /// Decides all settings from the flags, the environment, the file and the defaults.
    pub(crate) fn decide(arguments: &Arguments) -> Result<Self, WrongSetting> {
        let file = file::read(arguments.config.as_deref())?;
        let data_dir = arguments.data_dir.clone().or(file.data_dir);
        let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("./data"));
        let database = match &arguments.database_url {
            Some(text) => Some(
                DatabaseUrl::parse(text)
                    .map_err(|error| WrongSetting(format!("--database-url: {error}")))?,
            ),
            None => file.database_url,
        };
        let database = database.unwrap_or_else(|| DatabaseUrl::Sqlite(data_dir.join("florin.db")));
        let listen = arguments.listen.clone().or(file.listen);
        let mode = arguments.mode.or(file.mode);
        let timeout = arguments.provider_timeout_ms.or(file.provider_timeout_ms);
        let mut tuning = Tuning::default();
        if let Some(timeout) = arguments.database_timeout_ms.or(file.database_timeout_ms) {
            tuning.answer_within = timeout.0;
        }
        if let Some(limit) = arguments.wal_limit.or(file.wal_limit) {
            tuning.log_limit = limit.0;
        }
        let accepts = arguments.accept_data_loss.or(file.accept_data_loss);
        let check_every = arguments.check_every.or(file.check_every).unwrap_or(3_600);
        let mut webhooks = file.webhook_secrets;
        for text in &arguments.webhook_secrets {
            add_secret(&mut webhooks, text)?;
        }
        let mut webhook_options = file.webhook_options;
        for text in &arguments.webhook_options {
            add_option(&mut webhook_options, text)?;
        }
        let mut provider_keys = file.provider_keys;
        for text in &arguments.provider_keys {
            add_key(&mut provider_keys, text)?;
        }
        let mut bank_accounts = file.bank_accounts;
        for text in &arguments.bank_accounts {
            add_bank(&mut bank_accounts, text)?;
        }
        let mut return_urls = file.return_urls;
        for text in &arguments.return_urls {
            add_return_url(&mut return_urls, text)?;
        }
        let provider = arguments.provider.clone().or(file.provider);
        if let Some(provider) = &provider {
            check_name(provider)?;
        }
        let operator_key = arguments.operator_key.clone().or(file.operator_key);
        let operator_key = operator_key.as_deref().map(values::operator_key);
        let operator_key = operator_key.transpose().map_err(WrongSetting)?;
        let mut settings = Self {
            database,
            listen_is_default: listen.is_none(),
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)).into()),
            data_dir,
            mode: mode.unwrap_or(Mode::Sandbox),
            mode_is_default: mode.is_none(),
            init: arguments.init,
            provider_timeout: timeout.map_or(PROVIDER_TIMEOUT, |timeout| timeout.0),
            tuning,
            accepts_data_loss: accepts.unwrap_or(false),
            check_every: (check_every > 0).then(|| Duration::from_secs(check_every.into())),
            accept_clock_behind: arguments.accept_clock_behind
                || file.accept_clock_behind.unwrap_or(false),
            mixes_tenants: !arguments.one_tenant_commits
                && !file.one_tenant_commits.unwrap_or(false),
            operator_key,
            provider: provider.unwrap_or_default(),
            provider_url: arguments.provider_url.clone().or(file.provider_url),
            other_providers: together(file.other_providers, &arguments.other_providers)?,
            provider_rules: rules(file.provider_rules, &arguments.provider_rules)?,
            no_default_provider: arguments.no_default_provider
                || file.no_default_provider.unwrap_or(false),
            provider_keys,
            bank_accounts,
            return_urls,
            authorization_seconds: seconds(
                arguments
                    .authorization_seconds
                    .or(file.authorization_seconds),
            )?,
            overdue_days: overdue_days(arguments.overdue_days.or(file.overdue_days))?,
            key_life_seconds: key_life(arguments.key_days.or(file.key_days))?,
            inbox_policy: inbox_policy(
                arguments.inbox_times,
                (file.webhook_wait_days, file.webhook_keep_days),
            )?,
            approve_above: limits(&file.approve_above, &arguments.approve_above)?,
            webhooks,
            webhook_options,
        };
        if settings.mode == Mode::Sandbox {
            settings.complete_sandbox()?;
        }
        settings.check_webhooks()?;
        Ok(settings)
    }

    /// The same settings in sandbox mode, whatever the mode was.
    pub(crate) fn in_sandbox(mut self) -> Result<Self, WrongSetting> {
        self.mode = Mode::Sandbox;
        self.complete_sandbox()?;
        Ok(self)
    }

    fn complete_sandbox(&mut self) -> Result<(), WrongSetting> {
        if self.provider.is_empty() {
            SANDBOX.clone_into(&mut self.provider);
        }
        // With no provider for payments, nothing was set that is served.
        let serves = !self.no_default_provider || !self.provider_rules.is_empty();
        if serves && self.bank_accounts.is_empty() && !self.is_another(SANDBOX_BANK) {
            add_bank(&mut self.bank_accounts, SANDBOX_ACCOUNT)?;
        }
        if self.operator_key.is_none() {
            self.operator_key = Some(access::hash(SANDBOX_OPERATOR_KEY));
        }
        let played = self.providers().into_iter();
        let played = played.filter(|provider| provider.url.is_none());
        let played = played.map(|provider| provider.name);
        for name in played.chain([SANDBOX.to_owned()]) {
            if !self.webhooks.contains_key(&name) {
                let scheme = Scheme::StandardWebhooks.name();
                let text = format!("{name}={scheme}:{SANDBOX_SECRET}");
                add_secret(&mut self.webhooks, &text)?;
            }
        }
        Ok(())
    }

    /// Settings with which a server may start. In sandbox mode missing ones are filled in; in live mode they are
    /// an error.
    pub(crate) fn ready_to_serve(mut self) -> Result<Self, WrongSetting> {
        self.check_keys()?;
        if self.mode == Mode::Sandbox {
            return Ok(self);
        }
        if self.operator_key == Some(access::hash(SANDBOX_OPERATOR_KEY)) {
            return Err(WrongSetting(
                "everybody knows this operator's key, which is that of the sandbox: set another \
                 --operator-key (or FLORIN_OPERATOR_KEY)"
                    .to_owned(),
            ));
        }
        if self.has_only_banks() {
            return Ok(self);
        }
        if self.webhooks.is_empty() {
            return Err(WrongSetting(
                "live mode needs a webhook secret: set --webhook-secret \
                 PROVIDER=SCHEME:SECRET (or FLORIN_WEBHOOK_SECRETS)"
                    .to_owned(),
            ));
        }
        self.check_others_live()?;
        if self.provider.is_empty() && self.provider_url.is_none() && self.no_default_provider {
            return Ok(self);
        }
        if self.provider.is_empty() {
            let mut names = self.webhooks.keys().filter(|name| !self.is_another(name));
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
        Ok(self)
    }
}
