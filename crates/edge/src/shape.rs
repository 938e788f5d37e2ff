//! Shapes: the bounds of a text or a number, under one name. A reader checks them, and the description prints
//! them.

use serde_json::{Value, json};
use utoipa::Number;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, SchemaFormat, Type,
};

use crate::describe::{Describe, Schema};

/// The bounds of a value, with its name in the description.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The name in the description. A shape without a name is printed in place.
    pub name: &'static str,
    /// The meaning in words.
    pub says: &'static str,
    pub(crate) form: Form,
    pattern: Option<&'static str>,
    format: Option<Format>,
    example: Option<Example>,
}

/// The kind of a value, with the bounds that its readers check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// `true` or `false`.
    Boolean,
    /// A text, with the bounds of its length if the pattern does not give them.
    Text(Option<(usize, usize)>),
    /// A prefix, and 32 lower-case hexadecimal digits.
    Id(&'static str),
    /// One of a few words.
    Words(&'static [&'static str]),
    /// An integer within these bounds.
    Integer(i64, i64),
    /// A sum of amounts, which may need more than 64 bits.
    Sum,
    /// Texts by key.
    Labels(Labels),
}

/// The bounds of texts by key.
#[derive(Debug, Clone, Copy)]
pub struct Labels {
    /// Greatest number of entries.
    pub max_entries: usize,
    /// Greatest length of a key, in characters.
    pub longest_key: usize,
    /// Greatest length of a text, in characters.
    pub longest: usize,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Int32,
    Int64,
    DateTime,
}

#[derive(Debug, Clone, Copy)]
enum Example {
    Text(&'static str),
    Integer(i64),
    Entry(&'static str, &'static str),
}

/// Pattern of any characters but U+0000.
const NO_NUL: &str = r"^[^\u0000]*$";

impl Shape {
    const fn of(form: Form) -> Self {
        Self {
            name: "",
            says: "",
            form,
            pattern: None,
            format: None,
            example: None,
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn boolean() -> Self {
        Self::of(Form::Boolean)
    }

    /// A text of this pattern, which bounds its length.
    #[must_use]
    pub const fn pattern(pattern: &'static str) -> Self {
        Self {
            pattern: Some(pattern),
            ..Self::of(Form::Text(None))
        }
    }

    /// Any text.
    #[must_use]
    pub const fn any_text() -> Self {
        Self::of(Form::Text(None))
    }

    /// A text of any characters but U+0000.
    #[must_use]
    pub const fn text(min: usize, max: usize) -> Self {
        Self::pattern(NO_NUL).length(min, max)
    }

    /// The same shape with bounds of its length in characters.
    #[must_use]
    pub const fn length(self, min: usize, max: usize) -> Self {
        Self {
            form: Form::Text(Some((min, max))),
            ..self
        }
    }

    /// A prefix such as `acc_` and 32 lower-case hexadecimal digits.
    #[must_use]
    pub const fn id(prefix: &'static str) -> Self {
        Self::of(Form::Id(prefix))
    }

    /// A moment in RFC 3339.
    #[must_use]
    pub const fn moment(pattern: &'static str) -> Self {
        Self {
            format: Some(Format::DateTime),
            ..Self::pattern(pattern)
        }
    }

    /// One of these words.
    #[must_use]
    pub const fn words(words: &'static [&'static str]) -> Self {
        Self::of(Form::Words(words))
    }

    /// An integer of 64 bits.
    #[must_use]
    pub const fn integer(min: i64, max: i64) -> Self {
        Self {
            format: Some(Format::Int64),
            ..Self::small(min, max)
        }
    }

    /// An integer of 32 bits.
    #[must_use]
    pub const fn short_integer(min: i64, max: i64) -> Self {
        Self {
            format: Some(Format::Int32),
            ..Self::small(min, max)
        }
    }

    /// An integer without a format: its bounds are enough.
    #[must_use]
    pub const fn small(min: i64, max: i64) -> Self {
        Self::of(Form::Integer(min, max))
    }

    /// A sum of amounts, from 0. It may need more than 64 bits.
    #[must_use]
    pub const fn sum() -> Self {
        Self::of(Form::Sum)
    }

    /// Texts by key. The pattern is that of the keys.
    #[must_use]
    pub const fn labels(pattern: &'static str, bounds: Labels) -> Self {
        Self {
            pattern: Some(pattern),
            ..Self::of(Form::Labels(bounds))
        }
    }

    /// The same shape with a name in the description.
    #[must_use]
    pub const fn named(self, name: &'static str, says: &'static str) -> Self {
        Self { name, says, ..self }
    }

    /// The same shape with a text as its example.
    #[must_use]
    pub const fn example(self, text: &'static str) -> Self {
        Self {
            example: Some(Example::Text(text)),
            ..self
        }
    }

    /// The same shape with a number as its example.
    #[must_use]
    pub const fn example_number(self, number: i64) -> Self {
        Self {
            example: Some(Example::Integer(number)),
            ..self
        }
    }

    /// The same shape with an entry as its example.
    #[must_use]
    pub const fn example_entry(self, key: &'static str, text: &'static str) -> Self {
        Self {
            example: Some(Example::Entry(key, text)),
            ..self
        }
    }

    /// The schema of this shape in a description: a reference to its name, or the whole schema.
    #[must_use]
    pub fn describe(&self, known: &mut Describe) -> Schema {
        if self.name.is_empty() {
            return self.schema();
        }
        known.name(self.name, self.schema())
    }

    /// The whole schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let built = match self.form {
            Form::Words(words) => text().enum_values(Some(words.iter().copied())),
            Form::Boolean => ObjectBuilder::new().schema_type(Type::Boolean),
            Form::Text(None) => text().pattern(self.pattern),
            Form::Text(Some((min, max))) => {
                let bounded = text().pattern(self.pattern).max_length(Some(max));
                bounded.min_length(Some(min).filter(|min| *min > 0))
            }
            Form::Id(prefix) => text().pattern(Some(format!("^{prefix}[0-9a-f]{{32}}$"))),
            Form::Integer(min, max) => integer()
                .minimum(Some(whole(min)))
                .maximum(Some(whole(max))),
            Form::Sum => integer().minimum(Some(whole(0))),
            Form::Labels(bounds) => {
                let value = Self::text(0, bounds.longest).schema();
                ObjectBuilder::new()
                    .max_properties(Some(bounds.max_entries))
                    .property_names(Some(text().pattern(self.pattern)))
                    .additional_properties(Some(AdditionalProperties::RefOr(value)))
            }
        };
        let format = self.format.map(|format| {
            SchemaFormat::KnownFormat(match format {
                Format::Int32 => KnownFormat::Int32,
                Format::Int64 => KnownFormat::Int64,
                Format::DateTime => KnownFormat::DateTime,
            })
        });
        let says = self.says.trim();
        let built = built.description(Some(says).filter(|says| !says.is_empty()));
        let built = built.examples(self.example.map(Example::value));
        RefOr::T(built.format(format).into())
    }
}

impl Example {
    fn value(self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Entry(key, text) => json!({key: text}),
        }
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// An integer of the description. All of them fit the word of the machine.
fn whole(number: i64) -> Number {
    Number::Int(isize::try_from(number).unwrap_or(isize::MAX))
}
