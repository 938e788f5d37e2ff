//! What a tenant keeps with an account or a transaction, and nobody here reads.

use std::collections::BTreeMap;
use std::sync::Arc;

/// At most so many entries.
const MOST_ENTRIES: usize = 50;
/// The longest key, in characters.
const LONGEST_KEY: usize = 40;
/// The longest value, in characters.
const LONGEST_VALUE: usize = 500;

/// Texts by name, kept as one flat JSON object with its keys in order: equal ones have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata(Arc<str>);

/// Why texts cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Too many entries.
    #[error("metadata has at most {MOST_ENTRIES} entries")]
    TooMany,
    /// A key is empty, too long, or holds something else than letters, digits and `_ - .`.
    #[error("a key of metadata is 1 to {LONGEST_KEY} of A-Z, a-z, 0-9, _, - and .")]
    BadKey,
    /// A value is too long.
    #[error("a value of metadata has at most {LONGEST_VALUE} characters")]
    LongValue,
    /// The text is no flat JSON object of texts.
    #[error("metadata is a flat JSON object of texts")]
    Malformed,
}

impl Metadata {
    /// From texts by name.
    ///
    /// # Errors
    /// [`MetadataError`] is the first broken rule in the order of its variants.
    pub fn new(entries: &BTreeMap<String, String>) -> Result<Self, MetadataError> {
        if entries.len() > MOST_ENTRIES {
            return Err(MetadataError::TooMany);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let good = |key: &String| (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(plain);
        if !entries.keys().all(good) {
            return Err(MetadataError::BadKey);
        }
        if entries
            .values()
            .any(|value| value.chars().count() > LONGEST_VALUE)
        {
            return Err(MetadataError::LongValue);
        }
        let text = serde_json::to_string(entries).map_err(|_no_text| MetadataError::Malformed)?;
        Ok(Self(text.into()))
    }

    /// As it was stored.
    ///
    /// # Errors
    /// [`MetadataError`] for what [`as_json`](Self::as_json) would never have given.
    pub fn from_json(text: &str) -> Result<Self, MetadataError> {
        let entries = serde_json::from_str(text).map_err(|_no_texts| MetadataError::Malformed)?;
        Self::new(&entries)
    }

    /// As one JSON object.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The texts by name.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn of(entries: &[(&str, &str)]) -> Result<Metadata, MetadataError> {
        let entries = entries
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()));
        Metadata::new(&entries.collect())
    }

    #[test]
    fn metadata_is_read_back_as_it_was_given_whatever_the_order() {
        let made = of(&[("b", "\"\n"), ("a", "\u{e9}")]).unwrap();
        assert_eq!(made.as_json(), r#"{"a":"é","b":"\"\n"}"#);
        assert_eq!(Metadata::from_json(made.as_json()), Ok(made.clone()));
        assert_eq!(made.entries().len(), 2);
    }

    #[test]
    fn what_is_too_much_or_no_text_is_refused() {
        let many: BTreeMap<String, String> = (0..51)
            .map(|key| (format!("k{key}"), String::new()))
            .collect();
        assert_eq!(Metadata::new(&many), Err(MetadataError::TooMany));
        assert_eq!(of(&[("", "")]), Err(MetadataError::BadKey));
        assert_eq!(of(&[("a b", "")]), Err(MetadataError::BadKey));
        assert_eq!(of(&[(&"k".repeat(41), "")]), Err(MetadataError::BadKey));
        assert_eq!(
            of(&[("k", &"v".repeat(501))]),
            Err(MetadataError::LongValue)
        );
        for text in ["", "[]", "{\"a\":1}", "{\"a\":{}}", "{\"a\":null}"] {
            assert_eq!(
                Metadata::from_json(text),
                Err(MetadataError::Malformed),
                "{text}"
            );
        }
    }
}
