//! Cursors, which say where a list continues, and the length of a page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::strict_json::FieldError;

/// Number of items of a page, if the request does not name one.
pub const DEFAULT_LIMIT: u16 = 25;

/// Greatest number of items of a page.
pub const MAX_LIMIT: u16 = 100;

/// The first byte of every cursor, so that a later form can be distinguished from this one. Form 1 did not
/// contain its list.
const VERSION: u8 = 2;

/// The list that a cursor belongs to, with its filters: the first bytes of a hash of
/// the path and of all parameters but `limit` and `cursor`.
///
/// It finds mistakes. It is no protection against forged cursors, and need not be one: a cursor grants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List([u8; 4]);

impl List {
    /// The list under a path, with these parameters, sorted by name.
    #[must_use]
    pub fn of<'a>(path: &str, asked: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        add(path);
        for (name, value) in asked.filter(|(name, _)| !["limit", "cursor"].contains(name)) {
            add(name);
            add(value);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut first = [0; 4];
        first
            .iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Self(first)
    }
}

/// The last item of a page: its id and, for lists that are sorted by something else, that sort key.
///
/// For the caller it is opaque text. It grants nothing: a list shows only the caller's own items, wherever it
/// starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the last item shown.
    pub id: [u8; 16],
    /// The sort key of that item, in lists not sorted by id.
    pub position: Option<i64>,
}

impl Cursor {
    /// The text that callers get: base64url, without padding, of the version, the list, the id, and the
    /// position if there is one.
    #[must_use]
    pub fn encode(&self, list: List) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(list.0);
        bytes.extend(self.id);
        bytes.extend(self.position.map(i64::to_be_bytes).into_iter().flatten());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list. Only the exact output of [`Cursor::encode`] is accepted.
    ///
    /// # Errors
    /// `malformed_cursor` or, for one of another list or of other parameters, `foreign_cursor`, at
    /// `cursor`.
    pub fn parse(text: &str, list: List) -> Result<Cursor, FieldError> {
        let wrong = |code, detail: &str| FieldError {
            pointer: "cursor".into(),
            code,
            detail: detail.into(),
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let (of, cursor) = Cursor::from_bytes(&bytes).ok_or_else(|| {
            let detail = "The cursor must be the next_cursor of an earlier page.";
            wrong("malformed_cursor", detail)
        })?;
        if of != list {
            let detail = "The cursor is of another list, or of other parameters. A page goes on with \
                          all parameters of the page before it; only limit may change.";
            return Err(wrong("foreign_cursor", detail));
        }
        Ok(cursor)
    }

    fn from_bytes(bytes: &[u8]) -> Option<(List, Cursor)> {
        let (list, rest) = bytes.strip_prefix(&[VERSION])?.split_first_chunk()?;
        let (id, position) = rest.split_first_chunk()?;
        let position = match position {
            [] => None,
            bytes => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        };
        Some((List(*list), Cursor { id: *id, position }))
    }
}

/// Reads the `limit` parameter of a list.
///
/// # Errors
/// `out_of_range` at `limit` for anything but an integer from 1 to [`MAX_LIMIT`] in plain digits.
pub fn limit(text: Option<&str>) -> Result<u16, FieldError> {
    let Some(text) = text else {
        return Ok(DEFAULT_LIMIT);
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(limit @ 1..=MAX_LIMIT) if plain => Ok(limit),
        _ => Err(FieldError {
            pointer: "limit".into(),
            code: "out_of_range",
            detail: format!("The limit must be an integer from 1 to {MAX_LIMIT}."),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    const LIST: List = List([9; 4]);

    #[test]
    fn a_cursor_goes_on_with_its_own_list_alone() {
        let asked = [("code_prefix", "a"), ("kind", "gift")];
        let list = List::of("/v1/transactions", asked.into_iter());
        let cursor = Cursor {
            id: [7; 16],
            position: Some(3),
        };
        let text = cursor.encode(list);
        let turned = [asked.as_slice(), &[("limit", "7"), ("cursor", &text)]].concat();
        let next = List::of("/v1/transactions", turned.into_iter());
        assert_eq!(Cursor::parse(&text, next), Ok(cursor));
        for (path, asked) in [
            ("/v1/payments", asked.as_slice()),
            ("/v1/transactions", &[]),
            (
                "/v1/transactions",
                &[("code_prefix", "ak"), ("ind", "gift")],
            ),
            (
                "/v1/transactions",
                &[("code_prefix", "a"), ("kind", "Gift")],
            ),
            ("/v1/transactions", &[("code_prefix", "a")]),
        ] {
            let other = List::of(path, asked.iter().copied());
            let error = Cursor::parse(&text, other).unwrap_err();
            assert_eq!(
                (error.pointer.as_str(), error.code),
                ("cursor", "foreign_cursor")
            );
        }
    }

    #[test]
    fn anything_but_a_cursor_is_refused() {
        let good = Cursor {
            id: [7; 16],
            position: None,
        }
        .encode(LIST);
        let other_version = URL_SAFE_NO_PAD.encode([[1; 1].as_slice(), &[9; 4], &[7; 16]].concat());
        let without_list = URL_SAFE_NO_PAD.encode([[1; 1].as_slice(), &[7; 16]].concat());
        let half_a_position = URL_SAFE_NO_PAD.encode([[2; 1].as_slice(), &[9; 24]].concat());
        let too_long = URL_SAFE_NO_PAD.encode([[2; 1].as_slice(), &[9; 29]].concat());
        for text in [
            "",
            "AQ",
            "not a cursor",
            &format!("{good}="),
            &format!("{good}A"),
            &format!(" {good}"),
            &format!("{}+", good.get(..good.len() - 1).unwrap()),
            good.get(1..).unwrap(),
            &other_version,
            &without_list,
            &half_a_position,
            &too_long,
        ] {
            let error = Cursor::parse(text, LIST).unwrap_err();
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
            prop_assert_eq!(Cursor::parse(&cursor.encode(LIST), LIST), Ok(cursor));
        }

        #[test]
        fn what_is_accepted_has_one_writing(text in "[A-Za-z0-9_=-]{0,40}|AgkJCQk[A-Za-z0-9_-]{21}") {
            if let Ok(cursor) = Cursor::parse(&text, LIST) {
                prop_assert_eq!(cursor.encode(LIST), text);
            }
        }
    }
}
