//! The proof that reconciliation adds up: sums over all lines, by status, beside the settlements and the account of money
//! on its way to the bank.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::{AnyConnection, Error, TenantId};

use super::bank_rows::BankLineRow;
use super::rows::{IGNORED, MATCHED, OPEN, RESOLVED, SettlementLineRow, SettlementRow};
use super::{BankLineId, SettlementLineId};
use crate::postings::TRANSIT;
use crate::schema::{bank_line, reconciliation_exception, settlement, settlement_line};

/// Number of rows that are read at a time.
const PAGE: i64 = 5_000;

/// Number and sum of the lines of one status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Number of lines.
    pub lines: u64,
    /// The sum of their net amounts, in minor units.
    pub net: i64,
}

impl Sum {
    fn add(&mut self, net: i64) {
        self.lines = self.lines.saturating_add(1);
        self.net = self.net.saturating_add(net);
    }
}

/// The sums of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CurrencyProof {
    /// Lines of reports that were matched.
    pub matched: Sum,
    /// Lines of reports that are open.
    pub open: Sum,
    /// Lines of reports that a person has resolved.
    pub resolved: Sum,
    /// Lines of reports that are no money of their own.
    pub ignored: Sum,
    /// The settlements.
    pub settlements: Sum,
    /// What has arrived of the settlements at the bank, in minor units.
    pub banked: i64,
    /// Lines of bank statements that were matched.
    pub bank_matched: Sum,
    /// Lines of bank statements that are open.
    pub bank_open: Sum,
    /// Lines of bank statements that a person has resolved.
    pub bank_resolved: Sum,
    /// The net amounts of lines whose settlement is not known, in minor units.
    unlinked: i64,
    /// The net amounts of open lines, and of those resolved without a posting, in minor units.
    unposted: i64,
    /// The balance of the account of money on its way to the bank, in minor units.
    pub in_transit: i64,
}

impl CurrencyProof {
    /// What should be on its way to the bank: all settlements and unlinked lines, less what has arrived and less what
    /// was never posted.
    #[must_use]
    pub const fn expected_in_transit(&self) -> i64 {
        self.settlements
            .net
            .saturating_add(self.unlinked)
            .saturating_sub(self.banked)
            .saturating_sub(self.unposted)
    }

    /// True if the account has what it should have.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.in_transit == self.expected_in_transit()
    }
}

/// The proof of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// The sums, by the code of the currency.
    pub currencies: BTreeMap<String, CurrencyProof>,
    /// Number of open exceptions, by their kind.
    pub open_exceptions: BTreeMap<String, u64>,
}

/// Reads all lines, settlements and exceptions of a tenant. Only one page is in memory at a time.
///
/// # Errors
/// [`Error`] as the database gives it.
pub fn proof(connection: &mut AnyConnection, tenant: TenantId) -> Result<Proof, Error> {
    let mut proof = Proof::default();
    let mut after = SettlementLineId::from_bytes([0; 16]);
    loop {
        let rows: Vec<SettlementLineRow> = settlement_line::table
            .filter(settlement_line::tenant_id.eq(tenant))
            .filter(settlement_line::id.gt(after))
            .order(settlement_line::id)
            .limit(PAGE)
            .load(connection)?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            let of = proof.currencies.entry(row.currency.clone()).or_default();
            if row.settlement.is_empty() && row.status != IGNORED {
                of.unlinked = of.unlinked.saturating_add(row.net);
            }
            if row.transaction_id.is_none() && row.status != IGNORED {
                of.unposted = of.unposted.saturating_add(row.net);
            }
            match row.status.as_str() {
                MATCHED => of.matched.add(row.net),
                OPEN => of.open.add(row.net),
                RESOLVED => of.resolved.add(row.net),
                _ => of.ignored.add(row.net),
            }
        }
    }
    let settlements: Vec<SettlementRow> = settlement::table
        .filter(settlement::tenant_id.eq(tenant))
        .load(connection)?;
    for row in settlements {
        let of = proof.currencies.entry(row.currency).or_default();
        of.settlements.add(row.net);
        of.banked = of.banked.saturating_add(row.banked);
    }
    let mut after = BankLineId::from_bytes([0; 16]);
    loop {
        let rows: Vec<BankLineRow> = bank_line::table
            .filter(bank_line::tenant_id.eq(tenant))
            .filter(bank_line::id.gt(after))
            .order(bank_line::id)
            .limit(PAGE)
            .load(connection)?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            let of = proof.currencies.entry(row.currency.clone()).or_default();
            match row.status.as_str() {
                MATCHED => of.bank_matched.add(row.amount),
                OPEN => of.bank_open.add(row.amount),
                _ => of.bank_resolved.add(row.amount),
            }
        }
    }
    for (currency, of) in &mut proof.currencies {
        let account = ledger::find_by_code(connection, tenant, &format!("{TRANSIT}:{currency}"))?;
        of.in_transit = account.map_or(0, |account| account.posted().get());
    }
    let kinds: Vec<String> = reconciliation_exception::table
        .filter(reconciliation_exception::tenant_id.eq(tenant))
        // As a text, so that the index of open exceptions fits.
        .filter(sql::<Bool>("status = 'open'"))
        .select(reconciliation_exception::kind)
        .load(connection)?;
    for kind in kinds {
        let number = proof.open_exceptions.entry(kind).or_default();
        *number = number.saturating_add(1);
    }
    Ok(proof)
}
