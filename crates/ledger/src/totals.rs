//! Balances of many accounts: the trial balance, and the balances of a subtree of the chart.
//!
//! A balance counts as a debit or as a credit by its own side, whatever the account's normal side is. Over all
//! accounts of a currency, debits and credits have the same sum.

use std::collections::BTreeMap;

use diesel::prelude::*;
use money::{Currency, MinorUnits};
use store::{AnyConnection, Error, TenantId, Timestamp};

use crate::as_of::{By, balance_at};
use crate::schema::account;
use crate::tables::AccountRow;
use crate::{Account, NormalSide};

/// Number of accounts that are read at a time.
const PAGE: i64 = 1_000;

/// The sums of the balances of all accounts in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The currency.
    pub currency: Currency,
    /// Number of accounts.
    pub accounts: u64,
    /// Sum of the balances that are debits, in minor units.
    pub debits: i128,
    /// Sum of the balances that are credits, in minor units.
    pub credits: i128,
}

/// The balance of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account in its present state.
    pub account: Account,
    /// The posted balance, on the account's normal side.
    pub posted: MinorUnits,
}

impl AccountBalance {
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

/// The accounts to sum up, and the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The account with this code and the accounts below it; `None`: all accounts.
    pub subtree: Option<String>,
    /// The moment and the time that counts; `None`: the present balances.
    pub as_of: Option<(Timestamp, By)>,
}

/// Whether an account has this code, or one below it. Codes are visible ASCII and are compared byte by byte; the
/// character after the colon is the semicolon. It is a filter on accounts that were found in another way, because no
/// index serves both conditions at once.
macro_rules! in_subtree {
    ($code:expr) => {
        account::code.eq($code.clone()).or(account::code
            .ge(format!("{}:", $code))
            .and(account::code.lt(format!("{};", $code))))
    };
}
pub(crate) use in_subtree;

/// The sums over all accounts in scope, by currency. Every account is read, a page at a time.
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

/// The balances of the accounts in scope, in the order of their codes, after the code `after`; at most `limit`.
/// Only these accounts are read.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn standings(
    connection: &mut AnyConnection,
    tenant: TenantId,
    scope: &Scope,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<AccountBalance>, Error> {
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
        standings.push(AccountBalance { account, posted });
    }
    Ok(standings)
}

/// The accounts with codes after the first and before the second code, in order.
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

fn add(by_currency: &mut BTreeMap<String, Total>, standing: &AccountBalance) {
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
