//! Limits: the least and the greatest balance of an account.

use money::MinorUnits;

use crate::{Account, AccountId, Refusal, Shelf};

/// The least and the greatest balance of an account. A limit is checked when an entry is made, pending or final, and
/// only on an account that the entry moves towards the limit. So a pending entry can later be fulfilled or voided
/// without another check. New limits never undo earlier entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    floor: Option<MinorUnits>,
    ceiling: Option<MinorUnits>,
    credit_line: Option<MinorUnits>,
}

/// Why limits were refused: the first broken rule, in the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// The credit line is negative.
    #[error("a credit line is not negative")]
    NegativeCreditLine,
    /// The ceiling lies below the floor, so no balance would be allowed.
    #[error("the ceiling is below the floor")]
    CeilingBelowFloor,
}

impl LimitsError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        ("negative_credit_line", "A credit line is zero or more."),
        (
            "ceiling_below_floor",
            "The ceiling is not below the floor, the credit line counted.",
        ),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NegativeCreditLine => "negative_credit_line",
            Self::CeilingBelowFloor => "ceiling_below_floor",
        }
    }
}

impl Limits {
    /// A floor of zero and no other limit.
    pub const NO_OVERDRAFT: Self = Self::at_least(MinorUnits::ZERO);
    /// No limit.
    pub const NONE: Self = Self {
        floor: None,
        ceiling: None,
        credit_line: None,
    };

    /// A floor and no other limit.
    #[must_use]
    pub const fn at_least(floor: MinorUnits) -> Self {
        Self {
            floor: Some(floor),
            ..Self::NONE
        }
    }

    /// A floor that is lowered by a credit line, and a ceiling; `None` stands for no limit.
    ///
    /// # Errors
    /// [`LimitsError`] names the first broken rule in documented order.
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

    /// Limits as they were stored.
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

    /// The amount by which the balance may be below the floor.
    #[must_use]
    pub const fn credit_line(&self) -> Option<MinorUnits> {
        self.credit_line
    }

    /// The least available balance: the floor less the credit line.
    #[must_use]
    pub fn least(&self) -> Option<MinorUnits> {
        let line = self.credit_line.unwrap_or(MinorUnits::ZERO);
        // Below the least i64 there is nothing to check.
        let lowest = MinorUnits::new(i64::MIN);
        self.floor
            .map(|floor| floor.checked_sub(line).unwrap_or(lowest))
    }
}

/// Checks first that the transaction lowers no account below its least balance, then that it raises none above its
/// ceiling. `accounts` are as the whole transaction leaves them. An account that it does not move towards a limit may
/// be beyond that limit.
pub(crate) fn check(shelf: &Shelf, accounts: &[Account]) -> Result<(), Refusal> {
    let too_little = breach(shelf, accounts, Account::available, |before, account| {
        let after = account.available();
        account
            .limits
            .least()
            .filter(|least| after < before && after < *least)
    });
    if let Some((account, available, floor)) = too_little {
        return Err(Refusal::InsufficientFunds {
            account,
            available,
            floor,
        });
    }
    let too_much = breach(shelf, accounts, Account::possible, |before, account| {
        let after = account.possible();
        account
            .limits
            .ceiling
            .filter(|ceiling| after > before && after > *ceiling)
    });
    match too_much {
        Some((account, possible, ceiling)) => Err(Refusal::CeilingExceeded {
            account,
            possible,
            ceiling,
        }),
        None => Ok(()),
    }
}

/// The first account that breaks a limit: its balance before the transaction, and the limit.
fn breach(
    shelf: &Shelf,
    accounts: &[Account],
    balance: fn(&Account) -> MinorUnits,
    broken: impl Fn(MinorUnits, &Account) -> Option<MinorUnits>,
) -> Option<(AccountId, i64, i64)> {
    accounts.iter().find_map(|account| {
        let before = shelf.account(&account.id).map_or(MinorUnits::ZERO, balance);
        broken(before, account).map(|limit| (account.id, before.get(), limit.get()))
    })
}
