//! The reading of an object's fields, with all errors at once.

use super::cards::{CARD, CardNumbers};
use super::readers::Reader;
use super::{Object, Value, pointer};
use crate::describe::{Choice, Describe, Form};

/// Greatest number of errors that are listed: an answer must not grow with the request.
pub const MAX_ERRORS: usize = 50;

/// A fault of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// RFC 6901 pointer into the body; for a query parameter its bare name, without a slash.
    pub pointer: String,
    /// Stable code of the broken rule.
    pub code: &'static str,
    /// The rule in words. Never repeats the value.
    pub detail: String,
}

impl FieldError {
    /// An error of a reader, about the value itself. The caller adds its place.
    #[must_use]
    pub fn here(code: &'static str, detail: impl Into<String>) -> FieldError {
        FieldError {
            pointer: String::new(),
            code,
            detail: detail.into(),
        }
    }

    /// The same error, with the pointer from one level above.
    #[must_use]
    pub fn below(mut self, key: &str) -> FieldError {
        self.pointer.insert_str(0, &pointer::step(key));
        self
    }
}

/// The outcome of reading a value. Pointers are relative to that value.
pub type Reading<T> = Result<T, Vec<FieldError>>;

/// A value that was read from a field. [`Fields::finish`] hands it out if all fields are good.
#[derive(Debug)]
#[must_use = "hand it to `Fields::finish`"]
pub struct Slot<T>(Option<Reading<T>>);

impl<T> Slot<Option<T>> {
    /// Replaces an absent field by a default value.
    pub fn or(self, default: T) -> Slot<T> {
        self.map(|value| value.unwrap_or(default))
    }
}

impl<T> Slot<T> {
    /// The slot of a reading.
    pub(crate) fn of(reading: Reading<T>) -> Slot<T> {
        Slot(Some(reading))
    }

    /// The empty slot, while a description is made.
    pub(crate) fn none() -> Slot<T> {
        Slot(None)
    }

    /// Joins several slots into one, which is good if all of them are.
    pub fn together<S: Slots<Values = T>>(slots: S) -> Slot<T> {
        Slot(slots.values())
    }

    /// Converts the value of the slot.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Slot<U> {
        Slot(self.0.map(|read| read.map(make)))
    }

    /// Converts the value of the slot, or refuses it by a rule over several fields. Such an error is reported
    /// if nothing else is wrong with the object. Its pointers are relative to the object.
    pub fn check<U>(self, make: impl FnOnce(T) -> Reading<U>) -> Slot<U> {
        Slot(self.0.map(|read| read.and_then(make)))
    }
}

/// The fields of one object, read one by one. For a description, only the names and readers are noted.
///
/// Each taken field gives a [`Slot`]; `finish` returns the values of the slots if every field was good, none
/// was missing, and none was left over.
#[must_use = "unknown fields are refused by `finish`"]
pub struct Fields(Mode);

enum Mode {
    /// Values are read.
    Reading {
        left: Vec<(String, Value)>,
        errors: Vec<FieldError>,
    },
    /// Names and readers are noted.
    Describing { known: Describe, form: Form },
}

impl Fields {
    /// The fields of a whole body. Searches all its texts and keys, at any depth, for card numbers,
    /// whether or not anyone will read them.
    pub fn of(object: Object, cards: &CardNumbers) -> Fields {
        Fields(Mode::Reading {
            errors: cards.within(&object),
            left: object.members,
        })
    }

    /// The fields of an object within a body, already searched with it.
    pub(super) fn within(object: Object) -> Fields {
        Fields(Mode::Reading {
            left: object.members,
            errors: Vec::new(),
        })
    }

    /// Fields without values: the fields that are read are noted.
    pub(crate) fn describing(known: Describe) -> Fields {
        let form = Form::default();
        Fields(Mode::Describing { known, form })
    }

    /// The names and readers that were noted.
    pub(crate) fn described(self) -> (Describe, Form) {
        match self.0 {
            Mode::Describing { known, form } => (known, form),
            Mode::Reading { .. } => Default::default(),
        }
    }

    /// True if a field of this name is present and was not read yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match &self.0 {
            Mode::Reading { left, .. } => left.iter().any(|(key, _)| key == name),
            Mode::Describing { .. } => false,
        }
    }

    /// Reads a field that must be present.
    pub fn required<R: Reader>(&mut self, name: &'static str, reader: R) -> Slot<R::Out> {
        match &mut self.0 {
            Mode::Describing { known, form } => {
                form.fields.push((name, reader.describe(known)));
                form.required.push(name);
                Slot(None)
            }
            Mode::Reading { left, errors } => match take(left, name) {
                Some(value) => slot(errors, name, reader.read(value)),
                None => {
                    let missing = FieldError::here("required", "This field is required.");
                    errors.push(missing.below(name));
                    Slot(None)
                }
            },
        }
    }

    /// Reads a field that may be absent. `null` is not absent: see [`nullable`](super::nullable).
    pub fn optional<R: Reader>(&mut self, name: &'static str, reader: R) -> Slot<Option<R::Out>> {
        match &mut self.0 {
            Mode::Describing { known, form } => {
                form.fields.push((name, reader.describe(known)));
                Slot(None)
            }
            Mode::Reading { left, errors } => match take(left, name) {
                Some(value) => slot(errors, name, reader.read(value).map(Some)),
                None => Slot(Some(Ok(None))),
            },
        }
    }

    /// Reads the one of two fields that is present. In the description, the object is one of two bodies.
    ///
    /// If neither or both are present, and nothing else is wrong, the error is at `at`, or at the object
    /// itself.
    pub fn either<T, A, B>(&mut self, at: Option<&str>, one: Either<A>, other: Either<B>) -> Slot<T>
    where
        A: Reader<Out = T>,
        B: Reader<Out = T>,
    {
        let [of_one, of_other] = [one.choice, other.choice];
        let read = (
            self.optional(of_one.field, one.reader),
            self.optional(of_other.field, other.reader),
        );
        if let Mode::Describing { form, .. } = &mut self.0 {
            form.either = Some([of_one, of_other]);
        }
        Slot::together(read).check(|read| {
            let (one, other) = (of_one.field, of_other.field);
            let error = match read {
                (Some(value), None) | (None, Some(value)) => return Ok(value),
                (None, None) => {
                    FieldError::here("required", format!("Either {one} or {other} is required."))
                }
                (Some(_), Some(_)) => {
                    FieldError::here("ambiguous", format!("Either {one} or {other}, not both."))
                }
            };
            Err(vec![match at {
                Some(at) => error.below(at),
                None => error,
            }])
        })
    }

    /// Returns the values of all slots.
    ///
    /// # Errors
    /// Every error found: card numbers first, then fields in the order of reading, then fields that were not
    /// read; at most [`MAX_ERRORS`]. If there is none, the first rule that forbids the values.
    pub fn finish<S: Slots>(self, slots: S) -> Reading<S::Values> {
        let Mode::Reading { left, mut errors } = self.0 else {
            return Err(Vec::new());
        };
        for (name, _) in left.into_iter().take(MAX_ERRORS) {
            let unknown = FieldError::here("unknown_field", "There is no such field here.");
            errors.push(unknown.below(&name));
        }
        errors.truncate(MAX_ERRORS);
        match slots.values() {
            Some(read) if errors.is_empty() => read,
            _ => Err(errors),
        }
    }
}

/// One of two fields of which exactly one must be present: the suffix of the body's name, the name of the
/// field, and its reader.
#[derive(Debug)]
pub struct Either<R> {
    choice: Choice,
    reader: R,
}

impl<R: Reader> Either<R> {
    /// A field with its reader, and the suffix of its body's name.
    pub fn new(suffix: &'static str, field: &'static str, reader: R) -> Self {
        let choice = Choice { suffix, field };
        Self { choice, reader }
    }
}

fn take(left: &mut Vec<(String, Value)>, name: &str) -> Option<Value> {
    let place = left.iter().position(|(key, _)| key == name)?;
    Some(left.remove(place).1)
}

fn slot<T>(errors: &mut Vec<FieldError>, name: &str, reading: Reading<T>) -> Slot<T> {
    match reading {
        Ok(value) => Slot(Some(Ok(value))),
        Err(found) => {
            let below = found.into_iter().map(|error| error.below(name));
            // An error that the search of the whole body has found is not reported twice.
            let is_known = |error: &FieldError| {
                let is_same = |known: &FieldError| known.pointer == error.pointer;
                error.code == CARD && errors.iter().any(is_same)
            };
            let new: Vec<FieldError> = below.filter(|error| !is_known(error)).collect();
            errors.extend(new);
            Slot(None)
        }
    }
}

/// One slot, or a tuple of up to ten, or none.
pub trait Slots {
    /// The values that the slots hold.
    type Values;

    /// All values, or the first rule that forbids them; nothing when a slot is empty. An empty slot has left
    /// its error in [`Fields`].
    fn values(self) -> Option<Reading<Self::Values>>;
}

impl<T> Slots for Slot<T> {
    type Values = T;

    fn values(self) -> Option<Reading<T>> {
        self.0
    }
}

impl Slots for () {
    type Values = ();

    fn values(self) -> Option<Reading<()>> {
        Some(Ok(()))
    }
}

macro_rules! slots_of_tuple {
    ($($kind:ident $slot:ident),+) => {
        impl<$($kind),+> Slots for ($(Slot<$kind>,)+) {
            type Values = ($($kind,)+);

            fn values(self) -> Option<Reading<Self::Values>> {
                let ($($slot,)+) = self;
                $(let $slot = $slot.0?;)+
                let all = || Ok(($($slot?,)+));
                Some(all())
            }
        }
    };
}

slots_of_tuple!(A a);
slots_of_tuple!(A a, B b);
slots_of_tuple!(A a, B b, C c);
slots_of_tuple!(A a, B b, C c, D d);
slots_of_tuple!(A a, B b, C c, D d, E e);
slots_of_tuple!(A a, B b, C c, D d, E e, F f);
slots_of_tuple!(A a, B b, C c, D d, E e, F f, G g);
slots_of_tuple!(A a, B b, C c, D d, E e, F f, G g, H h);
slots_of_tuple!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
slots_of_tuple!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::super::{amount, boolean, labels, nullable, parse, text};
    use super::*;
    use crate::shape::{Labels, Shape};

    const BOUNDS: Labels = Labels {
        max_entries: 50,
        longest_key: 40,
        longest: 500,
    };

    fn units() -> impl Reader<Out = i64> {
        amount(Shape::integer(1, i64::MAX))
    }

    fn short(least: usize, most: usize) -> impl Reader<Out = String> {
        text(least, most, Shape::any_text())
    }

    fn fields(body: &str) -> Fields {
        let cards = CardNumbers {
            identifiers: &["code", "customer", "external_id"],
            labels: "metadata",
            detail: "No card numbers.",
        };
        Fields::of(parse(body.as_bytes()).unwrap(), &cards)
    }

    fn places(errors: &[FieldError]) -> Vec<(&str, &str)> {
        errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect()
    }

    #[test]
    fn good_fields_give_their_values() {
        let mut fields = fields(r#"{"amount": 5, "note": null, "name": "é"}"#);
        let minor_units = fields.required("amount", units());
        let note = fields.optional("note", nullable(short(0, 9)));
        let name = fields.optional("name", short(1, 1));
        let colour = fields.optional("colour", short(1, 1));
        let confirm = fields.optional("confirm", boolean()).or(true);
        let values = fields
            .finish((minor_units, note, name, colour, confirm))
            .unwrap();
        assert_eq!(values, (5, Some(None), Some("é".to_owned()), None, true));
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let mut fields = fields(r#"{"x/y": 1, "amount": "10", "confirm": 1, "z": {}}"#);
        let minor_units = fields.required("amount", units());
        let name = fields.required("name", short(1, 5));
        let confirm = fields.optional("confirm", boolean());
        let errors = fields.finish((minor_units, name, confirm)).unwrap_err();
        let expected = [
            ("/amount", "expected_integer"),
            ("/name", "required"),
            ("/confirm", "expected_boolean"),
            ("/x~1y", "unknown_field"),
            ("/z", "unknown_field"),
        ];
        assert_eq!(places(&errors), expected);
    }

    #[test]
    fn null_is_not_absent() {
        let mut fields = fields(r#"{"note": null}"#);
        let note = fields.optional("note", short(0, 9));
        let errors = fields.finish((note,)).unwrap_err();
        assert_eq!(places(&errors), [("/note", "expected_text")]);
    }

    #[test]
    fn a_card_number_is_refused_wherever_it_stands_and_never_repeated() {
        let card = "4242 4242 4242 4242";
        let body = format!(
            r#"{{"note": "pay {card}", "metadata": {{"{card}": "a", "k": "{card}"}},
                "unknown": [1, {{"deep": "{card}"}}], "{card}": 1}}"#
        );
        let mut fields = fields(&body);
        let note = fields.optional("note", short(0, 99));
        let labels = fields.optional("metadata", labels(BOUNDS, Shape::any_text()));
        let errors = fields.finish((note, labels)).unwrap_err();
        let expected = [
            ("/note", "card_number_refused"),
            ("/metadata/[card number]", "card_number_refused"),
            ("/metadata/k", "card_number_refused"),
            ("/unknown/1/deep", "card_number_refused"),
            ("/[card number]", "card_number_refused"),
            ("/unknown", "unknown_field"),
            ("/[card number]", "unknown_field"),
        ];
        assert_eq!(places(&errors), expected);
        assert!(!format!("{errors:?}").contains("4242"));
    }

    #[test]
    fn an_identifier_is_refused_only_if_it_is_a_card_number_as_a_whole() {
        let read = |body: &str| {
            let errors = fields(body).finish(());
            let errors = errors.unwrap_err().into_iter();
            let cards = errors.filter(|error| error.code == "card_number_refused");
            cards.map(|error| error.pointer).collect::<Vec<String>>()
        };
        let taken = r#"{"external_id": "w-4242424242424242", "customer": "c:4242424242424242",
            "transactions": [{"external_id": "w-4242424242424242"}]}"#;
        assert_eq!(read(taken), Vec::<String>::new());
        let refused = r#"{"external_id": "4242.4242.4242.4242", "code": "a 4242424242424242",
            "metadata": {"code": "w-4242424242424242"}, "note": "w-4242424242424242"}"#;
        assert_eq!(
            read(refused),
            ["/external_id", "/code", "/metadata/code", "/note"]
        );
    }

    #[test]
    fn the_list_of_errors_is_bounded() {
        let card = r#""4242424242424242""#;
        let numbers = [card; 100].join(",");
        let keys: Vec<String> = (0..100)
            .map(|key| format!("\"k{key}\":[{numbers}]"))
            .collect();
        let body = format!("{{{}}}", keys.join(",").replacen(&numbers, "", 80));
        let errors = fields(&body).finish(()).unwrap_err();
        assert_eq!(errors.len(), MAX_ERRORS);
    }
}
