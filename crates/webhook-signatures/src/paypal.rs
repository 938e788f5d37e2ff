//! PayPal: `PAYPAL-TRANSMISSION-SIG`, an RSA signature (PKCS #1, SHA-256) over `id|time|webhook id|checksum`.
//!
//! The checksum is the CRC-32 of the body, in decimal. It is easy to find another body with the same checksum, so a
//! genuine signature proves that PayPal sent *some* event with this id: a message is a hint to fetch the event. The
//! webhook id is that of the receiver's own webhook at PayPal; events of PayPal's simulator are signed with the id
//! `WEBHOOK_ID`.
//!
//! PayPal publishes its certificate at the address in `PAYPAL-CERT-URL`. Nothing is fetched here. [`certificate_url`]
//! tells whether the address is one of PayPal's, and [`secret_of_chain`] makes a secret of what was fetched there, if it
//! is trusted. Rules: <https://developer.paypal.com/api/rest/webhooks/rest/>.

#[cfg(feature = "paypal")]
#[path = "paypal/certificate.rs"]
mod certificate;
#[cfg(not(feature = "paypal"))]
#[path = "paypal/none.rs"]
mod certificate;

pub(crate) use certificate::RsaKey;
#[cfg(feature = "paypal")]
pub use certificate::secret_of_chain;

use crate::mac::exact_base64;
use crate::{Covers, Refusal, Request, Secret, SignedData};

const ID: &str = "PAYPAL-TRANSMISSION-ID";
const TIME: &str = "PAYPAL-TRANSMISSION-TIME";
const SIGNATURE: &str = "PAYPAL-TRANSMISSION-SIG";
const ALGORITHM: &str = "PAYPAL-AUTH-ALGO";
const CERTIFICATE_URL: &str = "PAYPAL-CERT-URL";
/// The only algorithm in use.
const SHA256_WITH_RSA: &str = "SHA256withRSA";

/// How an address of one of PayPal's certificates begins. Nothing shorter will do: the request names the address, and
/// whoever may choose it may choose the key.
const ADDRESSES: [&str; 4] = [
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api-m.paypal.com/v1/notifications/certs/",
    "https://api.sandbox.paypal.com/v1/notifications/certs/",
    "https://api-m.sandbox.paypal.com/v1/notifications/certs/",
];

/// The address of the sender's certificate, if it is one of PayPal's.
///
/// # Errors
///
/// A [`Refusal`] if the header is missing or doubled, or if the address is not one of PayPal's.
pub fn certificate_url<'a>(request: &Request<'a>) -> Result<&'a str, Refusal> {
    let url = request.sole_header(CERTIFICATE_URL)?;
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    str::from_utf8(url)
        .ok()
        .filter(|url| {
            ADDRESSES
                .iter()
                .filter_map(|address| url.strip_prefix(address))
                .any(|name| !name.is_empty() && name.bytes().all(is_name_byte))
        })
        .ok_or(Refusal::UntrustedAddress)
}

pub(crate) fn verify(
    secrets: &[Secret],
    webhook_id: Option<&str>,
    request: &Request<'_>,
) -> Result<SignedData, Refusal> {
    let mut keys = secrets.iter().filter_map(Secret::rsa_key).peekable();
    keys.peek().ok_or(Refusal::NoSecret)?;
    let webhook_id = webhook_id.ok_or(Refusal::NotSetUp { what: "webhook id" })?;

    let malformed = |name: &'static str| Refusal::MalformedHeader { name: name.into() };
    let part = |name: &'static str| {
        // A bar would let one part pass for two.
        Some(request.sole_header(name)?)
            .filter(|text| !text.is_empty() && !text.contains(&b'|'))
            .ok_or_else(|| malformed(name))
    };
    let (id, time) = (part(ID)?, part(TIME)?);
    if request.sole_header(ALGORITHM)? != SHA256_WITH_RSA.as_bytes() {
        return Err(malformed(ALGORITHM));
    }
    let signature = request.sole_header(SIGNATURE)?;
    let signature = exact_base64(signature).ok_or_else(|| malformed(SIGNATURE))?;
    let _trusted = certificate_url(request)?;

    let checksum = crc32fast::hash(request.body).to_string();
    let signed = [id, time, webhook_id.as_bytes(), checksum.as_bytes()].join(&b'|');
    if !keys.any(|key| key.verifies(&signed, &signature)) {
        return Err(Refusal::NoMatchingSignature);
    }
    Ok(SignedData {
        timestamp: None,
        message_id: str::from_utf8(id).ok().map(str::to_owned),
        covers: Covers::Checksum,
    })
}

#[cfg(test)]
mod tests {
    use super::certificate_url;
    use crate::{Refusal, Request};

    fn judged(url: &str) -> Result<String, Refusal> {
        let headers = [("PAYPAL-CERT-URL", url.as_bytes())];
        let request = Request {
            headers: &headers,
            body: b"",
        };
        certificate_url(&request).map(str::to_owned)
    }

    #[test]
    fn only_addresses_of_paypal_are_taken() {
        for url in [
            "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
            "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
            "https://api-m.paypal.com/v1/notifications/certs/CERT-1",
        ] {
            assert_eq!(judged(url), Ok(url.to_owned()));
        }
        for url in [
            "",
            "https://evil.example/cert.pem",
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
            "https://evilpaypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/v1/notifications/certs/../../redirect",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?to=evil.example",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#",
            "https://api.paypal.com/v1/other/CERT-1",
            " https://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/CERT\u{fc}",
        ] {
            assert_eq!(judged(url), Err(Refusal::UntrustedAddress), "{url}");
        }
    }
}
