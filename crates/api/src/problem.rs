//! What a caller is told when something is refused: RFC 9457 problems.
//!
//! Beside the members of the RFC stands an `error` object, because widespread payment client
//! libraries take any JSON without one for success, even at status 400.
//!
//! A body that is saved for replay holds no request id, since a replay has the same bytes and an id
//! of its own: [`Problem::to_saved_bytes`]. Every other one does: [`Problem::into_response`].
//! A 5xx says nothing of the inside; whoever makes one logs the cause.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use crate::strict_json::{FieldError, Refusal, Rule};

/// The media type of every problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

const TYPE_PREFIX: &str = "urn:florin:problem:";
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Whether the very same request, with the same key, can succeed later.
const LATER: Option<bool> = Some(true);
const NEVER: Option<bool> = Some(false);
/// Trying again does no harm and may not help.
const PERHAPS: Option<bool> = None;

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $family:ident $retry:ident $title:literal)+) => {
        /// Everything that can be wrong. A code exists only as a whole row of one table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: ", $title, ".")] $variant,)+
        }

        impl Code {
            /// All codes, for documents and tests.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The name on the wire; it never changes.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status,)+ }
            }

            /// The `type` in the `error` object.
            #[must_use]
            pub fn family(self) -> &'static str {
                match self { $(Code::$variant => stringify!($family),)+ }
            }

            /// Whether the very same request can succeed later; `None` is unknown.
            #[must_use]
            pub fn retryable(self) -> Option<bool> {
                match self { $(Code::$variant => $retry,)+ }
            }

            /// What it means, the same at every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)+ }
            }
        }
    };
}

codes! {
    MalformedRequest       "malformed_request"        BAD_REQUEST            invalid_request_error NEVER   "What was sent is not an HTTP request"
    HeadTooLarge           "head_too_large"           REQUEST_HEADER_FIELDS_TOO_LARGE invalid_request_error NEVER "The head of the request is too large"
    MalformedJson          "malformed_json"           BAD_REQUEST            invalid_request_error NEVER   "The body is not JSON"
    InvalidQuery           "invalid_query"            BAD_REQUEST            invalid_request_error NEVER   "A query parameter is wrong"
    InvalidField           "invalid_field"            UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "A field of the body is wrong"
    UnknownField           "unknown_field"            UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The body holds a field that does not exist"
    CardNumberRefused      "card_number_refused"      UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The body holds a card number"
    Unauthorized           "unauthorized"             UNAUTHORIZED           authentication_error  NEVER   "A valid API key is required"
    SignatureRefused       "signature_refused"        UNAUTHORIZED           authentication_error  NEVER   "The signature was not accepted"
    Forbidden              "forbidden"                FORBIDDEN              invalid_request_error NEVER   "This key may not do this"
    NotFound               "not_found"                NOT_FOUND              invalid_request_error NEVER   "There is no such resource"
    MethodNotAllowed       "method_not_allowed"       METHOD_NOT_ALLOWED     invalid_request_error NEVER   "The resource does not support this method"
    NotAcceptable          "not_acceptable"           NOT_ACCEPTABLE         invalid_request_error NEVER   "The answer cannot be given as it is asked for"
    RequestTimeout         "request_timeout"          REQUEST_TIMEOUT        invalid_request_error LATER   "The request did not arrive in time"
    PayloadTooLarge        "payload_too_large"        PAYLOAD_TOO_LARGE      invalid_request_error NEVER   "The body is too large"
    UnsupportedMediaType   "unsupported_media_type"   UNSUPPORTED_MEDIA_TYPE invalid_request_error NEVER   "The body must be plain application/json"
    RateLimited            "rate_limited"             TOO_MANY_REQUESTS      rate_limit_error      LATER   "Too many requests"
    IdempotencyKeyRequired "idempotency_key_required" BAD_REQUEST            idempotency_error     NEVER   "An Idempotency-Key is required"
    IdempotencyKeyInvalid  "idempotency_key_invalid"  BAD_REQUEST            idempotency_error     NEVER   "The Idempotency-Key is not valid"
    IdempotencyKeyReused   "idempotency_key_reused"   UNPROCESSABLE_ENTITY   idempotency_error     NEVER   "The Idempotency-Key belongs to another request"
    IdempotencyKeyInUse    "idempotency_key_in_use"   CONFLICT               idempotency_error     LATER   "A request with this Idempotency-Key is still in progress"
    AssetExists            "asset_exists"             CONFLICT               invalid_request_error NEVER   "There is such an asset already"
    AccountNotFound        "account_not_found"        NOT_FOUND              invalid_request_error NEVER   "There is no such account"
    AccountExists          "account_exists"           CONFLICT               invalid_request_error NEVER   "There is such an account already"
    AccountClosed          "account_closed"           CONFLICT               invalid_request_error NEVER   "The account is closed"
    AccountFrozen          "account_frozen"           CONFLICT               invalid_request_error NEVER   "The account is frozen"
    SameAccount            "same_account"             UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The two accounts must differ"
    CurrencyMismatch       "currency_mismatch"        UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The currencies differ"
    InsufficientFunds      "insufficient_funds"       UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The available balance does not suffice"
    LimitExceeded          "limit_exceeded"           UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "A limit of the account would be exceeded"
    BalanceOverflow        "balance_overflow"         UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The balance would grow beyond what can be counted"
    CurrencyWithdrawn      "currency_withdrawn"       UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "There is no such currency any more"
    SameCurrency           "same_currency"            UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "Both accounts hold the same currency"
    SidesDiffer            "sides_differ"             UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The accounts do not grow on the same side"
    AmountTooSmall         "amount_too_small"         UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The amount comes to nothing in the other currency"
    LegAlone               "leg_alone"                UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "An exchange is reversed on both sides"
    NotInProportion        "not_in_proportion"        UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "Both sides of an exchange are reversed in the same share"
    AmountTooLarge         "amount_too_large"         UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The amount comes to more than can be counted in the other currency"
    ExternalIdTaken        "external_id_taken"        CONFLICT               invalid_request_error NEVER   "The external id names another transaction"
    EffectiveInTheFuture   "effective_in_the_future"  UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The effective time is more than five minutes ahead"
    PeriodClosed           "period_closed"            CONFLICT               invalid_request_error NEVER   "The books are closed for that time"
    VersionMismatch        "version_mismatch"         CONFLICT               invalid_request_error NEVER   "The account is at another version"
    ConditionFailed        "condition_failed"         UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "A condition of the request does not hold"
    TransactionNotFound    "transaction_not_found"    NOT_FOUND              invalid_request_error NEVER   "There is no such transaction"
    TransactionStateConflict "transaction_state_conflict" CONFLICT           invalid_request_error NEVER   "The state of the transaction does not allow this"
    TransactionExpired     "transaction_expired"      CONFLICT               invalid_request_error NEVER   "The transaction has expired"
    ExceedsRemaining       "exceeds_remaining"        UNPROCESSABLE_ENTITY   invalid_request_error NEVER   "The amount is more than remains"
    AccountStateConflict   "account_state_conflict"   CONFLICT               invalid_request_error NEVER   "The state of the account does not allow this"
    Declined               "declined"                 PAYMENT_REQUIRED       card_error            NEVER   "The payment was declined"
    PaymentStateConflict   "payment_state_conflict"   CONFLICT               invalid_request_error NEVER   "The state of the payment does not allow this"
    Overloaded             "overloaded"               SERVICE_UNAVAILABLE    api_error             LATER   "There is too much to do at the moment"
    DatabaseUnavailable    "database_unavailable"     SERVICE_UNAVAILABLE    api_error             LATER   "The service is not available at the moment"
    Internal               "internal"                 INTERNAL_SERVER_ERROR  api_error             PERHAPS "Something went wrong on our side"
}

impl Code {
    /// The code of a refusal of which no more than its status is known.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Code {
        match status {
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            StatusCode::NOT_ACCEPTABLE => Code::NotAcceptable,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Code::HeadTooLarge,
            other if other.is_client_error() => Code::MalformedRequest,
            _ => Code::Internal,
        }
    }
}

/// A refusal as it is told to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .code.name())]
#[must_use]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    resource: Option<Box<str>>,
    decline_code: Option<Box<str>>,
    retry_after: Option<u16>,
    allow: Option<&'static str>,
    parts: Option<Box<Parts>>,
}

/// What can be done and what cannot, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Parts(BTreeMap<&'static str, String>);

impl Problem {
    /// A problem that says no more than its code does, with the `Retry-After` its kind has.
    pub fn new(code: Code) -> Problem {
        let detail = match code.status() {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "Trying again with the same Idempotency-Key is safe.".into()
            }
            _ => Cow::Owned(format!("{}.", code.title())),
        };
        let soon =
            code == Code::IdempotencyKeyInUse || code.status() == StatusCode::SERVICE_UNAVAILABLE;
        Problem {
            code,
            detail,
            errors: Vec::new(),
            resource: None,
            decline_code: None,
            retry_after: soon.then_some(1),
            allow: None,
            parts: None,
        }
    }

    /// What is wrong with a query: 400, with the name of each parameter at fault as its pointer.
    pub fn invalid_query(errors: Vec<FieldError>) -> Problem {
        Problem::new(Code::InvalidQuery).with_errors(errors)
    }

    /// What is wrong with the fields of a body: 422. The code is `card_number_refused` when there is
    /// any card number, `unknown_field` when nothing else is wrong, otherwise `invalid_field`.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Problem {
        let has = |code: Code| errors.iter().any(|error| error.code == code.name());
        let only_unknown = errors
            .iter()
            .all(|error| error.code == Code::UnknownField.name());
        let code = if has(Code::CardNumberRefused) {
            Code::CardNumberRefused
        } else if only_unknown && !errors.is_empty() {
            Code::UnknownField
        } else {
            Code::InvalidField
        };
        Problem::new(code).with_errors(errors)
    }

    /// The key was used for another request, which made this resource.
    pub fn idempotency_key_reused(resource: Option<String>) -> Problem {
        let resource = resource.map(String::into_boxed_str);
        Problem {
            resource,
            ..Problem::new(Code::IdempotencyKeyReused)
        }
        .with_detail("The same key came before with another body or route. Use a new key.")
    }

    /// The provider said no; its reason as a stable code.
    pub fn declined(decline_code: impl Into<Box<str>>) -> Problem {
        Problem {
            decline_code: Some(decline_code.into()),
            ..Problem::new(Code::Declined)
        }
    }

    /// The resource is there, but not for this method; `allow` lists those it has.
    pub fn method_not_allowed(allow: &'static str) -> Problem {
        Problem {
            allow: Some(allow),
            ..Problem::new(Code::MethodNotAllowed)
        }
    }

    /// Says more about this occurrence. Ignored for a 5xx, which says nothing of the inside.
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Problem {
        if !self.code.status().is_server_error() {
            self.detail = detail.into();
        }
        self
    }

    /// Names the fields at fault; the detail becomes that of the first.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Problem {
        if let [first, others @ ..] = errors.as_slice() {
            let more = match others.len() {
                0 => String::new(),
                more => format!(" ({more} more, see errors)"),
            };
            self = self.with_detail(format!("{}{more}", first.detail));
        }
        self.errors = errors;
        self
    }

    /// Names the one field at fault, by pointer, under the code and detail of the problem itself.
    pub fn at(self, pointer: &str) -> Problem {
        let error = FieldError {
            pointer: pointer.to_owned(),
            code: self.code.name(),
            detail: self.detail.clone().into_owned(),
        };
        self.with_errors(vec![error])
    }

    /// Puts every pointer below this one.
    pub fn below(mut self, place: &str) -> Problem {
        if self.errors.is_empty() {
            return self.at(place);
        }
        for error in &mut self.errors {
            error.pointer.insert_str(0, place);
        }
        self
    }

    /// Names the resource the problem is about.
    pub fn with_resource(mut self, id: impl Into<Box<str>>) -> Problem {
        self.resource = Some(id.into());
        self
    }

    /// Says what can be done and what cannot, each under a name of its own.
    pub fn with_parts<const N: usize>(mut self, parts: [(&'static str, String); N]) -> Problem {
        self.parts = Some(Box::new(Parts(BTreeMap::from(parts))));
        self
    }

    /// Says after how many seconds to try again.
    pub fn with_retry_after(mut self, seconds: u16) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The seconds for a `Retry-After` header.
    #[must_use]
    pub fn retry_after(&self) -> Option<u16> {
        self.retry_after
    }

    /// The body as it is saved for replay: the same bytes for the same problem, always.
    #[must_use]
    pub fn to_saved_bytes(&self) -> Vec<u8> {
        self.body(None)
    }

    /// The body, of media type [`CONTENT_TYPE`].
    #[must_use]
    pub fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let name = self.code.name();
        let body = Body {
            r#type: format!("{TYPE_PREFIX}{name}"),
            title: self.code.title(),
            status: self.status().as_u16(),
            detail: &self.detail,
            code: name,
            retryable: self.code.retryable(),
            errors: self.errors.iter().map(Entry::from).collect(),
            resource: self.resource.as_deref(),
            decline_code: self.decline_code.as_deref(),
            parts: self.parts.as_deref(),
            request_id,
            error: ErrorObject {
                r#type: self.code.family(),
                code: name,
                message: &self.detail,
                param: self
                    .errors
                    .first()
                    .and_then(|error| parameter(&error.pointer)),
                decline_code: self.decline_code.as_deref(),
            },
        };
        // Texts and numbers alone cannot fail to be written.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The whole answer, for a problem that is not saved.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            response.insert_header((REQUEST_ID, id));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = self.allow {
            response.insert_header((header::ALLOW, methods));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.body(self.body(Some(request_id)))
    }
}

/// JSON that breaks the grammar is a 400, JSON we do not take a 422, too much of either a 413.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let code = match refusal.rule {
            Rule::TooLarge => Code::PayloadTooLarge,
            Rule::NotUtf8 | Rule::Malformed { .. } => Code::MalformedJson,
            Rule::NotAnObject
            | Rule::DuplicateKey
            | Rule::TooDeep
            | Rule::NulCharacter
            | Rule::LoneSurrogate
            | Rule::IntegerOutOfRange
            | Rule::FractionOrExponent
            | Rule::NegativeZero => Code::InvalidField,
        };
        let detail = refusal.rule.to_string();
        let Refusal { pointer, rule } = refusal;
        Problem::new(code).with_errors(vec![FieldError {
            pointer,
            code: rule.code(),
            detail,
        }])
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Problem {
        Problem::invalid_fields(errors)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retryable: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    parts: Option<&'a Parts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct Entry<'a> {
    pointer: &'a str,
    code: &'a str,
    detail: &'a str,
}

impl<'a> From<&'a FieldError> for Entry<'a> {
    fn from(error: &'a FieldError) -> Entry<'a> {
        Entry {
            pointer: &error.pointer,
            code: error.code,
            detail: &error.detail,
        }
    }
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    r#type: &'a str,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
}

/// A pointer in the manner of form parameters: `/metadata/order` is `metadata[order]`.
fn parameter(pointer: &str) -> Option<String> {
    let path = pointer.strip_prefix('/').unwrap_or(pointer);
    let mut steps = path
        .split('/')
        .map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = steps.next().filter(|_| !pointer.is_empty())?;
    Some(steps.fold(first, |path, step| format!("{path}[{step}]")))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::strict_json::parse;

    fn body(problem: &Problem) -> Value {
        serde_json::from_slice(&problem.to_saved_bytes()).unwrap()
    }

    #[test]
    fn every_code_has_a_name_and_a_title_of_its_own_and_a_known_family() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        let titles: BTreeSet<&str> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!(
            (names.len(), titles.len()),
            (Code::ALL.len(), Code::ALL.len())
        );
        let known = [
            "invalid_request_error",
            "card_error",
            "idempotency_error",
            "api_error",
            "authentication_error",
            "rate_limit_error",
        ];
        for code in Code::ALL {
            assert!(known.contains(&code.family()), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn a_problem_has_the_members_of_the_rfc_and_an_error_object() {
        let errors = vec![
            FieldError::here("amount_not_positive", "Too little.").below("amount"),
            FieldError::here("too_long", "Too long.")
                .below("a/b")
                .below("metadata"),
        ];
        let expected = json!({
            "type": "urn:florin:problem:invalid_field",
            "title": "A field of the body is wrong",
            "status": 422,
            "detail": "Too little. (1 more, see errors)",
            "code": "invalid_field",
            "retryable": false,
            "errors": [
                {"pointer": "/amount", "code": "amount_not_positive", "detail": "Too little."},
                {"pointer": "/metadata/a~1b", "code": "too_long", "detail": "Too long."},
            ],
            "error": {
                "type": "invalid_request_error",
                "code": "invalid_field",
                "message": "Too little. (1 more, see errors)",
                "param": "amount",
            },
        });
        assert_eq!(body(&Problem::from(errors)), expected);
    }

    #[test]
    fn the_saved_body_is_the_sent_one_without_its_request_id() {
        let problem = Problem::declined("card_expired");
        let mut sent: Value = serde_json::from_slice(&problem.body(Some("req_1"))).unwrap();
        assert_eq!(sent["request_id"], "req_1");
        sent.as_object_mut().unwrap().remove("request_id");
        assert_eq!(sent, body(&problem));
        assert_eq!(sent["decline_code"], "card_expired");
        assert_eq!(sent["error"]["type"], "card_error");
        assert_eq!(problem.to_saved_bytes(), problem.clone().to_saved_bytes());
    }

    #[test]
    fn a_reused_key_names_the_first_resource() {
        let problem = Problem::idempotency_key_reused(Some("pay_1".into()));
        assert_eq!(problem.status().as_u16(), 422);
        assert_eq!(body(&problem)["resource"], "pay_1");
    }

    #[test]
    fn the_code_of_wrong_fields_follows_from_what_is_wrong() {
        let error = |code| FieldError::here(code, "").below("x");
        let (unknown, card) = (error("unknown_field"), error("card_number_refused"));
        for (errors, expected) in [
            (vec![error("required"), unknown.clone()], Code::InvalidField),
            (vec![unknown.clone(), unknown.clone()], Code::UnknownField),
            (vec![unknown, card], Code::CardNumberRefused),
            (Vec::new(), Code::InvalidField),
        ] {
            assert_eq!(Problem::from(errors).code(), expected);
        }
    }

    #[test]
    fn a_refused_body_is_a_400_a_413_or_a_422_with_its_place() {
        let refused = |bytes: &[u8]| body(&Problem::from(parse(bytes).unwrap_err()));
        let malformed = refused(b"{\"a\":}");
        assert_eq!(malformed["status"], 400);
        assert_eq!(malformed["errors"][0]["pointer"], "/a");
        let fraction = refused(b"{\"a\":12.5}");
        assert_eq!(
            (&fraction["status"], &fraction["code"]),
            (&json!(422), &json!("invalid_field"))
        );
        assert_eq!(fraction["errors"][0]["code"], "fraction_or_exponent");
        assert_eq!(fraction["error"]["param"], "a");
        assert_eq!(refused(&[b' '; 70_000])["status"], 413);
        let array = refused(b"[]");
        assert_eq!(array["errors"][0]["pointer"], "");
        assert_eq!(array["error"].get("param"), None);
    }

    #[test]
    fn parameters_are_named_as_forms_name_them() {
        assert_eq!(
            parameter("/metadata/a~1b/0").as_deref(),
            Some("metadata[a/b][0]")
        );
        assert_eq!(parameter("cursor").as_deref(), Some("cursor"));
        assert_eq!(parameter(""), None);
    }

    #[test]
    fn a_5xx_says_nothing_of_the_inside() {
        let problem = Problem::new(Code::Internal).with_detail("table accounts is missing");
        assert!(!problem.to_string().contains("accounts"));
        let problem = Problem::new(Code::DatabaseUnavailable).with_detail("no route to db-7");
        assert_eq!(problem, Problem::new(Code::DatabaseUnavailable));
    }

    #[test]
    fn the_response_carries_the_headers_of_its_kind() {
        let header = |problem: Problem, name: &str| {
            let response = problem.into_response("req_1");
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(
            header(Problem::new(Code::Overloaded), "retry-after"),
            is("1")
        );
        assert_eq!(
            header(Problem::new(Code::DatabaseUnavailable), "retry-after"),
            is("1")
        );
        assert_eq!(
            header(Problem::new(Code::IdempotencyKeyInUse), "retry-after"),
            is("1")
        );
        let limited = Problem::new(Code::RateLimited).with_retry_after(7);
        assert_eq!(header(limited, "retry-after"), is("7"));
        assert_eq!(header(Problem::new(Code::NotFound), "retry-after"), None);
        assert_eq!(
            header(Problem::new(Code::NotFound), "request-id"),
            is("req_1")
        );
        assert_eq!(
            header(Problem::new(Code::NotFound), "content-type"),
            is(CONTENT_TYPE)
        );
        assert_eq!(
            header(Problem::new(Code::Unauthorized), "www-authenticate"),
            is("Bearer")
        );
        assert_eq!(
            header(Problem::method_not_allowed("GET, POST"), "allow"),
            is("GET, POST")
        );
    }

    #[test]
    fn a_single_field_can_be_named() {
        let problem = Problem::new(Code::AccountNotFound).at("/debit_account");
        let expected = json!([{
            "pointer": "/debit_account",
            "code": "account_not_found",
            "detail": "There is no such account.",
        }]);
        assert_eq!(body(&problem)["errors"], expected);
        assert_eq!(problem.status().as_u16(), 404);
    }
}
