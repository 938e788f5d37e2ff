//! The journal: all calls of the provider and their effects, in an append-only file of JSON lines.
//!
//! One call is one line, and so is each later change of a record. It is written before anyone learns of it. The file
//! is the truth; the pages in memory are the result of reading it from the top.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::dispute::{Case, Dispute, DisputeStep};
use crate::event::{Event, Message};
use crate::lines::{Lines, OpenError, WriteError};
use crate::method::{Outcome, Script};
use crate::order::{DisputeOrder, Evidence, Magic, Order, ProviderKey};
use crate::pages::{Entry, Page, Pages};
use crate::record::{Kind, Record, Shown, fresh_id};
use crate::refusal::Refusal;
use crate::request::Tenant;
use crate::settlement::{BankMove, Settlement};
use crate::totals::{CurrencyTotals, Totals};

/// The result of a recorded call.
pub(crate) struct CallRecord {
    /// What is still to be played.
    pub(crate) script: Script,
    /// The record of the key, if it was executed now or before.
    pub(crate) record: Option<Record>,
    /// The event of the record, if this call executed it and its outcome is known.
    pub(crate) event: Option<Event<Record>>,
}

/// The result of a call that gives evidence.
pub(crate) struct Given {
    /// The dispute.
    pub(crate) dispute: Dispute,
    /// Whether the caller gets it.
    pub(crate) is_answered: bool,
    /// The events of the decision that the evidence has brought about.
    pub(crate) events: Vec<Event<Dispute>>,
}

/// One provider key in `GET /v1/journal`.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    subject: Subject,
    /// Number of executions of the key. More than one is a defect of the provider.
    effects: u64,
    /// Number of accepted calls with the key; refused calls are not counted.
    calls: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Subject {
    Record(Shown),
    NeverExecuted { idempotency_key: ProviderKey },
}

/// The file and its pages behind one lock, which is never held across an await.
pub(crate) struct Journal {
    state: Mutex<State>,
}

struct State {
    lines: Lines,
    pages: Pages,
}

impl Journal {
    /// Opens or creates the file, locks it against other processes and reads it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let mut pages = Pages::default();
        let lines = Lines::open(path, |entry| pages.turn(entry))?;
        Ok(Self {
            state: Mutex::new(State { lines, pages }),
        })
    }

    /// Records one call, and its effect if the key has none yet.
    ///
    /// The look-up, the decision and the write happen under one lock: of many equal calls that arrive at once, exactly
    /// one is executed, and of many steps of one charge each sees the totals that the others left.
    pub(crate) fn call(
        &self,
        key: ProviderKey,
        order: Order,
        tenant: Option<Tenant>,
        now: i64,
    ) -> Result<CallRecord, Refusal> {
        let mut state = self.lock();
        let page = state.pages.by_key(&key);
        let is_of_another = page.is_some_and(|page| page.order != order);
        if is_of_another || state.pages.evidence(&key).is_some() {
            return Err(Refusal::Mismatch);
        }
        let is_new = page.is_none();
        if let Some(record) = page.and_then(|page| page.record.clone()) {
            state.write(Entry::Repeated {
                idempotency_key: key,
            })?;
            return Ok(CallRecord {
                script: Script::OF_KNOWN_KEY,
                record: Some(record),
                event: None,
            });
        }

        let (script, record) = state.decide(&key, &order)?;
        let event = match &record {
            Some(record) => Event::of(record, now)?,
            None => None,
        };
        state.write(match (&record, &event) {
            (_, Some(event)) => Entry::Executed {
                order,
                event: event.clone(),
                tenant,
            },
            (Some(record), None) => Entry::Opened {
                order,
                record: record.clone(),
                tenant,
            },
            (None, None) if is_new => Entry::Unexecuted {
                idempotency_key: key,
                order,
                tenant,
            },
            (None, None) => Entry::Repeated {
                idempotency_key: key,
            },
        })?;
        Ok(CallRecord {
            script,
            record,
            event,
        })
    }

    /// Gives the open record with this id, which must be of this kind, its outcome.
    pub(crate) fn finish(
        &self,
        id: &str,
        kind: Kind,
        outcome: Outcome,
        now: i64,
    ) -> Result<Event<Record>, Refusal> {
        let mut state = self.lock();
        let open = state.page(id, kind)?.open_record();
        let finished = open.map(|record| record.finished(outcome));
        let event = match &finished {
            Some(record) => Event::of(record, now)?,
            None => None,
        };
        let event = event.ok_or(Refusal::AlreadyFinished)?;
        state.write(Entry::Finished {
            event: event.clone(),
        })?;
        Ok(event)
    }

    /// Notes that the refund or the payout with this id came back after its success.
    pub(crate) fn take_back(
        &self,
        id: &str,
        kind: Kind,
        now: i64,
    ) -> Result<Event<Record>, Refusal> {
        let mut state = self.lock();
        let returned = state.page(id, kind)?.returnable();
        let event = Event::of_return(returned.ok_or(Refusal::AlreadyFinished)?, now)?;
        state.write(Entry::Returned {
            event: event.clone(),
        })?;
        Ok(event)
    }

    /// Lets the failed charge with this id succeed after all.
    pub(crate) fn succeed_late(&self, id: &str, now: i64) -> Result<Event<Record>, Refusal> {
        let mut state = self.lock();
        let failed = state.page(id, Kind::Charge)?.failed_charge();
        let charge = failed.ok_or(Refusal::AlreadyFinished)?;
        let event = Event::of(&charge.finished(Outcome::Approved), now)?;
        let event = event.ok_or(Refusal::AlreadyFinished)?;
        state.write(Entry::SucceededLate {
            event: event.clone(),
        })?;
        Ok(event)
    }

    /// Opens a dispute of the charge with this id.
    ///
    /// The check and the write happen under one lock: disputes that come at once never exceed the capture.
    pub(crate) fn open_dispute(
        &self,
        charge: &str,
        order: DisputeOrder,
        now: i64,
    ) -> Result<Event<Dispute>, Refusal> {
        let mut state = self.lock();
        let page = state.page(charge, Kind::Charge)?;
        let (Some(record), Some(totals)) = (&page.record, state.pages.totals(charge)) else {
            return Err(Refusal::NoSuchCharge);
        };
        if !totals.allows_dispute(order.amount) {
            return Err(Refusal::NotCaptured);
        }
        let event = Event::of_opening(Dispute::of(record, order, now)?, now)?;
        state.write(Entry::DisputeOpened {
            event: event.clone(),
        })?;
        Ok(event)
    }

    /// Takes a step of the dispute with this id.
    pub(crate) fn move_dispute(
        &self,
        id: &str,
        step: DisputeStep,
        now: i64,
    ) -> Result<Event<Dispute>, Refusal> {
        let mut state = self.lock();
        let moved = state.case(id)?.after(step);
        let event = Event::of_step(step, moved.ok_or(Refusal::AlreadyFinished)?, now)?;
        state.write(Entry::DisputeMoved {
            step,
            event: event.clone(),
        })?;
        Ok(event)
    }

    /// Takes evidence, unless its key has given it before, and lets the bank decide if the evidence makes it. Returns
    /// the dispute as it was before the decision, what is still to be played, and the events of the decision.
    ///
    /// The decision is made by every call until it is there. So it is not lost if the process is killed between two
    /// lines.
    pub(crate) fn give_evidence(
        &self,
        key: ProviderKey,
        evidence: Evidence,
        now: i64,
    ) -> Result<Given, Refusal> {
        let mut state = self.lock();
        let id = evidence.dispute.clone();
        let case = state.case(&id)?;
        let given = state.pages.evidence(&key);
        let is_of_another = given.is_some_and(|given| *given != evidence);
        if is_of_another || state.pages.by_key(&key).is_some() {
            return Err(Refusal::Mismatch);
        }
        let (is_new, magic) = (given.is_none(), evidence.magic());
        if is_new {
            if !case.takes_evidence() {
                return Err(Refusal::AlreadyFinished);
            }
            state.write(Entry::EvidenceGiven {
                idempotency_key: key,
                evidence,
            })?;
        }
        let dispute = state.case(&id)?.dispute.clone();
        let steps: &[DisputeStep] = match magic {
            Some(Magic::Wins) => &[DisputeStep::Win, DisputeStep::Reinstate],
            Some(Magic::Loses) => &[DisputeStep::Lose],
            Some(Magic::Unanswered) | None => &[],
        };
        let mut events = Vec::new();
        for step in steps {
            if let Some(moved) = state.case(&id)?.after(*step) {
                let event = Event::of_step(*step, moved, now)?;
                state.write(Entry::DisputeMoved {
                    step: *step,
                    event: event.clone(),
                })?;
                events.push(event);
            }
        }
        Ok(Given {
            dispute,
            is_answered: !(is_new && magic == Some(Magic::Unanswered)),
            events,
        })
    }

    /// The dispute for which this key has given evidence, as it is now.
    pub(crate) fn answered_dispute(&self, key: &ProviderKey) -> Result<Dispute, Refusal> {
        let state = self.lock();
        let evidence = state.pages.evidence(key).ok_or(Refusal::NoSuchDispute)?;
        Ok(state.case(&evidence.dispute)?.dispute.clone())
    }

    /// Settles everything that is not settled yet.
    pub(crate) fn settle(&self, now: i64) -> Result<Settlement, Refusal> {
        let mut state = self.lock();
        let lines = state.pages.unsettled();
        if lines.is_empty() {
            return Err(Refusal::NothingToSettle);
        }
        let settlement = Settlement {
            id: fresh_id("st_")?,
            created: now,
            lines,
        };
        state.write(Entry::Settled {
            settlement: settlement.clone(),
        })?;
        Ok(settlement)
    }

    /// All settlements, the oldest first.
    pub(crate) fn settlements(&self) -> Vec<Settlement> {
        self.lock().pages.settlements().to_vec()
    }

    /// The movements on the merchant's account at the bank, the oldest first.
    pub(crate) fn bank_moves(&self) -> Vec<BankMove> {
        self.lock().pages.bank_moves()
    }

    /// The dispute with this id as it is now.
    pub(crate) fn dispute(&self, id: &str) -> Result<Dispute, Refusal> {
        Ok(self.lock().case(id)?.dispute.clone())
    }

    /// The record of a key, if it is of this kind.
    pub(crate) fn record_of(&self, key: &ProviderKey, kind: Kind) -> Option<Record> {
        let state = self.lock();
        let record = state.pages.by_key(key)?.record.clone()?;
        (record.kind() == kind).then_some(record)
    }

    /// The tenant whose call first had this key, if it has named itself.
    pub(crate) fn tenant_of(&self, key: &ProviderKey) -> Option<Tenant> {
        self.lock().pages.by_key(key)?.tenant.clone()
    }

    /// The charge with this id, if it waits for its payer.
    pub(crate) fn waiting_charge(&self, id: &str) -> Result<Record, Refusal> {
        let state = self.lock();
        let waiting = state.page(id, Kind::Charge)?.open_record().cloned();
        waiting.ok_or(Refusal::AlreadyFinished)
    }

    /// The events of the record or the dispute with this id, the oldest first, and the tenant that they are for.
    pub(crate) fn messages_of(&self, id: &str) -> Result<(Vec<Message>, Option<Tenant>), Refusal> {
        let state = self.lock();
        if let Some(case) = state.pages.case(id) {
            let charge = state.pages.by_key(&case.dispute.charge_key);
            let tenant = charge.and_then(|page| page.tenant.clone());
            return Ok((case.events.iter().map(Event::message).collect(), tenant));
        }
        let page = state.pages.by_id(id).ok_or(Refusal::NoSuchCharge)?;
        let messages = page.events.iter().map(Event::message).collect();
        Ok((messages, page.tenant.clone()))
    }

    /// All keys that were ever called, in the order of the keys, as callers see them at this host; or only those whose
    /// records have this reference.
    pub(crate) fn rows(&self, host: &str, reference: Option<&str>) -> Vec<Row> {
        let row = |(key, page): (&ProviderKey, &Page)| Row {
            subject: match &page.record {
                Some(record) => Subject::Record(record.shown(host)),
                None => Subject::NeverExecuted {
                    idempotency_key: key.clone(),
                },
            },
            effects: page.effects,
            calls: page.calls,
        };
        let is_wanted = |(_, page): &(&ProviderKey, &Page)| {
            let record = page.record.as_ref();
            reference.is_none()
                || record.and_then(|record| record.reference.as_deref()) == reference
        };
        self.lock()
            .pages
            .iter()
            .filter(is_wanted)
            .map(row)
            .collect()
    }

    /// The totals of all charges and payouts, in the order of the currencies.
    pub(crate) fn totals(&self) -> Vec<CurrencyTotals> {
        let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
        let state = self.lock();
        for (_, page) in state.pages.iter() {
            if let Some(record) = &page.record
                && let Some(totals) = state.pages.totals(&record.id)
            {
                sums.entry(record.currency.clone())
                    .or_default()
                    .join(totals);
            }
        }
        let shown = |(currency, totals)| CurrencyTotals { currency, totals };
        sums.into_iter().map(shown).collect()
    }

    /// Closes the file; from here on every call is refused.
    pub(crate) fn close(&self) {
        self.lock().lines.close();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The pages change only after the line is written, so a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The script for a key without a record, and the record that results from it.
    fn decide(
        &self,
        key: &ProviderKey,
        order: &Order,
    ) -> Result<(Script, Option<Record>), Refusal> {
        match order {
            Order::Charge(order) => {
                let calls_before = self.pages.chain_calls(key, order);
                let script = order.payment_method.charge_script(calls_before);
                let Some(outcome) = script.effect else {
                    return Ok((script, None));
                };
                let record = Record::of_charge(fresh_id("ch_")?, key.clone(), order, outcome);
                Ok((script, Some(record)))
            }
            Order::Step(order) => {
                let page = self.page(&order.charge, Kind::Charge)?;
                let (Order::Charge(ordered), Some(charge), Some(totals)) =
                    (&page.order, &page.record, self.pages.totals(&order.charge))
                else {
                    return Err(Refusal::NoSuchCharge);
                };
                let script = ordered.payment_method.step_script(order.step);
                let Some(scripted) = script.effect else {
                    return Ok((script, None));
                };
                let objection = totals.objection(order);
                let outcome = objection.map_or(scripted, Outcome::Declined);
                let id = fresh_id(order.step.id_prefix())?;
                let record = Record::of_step(id, key.clone(), order, charge, outcome);
                Ok((script, Some(record)))
            }
            Order::Payout(order) => {
                let script = order.destination.script();
                let Some(outcome) = script.effect else {
                    return Ok((script, None));
                };
                let record = Record::of_payout(fresh_id("po_")?, key.clone(), order, outcome);
                Ok((script, Some(record)))
            }
        }
    }

    /// The page of the record with this id, which must be of this kind.
    fn page(&self, id: &str, kind: Kind) -> Result<&Page, Refusal> {
        let is_wanted = |page: &&Page| {
            let record = page.record.as_ref();
            record.is_some_and(|record| record.kind() == kind)
        };
        let page = self.pages.by_id(id).filter(is_wanted);
        page.ok_or(match kind {
            Kind::Charge => Refusal::NoSuchCharge,
            Kind::Step(_) => Refusal::NoSuchRefund,
            Kind::Payout => Refusal::NoSuchPayout,
        })
    }

    /// The case of the dispute with this id.
    fn case(&self, id: &str) -> Result<&Case, Refusal> {
        self.pages.case(id).ok_or(Refusal::NoSuchDispute)
    }

    /// Writes a line, and only then turns the pages.
    fn write(&mut self, entry: Entry) -> Result<(), WriteError> {
        self.lines.append(&entry)?;
        self.pages.turn(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may stop at the first surprise"
    )]

    use std::fs::{self, File};

    use serde_json::{Value, json};

    use super::*;

    const METHOD: &str = "pm_succeeds";

    fn key(text: &str) -> ProviderKey {
        ProviderKey::parse(text).unwrap()
    }

    fn order(amount: i64) -> Order {
        let body = json!({ "amount": amount, "currency": "EUR", "payment_method": METHOD });
        Order::charge(body.to_string().as_bytes()).unwrap()
    }

    fn rows(journal: &Journal) -> Value {
        json!(journal.rows("host", None))
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        journal.call(key("first"), order(1), None, 0).unwrap();
        journal.close();
        let whole = fs::read(&path).unwrap();

        // However much of the second line reached the file, only the first line is left.
        let journal = Journal::open(&path).unwrap();
        journal.call(key("second"), order(2), None, 0).unwrap();
        journal.close();
        let both = fs::read(&path).unwrap();
        for length in whole.len()..both.len() {
            fs::write(&path, both.get(..length).unwrap()).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert!(journal.record_of(&key("first"), Kind::Charge).is_some());
            assert!(journal.record_of(&key("second"), Kind::Charge).is_none());
            journal.close();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }

        let journal = Journal::open(&path).unwrap();
        journal.call(key("second"), order(2), None, 0).unwrap();
        journal.close();
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.rows("host", None).len(), 2);
    }

    #[test]
    fn a_whole_line_that_makes_no_sense_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let repeat_of_nothing = r#"{"entry":"repeated","idempotency_key":"unheard"}"#;
        let record = |id: &str, status: &str| {
            json!({
                "id": id, "object": "refund", "status": status, "charge": "ch_unheard", "amount": 1,
                "currency": "EUR", "reference": null, "idempotency_key": id, "decline_code": null,
            })
        };
        let change = |entry: &str| {
            let data = json!({ "object": record("rf_1", "succeeded") });
            let event = json!({ "id": "evt_1", "type": "refund.x", "created": 0, "data": data });
            json!({ "entry": entry, "event": event }).to_string()
        };
        let of_nothing =
            json!({ "step": "refund", "charge": "ch_unheard", "amount": 1, "final": false });
        let refund = record("rf_1", "pending");
        let step_of_nothing = json!({ "entry": "opened", "order": of_nothing, "record": refund });
        let dispute_of_nothing = |entry: &str| {
            let dispute = json!({
                "object": "dispute", "id": "dp_1", "status": "needs_response", "charge": "ch_unheard",
                "amount": 1, "currency": "EUR", "reason": "x", "withdrawn": true, "evidence_due_by": 0,
                "reference": null, "charge_key": "unheard",
            });
            let event = json!({
                "id": "evt_1", "type": "dispute.x", "created": 0, "data": { "object": dispute },
            });
            json!({ "entry": entry, "step": "withdraw", "event": event })
        };
        let evidence_for_nothing = json!({
            "entry": "evidence_given", "idempotency_key": "e",
            "evidence": { "dispute": "dp_1", "text": "x" },
        });
        for nonsense in [
            "{}",
            "",
            repeat_of_nothing,
            &change("finished"),
            &change("returned"),
            &step_of_nothing.to_string(),
            &change("succeeded_late"),
            &dispute_of_nothing("dispute_opened").to_string(),
            &dispute_of_nothing("dispute_moved").to_string(),
            &evidence_for_nothing.to_string(),
        ] {
            let journal = Journal::open(&path).unwrap();
            journal.call(key("first"), order(1), None, 0).unwrap();
            journal.close();
            let mut bytes = fs::read(&path).unwrap();
            bytes.extend_from_slice(format!("{nonsense}\n").as_bytes());
            fs::write(&path, bytes).unwrap();

            match Journal::open(&path) {
                Err(OpenError::Corrupt { line: 2 }) => {}
                Err(other) => panic!("{nonsense:?}: {other}"),
                Ok(_) => panic!("{nonsense:?} was taken for an entry"),
            }
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_one_endless_line_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, vec![b'x'; 100_000]).unwrap();
        assert!(matches!(
            Journal::open(&path),
            Err(OpenError::Corrupt { line: 1 })
        ));
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
    }

    #[test]
    fn two_owners_cannot_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let owner = Journal::open(&path).unwrap();
        assert!(matches!(Journal::open(&path), Err(OpenError::InUse)));
        owner.close();
        assert!(Journal::open(&path).is_ok());
    }

    #[test]
    fn a_second_execution_in_the_file_would_show_as_a_second_effect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        journal.call(key("twice"), order(1), None, 0).unwrap();
        journal.close();
        let line = fs::read_to_string(&path).unwrap();
        fs::write(&path, line.repeat(2)).unwrap();

        let rows = rows(&Journal::open(&path).unwrap());
        assert_eq!(rows.pointer("/0/effects"), Some(&json!(2)));
    }

    #[test]
    fn a_call_that_cannot_be_recorded_has_no_effect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path).unwrap();
        // A handle that can only read refuses every write, as a full disk would.
        journal.lock().lines.file = Some(File::open(&path).unwrap());

        for _ in 0..2 {
            let refused = journal.call(key("lost"), order(1), None, 0);
            assert!(matches!(refused, Err(Refusal::NotRecorded(_))));
        }
        assert_eq!(rows(&journal), json!([]));
    }
}
