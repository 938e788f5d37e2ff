//! The bodies of requests: pairs of names and values, percent-encoded. A name in square brackets is a field of the
//! object before it: `metadata[florin_operation]`.

use form_urlencoded::Serializer;

/// The form of the bodies, for their header.
pub(super) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Pairs of names and values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The form with one more field.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The form with one more field of `metadata`.
    pub(super) fn noting(self, name: &str, value: impl Into<String>) -> Self {
        self.with(&format!("metadata[{name}]"), value)
    }

    /// The encoded pairs, as they stand in a body or in a query.
    pub(super) fn encoded(&self) -> String {
        let mut text = Serializer::new(String::new());
        text.extend_pairs(&self.0);
        text.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brackets_and_everything_with_a_meaning_are_encoded() {
        let form = Form::default()
            .with("amount", "1099")
            .with("destination", "a&b=c d+é/?#")
            .noting("florin_operation", "op_1");
        let encoded = form.encoded();
        assert_eq!(
            encoded,
            "amount=1099&destination=a%26b%3Dc+d%2B%C3%A9%2F%3F%23&metadata%5Bflorin_operation%5D=op_1"
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(pairs in proptest::collection::vec((".*", ".*"), 0..8)) {
            let form = Form(pairs);
            let encoded = form.encoded();
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()));
            let read = form_urlencoded::parse(encoded.as_bytes()).into_owned();
            prop_assert_eq!(read.collect::<Vec<_>>(), form.0);
        }
    }
}
