//! Later steps of a pending transaction: it is fulfilled, voided, or it expires.

use std::collections::BTreeMap;

use ledger::{
    AccountId, AccountStatus, HoldStatus, NewFulfilment, NewRelease, Part, Phase, Posting, Refusal,
    Step, TransactionId,
};
use store::Timestamp;

use super::{Movement, Purse, Reference, Since, Written, minor_units};
use crate::bugs::Bug;
use crate::words::Moved;

impl Reference {
    pub(super) fn fulfil(&mut self, new: &NewFulfilment) -> Result<Moved, Refusal> {
        if let Some(by) = self.taken(new.heading.external_id.as_ref()) {
            return Err(Refusal::ExternalIdTaken { by });
        }
        let parts = self.parts(new)?;
        let (effective_at, recorded_at) = (new.heading.effective_at, new.heading.recorded_at);
        if let Some(latest) = self.ahead(effective_at, recorded_at) {
            return Err(Refusal::EffectiveInTheFuture { latest });
        }
        let transaction = new.pending;
        let first = self.books.transactions.get(&transaction).cloned();
        let first = first.ok_or(Refusal::TransactionNotFound { transaction })?;
        if let Some((ordinal, _)) = parts.iter().flatten().find(|(o, _)| !first.has(*o)) {
            return Err(Refusal::PostingNotFound {
                ordinal: *ordinal,
                step: Step::Fulfilment,
            });
        }
        if first.moved.step != Step::Pending {
            let step = first.moved.step;
            return Err(Refusal::NotPending { step });
        }
        let late = self.is_too_late(&first, new.heading.recorded_at);
        let late = late.map(|expires_at| Refusal::Expired { expires_at });
        let ended = first.ended().map(|how| Refusal::Ended { how });
        let over = if self.is(Bug::EndedAfterExpired) {
            late.or(ended)
        } else {
            ended.or(late)
        };
        if let Some(over) = over {
            return Err(over);
        }
        let wanted = self.wanted(&first, parts.as_deref(), new.exceed)?;
        self.moves_no_frozen(&first, &wanted)?;
        if let Some(closed_before) = self.closed(new.heading.effective_at) {
            return Err(Refusal::PeriodClosed { closed_before });
        }
        let releases = new.last || self.is(Bug::RestIsAlwaysReleased);
        let releases = releases && !self.is(Bug::RestIsKept);
        let before = self.books.accounts.clone();
        let movements = movements(&first, &wanted, releases);
        let postings = self.apply(&movements);
        let postings = postings.map_err(|account| Refusal::Overflow { account })?;
        let is_exempt = self.is(Bug::PromisesOutliveTheEnd);
        let late = self.too_late(&before, &postings, new.heading.effective_at, None);
        if let (false, Some((_, currency))) = (is_exempt, late) {
            let since = currency.withdrawn_since().expect("it ends");
            return Err(Refusal::CurrencyWithdrawn {
                posting: None,
                currency,
                since,
            });
        }
        self.exceeds_no_limit(&first, &before)?;
        for (place, (held, _)) in wanted.iter().enumerate() {
            let rest = first.holds(place) - held;
            let rest = if releases { rest } else { 0 };
            self.moves_on(transaction, place, *held, rest, HoldStatus::Posted);
        }
        let moved = heading(&new.heading, Step::Fulfilment, transaction, postings);
        Ok(self.keep(moved, None))
    }

    /// The given amounts.
    fn parts(&self, new: &NewFulfilment) -> Result<Option<Vec<Part>>, Refusal> {
        let Some(parts) = &new.amounts else {
            return Ok(None);
        };
        if parts.is_empty() {
            return Err(Refusal::NoAmounts {
                step: Step::Fulfilment,
            });
        }
        if !self.is(Bug::LaterPartWins) {
            return match twice(parts) {
                Some(ordinal) => Err(Refusal::PostingNamedTwice { ordinal }),
                None => Ok(Some(parts.clone())),
            };
        }
        let mut later: Vec<Part> = Vec::new();
        for part in parts {
            later.retain(|(ordinal, _)| *ordinal != part.0);
            later.push(*part);
        }
        Ok(Some(later))
    }

    /// The time of expiry, if it is too late to fulfil the transaction.
    fn is_too_late(&self, first: &Written, now: Timestamp) -> Option<Timestamp> {
        if self.is(Bug::FulfilsExpired) {
            return None;
        }
        first.expires_at.filter(|at| {
            if self.is(Bug::ExpiresTooLate) {
                *at < now
            } else {
                *at <= now
            }
        })
    }

    /// For each posting, the amount to post of its hold, and the amount beyond the hold.
    fn wanted(
        &self,
        first: &Written,
        parts: Option<&[Part]>,
        exceed: bool,
    ) -> Result<Vec<(i128, i128)>, Refusal> {
        let Some(parts) = parts else {
            let all = first.places().map(|place| {
                if self.is(Bug::FulfilsTheWholeAgain) {
                    (super::amount_of(&first.moved.postings[place]), 0)
                } else {
                    (first.holds(place), 0)
                }
            });
            return Ok(all.collect());
        };
        let exceed = exceed || self.is(Bug::ExceedsUnasked);
        let mut wanted = vec![(0, 0); first.since.len()];
        for (ordinal, amount) in parts {
            let place = first.place(*ordinal).expect("it was looked for");
            let (amount, remaining) = (i128::from(amount.get()), first.holds(place));
            if amount > remaining && exceed && !self.is(Bug::ExceedingIsFulfilled) {
                wanted[place] = (remaining, amount - remaining);
                continue;
            }
            if amount > remaining && !exceed && !self.is(Bug::FulfilsMoreThanRemains) {
                return Err(Refusal::ExceedsPending {
                    ordinal: *ordinal,
                    remaining: minor_units(remaining),
                });
            }
            wanted[place] = (amount, 0);
        }
        Ok(wanted)
    }

    /// An excess over the holds is new, so limits are checked for it.
    fn exceeds_no_limit(
        &self,
        first: &Written,
        before: &BTreeMap<AccountId, Purse>,
    ) -> Result<(), Refusal> {
        let postings = first.moved.postings.iter().map(|posted| &posted.posting);
        let named = self.named(postings).expect("they were there");
        let floor = self.too_little(before, &named);
        if let (Some((account, available, floor)), false) = (floor, self.is(Bug::ExceedsBelowFloor))
        {
            return Err(Refusal::InsufficientFunds {
                account,
                available,
                floor,
            });
        }
        match self.too_much(before, &named) {
            Some((account, possible, ceiling)) if !self.is(Bug::ExceedsAboveCeiling) => {
                Err(Refusal::CeilingExceeded {
                    account,
                    possible,
                    ceiling,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn moves_no_frozen(&self, first: &Written, wanted: &[(i128, i128)]) -> Result<(), Refusal> {
        let any = self.is(Bug::FrozenThoughUnmoved);
        let postings = first.moved.postings.iter().map(|posted| &posted.posting);
        let mut named = self.named(postings).expect("they were there");
        named.retain(|id| {
            let moves = |p: &Posting| p.debit == *id || p.credit == *id;
            let mut places = first.places();
            any || places
                .any(|place| wanted[place] != (0, 0) && moves(&first.moved.postings[place].posting))
        });
        if self.is(Bug::FulfilsOnFrozen) {
            return Ok(());
        }
        if let Some(account) = self.first_that_is(&named, AccountStatus::Frozen) {
            return Err(Refusal::AccountFrozen { account });
        }
        match self.first_that_is(&named, AccountStatus::Closed) {
            Some(account) => Err(Refusal::AccountClosed { account }),
            None => Ok(()),
        }
    }

    pub(super) fn release(&mut self, new: &NewRelease, step: Step) -> Result<Moved, Refusal> {
        if let Some(by) = self.taken(new.heading.external_id.as_ref()) {
            return Err(Refusal::ExternalIdTaken { by });
        }
        let (effective_at, recorded_at) = (new.heading.effective_at, new.heading.recorded_at);
        let is_exempt = self.is(Bug::VoidsInTheFuture) && step == Step::Void;
        if let (false, Some(latest)) = (is_exempt, self.ahead(effective_at, recorded_at)) {
            return Err(Refusal::EffectiveInTheFuture { latest });
        }
        let transaction = new.pending;
        let first = self.books.transactions.get(&transaction).cloned();
        let first = first.ok_or(Refusal::TransactionNotFound { transaction })?;
        if first.moved.step != Step::Pending {
            let step = first.moved.step;
            return Err(Refusal::NotPending { step });
        }
        if let Some(how) = first.ended() {
            return Err(Refusal::Ended { how });
        }
        let ends = self.ends(&first, new.heading.recorded_at, step)?;
        let is_exempt = self.is(Bug::VoidsInClosedPeriods) && step == Step::Void;
        if let (false, Some(closed_before)) = (is_exempt, self.closed(new.heading.effective_at)) {
            return Err(Refusal::PeriodClosed { closed_before });
        }
        let mut movements = Vec::new();
        for place in first.places().filter(|place| first.holds(*place) > 0) {
            let rest = if self.is(Bug::VoidReleasesAll) {
                super::amount_of(&first.moved.postings[place])
            } else {
                first.holds(place)
            };
            movements.push(first.movement(place, Phase::Released, rest));
        }
        let counters = self.books.accounts.clone();
        let postings = self.apply(&movements);
        let postings = postings.map_err(|account| Refusal::Overflow { account })?;
        if self.is(Bug::VoidKeepsHolding) && step == Step::Void {
            self.books.accounts = counters;
        }
        for place in first.places() {
            let had_part = first.since[place].fulfilled > 0;
            let is_posted = self.is(Bug::VoidedAfterAPart) && had_part && step == Step::Void;
            let ends = if is_posted { HoldStatus::Posted } else { ends };
            self.moves_on(transaction, place, 0, first.holds(place), ends);
        }
        let moved = heading(&new.heading, step, transaction, postings);
        Ok(self.keep(moved, None))
    }

    /// The status with which the holds will end.
    fn ends(&self, first: &Written, now: Timestamp, step: Step) -> Result<HoldStatus, Refusal> {
        let over = first.expires_at.filter(|at| *at <= now);
        if step == Step::Expiry {
            let early = Timestamp::from_micros(now.micros() + 1);
            let too_early = self.is(Bug::ExpiresTooEarly) && first.expires_at == Some(early);
            if over.is_none() && !too_early {
                return Err(Refusal::NotExpired);
            }
            return Ok(if self.is(Bug::ExpiryIsAVoid) {
                HoldStatus::Voided
            } else {
                HoldStatus::Expired
            });
        }
        match over {
            Some(expires_at) if !self.is(Bug::VoidsExpired) => Err(Refusal::Expired { expires_at }),
            Some(_) | None => Ok(HoldStatus::Voided),
        }
    }

    fn moves_on(
        &mut self,
        transaction: TransactionId,
        place: usize,
        fulfilled: i128,
        released: i128,
        ends: HoldStatus,
    ) {
        let written = self.books.transactions.get_mut(&transaction);
        let written = written.expect("it was looked for");
        let since: &mut Since = &mut written.since[place];
        since.fulfilled += fulfilled;
        since.released += released;
        if fulfilled + released > 0 && written.holds(place) <= 0 {
            written.since[place].status = ends;
        }
    }
}

impl Written {
    fn has(&self, ordinal: i16) -> bool {
        self.place(ordinal).is_some()
    }

    /// The position of the posting with this ordinal.
    pub(super) fn place(&self, ordinal: i16) -> Option<usize> {
        let mut postings = self.moved.postings.iter();
        postings.position(|posted| posted.ordinal == ordinal)
    }

    /// The way in which the transaction ended, if nothing is held any more.
    pub(super) fn ended(&self) -> Option<HoldStatus> {
        if self.places().any(|place| self.holds(place) > 0) {
            return None;
        }
        let says = |status| self.since.iter().any(|since| since.status == status);
        let all = [HoldStatus::Expired, HoldStatus::Voided];
        let worst = all.into_iter().find(|status| says(*status));
        Some(worst.unwrap_or(HoldStatus::Posted))
    }

    /// A movement that fulfils or releases an amount of a posting.
    fn movement(&self, place: usize, phase: Phase, amount: i128) -> Movement {
        let posted = &self.moved.postings[place];
        let further = match phase {
            Phase::Pending | Phase::Fulfilled => 0,
            Phase::Released => 100,
            Phase::Posted => 200,
        };
        Movement {
            ordinal: posted.ordinal + further,
            phase,
            posting: posted.posting,
            amount,
        }
    }
}

/// The movements: the amounts that are posted of each hold, released, and posted beyond the holds.
fn movements(first: &Written, wanted: &[(i128, i128)], releases: bool) -> Vec<Movement> {
    let mut movements = Vec::new();
    for place in first.places().filter(|place| wanted[*place].0 > 0) {
        movements.push(first.movement(place, Phase::Fulfilled, wanted[place].0));
    }
    for place in first.places() {
        let rest = first.holds(place) - wanted[place].0;
        if releases && rest > 0 {
            movements.push(first.movement(place, Phase::Released, rest));
        }
    }
    for place in first.places().filter(|place| wanted[*place].1 > 0) {
        movements.push(first.movement(place, Phase::Posted, wanted[place].1));
    }
    movements
}

/// The first ordinal that occurs twice.
pub(super) fn twice(parts: &[Part]) -> Option<i16> {
    let again = |place: &usize| {
        let earlier = &parts[..*place];
        earlier.iter().any(|part| part.0 == parts[*place].0)
    };
    (0..parts.len()).find(again).map(|place| parts[place].0)
}

/// A transaction that is about another one.
pub(super) fn heading(
    heading: &ledger::Heading,
    step: Step,
    about: TransactionId,
    postings: Vec<ledger::RecordedPosting>,
) -> Moved {
    Moved {
        id: heading.id,
        step,
        about: Some(about),
        external_id: heading.external_id.clone(),
        metadata: heading.metadata.clone(),
        effective_at: heading.effective_at,
        recorded_at: heading.recorded_at,
        postings,
    }
}
