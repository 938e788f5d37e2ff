//! Parameters that name what the books hold. The types of the domain read them, so that a question which
//! cannot have an answer is refused and not answered by an empty list.

use edge::Problem;
use edge::query::{Parameters, broken};
use edge::strict_json::BrokenRule;
use ledger::{
    AccountCode, AccountCodeError, By, Metadata, MetadataError, MetadataKey, MetadataValue,
};

/// The rule of account codes, as the edge tells it.
pub(crate) fn code_rule(rule: AccountCodeError) -> BrokenRule {
    BrokenRule::new(rule.code(), &rule)
}

fn metadata_rule(rule: MetadataError) -> BrokenRule {
    BrokenRule::new(rule.code(), &rule)
}

/// The code of an account, with those below it.
pub(crate) fn subtree(asked: &Parameters, name: &str) -> Result<Option<AccountCode>, Problem> {
    asked.guarded(name, |text| AccountCode::parse(text).map_err(code_rule))
}

/// The one of a transaction's two times that is meant: `recorded` if it is not said.
pub(crate) fn by(asked: &Parameters) -> Result<By, Problem> {
    let detail = "it is recorded or effective";
    let by = asked.read("by", "unknown_value", detail, |text| match text {
        "recorded" => Some(By::Recorded),
        "effective" => Some(By::Effective),
        _ => None,
    });
    Ok(by?.unwrap_or(By::Recorded))
}

/// Texts of metadata by their keys: those of the parameters that begin with this. A transaction has no
/// more of them than [`Metadata::MOST_ENTRIES`].
pub(crate) fn labels(
    parameters: &Parameters,
    prefix: &str,
) -> Result<Vec<(MetadataKey, MetadataValue)>, Problem> {
    let asked = parameters.below(prefix);
    if asked.len() > Metadata::MOST_ENTRIES {
        return Err(broken(prefix, metadata_rule(MetadataError::TooMany)));
    }
    let read = |(key, value): (String, String)| {
        let name = format!("{prefix}{key}");
        let told = |rule| broken(&name, metadata_rule(rule));
        let key = MetadataKey::parse(key).map_err(told)?;
        let value = MetadataValue::parse(value).map_err(told)?;
        Ok((key, value))
    };
    asked.into_iter().map(read).collect()
}
