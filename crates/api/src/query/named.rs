//! Parameters that name what the books hold. The types of the domain read them, so that a question which
//! cannot have an answer is refused and not answered by an empty list.

use ledger::{AccountCode, Metadata, MetadataError, MetadataKey, MetadataValue};

use super::decoding::at;
use super::{Parameters, wrong};
use crate::problem::Problem;
use crate::strict_json::BrokenRule;

impl Parameters {
    /// What a type of the domain makes of a parameter.
    pub(crate) fn guarded<T, E: BrokenRule>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let read = self.text(name).map(parse).transpose();
        read.map_err(|rule| broken(name, &rule))
    }

    /// The code of an account, with those below it.
    pub(crate) fn subtree(&self, name: &str) -> Result<Option<AccountCode>, Problem> {
        self.guarded(name, |text| AccountCode::parse(text))
    }

    /// Texts of metadata by their keys: those of the parameters that begin with this. A transaction has no
    /// more of them than [`Metadata::MOST_ENTRIES`].
    pub(crate) fn labels(
        &self,
        prefix: &str,
    ) -> Result<Vec<(MetadataKey, MetadataValue)>, Problem> {
        let asked = self.below(prefix);
        if asked.len() > Metadata::MOST_ENTRIES {
            return Err(broken(prefix, &MetadataError::TooMany));
        }
        let read = |(key, value): (String, String)| {
            let name = format!("{prefix}{key}");
            let key = MetadataKey::parse(key).map_err(|rule| broken(&name, &rule))?;
            let value = MetadataValue::parse(value).map_err(|rule| broken(&name, &rule))?;
            Ok((key, value))
        };
        asked.into_iter().map(read).collect()
    }
}

/// Two ends of a range that are not the wrong way round; each with its parameter's name.
///
/// # Errors
/// A 400 at the name of the upper end.
pub(crate) fn in_order<T: PartialOrd>(
    (lower_name, lower): (&str, Option<&T>),
    (upper_name, upper): (&str, Option<&T>),
) -> Result<(), Problem> {
    let is_reversed = lower.zip(upper).is_some_and(|(lower, upper)| lower > upper);
    if !is_reversed {
        return Ok(());
    }
    let detail = format!("{upper_name} must not be less than {lower_name}");
    Err(wrong(at(upper_name, ("range_reversed", detail))))
}

fn broken(name: &str, rule: &impl BrokenRule) -> Problem {
    wrong(at(name, (rule.code(), rule.to_string())))
}
