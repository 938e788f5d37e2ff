//! The test payment methods: the caller chooses a name, and the name decides the behaviour of the provider.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Greatest number of members of a chain.
const MAX_CHAIN: usize = 8;

/// A step that follows a charge; the name on the wire is that of the variant, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Takes a part of the authorized amount, or all of it.
    Capture,
    /// Releases all that is still authorized.
    Void,
    /// Adds to the authorized amount.
    Increment,
    /// Gives back a part of the captured amount, or all of it.
    Refund,
}

impl Step {
    pub(crate) const ALL: [Self; 4] = [Self::Capture, Self::Void, Self::Increment, Self::Refund];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Increment => "increment",
            Self::Refund => "refund",
        }
    }

    /// The beginning of the ids of its records.
    pub(crate) fn id_prefix(self) -> &'static str {
        match self {
            Self::Capture => "cap_",
            Self::Void => "vd_",
            Self::Increment => "inc_",
            Self::Refund => "rf_",
        }
    }
}

/// A payment method, known by its name: it scripts the charge, or one step after a charge that succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PaymentMethod {
    name: String,
    plot: Plot,
}

/// The part of a charge's life that a payment method scripts; the rest succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Plot {
    /// The calls for a charge. A chain has members before its last, and each of them is for one call.
    Charge {
        before_last: Vec<Behaviour>,
        last: Behaviour,
    },
    /// One kind of step.
    Step(Step, Behaviour),
}

/// The reaction of the provider to a call; the name on the wire is that of the variant, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Behaviour {
    Succeeds,
    Declines,
    DeclinesInsufficientFunds,
    DeclinesExpiredCard,
    DeclinesStolenCard,
    TimesOut,
    ServerError,
    WebhookBeforeReply,
    WebhookTwice,
    NeverAnswers,
    RequiresAction,
    Pending,
}

/// Why a charge, a step or a payout failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeclineCode {
    // Codes of the bank.
    DoNotHonor,
    InsufficientFunds,
    ExpiredCard,
    StolenCard,
    RefundFailed,
    AccountClosed,
    PayoutFailed,
    // The code of the payer, who did not finish the action.
    AuthenticationFailed,
    // Codes of the provider itself, by its totals.
    AmountTooLarge,
    AmountMismatch,
    NotAuthorized,
    ExceedsCaptured,
}

/// The outcome of a call that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved,
    Declined(DeclineCode),
    /// It comes later: a charge waits for its payer, a refund or a payout waits for the bank.
    Open,
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The record.
    Record,
    /// A 500 that says nothing about the record.
    ServerError,
    /// The connection is held open, then closed without a byte.
    Silence,
}

/// The webhooks that a call causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announcement {
    None,
    AfterReply,
    BeforeReply,
    TwiceAfterReply,
}

/// The whole reaction to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Script {
    /// The outcome to record; `None` if nothing is executed.
    pub(crate) effect: Option<Outcome>,
    pub(crate) answer: Answer,
    pub(crate) announcement: Announcement,
}

impl PaymentMethod {
    /// The method with this name on the wire, if it exists.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut members = Vec::new();
        for member in name.split('|') {
            if members.len() == MAX_CHAIN {
                return None;
            }
            members.push(Plot::parse(member)?);
        }
        let last = members.pop()?;
        let plot = if members.is_empty() {
            last
        } else {
            let before_last: Option<Vec<_>> = members.iter().map(Plot::of_charge).collect();
            Plot::Charge {
                before_last: before_last?,
                last: last.of_charge()?,
            }
        };
        let name = name.to_owned();
        Some(Self { name, plot })
    }

    /// Whether the outcome of a charge depends on the calls before it.
    pub(crate) fn is_chain(&self) -> bool {
        match &self.plot {
            Plot::Charge { before_last, .. } => !before_last.is_empty(),
            Plot::Step(..) => false,
        }
    }

    /// The script of a call for a charge, after so many `calls_before` of the same chain.
    pub(crate) fn charge_script(&self, calls_before: usize) -> Script {
        match &self.plot {
            Plot::Charge { before_last, last } => match before_last.get(calls_before) {
                Some(behaviour) => behaviour.script().for_a_later_call(),
                None => last.script(),
            },
            Plot::Step(..) => Behaviour::Succeeds.script(),
        }
    }

    /// The script of the first call for a step of a charge with this method.
    pub(crate) fn step_script(&self, step: Step) -> Script {
        let behaviour = match &self.plot {
            Plot::Step(own, behaviour) if *own == step => *behaviour,
            Plot::Step(..) | Plot::Charge { .. } => Behaviour::Succeeds,
        };
        behaviour.script()
    }
}

/// A name that no payment method has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no payment method")]
pub(crate) struct UnknownMethod(String);

impl TryFrom<String> for PaymentMethod {
    type Error = UnknownMethod;

    fn try_from(name: String) -> Result<Self, UnknownMethod> {
        Self::parse(&name).ok_or(UnknownMethod(name))
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.name
    }
}

impl Plot {
    /// The plot of a name without `|`: `pm_declines`, `pm_capture_declines`.
    fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("pm_")?;
        let of_step = name
            .split_once('_')
            .and_then(|(step, behaviour)| Some((by_name::<Step>(step)?, behaviour)));
        let Some((step, behaviour)) = of_step else {
            let last: Behaviour = by_name(name)?;
            let before_last = Vec::new();
            return last
                .exists_for(None)
                .then_some(Self::Charge { before_last, last });
        };
        let behaviour: Behaviour = by_name(behaviour)?;
        behaviour
            .exists_for(Some(step))
            .then_some(Self::Step(step, behaviour))
    }

    /// The behaviour of the charge, if this is its plot.
    fn of_charge(&self) -> Option<Behaviour> {
        match self {
            Self::Charge { last, .. } => Some(*last),
            Self::Step(..) => None,
        }
    }
}

/// The variant with this name on the wire.
pub(crate) fn by_name<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::from(name)).ok()
}

impl Behaviour {
    /// Whether a method has this behaviour at a step; `None` is the charge itself.
    fn exists_for(self, step: Option<Step>) -> bool {
        match self {
            Self::Declines
            | Self::TimesOut
            | Self::ServerError
            | Self::WebhookBeforeReply
            | Self::WebhookTwice
            | Self::NeverAnswers => true,
            Self::Succeeds
            | Self::DeclinesInsufficientFunds
            | Self::DeclinesExpiredCard
            | Self::DeclinesStolenCard
            | Self::RequiresAction => step.is_none(),
            Self::Pending => step == Some(Step::Refund),
        }
    }

    /// The script of the first call with this behaviour.
    pub(crate) fn script(self) -> Script {
        use Announcement::{AfterReply, BeforeReply, TwiceAfterReply};
        let approved = Some(Outcome::Approved);
        let declined = |code| {
            let effect = Some(Outcome::Declined(code));
            (effect, Answer::Record, AfterReply)
        };
        let (effect, answer, announcement) = match self {
            Self::Succeeds => (approved, Answer::Record, AfterReply),
            Self::Declines => declined(DeclineCode::DoNotHonor),
            Self::DeclinesInsufficientFunds => declined(DeclineCode::InsufficientFunds),
            Self::DeclinesExpiredCard => declined(DeclineCode::ExpiredCard),
            Self::DeclinesStolenCard => declined(DeclineCode::StolenCard),
            Self::TimesOut => (approved, Answer::Silence, Announcement::None),
            Self::ServerError => (approved, Answer::ServerError, Announcement::None),
            Self::WebhookBeforeReply => (approved, Answer::Record, BeforeReply),
            Self::WebhookTwice => (approved, Answer::Record, TwiceAfterReply),
            Self::NeverAnswers => (None, Answer::Silence, Announcement::None),
            // The provider itself may decline what the bank would answer later: that is announced as any decline.
            Self::RequiresAction | Self::Pending => {
                (Some(Outcome::Open), Answer::Record, AfterReply)
            }
        };
        Script {
            effect,
            answer,
            announcement,
        }
    }
}

impl Script {
    /// A key that has a record is answered with it, and nothing else happens.
    pub(crate) const OF_KNOWN_KEY: Self = Self {
        effect: None,
        answer: Answer::Record,
        announcement: Announcement::None,
    };

    /// The script of a chain's member that is not the last: without a record in its answer it executes nothing, so
    /// that the next call can execute the key.
    fn for_a_later_call(self) -> Self {
        match self.answer {
            Answer::Record => self,
            Answer::ServerError | Answer::Silence => Self {
                effect: None,
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_has_the_names_of_the_table_and_no_others() {
        for step in Step::ALL {
            for behaviour in [
                "declines",
                "server_error",
                "times_out",
                "never_answers",
                "webhook_before_reply",
                "webhook_twice",
            ] {
                let name = format!("pm_{}_{behaviour}", step.name());
                let method = PaymentMethod::parse(&name);
                assert_eq!(method.map(String::from), Some(name));
            }
        }
        for known in ["pm_requires_action", "pm_refund_pending"] {
            assert!(PaymentMethod::parse(known).is_some(), "{known}");
        }
        for unknown in [
            "",
            "pm_",
            "succeeds",
            "pm_Succeeds",
            "pm_pending",
            "pm_capture_pending",
            "pm_capture_succeeds",
            "pm_refund_requires_action",
            "pm_void_declines_expired_card",
            "pm_charge_declines",
            "pm_capture_void_declines",
        ] {
            assert!(PaymentMethod::parse(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_chain_has_two_to_eight_methods_of_the_charge() {
        let chain = |length| vec!["pm_declines"; length].join("|");
        for length in 2..=8 {
            let method = PaymentMethod::parse(&chain(length));
            assert_eq!(method.map(String::from), Some(chain(length)));
        }
        for wrong in [
            &chain(9),
            "pm_succeeds|",
            "|pm_succeeds",
            "pm_succeeds||pm_declines",
            "pm_succeeds | pm_declines",
            "pm_succeeds|pm_capture_declines",
            "pm_refund_pending|pm_succeeds",
        ] {
            assert!(PaymentMethod::parse(wrong).is_none(), "{wrong}");
        }
    }
}
