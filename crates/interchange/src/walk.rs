//! The walk through the books. It is the same for every format.

use std::collections::BTreeSet;
use std::io::Write;

use ledger::Account;
use ledger::journal::{Journal, accounts_after, span};
use store::{AnyConnection, TenantId};

use crate::beancount::Beancount;
use crate::csv::Csv;
use crate::form::{ExportError, Form, Names, Overview};
use crate::hledger::Hledger;
use crate::json::Json;

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A journal that `hledger check` accepts.
    Hledger,
    /// A ledger that `bean-check` accepts.
    Beancount,
    /// CSV: one row per account, then one row per entry.
    Csv,
    /// JSON: one document.
    Json,
}

/// The number of accounts and transactions that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Number of accounts.
    pub accounts: u64,
    /// Number of transactions.
    pub transactions: u64,
}

/// Writes the books of a tenant, as they are in the snapshot of the connection. `name` is the name of the tenant.
/// `progress` gets the number of transactions that are written so far.
///
/// # Errors
/// [`ExportError`] names the cause.
pub fn export(
    connection: &mut AnyConnection,
    tenant: TenantId,
    name: &str,
    format: Format,
    output: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<ExportCounts, ExportError> {
    store::set_bulk_hints(connection)?;
    let mut form: Box<dyn Form> = match format {
        Format::Hledger => Box::new(Hledger::default()),
        Format::Beancount => Box::new(Beancount::default()),
        Format::Csv => Box::new(Csv),
        Format::Json => Box::new(Json::default()),
    };
    let form = form.as_mut();
    let overview = survey(connection, tenant, name, form)?;
    let mut exported = ExportCounts::default();
    form.begin(output, &overview)?;
    for_each_account(connection, tenant, |account| {
        exported.accounts = exported.accounts.saturating_add(1);
        form.account(output, account)
    })?;
    let mut journal = Journal::of(tenant);
    let mut names = Names::default();
    loop {
        let page = journal.next_page(connection)?;
        if page.is_empty() {
            break;
        }
        names.learn(connection, tenant, form, &page)?;
        for transaction in &page {
            form.transaction(output, transaction, &names)?;
            exported.transactions = exported.transactions.saturating_add(1);
        }
        progress(exported.transactions);
    }
    if form.proves_balances() {
        for_each_account(connection, tenant, |account| form.balance(output, account))?;
    }
    form.end(output)?;
    output.flush()?;
    Ok(exported)
}

fn survey(
    connection: &mut AnyConnection,
    tenant: TenantId,
    name: &str,
    form: &mut dyn Form,
) -> Result<Overview, ExportError> {
    let mut currencies = BTreeSet::new();
    let mut span = span(connection, tenant)?;
    for_each_account(connection, tenant, |account| {
        currencies.insert(account.currency);
        let (first, last) = span.get_or_insert((account.opened_at, account.opened_at));
        *first = account.opened_at.min(*first);
        *last = account.opened_at.max(*last);
        form.survey(account);
        Ok(())
    })?;
    Ok(Overview {
        tenant: name.to_owned(),
        currencies,
        span,
        closed_before: ledger::closed_before(connection, tenant)?,
    })
}

fn for_each_account(
    connection: &mut AnyConnection,
    tenant: TenantId,
    mut take: impl FnMut(&Account) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut last = None;
    loop {
        let page = accounts_after(connection, tenant, last)?;
        for account in &page {
            take(account)?;
            last = Some(account.id);
        }
        if page.is_empty() {
            return Ok(());
        }
    }
}
