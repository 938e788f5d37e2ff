//! What the schemes share that sign the body and nothing else, once, in one header.

use hmac::{KeyInit, Mac};

use crate::mac::{any_secret, check};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignedData};

/// Verifies the single signature in the header. `read` makes bytes of its text.
pub(crate) fn verify<M>(
    scheme: Scheme,
    header: &'static str,
    read: fn(&[u8]) -> Option<Vec<u8>>,
    secrets: &[Secret],
    request: &Request<'_>,
) -> Result<SignedData, Refusal>
where
    M: KeyInit + Mac + Clone,
{
    any_secret(scheme, secrets)?;
    let signature = read(request.sole_header(header)?).ok_or(Refusal::MalformedHeader {
        name: header.into(),
    })?;
    check::<M>(scheme, secrets, &[request.body], &[signature])?;
    Ok(genuine())
}

/// A genuine body without a time and without an id.
pub(crate) const fn genuine() -> SignedData {
    SignedData {
        timestamp: None,
        message_id: None,
        covers: Covers::Body,
    }
}
