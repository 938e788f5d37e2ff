//! An account: four counters that only grow, and the balances derived from them.

use money::{Currency, MinorUnits};
use store::Timestamp;

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
    /// The least balance that may be left available; `None`: no limit.
    pub floor: Option<MinorUnits>,
    /// Whether it takes postings.
    pub status: AccountStatus,
    /// Sum of pending debits.
    pub debits_pending: i64,
    /// Sum of posted debits.
    pub debits_posted: i64,
    /// Sum of pending credits.
    pub credits_pending: i64,
    /// Sum of posted credits.
    pub credits_posted: i64,
    /// The number of its entries.
    pub version: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
}

impl Account {
    /// Posted normal side less posted other side.
    #[must_use]
    pub fn posted(&self) -> MinorUnits {
        self.balance(self.debits_posted, self.credits_posted)
    }

    /// Posted, with every pending entry applied.
    #[must_use]
    pub fn pending(&self) -> MinorUnits {
        self.balance(
            self.debits_posted.saturating_add(self.debits_pending),
            self.credits_posted.saturating_add(self.credits_pending),
        )
    }

    /// Posted, less the pending entries that would lower it.
    #[must_use]
    pub fn available(&self) -> MinorUnits {
        match self.normal_side {
            NormalSide::Debit => self.balance(
                self.debits_posted,
                self.credits_posted.saturating_add(self.credits_pending),
            ),
            NormalSide::Credit => self.balance(
                self.debits_posted.saturating_add(self.debits_pending),
                self.credits_posted,
            ),
        }
    }

    /// Two sums within 0 ..= `i64::MAX` differ by no more than an i64 holds.
    fn balance(&self, debits: i64, credits: i64) -> MinorUnits {
        MinorUnits::new(match self.normal_side {
            NormalSide::Debit => debits.saturating_sub(credits),
            NormalSide::Credit => credits.saturating_sub(debits),
        })
    }
}
