//! A record, and the exact bytes it becomes: canonical JSON as RFC 8785 (JCS) defines it.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::canonical::{key_order, put_string};

/// Greatest number of bytes of a leaf.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// Number of bytes that most leaves fit into, so that the buffer grows only for long ones.
const USUAL_LEAF_BYTES: usize = 768;

/// A record: who did what to whom, when, and with what outcome. Absent members are left out of the leaf.
///
/// Every value is text, because programs that write canonical JSON disagree on numbers: an amount is a decimal
/// string. The types have no place for a number.
///
/// ```compile_fail,E0308
/// # use audit_log::Change;
/// let change = Change { field: "amount", before: None, after: Some(100) };
/// ```
///
/// ```
/// # use audit_log::Change;
/// let change = Change { field: "amount", before: None, after: Some("100") };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The name of the tenant whose log this is.
    pub tenant: &'a str,
    /// The time, as text in the one format that the owner of the log always uses (RFC 3339, UTC).
    pub at: &'a str,
    /// The person or program that acted.
    pub actor: Entity<'a>,
    /// The person for whom the actor acted, if not for itself.
    pub on_behalf_of: Option<&'a str>,
    /// The action, as a stable name.
    pub action: &'a str,
    /// The person or thing that was acted on.
    pub subject: Entity<'a>,
    /// The outcome, refusals included.
    pub outcome: &'a str,
    /// The reason for the outcome.
    pub reason: Option<&'a str>,
    /// The rule or policy that the decision followed.
    pub criteria: Option<&'a str>,
    /// The changed fields, in any order, each field once. Empty means absent.
    pub delta: &'a [Change<'a>],
    /// The cause: an earlier event or command.
    pub cause: Option<&'a str>,
    /// The id of the request.
    pub request: Option<&'a str>,
    /// The origin of the request.
    pub origin: Option<&'a str>,
}

/// A person or a thing, by type and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity<'a> {
    /// The `type` in the leaf.
    pub kind: &'a str,
    /// The id.
    pub id: &'a str,
}

/// A changed field, as `"field": [before, after]`. `None` is `null`: there was or is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// The name of the field.
    pub field: &'a str,
    /// The value before.
    pub before: Option<&'a str>,
    /// The value after.
    pub after: Option<&'a str>,
}

/// Why a record has no leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A field changes twice in the record; JSON that has a key twice has no certain meaning.
    #[error("the delta names the field {field:?} twice")]
    FieldTwice {
        /// The name of the field.
        field: String,
    },
    /// The leaf would have more than [`MAX_LEAF_BYTES`].
    #[error("a leaf has at most {MAX_LEAF_BYTES} bytes, not {found}")]
    TooLong {
        /// Number of bytes that it would have.
        found: usize,
    },
}

impl Record<'_> {
    /// The leaf: this record in canonical JSON, ready to be hashed and stored.
    ///
    /// # Errors
    /// [`RecordError`] if a field changes twice or the leaf is too long.
    pub fn leaf(&self) -> Result<Vec<u8>, RecordError> {
        // The keys are written in the sort order of RFC 8785 §3.2.3.
        let mut out = Vec::with_capacity(USUAL_LEAF_BYTES);
        put_text(&mut out, b"{\"action\":", self.action);
        put_entity(&mut out, b",\"actor\":", self.actor);
        put_text(&mut out, b",\"at\":", self.at);
        put_present(&mut out, b",\"cause\":", self.cause);
        put_present(&mut out, b",\"criteria\":", self.criteria);
        put_delta(&mut out, self.delta)?;
        put_present(&mut out, b",\"on_behalf_of\":", self.on_behalf_of);
        put_present(&mut out, b",\"origin\":", self.origin);
        put_text(&mut out, b",\"outcome\":", self.outcome);
        put_present(&mut out, b",\"reason\":", self.reason);
        put_present(&mut out, b",\"request\":", self.request);
        put_entity(&mut out, b",\"subject\":", self.subject);
        put_text(&mut out, b",\"tenant\":", self.tenant);
        out.extend_from_slice(b",\"v\":1}");
        if out.len() > MAX_LEAF_BYTES {
            return Err(RecordError::TooLong { found: out.len() });
        }
        Ok(out)
    }
}

fn put_text(out: &mut Vec<u8>, key: &[u8], text: &str) {
    out.extend_from_slice(key);
    put_string(out, text);
}

fn put_present(out: &mut Vec<u8>, key: &[u8], text: Option<&str>) {
    if let Some(text) = text {
        put_text(out, key, text);
    }
}

fn put_entity(out: &mut Vec<u8>, key: &[u8], entity: Entity<'_>) {
    out.extend_from_slice(key);
    put_text(out, b"{\"id\":", entity.id);
    put_text(out, b",\"type\":", entity.kind);
    out.push(b'}');
}

fn put_delta(out: &mut Vec<u8>, delta: &[Change<'_>]) -> Result<(), RecordError> {
    let delta = in_key_order(delta)?;
    for (position, change) in delta.iter().enumerate() {
        let before_key: &[u8] = if position == 0 { b",\"delta\":{" } else { b"," };
        put_text(out, before_key, change.field);
        out.extend_from_slice(b":[");
        put_value(out, change.before);
        out.push(b',');
        put_value(out, change.after);
        out.push(b']');
    }
    if !delta.is_empty() {
        out.push(b'}');
    }
    Ok(())
}

fn put_value(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(text) => put_string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// The fields sorted by name. Fields that are sorted already are not copied, so writers in that order pay nothing.
fn in_key_order<'s, 'a>(delta: &'s [Change<'a>]) -> Result<Cow<'s, [Change<'a>]>, RecordError> {
    if delta.is_sorted_by(|a, b| key_order(a.field, b.field) == Ordering::Less) {
        return Ok(Cow::Borrowed(delta));
    }
    let mut sorted = delta.to_vec();
    sorted.sort_unstable_by(|a, b| key_order(a.field, b.field));
    let twice = sorted
        .array_windows()
        .find(|[this, next]| this.field == next.field);
    if let Some([change, _]) = twice {
        let field = change.field.to_owned();
        return Err(RecordError::FieldTwice { field });
    }
    Ok(Cow::Owned(sorted))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const SHORTEST: Record<'_> = Record {
        tenant: "",
        at: "",
        actor: Entity { kind: "", id: "" },
        on_behalf_of: None,
        action: "",
        subject: Entity { kind: "", id: "" },
        outcome: "",
        reason: None,
        criteria: None,
        delta: &[],
        cause: None,
        request: None,
        origin: None,
    };

    fn leaf_text(record: &Record<'_>) -> String {
        String::from_utf8(record.leaf().unwrap()).unwrap()
    }

    fn to(field: &str) -> Change<'_> {
        Change {
            field,
            before: None,
            after: Some(field),
        }
    }

    #[test]
    fn a_full_record_has_every_member_in_order() {
        let record = Record {
            tenant: "acme",
            at: "2026-01-31T09:30:00.000000Z",
            actor: Entity {
                kind: "api_key",
                id: "key_1",
            },
            on_behalf_of: Some("cus_1"),
            action: "payment.capture",
            subject: Entity {
                kind: "payment",
                id: "pay_1",
            },
            outcome: "done",
            reason: Some("asked"),
            criteria: Some("limits/3"),
            delta: &[
                Change {
                    field: "status",
                    before: Some("authorized"),
                    after: Some("captured"),
                },
                Change {
                    field: "captured",
                    before: None,
                    after: Some("12.50"),
                },
            ],
            cause: Some("evt_1"),
            request: Some("req_1"),
            origin: Some("192.0.2.1"),
        };
        let expected = concat!(
            r#"{"action":"payment.capture","actor":{"id":"key_1","type":"api_key"},"#,
            r#""at":"2026-01-31T09:30:00.000000Z","cause":"evt_1","criteria":"limits/3","#,
            r#""delta":{"captured":[null,"12.50"],"status":["authorized","captured"]},"#,
            r#""on_behalf_of":"cus_1","origin":"192.0.2.1","outcome":"done","reason":"asked","#,
            r#""request":"req_1","subject":{"id":"pay_1","type":"payment"},"tenant":"acme","v":1}"#,
        );
        assert_eq!(leaf_text(&record), expected);
    }

    #[test]
    fn absent_members_are_left_out() {
        let expected = concat!(
            r#"{"action":"","actor":{"id":"","type":""},"at":"","outcome":"","#,
            r#""subject":{"id":"","type":""},"tenant":"","v":1}"#,
        );
        assert_eq!(leaf_text(&SHORTEST), expected);
    }

    /// The keys of RFC 8785 §3.2.3: a surrogate pair sorts before U+FB33, though its code point is larger.
    #[test]
    fn fields_are_sorted_by_utf_16_code_units() {
        let delta = [
            "\u{20ac}",
            "\r",
            "\u{fb33}",
            "1",
            "\u{1f600}",
            "\u{80}",
            "\u{f6}",
        ]
        .map(to);
        let sorted = [
            "\r",
            "1",
            "\u{80}",
            "\u{f6}",
            "\u{20ac}",
            "\u{1f600}",
            "\u{fb33}",
        ]
        .map(to);
        assert_eq!(*in_key_order(&delta).unwrap(), sorted);
        assert_eq!(
            Record {
                delta: &delta,
                ..SHORTEST
            }
            .leaf(),
            Record {
                delta: &sorted,
                ..SHORTEST
            }
            .leaf()
        );
    }

    #[test]
    fn a_field_that_changes_twice_is_refused() {
        for delta in [["a", "a", "b"], ["a", "b", "a"], ["b", "a", "a"]] {
            assert_eq!(
                Record {
                    delta: &delta.map(to),
                    ..SHORTEST
                }
                .leaf(),
                Err(RecordError::FieldTwice {
                    field: "a".to_owned()
                })
            );
        }
    }

    #[test]
    fn a_leaf_of_65535_bytes_is_the_longest() {
        let room = MAX_LEAF_BYTES - SHORTEST.leaf().unwrap().len();
        let fits = "x".repeat(room);
        let leaf = Record {
            tenant: &fits,
            ..SHORTEST
        }
        .leaf();
        assert_eq!(leaf.unwrap().len(), 65_535);
        let one_more = "x".repeat(room + 1);
        assert_eq!(
            Record {
                tenant: &one_more,
                ..SHORTEST
            }
            .leaf(),
            Err(RecordError::TooLong { found: 65_536 })
        );
    }
}
