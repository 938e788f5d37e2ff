//! The TOML file. The message about a mistake has its line and its key. It never repeats a value, because the
//! value may be a secret in the wrong place.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use payments::providers::Rule;
use serde::{Deserialize, Deserializer};
use store::DatabaseUrl;

use super::banks::{Banks, WrittenBank, add_written};
use super::keys::{Keys, add_key, add_return_url};
use super::listen::Listen;
use super::providers::{OtherProvider, WrittenProvider, WrittenRule};
use super::tuning::{DatabaseTimeout, LogLimit};
use super::values::{ProviderTimeout, ProviderUrl};
use super::webhooks::{WebhookOptions, Webhooks, WrittenOptions, add_secret};
use super::{Mode, WrongSetting};

/// Least likeness of a mistyped name to a known one that is suggested for it, in percent; 100 is the same name.
const ALIKE_PERCENT: u32 = 75;

/// The settings that the file may have. Unknown names are refused, so that a mistyped one is not ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, deserialize_with = "parsed")]
    pub(super) database_url: Option<DatabaseUrl>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) listen: Option<Listen>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) mode: Option<Mode>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) provider_timeout_ms: Option<ProviderTimeout>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) database_timeout_ms: Option<DatabaseTimeout>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) wal_limit: Option<LogLimit>,
    pub(super) accept_data_loss: Option<bool>,
    pub(super) check_every: Option<u32>,
    pub(super) accept_clock_behind: Option<bool>,
    pub(super) one_tenant_commits: Option<bool>,
    pub(super) operator_key: Option<String>,
    pub(super) provider: Option<String>,
    #[serde(default, deserialize_with = "parsed")]
    pub(super) provider_url: Option<ProviderUrl>,
    #[serde(default, deserialize_with = "others")]
    pub(super) other_providers: Vec<OtherProvider>,
    #[serde(default, deserialize_with = "rules")]
    pub(super) provider_rules: Vec<Rule>,
    pub(super) no_default_provider: Option<bool>,
    #[serde(default, deserialize_with = "keys")]
    pub(super) provider_keys: Keys,
    #[serde(default, deserialize_with = "banks")]
    pub(super) bank_accounts: Banks,
    #[serde(default, deserialize_with = "return_urls")]
    pub(super) return_urls: BTreeMap<String, String>,
    pub(super) authorization_seconds: Option<u32>,
    pub(super) overdue_days: Option<u16>,
    pub(super) key_days: Option<u16>,
    pub(super) webhook_wait_days: Option<u16>,
    pub(super) webhook_keep_days: Option<u16>,
    #[serde(default)]
    pub(super) approve_above: Vec<String>,
    #[serde(default, deserialize_with = "secrets")]
    pub(super) webhook_secrets: Webhooks,
    #[serde(default, deserialize_with = "options")]
    pub(super) webhook_options: WebhookOptions,
}

/// Reads the named file. Without a name, reads `florin.toml` if it exists.
pub(super) fn read(named: Option<&Path>) -> Result<File, WrongSetting> {
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
    toml::from_str(&text).map_err(|error| mistake(path, &text, &error))
}

fn mistake(path: &Path, text: &str, error: &toml::de::Error) -> WrongSetting {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let written = text.lines().nth(line - 1).unwrap_or_default();
    // In a list of several lines, the text before an equals sign may be a secret.
    let is_name = |text: &&str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let key = written.split_once('=').map(|(key, _)| key.trim());
    let key = key.filter(is_name);
    let said = error.message().lines().next().unwrap_or_default();
    let said = match unknown(said) {
        Some((name, known)) => {
            let meant = nearest(name, &known)
                .map_or_else(String::new, |meant| format!("did you mean {meant}? "));
            format!(
                "there is no setting {name}: {meant}The settings are {}",
                known.join(", ")
            )
        }
        None => without_values(said),
    };
    let key = key
        .filter(|key| !said.contains(*key))
        .map_or_else(String::new, |key| format!(" {key}:"));
    WrongSetting(format!("{}, line {line}:{key} {said}", path.display()))
}

/// The unknown name and the known names in a message of serde: "unknown field `a`, expected one of `b`, `c`".
fn unknown(said: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = said
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |known: &&str| percent_alike(name, known);
    let best = known.iter().copied().max_by_key(|known| likeness(known))?;
    (percent_alike(name, best) >= ALIKE_PERCENT).then_some(best)
}

/// The part of the longer name that need not be changed to get the other one, in percent.
fn percent_alike(name: &str, known: &str) -> u32 {
    let longest = name.chars().count().max(known.chars().count()).max(1);
    let changes = strsim::damerau_levenshtein(&name.to_lowercase(), known);
    let changed = changes.saturating_mul(100) / longest;
    100_u32.saturating_sub(u32::try_from(changed).unwrap_or(100))
}

/// A message of serde without the value in it: `invalid type: string "x", expected y` and "unknown variant `x`,
/// expected `y`" lose the x.
fn without_values(said: &str) -> String {
    if let Some(variant) = said.strip_prefix("unknown variant `") {
        let known = variant.split_once("`, ").map_or("", |(_, known)| known);
        return format!("unknown value, {known}");
    }
    let mut parts = said.split('"');
    let mut kept = parts.next().unwrap_or_default().trim_end().to_owned();
    if let Some(last) = parts.next_back() {
        kept.push_str(last);
    }
    kept
}

/// Reads a text or a number by the rule of the setting.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a number is expected")]
    enum Form {
        Text(String),
        Number(i64),
    }
    let text = match Form::deserialize(deserializer)? {
        Form::Text(text) => text,
        Form::Number(number) => number.to_string(),
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn others<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<OtherProvider>, D::Error> {
    let written = BTreeMap::<String, WrittenProvider>::deserialize(deserializer)?;
    super::providers::providers(written).map_err(serde::de::Error::custom)
}

fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rule>, D::Error> {
    let written = Vec::<WrittenRule>::deserialize(deserializer)?.into_iter();
    let rules = written.map(|rule| rule.read().map_err(serde::de::Error::custom));
    rules.collect()
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Webhooks, D::Error> {
    let listed = BTreeMap::<String, Secrets>::deserialize(deserializer)?;
    let mut webhooks = Webhooks::new();
    for (provider, Secrets(secrets)) in listed {
        for secret in secrets {
            add_secret(&mut webhooks, &format!("{provider}={secret}"))
                .map_err(serde::de::Error::custom)?;
        }
    }
    Ok(webhooks)
}

fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WebhookOptions, D::Error> {
    let mut options = WebhookOptions::new();
    for (provider, written) in BTreeMap::<String, WrittenOptions>::deserialize(deserializer)? {
        written
            .add_to(&mut options, &provider)
            .map_err(serde::de::Error::custom)?;
    }
    Ok(options)
}

fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
    let mut keys = Keys::new();
    for (provider, key) in BTreeMap::<String, String>::deserialize(deserializer)? {
        add_key(&mut keys, &format!("{provider}={key}")).map_err(serde::de::Error::custom)?;
    }
    Ok(keys)
}

fn banks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Banks, D::Error> {
    let mut banks = Banks::new();
    for (provider, written) in BTreeMap::<String, WrittenBank>::deserialize(deserializer)? {
        add_written(&mut banks, &provider, written).map_err(serde::de::Error::custom)?;
    }
    Ok(banks)
}

fn return_urls<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let mut urls = BTreeMap::new();
    for (provider, url) in BTreeMap::<String, String>::deserialize(deserializer)? {
        add_return_url(&mut urls, &format!("{provider}={url}"))
            .map_err(serde::de::Error::custom)?;
    }
    Ok(urls)
}

/// The secrets of a provider: `["SCHEME:SECRET", …]`, or one text alone.
struct Secrets(Vec<String>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a list of SCHEME:SECRET is expected")]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::One(secret) => vec![secret],
            Form::Many(secrets) => secrets,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;

    fn said(text: &str) -> String {
        match toml::from_str::<File>(text) {
            Ok(file) => panic!("{text} is read as {file:?}"),
            Err(error) => mistake(Path::new("florin.toml"), text, &error).to_string(),
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_its_key() {
        for (text, words) in [
            (
                "mode = \"live\"\nlistn = 8080\n",
                &["line 2", "listn", "did you mean listen?"][..],
            ),
            ("colour = \"red\"\n", &["line 1", "colour", "database_url"]),
            (
                "\n\nlisten = \"here\"\n",
                &["line 3", "listen", "localhost:8080"],
            ),
            (
                "mode = \"production\"\n",
                &["line 1", "mode", "sandbox", "live"],
            ),
            (
                "# x\nprovider_timeout_ms = 0\n",
                &["line 2", "provider_timeout_ms", "1 to"],
            ),
            (
                "provider_url = \"ftp://x\"\n",
                &["line 1", "provider_url", "http://"],
            ),
            (
                "database_url = \"florin.db\"\n",
                &["line 1", "database_url", "sqlite:"],
            ),
            ("check_every = -1\n", &["line 1", "check_every"]),
            ("data_dir = 7\n", &["line 1", "data_dir"]),
            ("mode = \"live\"\nmode = \"live\"\n", &["line 2", "mode"]),
            ("listen = \n", &["line 1", "listen"]),
            (
                "[provider_keys]\nacme = \"s3cret two\"\n",
                &["acme", "visible ASCII"],
            ),
            (
                "[return_urls]\nacme = \"ftp://s3cret\"\n",
                &["acme", "http://"],
            ),
            (
                "webhook_secrets = \"s3cret\"\n",
                &["line 1", "webhook_secrets"],
            ),
            (
                "[webhook_secrets]\nacme = [\"magic:s3cret\"]\n",
                &["acme", "stripe"],
            ),
            (
                "[other_providers.acme]\ndialect = \"s3cret\"\n",
                &["acme", "use one of sandbox"],
            ),
            (
                "[other_providers.acme]\nurl = \"ftp://s3cret\"\n",
                &["line 2", "url", "http://"],
            ),
            (
                "[other_providers.acme]\nadress = \"s3cret\"\n",
                &["line 2", "adress", "timeout_ms"],
            ),
            (
                "[[provider_rules]]\nprovider = \"acme\"\ncurrencies = [\"s3cret\"]\n",
                &["acme", "unknown currency"],
            ),
            ("[[provider_rules]]\n", &["provider"]),
            (
                "mode = \"s3cret\"\n",
                &["line 1", "mode", "sandbox", "live"],
            ),
            (
                "[webhook_secrets]\nacme = [\n\"stripe:s3cret=,\n]\n",
                &["line 3"],
            ),
            (
                "[webhook_options.acme]\ncolour = \"red\"\n",
                &["line 2", "colour", "tolerance"],
            ),
            (
                "[webhook_options.acme]\nform = \"header=X;s3cret\"\n",
                &["acme", "part 2", "header="],
            ),
            (
                "[webhook_secrets]\nacme = 7\n",
                &["line 2", "acme", "SCHEME:SECRET"],
            ),
        ] {
            let said = said(text);
            for word in words {
                assert!(said.contains(word), "{text}: no {word:?} in {said}");
            }
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
