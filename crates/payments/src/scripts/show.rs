//! The replies about scripted faults.

use edge::shapes::*;
use faults::{Calls, Effect, Part, Scripted, When};
use serde::Serialize;
use utoipa::ToSchema;

use crate::shapes::*;

/// A scripted fault of the sandbox provider.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct SandboxFault {
    /// Always `sandbox_fault`.
    pub object: &'static str,
    /// The provider that plays the fault.
    pub provider: String,
    /// The number of the fault at its provider, from 1.
    #[schema(value_type = Count)]
    pub number: u64,
    /// What the fault is about.
    #[schema(value_type = FaultOperation)]
    pub operation: &'static str,
    /// What happens.
    #[schema(value_type = FaultName)]
    pub fault: &'static str,
    /// Whether it happens before or after the provider does what it is asked for.
    #[schema(value_type = Option<FaultMoment>)]
    pub when: Option<&'static str>,
    /// The HTTP status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: Option<u16>,
    /// The header `Retry-After` of the answer, in seconds.
    #[schema(value_type = Option<Count>)]
    pub retry_after_seconds: Option<u32>,
    /// The length of the pause in milliseconds.
    #[schema(value_type = Option<Count>)]
    pub latency_ms: Option<u32>,
    /// How often a webhook is sent.
    #[schema(value_type = Option<Count>)]
    pub copies: Option<u8>,
    /// How many webhooks are held.
    #[schema(value_type = Option<Count>)]
    pub hold: Option<u8>,
    /// What is wrong with a webhook.
    #[schema(value_type = Option<WebhookPart>)]
    pub part: Option<&'static str>,
    /// The number of the call that is hit.
    #[schema(value_type = Option<Count>)]
    pub nth: Option<u32>,
    /// The number of calls that are hit.
    #[schema(value_type = Option<Count>)]
    pub next: Option<u32>,
    /// The probability with which a call is hit, in thousandths.
    #[schema(value_type = Option<Count>)]
    pub per_mille: Option<u32>,
    /// The seed of this probability.
    #[schema(value_type = Option<Count>)]
    pub seed: Option<u64>,
    /// Number of calls, or webhooks, that the fault has seen.
    #[schema(value_type = Count)]
    pub seen: u64,
    /// Number of these that it has hit.
    #[schema(value_type = Count)]
    pub hits: u64,
}

/// The scripted faults of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct SandboxFaults {
    /// Always `sandbox_faults`.
    pub object: &'static str,
    /// The faults, by provider, in the order in which they were set.
    pub data: Vec<SandboxFault>,
}

/// Faults that were removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SandboxFaultsCleared {
    /// Always `sandbox_faults_cleared`.
    pub object: &'static str,
    /// The number of faults that were removed.
    #[schema(value_type = Count)]
    pub cleared: usize,
}

/// A fault of this provider.
pub(super) fn fault(provider: &str, scripted: &Scripted) -> SandboxFault {
    let fault = scripted.fault;
    let mut shown = SandboxFault {
        object: "sandbox_fault",
        provider: provider.to_owned(),
        number: scripted.number,
        operation: fault.operation.name(),
        fault: fault.effect.name(),
        seen: scripted.seen,
        hits: scripted.hits,
        ..SandboxFault::default()
    };
    match fault.calls {
        Calls::Nth(nth) => shown.nth = Some(nth),
        Calls::Next(next) => shown.next = Some(next),
        Calls::Chance { per_mille, seed } => {
            shown.per_mille = Some(per_mille);
            shown.seed = Some(seed);
        }
    }
    let is_call = fault.operation != faults::Operation::Webhook;
    let named = |when: When| is_call.then(|| when.name());
    match fault.effect {
        Effect::Status {
            status,
            retry_after,
            when,
        } => {
            shown.status = Some(status);
            shown.retry_after_seconds = retry_after;
            shown.when = named(when);
        }
        Effect::Latency { millis, when } => {
            shown.latency_ms = Some(millis);
            shown.when = named(when);
        }
        Effect::Drop { when } => shown.when = named(when),
        Effect::Duplicate { copies } => shown.copies = Some(copies),
        Effect::Reorder { hold } => shown.hold = Some(hold),
        Effect::Corrupt { part } => shown.part = Some(Part::name(part)),
    }
    shown
}
