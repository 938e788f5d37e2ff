//! The book: all shelves of one batch, loaded in one order and saved in one order.
//!
//! | step | what | why there |
//! |---|---|---|
//! | load 1 | inbox: events received, parked events | they name operations |
//! | load 2 | operations, payments | they name keys and accounts |
//! | load 3 | idempotency keys | |
//! | load 4 | accounts, assets, external ids | |
//! | save 1–4 | tenants; assets, accounts, transactions, postings; payments; inbox; keys | business rows first |
//! | save 5 | audit records | last: where the log is locked, its lock is held the shortest |
//!
//! Where a batch locks, each load locks in id order, and the loads come in the same order in every
//! process, so that two processes on one database wait for each other and never in a circle. A batch
//! that only adds rows and moves counters ([`must_lock`]) is first tried without locks: what it
//! writes says how it was seen, in one statement, and whoever was quicker makes it a conflict.

use std::collections::HashMap;

use audit_log::tables::Tip;
use idempotency::{Claim, Key, Reply};
use ledger::{Kind, Posted, TransactionId};
use money::Currency;
use payments::{Fact, ProviderEvent};
use store::bulk::Writes;
use store::find::Lock;
use store::{AnyConnection, Error, Ids, Timestamp};
use webhooks::Event;

use crate::access::{self, Tenant};
use crate::action::Action;
use crate::command::{Command, Envelope, Render, Rendered};
use crate::memory::Memory;
use crate::reference::{self, Reference};

/// All that one batch holds in memory.
pub(crate) struct Book<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a mut Ids,
    pub(crate) access: access::Shelf,
    pub(crate) inbox: webhooks::Shelf,
    pub(crate) payments: payments::Shelf,
    pub(crate) keys: idempotency::Shelf,
    pub(crate) ledger: ledger::Shelf,
    pub(crate) records: Vec<Vec<u8>>,
    /// Whether any command was refused.
    pub(crate) refused: bool,
    /// Whether any request with a key is answered without keeping it: nothing written would tell if
    /// the key was in fact known.
    pub(crate) unkept: bool,
    /// Why a record could not be made, if one could not.
    pub(crate) unrecorded: Option<audit_log::RecordError>,
}

/// The circumstances of one run of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Round<'a> {
    pub(crate) lock: Lock,
    pub(crate) tenant: &'a Tenant,
    pub(crate) now: Timestamp,
    pub(crate) render: Render,
}

/// What the world hears of a batch after its commit, besides the replies.
#[derive(Debug, Default)]
pub(crate) struct AfterCommit {
    pub(crate) settled: Vec<Key>,
    pub(crate) submitted: Vec<payments::Operation>,
}

#[derive(Default)]
struct Needs {
    access: bool,
    inbox: webhooks::tables::Needs,
    payments: payments::tables::Needs,
    keys: Vec<Key>,
    ledger: ledger::tables::Needs,
}

/// Whether these commands must find their rows locked. Those that only add rows and move counters
/// need not: their keys are unique, and an account is written only as it was seen.
pub(crate) fn must_lock<'e>(mut envelopes: impl Iterator<Item = &'e Envelope>) -> bool {
    envelopes.any(|envelope| match envelope.command {
        Command::RegisterAsset(_)
        | Command::OpenAccount(_)
        | Command::Transfer { .. }
        | Command::Transact { .. }
        | Command::Bulk { .. }
        | Command::ChangeAccount { .. }
        | Command::Describe { .. }
        | Command::ClosePeriod { .. }
        | Command::Expire { .. }
        | Command::CreatePayment(_) => false,
        Command::Provision { .. }
        | Command::Import { .. }
        | Command::ConfirmPayment { .. }
        | Command::AnswerNow { .. }
        | Command::RecordOutcome { .. }
        | Command::LeaseDue { .. }
        | Command::ReceiveWebhook { .. }
        | Command::QuarantineWebhook { .. }
        | Command::ApplyParked { .. } => true,
    })
}

impl<'a> Book<'a> {
    /// Loads every row that these commands may read or change.
    pub(crate) fn prefetch<'e>(
        connection: &mut AnyConnection,
        round: Round<'a>,
        memory: Option<&Memory>,
        ids: &'a mut Ids,
        envelopes: impl Iterator<Item = &'e Envelope>,
    ) -> Result<Self, Error> {
        let Round {
            lock,
            tenant,
            now,
            render,
        } = round;
        let mut needs = Needs::default();
        for envelope in envelopes {
            needs.add(envelope, now);
        }
        let access = if needs.access {
            access::Shelf::load(connection, tenant.id)?
        } else {
            access::Shelf::default()
        };
        let inbox = webhooks::tables::load(connection, tenant.id, &needs.inbox)?;
        for event in inbox.parked() {
            // What was parked was read before, so it can be read again.
            if let Ok(ProviderEvent {
                fact: Some((_, fact)),
                ..
            }) = ProviderEvent::read(&event.body)
            {
                needs.add_charge(&fact);
            }
            needs.payments.provider_keys.extend(event.reference);
        }
        let payments = payments::tables::load(connection, tenant.id, needs.payments)?;
        let waiting = payments.idempotency_keys().into_iter();
        needs
            .keys
            .extend(waiting.filter_map(|key| Key::stored(key).ok()));
        needs.keys.sort_unstable();
        needs.keys.dedup();
        if let Some(memory) = memory {
            needs.keys.retain(|key| memory.has_seen(key));
            use_promises(&mut needs.ledger, memory);
            use_accounts(&mut needs.ledger, memory);
        }
        let mut keys = idempotency::tables::load(connection, tenant.id, &needs.keys, lock)?;
        make_replies_again(connection, tenant, &mut keys, render)?;
        let books = payments.needs_of_books();
        needs.ledger.codes.extend(books.codes);
        needs.ledger.external_ids.extend(books.external_ids);
        let ledger = ledger::tables::load(connection, tenant.id, needs.ledger, lock)?;
        Ok(Self {
            tenant,
            now,
            ids,
            access,
            inbox,
            payments,
            keys,
            ledger,
            records: Vec::new(),
            unrecorded: None,
            refused: false,
            unkept: false,
        })
    }

    /// Lets time go on to `now`: a batch that has waited for its locks is later than it began.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// A book of nothing yet, for commands that need nothing of the database but what is remembered.
    pub(crate) fn empty(round: Round<'a>, ids: &'a mut Ids) -> Self {
        Self {
            tenant: round.tenant,
            now: round.now,
            ids,
            access: access::Shelf::default(),
            inbox: webhooks::Shelf::default(),
            payments: payments::Shelf::default(),
            keys: idempotency::Shelf::default(),
            ledger: ledger::Shelf::default(),
            records: Vec::new(),
            unrecorded: None,
            refused: false,
            unkept: false,
        }
    }

    /// Takes from memory what one more command needs. False if that is not all it needs.
    pub(crate) fn remember(&mut self, memory: &Memory, envelope: &Envelope) -> bool {
        if must_lock(std::iter::once(envelope)) {
            return false;
        }
        let mut needs = Needs::default();
        needs.add(envelope, self.now);
        // What this book has is newer than what is remembered.
        let (own, ledger) = (&self.ledger, &mut needs.ledger);
        ledger.transactions.retain(|id| own.recorded(id).is_none());
        use_promises(ledger, memory);
        ledger.accounts.retain(|id| own.account(id).is_none());
        use_accounts(ledger, memory);
        needs.keys.retain(|key| memory.has_seen(key));
        if !needs.is_empty() {
            return false;
        }
        for promise in needs.ledger.promises {
            self.ledger.put_promise(promise);
        }
        for account in needs.ledger.remembered {
            self.ledger.put_remembered(account);
        }
        true
    }

    /// Whether an answer leaves no trace that would tell if it was decided on something stale.
    pub(crate) fn is_unproven(&self) -> bool {
        self.unkept || (self.refused && self.records.is_empty())
    }

    /// All changes, ready to be written, and what to do afterwards; leaves in `memory` how the books
    /// will stand once they are. `read_head` reads the audit log's head if it is neither begun here nor
    /// remembered, and whenever the batch locks: others may have appended meanwhile.
    pub(crate) fn close(
        self,
        memory: &mut Memory,
        lock: Lock,
        read_head: impl FnOnce() -> Result<Option<Tip>, Error>,
    ) -> Result<(Writes, AfterCommit), Error> {
        let tenant = self.tenant.id;
        if let Some(error) = self.unrecorded {
            return Err(Error::Refused(format!(
                "an audit record was refused: {error}"
            )));
        }
        let mut writes = Writes::default();
        let begun = self.access.save(&mut writes);
        ledger::tables::save(&mut writes, tenant, &self.ledger);
        payments::tables::save(&mut writes, tenant, &self.payments);
        webhooks::tables::save(&mut writes, tenant, &self.inbox);
        idempotency::tables::save(&mut writes, tenant, &self.keys);
        if !self.records.is_empty() {
            let remembered = memory.head().filter(|_| lock == Lock::Nothing);
            let mut tip = match begun.or_else(|| remembered.cloned()) {
                Some(tip) => tip,
                None => {
                    let head = read_head()?;
                    let no_log = || Error::Refused("the tenant has no audit log".to_owned());
                    let head = head.ok_or_else(no_log)?;
                    memory.keep_if_current(&head);
                    // Decided again, if it comes to that, the batch has this time at least.
                    memory.keep_time(head.at);
                    head
                }
            };
            audit_log::tables::append(&mut writes, &mut tip, tenant, self.records, self.now)?;
            memory.keep_head(tip);
        }
        memory.keep_accounts(self.ledger.accounts());
        memory.keep_promises(self.ledger.promises());
        for key in self.keys.known() {
            memory.keep_key(key);
        }
        let after = AfterCommit {
            settled: self.keys.settled(),
            submitted: self.payments.submitted(),
        };
        Ok((writes, after))
    }

    /// An answer that leaves nothing behind, not even its key.
    pub(crate) fn answered_without_trace(&mut self, claim: Option<&Claim>) {
        self.refused = true;
        self.unkept |= claim.is_some();
    }

    /// Answers a request that is in flight. A request that was answered already stays answered.
    pub(crate) fn settle(&mut self, key: &str, reply: Reply) {
        if let Ok(key) = Key::stored(key.to_owned()) {
            self.keys.settle(&key, reply);
        }
    }
}

/// Leaves out the pending transactions that are remembered, and asks for their accounts.
fn use_promises(needs: &mut ledger::tables::Needs, memory: &Memory) {
    needs.transactions.sort_unstable();
    needs.transactions.dedup();
    let (promises, accounts) = (&mut needs.promises, &mut needs.accounts);
    needs.transactions.retain(|id| match memory.promise(id) {
        Some(promise) => {
            accounts.extend(promise.accounts());
            promises.push(promise.clone());
            false
        }
        None => true,
    });
}

/// Leaves out the accounts that are remembered.
fn use_accounts(needs: &mut ledger::tables::Needs, memory: &Memory) {
    needs.accounts.sort_unstable();
    needs.accounts.dedup();
    let remembered = &mut needs.remembered;
    needs.accounts.retain(|id| match memory.account(id) {
        Some(account) => {
            remembered.push(account.clone());
            false
        }
        None => true,
    });
}

/// Replies that were saved as a reference to what can never change are made again from it.
fn make_replies_again(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    keys: &mut idempotency::Shelf,
    render: Render,
) -> Result<(), Error> {
    let mut referenced = Vec::new();
    for (key, resource) in keys.referenced() {
        let unknown = || Error::Refused(format!("a saved reply refers to {resource}"));
        referenced.push((key, reference::parse(&resource).ok_or_else(unknown)?));
    }
    if referenced.is_empty() {
        return Ok(());
    }
    let ids = referenced
        .iter()
        .flat_map(|(_, (reference, _))| reference.ids());
    let mut ids: Vec<TransactionId> = ids.copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let posted = ledger::posted(connection, tenant.id, &ids)?;
    let posted: HashMap<TransactionId, Posted> = posted
        .into_iter()
        .map(|posted| (posted.id, posted))
        .collect();
    let found = |id: &TransactionId| {
        let gone = || Error::Refused(format!("a saved reply refers to {id}, which is not there"));
        posted.get(id).ok_or_else(gone)
    };
    for (key, (reference, form)) in &referenced {
        let form = *form;
        let reply = match reference {
            Reference::One(id) => {
                let posted = found(id)?;
                render(match posted.kind {
                    Kind::Transfer => Rendered::Transfer(posted, form),
                    Kind::Capture | Kind::Exchange | Kind::Other(_) => {
                        Rendered::Transaction(posted, form)
                    }
                })
            }
            Reference::Bulk(ids) => {
                let all: Result<Vec<_>, Error> =
                    ids.iter().map(|id| found(id).cloned().map(Ok)).collect();
                render(Rendered::Bulk {
                    results: &all?,
                    dry_run: false,
                    form,
                })
            }
        };
        keys.fill(key, reply);
    }
    Ok(())
}

impl Needs {
    fn is_empty(&self) -> bool {
        let Self {
            access,
            inbox,
            payments,
            keys,
            ledger,
        } = self;
        !access && inbox.is_empty() && payments.is_empty() && keys.is_empty() && ledger.is_empty()
    }

    fn add(&mut self, envelope: &Envelope, now: Timestamp) {
        if let Some(claim) = &envelope.claim {
            self.keys.push(claim.key.clone());
        }
        match &envelope.command {
            Command::Provision { .. } => self.access = true,
            Command::RegisterAsset(new) => self.add_asset(new.currency()),
            Command::OpenAccount(new) => {
                self.ledger.codes.push(new.code.to_string());
                self.add_asset(new.currency);
            }
            Command::Transfer { from, to, .. } => self.ledger.accounts.extend([*from, *to]),
            Command::Import { books, .. } => crate::import::needs(&mut self.ledger, books),
            Command::Transact { action, .. } => self.add_action(action),
            Command::Bulk { actions, .. } => {
                for action in actions {
                    self.add_action(action);
                }
            }
            Command::ChangeAccount { id, .. } => self.ledger.accounts.push(*id),
            Command::Describe { id, .. } => self.ledger.described.push(*id),
            Command::ClosePeriod { .. } => self.ledger.period = true,
            Command::Expire { pending } => self.ledger.transactions.extend(pending),
            Command::CreatePayment(_) => {}
            Command::ConfirmPayment { id, .. } => self.payments.payments.push(*id),
            Command::AnswerNow { key, payment } => {
                self.keys.push(key.clone());
                self.payments.payments.push(*payment);
            }
            Command::RecordOutcome {
                operation,
                answer,
                fact,
                ..
            } => {
                self.payments.operations.push(*operation);
                self.add_charge(fact);
                self.inbox
                    .answers
                    .extend(answer.as_deref().map(Event::name));
            }
            Command::LeaseDue { limit } => self.payments.due = Some((now, *limit)),
            Command::ReceiveWebhook { event, fact } => {
                self.inbox.events.push(event.clone());
                if let Some((provider_key, fact)) = fact {
                    self.payments.provider_keys.push(provider_key.clone());
                    self.add_charge(fact);
                }
            }
            Command::QuarantineWebhook { event } => self.inbox.events.push(event.clone()),
            Command::ApplyParked { references } => {
                self.inbox.parked.extend(references.iter().cloned());
            }
        }
    }

    /// Asks for the owner of the charge in a fact.
    fn add_charge(&mut self, fact: &Fact) {
        let charge = fact.charge().map(|charge| charge.reference.to_string());
        self.payments.charges.extend(charge);
    }

    /// Of a currency of ISO 4217 nothing is asked.
    fn add_asset(&mut self, currency: Currency) {
        if currency.is_custom() {
            self.ledger.assets.push(currency.code().to_owned());
        }
    }

    fn add_action(&mut self, action: &Action) {
        match action {
            Action::Post(draft) => {
                let accounts = draft.postings.iter().flat_map(|p| [p.debit, p.credit]);
                self.ledger.accounts.extend(accounts);
            }
            Action::Exchange(swap) => {
                let accounts = [swap.from, swap.to, swap.sold_to, swap.bought_from];
                self.ledger.accounts.extend(accounts);
            }
            Action::Settle { .. } | Action::Void { .. } | Action::Reverse { .. } => {}
        }
        self.ledger.transactions.extend(action.about());
        let said = action.said();
        let name = said.external_id.as_ref().map(ToString::to_string);
        self.ledger.external_ids.extend(name);
        // What is still to come when this is asked may be past when it is decided.
        self.ledger.period |= said.effective_at.is_some();
    }
}
