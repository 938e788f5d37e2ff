//! What identifies an event, by the sender's own rules, so that a repeated delivery is known.

use serde_json::Value;

use crate::adyen_standard::items;
use crate::{Request, Scheme};

/// Greatest length of an identity, in bytes.
const MAX_BYTES: usize = 255;

/// What identifies an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The same in each delivery of one event, and different for each event: accept it once.
    Event(String),
    /// What the message says may be old, repeated or forged: fetch what it names, each time. The text is the id that it
    /// names, if it names one. It must not be used to recognise repeated deliveries.
    Hint(Option<String>),
    /// The sender gives no identity. Only the bytes can be compared.
    None,
}

/// Why a genuine request has no identity although its scheme has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The header of the identity is missing, doubled, or its text cannot be used.
    #[error("header `{0}` does not identify the event")]
    Header(String),
    /// The field of the identity is missing or cannot be used.
    #[error("the field `{0}` of the body does not identify the event")]
    Field(&'static str),
    /// The body is not what the sender sends.
    #[error("the body cannot be read")]
    Body,
}

pub(crate) fn identities(
    scheme: Scheme,
    id_header: Option<&str>,
    request: &Request<'_>,
) -> Result<Vec<Identity>, IdentityError> {
    let identity = match scheme {
        Scheme::StandardWebhooks | Scheme::StandardWebhooksV1a => header("webhook-id", request)?,
        Scheme::Svix => header("svix-id", request)?,
        Scheme::Github => header("X-GitHub-Delivery", request)?,
        Scheme::Shopify => header("X-Shopify-Event-Id", request)?,
        Scheme::Stripe | Scheme::CheckoutCom | Scheme::Column => field("id", request)?,
        Scheme::Square | Scheme::Paddle | Scheme::Hyperswitch => field("event_id", request)?,
        Scheme::Paypal => match field("id", request)? {
            Identity::Event(id) => Identity::Hint(Some(id)),
            other @ (Identity::Hint(_) | Identity::None) => other,
        },
        // A classic webhook has no signature, and its body names a payment in a form.
        Scheme::Mollie if request.header_values("X-Mollie-Signature").next().is_none() => {
            Identity::Hint(form_id(request.body))
        }
        Scheme::Mollie => field("id", request)?,
        Scheme::AdyenStandard => {
            let items = items(request.body).ok().ok_or(IdentityError::Body)?;
            let identities = items.iter().map(|item| Identity::Event(item.identity()));
            return Ok(identities.collect());
        }
        Scheme::Generic => match id_header {
            Some(name) => header(name, request)?,
            None => Identity::None,
        },
        Scheme::AdyenPlatform | Scheme::Rfc9421HmacSha256 => Identity::None,
    };
    Ok(vec![identity])
}

fn header(name: &str, request: &Request<'_>) -> Result<Identity, IdentityError> {
    let wrong = || IdentityError::Header(name.to_owned());
    let value = request.sole_header(name.to_owned()).ok();
    let text = value.and_then(|value| str::from_utf8(value).ok());
    let text = text.filter(|text| is_usable(text)).ok_or_else(wrong)?;
    Ok(Identity::Event(text.to_owned()))
}

fn field(name: &'static str, request: &Request<'_>) -> Result<Identity, IdentityError> {
    let body: Value = serde_json::from_slice(request.body)
        .ok()
        .ok_or(IdentityError::Body)?;
    let text = body.get(name).and_then(Value::as_str);
    let text = text.filter(|text| is_usable(text));
    let text = text.ok_or(IdentityError::Field(name))?;
    Ok(Identity::Event(text.to_owned()))
}

fn is_usable(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_BYTES && !text.chars().any(char::is_control)
}

/// The `id` of a classic webhook of Mollie, which is a form. Its ids need no escaping.
fn form_id(body: &[u8]) -> Option<String> {
    let id = body
        .split(|byte| *byte == b'&')
        .find_map(|pair| pair.strip_prefix(b"id="))?;
    let is_id_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let id = str::from_utf8(id).ok()?;
    let is_good = is_usable(id) && id.as_bytes().iter().all(is_id_byte);
    is_good.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Identity, IdentityError};
    use crate::{Form, Request, Scheme, Setup};

    fn found(
        setup: &Setup,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Vec<Identity>, IdentityError> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        setup.identities(&Request {
            headers: &headers,
            body: body.as_bytes(),
        })
    }

    #[test]
    fn each_sender_identifies_an_event_in_its_own_way() {
        let event = |id: &str| Identity::Event(id.to_owned());
        let headers = [
            ("Webhook-Id", "msg_1"),
            ("svix-id", "msg_2"),
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("X-Shopify-Event-Id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
            (
                "X-Shopify-Webhook-Id",
                "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            ),
            ("X-Mollie-Signature", "sha256=00"),
        ];
        let body = "{\"id\":\"evt_1\",\"event_id\":\"evt_2\"}";
        for (scheme, expected) in [
            (Scheme::Stripe, event("evt_1")),
            (Scheme::StandardWebhooks, event("msg_1")),
            (Scheme::StandardWebhooksV1a, event("msg_1")),
            (Scheme::Svix, event("msg_2")),
            (
                Scheme::Github,
                event("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ),
            (
                Scheme::Shopify,
                event("98880550-7158-44d4-b7cd-2c97c8a091b5"),
            ),
            (Scheme::Square, event("evt_2")),
            (Scheme::Paddle, event("evt_2")),
            (Scheme::AdyenPlatform, Identity::None),
            (Scheme::CheckoutCom, event("evt_1")),
            (Scheme::Paypal, Identity::Hint(Some("evt_1".to_owned()))),
            (Scheme::Mollie, event("evt_1")),
            (Scheme::Hyperswitch, event("evt_2")),
            (Scheme::Column, event("evt_1")),
            (Scheme::Rfc9421HmacSha256, Identity::None),
            (Scheme::Generic, Identity::None),
        ] {
            let found = found(&Setup::new(scheme), &headers, body);
            assert_eq!(found, Ok(vec![expected]), "{}", scheme.name());
        }
        let form = Form::parse("header=S;signed={id}.{body};id-header=X-Id").ok();
        let generic = form.map(|form| Setup::new(Scheme::Generic).with_form(form));
        let found = generic.map(|setup| found(&setup, &[("x-id", "7")], ""));
        assert_eq!(found, Some(Ok(vec![event("7")])));
    }

    #[test]
    fn a_classic_webhook_of_mollie_is_a_hint() {
        let mollie = Setup::new(Scheme::Mollie);
        for (body, id) in [
            ("id=tr_7UhSN1zuXS", Some("tr_7UhSN1zuXS")),
            ("a=b&id=ord_1", Some("ord_1")),
            ("id=", None),
            ("id=tr%00", None),
            ("{\"id\":\"tr_1\"}", None),
        ] {
            let expected = vec![Identity::Hint(id.map(str::to_owned))];
            assert_eq!(found(&mollie, &[], body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn every_item_of_adyen_is_an_event() {
        let item = |event: &str, success: &str| {
            format!(
                "{{\"NotificationRequestItem\":{{\"pspReference\":\"79\",\"merchantAccountCode\":\"M\",\"amount\":{{\"value\":1,\"currency\":\"EUR\"}},\"eventCode\":\"{event}\",\"success\":\"{success}\"}}}}"
            )
        };
        let body = format!(
            "{{\"notificationItems\":[{},{},{}]}}",
            item("CAPTURE", "true"),
            item("CAPTURE", "false"),
            item("REFUND", "true")
        );
        let expected = ["79:CAPTURE:true", "79:CAPTURE:false", "79:REFUND:true"];
        let expected = expected.map(|id| Identity::Event(id.to_owned()));
        let setup = Setup::new(Scheme::AdyenStandard);
        assert_eq!(found(&setup, &[], &body), Ok(expected.to_vec()));
        assert_eq!(found(&setup, &[], "{}"), Err(IdentityError::Body));
    }

    #[test]
    fn a_missing_identity_is_told_and_never_made_up() {
        let stripe = Setup::new(Scheme::Stripe);
        for body in [
            "{}",
            "{\"id\":7}",
            "{\"id\":\"\"}",
            "{\"id\":\"a\\n\"}",
            "[]",
        ] {
            let expected = Err(IdentityError::Field("id"));
            assert_eq!(found(&stripe, &[], body), expected, "{body}");
        }
        assert_eq!(found(&stripe, &[], "id"), Err(IdentityError::Body));
        let github = Setup::new(Scheme::Github);
        let missing = || Err(IdentityError::Header("X-GitHub-Delivery".to_owned()));
        assert_eq!(found(&github, &[], ""), missing());
        let twice = [("X-GitHub-Delivery", "1"), ("x-github-delivery", "1")];
        assert_eq!(found(&github, &twice, ""), missing());
    }
}
