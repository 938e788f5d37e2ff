//! Where a list goes on, and how long a page is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::strict_json::FieldError;

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: u16 = 25;

/// The most items of a page.
pub const LARGEST_LIMIT: u16 = 100;

/// Leads every cursor, so that a later form can be told from this one.
const VERSION: u8 = 1;

/// The last item of a page: its id and, for lists that are sorted by something else, that sort key.
///
/// To the caller it is opaque text. It grants nothing: a list shows the caller's own items only,
/// wherever it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the last item shown.
    pub id: [u8; 16],
    /// The sort key of that item, in lists not sorted by id.
    pub position: Option<i64>,
}

impl Cursor {
    /// The text handed to callers: base64url without padding of version, id, and position if any.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.id);
        bytes.extend(self.position.map(i64::to_be_bytes).into_iter().flatten());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor back; only what [`Cursor::encode`] writes is accepted, byte for byte.
    ///
    /// # Errors
    /// `malformed_cursor` at `cursor`.
    pub fn parse(text: &str) -> Result<Cursor, FieldError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        Cursor::from_bytes(&bytes).ok_or_else(|| FieldError {
            pointer: "cursor".into(),
            code: "malformed_cursor",
            detail: "The cursor must be the next_cursor of an earlier page.".into(),
        })
    }

    fn from_bytes(bytes: &[u8]) -> Option<Cursor> {
        let (id, position) = bytes.strip_prefix(&[VERSION])?.split_first_chunk()?;
        let position = match position {
            [] => None,
            bytes => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        };
        Some(Cursor { id: *id, position })
    }
}

/// Reads the `limit` parameter of a list.
///
/// # Errors
/// `out_of_range` at `limit` for anything but an integer from 1 to [`LARGEST_LIMIT`] in plain digits.
pub fn limit(text: Option<&str>) -> Result<u16, FieldError> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=LARGEST_LIMIT) if plain => Ok(limit),
        _ => Err(FieldError {
            pointer: "limit".into(),
            code: "out_of_range",
            detail: format!("The limit must be an integer from 1 to {LARGEST_LIMIT}."),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn anything_but_a_cursor_is_refused() {
        let good = Cursor {
            id: [7; 16],
            position: None,
        }
        .encode();
        let other_version = URL_SAFE_NO_PAD.encode([[2; 1].as_slice(), &[7; 16]].concat());
        let half_a_position = URL_SAFE_NO_PAD.encode([[1; 1].as_slice(), &[7; 20]].concat());
        let too_long = URL_SAFE_NO_PAD.encode([[1; 1].as_slice(), &[7; 25]].concat());
        for text in [
            "",
            "AQ",
            "not a cursor",
            &format!("{good}="),
            &format!("{good}A"),
            &format!(" {good}"),
            &good.replace('c', "+"),
            good.get(1..).unwrap(),
            &other_version,
            &half_a_position,
            &too_long,
        ] {
            let error = Cursor::parse(text).unwrap_err();
            assert_eq!(
                (error.pointer.as_str(), error.code),
                ("cursor", "malformed_cursor")
            );
        }
    }

    #[test]
    fn a_limit_is_1_to_100_and_25_by_default() {
        assert_eq!(limit(None), Ok(25));
        assert_eq!(limit(Some("1")), Ok(1));
        assert_eq!(limit(Some("100")), Ok(100));
        for text in [
            "",
            "0",
            "101",
            "-1",
            "+5",
            "5.0",
            " 5",
            "five",
            "99999999999999999999",
        ] {
            assert_eq!(limit(Some(text)).unwrap_err().pointer, "limit", "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_cursor_is_read_back(id in any::<[u8; 16]>(), position in any::<Option<i64>>()) {
            let cursor = Cursor { id, position };
            prop_assert_eq!(Cursor::parse(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn what_is_accepted_has_one_writing(text in "[A-Za-z0-9_=-]{0,40}|AQ[A-Za-z0-9_-]{21}") {
            if let Ok(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
