//! Reversal of posted amounts, whole or in part.

use ledger::{AccountStatus, Amounts, Leg, NewReversal, Part, Phase, Posting, Refusal, Step};

use super::later::{heading, twice};
use super::{Movement, Reference, Written, amount_of, minor_units};
use crate::bugs::Bug;
use crate::words::Moved;

impl Reference {
    pub(super) fn reverse(&mut self, new: &NewReversal) -> Result<Moved, Refusal> {
        if let Some(by) = self.taken(new.heading.external_id.as_ref()) {
            return Err(Refusal::ExternalIdTaken { by });
        }
        if let Amounts::OfPostings(parts) = &new.amounts {
            if parts.is_empty() {
                return Err(Refusal::NoAmounts {
                    step: Step::Reversal,
                });
            }
            if let Some(ordinal) = twice(parts) {
                return Err(Refusal::PostingNamedTwice { ordinal });
            }
        }
        let (effective_at, recorded_at) = (new.heading.effective_at, new.heading.recorded_at);
        if let Some(latest) = self.ahead(effective_at, recorded_at) {
            return Err(Refusal::EffectiveInTheFuture { latest });
        }
        let transaction = new.of;
        let first = self.books.transactions.get(&transaction).cloned();
        let first = first.ok_or(Refusal::TransactionNotFound { transaction })?;
        let parts = self.remaining(&first, &new.amounts)?;
        let postings = parts.iter().map(|(place, _)| &first.moved.postings[*place]);
        let named = self.named(postings.map(|posted| &posted.posting));
        let named = named.map_err(|_nobody| Refusal::TransactionNotFound { transaction })?;
        if let Some(account) = self.first_that_is(&named, AccountStatus::Frozen) {
            return Err(Refusal::AccountFrozen { account });
        }
        if let Some(account) = self.first_that_is(&named, AccountStatus::Closed) {
            return Err(Refusal::AccountClosed { account });
        }
        if let Some(closed_before) = self.closed(new.heading.effective_at) {
            return Err(Refusal::PeriodClosed { closed_before });
        }
        let before = self.books.accounts.clone();
        let movements: Vec<Movement> = parts
            .iter()
            .map(|(place, amount)| self.undone(&first, *place, *amount))
            .collect();
        let postings = self.apply(&movements);
        let mut postings = postings.map_err(|account| Refusal::Overflow { account })?;
        if !self.is(Bug::ToldAsAsked) {
            postings.sort_by_key(|posted| posted.ordinal);
        }
        let floor = self.too_little(&before, &named);
        if let (Some((account, available, floor)), false) =
            (floor, self.is(Bug::ReversalBelowFloor))
        {
            return Err(Refusal::InsufficientFunds {
                account,
                available,
                floor,
            });
        }
        let ceiling = self.too_much(&before, &named);
        if let (Some((account, possible, ceiling)), false) =
            (ceiling, self.is(Bug::ReversalAboveCeiling))
        {
            return Err(Refusal::CeilingExceeded {
                account,
                possible,
                ceiling,
            });
        }
        if !self.is(Bug::ReversalNotTracked) {
            let written = self.books.transactions.get_mut(&transaction);
            let written = written.expect("it was looked for");
            for (place, amount) in parts {
                written.since[place].reversed += amount;
            }
        }
        let moved = heading(&new.heading, Step::Reversal, transaction, postings);
        Ok(self.keep(moved, None))
    }

    fn undone(&self, first: &Written, place: usize, amount: i128) -> Movement {
        let posted = &first.moved.postings[place];
        let mut posting = posted.posting;
        if !self.is(Bug::ReversalTheSameWay) {
            posting = Posting {
                debit: posting.credit,
                credit: posting.debit,
                ..posting
            };
        }
        Movement {
            ordinal: posted.ordinal,
            phase: Phase::Posted,
            posting,
            amount,
        }
    }

    /// The amount of each posting that is to be reversed.
    fn remaining(&self, first: &Written, amounts: &Amounts) -> Result<Vec<(usize, i128)>, Refusal> {
        let parts: Option<&[Part]> = match amounts {
            Amounts::OfPostings(parts) => Some(parts),
            Amounts::Rest | Amounts::OfLeg(..) => None,
        };
        let counts = |place: &usize| match first.moved.postings[*place].phase {
            Phase::Posted | Phase::Fulfilled => true,
            Phase::Pending => self.is(Bug::ReversesPending),
            Phase::Released => self.is(Bug::ReversesReleases),
        };
        let is_there = |place: &usize| first.moved.postings[*place].phase != Phase::Released;
        for (ordinal, _) in parts.unwrap_or_default() {
            if first.place(*ordinal).filter(is_there).is_none() {
                return Err(Refusal::PostingNotFound {
                    ordinal: *ordinal,
                    step: Step::Reversal,
                });
            }
        }
        let step = first.moved.step;
        let is_reversible = match step {
            Step::Posted | Step::Fulfilment => true,
            Step::Reversal => self.is(Bug::ReversesReversals),
            Step::Pending => self.is(Bug::ReversesPending),
            Step::Void | Step::Expiry => false,
        };
        if !is_reversible {
            return Err(Refusal::NotReversible { step });
        }
        let is_exchange = self.books.terms.contains_key(&first.moved.id);
        if let (Amounts::OfLeg(leg, _), false) = (amounts, is_exchange || self.is(Bug::LegOfAny)) {
            return Err(Refusal::NotAnExchange { leg: *leg });
        }
        let is_alone = parts.is_some_and(|parts| parts.len() == 1);
        if is_exchange && is_alone && !self.is(Bug::LegAlone) {
            return Err(Refusal::LegAlone);
        }
        let all: Vec<usize> = first.places().filter(counts).collect();
        if all.iter().all(|place| first.stands(*place) == 0) {
            return Err(Refusal::Reversed);
        }
        if let Amounts::OfLeg(leg, amount) = amounts {
            return self.both_legs(first, *leg, i128::from(amount.get()));
        }
        let Some(parts) = parts else {
            let all = all.into_iter().map(|place| {
                let whole = self.is(Bug::ReversesTheWholeAgain);
                let amount = amount_of(&first.moved.postings[place]);
                (place, if whole { amount } else { first.stands(place) })
            });
            return Ok(all.filter(|(_, amount)| *amount > 0).collect());
        };
        let mut chosen = Vec::new();
        for (ordinal, amount) in parts {
            let place = first.place(*ordinal).expect("it was looked for");
            let remaining = first.stands(place);
            if i128::from(amount.get()) > remaining {
                return Err(Refusal::ExceedsPosted {
                    ordinal: *ordinal,
                    remaining: minor_units(remaining),
                });
            }
            chosen.push((place, i128::from(amount.get())));
        }
        if is_exchange && chosen.len() == 2 && !self.is(Bug::AnyProportion) {
            self.are_in_proportion(first, &chosen)?;
        }
        if self.is(Bug::ReversalInTheirOrder) {
            chosen.sort_unstable();
        }
        Ok(chosen)
    }

    /// An amount of one leg of an exchange, and the amount of the other leg that is missing to the same share.
    fn both_legs(
        &self,
        first: &Written,
        leg: Leg,
        amount: i128,
    ) -> Result<Vec<(usize, i128)>, Refusal> {
        let place = usize::from(leg == Leg::Bought);
        let other = 1 - place;
        if first.places().len() < 2 {
            return Err(Refusal::PostingNotFound {
                ordinal: 1,
                step: Step::Reversal,
            });
        }
        if amount > first.stands(place) {
            return Err(Refusal::ExceedsLeg {
                leg,
                remaining: minor_units(first.stands(place)),
            });
        }
        let follows = self.goes_with(first, (place, amount), other);
        if follows <= 0 {
            return Err(Refusal::ShareTooSmall { leg });
        }
        let mut both = vec![(place, amount), (other, follows)];
        both.sort_unstable();
        Ok(both)
    }

    fn goes_with(&self, first: &Written, (place, amount): (usize, i128), other: usize) -> i128 {
        let whole = |place: usize| amount_of(&first.moved.postings[place]);
        if self.is(Bug::ShareOfThisTime) {
            return amount * whole(other) / whole(place);
        }
        let before = first.since[place].reversed + amount;
        let up = i128::from(self.is(Bug::ShareIsUp)) * (whole(place) - 1);
        (before * whole(other) + up) / whole(place) - first.since[other].reversed
    }

    fn are_in_proportion(&self, first: &Written, chosen: &[(usize, i128)]) -> Result<(), Refusal> {
        let mut both = chosen.to_vec();
        both.sort_unstable();
        let (sold, bought) = (both[0], both[1]);
        let follows = self.goes_with(first, sold, bought.0).max(0);
        let leads = self.goes_with(first, bought, sold.0);
        let is_all = both
            .iter()
            .all(|(place, amount)| first.stands(*place) == *amount);
        if follows == bought.1 || leads == sold.1 || is_all {
            return Ok(());
        }
        Err(Refusal::NotInProportion {
            bought: minor_units(follows),
        })
    }
}
