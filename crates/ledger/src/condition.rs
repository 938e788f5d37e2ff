//! What else a request demands of the accounts that it moves. Of no other account is it known how it is
//! when the step is written down: only what is moved is compared with how it was seen.

use money::MinorUnits;

use crate::{Account, AccountId};

/// What must be so of one of the accounts that a step moves, or all of it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The account, which some posting of the step names.
    pub account: AccountId,
    /// What must be so.
    pub demand: Demand,
}

/// What must be so of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// So much is available afterwards.
    AvailableAtLeast(MinorUnits),
    /// It had so many entries before.
    AtVersion(i64),
}

/// A condition that does not hold.
pub(crate) struct Broken {
    pub(crate) account: AccountId,
    /// What is so.
    pub(crate) is: i64,
    /// What should be.
    pub(crate) wanted: i64,
}

/// The first condition about an account that is not moved.
pub(crate) fn elsewhere(
    conditions: &[Condition],
    moves: impl Fn(&AccountId) -> bool,
) -> Option<usize> {
    conditions
        .iter()
        .position(|condition| !moves(&condition.account))
}

/// The first condition that names another version than the account is at. To be asked before anything is
/// moved on the copies.
pub(crate) fn other_version(accounts: &[Account], conditions: &[Condition]) -> Option<Broken> {
    first(accounts, conditions, |account, demand| match demand {
        Demand::AtVersion(wanted) if account.version != wanted => Some((account.version, wanted)),
        Demand::AtVersion(_) | Demand::AvailableAtLeast(_) => None,
    })
}

/// The first condition that wants more than is available. To be asked once all is moved on the copies.
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
