//! Webhook signing schemes: signs and verifies raw bytes.
//!
//! A webhook can come from anyone. Before one byte of its body is parsed, [`verify`] answers whether the holder of a
//! known secret signed exactly these bytes, and when. [`sign`] makes the headers of an outgoing webhook, in the same
//! schemes.
//!
//! | scheme | signed bytes | headers | signature | secret |
//! |---|---|---|---|---|
//! | `stripe` | `t.body` | `Stripe-Signature: t=…,v1=…` | HMAC-SHA-256, lower-case hex | the whole text, `whsec_` included |
//! | `standard-webhooks` | `id.timestamp.body` | `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…` | HMAC-SHA-256, base64 | base64 after an optional `whsec_`, 24 to 64 bytes |
//! | `standard-webhooks-v1a` | the same | the same, `v1a,…` | Ed25519, base64 | `whpk_` verifies, `whsk_` signs |
//! | `svix` | the same | `svix-id`, `svix-timestamp`, `svix-signature: v1,…` | as `standard-webhooks` | as `standard-webhooks` |
//!
//! # What it never does
//!
//! There is no I/O, no clock, no database and no randomness: the caller passes the time and the bytes. This crate
//! does not parse bodies, and does not remember messages: within the tolerance a repeated message verifies again, so
//! the receiver must accept each message only once.
//!
//! # Invariants
//!
//! - Every signature in the request is tried with every secret that is given, so that an old and a new secret work
//!   at the same time while one replaces the other.
//! - Signatures are compared by the MAC's own constant-time check, never as text.
//! - One message has one form. These are refused: a header that occurs twice; a timestamp with a sign, a space or a
//!   fraction; upper-case hex; base64 that is not exact; and a message id with a full stop in it, because full stops
//!   separate the signed parts.
//! - A time too far in the future is refused like a time too far in the past.
//! - No secret is accepted that could be guessed because it is short, and no secret is ever printed.
//!
//! # Order of refusals
//!
//! 1. there is no secret of the scheme ([`Refusal::NoSecret`]);
//! 2. headers are missing, doubled or malformed;
//! 3. the signature ([`Refusal::NoMatchingSignature`]);
//! 4. the time ([`Refusal::TooOld`], [`Refusal::InTheFuture`]).
//!
//! The signature is checked before the time, so that "too old" is only said about a genuine message: it tells an
//! operator about a slow queue, a wrong clock or a repeated message, never about a forgery. Checking the time first
//! would save no work against a forger, who can write any time.
//!
//! # Example
//!
//! ```
//! use webhook_signatures::{Refusal, Request, Scheme, Secret, sign, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scheme = Scheme::StandardWebhooks;
//! let secret = Secret::parse(scheme, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let sent = sign(scheme, &secret, "msg_1", 1_767_225_590, b"{}")?;
//!
//! let headers: Vec<(&str, &[u8])> = sent.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
//! let request = Request { headers: &headers, body: b"{}" };
//! let tolerance = scheme.default_tolerance_seconds();
//!
//! let verified = verify(scheme, std::slice::from_ref(&secret), &request, 1_767_225_600, tolerance)?;
//! assert_eq!(verified.message_id.as_deref(), Some("msg_1"));
//!
//! let too_late = verify(scheme, &[secret], &request, 1_767_225_891, tolerance);
//! assert_eq!(too_late, Err(Refusal::TooOld { by: 1 }));
//! # Ok(())
//! # }
//! ```

mod request;
mod scheme;
mod secret;
mod signing;
mod standard;
mod stripe;
mod verification;

pub use request::Request;
pub use scheme::Scheme;
pub use secret::{Secret, SecretError};
pub use signing::{SignError, sign};
pub use verification::{Refusal, SignedData, verify};
