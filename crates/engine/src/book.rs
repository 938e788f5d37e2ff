//! The book: all shelves of one batch, loaded in one order and saved in one order.
//!
//! | step | what | why there |
//! |---|---|---|
//! | load 1 | inbox: events received, parked events | they name operations |
//! | load 2 | operations, payments | they name keys and accounts |
//! | load 3 | idempotency keys | |
//! | load 4 | accounts, external ids | |
//! | save 1–4 | tenants; accounts, transactions, postings; payments; inbox; keys | business rows first |
//! | save 5 | audit records | last: the log's lock is held the shortest |
//!
//! Each load locks in id order, and the loads come in the same order in every process, so that two
//! processes on one database wait for each other and never in a circle.

use idempotency::{Key, Reply};
use store::{AnyConnection, Error, Ids, Timestamp};

use crate::access::{self, Tenant};
use crate::command::{Command, Envelope};

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

impl<'a> Book<'a> {
    /// Loads every row that these commands may read or change.
    pub(crate) fn prefetch<'e>(
        connection: &mut AnyConnection,
        tenant: &'a Tenant,
        now: Timestamp,
        ids: &'a mut Ids,
        envelopes: impl Iterator<Item = &'e Envelope>,
    ) -> Result<Self, Error> {
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
        let parked = inbox
            .parked()
            .into_iter()
            .filter_map(|event| event.reference);
        needs.payments.provider_keys.extend(parked);
        let payments = payments::tables::load(connection, tenant.id, needs.payments)?;
        let waiting = payments.idempotency_keys().into_iter();
        needs
            .keys
            .extend(waiting.filter_map(|key| Key::parse(key).ok()));
        needs.keys.sort_unstable();
        needs.keys.dedup();
        let keys = idempotency::tables::load(connection, tenant.id, &needs.keys)?;
        let books = payments.needs_of_books();
        needs.ledger.codes.extend(books.codes);
        needs.ledger.external_ids.extend(books.external_ids);
        let ledger = ledger::tables::load(connection, tenant.id, needs.ledger)?;
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
        })
    }

    /// Writes all changes, one statement per table.
    pub(crate) fn flush(self, connection: &mut AnyConnection) -> Result<AfterCommit, Error> {
        let tenant = self.tenant.id;
        self.access.save(connection)?;
        ledger::tables::save(connection, tenant, &self.ledger)?;
        payments::tables::save(connection, tenant, &self.payments)?;
        webhooks::tables::save(connection, tenant, &self.inbox)?;
        idempotency::tables::save(connection, tenant, &self.keys)?;
        audit_log::tables::append(connection, tenant, self.records)?;
        Ok(AfterCommit {
            settled: self.keys.settled(),
            submitted: self.payments.submitted(),
        })
    }

    /// Answers a request that is in flight. A request that was answered already stays answered.
    pub(crate) fn settle(&mut self, key: &str, reply: Reply) {
        if let Ok(key) = Key::parse(key.to_owned()) {
            self.keys.settle(&key, reply);
        }
    }
}

impl Needs {
    fn add(&mut self, envelope: &Envelope, now: Timestamp) {
        if let Some(claim) = &envelope.claim {
            self.keys.push(claim.key.clone());
        }
        match &envelope.command {
            Command::Provision { .. } => self.access = true,
            Command::OpenAccount(new) => self.ledger.codes.push(new.code.clone()),
            Command::Transfer { from, to, .. } => self.ledger.accounts.extend([*from, *to]),
            Command::CreatePayment(_) => {}
            Command::ConfirmPayment { id, .. } => self.payments.payments.push(*id),
            Command::AnswerNow { key, payment } => {
                self.keys.push(key.clone());
                self.payments.payments.push(*payment);
            }
            Command::RecordOutcome { operation, .. } => self.payments.operations.push(*operation),
            Command::LeaseDue { limit } => self.payments.due = Some((now, *limit)),
            Command::ReceiveWebhook { event, fact } => {
                self.inbox.events.push(event.clone());
                if let Some((provider_key, _)) = fact {
                    self.payments.provider_keys.push(provider_key.clone());
                }
            }
            Command::QuarantineWebhook { event } => self.inbox.events.push(event.clone()),
            Command::ApplyParked { limit } => self.inbox.parked = *limit,
        }
    }
}
