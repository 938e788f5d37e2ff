//! The headers a sender puts on a message.

use crate::{Scheme, Secret, standard, stripe};

/// Why a message cannot be signed. All of them are mistakes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The secret was parsed for another scheme.
    #[error("the secret belongs to another scheme")]
    SecretOfAnotherScheme,
    /// A public key verifies; only the private key (`whsk_`) signs.
    #[error("a public key cannot sign: give the private one (`whsk_`)")]
    PublicKey,
    /// An id that receivers refuse: empty, with a full stop, or not visible ASCII.
    #[error("the message id must be visible ASCII without a full stop")]
    UnusableMessageId,
    /// A time before 1970, which no header can carry.
    #[error("the timestamp is negative")]
    NegativeTimestamp,
}

/// Signs a message and returns the headers to send with it, names and values.
///
/// `timestamp` is the time of this attempt in Unix seconds: sign anew at each attempt. `message_id` stays the same
/// at each; Stripe's scheme carries none and ignores it.
///
/// # Errors
///
/// See [`SignError`].
pub fn sign(
    scheme: Scheme,
    secret: &Secret,
    message_id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, SignError> {
    if timestamp < 0 {
        return Err(SignError::NegativeTimestamp);
    }
    match scheme {
        Scheme::Stripe => stripe::sign(secret, timestamp, body),
        Scheme::StandardWebhooks | Scheme::Svix => {
            standard::sign_symmetric(scheme, secret, message_id, timestamp, body)
        }
        Scheme::StandardWebhooksV1a => {
            standard::sign_asymmetric(secret, message_id, timestamp, body)
        }
    }
}
