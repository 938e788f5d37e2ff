//! Conditions: what a request demands of the accounts that it moves, in addition to the rules. Other accounts cannot
//! have conditions: only moved accounts are compared with the rows that were read, so the state of the others at the
//! time of the commit is not known.

use money::MinorUnits;

use crate::{Account, AccountId, Refusal, Step};

/// A demand on an account that the step moves. If it does not hold, the whole step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// An account that a posting of the step names.
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

/// Checks that each condition is about an account that this step moves.
pub(crate) fn check_accounts(
    conditions: &[Condition],
    step: Step,
    moves: impl Fn(&AccountId) -> bool,
) -> Result<(), Refusal> {
    let mut all = conditions.iter();
    match all.position(|condition| !moves(&condition.account)) {
        Some(condition) => Err(Refusal::ConditionElsewhere { condition, step }),
        None => Ok(()),
    }
}

/// Checks that each account has the version that a condition demands. To be called before anything is moved on
/// the copies.
pub(crate) fn check_versions(
    conditions: &[Condition],
    accounts: &[Account],
) -> Result<(), Refusal> {
    let broken = first(accounts, conditions, |account, demand| match demand {
        Demand::AtVersion(wanted) if account.version != wanted => Some((account.version, wanted)),
        Demand::AtVersion(_) | Demand::AvailableAtLeast(_) => None,
    });
    match broken {
        Some((account, version, wanted)) => Err(Refusal::VersionMismatch {
            account,
            version,
            wanted,
        }),
        None => Ok(()),
    }
}

/// Checks that as much is available as a condition demands. To be called after everything is moved on the copies.
pub(crate) fn check_available(
    conditions: &[Condition],
    accounts: &[Account],
) -> Result<(), Refusal> {
    let broken = first(accounts, conditions, |account, demand| match demand {
        Demand::AvailableAtLeast(wanted) if account.available() < wanted => {
            Some((account.available().get(), wanted.get()))
        }
        Demand::AvailableAtLeast(_) | Demand::AtVersion(_) => None,
    });
    match broken {
        Some((account, available, wanted)) => Err(Refusal::ConditionFailed {
            account,
            available,
            wanted,
        }),
        None => Ok(()),
    }
}

/// The first condition that does not hold: its account, the actual value, and the value that it demands.
fn first(
    accounts: &[Account],
    conditions: &[Condition],
    broken: impl Fn(&Account, Demand) -> Option<(i64, i64)>,
) -> Option<(AccountId, i64, i64)> {
    conditions.iter().find_map(|condition| {
        let account = accounts.iter().find(|one| one.id == condition.account)?;
        let (is, wanted) = broken(account, condition.demand)?;
        Some((account.id, is, wanted))
    })
}
