//! The headers that a sender adds to a message.

use crate::{Scheme, Secret, standard, stripe};

/// Why a message cannot be signed. All of these are mistakes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The secret was parsed for another scheme.
    #[error("the secret belongs to another scheme")]
    SecretOfAnotherScheme,
    /// The key is public and can only verify; only the private key (`whsk_`) signs.
    #[error("a public key cannot sign: give the private one (`whsk_`)")]
    PublicKey,
    /// Receivers refuse this id: it is empty, has a full stop in it, or is not visible ASCII.
    #[error("the message id must be visible ASCII without a full stop")]
    UnusableMessageId,
    /// The time is before 1970, which no header can express.
    #[error("the timestamp is negative")]
    NegativeTimestamp,
}

/// Signs a message and returns the headers to send with it, names and values.
///
/// `timestamp` is the time of this attempt in Unix seconds: each attempt must be signed anew. `message_id` is the same
/// for all attempts; Stripe's scheme has no id and ignores it.
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
