//! A3: whatever was made has a record, and what is kept with a transaction is what its last record says. The log is read first, and what it names is kept as ids; then
//! every row that must have been named is looked for among them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ledger::{AccountId, TransactionId};
use payments::PaymentId;
use serde::Deserialize;
use store::{AnyConnection, CheckError, Error, TenantId, Timestamp};

use crate::access::Tenant;
use crate::records::digest;

/// Records read at a time.
const PAGE: i64 = 4_000;

/// A3: the tenant, each asset, account, transaction, payment and received event has a record, and what is
/// pending expires when its record says; metadata that was set later is what the records say, each time.
pub(crate) fn changes_are_recorded(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    compare(connection, tenant, Terms::Compared, progress)
}

/// The first thing that was made and has no record: a log that was emptied or cut hashes well, and this
/// tells. `progress` hears how many records were read.
///
/// # Errors
/// [`Error`] if the database did not answer.
pub fn first_unrecorded(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<String>, Error> {
    match compare(connection, tenant, Terms::Ignored, progress) {
        Ok(_records) => Ok(None),
        Err(CheckError::Broken { subject, .. }) => Ok(Some(subject)),
        Err(CheckError::Database(error)) => Err(error),
    }
}

/// Whether rows are also compared with what their records say of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terms {
    Compared,
    Ignored,
}

fn compare(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    terms: Terms,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, CheckError> {
    let recorded = Recorded::read(connection, tenant, progress)?;
    let missing =
        |subject: &dyn ToString| CheckError::broken(subject.to_string(), "no record names it");
    if !recorded.tenant {
        return Err(missing(&tenant.name));
    }
    let mut assets = ledger::check::assets(tenant.id);
    while let Some(row) = assets.next(connection)? {
        let name = format!("{}/{}", row.code, row.exponent);
        if !recorded.assets.contains(&name) {
            return Err(missing(&name));
        }
    }
    let mut transactions = ledger::check::transactions(tenant.id);
    while let Some((id, expires_at)) = transactions.next(connection)? {
        if !recorded.transactions.contains(&id) {
            return Err(missing(&id));
        }
        if terms == Terms::Compared {
            recorded.check_expiry(id, expires_at)?;
        }
    }
    metadata_is_recorded(connection, tenant, &recorded, terms)?;
    let mut accounts = ledger::check::accounts(tenant.id);
    while let Some(account) = accounts.next(connection)? {
        let known = recorded.accounts.contains(&account.id)
            || recorded.opened_by_the_way(connection, tenant.id, account.id, account.opened_at)?;
        if !known {
            return Err(missing(&account.id));
        }
    }
    let mut payments = payments::check::payments(tenant.id);
    while let Some(payment) = payments.next(connection)? {
        if !recorded.payments.contains(&payment.id) {
            return Err(missing(&payment.id));
        }
    }
    let mut received = webhooks::check::received(tenant.id);
    while let Some(row) = received.next(connection)? {
        let name = webhooks::check::name(&row.provider, &row.event_id);
        if !recorded.events.contains(&name) {
            return Err(missing(&name));
        }
    }
    let mut quarantined = webhooks::check::quarantined(tenant.id);
    while let Some(row) = quarantined.next(connection)? {
        let name = webhooks::check::name(&row.provider, &row.event_id);
        if !recorded.events.contains(&name) {
            return Err(missing(&name));
        }
    }
    Ok(recorded.records)
}

/// Metadata that was set later has a record each time, and each record of it is about such metadata.
fn metadata_is_recorded(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    recorded: &Recorded,
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

/// What the records say of metadata that was set later, by digests.
struct Described {
    times: i64,
    /// What it was before it was first set.
    first: String,
    last: String,
    /// Whether each change begins with what the one before it has set.
    follow: bool,
}

/// What the audit log of a tenant has records of.
#[derive(Default)]
struct Recorded {
    records: u64,
    tenant: bool,
    /// As they are stored.
    assets: HashSet<String>,
    accounts: HashSet<AccountId>,
    transactions: HashSet<TransactionId>,
    /// When those expire whose records say so; older records do not.
    expiring: HashMap<TransactionId, String>,
    described: HashMap<TransactionId, Described>,
    payments: HashSet<PaymentId>,
    events: HashSet<String>,
}

/// As much of a leaf as says what was changed.
#[derive(Deserialize)]
struct Leaf<'a> {
    #[serde(borrow)]
    subject: Subject<'a>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(default)]
    delta: Delta,
}

/// The change of which transactions there are, of what an account holds, of when something expires, and of
/// what is kept with a transaction, before and after.
#[derive(Default, Deserialize)]
struct Delta {
    transaction: Option<(Option<String>, Option<String>)>,
    currency: Option<(Option<String>, Option<String>)>,
    expires_at: Option<(Option<String>, Option<String>)>,
    metadata: Option<(Option<String>, Option<String>)>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl Recorded {
    fn read(
        connection: &mut AnyConnection,
        tenant: &Tenant,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Error> {
        let mut recorded = Self::default();
        let mut seq = 0;
        loop {
            let page = audit_log::tables::entries(connection, tenant.id, seq, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(recorded);
            };
            // A number below 0 is A1's to find; it must not begin the page anew.
            seq = u64::try_from(last.seq)
                .unwrap_or(u64::MAX)
                .saturating_add(1);
            for entry in page {
                recorded.records += 1;
                // Bytes that are no record are a record of nothing.
                if let Ok(leaf) = serde_json::from_slice::<Leaf<'_>>(&entry.leaf) {
                    recorded.note(&leaf, tenant);
                }
            }
            progress(recorded.records);
        }
    }

    fn note(&mut self, leaf: &Leaf<'_>, tenant: &Tenant) {
        // A refusal names what it was about, and changed nothing.
        if leaf.outcome == "refused" {
            return;
        }
        let id = leaf.subject.id.as_ref();
        match leaf.subject.kind.as_ref() {
            "tenant" => self.tenant |= *id == *tenant.name,
            "asset" => {
                self.assets.insert(id.to_owned());
            }
            "account" => {
                self.accounts.extend(id.parse::<AccountId>());
                // Assets that are older than the register were held by an account that was recorded.
                let held = leaf.delta.currency.as_ref();
                self.assets
                    .extend(held.and_then(|(_, after)| after.clone()));
            }
            "transaction" => {
                let id = id.parse::<TransactionId>().ok();
                self.transactions.extend(id);
                let said = leaf.delta.expires_at.as_ref();
                let said = said.and_then(|(_, after)| after.clone());
                self.expiring.extend(id.zip(said));
                self.note_metadata(id, leaf.delta.metadata.as_ref());
            }
            "payment" => self.payments.extend(id.parse::<PaymentId>()),
            "webhook_event" | "provider_answer" => {
                self.events.insert(id.to_owned());
            }
            _ => {}
        }
        if let Some((_, Some(after))) = &leaf.delta.transaction {
            self.transactions.extend(after.parse::<TransactionId>());
        }
    }

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

    /// Whether an account was opened because a recorded transaction needed it: both were written at
    /// one moment, and the transaction made its first entry.
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
