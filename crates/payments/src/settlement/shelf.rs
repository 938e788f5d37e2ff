//! The shelf of settlement: the lines, settlements and exceptions that a batch names, and what the lines are about.

use std::collections::{BTreeMap, HashMap, HashSet};

use books::Books;
use engine::{AuditEvent, Book, Loading, set};
use ledger::TransactionId;
use money::Currency;
use store::bulk::Writes;
use store::rows::Single;
use store::{Error, TenantId, Timestamp};

use super::SettlementId;
use super::bank_rows::{BankLineResolved, BankLineRow};
use super::exception::{Exception, ExceptionId, ExceptionKind, Fees, Resolution};
use super::rows::*;
use crate::disputes::dispute::Dispute;
use crate::postings::{OF_SETTLEMENT, Role, SETTLEMENT_ROLES};
use crate::{Operation, OperationId};

/// The rows that a batch needs.
#[derive(Debug, Default)]
pub struct SettlementNeeds {
    /// The provider.
    pub provider: String,
    /// Contents of settlement lines.
    pub contents: Vec<Vec<u8>>,
    /// The provider's references of records.
    pub references: Vec<String>,
    /// Our references, which are provider keys.
    pub our_references: Vec<String>,
    /// The provider's names of settlements.
    pub settlements: Vec<String>,
    /// Ids of operations and disputes whose exceptions and lines are needed.
    pub subjects: Vec<String>,
    /// Contents of bank lines.
    pub bank_contents: Vec<Vec<u8>>,
    /// Amounts of bank lines, each with its currency and day, by which settlements are looked for.
    pub bank_amounts: Vec<(Currency, i64, i32)>,
    /// Exceptions to resolve.
    pub exceptions: Vec<ExceptionId>,
    /// The currencies of all of this.
    pub currencies: Vec<Currency>,
}

impl SettlementNeeds {
    fn is_empty(&self) -> bool {
        self.contents.is_empty()
            && self.bank_contents.is_empty()
            && self.subjects.is_empty()
            && self.exceptions.is_empty()
    }
}

/// The shelf of settlement.
#[derive(Debug, Default)]
pub struct SettlementShelf {
    pub(super) state: Single<State>,
}

store::savepoint!(SettlementShelf { state });

/// Provider, reference and currency of a settlement.
pub(super) type SettlementName = (String, String, String);

#[derive(Debug, Default, Clone)]
pub(super) struct State {
    /// Contents of lines that are in the books already, or were added by this batch.
    pub(super) known: HashSet<Vec<u8>>,
    /// Lines that are in the books and open, by their contents. They are tried again.
    pub(super) open_lines: HashMap<Vec<u8>, SettlementLineRow>,
    /// Bank lines that are in the books and open, by their contents. They are tried again.
    pub(super) open_bank_lines: HashMap<Vec<u8>, BankLineRow>,
    pub(super) by_reference: HashMap<String, OperationId>,
    pub(super) by_our_reference: HashMap<String, OperationId>,
    pub(super) operations: HashMap<OperationId, Operation>,
    /// The operation by which a payout came back, by the id of the payout.
    pub(super) returns: HashMap<Vec<u8>, OperationId>,
    /// The disputes, by the provider's reference.
    pub(super) disputes: HashMap<String, Dispute>,
    /// Subject and kind of each line that was matched before.
    pub(super) settled: HashSet<(String, String)>,
    pub(super) settlements: BTreeMap<SettlementName, Versioned<SettlementRow>>,
    pub(super) exceptions: BTreeMap<(String, ExceptionKind), Versioned<Exception>>,
    pub(super) new_lines: Vec<SettlementLineRow>,
    pub(super) new_bank_lines: Vec<BankLineRow>,
    pub(super) resolved_lines: Vec<LineResolved>,
    pub(super) resolved_bank_lines: Vec<BankLineResolved>,
}

/// A row, and the version at which it was read; `None` if it is new.
#[derive(Debug, Clone)]
pub(super) struct Versioned<T> {
    pub(super) row: T,
    pub(super) seen: Option<i64>,
    pub(super) is_changed: bool,
}

impl State {
    /// The operations that a line names: by the provider's reference first, then by ours.
    pub(super) fn named(&self, reference: &str, ours: &str) -> impl Iterator<Item = &Operation> {
        let by_reference = self.by_reference.get(reference);
        let ids = by_reference
            .into_iter()
            .chain(self.by_our_reference.get(ours));
        ids.filter_map(|id| self.operations.get(id))
    }

    /// The operation by which a payout came back.
    pub(super) fn returned(&self, payout: &Operation) -> Option<&Operation> {
        self.operations
            .get(self.returns.get(payout.subject.as_slice())?)
    }

    /// The dispute that a line names, by the provider's reference.
    pub(super) fn dispute(&self, reference: &str) -> Option<&Dispute> {
        self.disputes.get(reference)
    }

    /// Adds an exception. Returns false if there is one of this kind about this subject.
    fn open(&mut self, exception: Exception) -> bool {
        let name = (exception.subject.clone(), exception.kind);
        if self.exceptions.contains_key(&name) {
            return false;
        }
        let new = Versioned {
            row: exception,
            seen: None,
            is_changed: true,
        };
        self.exceptions.insert(name, new);
        true
    }

    /// Resolves an open exception. Returns false if there is no open one.
    pub(super) fn resolve(
        &mut self,
        name: &(String, ExceptionKind),
        end: &End,
        now: Timestamp,
    ) -> bool {
        let open = self.exceptions.get_mut(name);
        let Some(held) = open.filter(|held| held.row.resolution.is_none()) else {
            return false;
        };
        held.is_changed = true;
        let row = &mut held.row;
        row.resolution = Some(end.resolution);
        row.reason.clone_from(&end.reason);
        row.closed_by.clone_from(&end.by);
        row.transaction = end.transaction;
        row.version = row.version.saturating_add(1);
        row.closed_at = Some(now);
        true
    }

    /// The settlement of this name; made with this id if it is new.
    pub(super) fn settlement(
        &mut self,
        (tenant_id, id): (TenantId, SettlementId),
        name: &SettlementName,
        now: Timestamp,
    ) -> &mut SettlementRow {
        let held = self
            .settlements
            .entry(name.clone())
            .or_insert_with(|| Versioned {
                row: SettlementRow {
                    tenant_id,
                    id,
                    provider: name.0.clone(),
                    reference: name.1.clone(),
                    currency: name.2.clone(),
                    day: i32::MIN,
                    lines: 0,
                    gross: 0,
                    fee: 0,
                    net: 0,
                    banked: 0,
                    version: 0,
                    created_at: now.micros(),
                    updated_at: now.micros(),
                },
                seen: None,
                is_changed: true,
            });
        held.is_changed = true;
        held.row.updated_at = now.micros();
        &mut held.row
    }
}

/// The end of an exception.
pub(super) struct End {
    pub(super) resolution: Resolution,
    pub(super) reason: Option<String>,
    pub(super) by: Option<String>,
    pub(super) transaction: Option<TransactionId>,
}

/// The place and the amount of a difference.
pub(crate) struct Difference<'a> {
    /// The provider, or the account at the bank.
    pub(crate) provider: &'a str,
    /// The code of the currency.
    pub(crate) currency: &'a str,
    /// The amount in minor units.
    pub(crate) amount: i64,
    /// The day, in days since 1970.
    pub(crate) day: i32,
    /// The fees, if they are what differs.
    pub(crate) fees: Option<Fees>,
}

/// Opens an exception, with its audit record. Returns false if there is one of this kind about this subject.
pub(crate) fn open_exception(
    book: &mut Book,
    kind: ExceptionKind,
    subject: &str,
    at: &Difference<'_>,
    detail: String,
) -> bool {
    let now = book.now();
    let id = ExceptionId::from_bytes(book.next_id());
    let exception = Exception {
        id,
        kind,
        subject: subject.to_owned(),
        provider: at.provider.to_owned(),
        amount: at.amount,
        currency: at.currency.to_owned(),
        day: at.day,
        detail,
        fees: at.fees,
        resolution: None,
        reason: None,
        closed_by: None,
        transaction: None,
        version: 1,
        opened_at: now,
        closed_at: None,
    };
    let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
    let is_new = state.open(exception);
    if is_new {
        let id = id.to_string();
        let delta = [set("kind", kind.name()), set("subject", subject)];
        book.record(&AuditEvent::done(
            "exception.opened",
            ("exception", &id),
            &delta,
        ));
    }
    is_new
}

/// Resolves the open exception of this kind about a subject, because the difference is no more.
pub(crate) fn end_matched(book: &mut Book, subject: &str, kind: ExceptionKind) {
    let now = book.now();
    let end = End {
        resolution: Resolution::Matched,
        reason: None,
        by: None,
        transaction: None,
    };
    let name = (subject.to_owned(), kind);
    let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
    if !state.resolve(&name, &end, now) {
        return;
    }
    let id = state.exceptions.get(&name).map(|held| held.row.id);
    let id = id.map_or_else(String::new, |id| id.to_string());
    let delta = [set("resolution", Resolution::Matched.name())];
    let about = ("exception", id.as_str());
    book.record(&AuditEvent::done("exception.resolved", about, &delta));
}

impl engine::Shelf for SettlementShelf {
    type Asks = SettlementNeeds;
    type Memory = ();

    fn must_lock(asks: &SettlementNeeds) -> bool {
        !asks.is_empty()
    }

    fn is_nothing(asks: &SettlementNeeds) -> bool {
        asks.is_empty()
    }

    fn load(&mut self, from: &mut Loading<'_>, asks: SettlementNeeds) -> Result<(), Error> {
        let state = &mut self.state.value;
        let mut names = asks.subjects.clone();
        state.load_subjects(from, &asks, &mut names)?;
        let (connection, tenant) = (&mut *from.connection, from.tenant);
        state.load_known(connection, tenant, &asks, &mut names)?;
        names.sort_unstable();
        names.dedup();
        let mut currencies = asks.currencies.clone();
        let resolved = state.load_exceptions(
            connection,
            tenant,
            &asks.exceptions,
            &names,
            &mut currencies,
        )?;
        state.load_settled(connection, tenant, &names)?;
        state.load_settlements(connection, tenant, &asks)?;
        currencies.sort_unstable_by(|one, other| one.code().cmp(other.code()));
        currencies.dedup();
        if let Some(needs) = from.ask::<Books>() {
            let codes = currencies.iter().flat_map(|currency| {
                let roles: &'static [&'static Role] = SETTLEMENT_ROLES;
                roles.iter().map(|role| role.code(*currency))
            });
            needs.codes.extend(codes);
            let sets = OF_SETTLEMENT.iter();
            let external_ids = names
                .iter()
                .flat_map(|name| sets.clone().map(move |set| set.external_id(name)));
            needs.external_ids.extend(external_ids);
            needs.external_ids.extend(resolved);
        }
        Ok(())
    }

    fn save(&self, tenant: TenantId, writes: &mut Writes) {
        let state = &self.state.value;
        writes.add(state.new_lines.clone());
        writes.add(state.new_bank_lines.clone());
        writes.add(state.resolved_lines.clone());
        writes.add(state.resolved_bank_lines.clone());
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for held in state.settlements.values().filter(|held| held.is_changed) {
            let mut row = held.row.clone();
            row.version = held.seen.unwrap_or(0).saturating_add(1);
            match held.seen {
                None => new.push(row),
                Some(seen_version) => changed.push(SettlementChange {
                    tenant_id: tenant,
                    id: row.id,
                    seen_version,
                    day: row.day,
                    lines: row.lines,
                    gross: row.gross,
                    fee: row.fee,
                    net: row.net,
                    banked: row.banked,
                    next_version: row.version,
                    updated_at: row.updated_at,
                }),
            }
        }
        writes.add(new);
        writes.add(changed);
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for held in state.exceptions.values().filter(|held| held.is_changed) {
            let row = ExceptionRow::of(tenant, &held.row);
            match held.seen {
                None => new.push(row),
                Some(seen_version) => changed.push(ExceptionChange {
                    tenant_id: tenant,
                    id: row.id,
                    seen_version,
                    status: row.status,
                    resolution: row.resolution,
                    reason: row.reason,
                    closed_by: row.closed_by,
                    transaction_id: row.transaction_id,
                    next_version: row.version,
                    closed_at: row.closed_at,
                }),
            }
        }
        writes.add(new);
        writes.add(changed);
    }
}
