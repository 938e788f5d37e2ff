//! The refusals that follow from the kind of a route, and the headers of every answer.

use edge::{Describe, KeyRule, Proof, Route, problem};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{ResponseBuilder, Responses};
use utoipa::openapi::schema::{Components, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};

use super::Kind;

/// A refusal that follows from the kind of a route.
struct Refusal {
    status: &'static str,
    /// The name of the component that describes it.
    name: &'static str,
    /// The meaning. The row of a route may have its own text instead.
    means: &'static str,
    /// True for a kind of route that can give this refusal.
    of: fn(Kind) -> bool,
}

const REFUSALS: [Refusal; 11] = [
    Refusal {
        status: "400",
        name: "BadRequest",
        means: "A parameter, a header, or the JSON of the body is malformed",
        of: |kind| kind.has_body || kind.wants_key(),
    },
    Refusal {
        status: "401",
        name: "Unauthorized",
        means: "A valid key or a valid signature is required",
        of: |kind| kind.proof != Proof::Nothing,
    },
    Refusal {
        status: "404",
        name: "NotFound",
        means: "There is no such resource",
        of: |kind| kind.names_resource,
    },
    Refusal {
        status: "406",
        name: "NotAcceptable",
        means: "The parameter `amounts` of the header `Accept` is neither `string` nor `integer`",
        of: |kind| kind.wants_key(),
    },
    Refusal {
        status: "408",
        name: "RequestTimeout",
        means: "The body did not arrive in time",
        of: |kind| kind.has_body,
    },
    Refusal {
        status: "409",
        name: "Conflict",
        means: "The same request is still in progress",
        of: |kind| kind.key != KeyRule::None,
    },
    Refusal {
        status: "413",
        name: "PayloadTooLarge",
        means: "The body is too large",
        of: |kind| kind.has_body,
    },
    Refusal {
        status: "415",
        name: "UnsupportedMediaType",
        means: "The body must be plain application/json",
        of: |kind| kind.has_body,
    },
    Refusal {
        status: "422",
        name: "UnprocessableContent",
        means: "A field of the body is wrong, or the idempotency key belongs to another request",
        of: |kind| kind.has_body && kind.proof != Proof::Signature,
    },
    Refusal {
        status: "500",
        name: "InternalError",
        means: "The server has failed. It is safe to send the same request again under the same idempotency key",
        of: |_| true,
    },
    Refusal {
        status: "503",
        name: "Unavailable",
        means: "The server is overloaded, or the database cannot be reached. It is safe to send the same request again under the same idempotency key",
        of: |_| true,
    },
];

/// The headers of answers: the name of the component, the name of the header, and its description.
const HEADERS: [(&str, &str, &str); 6] = [
    (
        "RequestId",
        "Request-Id",
        "The id of this request in the server's log",
    ),
    (
        "IdempotencyKey",
        "Idempotency-Key",
        "The idempotency key of the request, if it has one",
    ),
    (
        "IdempotentReplayed",
        "Idempotent-Replayed",
        "`true` if this is the saved answer of an earlier request under the same key",
    ),
    (
        "DescribedBy",
        "Link",
        "The page about the code of the problem, as a link with the relation `describedby` (RFC 8288)",
    ),
    (
        "RetryAfter",
        "Retry-After",
        "The number of seconds after which to send the same request again, if that can help",
    ),
    (
        "WwwAuthenticate",
        "WWW-Authenticate",
        "The scheme of authentication, if a key is required",
    ),
];

/// The components that operations refer to.
pub(super) fn define(components: &mut Components) {
    for (name, header, description) in HEADERS {
        let schema = match header {
            "Request-Id" => text().pattern(Some("^req_[0-9a-f]{16}$")),
            "Link" => text().pattern(Some("^</problems/[a-z_]+>; rel=\"describedby\"$")),
            "Idempotency-Key" => text().max_length(Some(255)),
            "Idempotent-Replayed" => text().enum_values(Some(["true"])),
            "Retry-After" => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(60)),
            _ => text().max_length(Some(100)),
        };
        let header = HeaderBuilder::new()
            .description(Some(description))
            .schema(Some(schema));
        components
            .headers
            .insert(name.to_owned(), RefOr::T(header.build()));
    }
    for refusal in REFUSALS {
        let response = Response::new(refusal.means);
        // Several routes share it, with a key and without.
        let response = with_headers(problem_of(response), refusal.status, true, false);
        components
            .responses
            .insert(refusal.name.to_owned(), RefOr::T(response));
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The answers of a route, including those of its kind.
pub(super) fn of(route: &Route, kind: Kind, known: &mut Describe) -> Responses {
    let mut responses = Responses::new();
    for answer in &route.answers {
        let mut response = Response::new(answer.says);
        match answer.reply {
            None => response = problem_of(response),
            Some(reply) => {
                let content = ContentBuilder::new().schema(Some(reply(known))).build();
                let media_type = "application/json".to_owned();
                response.content.insert(media_type, RefOr::T(content));
            }
        }
        let status = answer.status.to_string();
        let may_be_saved = kind.key != KeyRule::None;
        let response = with_headers(response, &status, kind.repeats_key(), may_be_saved);
        responses.responses.insert(status, RefOr::T(response));
    }
    for refusal in REFUSALS.into_iter().filter(|refusal| (refusal.of)(kind)) {
        let component = Ref::new(format!("#/components/responses/{}", refusal.name));
        let status = refusal.status.to_owned();
        let own = responses.responses.entry(status);
        own.or_insert(RefOr::Ref(component));
    }
    responses
}

/// The text about the effect of a request that is sent again.
pub(super) fn again(kind: Kind) -> &'static str {
    match kind.key {
        KeyRule::Required => {
            "The `Idempotency-Key` identifies the request: if it is sent again under the same key, it has no second effect and gets the same answer."
        }
        KeyRule::Optional => {
            "If the request is sent again, it has no second effect. Under the same `Idempotency-Key` it also gets the same answer."
        }
        KeyRule::None if !kind.has_body => "This request changes nothing.",
        KeyRule::None if kind.proof == Proof::Signature => {
            "If the request is sent again, it has no second effect."
        }
        KeyRule::None => "",
    }
}

fn problem_of(mut response: Response) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    response.content.clear();
    response
        .content
        .insert(problem::CONTENT_TYPE.to_owned(), RefOr::T(content.build()));
    response
}

/// Describes the headers: of a request that may have a key, and of an answer that may be a replay.
fn with_headers(response: Response, status: &str, has_key: bool, is_saved: bool) -> Response {
    let is_saved =
        is_saved && (status.starts_with('2') || matches!(status, "402" | "403" | "409" | "422"));
    let mut headers = vec!["RequestId"];
    if has_key {
        headers.push("IdempotencyKey");
    }
    if is_saved && has_key {
        headers.push("IdempotentReplayed");
    }
    if !status.starts_with('2') {
        headers.push("DescribedBy");
    }
    match status {
        "401" => headers.push("WwwAuthenticate"),
        "409" | "503" => headers.push("RetryAfter"),
        _ => {}
    }
    let mut builder = ResponseBuilder::from(response);
    for (name, header, _) in HEADERS {
        if headers.contains(&name) {
            let component = Ref::new(format!("#/components/headers/{name}"));
            builder = builder.header_ref(header, component);
        }
    }
    builder.build()
}
