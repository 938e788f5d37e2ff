//! Loads what the lines of a batch are about: operations, disputes, and the lines of exceptions.

use engine::Loading;
use store::find::Lock;
use store::{Error, TenantId};

use super::bank_rows::BankLineById;
use super::rows::LineById;
use super::shelf::{SettlementNeeds, State};
use super::{BankLineId, SettlementLineId};
use crate::OperationId;
use crate::disputes::rows as dispute_rows;
use crate::tables::{ByProviderKey, ByReference, OperationById};

impl State {
    /// Loads the operations and disputes that lines name, and adds their ids to `names`.
    pub(super) fn load_subjects(
        &mut self,
        from: &mut Loading<'_>,
        asks: &SettlementNeeds,
        names: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (connection, tenant) = (&mut *from.connection, from.tenant);
        let sorted = |texts: &[String]| -> Vec<String> {
            let mut texts: Vec<String> = texts.to_vec();
            texts.retain(|text| !text.is_empty());
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        let references = sorted(&asks.references);
        let records: Vec<ByReference> = references
            .iter()
            .map(|reference| ByReference {
                provider_ref: reference.clone(),
            })
            .collect();
        for row in ByReference::find(connection, Lock::Nothing, tenant, &records)? {
            if row.provider == asks.provider || asks.provider.is_empty() {
                self.by_reference.insert(row.provider_ref, row.operation_id);
            }
        }
        let keys: Vec<ByProviderKey> = sorted(&asks.our_references)
            .into_iter()
            .map(|provider_key| ByProviderKey { provider_key })
            .collect();
        let mut rows = ByProviderKey::find(connection, Lock::Nothing, tenant, &keys)?;
        for row in &rows {
            self.by_our_reference
                .insert(row.provider_key.clone(), row.id);
        }
        let mut ids: Vec<OperationId> = self.by_reference.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let wanted: Vec<OperationById> = ids.into_iter().map(|id| OperationById { id }).collect();
        rows.extend(OperationById::find(
            connection,
            Lock::Nothing,
            tenant,
            &wanted,
        )?);
        for row in rows {
            let operation = row.read()?;
            names.push(operation.id.to_string());
            self.operations.insert(operation.id, operation);
        }
        for dispute in dispute_rows::load(connection, tenant, references)? {
            if dispute.provider == asks.provider {
                names.push(dispute.id.to_string());
                self.disputes.insert(dispute.reference.clone(), dispute);
            }
        }
        Ok(())
    }

    /// Loads the line that an exception is about.
    pub(super) fn load_lines(
        &mut self,
        connection: &mut store::AnyConnection,
        tenant: TenantId,
        subject: &str,
    ) -> Result<(), Error> {
        if let Ok(id) = subject.parse::<SettlementLineId>() {
            let found = LineById::find(connection, Lock::Rows, tenant, &[LineById { id }])?;
            self.lines
                .extend(found.into_iter().map(|row| (row.id, row)));
        }
        if let Ok(id) = subject.parse::<BankLineId>() {
            let found = BankLineById::find(connection, Lock::Rows, tenant, &[BankLineById { id }])?;
            self.bank_lines
                .extend(found.into_iter().map(|row| (row.id, row)));
        }
        Ok(())
    }
}
