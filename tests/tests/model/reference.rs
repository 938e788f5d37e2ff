//! The reference: a second ledger, written as plainly as possible, with maps and wide integers. Each step works on the
//! books themselves, and if a rule is broken they are put back as they were. It shares the words of the ledger and
//! none of its rules.

mod accounts;
mod exchange;
mod later;
mod posting;
mod requests;
mod reversal;
mod sight;
mod withdrawn;

pub(crate) use withdrawn::WITHOUT_KUNA;

use std::collections::BTreeMap;

use ledger::{
    AccountClass, AccountId, AccountStatus, Exchange, HoldStatus, Metadata, Phase, Posting,
    RecordedPosting, Side, TransactionId,
};
use money::{Currency, MinorUnits};
use store::Timestamp;

use crate::bugs::Bug;
use crate::words::{Act, Answer, Bounds, Instruction, Moved, Refusal};

/// The largest number that a counter may show.
const MAX: i128 = (1 << 63) - 1;

/// The books, and the bug that is planted in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    bug: Option<Bug>,
    books: Books,
    /// The books before the last batch.
    before: Books,
    /// The answers to requests with a key.
    keys: BTreeMap<String, requests::Kept>,
}

#[derive(Debug, Clone, Default)]
struct Books {
    accounts: BTreeMap<AccountId, Purse>,
    transactions: BTreeMap<TransactionId, Written>,
    names: BTreeMap<String, TransactionId>,
    /// The terms of exchanges.
    terms: BTreeMap<TransactionId, Exchange>,
    closed_before: Option<Timestamp>,
}

/// An account.
#[derive(Debug, Clone)]
struct Purse {
    code: String,
    currency: Currency,
    class: AccountClass,
    grows_on: Side,
    bounds: Bounds,
    status: AccountStatus,
    metadata: Option<Metadata>,
    debits: Sums,
    credits: Sums,
    version: i64,
    revision: i64,
    opened_at: Timestamp,
}

/// One side of an account: the sums of all pending, posted and released amounts.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    pending: i128,
    posted: i128,
    released: i128,
}

/// A transaction, and the later state of each of its postings.
#[derive(Debug, Clone)]
struct Written {
    moved: Moved,
    expires_at: Option<Timestamp>,
    since: Vec<Since>,
}

/// The later state of a posting.
#[derive(Debug, Clone, Copy)]
struct Since {
    fulfilled: i128,
    released: i128,
    reversed: i128,
    status: HoldStatus,
}

/// An amount of a posting, with this ordinal.
struct Movement {
    ordinal: i16,
    phase: Phase,
    posting: Posting,
    amount: i128,
}

impl Reference {
    /// Empty books with one bug.
    pub(crate) fn with(bug: Bug) -> Self {
        Self {
            bug: Some(bug),
            ..Self::default()
        }
    }

    /// Executes an event and returns an answer for each of its steps.
    pub(crate) fn perform(&mut self, act: &Act) -> Vec<Answer> {
        match act {
            Act::Batch { asked, crashes, .. } => {
                let older = std::mem::replace(&mut self.before, self.books.clone());
                let answers = asked.iter().map(|asked| self.decide(asked)).collect();
                if *crashes && !self.is(Bug::CrashIsRemembered) {
                    self.books = self.before.clone();
                }
                if *crashes && self.is(Bug::CrashForgetsTooMuch) {
                    self.books = older;
                }
                answers
            }
            Act::Race { first, second } => self.race(first, second),
            Act::Requests {
                requests, crashes, ..
            } => self.receive(requests, *crashes),
            Act::Wait => Vec::new(),
            Act::Restart => {
                self.restart();
                Vec::new()
            }
            Act::Look(now) => vec![Answer::Seen(Box::new(self.look(*now)))],
        }
    }

    fn race(&mut self, first: &[Instruction], second: &[Instruction]) -> Vec<Answer> {
        let stale = self.clone();
        let decide = |books: &mut Self, asked: &[Instruction]| -> Vec<Answer> {
            asked.iter().map(|asked| books.decide(asked)).collect()
        };
        let mut answers = decide(self, first);
        if self.is(Bug::SecondWriterOverwrites) {
            *self = stale.clone();
        }
        let late = decide(self, second);
        if self.is(Bug::StaleDecisionStands) {
            answers.extend(decide(&mut stale.clone(), second));
        } else {
            answers.extend(late);
        }
        answers
    }

    /// Decides one step. A refused one changes nothing.
    pub(crate) fn decide(&mut self, asked: &Instruction) -> Answer {
        let before = self.books.clone();
        let decided = match asked {
            Instruction::Open(id, opening, now) => self.open(*id, opening, *now),
            Instruction::Post(new) => self.post(new).map(moved).map_err(Refusal::from),
            Instruction::Fulfil(new) => self.fulfil(new).map(moved).map_err(Refusal::from),
            Instruction::Void(new) => self
                .release(new, ledger::Step::Void)
                .map(moved)
                .map_err(Refusal::from),
            Instruction::Expire(new) => self
                .release(new, ledger::Step::Expiry)
                .map(moved)
                .map_err(Refusal::from),
            Instruction::Reverse(new) => self.reverse(new).map(moved).map_err(Refusal::from),
            Instruction::Exchange(new) => self.exchange(new).map(moved).map_err(Refusal::from),
            Instruction::Change(id, change) => self.change(*id, change),
            Instruction::ClosePeriod { before, now } => self
                .close_period(*before, *now)
                .map(|()| Answer::PeriodClosed)
                .map_err(Refusal::from),
        };
        decided.unwrap_or_else(|refusal| {
            self.take_back(before, asked);
            Answer::Refused(refusal)
        })
    }

    fn take_back(&mut self, before: Books, asked: &Instruction) {
        if self.is(Bug::RefusedLeavesTraces) {
            return;
        }
        self.books = before;
        if let (true, Instruction::Post(new)) = (self.is(Bug::RefusedKeepsItsName), asked)
            && let Some(name) = &new.external_id
        {
            self.books.names.entry(name.clone()).or_insert(new.id);
        }
    }

    fn restart(&mut self) {
        if self.is(Bug::RestartOpensPeriods) {
            self.books.closed_before = None;
        }
        if self.is(Bug::RestartForgetsKeys) {
            self.keys.clear();
        }
        if self.is(Bug::RestartForgetsTerms) {
            self.books.terms.clear();
        }
        let (corrections, holds) = (
            self.is(Bug::RestartForgetsCorrections),
            self.is(Bug::RestartReleases),
        );
        for written in self.books.transactions.values_mut() {
            for (since, posting) in written.since.iter_mut().zip(&written.moved.postings) {
                if corrections {
                    since.reversed = 0;
                }
                if holds && since.status == HoldStatus::Pending {
                    since.released = amount_of(posting) - since.fulfilled;
                    since.status = HoldStatus::Voided;
                }
            }
        }
    }

    fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The transaction with this external id.
    fn taken(&self, name: Option<&String>) -> Option<TransactionId> {
        if self.is(Bug::ExternalIdNotKept) {
            return None;
        }
        self.books.names.get(name?).copied()
    }

    /// The moment before which the books are closed, if `happened` lies before it.
    fn closed(&self, happened: Timestamp) -> Option<Timestamp> {
        let closed_before = self.books.closed_before?;
        let is_closed = if self.is(Bug::PeriodOffByOne) {
            happened <= closed_before
        } else {
            happened < closed_before
        };
        is_closed.then_some(closed_before)
    }

    /// The latest effective time that is allowed now, if `happens` is later.
    fn ahead(&self, happens: Timestamp, recorded: Timestamp) -> Option<Timestamp> {
        if self.is(Bug::HappensInTheFuture) {
            return None;
        }
        let latest = recorded.micros() + 300_000_000;
        let least = happens.micros() + i64::from(self.is(Bug::FutureOffByOne));
        (least > latest).then(|| Timestamp::from_micros(latest))
    }

    /// The accounts that the postings name, each once; or the first one that does not exist.
    fn named<'p>(
        &self,
        postings: impl Iterator<Item = &'p Posting>,
    ) -> Result<Vec<AccountId>, (usize, AccountId)> {
        let mut named = Vec::new();
        for (place, posting) in postings.enumerate() {
            for id in [posting.debit, posting.credit] {
                if !self.books.accounts.contains_key(&id) {
                    return Err((place, id));
                }
                if !named.contains(&id) {
                    named.push(id);
                }
            }
        }
        Ok(named)
    }

    fn first_that_is(&self, named: &[AccountId], status: AccountStatus) -> Option<AccountId> {
        let mut named = named.iter().copied();
        named.find(|id| self.purse(*id).status == status)
    }

    fn purse(&self, id: AccountId) -> &Purse {
        &self.books.accounts[&id]
    }

    /// Makes all movements; `Err` names the account of which a counter would be too large.
    fn apply(&mut self, movements: &[Movement]) -> Result<Vec<RecordedPosting>, AccountId> {
        let mut posted = Vec::new();
        for movement in movements {
            let Movement { posting, phase, .. } = movement;
            let (mut debit, mut credit) = (Side::Debit, Side::Credit);
            if self.is(Bug::WrongSign) {
                (debit, credit) = (credit, debit);
            }
            let debit = self.enter(posting.debit, debit, *phase, movement.amount)?;
            let amount = if self.is(Bug::OneSided) {
                0
            } else {
                movement.amount
            };
            let credit = self.enter(posting.credit, credit, *phase, amount)?;
            let amount = i64::try_from(movement.amount).expect("within what was posted");
            posted.push(RecordedPosting {
                ordinal: movement.ordinal,
                phase: *phase,
                posting: Posting {
                    amount: money::Amount::new(amount).expect("positive"),
                    ..*posting
                },
                debit_version: debit.0,
                debit_balance: debit.1,
                credit_version: credit.0,
                credit_balance: credit.1,
            });
        }
        if self.is(Bug::VersionOncePerTransaction) {
            let one = movements.iter().take(1);
            let named = self.named(one.map(|movement| &movement.posting));
            for id in named.unwrap_or_default() {
                let purse = self.books.accounts.get_mut(&id).expect("named");
                purse.version = posted[0].debit_version.min(purse.version);
            }
        }
        Ok(posted)
    }

    fn enter(
        &mut self,
        id: AccountId,
        side: Side,
        phase: Phase,
        amount: i128,
    ) -> Result<(i64, MinorUnits), AccountId> {
        let bug = self.bug;
        let purse = self.books.accounts.get_mut(&id).expect("it was looked for");
        let sums = match side {
            Side::Debit => &mut purse.debits,
            Side::Credit => &mut purse.credits,
        };
        match phase {
            Phase::Pending if bug == Some(Bug::PendingIsPosted) => sums.posted += amount,
            Phase::Pending => sums.pending += amount,
            Phase::Posted => sums.posted += amount,
            Phase::Fulfilled => {
                sums.posted += amount;
                if bug != Some(Bug::FulfilmentAddsToPosted) {
                    sums.released += amount;
                }
            }
            Phase::Released => sums.released += amount,
        }
        let together = if bug == Some(Bug::OverflowOfPostedAlone) {
            sums.posted
        } else {
            sums.all()
        };
        let is_too_large = sums.pending > MAX || sums.posted > MAX || together > MAX;
        if is_too_large && bug != Some(Bug::CountersWrap) {
            return Err(id);
        }
        if phase != Phase::Released || bug != Some(Bug::VersionNotBumpedByRelease) {
            purse.version += 1;
        }
        let balance = i64::try_from(purse.posted()).unwrap_or(i64::MAX);
        Ok((purse.version, MinorUnits::new(balance)))
    }

    /// Stores a transaction and its external id.
    fn keep(&mut self, moved: Moved, expires_at: Option<Timestamp>) -> Moved {
        let is_kept = moved.about.is_none() || !self.is(Bug::ExternalIdOfPostingsAlone);
        if let (true, Some(name)) = (is_kept, &moved.external_id) {
            self.books.names.insert(name.clone(), moved.id);
        }
        let since = Since {
            fulfilled: 0,
            released: 0,
            reversed: 0,
            status: HoldStatus::Pending,
        };
        let written = Written {
            since: vec![since; moved.postings.len()],
            moved: moved.clone(),
            expires_at,
        };
        self.books.transactions.insert(moved.id, written);
        moved
    }
}

impl Sums {
    /// The amount that is pending now.
    fn outstanding(&self) -> i128 {
        self.pending - self.released
    }

    fn all(&self) -> i128 {
        self.posted + self.outstanding()
    }
}

impl Purse {
    fn posted(&self) -> i128 {
        match self.grows_on {
            Side::Debit => self.debits.posted - self.credits.posted,
            Side::Credit => self.credits.posted - self.debits.posted,
        }
    }

    fn available(&self) -> i128 {
        match self.grows_on {
            Side::Debit => self.posted() - self.credits.outstanding(),
            Side::Credit => self.posted() - self.debits.outstanding(),
        }
    }

    fn possible(&self) -> i128 {
        match self.grows_on {
            Side::Debit => self.posted() + self.debits.outstanding(),
            Side::Credit => self.posted() + self.credits.outstanding(),
        }
    }
}

impl Written {
    /// The amount that a posting still holds.
    fn holds(&self, place: usize) -> i128 {
        let since = &self.since[place];
        amount_of(&self.moved.postings[place]) - since.fulfilled - since.released
    }

    /// The amount of a posting that is not reversed.
    fn stands(&self, place: usize) -> i128 {
        amount_of(&self.moved.postings[place]) - self.since[place].reversed
    }

    fn places(&self) -> std::ops::Range<usize> {
        0..self.since.len()
    }
}

fn amount_of(posted: &RecordedPosting) -> i128 {
    i128::from(posted.posting.amount.get())
}

fn minor_units(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn moved(moved: Moved) -> Answer {
    Answer::Moved(Box::new(moved))
}
