//! A problem as the description of an API has it.

use serde::Serialize;
use utoipa::ToSchema;

/// What was refused, and why (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:florin:problem:` and the code.
    pub r#type: String,
    /// What it means, the same at every occurrence.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong here.
    pub detail: String,
    /// A stable name.
    #[schema(example = "insufficient_funds")]
    pub code: String,
    /// Whether the very same request can succeed later; absent if nobody knows.
    #[schema(nullable = false)]
    pub retryable: Option<bool>,
    /// The fields that are wrong, by JSON pointer, and the parameters of a query, by name; absent if
    /// there is none to name.
    #[schema(nullable = false, min_items = 1)]
    pub errors: Option<Vec<ProblemField>>,
    /// The id of what the problem is about.
    #[schema(nullable = false)]
    pub resource: Option<String>,
    /// Why the payment was declined.
    #[schema(nullable = false)]
    pub decline_code: Option<String>,
    /// The request, where the body is not saved for replay.
    #[schema(nullable = false, pattern = "^req_[0-9a-f]{16}$")]
    pub request_id: Option<String>,
    /// The same for client libraries that take JSON without it for success.
    pub error: ProblemError,
}

/// A field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// Where (RFC 6901), or the name of a parameter.
    #[schema(example = "/amount")]
    pub pointer: String,
    /// Which rule.
    pub code: String,
    /// In words.
    pub detail: String,
}

/// A problem in the words of widespread client libraries.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemError {
    /// Which family of problems.
    pub r#type: ProblemFamily,
    /// The code of the problem.
    pub code: String,
    /// Its detail.
    pub message: String,
    /// The first of the fields that are wrong.
    #[schema(nullable = false)]
    pub param: Option<String>,
    /// Why the payment was declined.
    #[schema(nullable = false)]
    pub decline_code: Option<String>,
}

/// Families of problems.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemFamily {
    /// The request is at fault.
    InvalidRequestError,
    /// The payer's means of payment is.
    CardError,
    /// The idempotency key is.
    IdempotencyError,
    /// We are.
    ApiError,
    /// The API key or the signature is.
    AuthenticationError,
    /// There are too many requests.
    RateLimitError,
}
