//! The address to listen on, as it is written in settings.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// An address to listen on: a port, or a host and a port. A host may have several addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen(Vec<SocketAddr>);

/// Why a text is not an address to listen on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error(
        "{0:?} is no address to listen on: write a port (8080, on this machine alone), or a host and a \
         port (localhost:8080, 0.0.0.0:8080, [::1]:8080)"
    )]
    Malformed(String),
    #[error("the host of {0:?} has no address: {1}")]
    Unknown(String, std::io::Error),
}

impl Listen {
    /// The addresses, in the order in which they are tried.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self(vec![address])
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<String> = self.0.iter().map(SocketAddr::to_string).collect();
        f.write_str(&shown.join(" or "))
    }
}

/// Reads an address. A port alone, with or without its colon, means the loopback address, so that nobody opens a
/// server to the network by leaving something out.
impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let alone = text.strip_prefix(':').unwrap_or(text);
        if let Ok(port) = alone.parse::<u16>()
            && alone.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Ok(SocketAddr::from(([127, 0, 0, 1], port)).into());
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(address.into());
        }
        let malformed = || ListenError::Malformed(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().ok().ok_or_else(malformed)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(malformed());
        }
        let unknown = |cause| ListenError::Unknown(text.to_owned(), cause);
        let mut found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unknown)?.collect();
        // Addresses of IPv4 come first, because clients often use 127.0.0.1.
        found.sort_by_key(SocketAddr::is_ipv6);
        found.dedup();
        if found.is_empty() {
            return Err(malformed());
        }
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<SocketAddr> {
        let listen: Listen = text.parse().ok()?;
        listen.addresses().first().copied()
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let local = Some(SocketAddr::from(([127, 0, 0, 1], 8080)));
        for text in ["8080", ":8080", "127.0.0.1:8080", "localhost:8080"] {
            assert_eq!(first(text), local, "{text}");
        }
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
        assert_eq!(first("0.0.0.0:0"), Some(everywhere));
        let version_6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 8080));
        assert_eq!(first("[::1]:8080"), Some(version_6));
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in [
            "",
            ":",
            "here",
            "-1",
            "+80",
            "65536",
            ":65536",
            "::1",
            "127.0.0.1",
            "localhost:",
            "a b:1",
            "http://localhost:8080",
            "localhost:http",
        ] {
            let said = text.parse::<Listen>().err().map(|error| error.to_string());
            let said = said.unwrap_or_default();
            assert!(said.contains("localhost:8080"), "{text:?}: {said}");
        }
    }
}
