//! Conditions: what a request demands of the accounts that it moves, in addition to the rules. Other accounts
//! cannot have conditions: only moved accounts are compared with what was read, so the state of the others
//! at the time of the commit is not known.

use money::MinorUnits;

use crate::{Account, AccountId};

/// A demand on an account that the step moves. If it does not hold, the whole step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// An account that some posting of the step names.
    pub account: AccountId,
    /// The demand.
    pub demand: Demand,
}

/// A demand on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// At least this amount is available after the step.
    AvailableAtLeast(MinorUnits),
    /// The account had this number of entries before the step.
    AtVersion(i64),
}

/// A condition that does not hold.
pub(crate) struct Broken {
    pub(crate) account: AccountId,
    /// The actual value.
    pub(crate) is: i64,
    /// The value that the condition demands.
    pub(crate) wanted: i64,
}

/// The position of the first condition on an account that is not moved.
pub(crate) fn elsewhere(
    conditions: &[Condition],
    moves: impl Fn(&AccountId) -> bool,
) -> Option<usize> {
    conditions
        .iter()
        .position(|condition| !moves(&condition.account))
}

/// The first condition with a version that the account does not have. To be called before anything is moved on
/// the copies.
pub(crate) fn other_version(accounts: &[Account], conditions: &[Condition]) -> Option<Broken> {
    first(accounts, conditions, |account, demand| match demand {
        Demand::AtVersion(wanted) if account.version != wanted => Some((account.version, wanted)),
        Demand::AtVersion(_) | Demand::AvailableAtLeast(_) => None,
    })
}

/// The first condition that demands more than is available. To be called after everything is moved on the copies.
pub(crate) fn too_little_left(accounts: &[Account], conditions: &[Condition]) -> Option<Broken> {
    first(accounts, conditions, |account, demand| match demand {
        Demand::AvailableAtLeast(wanted) if account.available() < wanted => {
            Some((account.available().get(), wanted.get()))
        }
        Demand::AvailableAtLeast(_) | Demand::AtVersion(_) => None,
    })
}

fn first(
    accounts: &[Account],
    conditions: &[Condition],
    broken: impl Fn(&Account, Demand) -> Option<(i64, i64)>,
) -> Option<Broken> {
    conditions.iter().find_map(|condition| {
        let account = accounts.iter().find(|one| one.id == condition.account)?;
        let (is, wanted) = broken(account, condition.demand)?;
        Some(Broken {
            account: account.id,
            is,
            wanted,
        })
    })
}
