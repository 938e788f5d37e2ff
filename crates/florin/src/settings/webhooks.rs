//! The secrets of providers' webhooks.

use std::collections::BTreeMap;

use webhook_signatures::{Scheme, Secret};

use super::WrongSetting;

/// The scheme and the valid secrets of each provider, by the provider's name.
pub(crate) type Webhooks = BTreeMap<String, (Scheme, Vec<Secret>)>;

/// Refuses a text that cannot be the name of a provider. The name is a part of a URL and is stored with every
/// operation.
pub(super) fn check_name(provider: &str) -> Result<(), WrongSetting> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if provider.is_empty() || !provider.bytes().all(is_plain) {
        return Err(WrongSetting(
            "a provider's name is letters, digits, dashes and underscores".to_owned(),
        ));
    }
    Ok(())
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
