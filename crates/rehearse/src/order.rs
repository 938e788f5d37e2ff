//! The orders of a rehearsal, and the events about them: texts with places for the id, the order and the amount.

use serde_json::Value;
use webhook_signatures::Scheme;

use crate::Schedule;
use crate::chance::Chance;

/// The time that bodies carry, in Unix seconds: the beginning of 2026. Only signatures have the time of the run, so a
/// seed gives the same bodies at any time.
const CREATED: u64 = 1_767_225_600;
/// The type of event that no consumer knows.
const UNKNOWN: &str = "rehearsal.unknown";
/// The place of the signature in a body, for the scheme that has it there.
pub(crate) const SIGNATURE: &str = "{{signature}}";

/// The type, name and body of one event. The effect is in minor units; a refund has a negative one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What identifies the event: the same at each delivery.
    pub id: String,
    /// Its type, for the senders that name it in a header too.
    pub kind: String,
    /// The body as it is signed. `{{signature}}` stands where a signature in the body belongs.
    pub body: String,
    /// The same event with a larger amount, for a forger.
    pub changed: String,
    /// How much the event credits to its order, once.
    pub effect: i64,
}

/// An order, and the events about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The name, by which the consumer is asked for its effects.
    pub name: String,
    /// The event that credits the order.
    pub credit: Event,
    /// The event that takes a part of the credit back.
    pub refund: Option<Event>,
    /// An event of an unknown type about the order. It has no effect.
    pub unknown: Option<Event>,
    /// An event that only names the order. It has no effect, because it says no amount.
    pub thin: Option<Event>,
}

/// The bodies of the events, as texts in which `{{id}}`, `{{order}}`, `{{amount}}` and `{{created}}` are places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    credit: String,
    refund: Option<String>,
    thin: Option<String>,
}

/// Why a text cannot be the body of an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A place is missing, without which nothing could be said about the effects.
    #[error("the body has no {{{{{0}}}}}")]
    NoPlace(&'static str),
    /// The body is not JSON after the places were filled.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
}

impl Templates {
    /// The bodies that are sent if the user gives none: one flat shape, and Adyen's for its own scheme.
    pub fn of(scheme: Scheme) -> Self {
        if scheme == Scheme::AdyenStandard {
            return Self {
                credit: adyen("AUTHORISATION"),
                refund: Some(adyen("REFUND")),
                thin: None,
            };
        }
        Self {
            credit: plain("payment.succeeded"),
            refund: Some(plain("payment.refunded")),
            thin: Some(THIN.to_owned()),
        }
    }

    /// The user's own bodies. Without a refund, nothing is sent in the wrong order.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn own(credit: String, refund: Option<String>) -> Result<Self, TemplateError> {
        for text in std::iter::once(&credit).chain(&refund) {
            for place in ["order", "amount"] {
                if !text.contains(&format!("{{{{{place}}}}}")) {
                    return Err(TemplateError::NoPlace(place));
                }
            }
            let filled = filled(text, "evt_1", "order-1", 1, 0);
            serde_json::from_str::<Value>(&filled)
                .map_err(|error| TemplateError::NotJson(error.to_string()))?;
        }
        let thin = (!credit.contains(SIGNATURE)).then(|| THIN.to_owned());
        Ok(Self {
            credit,
            refund,
            thin,
        })
    }

    /// The order of this number in a schedule.
    pub fn order(&self, seed: u64, schedule: Schedule, number: u32) -> Order {
        // The numbers of the plan are drawn from another row.
        let mut chance = Chance::of(!seed, schedule.number(), u64::from(number));
        let amount = i64::from(chance.between(100, 99_999));
        let back = i64::from(chance.between(1, 99));
        let name = format!("order-{seed}-{}-{number}", schedule.name());
        let event = |what: &str, template: &str, amount: i64, effect: i64| {
            let id = format!("evt_{seed}_{}_{number}_{what}", schedule.name());
            let body = filled(template, &id, &name, amount, u64::from(number));
            let changed = filled(
                template,
                &id,
                &name,
                amount.saturating_mul(2),
                u64::from(number),
            );
            Event {
                kind: kind_of(&body),
                id,
                body,
                changed,
                effect,
            }
        };
        let unknown = event("unknown", &self.credit, amount, 0);
        // Without a fault, some orders are refunded and others are not.
        let is_refunded = schedule != Schedule::Once || chance.between(1, 3) == 1;
        let refund = self.refund.as_deref().filter(|_| is_refunded);
        Order {
            credit: event("credit", &self.credit, amount, amount),
            refund: refund.map(|text| event("refund", text, back, back.saturating_neg())),
            unknown: of_unknown_type(unknown),
            thin: self
                .thin
                .as_deref()
                .map(|text| event("thin", text, amount, 0)),
            name,
        }
    }
}

fn filled(template: &str, id: &str, order: &str, amount: i64, number: u64) -> String {
    template
        .replace("{{id}}", id)
        .replace("{{order}}", order)
        .replace("{{amount}}", &amount.to_string())
        .replace("{{created}}", &CREATED.saturating_add(number).to_string())
}

/// The type of an event: the field `type`, or that of Adyen's notifications.
fn kind_of(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let kind = body
        .get("type")
        .or_else(|| body.pointer(ADYEN_CODE))
        .and_then(Value::as_str);
    kind.unwrap_or_default().to_owned()
}

const ADYEN_CODE: &str = "/notificationItems/0/NotificationRequestItem/eventCode";

/// The event with another type; `None` if its body names no type.
fn of_unknown_type(event: Event) -> Option<Event> {
    let mut body: Value = serde_json::from_str(&event.body).ok()?;
    let place = if body.get("type").is_some() {
        "/type"
    } else {
        ADYEN_CODE
    };
    *body.pointer_mut(place)? = UNKNOWN.into();
    Some(Event {
        kind: UNKNOWN.to_owned(),
        body: body.to_string(),
        ..event
    })
}

fn plain(kind: &str) -> String {
    [
        r#"{"id":"{{id}}","event_id":"{{id}}","type":""#,
        kind,
        r#"","created":{{created}},"data":{"object":{"id":"pay_{{order}}","object":"payment","#,
        r#""order":"{{order}}","amount":{{amount}},"currency":"EUR"}}}"#,
    ]
    .concat()
}

const THIN: &str = r#"{"id":"{{id}}","event_id":"{{id}}","type":"payment.succeeded","created":{{created}},"object":{"type":"payment","id":"pay_{{order}}","url":"/v1/payments/pay_{{order}}","version":1}}"#;

fn adyen(code: &str) -> String {
    [
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":""#,
        SIGNATURE,
        r#""},"amount":{"value":{{amount}},"currency":"EUR"},"pspReference":"{{id}}","originalReference":"","#,
        r#""eventCode":""#,
        code,
        r#"","merchantAccountCode":"Rehearsal","merchantReference":"{{order}}","success":"true"}}]}"#,
    ]
    .concat()
}

/// The JSON with two spaces after each colon and comma outside its texts: the same value in other bytes. No usual
/// library writes it like this.
pub(crate) fn spaced(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let (mut in_text, mut escaped) = (false, false);
    for letter in json.chars() {
        out.push(letter);
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            ':' | ',' if !in_text => out.push_str("  "),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::{Value, json};
    use webhook_signatures::Scheme;

    use super::{TemplateError, Templates, spaced};
    use crate::Schedule;

    #[test]
    fn a_seed_gives_the_same_orders() {
        for scheme in Scheme::ALL {
            let templates = Templates::of(scheme);
            let order = templates.order(7, Schedule::Once, 3);
            assert_eq!(order, templates.order(7, Schedule::Once, 3));
            assert_ne!(order.credit, templates.order(8, Schedule::Once, 3).credit);
            assert_eq!(order.name, "order-7-once-3");
            assert!(order.credit.effect >= 100);
            let refund = templates.order(7, Schedule::Reordered, 3).refund.unwrap();
            assert!(refund.effect < 0 && refund.effect > -100);
            for (body, name) in [
                (&order.credit.body, "order-7-once-3"),
                (&refund.body, "order-7-reordered-3"),
            ] {
                assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
                assert!(body.contains(name), "{body}");
            }
            assert_ne!(order.credit.body, order.credit.changed);
            assert!(order.unknown.unwrap().body.contains("rehearsal.unknown"));
        }
    }

    #[test]
    fn an_own_body_has_places_for_the_order_and_the_amount() {
        let own = |text: &str| Templates::own(text.to_owned(), None);
        assert_eq!(own("{}"), Err(TemplateError::NoPlace("order")));
        assert_eq!(
            own("{\"o\":\"{{order}}\"}"),
            Err(TemplateError::NoPlace("amount"))
        );
        assert!(matches!(
            own("{{order}} {{amount}}"),
            Err(TemplateError::NotJson(_))
        ));
        let order = own("{\"o\":\"{{order}}\",\"a\":{{amount}}}")
            .unwrap()
            .order(1, Schedule::Once, 1);
        assert_eq!(order.refund, None);
        assert_eq!(order.unknown, None, "it names no type");
    }

    #[test]
    fn spaces_change_the_bytes_and_not_the_value() {
        let value = json!({"a": "x:y,\"z\":\\", "b": [1, 2]}).to_string();
        let other = spaced(&value);
        assert_ne!(value, other);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&value), read(&other));
        assert!(other.contains("x:y,"), "{other}");
    }
}
