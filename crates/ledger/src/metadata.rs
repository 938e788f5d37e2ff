//! Metadata: texts that a tenant keeps with an account or a transaction, and that Florin does not use.

use std::collections::BTreeMap;
use std::sync::Arc;

use text::TextError;

/// Greatest number of entries.
const MAX_ENTRIES: usize = 50;
/// Greatest length of a key, in characters.
const MAX_KEY_LENGTH: usize = 40;
/// Greatest length of a value, in characters.
const MAX_VALUE_LENGTH: usize = 500;

/// Texts by name, stored as one flat JSON object with sorted keys, so that equal metadata has equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata(Arc<str>);

/// The name of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataKey(String);

/// A text of the metadata. It may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataValue(String);

/// Why texts are not valid metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Too many entries.
    #[error("metadata has at most {MAX_ENTRIES} entries")]
    TooMany,
    /// A key is empty, too long, or has a character other than letters, digits and `_ - .`.
    #[error("a key of metadata is 1 to {MAX_KEY_LENGTH} of A-Z, a-z, 0-9, _, - and .")]
    BadKey,
    /// A value is too long.
    #[error("a value of metadata has at most {MAX_VALUE_LENGTH} characters")]
    LongValue,
    /// A value has U+0000 in it.
    #[error("a value of metadata must not hold the character U+0000")]
    NulCharacter,
    /// A key or a value has a card number in it.
    #[error("metadata must not hold a card number")]
    CardNumber,
    /// The text is not a flat JSON object of texts.
    #[error("metadata is a flat JSON object of texts")]
    Malformed,
}

impl MetadataError {
    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "too_many_entries",
            Self::BadKey => "malformed_key",
            Self::LongValue => "too_long",
            Self::NulCharacter => "nul_character",
            Self::CardNumber => "card_number_refused",
            Self::Malformed => "malformed_metadata",
        }
    }
}

impl From<TextError> for MetadataError {
    fn from(rule: TextError) -> Self {
        match rule {
            TextError::TooLong { .. } => Self::LongValue,
            TextError::NulCharacter => Self::NulCharacter,
            TextError::CardNumber => Self::CardNumber,
            TextError::TooShort { .. } | TextError::ControlCharacter => Self::Malformed,
        }
    }
}

impl MetadataKey {
    /// A key from a text, if it keeps the rules.
    ///
    /// # Errors
    /// [`MetadataError`] names the first broken rule.
    pub fn parse(text: impl Into<String>) -> Result<Self, MetadataError> {
        let text = text.into();
        check_key(&text)?;
        Ok(Self(text))
    }
}

impl From<MetadataKey> for String {
    fn from(key: MetadataKey) -> Self {
        key.0
    }
}

impl MetadataValue {
    /// A value from a text, if it keeps the rules.
    ///
    /// # Errors
    /// [`MetadataError`] names the first broken rule.
    pub fn parse(text: impl Into<String>) -> Result<Self, MetadataError> {
        let text = text.into();
        check_value(&text)?;
        Ok(Self(text))
    }
}

impl From<MetadataValue> for String {
    fn from(value: MetadataValue) -> Self {
        value.0
    }
}

fn check_key(key: &str) -> Result<(), MetadataError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !(1..=MAX_KEY_LENGTH).contains(&key.len()) || !key.bytes().all(plain) {
        return Err(MetadataError::BadKey);
    }
    Ok(text::prose(key, 1..=MAX_KEY_LENGTH)?)
}

fn check_value(value: &str) -> Result<(), MetadataError> {
    Ok(text::prose(value, 0..=MAX_VALUE_LENGTH)?)
}

impl Metadata {
    /// Greatest number of entries.
    pub const MAX_ENTRIES: usize = MAX_ENTRIES;

    /// Metadata from texts by name.
    ///
    /// # Errors
    /// [`MetadataError`] is the first broken rule of the first entry that breaks one.
    pub fn new(entries: &BTreeMap<String, String>) -> Result<Self, MetadataError> {
        if entries.len() > MAX_ENTRIES {
            return Err(MetadataError::TooMany);
        }
        for (key, value) in entries {
            check_key(key)?;
            check_value(value)?;
        }
        Self::of(entries)
    }

    /// Metadata from a flat JSON object of texts.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`MetadataError::Malformed`].
    pub fn from_json(text: &str) -> Result<Self, MetadataError> {
        let entries = serde_json::from_str(text).map_err(|_no_texts| MetadataError::Malformed)?;
        Self::new(&entries)
    }

    /// Metadata as it was stored. Texts that were accepted under older rules stay readable.
    ///
    /// # Errors
    /// [`MetadataError::Malformed`] if the text is not one that [`as_json`](Self::as_json) returns.
    pub fn stored(text: &str) -> Result<Self, MetadataError> {
        let entries = serde_json::from_str(text).map_err(|_no_texts| MetadataError::Malformed)?;
        Self::of(&entries)
    }

    fn of(entries: &BTreeMap<String, String>) -> Result<Self, MetadataError> {
        let text = serde_json::to_string(entries).map_err(|_no_text| MetadataError::Malformed)?;
        Ok(Self(text.into()))
    }

    /// The metadata as one JSON object.
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
        assert_eq!(of(&[("k", "a\0b")]), Err(MetadataError::NulCharacter));
        let card = "4111 1111 1111 1111";
        assert_eq!(of(&[("k", card)]), Err(MetadataError::CardNumber));
        let as_key = card.replace(' ', "-");
        assert_eq!(of(&[(&as_key, "")]), Err(MetadataError::CardNumber));
        let stored = Metadata::stored(r#"{"k":"4111 1111 1111 1111"}"#).unwrap();
        assert_eq!(stored.as_json(), r#"{"k":"4111 1111 1111 1111"}"#);
        for text in ["", "[]", "{\"a\":1}", "{\"a\":{}}", "{\"a\":null}"] {
            assert_eq!(
                Metadata::from_json(text),
                Err(MetadataError::Malformed),
                "{text}"
            );
        }
    }
}
