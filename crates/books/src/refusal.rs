//! The refusal of a command of the books.

mod place;
mod reply;
mod rules;

pub(crate) use reply::refused;
pub use reply::{refusal_reply, refused_step, show_refusal};

use ledger::{AccountId, ChangeError, OpenError, PeriodError, RegisterError};

/// Why a command was refused: the broken rule of a domain crate, by kind of command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No asset was registered.
    Register(RegisterError),
    /// No account was opened.
    Open(OpenError),
    /// A step recorded no transaction, or no metadata was set.
    Step(ledger::Refusal),
    /// Nothing was exchanged.
    Exchange(ledger::Refusal),
    /// Nothing was moved from wallet to wallet.
    Transfer {
        /// The account that pays. If the rule names another account, that is the account that is paid.
        from: AccountId,
        /// The ledger's rule.
        rule: ledger::Refusal,
    },
    /// No account was changed.
    Change(ChangeError),
    /// No period was closed.
    Period(PeriodError),
    /// One step of an atomic bulk was refused, so none of its steps is made.
    At {
        /// The position of that step in the bulk, from 0.
        index: usize,
        /// Why that step was refused.
        refusal: Box<Refusal>,
    },
}

impl Refusal {
    /// The code of the broken rule, for the audit log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Register(rule) => rule.code(),
            Self::Open(rule) => rule.code(),
            Self::Step(rule) | Self::Exchange(rule) | Self::Transfer { rule, .. } => rule.code(),
            Self::Change(rule) => rule.code(),
            Self::Period(rule) => rule.code(),
            Self::At { refusal, .. } => refusal.code(),
        }
    }
}
