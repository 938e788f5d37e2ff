//! The reading of a webhook of the sandbox provider.

use super::record::{self, Ending};
use crate::disputes::DisputeNews;
use crate::json;
use crate::providers::{About, MalformedEvent, Object, ProviderEvent, meaning};

/// Reads the bytes of an event.
pub(super) fn read(body: &[u8]) -> Result<ProviderEvent, MalformedEvent> {
    let value = json::parse(body)?;
    let event = Object::of(&value, "")?;
    let id = event.text("id")?;
    let kind = event.text("type")?;
    let told = match ending(kind.as_str()) {
        None => match news(kind.as_str()) {
            None => None,
            Some(news) => {
                let data = event.object("data", "/data")?;
                let object = data.object("object", "/data/object")?;
                Some(record::dispute(&object, news)?)
            }
        },
        Some((named, ending)) => {
            let data = event.object("data", "/data")?;
            let object = data.object("object", "/data/object")?;
            Some(record::read(&object, Some(named), ending)?)
        }
    };
    Ok(ProviderEvent {
        id: id.to_string(),
        meaning: meaning(kind.as_str(), &value),
        kind: kind.to_string(),
        fact: told.map(|(key, fact)| (About::Key(key), fact)),
    })
}

/// The news about a dispute in the type of an event; `None` if the type is no such news.
fn news(kind: &str) -> Option<DisputeNews> {
    Some(match kind {
        "dispute.opened" => DisputeNews::Opened,
        "dispute.funds_withdrawn" => DisputeNews::Withdrawn,
        "dispute.funds_reinstated" => DisputeNews::Reinstated,
        "dispute.won" => DisputeNews::Won,
        "dispute.lost" => DisputeNews::Lost,
        _ => return None,
    })
}

/// The kind of record and its ending in the type of an event; `None` if the type is unknown here.
fn ending(kind: &str) -> Option<(&str, Ending)> {
    let (named, word) = kind.split_once('.')?;
    let ending = match (named, word) {
        ("charge" | "capture" | "void" | "increment" | "refund" | "payout", "succeeded") => {
            Ending::Succeeded
        }
        ("charge" | "capture" | "void" | "increment" | "refund" | "payout", "failed") => {
            Ending::Failed
        }
        ("charge", "authorized") => Ending::Authorized,
        ("refund" | "payout", "returned") => Ending::Returned,
        _ => return None,
    };
    Some((named, ending))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may stop at the first surprise"
    )]

    use serde_json::{Value, json};

    use super::*;
    use crate::{Fact, JsonError};

    fn event(kind: &str) -> Value {
        let decline_code = (kind == "charge.failed").then_some("do_not_honor");
        let status = kind.trim_start_matches("charge.");
        json!({"id": "evt_1", "type": kind, "created": 1, "fee": 0.5, "data": {"more": {}, "object": {
            "id": "ch_1", "status": status, "amount": 1099, "currency": "EUR", "reference": "pay_1",
            "payment_method": "pm_1", "idempotency_key": "op_1", "decline_code": decline_code, "x": [1.5],
        }}})
    }

    /// An event of this type with another value at this place, or without the field.
    fn with(kind: &str, pointer: &str, value: Option<Value>) -> Value {
        let mut event = event(kind);
        let (above, key) = pointer.rsplit_once('/').unwrap();
        let object = event.pointer_mut(above).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => object.insert(key.to_owned(), value),
            None => object.remove(key),
        };
        event
    }

    fn refused(event: &Value) -> (String, &'static str) {
        match read(event.to_string().as_bytes()) {
            Err(MalformedEvent::Field(wrong)) => (wrong.pointer, wrong.code),
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn each_field_that_is_missing_or_wrong_is_named() {
        let texts = ["/id", "/type"];
        let of_charge =
            ["id", "idempotency_key", "currency"].map(|key| format!("/data/object/{key}"));
        let texts = texts
            .into_iter()
            .chain(of_charge.iter().map(String::as_str));
        let long = "k".repeat(256);
        for pointer in texts {
            for (value, code) in [
                (None, "required"),
                (Some(Value::Null), "expected_text"),
                (Some(json!(7)), "expected_text"),
                (Some(json!({})), "expected_text"),
                (Some(json!("")), "too_short"),
                (Some(json!("a\u{0}b")), "nul_character"),
                (Some(json!("a\nb")), "control_character"),
                (Some(json!(long)), "too_long"),
                (Some(json!("4242424242424242")), "card_number_refused"),
            ] {
                let event = with("charge.succeeded", pointer, value);
                assert_eq!(refused(&event), (pointer.to_owned(), code), "{event}");
            }
        }
        for (pointer, value, code) in [
            ("/data", None, "required"),
            ("/data", Some(json!([])), "expected_object"),
            ("/data/object", None, "required"),
            ("/data/object", Some(json!("ch_1")), "expected_object"),
            ("/data/object/amount", None, "required"),
            (
                "/data/object/amount",
                Some(json!("1099")),
                "expected_integer",
            ),
            (
                "/data/object/amount",
                Some(json!(10.99)),
                "expected_integer",
            ),
            (
                "/data/object/amount",
                Some(json!(1099.0)),
                "expected_integer",
            ),
            (
                "/data/object/amount",
                Some(json!(u64::MAX)),
                "expected_integer",
            ),
            ("/data/object/amount", Some(json!(0)), "amount_not_positive"),
            (
                "/data/object/amount",
                Some(json!(-1)),
                "amount_not_positive",
            ),
            (
                "/data/object/currency",
                Some(json!("eur")),
                "unknown_currency",
            ),
            (
                "/data/object/currency",
                Some(json!("USDC")),
                "unknown_currency",
            ),
            ("/data/object/reference", Some(json!(7)), "expected_text"),
            ("/data/object/reference", Some(json!("")), "too_short"),
            (
                "/data/object/payment_method",
                Some(json!([])),
                "expected_text",
            ),
            (
                "/data/object/decline_code",
                Some(json!("do_not_honor")),
                "contradiction",
            ),
            (
                "/data/object/decline_code",
                Some(json!(false)),
                "expected_text",
            ),
            (
                "/data/object/status",
                Some(json!("failed")),
                "contradiction",
            ),
            ("/data/object/status", Some(json!(1)), "expected_text"),
        ] {
            let event = with("charge.succeeded", pointer, value);
            assert_eq!(refused(&event), (pointer.to_owned(), code), "{event}");
        }
        let event = with(
            "charge.failed",
            "/data/object/status",
            Some(json!("succeeded")),
        );
        assert_eq!(refused(&event).1, "contradiction");
    }

    #[test]
    fn an_event_is_read_with_all_that_its_charge_says() {
        let event = read(event("charge.succeeded").to_string().as_bytes()).unwrap();
        let (key, Fact::Succeeded { record }) = event.fact.unwrap() else {
            panic!("it succeeded");
        };
        assert_eq!((key.text(), record.reference.as_str()), ("op_1", "ch_1"));
        assert_eq!(record.money.amount.get(), 1099);
        assert_eq!(record.payment.as_deref(), Some("pay_1"));
        assert_eq!(record.payment_method.as_deref(), Some("pm_1"));
        for (code, expected) in [
            (Some(json!("stolen_card")), "stolen_card"),
            (None, "declined"),
        ] {
            let event = with("charge.failed", "/data/object/decline_code", code);
            let event = read(event.to_string().as_bytes()).unwrap();
            let (_, Fact::Failed { decline_code, .. }) = event.fact.unwrap() else {
                panic!("it failed");
            };
            assert_eq!(decline_code, expected);
        }
        // Fields that may be absent.
        for key in ["status", "reference", "payment_method", "decline_code"] {
            let event = with("charge.succeeded", &format!("/data/object/{key}"), None);
            assert!(read(event.to_string().as_bytes()).is_ok(), "{key}");
        }
        // An event of another type may contain anything.
        let event = with("customer.created", "/data", None);
        assert_eq!(read(event.to_string().as_bytes()).unwrap().fact, None);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_is() {
        for body in [
            r#"{"id":"a","type":"x","id":"b"}"#,
            r#"{"id":"a","type":"x","more":{"k":1,"k":1}}"#,
            r#"{"id":"a","type":"x","data":{"object":{"amount":1,"amount":2}}}"#,
            r#"{"id":"a","type":"x","data":[{"k":[{"j":1,"\u006a":2}]}]}"#,
        ] {
            let event = read(body.as_bytes());
            let doubled = matches!(
                event,
                Err(MalformedEvent::Json(JsonError::DuplicateKey { .. }))
            );
            assert!(doubled, "{body}: {event:?}");
        }
    }
}
