//! A problem as the description of an API has it.

use serde::Serialize;
use utoipa::ToSchema;

/// A problem: why a request was refused, or has failed (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:florin:problem:`, followed by the code.
    pub r#type: String,
    /// The meaning of the code, which is the same at every occurrence.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The details of this occurrence.
    pub detail: String,
    /// The name of the problem, which never changes.
    #[schema(example = "insufficient_funds")]
    pub code: String,
    /// Whether the same request can succeed later; absent if that is not known.
    #[schema(nullable = false)]
    pub retryable: Option<bool>,
    /// The wrong fields of the body, by JSON pointer, or the wrong parameters of the query, by name; absent if
    /// there are none.
    #[schema(nullable = false, min_items = 1)]
    pub errors: Option<Vec<ProblemField>>,
    /// The id of the resource that the problem is about.
    #[schema(nullable = false)]
    pub resource: Option<String>,
    /// The reason for which the payment was declined.
    #[schema(nullable = false)]
    pub decline_code: Option<String>,
    /// The present state of the resource, if that state does not allow the request.
    #[schema(nullable = false, example = "succeeded")]
    pub state: Option<String>,
    /// The moves that this state allows: `confirmed`, `captured`, `incremented`, `canceled`, `refunded`.
    #[schema(nullable = false)]
    pub moves: Option<Vec<String>>,
    /// The amount that is left, in minor units, if the request asks for more.
    #[schema(nullable = false, minimum = 0)]
    pub left: Option<i64>,
    /// The id of the request; absent if the answer is saved for replay.
    #[schema(nullable = false, pattern = "^req_[0-9a-f]{16}$")]
    pub request_id: Option<String>,
    /// The same problem in the form of widespread client libraries, which take JSON without this field for
    /// success.
    pub error: ProblemError,
}

/// A wrong field of the body, or a wrong parameter of the query.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// The JSON pointer to the field (RFC 6901), or the name of the parameter.
    #[schema(example = "/amount")]
    pub pointer: String,
    /// The name of the broken rule.
    pub code: String,
    /// The broken rule in words.
    pub detail: String,
}

/// A problem in the form of widespread client libraries.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemError {
    /// The family of the problem.
    pub r#type: ProblemFamily,
    /// The code of the problem.
    pub code: String,
    /// The detail of the problem.
    pub message: String,
    /// The first wrong field or parameter.
    #[schema(nullable = false)]
    pub param: Option<String>,
    /// The reason for which the payment was declined.
    #[schema(nullable = false)]
    pub decline_code: Option<String>,
}

/// The families of problems, by what is at fault.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemFamily {
    /// The request is at fault.
    InvalidRequestError,
    /// The payer's means of payment is at fault.
    CardError,
    /// The idempotency key is at fault.
    IdempotencyError,
    /// The server is at fault.
    ApiError,
    /// The API key or the signature is at fault.
    AuthenticationError,
    /// There are too many requests.
    RateLimitError,
}
