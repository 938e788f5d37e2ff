//! The reading of query parameters, one by one. Without values, only their names and shapes are noted, for the
//! row of a route.

use store::Timestamp;

use super::decoding::at;
use super::{PageQuery, Parameters, named};
use crate::Shape;
use crate::route::{Parameter, ParameterKind};
use crate::strict_json::{BrokenRule, FieldError, Reading, Slot};

/// The parameters of one query.
///
/// Each taken parameter gives a [`Slot`]; of several slots that are put together, the first error is reported.
#[derive(Debug)]
pub struct Query<'q> {
    /// The parameters of the request. If there is none, the parameters that are read are noted.
    given: Option<&'q Parameters>,
    noted: Vec<Parameter>,
}

impl<'q> Query<'q> {
    pub(super) fn of(given: &'q Parameters) -> Self {
        Self {
            given: Some(given),
            noted: Vec::new(),
        }
    }

    /// The parameters that `ask` reads.
    pub(crate) fn noted(ask: impl FnOnce(&mut Query)) -> Vec<Parameter> {
        let mut query = Query {
            given: None,
            noted: Vec::new(),
        };
        ask(&mut query);
        query.noted
    }

    /// Reads a parameter that may be absent.
    pub fn optional<T, E: Into<BrokenRule>>(
        &mut self,
        name: &'static str,
        shape: Shape,
        says: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Slot<Option<T>> {
        self.take(name, shape, says, false).map(|text| {
            let read = text.map(|text| read(&text)).transpose();
            read.map_err(|rule| vec![broken(name, rule)])
        })
    }

    /// Reads a parameter that must be present.
    pub fn required<T, E: Into<BrokenRule>>(
        &mut self,
        name: &'static str,
        shape: Shape,
        says: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Slot<T> {
        self.take(name, shape, says, true).map(|text| match text {
            Some(text) => read(&text).map_err(|rule| vec![broken(name, rule)]),
            None => Err(vec![named(name, "missing_parameter", "it must be given")]),
        })
    }

    /// Reads a parameter that may be given up to `most` times. Its name ends with `[]`.
    pub fn several<T>(
        &mut self,
        name: &'static str,
        (shape, most): (Shape, usize),
        says: &'static str,
        read: impl Fn(&str) -> Result<T, BrokenRule>,
    ) -> Slot<Vec<T>> {
        let Some(given) = self.given else {
            let kind = ParameterKind::Several { item: shape, most };
            self.noted.push(Parameter::new(name, says, kind));
            return Slot::none();
        };
        let texts = given.texts(name);
        if texts.len() > most {
            let detail = format!("it is given at most {most} times");
            return Slot::of(Err(vec![at(name, ("too_many", detail))]));
        }
        let read = |text: &String| read(text).map_err(|rule| vec![broken(name, rule)]);
        Slot::of(texts.iter().map(read).collect())
    }

    /// Reads one parameter for each key, by key.
    pub fn by_key(&mut self, parameter: Parameter) -> Slot<Vec<(String, String)>> {
        match self.given {
            Some(given) => Slot::of(Ok(given.below(&format!("{}.", parameter.name)))),
            None => {
                self.noted.push(parameter);
                Slot::none()
            }
        }
    }

    /// Reads `limit` and `cursor`.
    pub fn page(&mut self) -> Slot<PageQuery> {
        if let Some(given) = self.given {
            return Slot::of(given.read_page().map_err(|error| vec![error]));
        }
        for (name, kind) in [
            ("limit", ParameterKind::Limit),
            ("cursor", ParameterKind::Cursor),
        ] {
            self.noted.push(Parameter::new(name, "", kind));
        }
        Slot::none()
    }

    fn take(
        &mut self,
        name: &'static str,
        shape: Shape,
        says: &'static str,
        required: bool,
    ) -> ParameterValue {
        let Some(given) = self.given else {
            let own = Parameter::new(name, says, ParameterKind::One(shape));
            self.noted.push(Parameter { required, ..own });
            return ParameterValue(None);
        };
        ParameterValue(Some(given.text(name).map(str::to_owned)))
    }
}

/// The text of a parameter, if it was given. The outer value is `None` while parameters are only noted.
struct ParameterValue(Option<Option<String>>);

impl ParameterValue {
    fn map<T>(self, read: impl FnOnce(Option<String>) -> Reading<T>) -> Slot<T> {
        self.0.map_or_else(Slot::none, |text| Slot::of(read(text)))
    }
}

/// Reads a moment at which a question begins or ends. A moment beyond the range is no bound: a question that
/// begins before the range begins with the first item, and one that ends after it ends with the last.
///
/// # Errors
/// `malformed_time`.
pub fn moment(text: &str) -> Result<Timestamp, BrokenRule> {
    let detail = "a time is RFC 3339 with a zone, as 2026-11-21T09:30:00Z (a + is written %2B here), from 1900-01-01 to 9998-12-31; beyond that it is no bound";
    Timestamp::bound_from_rfc3339(text)
        .map_err(|_malformed| BrokenRule::new("malformed_time", &detail))
}

/// Reads a whole number from 1.
///
/// # Errors
/// `out_of_range`.
pub fn positive(text: &str) -> Result<i64, BrokenRule> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|n| plain && *n > 0);
    let detail = "it must be an integer in plain digits, 1 to 2^63 - 1";
    number.ok_or_else(|| BrokenRule::new("out_of_range", &detail))
}

/// A parameter that breaks a rule of the domain.
pub fn broken(name: &str, rule: impl Into<BrokenRule>) -> FieldError {
    let rule = rule.into();
    at(name, (rule.code, rule.detail))
}

/// Checks that the lower end of a range is not above the upper end. Each end comes with the name of its
/// parameter.
///
/// # Errors
/// An error at the name of the upper end.
pub fn in_order<T: PartialOrd>(
    (lower_name, lower): (&str, Option<&T>),
    (upper_name, upper): (&str, Option<&T>),
) -> Reading<()> {
    let is_reversed = lower.zip(upper).is_some_and(|(lower, upper)| lower > upper);
    if !is_reversed {
        return Ok(());
    }
    let detail = format!("{upper_name} must not be less than {lower_name}");
    Err(vec![at(upper_name, ("range_reversed", detail))])
}
