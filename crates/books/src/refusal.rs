//! The refusal of a command of the books.

use ledger::{
    AccountId, ChangeError, DescribeError, ExchangeError, OpenError, PeriodError, PostError,
    RegisterError, ReleaseError, ReverseError, SettleError,
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
    Settle(SettleError),
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
            Self::Settle(rule) => rule.code(),
            Self::Release(rule) => rule.code(),
            Self::Reverse(rule) => rule.code(),
            Self::Exchange(rule) => rule.code(),
            Self::Change(rule) => rule.code(),
            Self::Describe(rule) => rule.code(),
            Self::Period(rule) => rule.code(),
            Self::At { refusal, .. } => refusal.code(),
        }
    }

    /// Whether the refusal is a decision about this request, which a retry must hear again, and not
    /// a mistake in it, which a retry may mend.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        match self {
            Self::Register(RegisterError::CodeTaken { .. })
            | Self::Open(OpenError::CodeTaken { .. }) => true,
            Self::Open(OpenError::AssetNotRegistered { .. }) => false,
            Self::Transfer { rule, .. } | Self::Post(rule) => !is_mistake_in_posting(rule),
            Self::Settle(rule) => !matches!(
                rule,
                SettleError::NoAmounts
                    | SettleError::PostingNamedTwice { .. }
                    | SettleError::EffectiveInTheFuture { .. }
                    | SettleError::TransactionNotFound { .. }
                    | SettleError::PostingNotFound { .. }
                    | SettleError::ConditionElsewhere { .. }
            ),
            Self::Release(rule) => !matches!(
                rule,
                ReleaseError::EffectiveInTheFuture { .. }
                    | ReleaseError::TransactionNotFound { .. }
                    | ReleaseError::ConditionElsewhere { .. }
            ),
            Self::Reverse(rule) => !matches!(
                rule,
                ReverseError::NotAnExchange { .. }
                    | ReverseError::LegAlone
                    | ReverseError::AmountTooSmall { .. }
                    | ReverseError::NotInProportion { .. }
                    | ReverseError::NoAmounts
                    | ReverseError::PostingNamedTwice { .. }
                    | ReverseError::EffectiveInTheFuture { .. }
                    | ReverseError::TransactionNotFound { .. }
                    | ReverseError::PostingNotFound { .. }
                    | ReverseError::ConditionElsewhere { .. }
            ),
            Self::Exchange(ExchangeError::Post(rule)) => !is_mistake_in_posting(rule),
            Self::Exchange(
                ExchangeError::SameCurrency { .. }
                | ExchangeError::SidesDiffer { .. }
                | ExchangeError::AmountTooSmall
                | ExchangeError::AmountTooLarge,
            ) => false,
            Self::Change(rule) => !matches!(rule, ChangeError::AccountNotFound { .. }),
            Self::Describe(DescribeError::TransactionNotFound { .. }) => false,
            Self::Period(PeriodError::Closed { .. }) => true,
            Self::Period(PeriodError::InTheFuture { .. }) => false,
            Self::At { refusal, .. } => refusal.is_kept(),
        }
    }
}

const fn is_mistake_in_posting(rule: &PostError) -> bool {
    match rule {
        PostError::NoPostings
        | PostError::TooManyPostings
        | PostError::SameAccount { .. }
        | PostError::ConditionElsewhere { .. }
        | PostError::ExpiresTooSoon { .. }
        | PostError::EffectiveInTheFuture { .. }
        | PostError::AccountNotFound { .. }
        | PostError::CurrencyMismatch { .. } => true,
        PostError::ExternalIdTaken { .. }
        | PostError::AccountFrozen { .. }
        | PostError::AccountClosed { .. }
        | PostError::PeriodClosed { .. }
        | PostError::VersionMismatch { .. }
        | PostError::Overflow { .. }
        | PostError::CurrencyWithdrawn { .. }
        | PostError::InsufficientFunds { .. }
        | PostError::CeilingExceeded { .. }
        | PostError::ConditionFailed { .. } => false,
    }
}
