//! The test bank accounts to which payouts go: the caller chooses a name, and the name decides the behaviour.

use serde::{Deserialize, Serialize};

use crate::method::{Behaviour, DeclineCode, Outcome, Script, by_name};

/// A bank account, known by its name: it scripts the payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Destination {
    name: String,
    behaviour: Behaviour,
}

impl Destination {
    /// The account with this name on the wire, if it exists.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let behaviour = by_name(name.strip_prefix("ba_")?)?;
        let exists = match behaviour {
            Behaviour::Succeeds
            | Behaviour::Declines
            | Behaviour::TimesOut
            | Behaviour::ServerError
            | Behaviour::WebhookBeforeReply
            | Behaviour::WebhookTwice
            | Behaviour::NeverAnswers
            | Behaviour::Pending => true,
            Behaviour::DeclinesInsufficientFunds
            | Behaviour::DeclinesExpiredCard
            | Behaviour::DeclinesStolenCard
            | Behaviour::RequiresAction => false,
        };
        let name = name.to_owned();
        exists.then_some(Self { name, behaviour })
    }

    /// The script of the first call for a payout to this account.
    pub(crate) fn script(&self) -> Script {
        let script = self.behaviour.script();
        // An account declines for a reason of its own: it is no card.
        let effect = script.effect.map(|outcome| match outcome {
            Outcome::Declined(_) => Outcome::Declined(DeclineCode::AccountClosed),
            Outcome::Approved | Outcome::Open => outcome,
        });
        Script { effect, ..script }
    }
}

/// A name that no bank account has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no destination")]
pub(crate) struct UnknownDestination(String);

impl TryFrom<String> for Destination {
    type Error = UnknownDestination;

    fn try_from(name: String) -> Result<Self, UnknownDestination> {
        Self::parse(&name).ok_or(UnknownDestination(name))
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_has_the_names_of_the_table_and_no_others() {
        for behaviour in [
            "succeeds",
            "declines",
            "pending",
            "server_error",
            "times_out",
            "never_answers",
            "webhook_before_reply",
            "webhook_twice",
        ] {
            let name = format!("ba_{behaviour}");
            let destination = Destination::parse(&name);
            assert_eq!(destination.map(String::from), Some(name));
        }
        for unknown in [
            "",
            "ba_",
            "succeeds",
            "pm_succeeds",
            "ba_Succeeds",
            "ba_declines_expired_card",
            "ba_requires_action",
            "ba_succeeds|ba_declines",
        ] {
            assert!(Destination::parse(unknown).is_none(), "{unknown}");
        }
    }
}
