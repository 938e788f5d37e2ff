//! Parameters that mean the same on every route.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{AdditionalProperties, Components, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required};

use super::{Idempotency, Kind};
use crate::cursor::{DEFAULT_LIMIT, LARGEST_LIMIT};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// 1 to 255 visible ASCII characters, raw or as a string of RFC 8941 in quotes.
const KEY: &str = r#"^(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$"#;
/// What [`crate::cursor::Cursor`] writes.
const CURSOR: &str = "^[A-Za-z0-9_-]{23,255}$";

/// The components that operations refer to.
pub(super) fn define(components: &mut Components) {
    let key = |required| {
        let description = "Names this request: sent again under the same key, it has no second effect and the same answer. Visible ASCII, raw or in quotes.";
        ParameterBuilder::new()
            .name(IDEMPOTENCY_KEY)
            .parameter_in(ParameterIn::Header)
            .required(required)
            .description(Some(description))
            .schema(Some(text().pattern(Some(KEY))))
            .example(Some("order-1042".into()))
            .build()
    };
    let prefer = ParameterBuilder::new()
        .name("Prefer")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("`wait=N`: how many seconds to wait for the outcome, 10 if absent or malformed, at most 60 (RFC 7240)"))
        .schema(Some(text()))
        .example(Some("wait=5".into()))
        .build();
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(i32::from(LARGEST_LIMIT)))
        .default(Some(DEFAULT_LIMIT.into()));
    let limit = query("limit", "How long the page is at most").schema(Some(limit));
    let cursor = query("cursor", "`next_cursor` of the page before");
    let cursor = cursor.schema(Some(text().pattern(Some(CURSOR))));
    let own = [
        ("IdempotencyKey", key(Required::True)),
        ("OptionalIdempotencyKey", key(Required::False)),
        ("Prefer", prefer),
        ("Limit", limit.build()),
        ("Cursor", cursor.build()),
    ];
    let own = own.map(|(name, parameter)| (name.to_owned(), RefOr::T(parameter)));
    components.parameters.extend(own);
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn query(name: &str, description: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
}

/// Puts the common parameters in the place of those that the handler names, and an idempotency key
/// where there can be one.
pub(super) fn complete(operation: &mut Operation, kind: Kind) {
    let named = operation.parameters.take().unwrap_or_default();
    let mut own: Vec<RefOr<Parameter>> = named
        .into_iter()
        .map(|parameter| match common(&parameter) {
            Some(name) => RefOr::Ref(reference(name)),
            None => by_key(parameter),
        })
        .collect();
    if kind.idempotency == Idempotency::Optional {
        own.push(RefOr::Ref(reference("OptionalIdempotencyKey")));
    }
    operation.parameters = (!own.is_empty()).then_some(own);
}

/// The component that a parameter is.
fn common(parameter: &RefOr<Parameter>) -> Option<&'static str> {
    let RefOr::T(parameter) = parameter else {
        return None;
    };
    match parameter.name.as_str() {
        IDEMPOTENCY_KEY => Some("IdempotencyKey"),
        "Prefer" => Some("Prefer"),
        "limit" => Some("Limit"),
        "cursor" => Some("Cursor"),
        _ => None,
    }
}

/// `metadata.KEY` stands for as many parameters as there are keys: an object, whose members stand in the
/// query by themselves.
fn by_key(parameter: RefOr<Parameter>) -> RefOr<Parameter> {
    let RefOr::T(mut parameter) = parameter else {
        return parameter;
    };
    if let Some(prefix) = parameter.name.strip_suffix(".KEY").map(str::to_owned) {
        let key = text().pattern(Some(format!(r"^{prefix}\.[A-Za-z0-9_.-]{{1,40}}$")));
        // Every text begins with nothing.
        let shortest = (prefix == "metadata_prefix").then_some(1);
        let value = text()
            .pattern(Some(r"^[^\u0000]*$"))
            .min_length(shortest)
            .max_length(Some(500));
        let members = ObjectBuilder::new()
            .property_names(Some(key))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value.into()))))
            .max_properties(Some(50));
        parameter.style = Some(ParameterStyle::Form);
        parameter.explode = Some(true);
        parameter.schema = Some(RefOr::T(members.into()));
        parameter.name = prefix;
    }
    RefOr::T(parameter)
}

fn reference(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

/// Whether the handler says that it needs an idempotency key.
pub(super) fn takes_idempotency_key(operation: &Operation) -> bool {
    any(operation, |parameter| parameter.name == IDEMPOTENCY_KEY)
}

fn any(operation: &Operation, is_so: impl Fn(&Parameter) -> bool) -> bool {
    let mut named = operation.parameters.iter().flatten();
    named.any(|parameter| matches!(parameter, RefOr::T(parameter) if is_so(parameter)))
}
