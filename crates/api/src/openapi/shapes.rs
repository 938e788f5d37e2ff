//! Rules for all schemas.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Components, Schema};

/// If the description of a text says that it is always the same ("Always `account`."), that text becomes the
/// only choice of its schema.
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
