//! Request headers, each parsed once into its meaning.

use std::time::Duration;

use idempotency::Key;

use crate::Headers;
use crate::code;
use crate::problem::Problem;

/// Time to wait for an outcome, if the caller names none.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// Longest time to wait for an outcome.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const PREFER: &str = "prefer";
const AUTHORIZATION: &str = "authorization";
const CONTENT_TYPE: &str = "content-type";
const CONTENT_ENCODING: &str = "content-encoding";

/// The idempotency key: 1 to 255 visible ASCII characters, raw, or as an RFC 8941 string in quotes. Both mean
/// the same key.
///
/// # Errors
/// `idempotency_key_invalid` if the header occurs twice, or if the text is no [`Key`].
pub fn idempotency_key(headers: &Headers) -> Result<Option<Key>, Problem> {
    let refused =
        |detail: String| Err(Problem::new(code::IDEMPOTENCY_KEY_INVALID).with_detail(detail));
    let mut lines = headers.all(IDEMPOTENCY_KEY);
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return refused("There must be one Idempotency-Key header, not several.".into());
    }
    let key = if line.starts_with(b"\"") {
        quoted_string(line)
    } else {
        ascii_text(line)
    };
    let Some(key) = key else {
        return refused(
            "The Idempotency-Key is not ASCII, or its quotes or escapes are wrong.".into(),
        );
    };
    match Key::parse(key) {
        Ok(key) => Ok(Some(key)),
        Err(rule) => refused(rule.to_string()),
    }
}

/// The time that the caller allows for an outcome: `Prefer: wait=N` in seconds (RFC 7240), at most
/// [`MAX_WAIT`]; [`DEFAULT_WAIT`] when absent or malformed. The first `wait` counts.
#[must_use]
pub fn prefer_wait(headers: &Headers) -> Duration {
    let lines = headers.all(PREFER).filter_map(visible);
    let mut preferences = lines.flat_map(|line| split_outside_quotes(line, ','));
    let wait = preferences.find_map(|preference| {
        let own = split_outside_quotes(preference, ';').into_iter().next()?;
        let (name, value) = own.split_once('=').unwrap_or((own, ""));
        name.trim()
            .eq_ignore_ascii_case("wait")
            .then(|| seconds(value.trim()))
    });
    wait.flatten().unwrap_or(DEFAULT_WAIT)
}

/// The bearer token (RFC 6750).
///
/// # Errors
/// `unauthorized` if the header is absent, occurs twice, has another scheme, or has a malformed token.
pub fn bearer(headers: &Headers) -> Result<&str, Problem> {
    let mut lines = headers.all(AUTHORIZATION);
    let token = match (lines.next(), lines.next()) {
        (Some(line), None) => visible(line).and_then(bearer_token),
        _ => None,
    };
    token.ok_or_else(|| {
        Problem::new(code::UNAUTHORIZED)
            .with_detail("Send the API key as `Authorization: Bearer <key>`.")
    })
}

/// Checks that the body is announced as plain JSON: `Content-Type: application/json`, optionally
/// with `charset=utf-8`, and no `Content-Encoding`.
///
/// # Errors
/// `unsupported_media_type`.
pub fn json_content(headers: &Headers) -> Result<(), Problem> {
    no_content_encoding(headers)?;
    let mut lines = headers.all(CONTENT_TYPE);
    let is_json = match (lines.next(), lines.next()) {
        (Some(line), None) => visible(line).is_some_and(means_json),
        _ => false,
    };
    if is_json {
        return Ok(());
    }
    Err(Problem::new(code::UNSUPPORTED_MEDIA_TYPE)
        .with_detail("Send the body as `Content-Type: application/json`, in UTF-8."))
}

/// Checks that the body has no content encoding: nothing here decodes bodies, and a signature covers the bytes
/// that were sent.
///
/// # Errors
/// `unsupported_media_type`.
pub fn no_content_encoding(headers: &Headers) -> Result<(), Problem> {
    if headers.has(CONTENT_ENCODING) {
        return Err(Problem::new(code::UNSUPPORTED_MEDIA_TYPE)
            .with_detail("Bodies with a Content-Encoding are not accepted."));
    }
    Ok(())
}

/// A header line in ASCII without control characters other than tabs.
fn visible(line: &[u8]) -> Option<&str> {
    let is_visible = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let is_plain = line.iter().all(is_visible);
    str::from_utf8(line).ok().filter(|_| is_plain)
}

fn ascii_text(raw: &[u8]) -> Option<String> {
    raw.is_ascii()
        .then(|| raw.iter().copied().map(char::from).collect())
}

/// RFC 8941, section 3.3.3, with nothing after the closing quote.
fn quoted_string(raw: &[u8]) -> Option<String> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = String::new();
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next()? {
                escaped @ (b'"' | b'\\') => text.push(char::from(escaped)),
                _ => return None,
            },
            b'"' => return None,
            b' '..=b'~' => text.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(text)
}

fn seconds(value: &str) -> Option<Duration> {
    let unquoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let digits = unquoted.unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit mean the longest wait.
    let seconds = digits.parse().map_or(MAX_WAIT, Duration::from_secs);
    Some(seconds.min(MAX_WAIT))
}

fn bearer_token(line: &str) -> Option<&str> {
    let (scheme, token) = line.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let well_formed = !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    (scheme.eq_ignore_ascii_case("bearer") && well_formed).then_some(token)
}

fn means_json(content_type: &str) -> bool {
    let mut parts = split_outside_quotes(content_type, ';')
        .into_iter()
        .map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf_8 = |parameter: &str| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            let is_value = ["utf-8", "\"utf-8\""]
                .iter()
                .any(|good| value.eq_ignore_ascii_case(good));
            name.eq_ignore_ascii_case("charset") && is_value
        })
    };
    is_json && parts.next().is_none_or(is_utf_8) && parts.next().is_none()
}

/// Splits a header at the separators that are outside of quoted strings.
#[must_use]
pub fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|character| {
        let splits = character == separator && !quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        splits
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn headers(name: &str, lines: &[&[u8]]) -> Headers {
        lines.iter().map(|line| (name, *line)).collect()
    }

    fn key(line: &str) -> Result<Option<String>, Problem> {
        let read = idempotency_key(&headers(IDEMPOTENCY_KEY, &[line.as_bytes()]))?;
        Ok(read.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn a_key_means_the_same_raw_and_quoted() {
        assert_eq!(idempotency_key(&Headers::default()), Ok(None));
        let longest = "k".repeat(255);
        for (line, expected) in [
            ("abc", "abc"),
            (r#""abc""#, "abc"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#"a"b\c"#, r#"a"b\c"#),
            ("!~", "!~"),
            (longest.as_str(), longest.as_str()),
            (&format!("\"{longest}\""), longest.as_str()),
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
        ] {
            assert_eq!(key(line), Ok(Some(expected.to_owned())), "{line}");
        }
    }

    #[test]
    fn an_illegal_key_is_refused() {
        let too_long = "k".repeat(256);
        for line in [
            "",
            r#""""#,
            r#"""#,
            "a b",
            r#""a b""#,
            "a\tb",
            "clé",
            r#""abc"#,
            r#""abc"x"#,
            r#""abc";x=1"#,
            r#""a"b""#,
            r#""a\bc""#,
            r#""abc\""#,
            "one, two",
            too_long.as_str(),
            "4242424242424242",
        ] {
            let problem = key(line).unwrap_err();
            assert_eq!(problem.code(), code::IDEMPOTENCY_KEY_INVALID, "{line}");
            assert_eq!(problem.status(), 400);
            assert!(!problem.to_string().contains("4242"));
        }
    }

    #[test]
    fn two_key_lines_are_refused_even_when_equal() {
        let twice = headers(IDEMPOTENCY_KEY, &[b"a", b"a"]);
        assert_eq!(
            idempotency_key(&twice).unwrap_err().code(),
            code::IDEMPOTENCY_KEY_INVALID
        );
    }

    #[test]
    fn the_wait_is_what_the_caller_prefers_within_bounds() {
        for (lines, expected) in [
            (&[][..], 10),
            (&[&b"wait=3"[..]][..], 3),
            (&[b"wait=0"], 0),
            (&[b"WAIT = 4"], 4),
            (&[b"wait=\"5\""], 5),
            (&[b"respond-async, wait=6; hard"], 6),
            (&[b"return=minimal", b"wait=7"], 7),
            (&[b"wait=8, wait=9"], 8),
            (&[b"foo=\"a, wait=1\", wait=2"], 2),
            (&[b"wait=61"], 60),
            (&[b"wait=99999999999999999999999"], 60),
            (&[b"wait"], 10),
            (&[b"wait="], 10),
            (&[b"wait=-1"], 10),
            (&[b"wait=1.5"], 10),
            (&[b"wait=+1"], 10),
            (&[b"wait=soon, wait=1"], 10),
            (&[b"waiting=1"], 10),
            (&[b"\xff"], 10),
        ] {
            let wait = prefer_wait(&headers(PREFER, lines));
            assert_eq!(wait, Duration::from_secs(expected), "{lines:?}");
        }
    }

    #[test]
    fn a_bearer_token_is_found_and_anything_else_refused() {
        let ask = |lines: &[&[u8]]| {
            let headers = headers(AUTHORIZATION, lines);
            bearer(&headers).map(str::to_owned)
        };
        for good in [&b"Bearer sk_1"[..], b"bearer sk_1", b"BEARER  sk_1"] {
            assert_eq!(ask(&[good]), Ok("sk_1".to_owned()));
        }
        assert_eq!(ask(&[b"Bearer ab-._~+/9=="]), Ok("ab-._~+/9==".to_owned()));
        for bad in [
            &[][..],
            &[&b"sk_1"[..]][..],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Bearer =="],
            &[b"Bearer a b"],
            &[b"Bearer a=b"],
            &[b"Bearer \xff"],
            &[b"Basic c2s6"],
            &[b"Bearer sk_1", b"Bearer sk_1"],
        ] {
            let problem = ask(bad).unwrap_err();
            assert_eq!(problem.code(), code::UNAUTHORIZED, "{bad:?}");
            let response = problem.into_response("req_1");
            assert!(
                response
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "www-authenticate")
            );
        }
    }

    #[test]
    fn only_plain_json_is_taken() {
        let ask = |lines: &[&[u8]]| json_content(&headers(CONTENT_TYPE, lines));
        for good in [
            &b"application/json"[..],
            b"Application/JSON",
            b"application/json; charset=utf-8",
            b"application/json;charset=\"UTF-8\"",
        ] {
            assert_eq!(ask(&[good]), Ok(()));
        }
        for bad in [
            &[][..],
            &[&b""[..]][..],
            &[b"text/plain"],
            &[b"application/jsonx"],
            &[b"application/problem+json"],
            &[b"application/json; charset=latin1"],
            &[b"application/json; version=2"],
            &[b"application/json; charset=utf-8; x=1"],
            &[b"application/json;"],
            &[b"application/json, text/plain"],
            &[b"application/json", b"application/json"],
        ] {
            assert_eq!(
                ask(bad).unwrap_err().code(),
                code::UNSUPPORTED_MEDIA_TYPE,
                "{bad:?}"
            );
        }
    }

    #[test]
    fn an_encoded_body_is_refused() {
        let lines: [(&str, &[u8]); 2] = [
            (CONTENT_TYPE, b"application/json"),
            ("Content-Encoding", b"gzip"),
        ];
        let headers: Headers = lines.into_iter().collect();
        assert_eq!(json_content(&headers).unwrap_err().status(), 415);
        assert_eq!(no_content_encoding(&headers).unwrap_err().status(), 415);
    }

    proptest! {
        #[test]
        fn garbage_in_headers_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let line = [bytes.as_slice()];
            let _ = idempotency_key(&headers(IDEMPOTENCY_KEY, &line));
            let _ = bearer(&headers(AUTHORIZATION, &line));
            let _ = json_content(&headers(CONTENT_TYPE, &line));
            prop_assert!(prefer_wait(&headers(PREFER, &line)) <= MAX_WAIT);
        }

        #[test]
        fn any_key_is_read_back_from_its_quoted_form(key in "[!-~]{1,255}") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assume!(Key::parse(key.clone()).is_ok());
            prop_assert_eq!(self::key(&quoted), Ok(Some(key)));
        }
    }
}
