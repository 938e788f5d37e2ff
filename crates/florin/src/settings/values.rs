//! Values of settings, each with a rule of its own.

use std::str::FromStr;
use std::time::Duration;

/// Least number of characters of an operator's key.
const MIN_KEY: usize = 32;

/// Time that the provider has for an answer: at least a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProviderTimeout(pub(crate) Duration);

/// Why a text is not a time-out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the provider's time-out is 1 to {} milliseconds, in plain digits",
    u32::MAX
)]
pub(crate) struct TimeoutError;

impl FromStr for ProviderTimeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let millis: u32 = text.parse().map_err(|_no_number| TimeoutError)?;
        if millis == 0 {
            return Err(TimeoutError);
        }
        Ok(Self(Duration::from_millis(millis.into())))
    }
}

/// The base address of a provider, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderUrl(String);

/// Why a text is not an address of a provider. The message never repeats the text, because it may have a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "the provider's address is http:// or https:// and a host, such as https://api.example.com"
)]
pub(crate) struct ProviderUrlError;

impl ProviderUrl {
    /// The address as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderUrl {
    type Err = ProviderUrlError;

    fn from_str(text: &str) -> Result<Self, ProviderUrlError> {
        let url = reqwest::Url::parse(text).map_err(|_malformed| ProviderUrlError)?;
        let is_base = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            // Paths are appended to the address, so it has no query and no fragment.
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_base {
            return Err(ProviderUrlError);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// The SHA-256 of an operator's key, which is long enough not to be guessed. The error never repeats the key.
pub(crate) fn operator_key(text: &str) -> Result<[u8; 32], String> {
    if text.len() < MIN_KEY || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "the operator's key (--operator-key or FLORIN_OPERATOR_KEY) is at least {MIN_KEY} visible ASCII \
             characters: `openssl rand -hex 32` makes one"
        ));
    }
    Ok(access::hash(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_time_and_an_address() {
        for (text, millis) in [("1", 1), ("10000", 10_000), ("4294967295", 4_294_967_295)] {
            let read = text.parse().ok();
            let meant = ProviderTimeout(Duration::from_millis(millis));
            assert_eq!(read, Some(meant), "{text}");
        }
        for text in ["0", "", "-1", "1.5", "soon", "4294967296"] {
            assert!(text.parse::<ProviderTimeout>().is_err(), "{text}");
        }
        for (text, meant) in [
            ("https://api.example.com/", "https://api.example.com"),
            ("http://127.0.0.1:9/v2", "http://127.0.0.1:9/v2"),
        ] {
            let read = text.parse::<ProviderUrl>().ok();
            assert_eq!(read.as_ref().map(ProviderUrl::as_str), Some(meant));
        }
        for text in [
            "",
            "x",
            "ftp://x",
            "http://",
            "api.example.com",
            "https://x/?a=b",
            "https://x/#a",
            "file:///etc/passwd",
            "mailto:a@b",
        ] {
            assert!(text.parse::<ProviderUrl>().is_err(), "{text}");
        }
    }
}
