//! A provider's webhook, read.

use money::{Amount, Currency, Money};

use crate::Fact;

/// An event of a provider, as far as we understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's own id for it.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// What it says of which operation (by provider key); `None` for a type that means nothing to us.
    pub fact: Option<(String, Fact)>,
}

/// Why bytes are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// Not JSON, or not an object with `id` and `type`.
    #[error("the body is not a JSON object with the texts `id` and `type`")]
    NoEnvelope,
    /// A text with a NUL or a length that no event has.
    #[error("`{0}` is not a text of 1 to 255 characters without NUL")]
    BadText(&'static str),
    /// Of a known type, but without what that type must carry.
    #[error("`data.object` is not a charge: {0}")]
    BadCharge(String),
}

#[derive(serde::Deserialize)]
struct Envelope {
    id: String,
    r#type: String,
    #[serde(default)]
    data: serde_json::Value,
}

#[derive(serde::Deserialize)]
struct Charge {
    id: String,
    idempotency_key: String,
    amount: i64,
    currency: String,
    decline_code: Option<String>,
}

impl ProviderEvent {
    /// Reads the bytes of an event whose signature was verified.
    ///
    /// # Errors
    /// [`MalformedEvent`] says what is missing.
    pub fn read(body: &[u8]) -> Result<Self, MalformedEvent> {
        let envelope: Envelope =
            serde_json::from_slice(body).map_err(|_error| MalformedEvent::NoEnvelope)?;
        bounded("id", &envelope.id)?;
        bounded("type", &envelope.r#type)?;
        let fact = match envelope.r#type.as_str() {
            "charge.succeeded" => {
                let charge = charge(&envelope.data)?;
                let money = charge.money()?;
                Some((
                    charge.idempotency_key,
                    Fact::Succeeded {
                        reference: charge.id,
                        money,
                    },
                ))
            }
            "charge.failed" => {
                let charge = charge(&envelope.data)?;
                let decline_code = charge.decline_code.unwrap_or_else(|| "declined".to_owned());
                bounded("decline_code", &decline_code)?;
                Some((charge.idempotency_key, Fact::Failed { decline_code }))
            }
            _ => None,
        };
        Ok(Self {
            id: envelope.id,
            kind: envelope.r#type,
            fact,
        })
    }
}

fn charge(data: &serde_json::Value) -> Result<Charge, MalformedEvent> {
    let object = data.get("object").cloned().unwrap_or_default();
    let charge: Charge = serde_json::from_value(object)
        .map_err(|error| MalformedEvent::BadCharge(error.to_string()))?;
    bounded("data.object.id", &charge.id)?;
    bounded("data.object.idempotency_key", &charge.idempotency_key)?;
    Ok(charge)
}

impl Charge {
    fn money(&self) -> Result<Money, MalformedEvent> {
        let bad = |error: String| MalformedEvent::BadCharge(error);
        Ok(Money {
            amount: Amount::new(self.amount).map_err(|error| bad(error.to_string()))?,
            currency: Currency::from_code(&self.currency)
                .map_err(|error| bad(error.to_string()))?,
        })
    }
}

/// PostgreSQL cannot hold a NUL in a text, and nobody needs a longer one.
fn bounded(name: &'static str, text: &str) -> Result<(), MalformedEvent> {
    if text.is_empty() || text.len() > 255 || text.contains('\0') {
        return Err(MalformedEvent::BadText(name));
    }
    Ok(())
}
