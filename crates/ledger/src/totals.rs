//! What many accounts hold together: the trial balance, and the balances of a subtree of the chart.
//!
//! A balance counts as a debit or as a credit, whichever it is, whatever the account's normal side. Over
//! all accounts of a currency both come to the same.

use std::collections::BTreeMap;

use diesel::prelude::*;
use money::{Currency, MinorUnits};
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::as_of::{By, balance_at};
use crate::schema::account;
use crate::tables::AccountRow;
use crate::{Account, AccountId, NormalSide};

/// Accounts read at a time.
const PAGE: i64 = 1_000;

/// What the accounts of one currency hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The currency.
    pub currency: Currency,
    /// How many accounts there are.
    pub accounts: u64,
    /// Minor units of those balances that are debits.
    pub debits: i128,
    /// Minor units of those balances that are credits.
    pub credits: i128,
}

/// One account's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account as it is now.
    pub account: Account,
    /// What is posted on it, on its normal side.
    pub posted: MinorUnits,
}

impl Standing {
    /// The balance as a debit, in minor units; negative for a credit.
    #[must_use]
    pub fn debit(&self) -> i128 {
        let units = i128::from(self.posted.get());
        match self.account.normal_side {
            NormalSide::Debit => units,
            NormalSide::Credit => -units,
        }
    }
}

/// Which accounts, and as of when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The account with this code and those below it; `None`: all.
    pub subtree: Option<String>,
    /// `None`: as they stand.
    pub as_of: Option<(Timestamp, By)>,
}

/// Whether an account has this code, or one below it. Codes are visible ASCII and compared byte by byte;
/// what follows the colon is the semicolon. It tells accounts that are found already: no index serves
/// both halves at once.
macro_rules! in_subtree {
    ($code:expr) => {
        account::code.eq($code.clone()).or(account::code
            .ge(format!("{}:", $code))
            .and(account::code.lt(format!("{};", $code))))
    };
}
pub(crate) use in_subtree;

/// What all accounts in scope come to, by currency: each of them is looked at, a page at a time.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn totals(
    connection: &mut AnyConnection,
    tenant: TenantId,
    scope: &Scope,
) -> Result<Vec<Total>, Error> {
    let mut by_currency: BTreeMap<String, Total> = BTreeMap::new();
    let mut last: Option<String> = None;
    loop {
        let page = standings(connection, tenant, scope, last.as_deref(), PAGE)?;
        let Some(standing) = page.last() else { break };
        last = Some(standing.account.code.clone());
        page.iter()
            .for_each(|standing| add(&mut by_currency, standing));
    }
    Ok(by_currency.into_values().collect())
}

/// The accounts in scope that come after the code `after`, in the order of their codes, at most `limit`.
/// No others are looked at.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn standings(
    connection: &mut AnyConnection,
    tenant: TenantId,
    scope: &Scope,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Standing>, Error> {
    let rows = match &scope.subtree {
        None => between(connection, tenant, (after.unwrap_or_default(), None), limit)?,
        Some(code) => {
            let mut rows = Vec::new();
            if after.is_none_or(|after| after < code.as_str()) {
                rows = account::table
                    .filter(account::tenant_id.eq(tenant))
                    .filter(account::code.eq(code))
                    .limit(limit)
                    .load(connection)?;
            }
            let left = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
            if left > 0 {
                let (begin, end) = (format!("{code}:"), format!("{code};"));
                let after = after.map_or(begin.as_str(), |after| after.max(begin.as_str()));
                rows.extend(between(connection, tenant, (after, Some(&end)), left)?);
            }
            rows
        }
    };
    let mut standings = Vec::with_capacity(rows.len());
    for row in rows {
        let account = row.read()?;
        let posted = match scope.as_of {
            None => account.posted(),
            Some((at, by)) => balance_at(connection, tenant, &account, at, by)?,
        };
        standings.push(Standing { account, posted });
    }
    Ok(standings)
}

/// The accounts whose codes come after the one and before the other, in their order.
fn between(
    connection: &mut AnyConnection,
    tenant: TenantId,
    (after, before): (&str, Option<&str>),
    limit: i64,
) -> Result<Vec<AccountRow>, Error> {
    let mut query = account::table
        .filter(account::tenant_id.eq(tenant))
        .filter(account::code.gt(after))
        .order(account::code)
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(account::code.lt(before));
    }
    Ok(query.load(connection)?)
}

/// The first accounts, at most so many, with this code and below it.
pub(crate) fn first_below(
    connection: &mut AnyConnection,
    tenant: TenantId,
    code: &str,
    at_most: usize,
) -> Result<Vec<AccountId>, Error> {
    let scope = Scope {
        subtree: Some(code.to_owned()),
        as_of: None,
    };
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let found = standings(connection, tenant, &scope, None, at_most)?;
    Ok(found.into_iter().map(|found| found.account.id).collect())
}

fn add(by_currency: &mut BTreeMap<String, Total>, standing: &Standing) {
    let currency = standing.account.currency;
    let total = by_currency
        .entry(currency.code().to_owned())
        .or_insert(Total {
            currency,
            accounts: 0,
            debits: 0,
            credits: 0,
        });
    total.accounts += 1;
    let debit = standing.debit();
    total.debits += debit.max(0);
    total.credits += (-debit).max(0);
}
