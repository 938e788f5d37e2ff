//! The other providers, in addition to the one of `--provider`, and the rules by which payments go to them.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use money::Currency;
use payments::providers::{DIALECTS, Methods, ProvidersError, Rule, SANDBOX, STRIPE};
use serde::Deserialize;

use super::values::{ProviderTimeout, ProviderUrl};
use super::webhooks::check_name;
use super::{Settings, WrongSetting};

/// The address of Stripe.
const STRIPE_URL: &str = "https://api.stripe.com";

/// A provider, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedProvider {
    pub(crate) name: String,
    /// The provider's address. In sandbox mode a provider without an address is played.
    pub(crate) url: Option<ProviderUrl>,
    /// Name of the provider's dialect.
    pub(crate) dialect: String,
    /// Time that the provider has for an answer.
    pub(crate) timeout: Duration,
}

/// Another provider, from a flag, the environment or the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherProvider {
    name: String,
    dialect: String,
    timeout: Option<ProviderTimeout>,
    url: Option<ProviderUrl>,
}

impl OtherProvider {
    fn new(
        name: &str,
        dialect: &str,
        timeout: Option<ProviderTimeout>,
        url: Option<ProviderUrl>,
    ) -> Result<Self, WrongSetting> {
        check_name(name)?;
        if !DIALECTS.contains(&dialect) {
            return Err(WrongSetting(format!(
                "the dialect of the provider {name} is unknown: use one of {}",
                DIALECTS.join(", ")
            )));
        }
        // Stripe has one address. Every other provider has one of its own.
        let of_stripe = || STRIPE_URL.parse().ok().filter(|_| dialect == STRIPE);
        Ok(Self {
            name: name.to_owned(),
            dialect: dialect.to_owned(),
            timeout,
            url: url.or_else(of_stripe),
        })
    }
}

impl FromStr for OtherProvider {
    type Err = WrongSetting;

    /// Reads `NAME=DIALECT[:TIMEOUT_MS][:URL]`. An error never repeats the address, because it may have a password.
    fn from_str(text: &str) -> Result<Self, WrongSetting> {
        let Some((name, rest)) = text.split_once('=') else {
            return Err(WrongSetting(
                "another provider is NAME=DIALECT[:TIMEOUT_MS][:URL]".to_owned(),
            ));
        };
        let (dialect, rest) = rest.split_once(':').unwrap_or((rest, ""));
        let (timeout, url) = match rest.split_once(':') {
            _ if rest.is_empty() => ("", ""),
            _ if rest.starts_with("http") => ("", rest),
            Some((timeout, url)) => (timeout, url),
            None => (rest, ""),
        };
        let timeout = (!timeout.is_empty()).then(|| timeout.parse()).transpose();
        let url = (!url.is_empty()).then(|| url.parse()).transpose();
        let wrong = |said: String| WrongSetting(format!("the provider {name}: {said}"));
        check_name(name)?;
        let timeout =
            timeout.map_err(|error: super::values::TimeoutError| wrong(error.to_string()));
        let url = url.map_err(|error: super::values::ProviderUrlError| wrong(error.to_string()));
        Self::new(name, dialect, timeout?, url?)
    }
}

/// Reads `PROVIDER=CURRENCIES[:METHODS]`. Both are lists with `+` between the items; a star means all of them.
fn rule(text: &str) -> Result<Rule, WrongSetting> {
    let Some((provider, rest)) = text.split_once('=') else {
        return Err(WrongSetting(
            "a rule is PROVIDER=CURRENCIES[:METHODS], such as acme=EUR+USD:pm_card_*".to_owned(),
        ));
    };
    let (currencies, methods) = rest.split_once(':').unwrap_or((rest, "*"));
    let listed = |text: &'_ str| -> Vec<String> {
        let listed = text.split('+').map(str::to_owned);
        if text == "*" {
            Vec::new()
        } else {
            listed.collect()
        }
    };
    WrittenRule {
        provider: provider.to_owned(),
        currencies: listed(currencies),
        payment_methods: listed(methods),
    }
    .read()
}

/// A provider in the file. Its name is the key of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenProvider {
    dialect: Option<String>,
    #[serde(default, deserialize_with = "super::file::parsed")]
    timeout_ms: Option<ProviderTimeout>,
    #[serde(default, deserialize_with = "super::file::parsed")]
    url: Option<ProviderUrl>,
}

/// The providers in the file.
pub(super) fn providers(
    written: BTreeMap<String, WrittenProvider>,
) -> Result<Vec<OtherProvider>, WrongSetting> {
    let written = written.into_iter();
    let read = written.map(|(name, written)| {
        let dialect = written.dialect.as_deref().unwrap_or(SANDBOX);
        OtherProvider::new(&name, dialect, written.timeout_ms, written.url)
    });
    read.collect()
}

/// A rule in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    provider: String,
    #[serde(default)]
    currencies: Vec<String>,
    #[serde(default)]
    payment_methods: Vec<String>,
}

impl WrittenRule {
    /// Reads the rule. An error repeats the name of the provider and no other value.
    pub(super) fn read(self) -> Result<Rule, WrongSetting> {
        let provider = self.provider;
        check_name(&provider)?;
        let currencies = self.currencies.iter().map(|code| {
            Currency::from_code(code).map_err(|_unknown| {
                WrongSetting(format!(
                    "a rule for the provider {provider} names an unknown currency: use codes of ISO 4217 in \
                     capitals, such as EUR"
                ))
            })
        });
        let currencies = currencies.collect::<Result<_, _>>()?;
        let methods = self.payment_methods.iter().map(|text| {
            Methods::parse(text).ok_or_else(|| {
                WrongSetting(format!(
                    "a rule for the provider {provider} names a payment method that is none: use a token, or \
                     its beginning with a star after it, such as pm_card_*"
                ))
            })
        });
        let methods = methods.collect::<Result<_, _>>()?;
        Ok(Rule {
            provider,
            currencies,
            methods,
        })
    }
}

impl Settings {
    /// All providers: the one of `--provider`, if there is one, and the others.
    pub(crate) fn providers(&self) -> Vec<NamedProvider> {
        let main = (!self.provider.is_empty()).then(|| NamedProvider {
            name: self.provider.clone(),
            url: self.provider_url.clone(),
            dialect: SANDBOX.to_owned(),
            timeout: self.provider_timeout,
        });
        let others = self.other_providers.iter().map(|other| NamedProvider {
            name: other.name.clone(),
            url: other.url.clone(),
            dialect: other.dialect.clone(),
            timeout: other.timeout.map_or(self.provider_timeout, |it| it.0),
        });
        main.into_iter().chain(others).collect()
    }

    /// The provider of payments that no rule fits.
    pub(crate) fn default_provider(&self) -> Option<&str> {
        (!self.no_default_provider).then_some(&*self.provider)
    }

    /// True if one of the other providers has this name.
    pub(super) fn is_another(&self, name: &str) -> bool {
        self.other_providers.iter().any(|other| other.name == name)
    }

    /// Checks that the other providers have all settings that live mode needs.
    pub(super) fn check_others_live(&self) -> Result<(), WrongSetting> {
        for OtherProvider { name, url, .. } in &self.other_providers {
            if url.is_none() {
                return Err(WrongSetting(format!(
                    "live mode needs the address of the provider {name}: set it as in --other-provider \
                     {name}=sandbox:https://api.example.com"
                )));
            }
            if !self.webhooks.contains_key(name) {
                return Err(WrongSetting(format!(
                    "live mode needs a webhook secret of the provider {name}: set --webhook-secret \
                     {name}=SCHEME:SECRET (or FLORIN_WEBHOOK_SECRETS)"
                )));
            }
        }
        Ok(())
    }
}

impl From<ProvidersError> for WrongSetting {
    fn from(error: ProvidersError) -> Self {
        let advice = match error {
            ProvidersError::Twice(_) => "give each of --provider and --other-provider another name",
            ProvidersError::UnknownInRule(_) => {
                "set it with --other-provider, or name another one in --provider-rule"
            }
            ProvidersError::UnknownDefault(_) => "set --provider (or FLORIN_PROVIDER)",
            ProvidersError::NothingServed => {
                "add a --provider-rule, or leave --no-default-provider away"
            }
        };
        Self(format!("{error}: {advice}"))
    }
}

/// The providers of the flags and the environment, and those of the file with other names.
pub(super) fn together(
    of_file: Vec<OtherProvider>,
    given: &[String],
) -> Result<Vec<OtherProvider>, WrongSetting> {
    let given = given.iter().map(|text| text.parse());
    let given: Vec<OtherProvider> = given.collect::<Result<_, _>>()?;
    let is_given = |name: &str| given.iter().any(|given| given.name == name);
    let of_file: Vec<_> = of_file
        .into_iter()
        .filter(|other| !is_given(&other.name))
        .collect();
    Ok(of_file.into_iter().chain(given).collect())
}

/// The rules of the flags or the environment; if there are none, the rules of the file. Rules have an order, so
/// the rules of two places are not mixed.
pub(super) fn rules(of_file: Vec<Rule>, given: &[String]) -> Result<Vec<Rule>, WrongSetting> {
    match given {
        [] => Ok(of_file),
        given => given.iter().map(|text| rule(text)).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn another_provider_is_read_with_what_it_has() {
        let url = "https://u:s3cret@acme.example/v2";
        for (text, timeout, address) in [
            ("acme=sandbox".to_owned(), None, None),
            ("acme=sandbox:500".to_owned(), Some(500), None),
            (format!("acme=sandbox:{url}"), None, Some(url)),
            (format!("acme=sandbox:500:{url}"), Some(500), Some(url)),
        ] {
            let read: OtherProvider = text.parse().unwrap();
            assert_eq!((&*read.name, &*read.dialect), ("acme", "sandbox"));
            let timeout = timeout.map(|millis| ProviderTimeout(Duration::from_millis(millis)));
            assert_eq!(read.timeout, timeout, "{text}");
            assert_eq!(
                read.url.as_ref().map(ProviderUrl::as_str),
                address,
                "{text}"
            );
        }
        for (text, word) in [
            ("acme", "NAME=DIALECT"),
            ("a b=sandbox", "a provider's name"),
            ("=sandbox", "a provider's name"),
            ("acme=", "use one of sandbox"),
            ("acme=telegraph", "use one of sandbox"),
            ("acme=sandbox:0", "1 to"),
            ("acme=sandbox:soon:http://x", "1 to"),
            ("acme=sandbox:1:ftp://s3cret", "http://"),
            ("acme=sandbox:https://u:s3cret@x/?a", "http://"),
        ] {
            let said = text.parse::<OtherProvider>().unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn a_rule_is_read() {
        let euro = || Currency::from_code("EUR").unwrap();
        let dollar = Currency::from_code("USD").unwrap();
        let methods = |texts: &[&str]| -> Vec<Methods> {
            texts
                .iter()
                .filter_map(|text| Methods::parse(text))
                .collect()
        };
        for (text, currencies, payment_methods) in [
            ("acme=*", vec![], vec![]),
            ("acme=EUR", vec![euro()], vec![]),
            ("acme=EUR+USD:*", vec![euro(), dollar], vec![]),
            ("acme=*:pm_a", vec![], methods(&["pm_a"])),
            (
                "acme=EUR:pm_a+pm:b_*",
                vec![euro()],
                methods(&["pm_a", "pm:b_*"]),
            ),
        ] {
            let read = rule(text).unwrap();
            assert_eq!(read.provider, "acme");
            assert_eq!(read.currencies, currencies, "{text}");
            assert_eq!(read.methods, payment_methods, "{text}");
        }
        for (text, word) in [
            ("acme", "PROVIDER=CURRENCIES"),
            ("a b=EUR", "a provider's name"),
            ("acme=", "unknown currency"),
            ("acme=eur", "unknown currency"),
            ("acme=EUR+", "unknown currency"),
            ("acme=EUR:", "a payment method"),
            ("acme=EUR:a*b", "a payment method"),
        ] {
            let said = rule(text).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
