//! An account: six counters that only grow, and the balances derived from them.

use money::{Currency, MinorUnits};
use store::Timestamp;

use crate::{Limits, Metadata};

store::typed_id!(
    /// An account's id: `acc_…`.
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

/// What kind of account it is; gives the normal side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountClass {
    /// What is ours, or owed to us.
    Asset,
    /// What we owe.
    Liability,
    /// What the owners put in.
    Equity,
    /// What we earned.
    Income,
    /// What we spent.
    Expense,
}

impl AccountClass {
    /// All of them, in the order of a chart of accounts.
    pub const ALL: [Self; 5] = [
        Self::Asset,
        Self::Liability,
        Self::Equity,
        Self::Income,
        Self::Expense,
    ];

    /// The side on which an account of this class grows.
    #[must_use]
    pub const fn normal_side(self) -> NormalSide {
        match self {
            Self::Asset | Self::Expense => NormalSide::Debit,
            Self::Liability | Self::Equity | Self::Income => NormalSide::Credit,
        }
    }

    /// As it is shown.
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

    /// The first level of the codes of its accounts, by convention.
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

    /// The class that a code's first level names, if it grows on this side; else what is owed to us or
    /// what we owe.
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

/// Whether an account takes postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    /// It does.
    Open,
    /// It does not, for now.
    Frozen,
    /// It never will again.
    Closed,
}

impl AccountStatus {
    /// As it is shown.
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
    /// Its id.
    pub id: AccountId,
    /// Its place in the chart of accounts, levels separated by colons; unique per tenant.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The one currency it holds.
    pub currency: Currency,
    /// The side on which its balance grows.
    pub normal_side: NormalSide,
    /// What kind of account it is; `None` if it was opened before there were any.
    pub class: Option<AccountClass>,
    /// What its balance may be.
    pub limits: Limits,
    /// Whether it takes postings.
    pub status: AccountStatus,
    /// What the tenant keeps with it.
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
    /// The number of its entries.
    pub version: i64,
    /// How often its status, limits or metadata have changed.
    pub revision: i64,
    /// When it was opened.
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

    /// Posted normal side less posted other side.
    #[must_use]
    pub const fn posted(&self) -> MinorUnits {
        self.balance(self.debits_posted, self.credits_posted)
    }

    /// Posted, with every pending entry applied.
    #[must_use]
    pub const fn pending(&self) -> MinorUnits {
        self.balance(self.all_debits(), self.all_credits())
    }

    /// Posted, less the pending entries that would lower it.
    #[must_use]
    pub const fn available(&self) -> MinorUnits {
        match self.normal_side {
            NormalSide::Debit => self.balance(self.debits_posted, self.all_credits()),
            NormalSide::Credit => self.balance(self.all_debits(), self.credits_posted),
        }
    }

    /// Posted, and the pending entries that would raise it: the most that the balance may come to.
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

    /// Two sums within 0 ..= `i64::MAX` differ by no more than an i64 holds.
    const fn balance(&self, debits: i64, credits: i64) -> MinorUnits {
        MinorUnits::new(match self.normal_side {
            NormalSide::Debit => debits.saturating_sub(credits),
            NormalSide::Credit => credits.saturating_sub(debits),
        })
    }
}
