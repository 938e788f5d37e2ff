//! Loads what the lines of a batch are about: operations, disputes, settlements and exceptions.

use engine::Loading;
use money::Currency;
use store::find::Lock;
use store::{AnyConnection, Error, TenantId};

use super::bank_rows::{BankLineByContent, BankLineBySubject, candidates};
use super::exception::ExceptionId;
use super::rows::*;
use super::shelf::{SettlementNeeds, State, Versioned};
use crate::disputes::rows as dispute_rows;
use crate::postings::EXCEPTION_FEE_OUT;
use crate::refunds::key::return_key;
use crate::tables::{ByProviderKey, ByReference, OperationById};
use crate::{OperationId, OperationKind};

impl State {
    /// Loads the lines that are in the books already, and adds the ids of those that are open to `names`.
    pub(super) fn load_known(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        asks: &SettlementNeeds,
        names: &mut Vec<String>,
    ) -> Result<(), Error> {
        let contents = asks.contents.iter().cloned();
        let contents: Vec<LineByContent> =
            contents.map(|content| LineByContent { content }).collect();
        // An open line is changed only if it is still open, so no line needs a lock.
        for row in LineByContent::find(connection, Lock::Nothing, tenant, &contents)? {
            self.known.insert(row.content.clone());
            if row.status == OPEN {
                names.push(row.id.to_string());
                self.open_lines.insert(row.content.clone(), row);
            }
        }
        let contents = asks.bank_contents.iter().cloned();
        let contents: Vec<BankLineByContent> = contents
            .map(|content| BankLineByContent { content })
            .collect();
        for row in BankLineByContent::find(connection, Lock::Nothing, tenant, &contents)? {
            self.known.insert(row.content.clone());
            if row.status == OPEN {
                names.push(row.id.to_string());
                self.open_bank_lines.insert(row.content.clone(), row);
            }
        }
        Ok(())
    }

    /// Loads exceptions by their ids, and by what they are about. Adds the currencies of the
    /// former. Returns the external ids of the postings by which they may be resolved.
    pub(super) fn load_exceptions(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        ids: &[ExceptionId],
        names: &[String],
        currencies: &mut Vec<Currency>,
    ) -> Result<Vec<String>, Error> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let wanted: Vec<ExceptionById> = ids.into_iter().map(|id| ExceptionById { id }).collect();
        let mut found = ExceptionById::find(connection, Lock::Rows, tenant, &wanted)?;
        let resolved = found.iter();
        let resolved = resolved.map(|row| EXCEPTION_FEE_OUT.external_id(row.id));
        let resolved = resolved.collect();
        for row in &found {
            currencies.extend(Currency::from_code(&row.currency).ok());
        }
        let about = names.iter().cloned();
        let about: Vec<ExceptionBySubject> = about
            .map(|subject| ExceptionBySubject { subject })
            .collect();
        let others = ExceptionBySubject::find(connection, Lock::Rows, tenant, &about)?;
        found.extend(others);
        for row in found {
            let row = row.read()?;
            let name = (row.subject.clone(), row.kind);
            let held = Versioned {
                seen: Some(row.version),
                row,
                is_changed: false,
            };
            self.exceptions.insert(name, held);
        }
        Ok(resolved)
    }

    /// Notes what is settled already, and which payouts are on a statement.
    pub(super) fn load_settled(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        names: &[String],
    ) -> Result<(), Error> {
        let lines = names.iter().cloned();
        let lines: Vec<LineBySubject> = lines.map(|subject| LineBySubject { subject }).collect();
        for row in LineBySubject::find(connection, Lock::Nothing, tenant, &lines)? {
            if let (MATCHED, Some(subject)) = (row.status.as_str(), row.subject) {
                self.settled.insert((subject, row.kind));
            }
        }
        let lines = names.iter().cloned();
        let lines: Vec<BankLineBySubject> =
            lines.map(|subject| BankLineBySubject { subject }).collect();
        for row in BankLineBySubject::find(connection, Lock::Nothing, tenant, &lines)? {
            if let (MATCHED, Some(subject)) = (row.status.as_str(), row.subject) {
                self.settled.insert((subject, String::new()));
            }
        }
        Ok(())
    }

    /// Loads settlements by the names that lines give them, and by the amounts of bank lines.
    pub(super) fn load_settlements(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        asks: &SettlementNeeds,
    ) -> Result<(), Error> {
        let mut names = asks.settlements.clone();
        names.sort_unstable();
        names.dedup();
        let wanted: Vec<SettlementByReference> = names
            .into_iter()
            .map(|reference| SettlementByReference { reference })
            .collect();
        let mut rows = SettlementByReference::find(connection, Lock::Rows, tenant, &wanted)?;
        rows.extend(candidates(connection, tenant, &asks.bank_amounts)?);
        for row in rows {
            let name = (
                row.provider.clone(),
                row.reference.clone(),
                row.currency.clone(),
            );
            let held = Versioned {
                seen: Some(row.version),
                row,
                is_changed: false,
            };
            self.settlements.insert(name, held);
        }
        Ok(())
    }

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
        // A payout that came back is on the statement twice: the return has a key of its own.
        let returns: Vec<ByProviderKey> = rows
            .iter()
            .filter(|row| {
                !asks.bank_contents.is_empty() && row.kind == OperationKind::Payout.name()
            })
            .map(|row| ByProviderKey {
                provider_key: return_key(&row.provider_key),
            })
            .collect();
        for row in ByProviderKey::find(connection, Lock::Nothing, tenant, &returns)? {
            self.returns.insert(row.subject_id.clone(), row.id);
            rows.push(row);
        }
        for row in rows {
            let operation = row.read()?;
            names.push(operation.id.to_string());
            self.operations.insert(operation.id, operation);
        }
        for dispute in dispute_rows::load(connection, tenant, references, Vec::new())? {
            if dispute.provider == asks.provider {
                names.push(dispute.id.to_string());
                self.disputes.insert(dispute.reference.clone(), dispute);
            }
        }
        Ok(())
    }
}
