//! Transactions whose metadata was set later, to be compared with the audit log.

use diesel::prelude::*;
use store::{Pages, TenantId};

use super::PAGE;
use crate::TransactionId;
use crate::schema::{current_metadata, ledger_transaction};

/// Metadata that was set after the transaction was recorded, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct LaterMetadata {
    /// The transaction's id.
    pub transaction: TransactionId,
    /// How often the metadata was set.
    pub revision: i64,
    /// The present metadata: a flat JSON object of texts.
    pub now: Option<String>,
    /// The metadata with which the transaction was recorded.
    pub recorded: Option<String>,
}

/// All transactions whose metadata was set later, in id order.
#[must_use]
pub fn described(tenant: TenantId) -> Pages<LaterMetadata> {
    Pages::new(
        tenant,
        |connection, tenant, after: Option<&LaterMetadata>| {
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
        },
    )
}
