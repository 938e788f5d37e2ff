//! What is true of schemas as a whole.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Components, Object, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response};

const SCHEMAS: &str = "#/components/schemas/";

/// Bodies of which one of two fields is there, and never both: each becomes one of two bodies. The name
/// of the body, the two fields, and the names of the two bodies.
const EITHER: [(&str, [&str; 2], [&str; 2]); 3] = [
    (
        "NewExpiry",
        ["expires_at", "expires_in"],
        ["NewExpiryAt", "NewExpiryIn"],
    ),
    (
        "NewCondition",
        ["available_at_least", "version"],
        ["NewConditionOnBalance", "NewConditionOnVersion"],
    ),
    (
        "NewExchange",
        ["sell", "buy"],
        ["NewExchangeOfSold", "NewExchangeOfBought"],
    ),
];

/// The items of a bulk: the name of each, the body that it has alone, and the field that names the
/// transaction that a step is about.
const ITEMS: [(&str, &str, Option<&str>); 6] = [
    ("NewBulkTransaction", "NewTransaction", None),
    ("NewBulkExchangeOfSold", "NewExchangeOfSold", None),
    ("NewBulkExchangeOfBought", "NewExchangeOfBought", None),
    ("NewBulkPost", "PostPending", Some("post")),
    ("NewBulkVoid", "VoidPending", Some("void")),
    ("NewBulkReverse", "Reverse", Some("reverse")),
];

/// Makes bodies of which only one can be meant, whatever they hold.
pub(super) fn tell_apart(components: &mut Components) {
    for (name, fields, names) in EITHER {
        let Some(RefOr::T(Schema::Object(both))) = components.schemas.get(name).cloned() else {
            continue;
        };
        let mut either = OneOfBuilder::new().description(both.description.clone());
        for (own, other, name) in [
            (fields[0], fields[1], names[0]),
            (fields[1], fields[0], names[1]),
        ] {
            let mut one = both.clone();
            one.properties.remove(other);
            one.required.push(own.to_owned());
            insert(components, name, Schema::Object(one));
            either = either.item(Ref::from_schema_name(name));
        }
        insert(components, name, either.build().into());
    }
    let said = match components.schemas.get("NewBulkItem") {
        Some(RefOr::T(Schema::Object(item))) => item.description.clone(),
        _ => None,
    };
    let mut items = OneOfBuilder::new().description(said);
    for (name, alone, about) in ITEMS {
        let Some(RefOr::T(Schema::Object(mut item))) = components.schemas.get(alone).cloned()
        else {
            continue;
        };
        item.properties.remove("dry_run");
        if let Some(field) = about {
            let id = Ref::from_schema_name("TransactionId");
            item.properties.insert(field.to_owned(), RefOr::Ref(id));
            item.required.push(field.to_owned());
        }
        insert(components, name, Schema::Object(item));
        items = items.item(Ref::from_schema_name(name));
    }
    insert(components, "NewBulkItem", items.build().into());
}

fn insert(components: &mut Components, name: &str, schema: Schema) {
    components.schemas.insert(name.to_owned(), RefOr::T(schema));
}

/// A text that is always the same says so in its description ("Always `account`."): it becomes the only
/// choice.
pub(super) fn state_constants(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::Object(object)) = schema else {
            continue;
        };
        for property in object.properties.values_mut() {
            let RefOr::T(Schema::Object(text)) = property else {
                continue;
            };
            let said = text.description.as_deref().unwrap_or_default();
            let word = said.strip_prefix("Always `").and_then(|rest| {
                let (word, _) = rest.split_once('`')?;
                Some(word.to_owned())
            });
            if let Some(word) = word {
                text.enum_values = Some(vec![Value::String(word)]);
            }
        }
    }
}

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

fn is_object(object: &Object) -> bool {
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
