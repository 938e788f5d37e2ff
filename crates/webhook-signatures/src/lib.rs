//! Webhook signing schemes: signs and verifies raw bytes.
//!
//! A webhook can come from anyone. Before one byte of its body is used, [`verify`] answers whether the holder of a
//! known secret signed it, and when. [`sign`] makes the headers of an outgoing webhook, in the same schemes.
//!
//! ```
//! use webhook_signatures::{Request, Scheme, Secret, verify};
//!
//! # fn handle(headers: &[(&str, &[u8])], body: &[u8], now: i64) -> Result<(), Box<dyn std::error::Error>> {
//! let scheme = Scheme::Stripe;
//! let secret = Secret::parse(scheme, "whsec_5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c")?; // once, at the start
//! let request = Request { headers, body }; // as they came, before anything is parsed
//! let verdict = verify(scheme, &[secret], &request, now, scheme.default_tolerance_seconds());
//! match &verdict {
//!     Ok(signed) => println!("genuine: {signed:?}"),
//!     Err(refusal) => println!("answer 401 and say no more; for the log: {refusal}"),
//! }
//! # assert!(verdict.is_ok());
//! # Ok(())
//! # }
//! # let secret = Secret::parse(Scheme::Stripe, "whsec_5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c").unwrap();
//! # let sent = webhook_signatures::sign(Scheme::Stripe, &secret, "", 5, b"{}").unwrap();
//! # handle(&[(sent[0].0, sent[0].1.as_bytes())], b"{}", 5).unwrap();
//! ```
//!
//! A [`Setup`] has what some schemes need besides a secret, and tells what identifies an event
//! ([`Setup::identities`]). With the feature `actix-web` there is an extractor, in the module `actix`.
//!
//! | scheme | signed bytes | headers | signature | secret |
//! |---|---|---|---|---|
//! | `stripe` | `t.body` | `Stripe-Signature: t=…,v1=…` | HMAC-SHA-256, lower-case hex | the whole text, `whsec_` included |
//! | `standard-webhooks` | `id.timestamp.body` | `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…` | HMAC-SHA-256, base64 | base64 after an optional `whsec_`, 24 to 64 bytes |
//! | `standard-webhooks-v1a` | the same | the same, `v1a,…` | Ed25519, base64 | `whpk_` verifies, `whsk_` signs |
//! | `svix` | the same | `svix-id`, `svix-timestamp`, `svix-signature: v1,…` | as `standard-webhooks` | as `standard-webhooks` |
//! | `github` | body | `X-Hub-Signature-256: sha256=…` | HMAC-SHA-256, hex | the text |
//! | `shopify` | body | `X-Shopify-Hmac-Sha256` | HMAC-SHA-256, base64 | the text |
//! | `square` | URL and body | `x-square-hmacsha256-signature` | HMAC-SHA-256, base64 | the text |
//! | `paddle` | `ts:body` | `Paddle-Signature: ts=…;h1=…` | HMAC-SHA-256, hex | the text |
//! | `adyen-standard` | eight fields of each item | none: `hmacSignature` in the body | HMAC-SHA-256, base64 | 64 hexadecimal digits |
//! | `adyen-platform` | body | `HmacSignature` | HMAC-SHA-256, base64 | 64 hexadecimal digits |
//! | `checkout.com` | body | `Cko-Signature` | HMAC-SHA-256, hex | the text |
//! | `paypal` | `id\|time\|webhook id\|checksum` | `PAYPAL-TRANSMISSION-*` | RSA with SHA-256, base64 | certificate or public key in PEM form |
//! | `mollie` | body | `X-Mollie-Signature: sha256=…` | HMAC-SHA-256, hex | the text |
//! | `hyperswitch` | body | `x-webhook-signature-512` | HMAC-SHA-512, hex | the text |
//! | `column` | body | `Column-Signature` | HMAC-SHA-256, hex | the text |
//! | `rfc9421-hmac-sha256` | the parts that the sender names | `Signature-Input`, `Signature`, `Content-Digest` | HMAC-SHA-256, base64 | base64, 16 bytes or more |
//! | `generic` | by a [`Form`] | by the form | HMAC-SHA-256 or -512, hex or base64 | the text, `hex:…` or `base64:…` |
//!
//! # What it never does
//!
//! There is no I/O, no clock, no database and no randomness: the caller passes the time and the bytes. This crate
//! does not remember messages: a repeated message verifies again, so the receiver must accept each message only once.
//! It reads a body only where the signature stands in it (`adyen-standard`), and where the identity of an event does.
//!
//! # Invariants
//!
//! - Every signature in the request is tried with every secret that is given, so that an old and a new secret work
//!   at the same time while one replaces the other.
//! - Signatures are compared by the MAC's own constant-time check, never as text.
//! - One message has one form. These are refused: a header that occurs twice (but for Mollie, who sends it twice); a
//!   timestamp with a sign, a space or a fraction; upper-case hex; base64 that is not exact; and a message id with the
//!   character in it that separates the signed parts.
//! - A time too far in the future is refused like a time too far in the past.
//! - No empty secret is accepted, none that is shorter than its scheme says, and no secret is ever printed.
//! - What is not covered by the signature is never called genuine: [`SignedData::covers`] tells how much is.
//!
//! # Order of refusals
//!
//! 1. there is no secret of the scheme ([`Refusal::NoSecret`]), or a setting is missing ([`Refusal::NotSetUp`]);
//! 2. headers or the signed body are missing, doubled or malformed;
//! 3. the signature ([`Refusal::NoMatchingSignature`]);
//! 4. the time ([`Refusal::TooOld`], [`Refusal::InTheFuture`]).
//!
//! The signature is checked before the time, so that "too old" is only said about a genuine message: it tells an
//! operator about a slow queue, a wrong clock or a repeated message, never about a forgery. Checking the time first
//! would save no work against a forger, who can write any time.
//!
//! # Signing and verifying
//!
//! ```
//! use webhook_signatures::{Refusal, Request, Scheme, Secret, Setup};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let setup = Setup::new(Scheme::StandardWebhooks).with_tolerance(300);
//! let secret = Secret::parse(setup.scheme(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let sent = setup.sign(&secret, "msg_1", 1_767_225_590, b"{}")?;
//!
//! let headers: Vec<(&str, &[u8])> = sent.iter().map(|(name, value)| (name.as_ref(), value.as_bytes())).collect();
//! let request = Request { headers: &headers, body: b"{}" };
//!
//! let signed = setup.verify(std::slice::from_ref(&secret), &request, 1_767_225_600)?;
//! assert_eq!(signed.message_id.as_deref(), Some("msg_1"));
//!
//! let too_late = setup.verify(&[secret], &request, 1_767_225_891);
//! assert_eq!(too_late, Err(Refusal::TooOld { by: 1 }));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "actix-web")]
pub mod actix;
mod adyen_platform;
pub mod adyen_standard;
mod body;
mod checkout;
mod column;
mod generic;
mod github;
mod hyperswitch;
mod identity;
mod mac;
mod mollie;
mod paddle;
pub mod paypal;
mod request;
mod rfc9421;
mod scheme;
mod secret;
mod setup;
mod shopify;
mod signing;
mod square;
mod standard;
mod stripe;
mod verification;

pub use generic::{Form, FormError};
pub use identity::{Identity, IdentityError};
pub use request::Request;
pub use scheme::Scheme;
pub use secret::{Secret, SecretError};
pub use setup::{Setup, SetupError};
pub use signing::{SignError, sign};
pub use verification::{Covers, Refusal, SignedData, verify};
