//! The API keys for providers, and the addresses to which providers send payers back.

use std::collections::BTreeMap;

use payments::providers::STRIPE;
use secrecy::{ExposeSecret as _, SecretString};

use super::webhooks::check_name;
use super::{Mode, Settings, WrongSetting};

/// The API key for each provider, by the provider's name.
pub(crate) type Keys = BTreeMap<String, SecretString>;

/// The beginnings of Stripe's keys that move real money.
const REAL: [&str; 2] = ["sk_live_", "rk_live_"];
/// The beginnings of Stripe's keys that move none.
const FOR_TESTS: [&str; 2] = ["sk_test_", "rk_test_"];

/// Reads `PROVIDER=KEY`. An error never repeats the key. A later key for the same provider replaces an earlier one.
pub(super) fn add_key(keys: &mut Keys, text: &str) -> Result<(), WrongSetting> {
    let Some((provider, key)) = text.split_once('=') else {
        return Err(WrongSetting("a provider's key is PROVIDER=KEY".to_owned()));
    };
    check_name(provider)?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(WrongSetting(format!(
            "the key for the provider {provider} is not visible ASCII characters"
        )));
    }
    keys.insert(provider.to_owned(), SecretString::from(key));
    Ok(())
}

/// Reads `PROVIDER=URL`.
pub(super) fn add_return_url(
    urls: &mut BTreeMap<String, String>,
    text: &str,
) -> Result<(), WrongSetting> {
    let Some((provider, url)) = text.split_once('=') else {
        return Err(WrongSetting("a return address is PROVIDER=URL".to_owned()));
    };
    check_name(provider)?;
    let read = reqwest::Url::parse(url).ok();
    let is_web = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if !read.as_ref().is_some_and(is_web) {
        return Err(WrongSetting(format!(
            "the return address of the provider {provider} is http:// or https:// and a host, such as \
             https://shop.example/paid"
        )));
    }
    urls.insert(provider.to_owned(), url.to_owned());
    Ok(())
}

impl Settings {
    /// Checks that each provider has the key that it needs, that the key fits the mode, and that it stays secret on
    /// its way.
    pub(super) fn check_keys(&self) -> Result<(), WrongSetting> {
        for provider in self.providers() {
            let name = &provider.name;
            let Some(key) = self.provider_keys.get(name) else {
                if provider.dialect == STRIPE {
                    return Err(WrongSetting(format!(
                        "the provider {name} needs an API key: set --provider-key {name}=KEY (or \
                         FLORIN_PROVIDER_KEYS)"
                    )));
                }
                continue;
            };
            let url = provider.url.as_ref().map(super::ProviderUrl::as_str);
            if url.is_some_and(|url| !is_private(url)) {
                return Err(WrongSetting(format!(
                    "the API key for the provider {name} would be sent unencrypted: use an address that begins \
                     with https://"
                )));
            }
            let begins = |with: [&str; 2]| {
                let key = key.expose_secret();
                provider.dialect == STRIPE && with.iter().any(|begin| key.starts_with(begin))
            };
            if self.mode == Mode::Sandbox && begins(REAL) {
                return Err(WrongSetting(format!(
                    "the API key for the provider {name} moves real money, and sandbox mode does not: use a key \
                     that begins with sk_test_, or live mode"
                )));
            }
            if self.mode == Mode::Live && begins(FOR_TESTS) {
                return Err(WrongSetting(format!(
                    "the API key for the provider {name} is one for tests, and live mode moves real money: use a \
                     key that begins with sk_live_"
                )));
            }
        }
        Ok(())
    }
}

/// True if nobody else can read what is sent to this address: it is encrypted, or stays on this machine.
fn is_private(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    url.scheme() == "https" || is_here
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_key_is_read_and_never_told() {
        let mut keys = Keys::new();
        add_key(&mut keys, "acme=sk_test_s3cret=").unwrap();
        add_key(&mut keys, "acme=sk_test_s3cret2").unwrap();
        assert_eq!(keys.get("acme").unwrap().expose_secret(), "sk_test_s3cret2");
        assert!(!format!("{keys:?}").contains("s3cret"), "{keys:?}");
        for (text, word) in [
            ("s3cret", "PROVIDER=KEY"),
            ("a b=s3cret", "a provider's name"),
            ("acme=", "visible ASCII"),
            ("acme=s3cret two", "visible ASCII"),
            ("acme=s3cr\u{e9}t", "visible ASCII"),
        ] {
            let said = add_key(&mut keys, text).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
            assert!(!said.contains("s3cr"), "{said}");
        }
    }

    #[test]
    fn an_address_is_private_if_it_is_encrypted_or_here() {
        for url in [
            "https://api.stripe.com",
            "http://127.0.0.1:8420",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://api.stripe.com",
            "http://10.0.0.1",
            "http://localhost.example",
            "x",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn a_return_address_is_one() {
        let mut urls = BTreeMap::new();
        add_return_url(&mut urls, "acme=https://shop.example/paid?a=b").unwrap();
        assert_eq!(urls.get("acme").unwrap(), "https://shop.example/paid?a=b");
        for text in [
            "acme",
            "a b=https://x",
            "acme=",
            "acme=ftp://x",
            "acme=shop.example",
        ] {
            assert!(add_return_url(&mut urls, text).is_err(), "{text}");
        }
    }
}
