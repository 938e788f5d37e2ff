//! The codes of problems: each is one row. This file has the codes that any route can give; a capability has its
//! own codes beside its routes.

/// One thing that can be wrong.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// The name on the wire; it never changes.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The `type` in the `error` object.
    pub family: &'static str,
    /// True if the very same request, with the same key, can succeed later; `None` is unknown.
    pub retry: Option<bool>,
    /// True if a refusal with this code is saved for the idempotency key, so that a retry gets it again.
    pub kept: bool,
    /// The meaning in words, the same at every occurrence.
    pub title: &'static str,
}

/// The request is at fault.
pub const INVALID_REQUEST: &str = "invalid_request_error";
/// The API key or the signature is at fault.
pub const AUTHENTICATION: &str = "authentication_error";
/// There are too many requests.
pub const RATE_LIMIT: &str = "rate_limit_error";
/// The idempotency key is at fault.
pub const IDEMPOTENCY: &str = "idempotency_error";
/// The payer's card is at fault.
pub const CARD: &str = "card_error";
/// The server is at fault.
pub const API: &str = "api_error";
/// Every family.
pub const FAMILIES: [&str; 6] = [
    INVALID_REQUEST,
    CARD,
    IDEMPOTENCY,
    API,
    AUTHENTICATION,
    RATE_LIMIT,
];

/// The very same request can succeed later.
pub const LATER: Option<bool> = Some(true);
/// The very same request can never succeed.
pub const NEVER: Option<bool> = Some(false);
/// Another attempt does no harm, but may not help.
pub const PERHAPS: Option<bool> = None;

/// A decision about the request. It is saved for the key.
pub const KEPT: bool = true;
/// A mistake in the request, or no answer to it. The key stays free.
pub const FREE: bool = false;

/// Makes constants of rows, and the list `ALL` of them.
#[macro_export]
macro_rules! codes {
    ($($constant:ident: $name:literal $status:literal $family:ident $retry:ident $kept:ident $title:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $title, ".")]
            pub const $constant: &$crate::Code = &$crate::Code {
                name: $name,
                status: $status,
                family: $crate::code::$family,
                retry: $crate::code::$retry,
                kept: $crate::code::$kept,
                title: $title,
            };
        )+

        /// The rows of this table.
        pub const ALL: &[&$crate::Code] = &[$($constant,)+];
    };
}

codes! {
    MALFORMED_REQUEST: "malformed_request" 400 INVALID_REQUEST NEVER FREE "What was sent is not an HTTP request";
    HEAD_TOO_LARGE: "head_too_large" 431 INVALID_REQUEST NEVER FREE "The head of the request is too large";
    MALFORMED_JSON: "malformed_json" 400 INVALID_REQUEST NEVER FREE "The body is not JSON";
    INVALID_QUERY: "invalid_query" 400 INVALID_REQUEST NEVER FREE "A query parameter is wrong";
    INVALID_FIELD: "invalid_field" 422 INVALID_REQUEST NEVER FREE "A field of the body is wrong";
    UNKNOWN_FIELD: "unknown_field" 422 INVALID_REQUEST NEVER FREE "The body holds a field that does not exist";
    CARD_NUMBER_REFUSED: "card_number_refused" 422 INVALID_REQUEST NEVER FREE "The body holds a card number";
    UNAUTHORIZED: "unauthorized" 401 AUTHENTICATION NEVER FREE "A valid API key is required";
    SIGNATURE_REFUSED: "signature_refused" 401 AUTHENTICATION NEVER FREE "The signature was not accepted";
    FORBIDDEN: "forbidden" 403 INVALID_REQUEST NEVER FREE "This key may not do this";
    NOT_FOUND: "not_found" 404 INVALID_REQUEST NEVER FREE "There is no such resource";
    METHOD_NOT_ALLOWED: "method_not_allowed" 405 INVALID_REQUEST NEVER FREE "The resource does not support this method";
    NOT_ACCEPTABLE: "not_acceptable" 406 INVALID_REQUEST NEVER FREE "The answer cannot be given as it is asked for";
    REQUEST_TIMEOUT: "request_timeout" 408 INVALID_REQUEST LATER FREE "The request did not arrive in time";
    PAYLOAD_TOO_LARGE: "payload_too_large" 413 INVALID_REQUEST NEVER FREE "The body is too large";
    UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type" 415 INVALID_REQUEST NEVER FREE "The body must be plain application/json";
    RATE_LIMITED: "rate_limited" 429 RATE_LIMIT LATER FREE "Too many requests";
    IDEMPOTENCY_KEY_REQUIRED: "idempotency_key_required" 400 IDEMPOTENCY NEVER FREE "An Idempotency-Key is required";
    IDEMPOTENCY_KEY_INVALID: "idempotency_key_invalid" 400 IDEMPOTENCY NEVER FREE "The Idempotency-Key is not valid";
    IDEMPOTENCY_KEY_REUSED: "idempotency_key_reused" 422 IDEMPOTENCY NEVER FREE "The Idempotency-Key belongs to another request";
    IDEMPOTENCY_KEY_IN_USE: "idempotency_key_in_use" 409 IDEMPOTENCY LATER FREE "A request with this Idempotency-Key is still in progress";
    OVERLOADED: "overloaded" 503 API LATER FREE "Too many requests of this tenant are waiting";
    DATABASE_UNAVAILABLE: "database_unavailable" 503 API LATER FREE "The service is not available at the moment";
    INTERNAL: "internal" 500 API PERHAPS FREE "Something went wrong on our side";
}

/// The code of a refusal of which only the status is known.
#[must_use]
pub fn of_status(status: u16) -> &'static Code {
    match status {
        404 => NOT_FOUND,
        405 => METHOD_NOT_ALLOWED,
        408 => REQUEST_TIMEOUT,
        413 => PAYLOAD_TOO_LARGE,
        415 => UNSUPPORTED_MEDIA_TYPE,
        406 => NOT_ACCEPTABLE,
        431 => HEAD_TOO_LARGE,
        400..500 => MALFORMED_REQUEST,
        _ => INTERNAL,
    }
}

/// Finds the faults of a table of codes: a name or a title that occurs twice, an unknown family, a status that
/// is no refusal.
#[must_use]
pub fn faults(table: &[&Code]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, code) in table.iter().enumerate() {
        let mut before = table.iter().take(place);
        if before.any(|other| other.name == code.name || other.title == code.title) {
            found.push(format!("{} stands twice", code.name));
        }
        if !FAMILIES.contains(&code.family) || !(400..600).contains(&code.status) {
            found.push(format!("{} has no such family or status", code.name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_and_a_title_of_its_own_and_a_known_family() {
        assert_eq!(faults(ALL), Vec::<String>::new());
        assert_eq!(faults(&[NOT_FOUND, NOT_FOUND]), ["not_found stands twice"]);
        let odd = Code {
            family: "odd",
            status: 200,
            ..*INTERNAL
        };
        assert_eq!(faults(&[&odd]).len(), 1);
    }
}
