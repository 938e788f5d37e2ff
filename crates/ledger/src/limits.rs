//! What an account's balance may be.

use money::MinorUnits;

use crate::{Account, AccountId, Shelf};

/// The least and the greatest balance of an account. They are looked at when an entry is made, pending
/// or posted at once, on the account that it moves that way: what is pending can then be posted or
/// voided without a further look, and new limits never undo what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    floor: Option<MinorUnits>,
    ceiling: Option<MinorUnits>,
    credit_line: Option<MinorUnits>,
}

/// Why limits were refused: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// A credit line lowers the floor.
    #[error("a credit line is not negative")]
    NegativeCreditLine,
    /// No balance would be allowed.
    #[error("the ceiling is below the floor")]
    CeilingBelowFloor,
}

impl LimitsError {
    /// Every rule in the order in which it is looked at: its code, and what it says.
    pub const ORDER: &[(&str, &str)] = &[
        ("negative_credit_line", "A credit line is zero or more."),
        (
            "ceiling_below_floor",
            "The ceiling is not below the floor, the credit line counted.",
        ),
    ];

    /// The rule's name; it never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NegativeCreditLine => "negative_credit_line",
            Self::CeilingBelowFloor => "ceiling_below_floor",
        }
    }
}

impl Limits {
    /// No overdraft, and nothing else.
    pub const NO_OVERDRAFT: Self = Self::at_least(MinorUnits::ZERO);
    /// None at all.
    pub const NONE: Self = Self {
        floor: None,
        ceiling: None,
        credit_line: None,
    };

    /// A floor and nothing else.
    #[must_use]
    pub const fn at_least(floor: MinorUnits) -> Self {
        Self {
            floor: Some(floor),
            ..Self::NONE
        }
    }

    /// A floor that a credit line lowers, and a ceiling; `None`: no such limit.
    ///
    /// # Errors
    /// [`LimitsError`] is the first broken rule in documented order.
    pub fn new(
        floor: Option<MinorUnits>,
        ceiling: Option<MinorUnits>,
        credit_line: Option<MinorUnits>,
    ) -> Result<Self, LimitsError> {
        if credit_line.is_some_and(|line| line < MinorUnits::ZERO) {
            return Err(LimitsError::NegativeCreditLine);
        }
        let limits = Self {
            floor,
            ceiling,
            credit_line,
        };
        match (limits.least(), ceiling) {
            (Some(least), Some(ceiling)) if ceiling < least => Err(LimitsError::CeilingBelowFloor),
            (Some(_) | None, Some(_) | None) => Ok(limits),
        }
    }

    /// As they were stored.
    pub(crate) const fn stored(
        floor: Option<MinorUnits>,
        ceiling: Option<MinorUnits>,
        credit_line: Option<MinorUnits>,
    ) -> Self {
        Self {
            floor,
            ceiling,
            credit_line,
        }
    }

    /// The least available balance, before the credit line; `None`: no limit.
    #[must_use]
    pub const fn floor(&self) -> Option<MinorUnits> {
        self.floor
    }

    /// The greatest possible balance; `None`: no limit.
    #[must_use]
    pub const fn ceiling(&self) -> Option<MinorUnits> {
        self.ceiling
    }

    /// By how much the balance may be below the floor.
    #[must_use]
    pub const fn credit_line(&self) -> Option<MinorUnits> {
        self.credit_line
    }

    /// The least available balance: the floor less the credit line.
    #[must_use]
    pub fn least(&self) -> Option<MinorUnits> {
        let line = self.credit_line.unwrap_or(MinorUnits::ZERO);
        // Below the least of all numbers there is nothing to look at.
        let lowest = MinorUnits::new(i64::MIN);
        self.floor
            .map(|floor| floor.checked_sub(line).unwrap_or(lowest))
    }
}

/// An account that was left with too little or too much.
pub(crate) struct Breach {
    pub(crate) account: AccountId,
    /// What is available, or possible, before the transaction.
    pub(crate) before: i64,
    pub(crate) limit: i64,
}

/// The first account that the transaction lowers below its least balance.
pub(crate) fn too_little(shelf: &Shelf, accounts: &[Account]) -> Option<Breach> {
    breach(shelf, accounts, Account::available, |before, account| {
        let after = account.available();
        account
            .limits
            .least()
            .filter(|least| after < before && after < *least)
    })
}

/// The first account that the transaction raises above its ceiling.
pub(crate) fn too_much(shelf: &Shelf, accounts: &[Account]) -> Option<Breach> {
    breach(shelf, accounts, Account::possible, |before, account| {
        let after = account.possible();
        account
            .limits
            .ceiling
            .filter(|ceiling| after > before && after > *ceiling)
    })
}

/// A limit is looked at once the whole transaction is applied to the copies, and only on an account
/// that it moves that way.
fn breach(
    shelf: &Shelf,
    accounts: &[Account],
    balance: fn(&Account) -> MinorUnits,
    broken: impl Fn(MinorUnits, &Account) -> Option<MinorUnits>,
) -> Option<Breach> {
    accounts.iter().find_map(|account| {
        let before = shelf.account(&account.id).map_or(MinorUnits::ZERO, balance);
        broken(before, account).map(|limit| Breach {
            account: account.id,
            before: before.get(),
            limit: limit.get(),
        })
    })
}
