//! An extractor for actix-web: a handler with a parameter [`Verified`] runs only for genuine requests.
//!
//! ```
//! use actix_web::{App, HttpResponse, web};
//! use webhook_signatures::actix::{Sender, Verified};
//! use webhook_signatures::{Scheme, Secret, Setup};
//!
//! async fn hook(webhook: Verified) -> HttpResponse {
//!     println!("{} genuine bytes", webhook.body.len());
//!     HttpResponse::Ok().finish()
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scheme = Scheme::Stripe;
//! let secret = Secret::parse(scheme, "whsec_5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c")?;
//! let now = || std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs().cast_signed());
//! let sender = web::Data::new(Sender::new(Setup::new(scheme), vec![secret], now)?);
//! let _app = App::new().app_data(sender).route("/hook", web::post().to(hook));
//! # Ok(())
//! # }
//! ```
//!
//! The body is read as it was sent: actix-web's own extractors would unpack it first, and a signature must cover the
//! bytes as sent. So a request with a `Content-Encoding` is answered with 415. A request that is refused gets a 401 with
//! an empty body, whatever the reason: the reason goes to [`Sender::on_refusal`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};

use crate::{Refusal, Request, Secret, Setup, SetupError, SignedData};

/// The largest body that is read, in bytes, unless another limit is set.
const MAX_BYTES: usize = 256 * 1024;

/// What the extractor knows of the sender: the setup, the live secrets, and the receiver's clock. It belongs into the
/// `app_data` of the route, the scope or the app, in a [`web::Data`].
pub struct Sender {
    setup: Setup,
    secrets: Vec<Secret>,
    now_unix: fn() -> i64,
    max_bytes: usize,
    on_refusal: fn(&Refusal),
}

/// A genuine request.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What the signature says. [`SignedData::covers`] tells how much of the body is genuine.
    pub signed: SignedData,
    /// The body, byte for byte as it was sent.
    pub body: Bytes,
}

/// The answer to a request that is not handed on. It does not say why.
#[derive(Clone, Copy, Debug)]
pub struct NotVerified(StatusCode);

impl Sender {
    /// A sender with its live secrets. `now_unix` gives the time in Unix seconds.
    ///
    /// # Errors
    ///
    /// [`SetupError`] if the scheme needs more than it was given, or if no secret belongs to it.
    pub fn new(
        setup: Setup,
        secrets: Vec<Secret>,
        now_unix: fn() -> i64,
    ) -> Result<Self, SetupError> {
        setup.check()?;
        if !secrets.iter().any(|secret| secret.is_of(setup.scheme())) {
            return Err(SetupError::Missing { what: "secret" });
        }
        Ok(Self {
            setup,
            secrets,
            now_unix,
            max_bytes: MAX_BYTES,
            on_refusal: |_| {},
        })
    }

    /// Sets the largest body that is read, in bytes. A larger one is answered with 413.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets what is done with the reason of a refusal: write it into a log. Nobody else learns it.
    #[must_use]
    pub const fn on_refusal(mut self, on_refusal: fn(&Refusal)) -> Self {
        self.on_refusal = on_refusal;
        self
    }

    fn verify(&self, request: &HttpRequest, body: Bytes) -> Result<Verified, NotVerified> {
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let received = Request {
            headers: &headers,
            body: &body,
        };
        let verdict = self
            .setup
            .verify(&self.secrets, &received, (self.now_unix)());
        match verdict {
            Ok(signed) => Ok(Verified { signed, body }),
            Err(refusal) => {
                (self.on_refusal)(&refusal);
                Err(NotVerified(StatusCode::UNAUTHORIZED))
            }
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotVerified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the webhook was not accepted")
    }
}

impl ResponseError for NotVerified {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.0)
    }
}

impl FromRequest for Verified {
    type Error = NotVerified;
    type Future = Pin<Box<dyn Future<Output = Result<Self, NotVerified>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let sender = request
                .app_data::<web::Data<Sender>>()
                .ok_or(NotVerified(StatusCode::INTERNAL_SERVER_ERROR))?
                .clone();
            if request.headers().contains_key(CONTENT_ENCODING) {
                return Err(NotVerified(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
            let payload = web::Payload::from_request(&request, &mut { payload })
                .await
                .ok()
                .ok_or(NotVerified(StatusCode::BAD_REQUEST))?;
            let body = payload
                .to_bytes_limited(sender.max_bytes)
                .await
                .ok()
                .ok_or(NotVerified(StatusCode::PAYLOAD_TOO_LARGE))?;
            let body = body.ok().ok_or(NotVerified(StatusCode::BAD_REQUEST))?;
            sender.verify(&request, body)
        })
    }
}
