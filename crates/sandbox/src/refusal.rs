//! Why the provider refuses a request, and the form of each reason on the wire.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use money::{AmountError, CurrencyError};
use serde_json::json;

use crate::lines::WriteError;

/// One variant for each reason; its text is the `error` member of the answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("idempotency_key_required")]
    KeyRequired,
    #[error("invalid_idempotency_key")]
    InvalidKey,
    #[error("invalid_tenant")]
    InvalidTenant,
    #[error("body_too_large")]
    BodyTooLarge,
    #[error("body_too_slow")]
    BodyTooSlow,
    #[error("malformed_body")]
    MalformedBody,
    #[error("invalid_amount")]
    InvalidAmount(#[from] AmountError),
    #[error("invalid_currency")]
    InvalidCurrency(#[from] CurrencyError),
    #[error("invalid_reference")]
    InvalidReference,
    #[error("unknown_payment_method")]
    UnknownPaymentMethod,
    #[error("unknown_destination")]
    UnknownDestination,
    #[error("invalid_reason")]
    InvalidReason,
    #[error("invalid_evidence")]
    InvalidEvidence,
    #[error("idempotency_mismatch")]
    Mismatch,
    #[error("no_such_charge")]
    NoSuchCharge,
    #[error("no_such_refund")]
    NoSuchRefund,
    #[error("no_such_payout")]
    NoSuchPayout,
    #[error("no_such_dispute")]
    NoSuchDispute,
    #[error("no_such_event")]
    NoSuchEvent,
    #[error("no_such_settlement")]
    NoSuchSettlement,
    #[error("nothing_to_settle")]
    NothingToSettle,
    #[error("already_finished")]
    AlreadyFinished,
    #[error("not_captured")]
    NotCaptured,
    #[error("no_such_route")]
    NoSuchRoute,
    #[error("no_webhook_target")]
    NoWebhookTarget,
    #[error("server_error")]
    Scripted,
    #[error("not_recorded")]
    NotRecorded(#[from] WriteError),
    #[error("no_randomness")]
    NoRandomness(#[from] getrandom::Error),
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::KeyRequired
            | Self::InvalidKey
            | Self::InvalidTenant
            | Self::MalformedBody
            | Self::InvalidAmount(_)
            | Self::InvalidCurrency(_)
            | Self::InvalidReference
            | Self::UnknownPaymentMethod
            | Self::UnknownDestination
            | Self::InvalidReason
            | Self::InvalidEvidence => StatusCode::BAD_REQUEST,
            Self::NoSuchCharge
            | Self::NoSuchRefund
            | Self::NoSuchPayout
            | Self::NoSuchDispute
            | Self::NoSuchEvent
            | Self::NoSuchSettlement
            | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Mismatch
            | Self::AlreadyFinished
            | Self::NotCaptured
            | Self::NothingToSettle
            | Self::NoWebhookTarget => StatusCode::CONFLICT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Scripted | Self::NotRecorded(_) | Self::NoRandomness(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::NotRecorded(cause) = self {
            tracing::error!(%cause, "a call was refused because it could not be recorded");
        }
        HttpResponse::build(self.status_code()).json(json!({ "error": self.to_string() }))
    }
}
