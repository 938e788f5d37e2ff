//! What the schemes with an HMAC share: digests as text, and the check of signatures against secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use crate::{Refusal, Scheme, Secret, SignError};

/// A hash function that is used in an HMAC.
pub(crate) type HmacSha256 = Hmac<Sha256>;
/// The same with SHA-512.
pub(crate) type HmacSha512 = Hmac<Sha512>;

/// Checks that one of the signatures is that of one of the secrets over the parts, one after another. The comparison
/// is the MAC's own, in constant time.
pub(crate) fn check<M>(
    scheme: Scheme,
    secrets: &[Secret],
    parts: &[&[u8]],
    signatures: &[Vec<u8>],
) -> Result<(), Refusal>
where
    M: KeyInit + Mac + Clone,
{
    let genuine = secrets
        .iter()
        .filter_map(|secret| secret.mac::<M>(scheme))
        .any(|mac| {
            let mac = parts.iter().fold(mac, |mac, part| mac.chain_update(part));
            signatures
                .iter()
                .any(|signature| mac.clone().verify_slice(signature).is_ok())
        });
    if genuine {
        Ok(())
    } else {
        Err(Refusal::NoMatchingSignature)
    }
}

/// The signature of the parts, one after another.
pub(crate) fn digest<M>(
    scheme: Scheme,
    secret: &Secret,
    parts: &[&[u8]],
) -> Result<Vec<u8>, SignError>
where
    M: KeyInit + Mac,
{
    let mac = secret
        .mac::<M>(scheme)
        .ok_or(SignError::SecretOfAnotherScheme)?;
    let mac = parts.iter().fold(mac, |mac, part| mac.chain_update(part));
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Refuses if none of the secrets belongs to the scheme.
pub(crate) fn any_secret(scheme: Scheme, secrets: &[Secret]) -> Result<(), Refusal> {
    if secrets.iter().any(|secret| secret.is_of(scheme)) {
        Ok(())
    } else {
        Err(Refusal::NoSecret)
    }
}

/// Reads lower-case hex only. Senders write lower case, and their libraries disagree on upper case; here one signature
/// has one form.
pub(crate) fn lower_case_hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    hex::decode(text).ok()
}

/// Reads base64 with its padding, in its one exact form.
pub(crate) fn exact_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// Writes base64 with its padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}
