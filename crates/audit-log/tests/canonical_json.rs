//! A leaf is canonical JSON (RFC 8785), as another implementation writes it, and has no number but its version.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;

use audit_log::{Change, Entity, Record};
use proptest::prelude::*;
use serde_json::Value;

fn leaf_text(record: &Record<'_>) -> String {
    String::from_utf8(record.leaf().unwrap()).unwrap()
}

/// Canonical JSON of any value, made in another way: the keys are sorted here, the strings are written by `serde_json`.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<u16>>());
            let members = members.into_iter().map(|(key, value)| {
                format!(
                    "{}:{}",
                    serde_json::to_string(key).unwrap(),
                    canonical(value)
                )
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Number(number) => {
            assert_eq!(number.as_u64(), Some(1), "no number but the version");
            "1".to_owned()
        }
        Value::Bool(_) => panic!("no record has a truth value"),
        Value::String(_) | Value::Null => value.to_string(),
    }
}

fn without_version(mut leaf: Value) -> Value {
    let version = leaf.as_object_mut().and_then(|leaf| leaf.remove("v"));
    assert_eq!(version, Some(Value::from(1)));
    leaf
}

fn numbers_in(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(numbers_in).sum(),
        Value::Array(items) => items.iter().map(numbers_in).sum(),
        Value::Number(_) => 1,
        Value::String(_) | Value::Bool(_) | Value::Null => 0,
    }
}

const PLAIN: Record<'_> = Record {
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

#[test]
fn what_looks_like_a_number_stays_text() {
    let delta = [Change {
        field: "1",
        before: Some("9007199254740993"),
        after: Some("1e3"),
    }];
    let leaf = leaf_text(&Record {
        tenant: "1",
        delta: &delta,
        ..PLAIN
    });
    assert!(
        leaf.contains(r#""delta":{"1":["9007199254740993","1e3"]}"#),
        "{leaf}"
    );
    let parsed = serde_json::from_str(&leaf).unwrap();
    assert_eq!(numbers_in(&without_version(parsed)), 0);
}

fn text() -> impl Strategy<Value = String> {
    let ascii = (0..0x80_u8).prop_map(char::from);
    let character = prop_oneof![ascii, any::<char>()];
    prop::collection::vec(character, 0..12).prop_map(String::from_iter)
}

fn maybe() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

proptest! {
    #[test]
    fn a_leaf_is_what_another_canonicaliser_writes(
        required in prop::array::uniform8(text()),
        optional in prop::array::uniform6(maybe()),
        delta in prop::collection::btree_map(text(), (maybe(), maybe()), 0..6),
    ) {
        let [tenant, at, actor_kind, actor_id, action, subject_kind, subject_id, outcome] = &required;
        let [on_behalf_of, reason, criteria, cause, request, origin] = &optional;
        let delta: Vec<_> = delta
            .iter()
            .map(|(field, (before, after))| Change {
                field,
                before: before.as_deref(),
                after: after.as_deref(),
            })
            .collect();
        let record = Record {
            tenant,
            at,
            actor: Entity { kind: actor_kind, id: actor_id },
            on_behalf_of: on_behalf_of.as_deref(),
            action,
            subject: Entity { kind: subject_kind, id: subject_id },
            outcome,
            reason: reason.as_deref(),
            criteria: criteria.as_deref(),
            delta: &delta,
            cause: cause.as_deref(),
            request: request.as_deref(),
            origin: origin.as_deref(),
        };
        let leaf = leaf_text(&record);
        let parsed: Value = serde_json::from_str(&leaf).unwrap();
        prop_assert_eq!(&canonical(&parsed), &leaf);

        // No value is lost or moved.
        let mut expected = serde_json::json!({
            "tenant": tenant, "at": at, "actor": {"type": actor_kind, "id": actor_id},
            "action": action, "subject": {"type": subject_kind, "id": subject_id}, "outcome": outcome,
            "on_behalf_of": on_behalf_of, "reason": reason, "criteria": criteria,
            "cause": cause, "request": request, "origin": origin,
        });
        let members = expected.as_object_mut().unwrap();
        members.retain(|_, value| !value.is_null());
        if !delta.is_empty() {
            let delta: BTreeMap<_, _> =
                delta.iter().map(|change| (change.field, [change.before, change.after])).collect();
            members.insert("delta".to_owned(), serde_json::json!(delta));
        }
        prop_assert_eq!(without_version(parsed), expected);
    }
}
