//! The test payment methods: the caller chooses a name, and the name decides the behaviour of the provider.

use serde::{Deserialize, Serialize};

/// All payment methods of the sandbox; the name on the wire is that of the variant, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PaymentMethod {
    #[serde(rename = "pm_succeeds")]
    Succeeds,
    #[serde(rename = "pm_declines")]
    Declines,
    #[serde(rename = "pm_declines_insufficient_funds")]
    DeclinesInsufficientFunds,
    #[serde(rename = "pm_declines_expired_card")]
    DeclinesExpiredCard,
    #[serde(rename = "pm_declines_stolen_card")]
    DeclinesStolenCard,
    #[serde(rename = "pm_times_out")]
    TimesOut,
    #[serde(rename = "pm_server_error")]
    ServerError,
    #[serde(rename = "pm_webhook_before_reply")]
    WebhookBeforeReply,
    #[serde(rename = "pm_webhook_twice")]
    WebhookTwice,
    #[serde(rename = "pm_never_answers")]
    NeverAnswers,
}

/// Why a bank declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeclineCode {
    DoNotHonor,
    InsufficientFunds,
    ExpiredCard,
    StolenCard,
}

/// The effect of the first call of a provider key on the books of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The charge is executed; with a code, it is executed as a decline.
    Executes(Option<DeclineCode>),
    /// Nothing is ever executed.
    Nothing,
}

/// The answer to the first call of a provider key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The charge.
    Charge,
    /// A 500 that says nothing about the charge.
    ServerError,
    /// The connection is held open, then closed without a byte.
    Silence,
}

/// The webhooks that the first call of a provider key causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announcement {
    None,
    AfterReply,
    BeforeReply,
    TwiceAfterReply,
}

/// The whole behaviour of a payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) effect: Effect,
    pub(crate) answer: Answer,
    pub(crate) announcement: Announcement,
}

impl PaymentMethod {
    /// The method with this name on the wire, if it exists.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }

    /// The behaviour of this method on the first call of a provider key.
    pub(crate) fn script(self) -> Script {
        use Announcement::{AfterReply, BeforeReply, TwiceAfterReply};
        let approved = Effect::Executes(None);
        let declined = |code| Effect::Executes(Some(code));
        let (effect, answer, announcement) = match self {
            Self::Succeeds => (approved, Answer::Charge, AfterReply),
            Self::Declines => (
                declined(DeclineCode::DoNotHonor),
                Answer::Charge,
                AfterReply,
            ),
            Self::DeclinesInsufficientFunds => (
                declined(DeclineCode::InsufficientFunds),
                Answer::Charge,
                AfterReply,
            ),
            Self::DeclinesExpiredCard => (
                declined(DeclineCode::ExpiredCard),
                Answer::Charge,
                AfterReply,
            ),
            Self::DeclinesStolenCard => (
                declined(DeclineCode::StolenCard),
                Answer::Charge,
                AfterReply,
            ),
            Self::TimesOut => (approved, Answer::Silence, Announcement::None),
            Self::ServerError => (approved, Answer::ServerError, Announcement::None),
            Self::WebhookBeforeReply => (approved, Answer::Charge, BeforeReply),
            Self::WebhookTwice => (approved, Answer::Charge, TwiceAfterReply),
            Self::NeverAnswers => (Effect::Nothing, Answer::Silence, Announcement::None),
        };
        Script {
            effect,
            answer,
            announcement,
        }
    }
}
