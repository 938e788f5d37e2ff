//! An account: six counters that only grow, and the balances derived from them.

use money::{Currency, MinorUnits};
use store::Timestamp;

use crate::{Limits, Metadata};

store::typed_id!(
    /// The id of an account: `acc_…`.
    AccountId,
    "acc"
);

/// The side on which an account's balance grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NormalSide {
    /// Assets and expenses.
    Debit,
    /// Liabilities, equity and income.
    Credit,
}

/// The kind of an account. It gives the normal side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountClass {
    /// Things that the tenant owns, or that others owe to the tenant.
    Asset,
    /// Amounts that the tenant owes to others.
    Liability,
    /// Amounts that the owners paid in.
    Equity,
    /// Amounts that the tenant earned.
    Income,
    /// Amounts that the tenant spent.
    Expense,
}

impl AccountClass {
    /// All classes, in the order of a chart of accounts.
    pub const ALL: [Self; 5] = [
        Self::Asset,
        Self::Liability,
        Self::Equity,
        Self::Income,
        Self::Expense,
    ];

    /// The side on which the balance of an account of this class grows.
    #[must_use]
    pub const fn normal_side(self) -> NormalSide {
        match self {
            Self::Asset | Self::Expense => NormalSide::Debit,
            Self::Liability | Self::Equity | Self::Income => NormalSide::Credit,
        }
    }

    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }

    /// The first level of the account codes of this class, by convention.
    #[must_use]
    pub const fn root(self) -> &'static str {
        match self {
            Self::Asset => "assets",
            Self::Liability => "liabilities",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expenses",
        }
    }

    /// The class that the first level of a code names, if accounts of this class grow on `side`. Otherwise
    /// asset for the debit side and liability for the credit side.
    #[must_use]
    pub fn of(code: &str, side: NormalSide) -> Self {
        let root = code.split(':').next().unwrap_or_default();
        let named = Self::ALL
            .into_iter()
            .find(|class| class.root() == root && class.normal_side() == side);
        named.unwrap_or(match side {
            NormalSide::Debit => Self::Asset,
            NormalSide::Credit => Self::Liability,
        })
    }
}

/// The status of an account: whether it takes postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// Takes postings.
    Open,
    /// Takes no postings for now.
    Frozen,
    /// Never takes postings again.
    Closed,
}

impl AccountStatus {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }
}

impl std::fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An account as of its last entry. Counters are minor units, 0 ..= `i64::MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The account's place in the chart of accounts, levels separated by colons; unique per tenant.
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// The one currency of the account.
    pub currency: Currency,
    /// The side on which the balance grows.
    pub normal_side: NormalSide,
    /// The kind of the account; `None` if it was opened before classes existed.
    pub class: Option<AccountClass>,
    /// The least and the greatest balance that are allowed.
    pub limits: Limits,
    /// Open, frozen or closed.
    pub status: AccountStatus,
    /// Metadata: texts that the tenant keeps here and Florin does not use.
    pub metadata: Option<Metadata>,
    /// Sum of all debits that were ever pending.
    pub debits_pending: i64,
    /// Sum of posted debits.
    pub debits_posted: i64,
    /// Sum of those pending debits that are no longer pending: posted, voided or expired.
    pub debits_released: i64,
    /// Sum of all credits that were ever pending.
    pub credits_pending: i64,
    /// Sum of posted credits.
    pub credits_posted: i64,
    /// Sum of those pending credits that are no longer pending.
    pub credits_released: i64,
    /// Number of entries.
    pub version: i64,
    /// Number of changes of status, limits and metadata.
    pub revision: i64,
    /// The time at which the account was opened.
    pub opened_at: Timestamp,
}

impl Account {
    /// Debits that are pending now, in minor units.
    #[must_use]
    pub const fn outstanding_debits(&self) -> i64 {
        self.debits_pending.saturating_sub(self.debits_released)
    }

    /// Credits that are pending now, in minor units.
    #[must_use]
    pub const fn outstanding_credits(&self) -> i64 {
        self.credits_pending.saturating_sub(self.credits_released)
    }

    /// The posted balance: posted amounts of the normal side less those of the other side.
    #[must_use]
    pub const fn posted(&self) -> MinorUnits {
        self.balance(self.debits_posted, self.credits_posted)
    }

    /// The posted balance, with every pending entry applied.
    #[must_use]
    pub const fn pending(&self) -> MinorUnits {
        self.balance(self.all_debits(), self.all_credits())
    }

    /// The posted balance, less the pending entries that would lower it.
    #[must_use]
    pub const fn available(&self) -> MinorUnits {
        match self.normal_side {
            NormalSide::Debit => self.balance(self.debits_posted, self.all_credits()),
            NormalSide::Credit => self.balance(self.all_debits(), self.credits_posted),
        }
    }

    /// The posted balance, plus the pending entries that would raise it: the greatest balance that can result.
    #[must_use]
    pub const fn possible(&self) -> MinorUnits {
        match self.normal_side {
            NormalSide::Debit => self.balance(self.all_debits(), self.credits_posted),
            NormalSide::Credit => self.balance(self.debits_posted, self.all_credits()),
        }
    }

    const fn all_debits(&self) -> i64 {
        self.debits_posted.saturating_add(self.outstanding_debits())
    }

    const fn all_credits(&self) -> i64 {
        self.credits_posted
            .saturating_add(self.outstanding_credits())
    }

    /// Both sums lie within 0 ..= `i64::MAX`, so their difference fits into an i64.
    const fn balance(&self, debits: i64, credits: i64) -> MinorUnits {
        MinorUnits::new(match self.normal_side {
            NormalSide::Debit => debits.saturating_sub(credits),
            NormalSide::Credit => credits.saturating_sub(debits),
        })
    }
}
