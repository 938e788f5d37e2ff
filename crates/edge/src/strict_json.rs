//! Request bodies: a strict parser of JSON, and typed readers of its values.
//!
//! [`parse`] makes an [`Object`] of bytes, and refuses everything that two correct programs could read
//! differently: duplicate keys, fractions and exponents, integers beyond `i64`, `-0`, U+0000, lone surrogates,
//! a top level that is no object, depth beyond [`MAX_DEPTH`], more than [`MAX_BYTES`] ([`parse_within`]: more
//! than its caller allows). It is stricter than RFC 8259 and within I-JSON (RFC 7493). [`Fields`] reads the
//! domain values of an object and collects every error, each with a JSON pointer (RFC 6901) and a stable code;
//! the same readers, run without a value, print the schema of the values that they take. [`canonical`] is the text
//! that a fingerprint covers.
//!
//! It never turns a number into a float, never guesses a type (`"10"` is no amount), never ignores a
//! field it does not know, and never repeats a value in an error.
//!
//! ```
//! use edge::strict_json::{Body, CardNumbers, Slot, amount, nullable, object, parse, text};
//! use edge::{Describe, Reader, Shape};
//!
//! const UNITS: Shape = Shape::integer(1, i64::MAX);
//! const NOTE: Shape = Shape::text(1, 200);
//! let gift = object("Gift", "Gives money away.", |fields| {
//! let minor_units = fields.required("amount", amount(UNITS));
//! let note = fields.optional("note", nullable(text(1, 200, NOTE)));
//! Slot::together((minor_units, note))
//! });
//! let body = parse(br#"{"amount": 1099, "note": null, "colour": "red"}"#)?;
//! let cards = CardNumbers { identifiers: &[], labels: "", detail: "No card numbers." };
//! let refused = gift.whole(body, &cards).unwrap_err();
//! assert_eq!(refused[0].pointer, "/colour");
//! assert_eq!(refused[0].code, "unknown_field");
//!
//! let mut known = Describe::default();
//! gift.describe(&mut known);
//! assert!(known.named().contains_key("Gift"));
//! # Ok::<(), edge::strict_json::Refusal>(())
//! ```

mod canonical;
mod cards;
mod compounds;
mod fields;
mod parser;
mod pointer;
mod readers;
mod refusal;
mod rule;
mod scalars;

pub use canonical::canonical;
pub use cards::CardNumbers;
pub use compounds::{Alternative, Body, labels, object, one_of};
pub use fields::{Either, FieldError, Fields, MAX_ERRORS, Reading, Slot, Slots};
pub use parser::{parse, parse_within};
pub use readers::{
    Reader, amount, boolean, boolean_or, choice, currency, guarded, id, integer, list, moment,
    nullable, prose, text,
};
pub use refusal::{Refusal, Rule};
pub use rule::{BrokenRule, Guarded};

/// Largest body in bytes, unless a route sets another bound.
pub const MAX_BYTES: usize = 64 * 1024;

/// Deepest nesting of objects and arrays. The top level counts as one.
pub const MAX_DEPTH: usize = 32;

/// A JSON value in a request. There are no fractions, because amounts have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction or exponent.
    Integer(i64),
    /// A string, unescaped; never with U+0000.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    /// The kind of the value, for a message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Text(_) => "text",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// The members of a JSON object, in the order in which they were sent. Every key occurs once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// All members, in the order in which they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True if there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}
