//! One fault: the operation, the calls that it hits, and what happens to them.

use crate::chance::per_mille;

/// The kind of calls that a fault can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Every call of the provider, inquiries too. Webhooks are no calls.
    Any,
    /// A charge or an authorization.
    Charge,
    /// A capture.
    Capture,
    /// A void.
    Void,
    /// An increment.
    Increment,
    /// A refund.
    Refund,
    /// A payout.
    Payout,
    /// Evidence for a dispute.
    Evidence,
    /// An inquiry about any operation.
    Inquiry,
    /// A webhook that the provider sends.
    Webhook,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 10] = [
        Self::Any,
        Self::Charge,
        Self::Capture,
        Self::Void,
        Self::Increment,
        Self::Refund,
        Self::Payout,
        Self::Evidence,
        Self::Inquiry,
        Self::Webhook,
    ];

    /// The name of the operation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Charge => "charge",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Increment => "increment",
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Evidence => "evidence",
            Self::Inquiry => "inquiry",
            Self::Webhook => "webhook",
        }
    }

    /// True if a fault of this operation is about `actual`.
    #[must_use]
    pub fn covers(self, actual: Self) -> bool {
        self == actual || (self == Self::Any && actual != Self::Webhook)
    }
}

/// The calls that a fault hits. Calls are counted from 1 from the moment at which the fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// The call with this number.
    Nth(u32),
    /// The first so many calls.
    Next(u32),
    /// Each call with this probability.
    Chance {
        /// The probability in thousandths, from 1 to 1000.
        per_mille: u32,
        /// The seed from which it follows whether a call is hit.
        seed: u64,
    },
}

impl Calls {
    /// True if the call with this number is hit.
    #[must_use]
    pub fn hit(self, number: u64) -> bool {
        match self {
            Self::Nth(nth) => number == u64::from(nth),
            Self::Next(next) => number <= u64::from(next),
            Self::Chance {
                per_mille: share,
                seed,
            } => per_mille(seed, number) < u64::from(share),
        }
    }
}

/// The moment of a fault: before the provider does what it is asked for, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before it. Unless the fault only waits, nothing is done.
    Before,
    /// After it: it is done.
    After,
}

impl When {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// The answer in the place of the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status, with a body that says nothing of the operation.
    Status {
        /// The status, from 400 to 599.
        status: u16,
        /// The value of `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// None: the connection is closed.
    Closed,
}

/// The part of a webhook that is corrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The body, after it was signed.
    Body,
    /// The signature.
    Signature,
}

impl Part {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Signature => "signature",
        }
    }
}

/// The effect on a call or a webhook that is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call is answered with this status.
    Status {
        /// The status, from 400 to 599.
        status: u16,
        /// The value of `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// Before or after the thing is done.
        when: When,
    },
    /// A pause: the call is answered later, or the webhook is sent later.
    Latency {
        /// Its length in milliseconds.
        millis: u32,
        /// Before or after the thing is done. A webhook waits before it is sent.
        when: When,
    },
    /// The connection is closed without an answer, or the webhook is not sent.
    Drop {
        /// Before or after the thing is done.
        when: When,
    },
    /// The webhook is sent so many times.
    Duplicate {
        /// The number of copies, all of them with one event id.
        copies: u8,
    },
    /// The webhook is held until so many are held. Then all of them are sent, the newest first.
    Reorder {
        /// The number of webhooks.
        hold: u8,
    },
    /// The first try of the webhook cannot be verified. The next try is right.
    Corrupt {
        /// What is wrong with it.
        part: Part,
    },
}

impl Effect {
    /// The name of the effect.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Latency { .. } => "latency",
            Self::Drop { .. } => "drop",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Corrupt { .. } => "corrupt",
        }
    }
}

/// An effect that an operation cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Only a webhook can have it.
    #[error("only a webhook can have this fault")]
    OfWebhook,
    /// Only a call can have it.
    #[error("a webhook has no answer that the provider gives")]
    OfCall,
}

/// A scripted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it is about.
    pub operation: Operation,
    /// The calls, or the webhooks, that it hits.
    pub calls: Calls,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// A fault of this operation.
    ///
    /// # Errors
    /// [`Misfit`] if the operation cannot have this effect.
    pub fn new(operation: Operation, calls: Calls, effect: Effect) -> Result<Self, Misfit> {
        let is_of_webhook = operation == Operation::Webhook;
        match effect {
            Effect::Status { .. } if is_of_webhook => Err(Misfit::OfCall),
            Effect::Duplicate { .. } | Effect::Reorder { .. } | Effect::Corrupt { .. }
                if !is_of_webhook =>
            {
                Err(Misfit::OfWebhook)
            }
            Effect::Status { .. }
            | Effect::Latency { .. }
            | Effect::Drop { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Corrupt { .. } => Ok(Self {
                operation,
                calls,
                effect,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_covers_every_call_and_no_webhook() {
        for actual in Operation::ALL {
            let is_call = actual != Operation::Webhook;
            assert_eq!(Operation::Any.covers(actual), is_call, "{}", actual.name());
            assert!(actual.covers(actual));
            assert_eq!(
                Operation::Webhook.covers(actual),
                actual == Operation::Webhook
            );
        }
    }

    #[test]
    fn an_operation_has_the_effects_that_it_can_have() {
        let when = When::After;
        let status = Effect::Status {
            status: 500,
            retry_after: None,
            when,
        };
        let latency = Effect::Latency { millis: 1, when };
        let drop = Effect::Drop { when };
        let of_webhooks = [
            Effect::Duplicate { copies: 2 },
            Effect::Reorder { hold: 2 },
            Effect::Corrupt { part: Part::Body },
        ];
        for operation in Operation::ALL {
            let is_of_webhook = operation == Operation::Webhook;
            let can = |effect| Fault::new(operation, Calls::Next(1), effect).is_ok();
            assert_eq!(can(status), !is_of_webhook);
            assert!(can(latency) && can(drop));
            assert!(of_webhooks.into_iter().all(|one| can(one) == is_of_webhook));
        }
    }

    #[test]
    fn calls_are_hit_by_their_number() {
        let hit = |calls: Calls| (1..=5).filter(|n| calls.hit(*n)).collect::<Vec<u64>>();
        assert_eq!(hit(Calls::Nth(3)), [3]);
        assert_eq!(hit(Calls::Next(2)), [1, 2]);
        let chance = |per_mille, seed| hit(Calls::Chance { per_mille, seed });
        assert_eq!(chance(1_000, 7), [1, 2, 3, 4, 5]);
        assert_eq!(chance(500, 7), chance(500, 7));
    }
}
