//! Rules for all schemas.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Components, Schema};

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
