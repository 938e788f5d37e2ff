//! Query parameters with values of the books. The types of the domain read them, so that an impossible value is
//! refused, and not answered with an empty list.

use edge::Shape;
use edge::query::{Query, broken, moment};
use edge::route::Parameter;
use edge::strict_json::{BrokenRule, FieldError, Slot};
use ledger::{
    AccountCode, AccountCodeError, By, Metadata, MetadataError, MetadataKey, MetadataValue,
};
use store::Timestamp;

use crate::shapes;

/// The name of the parameter for a text of metadata.
const TEXT: Shape = Shape::pattern(r"^metadata\.[A-Za-z0-9_.-]{1,40}$");

/// Reads the parameters `metadata.KEY`, each a text by its key.
pub fn metadata_texts(
    query: &mut Query,
    says: &'static str,
) -> Slot<Vec<(MetadataKey, MetadataValue)>> {
    let text = Shape::text(0, shapes::METADATA.longest);
    let shapes = [TEXT, text];
    let parameter = Parameter::by_key("metadata", says, shapes, Metadata::MAX_ENTRIES);
    let texts = query.by_key(parameter);
    texts.check(|texts| labels(texts, "metadata.").map_err(|error| vec![error]))
}

/// The broken rule of an account code, for the edge.
pub(crate) fn code_rule(rule: AccountCodeError) -> BrokenRule {
    BrokenRule::new(rule.code(), &rule)
}

fn metadata_rule(rule: MetadataError) -> BrokenRule {
    BrokenRule::new(rule.code(), &rule)
}

/// A broken rule with this code and this text.
pub(crate) fn rule(code: &'static str, detail: &'static str) -> BrokenRule {
    BrokenRule::new(code, &detail)
}

/// Reads the code of a subtree.
pub(crate) fn subtree(text: &str) -> Result<AccountCode, BrokenRule> {
    AccountCode::parse(text).map_err(code_rule)
}

/// Reads the moment that a question is about.
pub(crate) fn as_of(query: &mut Query, says: &'static str) -> Slot<Option<Timestamp>> {
    query.optional("as_of", shapes::AskedMoment::SHAPE, says, moment)
}

/// Reads which time of a transaction counts: `recorded` or `effective`. The default is `recorded`.
pub(crate) fn by(query: &mut Query, says: &'static str) -> Slot<By> {
    let read = |text: &str| match text {
        "recorded" => Ok(By::Recorded),
        "effective" => Ok(By::Effective),
        _ => Err(rule("unknown_value", "it is recorded or effective")),
    };
    let by = query.optional("by", shapes::TimeKind::SHAPE, says, read);
    by.or(By::Recorded)
}

/// Reads texts of metadata by their keys, from the parameters with this prefix: at most
/// [`Metadata::MAX_ENTRIES`] texts, as in a transaction.
pub(crate) fn labels(
    asked: Vec<(String, String)>,
    prefix: &str,
) -> Result<Vec<(MetadataKey, MetadataValue)>, FieldError> {
    if asked.len() > Metadata::MAX_ENTRIES {
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
