//! What is true of schemas as a whole.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Components, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response};

const SCHEMAS: &str = "#/components/schemas/";

/// Gives the page of a list a name (`AccountPage`), and its items theirs.
pub(super) fn name_pages(components: &mut Components, openapi: &mut OpenApi) {
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for old in names {
        let Some(item) = old.strip_prefix("Page_") else {
            continue;
        };
        let Some(mut page) = components.schemas.remove(&old) else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = &mut page
            && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
        {
            data.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(item))));
        }
        components.schemas.insert(format!("{item}Page"), page);
    }
    for item in openapi.paths.paths.values_mut() {
        let responses = item
            .get
            .iter_mut()
            .flat_map(|get| get.responses.responses.values_mut());
        responses.for_each(name_page);
    }
}

fn name_page(response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else {
        return;
    };
    for content in response.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::Ref(page)) = &mut content.schema
            && let Some(item) = page.ref_location.strip_prefix(&format!("{SCHEMAS}Page_"))
        {
            page.ref_location = format!("{SCHEMAS}{item}Page");
        }
    }
}

/// Says of every object in a request that it has no other fields than those that it names.
pub(super) fn close_requests(components: &mut Components, openapi: &OpenApi) {
    let mut bodies = Vec::new();
    for item in openapi.paths.paths.values() {
        let operations = [&item.post, &item.put, &item.patch, &item.delete];
        let operations = operations.into_iter().flatten();
        bodies.extend(operations.filter_map(|operation| operation.request_body.as_ref()));
    }
    for name in reached(components, named_in(&bodies)) {
        if let Some(RefOr::T(schema)) = components.schemas.get_mut(&name) {
            close(schema);
        }
    }
}

fn close(schema: &mut Schema) {
    if let Schema::Object(object) = schema
        && object.additional_properties.is_none()
        && is_object(object)
    {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}

fn is_object(object: &utoipa::openapi::schema::Object) -> bool {
    use utoipa::openapi::schema::{SchemaType, Type};
    object.schema_type == SchemaType::Type(Type::Object)
}

/// Drops the schemas that no route leads to.
pub(super) fn forget_unused(components: &mut Components, openapi: &OpenApi) {
    let mut named = named_in(&openapi.paths);
    named.extend(named_in(&components.responses));
    named.extend(named_in(&components.parameters));
    let used = reached(components, named);
    components.schemas.retain(|name, _| used.contains(name));
}

/// These schemas and all that they lead to.
fn reached(components: &Components, named: BTreeSet<String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> = named.into_iter().collect();
    while let Some(name) = next.pop() {
        if let Some(schema) = components.schemas.get(&name) {
            next.extend(named_in(schema).difference(&reached).cloned());
        }
        reached.insert(name);
    }
    reached
}

/// The names of the schemas that a part of the description refers to.
fn named_in(part: &impl serde::Serialize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // A part of the description is JSON by its nature.
    note(&serde_json::to_value(part).unwrap_or_default(), &mut names);
    names
}

fn note(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.strip_prefix(SCHEMAS));
            names.extend(name.map(str::to_owned));
            members.values().for_each(|member| note(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| note(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
