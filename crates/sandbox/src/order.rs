//! The order of a call: what the caller wants, checked.

use std::collections::BTreeMap;

use money::{Amount, Currency};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::method::{PaymentMethod, Step};
use crate::refusal::Refusal;

/// Greatest length of a provider key and of a reference, in bytes.
const MAX_TEXT_LENGTH: usize = 255;
/// Greatest length of the reason of a dispute, in bytes.
const MAX_REASON_LENGTH: usize = 64;
/// Greatest length of a text of evidence, in characters. However they are written in the journal, its lines can hold
/// all texts of a body.
const MAX_EVIDENCE_LENGTH: usize = 10_000;

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

    /// The key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A checked order. Two calls with one key must have equal orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Order {
    /// A new charge.
    Charge(ChargeOrder),
    /// A step of a charge.
    Step(StepOrder),
    /// A payout to the merchant.
    Payout(PayoutOrder),
}

/// The order of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChargeOrder {
    /// Amount in minor units, above zero.
    pub(crate) amount: i64,
    /// An ISO 4217 code.
    pub(crate) currency: String,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) reference: Option<String>,
    /// Whether the amount is captured at once; journals of older versions do not have it.
    #[serde(default = "at_once")]
    pub(crate) capture: bool,
}

/// The order of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepOrder {
    pub(crate) step: Step,
    /// The id of the charge.
    pub(crate) charge: String,
    /// Amount in minor units, above zero.
    pub(crate) amount: i64,
    /// Whether a capture releases the rest; other steps are never final.
    #[serde(rename = "final")]
    pub(crate) is_final: bool,
}

/// The order of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PayoutOrder {
    /// Amount in minor units, above zero.
    pub(crate) amount: i64,
    /// An ISO 4217 code.
    pub(crate) currency: String,
    pub(crate) destination: Destination,
    pub(crate) reference: Option<String>,
}

/// A new dispute, as the payer's bank wants it.
#[derive(Debug)]
pub(crate) struct DisputeOrder {
    /// Amount in minor units, above zero.
    pub(crate) amount: i64,
    pub(crate) reason: String,
}

/// The evidence of one call. Two calls with one key must have equal evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The id of the dispute.
    pub(crate) dispute: String,
    /// The texts by their names, which the merchant chooses.
    #[serde(flatten)]
    texts: BTreeMap<String, String>,
}

/// What evidence makes the bank, or the provider, do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magic {
    /// The bank decides for the merchant.
    Wins,
    /// The bank decides for the payer.
    Loses,
    /// The provider takes the evidence, and its answer is an error.
    Unanswered,
}

/// A charge is captured at once if nothing else is said.
pub(crate) fn at_once() -> bool {
    true
}

/// The body of a charge as it arrives, before any check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargeBody {
    amount: i64,
    currency: String,
    payment_method: String,
    reference: Option<String>,
    #[serde(default = "at_once")]
    capture: bool,
}

/// The body of a capture as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptureBody {
    amount: i64,
    #[serde(rename = "final")]
    is_final: bool,
}

/// The body of any other step as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepBody {
    amount: i64,
}

/// The body of a payout as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutBody {
    amount: i64,
    currency: String,
    destination: String,
    reference: Option<String>,
}

/// The body of a dispute as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeBody {
    amount: i64,
    #[serde(default = "fraudulent")]
    reason: String,
}

/// A dispute is about fraud if nothing else is said.
fn fraudulent() -> String {
    "fraudulent".to_owned()
}

impl Order {
    /// Reads and checks the body of a charge.
    pub(crate) fn charge(body: &[u8]) -> Result<Self, Refusal> {
        let ChargeBody {
            amount,
            currency,
            payment_method,
            reference,
            capture,
        } = read(body)?;
        check(amount, &currency, reference.as_ref())?;
        let payment_method =
            PaymentMethod::parse(&payment_method).ok_or(Refusal::UnknownPaymentMethod)?;
        Ok(Self::Charge(ChargeOrder {
            amount,
            currency,
            payment_method,
            reference,
            capture,
        }))
    }

    /// Reads and checks the body of a payout.
    pub(crate) fn payout(body: &[u8]) -> Result<Self, Refusal> {
        let PayoutBody {
            amount,
            currency,
            destination,
            reference,
        } = read(body)?;
        check(amount, &currency, reference.as_ref())?;
        let destination = Destination::parse(&destination).ok_or(Refusal::UnknownDestination)?;
        Ok(Self::Payout(PayoutOrder {
            amount,
            currency,
            destination,
            reference,
        }))
    }

    /// Reads and checks the body of a step of this charge.
    pub(crate) fn step(step: Step, charge: String, body: &[u8]) -> Result<Self, Refusal> {
        let (amount, is_final) = match step {
            Step::Capture => {
                let CaptureBody { amount, is_final } = read(body)?;
                (amount, is_final)
            }
            Step::Void | Step::Increment | Step::Refund => {
                let StepBody { amount } = read(body)?;
                (amount, false)
            }
        };
        Amount::new(amount)?;
        Ok(Self::Step(StepOrder {
            step,
            charge,
            amount,
            is_final,
        }))
    }
}

impl DisputeOrder {
    /// Reads and checks the body of a dispute.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let DisputeBody { amount, reason } = read(body)?;
        Amount::new(amount)?;
        let is_legal = !reason.is_empty()
            && reason.len() <= MAX_REASON_LENGTH
            && reason
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_legal {
            return Err(Refusal::InvalidReason);
        }
        Ok(Self { amount, reason })
    }
}

impl Evidence {
    /// Reads and checks the body of evidence for this dispute.
    pub(crate) fn read(dispute: String, body: &[u8]) -> Result<Self, Refusal> {
        let texts: BTreeMap<String, String> = read(body)?;
        let is_name = |name: &String| {
            let mut bytes = name.bytes();
            name != "dispute" && bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if texts.is_empty() || !texts.keys().all(is_name) {
            return Err(Refusal::MalformedBody);
        }
        let is_text = |text: &String| {
            !text.is_empty()
                && text.chars().count() <= MAX_EVIDENCE_LENGTH
                && text != "refused_evidence"
        };
        if !texts.values().all(is_text) {
            return Err(Refusal::InvalidEvidence);
        }
        Ok(Self { dispute, texts })
    }

    /// What the evidence makes happen: a text is one of the magic words.
    pub(crate) fn magic(&self) -> Option<Magic> {
        let mut texts = self.texts.values();
        texts.find_map(|text| match text.as_str() {
            "winning_evidence" => Some(Magic::Wins),
            "losing_evidence" => Some(Magic::Loses),
            "unanswered_evidence" => Some(Magic::Unanswered),
            _ => None,
        })
    }
}

/// Checks what the bodies of charges and payouts have in common.
fn check(amount: i64, currency: &str, reference: Option<&String>) -> Result<(), Refusal> {
    Amount::new(amount)?;
    Currency::from_code(currency)?;
    if reference.is_some_and(|text| text.len() > MAX_TEXT_LENGTH) {
        return Err(Refusal::InvalidReference);
    }
    Ok(())
}

/// Reads a body, which must be an object.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // Serde accepts a JSON array for a struct, so the first byte must show that it is an object.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::MalformedBody);
    }
    serde_json::from_slice(body).map_err(|error| {
        tracing::debug!(%error, "a body that cannot be read");
        Refusal::MalformedBody
    })
}
