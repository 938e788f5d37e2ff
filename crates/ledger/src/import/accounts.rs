//! The accounts of an import. Their assets are registered, and the accounts are opened before their history is
//! posted. Status and limits are set after it.

use money::MinorUnits;
use store::{Ids, Timestamp};

use super::{ForeignAccount, ImportError, KnownItem, MAX_MISFITS, Misfit};
use crate::{
    AccountId, AccountStatus, Asset, Limits, NewAccount, NewAsset, RegisterError, Shelf, close,
    freeze, open, register, set_limits,
};

/// Registers those assets of the accounts that are not registered yet.
pub(super) fn register_assets(
    shelf: &mut Shelf,
    accounts: &[ForeignAccount],
    now: Timestamp,
) -> Result<Vec<Asset>, Vec<Misfit>> {
    let (mut registered, mut misfits) = (Vec::new(), Vec::new());
    for account in accounts {
        let Some(new) = NewAsset::of(account.new.currency) else {
            continue;
        };
        match register(shelf, new, now) {
            Ok(asset) => registered.push(asset),
            Err(RegisterError::CodeTaken { by }) if by == account.new.currency => {}
            Err(RegisterError::CodeTaken { by: registered }) => misfits.push(Misfit {
                line: account.line,
                field: "currency",
                rule: ImportError::ExponentDiffers { registered },
            }),
        }
    }
    if misfits.is_empty() {
        return Ok(registered);
    }
    misfits.truncate(MAX_MISFITS);
    Err(misfits)
}

/// Opens the accounts that do not exist, still without limits, and returns those that exist.
pub(super) fn open_accounts<'a>(
    shelf: &mut Shelf,
    accounts: &'a [ForeignAccount],
    (ids, now): (&mut Ids, Timestamp),
    misfits: &mut Vec<Misfit>,
) -> (Vec<(&'a ForeignAccount, AccountId)>, Vec<KnownItem>) {
    let (mut opened, mut found) = (Vec::new(), Vec::new());
    for account in accounts {
        let new = NewAccount {
            limits: Limits::NONE,
            ..account.new.clone()
        };
        let id = AccountId::from_bytes(ids.next(now));
        if open(shelf, id, new, now).is_ok() {
            opened.push((account, id));
            continue;
        }
        let known = shelf.id_of(&account.new.code);
        let Some(known) = known.and_then(|id| shelf.account(&id)) else {
            continue;
        };
        let differs = if known.currency != account.new.currency {
            let holds = known.currency;
            Some(("currency", ImportError::CurrencyDiffers { holds }))
        } else if known.normal_side != account.new.class.normal_side() {
            Some(("class", ImportError::SideDiffers))
        } else {
            None
        };
        let line = account.line;
        match differs {
            Some((field, rule)) => misfits.push(Misfit { line, field, rule }),
            None => found.push(KnownItem {
                line,
                what: "account",
                name: account.new.code.to_string(),
            }),
        }
    }
    (opened, found)
}

/// Sets the limits and the status of an account that was opened, as the file states them.
pub(super) fn leave(
    shelf: &mut Shelf,
    account: &ForeignAccount,
    id: AccountId,
) -> Result<(), Misfit> {
    let misfit = |field, rule| Misfit {
        line: account.line,
        field,
        rule,
    };
    let comes_to = shelf
        .account(&id)
        .map_or(MinorUnits::ZERO, |it| it.posted());
    if account.balance.is_some_and(|balance| balance != comes_to) {
        let comes_to = comes_to.to_decimal_string(account.new.currency);
        let rule = ImportError::BalanceDiffers { comes_to };
        return Err(misfit("balance", rule));
    }
    let change = |field| move |rule| misfit(field, ImportError::Change(rule));
    if account.new.limits != Limits::NONE {
        set_limits(shelf, id, account.new.limits).map_err(change("floor"))?;
    }
    let left = match account.status {
        AccountStatus::Open => return Ok(()),
        AccountStatus::Frozen => freeze(shelf, id),
        AccountStatus::Closed => close(shelf, id),
    };
    left.map(|_account| ()).map_err(change("status"))
}
