//! Problems (RFC 9457): the answers that refuse a request.
//!
//! A problem also has an `error` object, because widespread client libraries take any JSON without one for a
//! success, even at status 400.
//!
//! A body that is saved for replay has no request id, because a replay has the same bytes and another id:
//! [`Problem::to_saved_bytes`]. Every other body has it: [`Problem::into_response`]. A 5xx tells nothing of the
//! inside. The code that makes one logs the cause.

pub mod described;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::strict_json::{FieldError, Refusal, Rule};
use crate::{Code, Response, code};

/// The media type of every problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The path of the pages about codes; the name of the code follows.
pub const PAGES: &str = "/problems/";

const TYPE_PREFIX: &str = "urn:florin:problem:";

/// A refusal as the caller gets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .code.name)]
#[must_use]
pub struct Problem {
    code: &'static Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    resource: Option<Box<str>>,
    reason: Option<Box<Parts>>,
    retry_after: Option<u16>,
    allow: Option<Box<str>>,
    parts: Option<Box<Parts>>,
    standing: Option<Box<Standing>>,
}

/// The present standing of the resource that a problem is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Standing {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moves: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i64>,
}

/// Members by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Parts(BTreeMap<&'static str, String>);

impl Problem {
    /// A problem with only its code, and with the `Retry-After` of its kind.
    pub fn new(code: &'static Code) -> Problem {
        let detail = match code.status {
            500 => "Trying again with the same Idempotency-Key is safe.".into(),
            _ => Cow::Owned(format!("{}.", code.title)),
        };
        let soon = code == code::IDEMPOTENCY_KEY_IN_USE || code.status == 503;
        Problem {
            code,
            detail,
            errors: Vec::new(),
            resource: None,
            reason: None,
            retry_after: soon.then_some(1),
            allow: None,
            parts: None,
            standing: None,
        }
    }

    /// A problem of a query: 400. The pointer of each error is the name of the parameter.
    pub fn invalid_query(errors: Vec<FieldError>) -> Problem {
        Problem::new(code::INVALID_QUERY).with_errors(errors)
    }

    /// A problem of the fields of a body: 422. The code is `card_number_refused` if there is any card number,
    /// `unknown_field` if there are only unknown fields, and otherwise `invalid_field`.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Problem {
        let has = |code: &Code| errors.iter().any(|error| error.code == code.name);
        let only_unknown = errors
            .iter()
            .all(|error| error.code == code::UNKNOWN_FIELD.name);
        let code = if has(code::CARD_NUMBER_REFUSED) {
            code::CARD_NUMBER_REFUSED
        } else if only_unknown && !errors.is_empty() {
            code::UNKNOWN_FIELD
        } else {
            code::INVALID_FIELD
        };
        Problem::new(code).with_errors(errors)
    }

    /// The key was used for another request, which made this resource.
    pub fn idempotency_key_reused(resource: Option<String>) -> Problem {
        let resource = resource.map(String::into_boxed_str);
        Problem {
            resource,
            ..Problem::new(code::IDEMPOTENCY_KEY_REUSED)
        }
        .with_detail("The same key came before with another body or route. Use a new key.")
    }

    /// The resource exists, but does not take this method. `allow` lists the methods that it takes.
    pub fn method_not_allowed(allow: impl Into<Box<str>>) -> Problem {
        Problem {
            allow: Some(allow.into()),
            ..Problem::new(code::METHOD_NOT_ALLOWED)
        }
    }

    /// Sets the detail of this occurrence. It is ignored for a 5xx, which tells nothing of the inside.
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Problem {
        if self.code.status < 500 {
            self.detail = detail.into();
        }
        self
    }

    /// Names the wrong fields. The detail becomes that of the first one.
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

    /// Names one wrong field by its pointer, with the code and the detail of the problem.
    pub fn at(self, pointer: &str) -> Problem {
        let error = FieldError {
            pointer: pointer.to_owned(),
            code: self.code.name,
            detail: self.detail.clone().into_owned(),
        };
        self.with_errors(vec![error])
    }

    /// Prefixes every pointer with this one.
    pub fn below(mut self, place: &str) -> Problem {
        if self.errors.is_empty() {
            return self.at(place);
        }
        for error in &mut self.errors {
            error.pointer.insert_str(0, place);
        }
        self
    }

    /// Adds the reason of another party, as a member of the problem and of its `error` object.
    pub fn with_reason(mut self, name: &'static str, reason: impl Into<String>) -> Problem {
        self.reason = Some(Box::new(Parts(BTreeMap::from([(name, reason.into())]))));
        self
    }

    /// Names the resource that the problem is about.
    pub fn with_resource(mut self, id: impl Into<Box<str>>) -> Problem {
        self.resource = Some(id.into());
        self
    }

    /// Adds named parts, each with its state.
    pub fn with_parts<const N: usize>(mut self, parts: [(&'static str, String); N]) -> Problem {
        self.parts = Some(Box::new(Parts(BTreeMap::from(parts))));
        self
    }

    /// The same problem without its list of fields. It is for a request whose body does not have the field of the rule.
    pub fn nowhere(mut self) -> Problem {
        self.errors.clear();
        self
    }

    /// Tells the state of the resource, and the moves that it allows, as participles.
    pub fn with_state(mut self, state: &'static str, moves: Vec<&'static str>) -> Problem {
        let standing = self.standing.get_or_insert_default();
        standing.state = Some(state);
        standing.moves = Some(moves);
        self
    }

    /// Tells the amount that is left, in minor units.
    pub fn with_left(mut self, left: i64) -> Problem {
        self.standing.get_or_insert_default().left = Some(left);
        self
    }

    /// Sets the number of seconds after which to try again.
    pub fn with_retry_after(mut self, seconds: u16) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static Code {
        self.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code.status
    }

    /// The seconds for a `Retry-After` header.
    #[must_use]
    pub fn retry_after(&self) -> Option<u16> {
        self.retry_after
    }

    /// The body as it is saved for replay. The same problem always has the same bytes.
    #[must_use]
    pub fn to_saved_bytes(&self) -> Vec<u8> {
        self.body(None)
    }

    /// The body, of media type [`CONTENT_TYPE`].
    #[must_use]
    pub fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let name = self.code.name;
        let body = Body {
            r#type: format!("{TYPE_PREFIX}{name}"),
            title: self.code.title,
            status: self.status(),
            detail: &self.detail,
            code: name,
            retryable: self.code.retry,
            errors: self.errors.iter().map(Entry::from).collect(),
            resource: self.resource.as_deref(),
            reason: self.reason.as_deref(),
            parts: self.parts.as_deref(),
            standing: self.standing.as_deref(),
            request_id,
            error: ErrorObject {
                r#type: self.code.family,
                code: name,
                message: &self.detail,
                param: self
                    .errors
                    .first()
                    .and_then(|error| parameter(&error.pointer)),
                reason: self.reason.as_deref(),
            },
        };
        // Serialization of texts and numbers cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The whole response, for a problem that is not saved.
    pub fn into_response(self, request_id: &str) -> Response {
        let body = self.body(Some(request_id));
        let mut response = described_by(
            Response::of(self.status(), CONTENT_TYPE, body),
            self.code.name,
        );
        if !request_id.is_empty() {
            response = response.with("request-id", request_id);
        }
        if let Some(seconds) = self.retry_after {
            response = response.with("retry-after", seconds.to_string());
        }
        if let Some(methods) = self.allow {
            response = response.with("allow", methods);
        }
        if self.code == code::UNAUTHORIZED {
            response = response.with("www-authenticate", "Bearer");
        }
        response
    }
}

/// Adds the address of the page about a code to the response with a problem (RFC 8288; the link relation is that of
/// POWDER, which the draft of the Idempotency-Key header takes too).
pub fn described_by(response: Response, code: &str) -> Response {
    response.with("link", format!("<{PAGES}{code}>; rel=\"describedby\""))
}

/// Malformed JSON is a 400, JSON that is not accepted a 422, and too large a body a 413.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let code = match refusal.rule {
            Rule::TooLarge => code::PAYLOAD_TOO_LARGE,
            Rule::NotUtf8 | Rule::Malformed { .. } => code::MALFORMED_JSON,
            Rule::NotAnObject
            | Rule::DuplicateKey
            | Rule::TooDeep
            | Rule::NulCharacter
            | Rule::LoneSurrogate
            | Rule::IntegerOutOfRange
            | Rule::FractionOrExponent
            | Rule::NegativeZero => code::INVALID_FIELD,
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
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Parts>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    parts: Option<&'a Parts>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    standing: Option<&'a Standing>,
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
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Parts>,
}

/// The pointer in the notation of form parameters: `/metadata/order` is `metadata[order]`.
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

    use serde_json::{Value, json};

    use super::*;
    use crate::strict_json::parse;

    const DECLINED: Code = Code {
        name: "declined",
        family: code::CARD,
        ..*code::INTERNAL
    };

    fn body(problem: &Problem) -> Value {
        serde_json::from_slice(&problem.to_saved_bytes()).unwrap()
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
        let problem = Problem::new(&DECLINED).with_reason("decline_code", "card_expired");
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
        assert_eq!(problem.status(), 422);
        assert_eq!(body(&problem)["resource"], "pay_1");
    }

    #[test]
    fn the_code_of_wrong_fields_follows_from_what_is_wrong() {
        let error = |code| FieldError::here(code, "").below("x");
        let (unknown, card) = (error("unknown_field"), error("card_number_refused"));
        for (errors, expected) in [
            (
                vec![error("required"), unknown.clone()],
                code::INVALID_FIELD,
            ),
            (vec![unknown.clone(), unknown.clone()], code::UNKNOWN_FIELD),
            (vec![unknown, card], code::CARD_NUMBER_REFUSED),
            (Vec::new(), code::INVALID_FIELD),
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
        let problem = Problem::new(code::INTERNAL).with_detail("table accounts is missing");
        assert!(!problem.to_string().contains("accounts"));
        let problem = Problem::new(code::DATABASE_UNAVAILABLE).with_detail("no route to db-7");
        assert_eq!(problem, Problem::new(code::DATABASE_UNAVAILABLE));
    }

    #[test]
    fn the_response_carries_the_headers_of_its_kind() {
        let header = |problem: Problem, name: &str| {
            let headers = problem.into_response("req_1").headers;
            let found = headers.into_iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| value)
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(
            header(Problem::new(code::OVERLOADED), "retry-after"),
            is("1")
        );
        assert_eq!(
            header(Problem::new(code::DATABASE_UNAVAILABLE), "retry-after"),
            is("1")
        );
        assert_eq!(
            header(Problem::new(code::IDEMPOTENCY_KEY_IN_USE), "retry-after"),
            is("1")
        );
        let limited = Problem::new(code::RATE_LIMITED).with_retry_after(7);
        assert_eq!(header(limited, "retry-after"), is("7"));
        assert_eq!(header(Problem::new(code::NOT_FOUND), "retry-after"), None);
        assert_eq!(
            header(Problem::new(code::NOT_FOUND), "request-id"),
            is("req_1")
        );
        assert_eq!(
            header(Problem::new(code::NOT_FOUND), "content-type"),
            is(CONTENT_TYPE)
        );
        assert_eq!(
            header(Problem::new(code::UNAUTHORIZED), "www-authenticate"),
            is("Bearer")
        );
        assert_eq!(
            header(Problem::method_not_allowed("GET, POST"), "allow"),
            is("GET, POST")
        );
    }

    #[test]
    fn a_single_field_can_be_named() {
        let problem = Problem::new(code::NOT_FOUND).at("/debit_account");
        let expected = json!([{
            "pointer": "/debit_account",
            "code": "not_found",
            "detail": "There is no such resource.",
        }]);
        assert_eq!(body(&problem)["errors"], expected);
        assert_eq!(problem.status(), 404);
    }
}
