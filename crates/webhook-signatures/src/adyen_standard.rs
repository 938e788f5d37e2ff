//! Adyen's standard notifications: each item of the body has a signature over eight of its fields in
//! `additionalData.hmacSignature`, in base64. The key is written in hex.
//!
//! The fields are joined by colons: `pspReference`, `originalReference`, `merchantAccountCode`, `merchantReference`,
//! `amount.value`, `amount.currency`, `eventCode` and `success`. A missing one is an empty text. Nothing else of the
//! body is signed, so only [`items`] may be believed: not `reason`, not `paymentMethod`, not `eventDate`. Rules:
//! <https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures>.

use serde::Deserialize;

use crate::mac::{HmacSha256, any_secret, base64, check, digest, exact_base64};
use crate::{Covers, Refusal, Request, Scheme, Secret, SignError, SignedData};

/// The name of the signature in `additionalData`.
const FIELD: &str = "hmacSignature";
/// Greatest number of items. Adyen sends one item in a JSON notification.
const MAX_ITEMS: usize = 100;

/// The signed fields of one item of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdyenItem {
    /// Adyen's reference of the operation.
    pub psp_reference: String,
    /// Adyen's reference of the payment that a modification is about; empty if there is none.
    pub original_reference: String,
    /// The merchant's account at Adyen.
    pub merchant_account_code: String,
    /// The merchant's own reference; empty if there is none.
    pub merchant_reference: String,
    /// The amount in minor units, as Adyen counts them.
    pub value: i64,
    /// The currency of the amount: a code of ISO 4217.
    pub currency: String,
    /// What happened: `AUTHORISATION`, for example.
    pub event_code: String,
    /// Whether it succeeded.
    pub success: bool,
}

impl AdyenItem {
    /// What identifies the event: reference, code and success. A later notification about the same operation differs in
    /// one of them; a repeated one differs in none.
    pub fn identity(&self) -> String {
        let Self {
            psp_reference,
            event_code,
            success,
            ..
        } = self;
        format!("{psp_reference}:{event_code}:{success}")
    }

    fn signed_text(&self) -> String {
        let Self {
            psp_reference,
            original_reference,
            merchant_account_code,
            merchant_reference,
            value,
            currency,
            event_code,
            success,
        } = self;
        format!(
            "{psp_reference}:{original_reference}:{merchant_account_code}:{merchant_reference}:{value}:{currency}:{event_code}:{success}"
        )
    }
}

/// Reads the signed fields of all items of a notification. They are genuine only if the notification was verified.
///
/// # Errors
///
/// [`Refusal::MalformedBody`] if the body is no notification, or if a field could be confused with its neighbour.
pub fn items(body: &[u8]) -> Result<Vec<AdyenItem>, Refusal> {
    let read = read(body).map_err(|what| Refusal::MalformedBody { what })?;
    Ok(read.into_iter().map(|(item, _)| item).collect())
}

pub(crate) fn verify(secrets: &[Secret], request: &Request<'_>) -> Result<SignedData, Refusal> {
    let scheme = Scheme::AdyenStandard;
    any_secret(scheme, secrets)?;
    let items = read(request.body).map_err(|what| Refusal::MalformedBody { what })?;
    for (number, (item, signature)) in (1..).zip(items) {
        let signature = signature
            .filter(|text| !text.is_empty())
            .ok_or(Refusal::UnsignedItem { item: number })?;
        let signature = exact_base64(signature.as_bytes()).ok_or(Refusal::MalformedBody {
            what: "a signature is not base64",
        })?;
        check::<HmacSha256>(
            scheme,
            secrets,
            &[item.signed_text().as_bytes()],
            &[signature],
        )?;
    }
    Ok(SignedData {
        timestamp: None,
        message_id: None,
        covers: Covers::Fields,
    })
}

pub(crate) fn sign(secret: &Secret, body: &[u8]) -> Result<Vec<(&'static str, String)>, SignError> {
    let items = read(body).map_err(|what| SignError::MalformedBody { what })?;
    items
        .iter()
        .map(|(item, _)| {
            let text = item.signed_text();
            let digest = digest::<HmacSha256>(Scheme::AdyenStandard, secret, &[text.as_bytes()])?;
            Ok((FIELD, base64(&digest)))
        })
        .collect()
}

/// The body as Adyen writes it. A name that occurs twice is refused by the derived readers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    notification_items: Vec<Wrapped>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped {
    notification_request_item: Written,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    additional_data: Option<AdditionalData>,
    amount: Amount,
    psp_reference: String,
    original_reference: Option<String>,
    merchant_account_code: String,
    merchant_reference: Option<String>,
    event_code: String,
    success: Success,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdditionalData {
    hmac_signature: Option<String>,
}

#[derive(Deserialize)]
struct Amount {
    value: i64,
    currency: String,
}

/// Adyen writes a text. A truth value says the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum Success {
    Text(String),
    Value(bool),
}

fn read(body: &[u8]) -> Result<Vec<(AdyenItem, Option<String>)>, &'static str> {
    let notification: Notification = serde_json::from_slice(body)
        .ok()
        .ok_or("it is no notification of Adyen, or a field is missing or twice there")?;
    if notification.notification_items.is_empty() {
        return Err("it has no item");
    }
    if notification.notification_items.len() > MAX_ITEMS {
        return Err("it has too many items");
    }
    notification
        .notification_items
        .into_iter()
        .map(|wrapped| item(wrapped.notification_request_item))
        .collect()
}

fn item(written: Written) -> Result<(AdyenItem, Option<String>), &'static str> {
    let success = match written.success {
        Success::Value(success) => success,
        Success::Text(text) if text == "true" => true,
        Success::Text(text) if text == "false" => false,
        Success::Text(_) => return Err("`success` is neither true nor false"),
    };
    let item = AdyenItem {
        psp_reference: written.psp_reference,
        original_reference: written.original_reference.unwrap_or_default(),
        merchant_account_code: written.merchant_account_code,
        merchant_reference: written.merchant_reference.unwrap_or_default(),
        value: written.amount.value,
        currency: written.amount.currency,
        event_code: written.event_code,
        success,
    };
    // Only the merchant's own reference may have a colon: with colons elsewhere one signature would fit several items,
    // because the end of one field could pass for the beginning of the next.
    let has_colon = [
        &item.psp_reference,
        &item.original_reference,
        &item.merchant_account_code,
        &item.currency,
        &item.event_code,
    ]
    .into_iter()
    .any(|field| field.contains(':'));
    if has_colon {
        return Err("a field has a colon, which separates the signed fields");
    }
    if item.psp_reference.is_empty() || item.event_code.is_empty() {
        return Err("`pspReference` or `eventCode` is empty");
    }
    let signature = written.additional_data.and_then(|data| data.hmac_signature);
    Ok((item, signature))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::{Value, json};

    use super::items;
    use crate::{Refusal, Request, Scheme, Secret, SignedData, sign, verify};

    const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

    fn item(merchant_reference: &str) -> Value {
        json!({
            "amount": { "value": 1130, "currency": "EUR" },
            "pspReference": "7914073381342284",
            "eventCode": "AUTHORISATION",
            "merchantAccountCode": "TestMerchant",
            "merchantReference": merchant_reference,
            "reason": "1234:7777:12/2030",
            "success": "true",
        })
    }

    /// A notification of these items, each with its signature.
    fn signed(items: &[Value]) -> Value {
        let wrapped: Vec<Value> = items
            .iter()
            .map(|item| json!({ "NotificationRequestItem": item }))
            .collect();
        let mut body = json!({ "live": "false", "notificationItems": wrapped });
        let key = Secret::parse(Scheme::AdyenStandard, KEY).unwrap();
        let made = sign(Scheme::AdyenStandard, &key, "", 0, &bytes(&body)).unwrap();
        assert_eq!(made.len(), items.len());
        for (number, (name, value)) in made.into_iter().enumerate() {
            let at = format!("/notificationItems/{number}/NotificationRequestItem");
            let item = body.pointer_mut(&at).unwrap().as_object_mut().unwrap();
            let _none = item.insert("additionalData".to_owned(), json!({ name: value }));
        }
        body
    }

    fn bytes(body: &Value) -> Vec<u8> {
        body.to_string().into_bytes()
    }

    fn verdict(body: &[u8]) -> Result<SignedData, Refusal> {
        let key = Secret::parse(Scheme::AdyenStandard, KEY).unwrap();
        let request = Request { headers: &[], body };
        verify(Scheme::AdyenStandard, &[key], &request, 0, 0)
    }

    #[test]
    fn every_item_is_checked() {
        let mut body = signed(&[item("a"), item("b"), item("c")]);
        assert!(verdict(&bytes(&body)).is_ok());
        let at = "/notificationItems/2/NotificationRequestItem/amount/value";
        *body.pointer_mut(at).unwrap() = json!(1131);
        assert_eq!(verdict(&bytes(&body)), Err(Refusal::NoMatchingSignature));

        let mut body = signed(&[item("a"), item("b")]);
        let at = "/notificationItems/1/NotificationRequestItem/additionalData";
        for nothing in [json!(null), json!({}), json!({ "hmacSignature": "" })] {
            *body.pointer_mut(at).unwrap() = nothing;
            assert_eq!(
                verdict(&bytes(&body)),
                Err(Refusal::UnsignedItem { item: 2 })
            );
        }
    }

    #[test]
    fn only_signed_fields_are_given() {
        let mut body = signed(&[item("order:1")]);
        let at = "/notificationItems/0/NotificationRequestItem/reason";
        *body.pointer_mut(at).unwrap() = json!("changed");
        assert!(verdict(&bytes(&body)).is_ok());
        let read = items(&bytes(&body)).unwrap();
        assert_eq!(read.len(), 1);
        let only = read.first().unwrap();
        assert_eq!(
            (only.value, only.currency.as_str(), only.success),
            (1130, "EUR", true)
        );
        assert_eq!(only.merchant_reference, "order:1");
        assert_eq!(only.original_reference, "");
        assert_eq!(only.identity(), "7914073381342284:AUTHORISATION:true");
        assert!(!format!("{only:?}").contains("changed"));
    }

    #[test]
    fn no_field_can_pass_for_its_neighbour() {
        let body = signed(&[item("order:1")]);
        // `TestMerchant` + `order:1` and `TestMerchant:order` + `1` are the same signed text.
        let shifted = body
            .to_string()
            .replace("\"TestMerchant\"", "\"TestMerchant:order\"")
            .replace("\"order:1\"", "\"1\"");
        assert_eq!(
            verdict(shifted.as_bytes()),
            Err(Refusal::MalformedBody {
                what: "a field has a colon, which separates the signed fields"
            })
        );
    }

    #[test]
    fn a_body_that_can_be_read_in_two_ways_is_refused() {
        let genuine = signed(&[item("a")]).to_string();
        for (name, twice) in [
            ("\"value\":1130", "\"value\":9999,\"value\":1130"),
            ("\"success\":", "\"success\":\"false\",\"success\":"),
            (
                "\"notificationItems\":",
                "\"notificationItems\":[],\"notificationItems\":",
            ),
            (
                "\"hmacSignature\":",
                "\"hmacSignature\":\"\",\"hmacSignature\":",
            ),
            ("\"value\":1130", "\"value\":1130.0"),
            ("\"success\":\"true\"", "\"success\":\"TRUE\""),
        ] {
            let changed = genuine.replace(name, twice);
            assert_ne!(changed, genuine, "{name}");
            let verdict = verdict(changed.as_bytes());
            assert!(
                matches!(verdict, Err(Refusal::MalformedBody { .. })),
                "{twice}: {verdict:?}"
            );
        }
        for body in ["", "{}", "[]", "{\"notificationItems\":[]}", "null"] {
            let verdict = verdict(body.as_bytes());
            assert!(
                matches!(verdict, Err(Refusal::MalformedBody { .. })),
                "{body}: {verdict:?}"
            );
        }
    }
}
