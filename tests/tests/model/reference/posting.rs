//! New transactions, final or pending.

use std::collections::BTreeMap;

use ledger::{AccountId, AccountStatus, Demand, NewTransaction, Phase, Refusal, Step};

use super::{Movement, Purse, Reference, minor_units};
use crate::bugs::Bug;
use crate::words::Moved;

/// An account, its balance before the step, and the limit that would be broken.
pub(super) type Breach = (AccountId, i64, i64);

impl Reference {
    pub(super) fn post(&mut self, new: &NewTransaction) -> Result<Moved, Refusal> {
        self.post_buying(new, None)
    }

    /// Posts a transaction; `bought` is the posting that an exchange buys, if there is one.
    pub(super) fn post_buying(
        &mut self,
        new: &NewTransaction,
        bought: Option<usize>,
    ) -> Result<Moved, Refusal> {
        let external_id_last = self.is(Bug::ExternalIdLookedAtLast);
        if !external_id_last {
            self.has_a_new_name(new)?;
        }
        self.is_well_formed(new)?;
        if external_id_last {
            self.has_a_new_name(new)?;
        }
        let named = self.named(new.postings.iter());
        let named =
            named.map_err(|(posting, account)| Refusal::AccountNotFound { posting, account })?;
        self.is_in_their_currency(new, &named)?;
        self.moves_open_ones(&named)?;
        let anything_goes = self.is(Bug::PromisesInClosedPeriods) && new.pending.is_some();
        if let (false, Some(closed_before)) = (anything_goes, self.closed(new.effective_at)) {
            return Err(Refusal::PeriodClosed { closed_before });
        }
        let versions_later =
            self.is(Bug::VersionsLookedAtAfterwards) || self.is(Bug::LimitsBeforeVersions);
        if !versions_later {
            self.finds_versions(new, None)?;
        }
        let before = self.books.accounts.clone();
        let postings = self.move_postings(new, &before, &named)?;
        if let Some((posting, currency)) =
            self.too_late(&before, &postings, new.effective_at, bought)
        {
            return Err(Refusal::CurrencyWithdrawn {
                posting: Some(posting),
                currency,
                since: currency.withdrawn_since().expect("it ends"),
            });
        }
        let is_exempt = self.is(Bug::FloorIgnoredOnPending) && new.pending.is_some();
        let floor = if is_exempt {
            None
        } else {
            self.too_little(&before, &named)
        };
        let is_exempt = self.is(Bug::CeilingIgnoredOnPending) && new.pending.is_some();
        let ceiling = if is_exempt {
            None
        } else {
            self.too_much(&before, &named)
        };
        self.keeps_limits(floor, ceiling)?;
        if versions_later {
            let then = self.is(Bug::LimitsBeforeVersions).then_some(&before);
            self.finds_versions(new, then)?;
        }
        self.leaves_enough(new, &before)?;
        let moved = Moved {
            id: new.id,
            step: new.pending.map_or(Step::Posted, |_| Step::Pending),
            about: None,
            external_id: new.external_id.clone(),
            metadata: new.metadata.clone(),
            effective_at: new.effective_at,
            recorded_at: new.recorded_at,
            postings,
        };
        let expires_at = new.pending.and_then(|pending| pending.expires_at);
        Ok(self.keep(moved, expires_at))
    }

    fn has_a_new_name(&self, new: &NewTransaction) -> Result<(), Refusal> {
        match self.taken(new.external_id.as_ref()) {
            Some(by) => Err(Refusal::ExternalIdTaken { by }),
            None => Ok(()),
        }
    }

    fn is_well_formed(&self, new: &NewTransaction) -> Result<(), Refusal> {
        let postings = &new.postings;
        if postings.is_empty() {
            return Err(Refusal::NoPostings);
        }
        if postings.len() > 100 + usize::from(self.is(Bug::OneTooMany)) {
            return Err(Refusal::TooManyPostings);
        }
        let to_itself = postings.iter().position(|p| p.debit == p.credit);
        if let (Some(posting), false) = (to_itself, self.is(Bug::SameAccount)) {
            return Err(Refusal::SameAccount { posting });
        }
        let elsewhere = new.conditions.iter().position(|condition| {
            let account = condition.account;
            postings
                .iter()
                .all(|p| p.debit != account && p.credit != account)
        });
        if let (Some(condition), false) = (elsewhere, self.is(Bug::ConditionElsewhere)) {
            let step = new.pending.map_or(Step::Posted, |_| Step::Pending);
            return Err(Refusal::ConditionElsewhere { condition, step });
        }
        if let Some(expires_at) = new.pending.and_then(|pending| pending.expires_at) {
            let is_too_soon = if self.is(Bug::ExpiresAtOnce) {
                expires_at < new.recorded_at
            } else {
                expires_at <= new.recorded_at
            };
            if is_too_soon {
                return Err(Refusal::ExpiresTooSoon { expires_at });
            }
        }
        match self.ahead(new.effective_at, new.recorded_at) {
            Some(latest) => Err(Refusal::EffectiveInTheFuture { latest }),
            None => Ok(()),
        }
    }

    fn is_in_their_currency(
        &self,
        new: &NewTransaction,
        named: &[AccountId],
    ) -> Result<(), Refusal> {
        for (posting, p) in new.postings.iter().enumerate() {
            for account in named {
                let is_debited = p.debit == *account;
                let is_looked_at = is_debited || !self.is(Bug::CurrencyOfTheDebit);
                let concerned = (is_debited || p.credit == *account) && is_looked_at;
                let holds = self.purse(*account).currency;
                if concerned && holds != p.currency && !self.is(Bug::AnyCurrency) {
                    return Err(Refusal::CurrencyMismatch {
                        posting,
                        account: *account,
                        holds,
                        asked: p.currency,
                    });
                }
            }
        }
        Ok(())
    }

    fn moves_open_ones(&self, named: &[AccountId]) -> Result<(), Refusal> {
        let frozen = self.first_that_is(named, AccountStatus::Frozen);
        let frozen = frozen.filter(|_| !self.is(Bug::PostsToFrozen));
        let closed = self.first_that_is(named, AccountStatus::Closed);
        let frozen = frozen.map(|account| Refusal::AccountFrozen { account });
        let closed = closed.map(|account| Refusal::AccountClosed { account });
        let first = if self.is(Bug::ClosedBeforeFrozen) {
            closed.or(frozen)
        } else {
            frozen.or(closed)
        };
        first.map_or(Ok(()), Err)
    }

    fn finds_versions(
        &self,
        new: &NewTransaction,
        then: Option<&BTreeMap<AccountId, Purse>>,
    ) -> Result<(), Refusal> {
        let accounts = then.unwrap_or(&self.books.accounts);
        for condition in &new.conditions {
            let Demand::AtVersion(wanted) = condition.demand else {
                continue;
            };
            let account = condition.account;
            let version = accounts.get(&account).map_or(wanted, |purse| purse.version);
            if version != wanted {
                return Err(Refusal::VersionMismatch {
                    account,
                    version,
                    wanted,
                });
            }
        }
        Ok(())
    }

    fn move_postings(
        &mut self,
        new: &NewTransaction,
        before: &BTreeMap<AccountId, Purse>,
        named: &[AccountId],
    ) -> Result<Vec<ledger::RecordedPosting>, Refusal> {
        let phase = new.pending.map_or(Phase::Posted, |_| Phase::Pending);
        let movements = (0..).zip(&new.postings).map(|(ordinal, posting)| Movement {
            ordinal,
            phase,
            posting: *posting,
            amount: i128::from(posting.amount.get()),
        });
        let movements: Vec<Movement> = movements.collect();
        let overflow = |account| Refusal::Overflow { account };
        if !self.is(Bug::FloorLookedAtPerPosting) {
            return self.apply(&movements).map_err(overflow);
        }
        let mut posted = Vec::new();
        for movement in movements {
            posted.extend(self.apply(&[movement]).map_err(overflow)?);
            let floor = self.too_little(before, named);
            self.keeps_limits(floor, None)?;
        }
        Ok(posted)
    }

    fn keeps_limits(&self, floor: Option<Breach>, ceiling: Option<Breach>) -> Result<(), Refusal> {
        let floor = floor.map(|(account, available, floor)| Refusal::InsufficientFunds {
            account,
            available,
            floor,
        });
        let ceiling = ceiling.map(|(account, possible, ceiling)| Refusal::CeilingExceeded {
            account,
            possible,
            ceiling,
        });
        let first = if self.is(Bug::CeilingBeforeFloor) {
            ceiling.or(floor)
        } else {
            floor.or(ceiling)
        };
        first.map_or(Ok(()), Err)
    }

    /// The first account that was lowered below its floor less its credit line.
    pub(super) fn too_little(
        &self,
        before: &BTreeMap<AccountId, Purse>,
        named: &[AccountId],
    ) -> Option<Breach> {
        let balance = |purse: &Purse| {
            if self.is(Bug::FloorByPostedMoney) {
                purse.posted()
            } else {
                purse.available()
            }
        };
        named.iter().find_map(|id| {
            let (then, now) = (&before[id], self.purse(*id));
            let line = now
                .bounds
                .line
                .filter(|_| !self.is(Bug::CreditLineForgotten));
            let least = i128::from(now.bounds.floor?) - i128::from(line.unwrap_or(0));
            let (was, mut is) = (balance(then), balance(now));
            let is_lowered = is < was || self.is(Bug::FloorWhateverTheWay);
            if self.is(Bug::FloorLookedAtBefore) {
                is = was;
            }
            if self.is(Bug::FloorOffByOne) {
                is -= 1;
            }
            let is_broken = is_lowered && is < least;
            is_broken.then(|| (*id, minor_units(then.available()), minor_units(least)))
        })
    }

    /// The first account that was raised above its ceiling.
    pub(super) fn too_much(
        &self,
        before: &BTreeMap<AccountId, Purse>,
        named: &[AccountId],
    ) -> Option<Breach> {
        let balance = |purse: &Purse| {
            if self.is(Bug::CeilingOfPostedAlone) {
                purse.posted()
            } else {
                purse.possible()
            }
        };
        named.iter().find_map(|id| {
            let (then, now) = (&before[id], self.purse(*id));
            let most = now.bounds.ceiling?;
            let is = balance(now) + i128::from(self.is(Bug::CeilingOffByOne));
            let is_broken = balance(now) > balance(then) && is > i128::from(most);
            is_broken.then(|| (*id, minor_units(then.possible()), most))
        })
    }

    fn leaves_enough(
        &self,
        new: &NewTransaction,
        before: &BTreeMap<AccountId, Purse>,
    ) -> Result<(), Refusal> {
        for condition in &new.conditions {
            let Demand::AvailableAtLeast(wanted) = condition.demand else {
                continue;
            };
            let account = condition.account;
            let accounts = if self.is(Bug::ConditionLookedAtBefore) {
                before
            } else {
                &self.books.accounts
            };
            let Some(purse) = accounts.get(&account) else {
                continue;
            };
            let available = if self.is(Bug::ConditionOfPosted) {
                purse.posted()
            } else {
                purse.available()
            };
            let one_more = i128::from(self.is(Bug::ConditionOffByOne));
            if available < i128::from(wanted.get()) + one_more {
                return Err(Refusal::ConditionFailed {
                    account,
                    available: minor_units(available),
                    wanted: wanted.get(),
                });
            }
        }
        Ok(())
    }
}
