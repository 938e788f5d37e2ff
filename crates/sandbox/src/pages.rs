//! The pages of the journal: what its lines say, in memory. One line turns the pages in the same way when it is
//! written and when it is read back.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::method::{PaymentMethod, Step};
use crate::order::{ChargeOrder, Order, ProviderKey};
use crate::record::{Event, Record, Status};
use crate::totals::Totals;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The call of a key that was executed.
    Executed { order: Order, event: Event },
    /// The call of a key whose outcome comes later.
    Opened { order: Order, record: Record },
    /// The first call of a key, which executed nothing.
    Unexecuted {
        idempotency_key: ProviderKey,
        order: Order,
    },
    /// A later call of a known key that executed nothing.
    Repeated { idempotency_key: ProviderKey },
    /// The outcome of an open record.
    Finished { event: Event },
    /// The return of a refund that succeeded.
    Returned { event: Event },
}

/// Everything that is known about one key.
pub(crate) struct Page {
    pub(crate) order: Order,
    /// The record as it is now; `None` as long as nothing was executed.
    pub(crate) record: Option<Record>,
    /// The newest event of the record.
    pub(crate) event: Option<Event>,
    /// Whether the record is a refund that came back.
    is_returned: bool,
    pub(crate) effects: u64,
    pub(crate) calls: u64,
}

impl Page {
    fn new(order: Order) -> Self {
        Self {
            order,
            record: None,
            event: None,
            is_returned: false,
            effects: 0,
            calls: 0,
        }
    }

    /// The record, if its outcome is open.
    pub(crate) fn open_record(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|record| record.status.is_open())
    }

    /// The record, if it is a refund that can come back.
    pub(crate) fn returnable(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|record| {
            record.step() == Some(Step::Refund)
                && record.status == Status::Succeeded
                && !self.is_returned
        })
    }
}

/// The calls that follow one chain: those with one payment method and one reference, or one key without a reference.
#[derive(PartialEq, Eq, Hash)]
enum Thread {
    Reference(PaymentMethod, String),
    Key(PaymentMethod, ProviderKey),
}

impl Thread {
    fn of(key: &ProviderKey, order: &ChargeOrder) -> Self {
        let method = order.payment_method.clone();
        match &order.reference {
            Some(reference) => Self::Reference(method, reference.clone()),
            None => Self::Key(method, key.clone()),
        }
    }
}

/// All pages, and what they add up to.
#[derive(Default)]
pub(crate) struct Pages {
    by_key: BTreeMap<ProviderKey, Page>,
    keys: HashMap<String, ProviderKey>,
    totals: HashMap<String, Totals>,
    chain_calls: HashMap<Thread, usize>,
}

impl Pages {
    pub(crate) fn by_key(&self, key: &ProviderKey) -> Option<&Page> {
        self.by_key.get(key)
    }

    /// The page of the record with this id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Page> {
        self.by_key.get(self.keys.get(id)?)
    }

    /// All pages in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ProviderKey, &Page)> {
        self.by_key.iter()
    }

    /// The totals of the charge with this id; `None` if there is no such charge.
    pub(crate) fn totals(&self, charge: &str) -> Option<Totals> {
        self.totals.get(charge).copied()
    }

    /// Number of calls that followed the chain of this order.
    pub(crate) fn chain_calls(&self, key: &ProviderKey, order: &ChargeOrder) -> usize {
        let thread = Thread::of(key, order);
        self.chain_calls.get(&thread).copied().unwrap_or_default()
    }

    /// Adds an entry; returns false if it is about something that never was.
    pub(crate) fn turn(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Executed { order, event } => {
                let record = event.record().clone();
                self.record(order, record, Some(event))
            }
            Entry::Opened { order, record } => self.record(order, record, None),
            Entry::Unexecuted {
                idempotency_key,
                order,
            } => {
                self.follow_chain(&idempotency_key, &order);
                let page = self.by_key.entry(idempotency_key);
                page.or_insert_with(|| Page::new(order)).calls += 1;
                true
            }
            Entry::Repeated { idempotency_key } => {
                let Some(page) = self.by_key.get_mut(&idempotency_key) else {
                    return false;
                };
                page.calls += 1;
                if page.record.is_none() {
                    let order = page.order.clone();
                    self.follow_chain(&idempotency_key, &order);
                }
                true
            }
            Entry::Finished { event } => self.finish(event),
            Entry::Returned { event } => self.take_back(event),
        }
    }

    /// Puts the record of a call on the page of its key.
    fn record(&mut self, order: Order, record: Record, event: Option<Event>) -> bool {
        let key = record.idempotency_key.clone();
        // A charge that waits for its payer is not executed yet.
        let is_effect = record.status != Status::RequiresAction;
        let page = self.by_key.entry(key.clone());
        let page = page.or_insert_with(|| Page::new(order.clone()));
        // The executions are counted: a second execution in the file must show in the rows.
        page.effects += u64::from(is_effect);
        page.calls += 1;
        if page.record.is_some() {
            return true;
        }
        page.record = Some(record.clone());
        page.event = event;
        self.keys.insert(record.id.clone(), key.clone());
        self.follow_chain(&key, &order);
        let Order::Step(step) = order else {
            let totals = Totals::of_charge(&record);
            self.totals.insert(record.id, totals);
            return true;
        };
        let Some(totals) = self.totals.get_mut(&step.charge) else {
            return false;
        };
        if record.status != Status::Failed {
            totals.add(&step);
        }
        true
    }

    /// Gives an open record its outcome.
    fn finish(&mut self, event: Event) -> bool {
        let record = event.record().clone();
        let page = self.by_key.get_mut(&record.idempotency_key);
        let Some(page) = page.filter(|page| page.open_record().is_some()) else {
            return false;
        };
        let Some(totals) = self.totals.get_mut(record.charge_id()) else {
            return false;
        };
        match page.order {
            Order::Charge(_) => {
                page.effects += 1;
                *totals = Totals::of_charge(&record);
            }
            Order::Step(_) if record.status == Status::Failed => totals.take_back(&record),
            Order::Step(_) => {}
        }
        page.record = Some(record);
        page.event = Some(event);
        true
    }

    /// Notes the return of a refund.
    fn take_back(&mut self, event: Event) -> bool {
        let record = event.record().clone();
        let page = self.by_key.get_mut(&record.idempotency_key);
        let Some(page) = page.filter(|page| page.returnable().is_some()) else {
            return false;
        };
        let Some(totals) = self.totals.get_mut(record.charge_id()) else {
            return false;
        };
        totals.take_back(&record);
        page.is_returned = true;
        page.event = Some(event);
        true
    }

    /// Counts a call that followed a chain.
    fn follow_chain(&mut self, key: &ProviderKey, order: &Order) {
        if let Order::Charge(charge) = order
            && charge.payment_method.is_chain()
        {
            *self.chain_calls.entry(Thread::of(key, charge)).or_default() += 1;
        }
    }
}
