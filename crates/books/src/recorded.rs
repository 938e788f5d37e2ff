//! Invariant A3 for the books: each asset, account and transaction has an audit record, a pending transaction
//! expires at the time in its record, and metadata that was set later agrees with the records of each change.

use std::collections::{HashMap, HashSet};

use engine::check::{Leaf, Recorder, Terms, unrecorded};
use engine::{Tenant, digest};
use ledger::{AccountId, TransactionId};
use serde::Deserialize;
use store::{AnyConnection, CheckError, Error, TenantId, Timestamp};

/// The assets, accounts and transactions that audit records name, and the terms that the records state.
#[derive(Default)]
pub(crate) struct RecordedIds {
    /// Assets by their stored codes.
    assets: HashSet<String>,
    accounts: HashSet<AccountId>,
    transactions: HashSet<TransactionId>,
    /// The times of expiry in the records of transactions. Older records have none.
    expiring: HashMap<TransactionId, String>,
    described: HashMap<TransactionId, Described>,
}

/// The fields that a record says were changed, each with its value before and after.
#[derive(Default, Deserialize)]
struct Delta {
    transaction: Option<(Option<String>, Option<String>)>,
    currency: Option<(Option<String>, Option<String>)>,
    expires_at: Option<(Option<String>, Option<String>)>,
    metadata: Option<(Option<String>, Option<String>)>,
}

impl Recorder for RecordedIds {
    fn note(&mut self, leaf: &Leaf<'_>) {
        let delta = leaf.delta.map(|delta| serde_json::from_str(delta.get()));
        let delta: Delta = delta.and_then(Result::ok).unwrap_or_default();
        match leaf.kind {
            "asset" => {
                self.assets.insert(leaf.id.to_owned());
            }
            "account" => {
                self.accounts.extend(leaf.id.parse::<AccountId>());
                // An asset that is older than the register is named by the record of an account that held it.
                let held = delta.currency.as_ref();
                self.assets
                    .extend(held.and_then(|(_, after)| after.clone()));
            }
            "transaction" => {
                let id = leaf.id.parse::<TransactionId>().ok();
                self.transactions.extend(id);
                let expiry = delta.expires_at.as_ref();
                let expiry = expiry.and_then(|(_, after)| after.clone());
                self.expiring.extend(id.zip(expiry));
                self.note_metadata(id, delta.metadata.as_ref());
            }
            _ => {}
        }
        if let Some((_, Some(after))) = &delta.transaction {
            self.transactions.extend(after.parse::<TransactionId>());
        }
    }

    fn compare(
        &self,
        connection: &mut AnyConnection,
        tenant: &Tenant,
        terms: Terms,
    ) -> Result<(), CheckError> {
        let mut assets = ledger::check::assets(tenant.id);
        while let Some(row) = assets.next(connection)? {
            let name = format!("{}/{}", row.code, row.exponent);
            if !self.assets.contains(&name) {
                return Err(unrecorded(&name));
            }
        }
        let mut transactions = ledger::check::transactions(tenant.id);
        while let Some((id, expires_at)) = transactions.next(connection)? {
            if !self.transactions.contains(&id) {
                return Err(unrecorded(&id));
            }
            if terms == Terms::Compared {
                self.check_expiry(id, expires_at)?;
            }
        }
        metadata_is_recorded(connection, tenant, self, terms)?;
        let mut accounts = ledger::check::accounts(tenant.id);
        while let Some(account) = accounts.next(connection)? {
            let known = self.accounts.contains(&account.id)
                || self.opened_by_the_way(connection, tenant.id, account.id, account.opened_at)?;
            if !known {
                return Err(unrecorded(&account.id));
            }
        }
        Ok(())
    }
}

/// Checks that each later change of metadata has a record, and that each such record has its change.
fn metadata_is_recorded(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    recorded: &RecordedIds,
    terms: Terms,
) -> Result<(), CheckError> {
    let mut unseen: HashSet<TransactionId> = recorded.described.keys().copied().collect();
    let mut described = ledger::check::described(tenant.id);
    while let Some(row) = described.next(connection)? {
        let broken = |detail: &str| Err(CheckError::broken(row.transaction, detail));
        unseen.remove(&row.transaction);
        let Some(said) = recorded.described.get(&row.transaction) else {
            return broken("its metadata was set later, and no record says so");
        };
        if terms == Terms::Ignored && said.times >= row.revision {
            continue;
        }
        if said.times != row.revision || !said.follow {
            return broken("its metadata was set at other times than its records say");
        }
        if said.first != digest(row.recorded.as_deref()) {
            return broken("its metadata was not what the record of its first change says");
        }
        if said.last != digest(row.now.as_deref()) {
            return broken("its metadata is not what its last record says");
        }
    }
    match unseen.into_iter().min() {
        Some(id) if terms == Terms::Compared => Err(CheckError::broken(
            id,
            "a record says that its metadata was set, and it is not kept",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The digests of metadata that was set later, as the records state them.
struct Described {
    /// Number of changes.
    times: i64,
    /// Digest of the metadata before the first change.
    first: String,
    /// Digest of the metadata after the last change.
    last: String,
    /// Whether each change begins with the value that the previous one has set.
    follow: bool,
}

impl RecordedIds {
    fn note_metadata(
        &mut self,
        id: Option<TransactionId>,
        change: Option<&(Option<String>, Option<String>)>,
    ) {
        let Some((id, (before, after))) = id.zip(change) else {
            return;
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (before, after) = (text(before), text(after));
        let said = self.described.entry(id).or_insert_with(|| Described {
            times: 0,
            first: before.clone(),
            last: before.clone(),
            follow: true,
        });
        said.times = said.times.saturating_add(1);
        said.follow &= said.last == before;
        said.last = after;
    }

    fn check_expiry(&self, id: TransactionId, expires_at: Option<i64>) -> Result<(), CheckError> {
        let Some(said) = self.expiring.get(&id) else {
            return Ok(());
        };
        let stated = expires_at.map(|at| Timestamp::from_micros(at).to_string());
        if stated.as_ref() == Some(said) {
            return Ok(());
        }
        let stated = stated.unwrap_or_else(|| "never".to_owned());
        let detail = format!("it expires {stated}, its record says {said}");
        Err(CheckError::broken(id, detail))
    }

    /// Whether an account was opened because a recorded transaction needed it: the account was opened at the
    /// recording time of the transaction, and its first entry belongs to the transaction.
    fn opened_by_the_way(
        &self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        account: AccountId,
        opened_at: i64,
    ) -> Result<bool, Error> {
        let first = ledger::entries(connection, tenant, account, Some(2), 1)?;
        Ok(first.iter().any(|entry| {
            entry.recorded_at.micros() == opened_at
                && self.transactions.contains(&entry.transaction)
        }))
    }
}
