//! Amounts as JSON strings, for clients whose numbers are doubles and lose digits beyond 2^53.
//!
//! A client asks for them by `Accept: application/json; amounts=string`. Answers are made and saved with
//! integers, and a body is converted just before it is sent. So a replay is the same answer for both kinds of
//! client, and the functions that make replies know only integers.

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use edge::headers::split_outside_quotes;
use edge::{Problem, code};

use crate::request::{RequestId, written};

/// The names of fields whose integers are amounts, in groups ([`edge::Surface::amounts`]).
pub(crate) type Fields = &'static [&'static [&'static str]];

/// How amounts are written in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// As JSON numbers.
    Integers,
    /// As JSON strings of the same digits.
    Texts,
}

/// How the client wants amounts to be written: the parameter `amounts` of the media range for JSON that the client
/// prefers. Without that parameter, amounts are integers. The rest of `Accept` is ignored.
///
/// # Errors
/// `not_acceptable` for an `amounts` that is neither `string` nor `integer`, or that occurs twice in a range.
pub(crate) fn wanted(headers: &HeaderMap) -> Result<Writing, Problem> {
    let mut best: Option<Range> = None;
    for line in headers.get_all(header::ACCEPT) {
        let line = String::from_utf8_lossy(line.as_bytes());
        for range in split_outside_quotes(&line, ',') {
            let Some(range) = Range::read(range)? else {
                continue;
            };
            if best.is_none_or(|best| range.rank() > best.rank()) {
                best = Some(range);
            }
        }
    }
    let asked = best.and_then(|range| range.amounts);
    Ok(asked.unwrap_or(Writing::Integers))
}

/// Writes the integers of these fields as strings. Everything else stays as it is, byte for byte.
///
/// `json` is JSON that this program has written.
fn as_texts(json: &[u8], fields: Fields) -> Vec<u8> {
    let mut written = Vec::with_capacity(json.len().saturating_mul(2));
    let mut rest = json;
    // True if the next value belongs to the field of an amount.
    let mut is_amount = false;
    while let Some((first, after)) = rest.split_first() {
        match first {
            b'"' => {
                let (text, beyond) = split_string(after);
                written.push(b'"');
                written.extend_from_slice(text);
                written.push(b'"');
                is_amount = beyond.first() == Some(&b':')
                    && fields
                        .iter()
                        .copied()
                        .flatten()
                        .any(|name| name.as_bytes() == text);
                rest = beyond;
            }
            b'-' | b'0'..=b'9' => {
                let is_digit = |byte: &u8| byte.is_ascii_digit();
                let digits = after.iter().position(|byte| !is_digit(byte));
                let (digits, beyond) = after.split_at(digits.unwrap_or(after.len()));
                let quote: &[u8] = if is_amount { b"\"" } else { b"" };
                written.extend_from_slice(quote);
                written.push(*first);
                written.extend_from_slice(digits);
                written.extend_from_slice(quote);
                is_amount = false;
                rest = beyond;
            }
            other => {
                written.push(*other);
                is_amount &= *other == b':';
                rest = after;
            }
        }
    }
    written
}

/// Writes the amounts of an answer in the form that the client wants. An unknown form is refused before the
/// request is handled.
pub(crate) async fn as_asked(
    fields: Fields,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if !request.path().starts_with("/v1/") {
        return next.call(request).await;
    }
    let wanted = wanted(request.headers());
    let mut response = match wanted {
        Err(problem) => {
            let refused = problem.into_response(&RequestId::of(request.request()));
            request.into_response(written(refused))
        }
        Ok(Writing::Integers) => next.call(request).await?,
        Ok(Writing::Texts) => in_texts(next.call(request).await?, fields).await?,
    };
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().append(header::VARY, vary);
    Ok(response)
}

async fn in_texts(
    response: ServiceResponse<BoxBody>,
    fields: Fields,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    // An answer of the API is a whole body in memory.
    let json = to_bytes(body)
        .await
        .map_err(actix_web::error::ErrorInternalServerError)?;
    let response = response.set_body(BoxBody::new(as_texts(&json, fields)));
    Ok(ServiceResponse::new(request, response))
}

/// Splits the rest of a JSON string, after its opening quote: the text, and what follows the closing quote.
fn split_string(json: &[u8]) -> (&[u8], &[u8]) {
    let mut is_escaped = false;
    let end = json.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    let (text, rest) = json.split_at(end.unwrap_or(json.len()));
    (text, rest.get(1..).unwrap_or_default())
}

/// A media range that includes JSON.
#[derive(Debug, Clone, Copy)]
struct Range {
    /// The quality in thousandths (RFC 9110, section 12.4.2).
    quality: u16,
    /// The form of amounts that it names, if it names one.
    amounts: Option<Writing>,
}

impl Range {
    /// Reads a range. `None` if it does not include JSON, or has the quality 0: the client does not accept it.
    fn read(range: &str) -> Result<Option<Self>, Problem> {
        const JSON: [&str; 4] = [
            "application/json",
            "application/problem+json",
            "application/*",
            "*/*",
        ];
        let mut parts = split_outside_quotes(range, ';').into_iter();
        let kind = parts.next().unwrap_or_default().trim();
        if !JSON.iter().any(|json| kind.eq_ignore_ascii_case(json)) {
            return Ok(None);
        }
        let (mut quality, mut amounts) = (1_000, None);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim(), unquoted(value.trim()));
            if name.eq_ignore_ascii_case("q") {
                quality = thousandths(value).unwrap_or(1_000);
            } else if name.eq_ignore_ascii_case("amounts") {
                let writing = match value.to_ascii_lowercase().as_str() {
                    "string" => Writing::Texts,
                    "integer" => Writing::Integers,
                    _ => return Err(no_such_writing("It is another one.")),
                };
                if amounts.replace(writing).is_some() {
                    return Err(no_such_writing("It stands twice."));
                }
            }
        }
        Ok((quality > 0).then_some(Self { quality, amounts }))
    }

    /// The rank of the range: its quality; among equal qualities, a range that names a form of amounts is higher.
    const fn rank(&self) -> (u16, bool) {
        (self.quality, self.amounts.is_some())
    }
}

fn no_such_writing(what: &str) -> Problem {
    let detail =
        format!("In Accept, amounts is string or integer, once for each media type. {what}");
    Problem::new(code::NOT_ACCEPTABLE).with_detail(detail)
}

fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// Reads a quality: `0`, `1`, or one of them with at most three decimal places.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = places.len() <= 3 && places.bytes().all(|byte| byte.is_ascii_digit());
    let whole: u16 = match whole {
        "0" => 0,
        "1" => 1_000,
        _ => return None,
    };
    let places: u16 = format!("{places:0<3}").parse().ok()?;
    is_plain.then(|| whole.saturating_add(places).min(1_000))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may stop at the first surprise"
    )]

    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use families::SURFACE;

    use super::*;

    fn of(lines: &[&[u8]]) -> Result<Writing, Problem> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, HeaderValue::from_bytes(line).unwrap());
        }
        wanted(&headers)
    }

    #[test]
    fn amounts_are_texts_for_whoever_prefers_them() {
        for lines in [
            &[&b"application/json; amounts=string"[..]][..],
            &[b"application/json;amounts=string"],
            &[b"Application/JSON ; Amounts = \"String\""],
            &[b"text/html, application/json; amounts=string; q=0.5"],
            &[b"*/*, application/json; amounts=string"],
            &[b"*/*; amounts=string"],
            &[b"application/json; q=0.8, application/json; amounts=string; q=0.9"],
            &[
                b"application/json",
                b"application/problem+json; amounts=string",
            ],
            &[b"application/json; amounts=integer; q=0, */*; amounts=string; q=0.001"],
        ] {
            assert_eq!(of(lines), Ok(Writing::Texts), "{lines:?}");
        }
        for lines in [
            &[][..],
            &[&b"*/*"[..]][..],
            &[b"application/json"],
            &[b"application/json; amounts=integer"],
            &[b"application/json; amounts=string; q=0"],
            &[b"application/json; amounts=string; q=0.5, application/json"],
            &[b"*/*, application/json; amounts=string; q=0.999"],
            &[b"text/html; amounts=string"],
            &[b"text/html; amounts=words, application/json"],
            &[b"\"application/json; amounts=string\""],
            &[b";,;=,"],
            &[b"\xff"],
        ] {
            assert_eq!(of(lines), Ok(Writing::Integers), "{lines:?}");
        }
    }

    #[test]
    fn any_other_wish_is_refused() {
        for line in [
            &b"application/json; amounts"[..],
            b"application/json; amounts=",
            b"application/json; amounts=decimal",
            b"application/json; amounts=\"string",
            b"application/json; amounts=string; amounts=string",
            b"application/json; amounts=string, */*; amounts=words",
            b"application/json; amounts=words; q=0",
            b"application/json; amounts=\xff",
        ] {
            let problem = of(&[line]).unwrap_err();
            assert_eq!(problem.code(), code::NOT_ACCEPTABLE, "{line:?}");
            assert_eq!(problem.status(), 406);
        }
    }

    #[test]
    fn the_integers_of_amounts_become_strings_and_nothing_else_changes() {
        for (integers, texts) in [
            (r#"{"amount":1}"#, r#"{"amount":"1"}"#),
            (
                r#"{"data":[{"amount":-9223372036854775808,"version":2}],"balance":0}"#,
                r#"{"data":[{"amount":"-9223372036854775808","version":2}],"balance":"0"}"#,
            ),
            (
                r#"{"debits":170141183460469231731687303715884105727}"#,
                r#"{"debits":"170141183460469231731687303715884105727"}"#,
            ),
            (
                r#"{"floor":null,"amount":true}"#,
                r#"{"floor":null,"amount":true}"#,
            ),
            (r#"{"posted":{"version":1}}"#, r#"{"posted":{"version":1}}"#),
            (r#"{"amount":[1,2]}"#, r#"{"amount":[1,2]}"#),
            (r#"{"a":"amount","b":7}"#, r#"{"a":"amount","b":7}"#),
            (
                r#"{"metadata":{"amount":"12","x":"\"amount\":12","y":"\\"},"amount":3}"#,
                r#"{"metadata":{"amount":"12","x":"\"amount\":12","y":"\\"},"amount":"3"}"#,
            ),
            (r#"["amount",4]"#, r#"["amount",4]"#),
            ("", ""),
            ("17", "17"),
            (r#"{"amount":"#, r#"{"amount":"#),
            (r#"{"amount":-"#, r#"{"amount":"-""#),
            (r#"{"amount"#, r#"{"amount""#),
        ] {
            let written =
                String::from_utf8(as_texts(integers.as_bytes(), SURFACE.amounts)).unwrap();
            assert_eq!(written, texts, "{integers}");
        }
    }

    /// A new integer in an answer must be among the amounts of the surface, or in this list of other integers.
    #[test]
    fn every_integer_of_the_description_is_an_amount_or_known_as_none() {
        const NONE: [&str; 34] = [
            "accounts",
            "attempt",
            "available_after_days",
            "cleared",
            "copies",
            "errands",
            "expires_in",
            "exponent",
            "hits",
            "hold",
            "latency_ms",
            "limit",
            "lines",
            "next",
            "nth",
            "number",
            "offset_seconds",
            "operations",
            "ordinal",
            "per_mille",
            "reserve_days",
            "retry_after_seconds",
            "seconds",
            "seed",
            "seen",
            "signed_at",
            "status",
            "terms",
            "transfers",
            "version",
            "webhooks",
            // Amounts in requests, which are always integers.
            "available_at_least",
            "buy",
            "sell",
        ];
        let described: Value = serde_json::from_str(&crate::openapi::text(&SURFACE)).unwrap();
        let mut names = BTreeSet::new();
        let schemas = &described["components"]["schemas"];
        integers(schemas, schemas, &mut names);
        assert!(names.len() > 20, "{names:?}");
        let known = |name: &&String| {
            SURFACE.amounts.concat().contains(&name.as_str()) || NONE.contains(&name.as_str())
        };
        let unknown: Vec<&String> = names.iter().filter(|name| !known(name)).collect();
        assert_eq!(unknown, Vec::<&String>::new());
        for name in SURFACE.amounts.concat() {
            assert!(names.contains(name), "no answer has {name}");
        }
    }

    /// Collects the names of the fields below this schema that are integers, also by the name of a shape.
    fn integers(schemas: &Value, schema: &Value, names: &mut BTreeSet<String>) {
        let is_integer = |property: &Value| match &property["type"] {
            Value::String(one) => one == "integer",
            Value::Array(several) => several.contains(&json!("integer")),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        let shape = |property: &Value| {
            let several = property["oneOf"].as_array().cloned().unwrap_or_default();
            let own = std::iter::once(property.clone()).chain(several);
            own.map(|one| match one["$ref"].as_str() {
                Some(place) => schemas[place.rsplit('/').next().unwrap()].clone(),
                None => one,
            })
            .any(|one| is_integer(&one))
        };
        let Some(fields) = schema.as_object() else {
            return;
        };
        if let Some(properties) = schema["properties"].as_object() {
            let own = properties.iter().filter(|(_, one)| shape(one));
            names.extend(own.map(|(name, _)| name.clone()));
        }
        for inner in fields.values() {
            integers(schemas, inner, names);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let name = || {
            prop_oneof![
                prop::sample::select(SURFACE.amounts.concat()).prop_map(str::to_owned),
                any::<String>(),
            ]
        };
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            name().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name(), inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn expected(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(expected).collect(),
            Value::Object(fields) => {
                let field = |(name, value): (&String, &Value)| {
                    let is_amount =
                        SURFACE.amounts.concat().contains(&name.as_str()) && value.is_i64();
                    let value = if is_amount {
                        json!(value.to_string())
                    } else {
                        expected(value)
                    };
                    (name.clone(), value)
                };
                Value::Object(fields.iter().map(field).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn any_json_is_written_with_its_amounts_as_texts(value in any_json()) {
            let written = as_texts(value.to_string().as_bytes(), SURFACE.amounts);
            let read: Value = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(read, expected(&value));
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = as_texts(&bytes, SURFACE.amounts);
            if HeaderValue::from_bytes(&bytes).is_ok() {
                let _ = of(&[&bytes]);
            }
        }
    }
}
