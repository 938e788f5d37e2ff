//! The pages of the journal: what its lines say, in memory. One line turns the pages in the same way when it is
//! written and when it is read back.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::dispute::{Case, Dispute, DisputeStep};
use crate::event::Event;
use crate::method::{PaymentMethod, Step};
use crate::order::{ChargeOrder, Evidence, Order, ProviderKey};
use crate::record::{Kind, Record, Status};
use crate::request::Tenant;
use crate::settlement::{BankMove, Line, LineKind, Settlement, fee_for_capture};
use crate::totals::Totals;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The call of a key that was executed.
    Executed {
        order: Order,
        event: Event<Record>,
        /// The tenant of the caller, if it has named one; journals of older versions do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Tenant>,
    },
    /// The call of a key whose outcome comes later.
    Opened {
        order: Order,
        record: Record,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Tenant>,
    },
    /// The first call of a key, which executed nothing.
    Unexecuted {
        idempotency_key: ProviderKey,
        order: Order,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<Tenant>,
    },
    /// A later call of a known key that executed nothing.
    Repeated { idempotency_key: ProviderKey },
    /// The outcome of an open record.
    Finished { event: Event<Record> },
    /// The return of a refund or a payout that succeeded.
    Returned { event: Event<Record> },
    /// The success of a charge that had failed.
    SucceededLate { event: Event<Record> },
    /// A new dispute.
    DisputeOpened { event: Event<Dispute> },
    /// A step of a dispute.
    DisputeMoved {
        step: DisputeStep,
        event: Event<Dispute>,
    },
    /// The first call of a key that gives evidence.
    EvidenceGiven {
        idempotency_key: ProviderKey,
        evidence: Evidence,
    },
    /// A settlement.
    Settled { settlement: Settlement },
}

/// Everything that is known about one key.
pub(crate) struct Page {
    pub(crate) order: Order,
    /// The tenant whose call made the page.
    pub(crate) tenant: Option<Tenant>,
    /// The record as it is now; `None` as long as nothing was executed.
    pub(crate) record: Option<Record>,
    /// The events of the record, the oldest first.
    pub(crate) events: Vec<Event<Record>>,
    /// Whether the record is a refund or a payout that came back.
    is_returned: bool,
    pub(crate) effects: u64,
    pub(crate) calls: u64,
}

impl Page {
    fn new(order: Order, tenant: Option<Tenant>) -> Self {
        Self {
            order,
            tenant,
            record: None,
            events: Vec::new(),
            is_returned: false,
            effects: 0,
            calls: 0,
        }
    }

    /// The lines by which the record is settled, if it has moved money of the merchant.
    fn lines(&self) -> Vec<Line> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        if record.status != Status::Succeeded {
            return Vec::new();
        }
        let line = |id: &str, kind, gross: i64, fee| Line {
            id: id.to_owned(),
            kind,
            reference: record.id.clone(),
            our_reference: record.idempotency_key.as_str().to_owned(),
            gross,
            fee,
            currency: record.currency.clone(),
        };
        let (id, amount) = (record.id.as_str(), record.amount);
        match record.kind() {
            Kind::Charge | Kind::Step(Step::Capture) => {
                let fee = fee_for_capture(amount);
                vec![line(id, LineKind::Capture, amount, fee)]
            }
            Kind::Step(Step::Refund) => {
                let mut lines = vec![line(id, LineKind::Refund, amount.saturating_neg(), 0)];
                if self.is_returned {
                    let of_return = format!("{id}:return");
                    lines.push(Line {
                        our_reference: format!("{}:return", record.idempotency_key.as_str()),
                        ..line(&of_return, LineKind::RefundReturn, amount, 0)
                    });
                }
                lines
            }
            Kind::Step(Step::Void | Step::Increment) | Kind::Payout => Vec::new(),
        }
    }

    /// The movements of a payout on the merchant's account at the bank.
    fn bank_moves(&self) -> Vec<BankMove> {
        let record = self.record.as_ref();
        let paid = record
            .filter(|record| record.kind() == Kind::Payout && record.status == Status::Succeeded);
        let Some(record) = paid else {
            return Vec::new();
        };
        let times: Vec<i64> = self.events.iter().map(Event::created).collect();
        let first = times.first().copied().unwrap_or_default();
        let one = |created, amount, reference: &str| BankMove {
            created,
            currency: record.currency.clone(),
            amount,
            reference: reference.to_owned(),
        };
        let mut moves = vec![one(first, record.amount.saturating_neg(), &record.id)];
        if self.is_returned {
            let last = times.last().copied().unwrap_or(first);
            let reference = format!("RETURN {}", record.id);
            moves.push(one(last, record.amount, &reference));
        }
        moves
    }

    /// The record, if its outcome is open.
    pub(crate) fn open_record(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|record| record.status.is_open())
    }

    /// The record, if it is a refund or a payout that can come back.
    pub(crate) fn returnable(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|record| {
            matches!(record.kind(), Kind::Step(Step::Refund) | Kind::Payout)
                && record.status == Status::Succeeded
                && !self.is_returned
        })
    }

    /// The record, if it is a charge that failed.
    pub(crate) fn failed_charge(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|record| record.kind() == Kind::Charge && record.status == Status::Failed)
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
    cases: HashMap<String, Case>,
    evidence: HashMap<ProviderKey, Evidence>,
    settlements: Vec<Settlement>,
    /// The ids of the lines of all settlements.
    settled: HashSet<String>,
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

    /// The totals of the charge or the payout with this id; `None` if there is none.
    pub(crate) fn totals(&self, id: &str) -> Option<Totals> {
        self.totals.get(id).copied()
    }

    /// The case of the dispute with this id.
    pub(crate) fn case(&self, id: &str) -> Option<&Case> {
        self.cases.get(id)
    }

    /// The evidence that this key gave.
    pub(crate) fn evidence(&self, key: &ProviderKey) -> Option<&Evidence> {
        self.evidence.get(key)
    }

    /// Number of calls that followed the chain of this order.
    pub(crate) fn chain_calls(&self, key: &ProviderKey, order: &ChargeOrder) -> usize {
        let thread = Thread::of(key, order);
        self.chain_calls.get(&thread).copied().unwrap_or_default()
    }

    /// Adds an entry; returns false if it is about something that never was.
    pub(crate) fn turn(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Executed {
                order,
                event,
                tenant,
            } => {
                let record = event.object().clone();
                self.record(order, record, Some(event), tenant)
            }
            Entry::Opened {
                order,
                record,
                tenant,
            } => self.record(order, record, None, tenant),
            Entry::Unexecuted {
                idempotency_key,
                order,
                tenant,
            } => {
                self.follow_chain(&idempotency_key, &order);
                let page = self.by_key.entry(idempotency_key);
                page.or_insert_with(|| Page::new(order, tenant)).calls += 1;
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
            Entry::SucceededLate { event } => self.succeed_late(event),
            Entry::DisputeOpened { event } => self.open_case(event),
            Entry::DisputeMoved { step, event } => self.move_case(step, event),
            Entry::EvidenceGiven {
                idempotency_key,
                evidence,
            } => {
                let case = self.cases.get_mut(&evidence.dispute);
                let Some(case) = case.filter(|case| case.takes_evidence()) else {
                    return false;
                };
                case.review();
                self.evidence.insert(idempotency_key, evidence);
                true
            }
            Entry::Settled { settlement } => {
                let ids = settlement.lines.iter().map(|line| line.id.clone());
                self.settled.extend(ids);
                self.settlements.push(settlement);
                true
            }
        }
    }

    /// All settlements, the oldest first.
    pub(crate) fn settlements(&self) -> &[Settlement] {
        &self.settlements
    }

    /// The lines of everything that has moved money and is not settled yet.
    pub(crate) fn unsettled(&self) -> Vec<Line> {
        let of_records = self.by_key.values().flat_map(Page::lines);
        let mut cases: Vec<&Case> = self.cases.values().collect();
        cases.sort_unstable_by(|one, other| one.dispute.id.cmp(&other.dispute.id));
        let of_disputes = cases.into_iter().flat_map(|case| {
            let moved = case.events.iter().filter_map(|event| {
                let (kind, sign) = match event.kind() {
                    "dispute.funds_withdrawn" => (LineKind::Dispute, -1),
                    "dispute.funds_reinstated" => (LineKind::DisputeReversal, 1),
                    _ => return None,
                };
                let dispute = event.object();
                Some(Line {
                    id: event.id().to_owned(),
                    kind,
                    reference: dispute.id.clone(),
                    our_reference: String::new(),
                    gross: dispute.amount.saturating_mul(sign),
                    fee: 0,
                    currency: dispute.currency.clone(),
                })
            });
            moved.collect::<Vec<_>>()
        });
        let all = of_records.chain(of_disputes);
        all.filter(|line| !self.settled.contains(&line.id))
            .collect()
    }

    /// The movements on the merchant's account at the bank, the oldest first: settlements and payouts.
    pub(crate) fn bank_moves(&self) -> Vec<BankMove> {
        let settled = self.settlements.iter().flat_map(|settlement| {
            let nets = settlement.nets().into_iter().filter(|(_, net)| *net != 0);
            nets.map(|(currency, amount)| BankMove {
                created: settlement.created,
                currency,
                amount,
                reference: settlement.id.clone(),
            })
        });
        let paid_out = self.by_key.values().flat_map(Page::bank_moves);
        let mut moves: Vec<BankMove> = settled.chain(paid_out).collect();
        moves.sort_by(|one, other| {
            (one.created, &one.reference).cmp(&(other.created, &other.reference))
        });
        moves
    }

    /// Puts the record of a call on the page of its key.
    fn record(
        &mut self,
        order: Order,
        record: Record,
        event: Option<Event<Record>>,
        tenant: Option<Tenant>,
    ) -> bool {
        let key = record.idempotency_key.clone();
        // A charge that waits for its payer is not executed yet.
        let is_effect = record.status != Status::RequiresAction;
        let page = self.by_key.entry(key.clone());
        let page = page.or_insert_with(|| Page::new(order.clone(), tenant));
        // The executions are counted: a second execution in the file must show in the rows.
        page.effects += u64::from(is_effect);
        page.calls += 1;
        if page.record.is_some() {
            return true;
        }
        page.record = Some(record.clone());
        page.events.extend(event);
        self.keys.insert(record.id.clone(), key.clone());
        self.follow_chain(&key, &order);
        match order {
            Order::Charge(_) => {
                let totals = Totals::of_charge(&record);
                self.totals.insert(record.id, totals);
            }
            Order::Payout(_) => {
                let totals = Totals::of_payout(&record);
                self.totals.insert(record.id, totals);
            }
            Order::Step(step) => {
                let Some(totals) = self.totals.get_mut(&step.charge) else {
                    return false;
                };
                if record.status != Status::Failed {
                    totals.add(&step);
                }
            }
        }
        true
    }

    /// Gives an open record its outcome.
    fn finish(&mut self, event: Event<Record>) -> bool {
        let record = event.object().clone();
        let page = self.by_key.get_mut(&record.idempotency_key);
        let Some(page) = page.filter(|page| page.open_record().is_some()) else {
            return false;
        };
        let Some(totals) = self.totals.get_mut(record.counted_at()) else {
            return false;
        };
        match page.order {
            Order::Charge(_) => {
                page.effects += 1;
                *totals = Totals::of_charge(&record);
            }
            Order::Payout(_) => *totals = Totals::of_payout(&record),
            Order::Step(_) if record.status == Status::Failed => totals.take_back(&record),
            Order::Step(_) => {}
        }
        page.record = Some(record);
        page.events.push(event);
        true
    }

    /// Notes the return of a refund or a payout.
    fn take_back(&mut self, event: Event<Record>) -> bool {
        let record = event.object().clone();
        let page = self.by_key.get_mut(&record.idempotency_key);
        let Some(page) = page.filter(|page| page.returnable().is_some()) else {
            return false;
        };
        let Some(totals) = self.totals.get_mut(record.counted_at()) else {
            return false;
        };
        totals.take_back(&record);
        page.is_returned = true;
        page.events.push(event);
        true
    }

    /// Lets a charge succeed after all. Its failure was counted as its execution, so this is not another one.
    fn succeed_late(&mut self, event: Event<Record>) -> bool {
        let record = event.object().clone();
        let page = self.by_key.get_mut(&record.idempotency_key);
        let Some(page) = page.filter(|page| page.failed_charge().is_some()) else {
            return false;
        };
        let totals = Totals::of_charge(&record);
        self.totals.insert(record.id.clone(), totals);
        page.record = Some(record);
        page.events.push(event);
        true
    }

    /// Opens the case of a dispute.
    fn open_case(&mut self, event: Event<Dispute>) -> bool {
        let dispute = event.object();
        let Some(totals) = self.totals.get_mut(&dispute.charge) else {
            return false;
        };
        totals.dispute(dispute.amount);
        self.cases.insert(dispute.id.clone(), Case::opened(event));
        true
    }

    /// Takes a step of a dispute.
    fn move_case(&mut self, step: DisputeStep, event: Event<Dispute>) -> bool {
        let dispute = event.object();
        let case = self.cases.get_mut(&dispute.id);
        let Some(case) = case.filter(|case| case.after(step).as_ref() == Some(dispute)) else {
            return false;
        };
        let Some(totals) = self.totals.get_mut(&dispute.charge) else {
            return false;
        };
        totals.add_dispute_step(step, dispute.amount);
        case.take(step, event);
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
