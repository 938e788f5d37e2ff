//! The secrets of providers' webhooks, and what some schemes need besides.

use std::collections::BTreeMap;

use serde::Deserialize;
use webhook_signatures::{Form, Scheme, Secret, Setup};

use super::{Settings, WrongSetting};

/// The scheme and the valid secrets of each provider, by the provider's name.
pub(crate) type Webhooks = BTreeMap<String, (Scheme, Vec<Secret>)>;

/// What was set for the webhooks of each provider besides their secrets, by the provider's name.
pub(crate) type WebhookOptions = BTreeMap<String, Options>;

/// Greatest number of seconds that a webhook may be set to be old or early: a day.
const MAX_TOLERANCE_SECONDS: i64 = 86_400;

/// What was set for the webhooks of one provider besides their secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    url: Option<String>,
    id: Option<String>,
    form: Option<Form>,
    tolerance_seconds: Option<i64>,
    unsigned: bool,
    tenant: Option<String>,
}

/// The options of one provider, as they are written in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenOptions {
    url: Option<String>,
    id: Option<String>,
    form: Option<String>,
    tolerance: Option<i64>,
    unsigned: Option<String>,
    tenant: Option<String>,
}

impl WrittenOptions {
    /// Adds them as if each had been written as `PROVIDER=NAME:VALUE`.
    pub(super) fn add_to(
        self,
        options: &mut WebhookOptions,
        provider: &str,
    ) -> Result<(), WrongSetting> {
        let tolerance = self.tolerance.map(|seconds| seconds.to_string());
        for (name, value) in [
            ("url", self.url),
            ("id", self.id),
            ("form", self.form),
            ("tolerance", tolerance),
            ("unsigned", self.unsigned),
            ("tenant", self.tenant),
        ] {
            if let Some(value) = value {
                add_option(options, &format!("{provider}={name}:{value}"))?;
            }
        }
        Ok(())
    }
}

/// Reads `PROVIDER=NAME:VALUE`. A later value of the same option replaces an earlier one.
pub(super) fn add_option(options: &mut WebhookOptions, text: &str) -> Result<(), WrongSetting> {
    let parts = text.split_once('=').and_then(|(provider, rest)| {
        rest.split_once(':')
            .map(|(name, value)| (provider, name, value))
    });
    let Some((provider, name, value)) = parts else {
        return Err(WrongSetting(
            "a webhook option is PROVIDER=NAME:VALUE".to_owned(),
        ));
    };
    check_name(provider)?;
    let of_provider = options.entry(provider.to_owned()).or_default();
    match name {
        "url" => of_provider.url = Some(value.to_owned()),
        "id" => of_provider.id = Some(value.to_owned()),
        "form" => {
            let form = Form::parse(value).map_err(|error| {
                WrongSetting(format!("the form of the webhooks of {provider}: {error}"))
            })?;
            of_provider.form = Some(form);
        }
        "tolerance" => {
            let seconds = value.parse().ok();
            let seconds = seconds.filter(|seconds| (0..=MAX_TOLERANCE_SECONDS).contains(seconds));
            of_provider.tolerance_seconds = Some(seconds.ok_or_else(|| {
                WrongSetting(format!(
                    "the tolerance of the webhooks of {provider} is 0 to {MAX_TOLERANCE_SECONDS} seconds, in plain \
                     digits"
                ))
            })?);
        }
        "tenant" => of_provider.tenant = Some(value.to_owned()),
        "unsigned" => {
            if value != "fetch" {
                return Err(WrongSetting(format!(
                    "unsigned webhooks of {provider} can only be taken as hints: write {provider}=unsigned:fetch"
                )));
            }
            of_provider.unsigned = true;
        }
        _ => {
            return Err(WrongSetting(format!(
                "the webhooks of {provider} have no such option: use one of url, id, form, tolerance, unsigned, tenant"
            )));
        }
    }
    Ok(())
}

impl Settings {
    /// Name of the tenant that the webhooks of a provider belong to, if it is set.
    pub(crate) fn webhook_tenant(&self, provider: &str) -> Option<&str> {
        self.webhook_options.get(provider)?.tenant.as_deref()
    }

    /// True if the webhooks of a provider may come without a signature, as hints.
    pub(crate) fn takes_unsigned(&self, provider: &str) -> bool {
        let set = self.webhook_options.get(provider);
        set.is_some_and(|set| set.unsigned)
    }

    /// The scheme of a provider's webhooks with what was set for it.
    pub(crate) fn webhook_setup(&self, provider: &str, scheme: Scheme) -> Setup {
        let set = self.webhook_options.get(provider).cloned();
        let set = set.unwrap_or_default();
        let mut setup = Setup::new(scheme);
        if let Some(url) = set.url {
            setup = setup.with_url(url);
        }
        if let Some(id) = set.id {
            setup = setup.with_webhook_id(id);
        }
        if let Some(form) = set.form {
            setup = setup.with_form(form);
        }
        if let Some(seconds) = set.tolerance_seconds {
            setup = setup.with_tolerance(seconds);
        }
        setup
    }

    /// Checks that every scheme has what it needs, and that every option belongs to a provider with a secret.
    pub(super) fn check_webhooks(&self) -> Result<(), WrongSetting> {
        for (provider, (scheme, _)) in &self.webhooks {
            let setup = self.webhook_setup(provider, *scheme);
            setup.check().map_err(|error| {
                WrongSetting(format!(
                    "the webhooks of {provider} ({}): {error}; set --webhook-option {provider}=NAME:VALUE (or \
                     FLORIN_WEBHOOK_OPTIONS)",
                    scheme.name()
                ))
            })?;
        }
        let mut names = self.webhook_options.keys();
        match names.find(|provider| !self.webhooks.contains_key(*provider)) {
            Some(provider) => Err(WrongSetting(format!(
                "there is a webhook option of {provider}, but no webhook secret: set --webhook-secret \
                 {provider}=SCHEME:SECRET (or FLORIN_WEBHOOK_SECRETS)"
            ))),
            None => Ok(()),
        }
    }
}

/// Refuses a text that cannot be the name of a provider. The name is a part of a URL and is stored with every
/// operation.
pub(super) fn check_name(provider: &str) -> Result<(), WrongSetting> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_plain);
    let (name, account) = provider.split_once('/').unwrap_or((provider, "default"));
    if is_name(name) && is_name(account) {
        return Ok(());
    }
    Err(WrongSetting(
        "a provider's name is letters, digits, dashes and underscores; an account of it follows after a slash, \
         as in stripe/eu"
            .to_owned(),
    ))
}

/// Reads `PROVIDER=SCHEME:SECRET`. An error never repeats the secret.
pub(super) fn add_secret(webhooks: &mut Webhooks, text: &str) -> Result<(), WrongSetting> {
    let parts = text.split_once('=').and_then(|(provider, rest)| {
        rest.split_once(':')
            .map(|(scheme, secret)| (provider, scheme, secret))
    });
    let Some((provider, scheme, secret)) = parts else {
        return Err(WrongSetting(
            "a webhook secret is PROVIDER=SCHEME:SECRET".to_owned(),
        ));
    };
    check_name(provider)?;
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

#[cfg(test)]
mod tests {
    use super::{WebhookOptions, Webhooks, add_option, add_secret};
    use webhook_signatures::Scheme;

    #[test]
    fn every_scheme_is_taken_with_a_secret_of_its_form() {
        let pem = include_str!("../../../webhook-signatures/tests/paypal/public-key.pem");
        for scheme in Scheme::ALL {
            let secret = match scheme {
                Scheme::StandardWebhooksV1a => {
                    "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=".to_owned()
                }
                Scheme::AdyenStandard | Scheme::AdyenPlatform => "5a".repeat(32),
                Scheme::Paypal => pem.to_owned(),
                Scheme::Stripe
                | Scheme::StandardWebhooks
                | Scheme::Svix
                | Scheme::Github
                | Scheme::Shopify
                | Scheme::Square
                | Scheme::Paddle
                | Scheme::CheckoutCom
                | Scheme::Mollie
                | Scheme::Hyperswitch
                | Scheme::Column
                | Scheme::Rfc9421HmacSha256
                | Scheme::Generic => "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            };
            let mut webhooks = Webhooks::new();
            let text = format!("acme={}:{secret}", scheme.name());
            let added = add_secret(&mut webhooks, &text).map_err(|error| error.to_string());
            assert_eq!(added, Ok(()), "{}", scheme.name());
            let text = format!("acme={}:", scheme.name());
            let empty = add_secret(&mut webhooks, &text).map_err(|error| error.to_string());
            let expected = "the webhook secret of acme: the secret is empty";
            assert_eq!(empty, Err(expected.to_owned()));
        }
    }

    #[test]
    fn an_option_is_read_or_its_mistake_is_told() {
        let mut options = WebhookOptions::new();
        for text in [
            "square=url:https://a.example/hook?a=b:c",
            "paypal=id:8PT597110X687430LKGECATA",
            "acme=form:header=X-S; signed={timestamp}.{body}; timestamp-header=X-T",
            "acme=tolerance:0",
        ] {
            let added = add_option(&mut options, text).map_err(|error| error.to_string());
            assert_eq!(added, Ok(()), "{text}");
        }
        let url = options.get("square").and_then(|set| set.url.as_deref());
        assert_eq!(url, Some("https://a.example/hook?a=b:c"));
        for (text, words) in [
            ("square", "PROVIDER=NAME:VALUE"),
            ("a b=url:x", "a provider's name"),
            ("square=uri:x", "url, id, form, tolerance, unsigned"),
            ("mollie=unsigned:yes", "unsigned:fetch"),
            ("acme=form:signed={body}", "`header` is missing"),
            ("acme=tolerance:-1", "0 to 86400"),
            ("acme=tolerance:86401", "0 to 86400"),
            ("acme=tolerance:5 s", "0 to 86400"),
        ] {
            let added = add_option(&mut options, text).map_err(|error| error.to_string());
            assert!(
                added.as_ref().is_err_and(|said| said.contains(words)),
                "{added:?}"
            );
        }
    }
}
