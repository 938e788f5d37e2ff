//! The refusal of a command of the books.

mod exchange;
mod reply;
mod rules;

pub(crate) use reply::refused;
pub use reply::{refusal_reply, show_refusal};

use ledger::{
    AccountId, ChangeError, DescribeError, ExchangeError, FulfilError, OpenError, PeriodError,
    PostError, RegisterError, ReleaseError, ReverseError,
};

/// Why a command was refused, by the rule of one of the domain crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No asset was registered.
    Register(RegisterError),
    /// No account was opened.
    Open(OpenError),
    /// Nothing was moved.
    Transfer {
        /// Who was to pay; an account that a rule names and that is not this one was to be paid.
        from: AccountId,
        /// The ledger's rule.
        rule: PostError,
    },
    /// No transaction was posted.
    Post(PostError),
    /// Nothing of a pending one was posted.
    Fulfil(FulfilError),
    /// Nothing was released.
    Release(ReleaseError),
    /// Nothing was undone.
    Reverse(ReverseError),
    /// Nothing was exchanged.
    Exchange(ExchangeError),
    /// No account was changed.
    Change(ChangeError),
    /// No metadata was set.
    Describe(DescribeError),
    /// No period was closed.
    Period(PeriodError),
    /// One of many was refused, and so all of them.
    At {
        /// Its place among them, from 0.
        index: usize,
        /// Why.
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
            Self::Transfer { rule, .. } | Self::Post(rule) => rule.code(),
            Self::Fulfil(rule) => rule.code(),
            Self::Release(rule) => rule.code(),
            Self::Reverse(rule) => rule.code(),
            Self::Exchange(rule) => rule.code(),
            Self::Change(rule) => rule.code(),
            Self::Describe(rule) => rule.code(),
            Self::Period(rule) => rule.code(),
            Self::At { refusal, .. } => refusal.code(),
        }
    }
}
