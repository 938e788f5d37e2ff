//! A received request, byte for byte, and what the schemes read in it: single headers and times.

use std::borrow::Cow;

use crate::Refusal;

/// Greatest number of signatures in one request. Senders sign once per live secret, and there are two or three of
/// these. Without a limit a stranger could make the receiver check hundreds.
const MAX_SIGNATURES: usize = 32;

/// A received request: the parts a signature covers, untouched.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All headers, as received, in any order; names are compared without regard to case. A header that came twice must
    /// be in the list twice, never joined: the schemes refuse it.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as sent, before any decoding, decompression or parsing.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The value of a header that must come exactly once.
    pub(crate) fn sole_header(
        &self,
        name: impl Into<Cow<'static, str>>,
    ) -> Result<&'a [u8], Refusal> {
        let name = name.into();
        let mut values = self.header_values(&name);
        let (first, second) = (values.next(), values.next());
        drop(values);
        match (first, second) {
            (Some(value), None) => Ok(value),
            (None, _) => Err(Refusal::MissingHeader { name }),
            (Some(_), Some(_)) => Err(Refusal::DuplicateHeader { name }),
        }
    }

    /// All values of a header, in the order in which they came.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// Checks the number of signatures of one header: at least one, and at most the greatest allowed number.
pub(crate) fn bounded<T>(
    name: impl Into<Cow<'static, str>>,
    signatures: Vec<T>,
) -> Result<Vec<T>, Refusal> {
    let name = name.into();
    if signatures.is_empty() {
        return Err(Refusal::MalformedHeader { name });
    }
    if signatures.len() > MAX_SIGNATURES {
        return Err(Refusal::TooManySignatures {
            name,
            most: MAX_SIGNATURES,
        });
    }
    Ok(signatures)
}

/// Unix seconds written as plain ASCII digits: no sign, space, point or exponent.
pub(crate) fn unix_seconds(text: &[u8]) -> Option<i64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Request, unix_seconds};
    use crate::Refusal;

    #[test]
    fn a_header_is_found_whatever_the_case_of_its_name() {
        let headers: [(&str, &[u8]); 2] = [("Other", b"x"), ("WEBHOOK-id", b"msg_1")];
        let request = Request {
            headers: &headers,
            body: b"",
        };

        assert_eq!(request.sole_header("webhook-id"), Ok(&b"msg_1"[..]));
        assert_eq!(
            request.sole_header("webhook-timestamp"),
            Err(Refusal::MissingHeader {
                name: "webhook-timestamp".into()
            })
        );
    }

    #[test]
    fn a_header_that_comes_twice_is_refused_even_if_both_agree() {
        let headers: [(&str, &[u8]); 2] = [("webhook-id", b"msg_1"), ("Webhook-Id", b"msg_1")];
        let request = Request {
            headers: &headers,
            body: b"",
        };

        assert_eq!(
            request.sole_header("webhook-id"),
            Err(Refusal::DuplicateHeader {
                name: "webhook-id".into()
            })
        );
    }

    #[test]
    fn only_plain_digits_are_a_time() {
        assert_eq!(unix_seconds(b"0"), Some(0));
        assert_eq!(unix_seconds(b"1767225590"), Some(1_767_225_590));
        assert_eq!(unix_seconds(b"9223372036854775807"), Some(i64::MAX));
        for text in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e9",
            "0x1",
            "\u{661}",
            "9223372036854775808",
        ] {
            assert_eq!(unix_seconds(text.as_bytes()), None, "{text:?}");
        }
    }
}
