//! JSON pointers (RFC 6901) that are safe to send back.

use text::contains_card_number;

/// Greatest number of characters of a key in a pointer: an answer must not grow with the request.
const MAX_SEGMENT_LENGTH: usize = 64;

/// One step of a pointer, escaped, with its slash. A key that is a card number is not repeated.
pub(super) fn step(key: &str) -> String {
    let shown = if contains_card_number(key) {
        "[card number]"
    } else {
        key
    };
    let end = shown
        .char_indices()
        .nth(MAX_SEGMENT_LENGTH)
        .map(|(end, _)| end);
    let (kept, mark) = match end.and_then(|end| shown.get(..end)) {
        Some(kept) => (kept, "…"),
        None => (shown, ""),
    };
    format!("/{}{mark}", kept.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn a_step_is_escaped_as_rfc_6901_says() {
        assert_eq!(step("a/b~c"), "/a~1b~0c");
    }

    #[test]
    fn a_long_key_is_cut() {
        assert_eq!(step(&"é".repeat(65)), format!("/{}…", "é".repeat(64)));
    }

    #[test]
    fn a_card_number_is_not_repeated() {
        assert_eq!(step("4242 4242 4242 4242"), "/[card number]");
    }
}
