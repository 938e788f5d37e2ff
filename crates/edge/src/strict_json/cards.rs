//! Card numbers: no body may have one anywhere, whether or not that place is read.

use text::{TextError, contains_card_number, identifier};

use super::{FieldError, MAX_ERRORS, Object, Value};

/// The code of the rule for card numbers.
pub(super) const CARD: &str = TextError::CardNumber.code();

/// The rule for card numbers in bodies.
#[derive(Debug, Clone, Copy)]
pub struct CardNumbers {
    /// The fields with an identifier. An identifier is refused only if it is a card number as a whole.
    pub identifiers: &'static [&'static str],
    /// The field with labels, whose keys are the caller's own words.
    pub labels: &'static str,
    /// The rule in words.
    pub detail: &'static str,
}

impl CardNumbers {
    /// The errors of all keys and texts that count as card numbers. The parser limits the depth of the
    /// recursion.
    pub(super) fn within(&self, object: &Object) -> Vec<FieldError> {
        self.of_object(object, self.identifiers)
    }

    fn of_object(&self, object: &Object, identifiers: &[&str]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (key, value) in object.iter() {
            if contains_card_number(key) {
                errors.push(self.refused().below(key));
            }
            let found = match value {
                Value::Text(text) if identifiers.contains(&key) => {
                    let refused = identifier(text, 0..=usize::MAX) == Err(TextError::CardNumber);
                    Vec::from_iter(refused.then(|| self.refused()))
                }
                Value::Null | Value::Bool(_) | Value::Integer(_) => Vec::new(),
                Value::Text(_) | Value::Array(_) | Value::Object(_) if key == self.labels => {
                    self.of_value(value, &[])
                }
                Value::Text(_) | Value::Array(_) | Value::Object(_) => {
                    self.of_value(value, identifiers)
                }
            };
            errors.extend(found.into_iter().map(|error| error.below(key)));
            if errors.len() >= MAX_ERRORS {
                break;
            }
        }
        errors
    }

    fn of_value(&self, value: &Value, identifiers: &[&str]) -> Vec<FieldError> {
        match value {
            Value::Null | Value::Bool(_) | Value::Integer(_) => Vec::new(),
            Value::Text(text) if contains_card_number(text) => vec![self.refused()],
            Value::Text(_) => Vec::new(),
            Value::Array(items) => {
                let below = |(index, item): (usize, &Value)| {
                    let errors = self.of_value(item, identifiers);
                    errors
                        .into_iter()
                        .map(move |error| error.below(&index.to_string()))
                };
                items
                    .iter()
                    .enumerate()
                    .flat_map(below)
                    .take(MAX_ERRORS)
                    .collect()
            }
            Value::Object(object) => self.of_object(object, identifiers),
        }
    }

    fn refused(&self) -> FieldError {
        FieldError::here(CARD, self.detail)
    }
}
