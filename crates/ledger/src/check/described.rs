//! Transactions of which the metadata was set later, for whoever compares them with the audit log.

use diesel::prelude::*;
use store::{Pages, TenantId};

use super::PAGE;
use crate::TransactionId;
use crate::schema::{current_metadata, ledger_transaction};

/// Metadata that was set later, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Redescribed {
    /// The transaction.
    pub transaction: TransactionId,
    /// How often it was set.
    pub revision: i64,
    /// What is kept now: a flat JSON object of texts.
    pub now: Option<String>,
    /// What the transaction was recorded with.
    pub recorded: Option<String>,
}

/// All of them, by transaction.
#[must_use]
pub fn described(tenant: TenantId) -> Pages<Redescribed> {
    Pages::new(tenant, |connection, tenant, after: Option<&Redescribed>| {
        let mut query = current_metadata::table
            .inner_join(
                ledger_transaction::table.on(ledger_transaction::tenant_id
                    .eq(current_metadata::tenant_id)
                    .and(ledger_transaction::id.eq(current_metadata::transaction_id))),
            )
            .filter(current_metadata::tenant_id.eq(tenant))
            .order(current_metadata::transaction_id)
            .limit(PAGE)
            .select((
                current_metadata::transaction_id,
                current_metadata::revision,
                current_metadata::metadata,
                ledger_transaction::metadata,
            ))
            .into_boxed();
        if let Some(last) = after {
            query = query.filter(current_metadata::transaction_id.gt(last.transaction));
        }
        Ok(query.load(connection)?)
    })
}
