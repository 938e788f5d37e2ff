//! The headers that a sender adds to a message.

use crate::{
    Scheme, Secret, adyen_platform, adyen_standard, checkout, column, github, hyperswitch, mollie,
    paddle, rfc9421, shopify, standard, stripe,
};

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
    /// The scheme needs more than a secret, and it was not given.
    #[error("the scheme needs a setting that is missing: {what}")]
    NotSetUp {
        /// What is missing.
        what: &'static str,
    },
    /// Only the sender has the key that signs.
    #[error("only PayPal signs in this scheme")]
    SenderOnly,
    /// The signature belongs into the body, and the body cannot be read.
    #[error("the body cannot be signed: {what}")]
    MalformedBody {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The time has more than 15 digits, the most that a structured field can hold (RFC 9651).
    #[error("the timestamp has more than 15 digits")]
    LongTimestamp,
    /// The time is before 1970, which no header can express.
    #[error("the timestamp is negative")]
    NegativeTimestamp,
}

/// Signs a message and returns the headers to send with it, names and values.
///
/// `timestamp` is the time of this attempt in Unix seconds: each attempt must be signed anew. `message_id` is the same
/// for all attempts. Schemes without a time or without an id ignore them. A scheme that needs more than a secret signs by
/// a [`Setup`](crate::Setup).
///
/// The scheme `adyen-standard` has its signatures in the body: for each item in turn the result has one pair
/// `hmacSignature` and the value for `additionalData`. That is no header.
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
        Scheme::Github => github::sign(secret, body),
        Scheme::Shopify => shopify::sign(secret, body),
        Scheme::Paddle => paddle::sign(secret, timestamp, body),
        Scheme::AdyenStandard => adyen_standard::sign(secret, body),
        Scheme::AdyenPlatform => adyen_platform::sign(secret, body),
        Scheme::CheckoutCom => checkout::sign(secret, body),
        Scheme::Mollie => mollie::sign(secret, body),
        Scheme::Hyperswitch => hyperswitch::sign(secret, body),
        Scheme::Column => column::sign(secret, body),
        Scheme::Rfc9421HmacSha256 => rfc9421::sign(secret, timestamp, body),
        Scheme::Square => Err(SignError::NotSetUp { what: "URL" }),
        Scheme::Generic => Err(SignError::NotSetUp { what: "form" }),
        Scheme::Paypal => Err(SignError::SenderOnly),
    }
}
