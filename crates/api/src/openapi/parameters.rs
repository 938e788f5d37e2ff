//! Parameters that mean the same on every route.

use edge::cursor::{DEFAULT_LIMIT, MAX_LIMIT};
use edge::route::{self, ParameterKind};
use edge::{Describe, KeyRule, Route};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Components, ObjectBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr, Required};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// 1 to 255 visible ASCII characters, raw or as a string of RFC 8941 in quotes.
const KEY: &str = r#"^(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$"#;
/// Pattern of the texts that [`edge::cursor::Cursor`] writes.
const CURSOR: &str = "^[A-Za-z0-9_-]{23,255}$";

/// The components that operations refer to.
pub(super) fn define(components: &mut Components) {
    let key = |required| {
        let description = "Identifies this request: if it is sent again under the same key, it has no second effect and gets the same answer. Visible ASCII, with or without quotes.";
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
        .description(Some("`wait=N`: the number of seconds to wait for the outcome; 10 if absent or malformed, at most 60 (RFC 7240)"))
        .schema(Some(text()))
        .example(Some("wait=5".into()))
        .build();
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(i32::from(MAX_LIMIT)))
        .default(Some(DEFAULT_LIMIT.into()));
    let limit = query("limit", "The greatest number of items in the page").schema(Some(limit));
    let cursor = query("cursor", "The `next_cursor` of the previous page");
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

/// The parameters of a route, including those of its kind.
pub(super) fn of(route: &Route, known: &mut Describe) -> Option<Vec<RefOr<Parameter>>> {
    let segments = route.segments.iter().map(|own| (own, ParameterIn::Path));
    let query = route.query.iter().map(|own| (own, ParameterIn::Query));
    let mut all: Vec<RefOr<Parameter>> = segments
        .map(|(own, place)| described(own, place, known))
        .collect();
    all.extend((route.key == KeyRule::Required).then(|| reference("IdempotencyKey")));
    all.extend(route.waits.then(|| reference("Prefer")));
    all.extend(query.map(|(own, place)| described(own, place, known)));
    all.extend((route.key == KeyRule::Optional).then(|| reference("OptionalIdempotencyKey")));
    (!all.is_empty()).then_some(all)
}

fn described(own: &route::Parameter, place: ParameterIn, known: &mut Describe) -> RefOr<Parameter> {
    let required = match own.required {
        true => Required::True,
        false => Required::False,
    };
    let parameter = ParameterBuilder::new()
        .name(own.name)
        .parameter_in(place)
        .required(required)
        .description(Some(own.says));
    RefOr::T(match own.kind {
        ParameterKind::Limit => return reference("Limit"),
        ParameterKind::Cursor => return reference("Cursor"),
        ParameterKind::One(shape) => parameter.schema(Some(shape.describe(known))).build(),
        ParameterKind::Several { item, most } => {
            let items = ArrayBuilder::new()
                .items(item.describe(known))
                .max_items(Some(most));
            parameter
                .style(Some(ParameterStyle::Form))
                .explode(Some(true))
                .schema(Some(items))
                .build()
        }
        // There is one parameter for each key. Together they are described as an object whose members are the
        // parameters of the query.
        ParameterKind::ByKey {
            key,
            value,
            max_entries,
        } => {
            let members = ObjectBuilder::new()
                .property_names(plain(key.schema()))
                .additional_properties(Some(AdditionalProperties::RefOr(value.schema())))
                .max_properties(Some(max_entries));
            parameter
                .style(Some(ParameterStyle::Form))
                .explode(Some(true))
                .schema(Some(members))
                .build()
        }
    })
}

fn plain(schema: RefOr<Schema>) -> Option<Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

fn reference(name: &str) -> RefOr<Parameter> {
    RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")))
}
