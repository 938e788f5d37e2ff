//! Strings and the order of keys in canonical JSON, as RFC 8785 (JCS) defines them.

use std::cmp::Ordering;

/// The order of keys. RFC 8785 §3.2.3 sorts by UTF-16 code units, which differs from UTF-8 bytes beyond U+FFFF.
pub(crate) fn key_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Appends a JSON string as RFC 8785 §3.2.2.2 writes it: only the characters that must be escaped are escaped, in the
/// short form if there is one.
pub(crate) fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for run in text
        .as_bytes()
        .split_inclusive(|byte| must_be_escaped(*byte))
    {
        match run.split_last() {
            Some((last, plain)) if must_be_escaped(*last) => {
                out.extend_from_slice(plain);
                put_escape(out, *last);
            }
            Some(_) | None => out.extend_from_slice(run),
        }
    }
    out.push(b'"');
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn put_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        b'"' | b'\\' => byte,
        control => {
            out.extend_from_slice(b"\\u00");
            out.push(hex_digit(control >> 4));
            out.push(hex_digit(control & 0x0f));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        letter => b'a' + letter - 10,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        put_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// The string of RFC 8785 §3.2.2.2.
    #[test]
    fn strings_are_escaped_as_the_standard_shows() {
        let text = "\u{20ac}$\u{0f}\u{0a}A'\u{42}\u{22}\u{5c}\\\"/";
        let expected = r#""€$\u000f\nA'B\"\\\\\"/""#;
        assert_eq!(written(text), expected);
    }

    #[test]
    fn only_controls_quotes_and_backslashes_are_escaped() {
        let text = "\u{0}\u{8}\t\u{b}\u{c}\r\u{1f} \u{7f}\u{80}\u{2028}\u{fffd}\u{1f600}";
        let expected = concat!(
            r#""\u0000\b\t\u000b\f\r\u001f "#,
            "\u{7f}\u{80}\u{2028}\u{fffd}\u{1f600}",
            "\"",
        );
        assert_eq!(written(text), expected);
    }
}
