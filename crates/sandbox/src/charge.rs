//! A charge: the order, its result, and the event that reports it.

use std::fmt;

use money::{Amount, Currency};
use serde::{Deserialize, Serialize};

use crate::method::{DeclineCode, PaymentMethod};
use crate::refusal::Refusal;

/// Greatest length of a provider key and of a reference, in bytes.
const MAX_TEXT_LENGTH: usize = 255;

/// The provider key: 1 to 255 visible ASCII characters. A key has at most one effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ProviderKey(String);

impl ProviderKey {
    /// A key from its text; `None` if the text is not a valid key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let legal = !text.is_empty()
            && text.len() <= MAX_TEXT_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        legal.then(|| Self(text.to_owned()))
    }
}

/// A checked order. Two calls with one key must have equal orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Amount in minor units, above zero.
    pub(crate) amount: i64,
    /// An ISO 4217 code.
    pub(crate) currency: String,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) reference: Option<String>,
}

/// The body as it arrives, before any check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    amount: i64,
    currency: String,
    payment_method: String,
    reference: Option<String>,
}

impl Order {
    /// Reads and checks a request body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        // Serde accepts a JSON array for a struct, so the first byte must show that it is an object.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::MalformedBody);
        }
        let OrderBody {
            amount,
            currency,
            payment_method,
            reference,
        } = serde_json::from_slice(body).map_err(|error| {
            tracing::debug!(%error, "a charge that cannot be read");
            Refusal::MalformedBody
        })?;
        Amount::new(amount)?;
        Currency::from_code(&currency)?;
        if reference
            .as_ref()
            .is_some_and(|text| text.len() > MAX_TEXT_LENGTH)
        {
            return Err(Refusal::InvalidReference);
        }
        let payment_method =
            PaymentMethod::parse(&payment_method).ok_or(Refusal::UnknownPaymentMethod)?;
        Ok(Self {
            amount,
            currency,
            payment_method,
            reference,
        })
    }
}

/// An executed charge, as all answers and events show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    object: ObjectKind,
    pub(crate) status: ChargeStatus,
    amount: i64,
    currency: String,
    /// The payment method; journals of older versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    reference: Option<String>,
    pub(crate) idempotency_key: ProviderKey,
    decline_code: Option<DeclineCode>,
}

/// The result of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Succeeded,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ObjectKind {
    Charge,
}

impl Charge {
    /// The charge that results from `order` under `key`.
    pub(crate) fn executed(
        id: String,
        key: ProviderKey,
        order: &Order,
        decline_code: Option<DeclineCode>,
    ) -> Self {
        Self {
            id,
            object: ObjectKind::Charge,
            status: match decline_code {
                None => ChargeStatus::Succeeded,
                Some(_) => ChargeStatus::Failed,
            },
            amount: order.amount,
            currency: order.currency.clone(),
            payment_method: Some(order.payment_method),
            reference: order.reference.clone(),
            idempotency_key: key,
            decline_code,
        }
    }
}

/// The event of a charge. It is stored with the charge, so its id never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    #[serde(rename = "type")]
    kind: EventKind,
    /// Time of the event, in Unix seconds.
    created: i64,
    data: EventSubject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum EventKind {
    #[serde(rename = "charge.succeeded")]
    Succeeded,
    #[serde(rename = "charge.failed")]
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct EventSubject {
    object: Charge,
}

impl Event {
    /// The event that reports `charge`.
    pub(crate) fn of(id: String, created: i64, charge: Charge) -> Self {
        let kind = match charge.status {
            ChargeStatus::Succeeded => EventKind::Succeeded,
            ChargeStatus::Failed => EventKind::Failed,
        };
        Self {
            id,
            kind,
            created,
            data: EventSubject { object: charge },
        }
    }

    /// The charge that the event reports.
    pub(crate) fn charge(&self) -> &Charge {
        &self.data.object
    }
}

/// A new id: the prefix and 32 hexadecimal digits.
pub(crate) fn fresh_id(prefix: impl fmt::Display) -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random)?;
    Ok(format!("{prefix}{}", hex::encode(random)))
}
