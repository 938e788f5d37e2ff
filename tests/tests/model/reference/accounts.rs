//! Accounts are opened and changed, and periods are closed.

use ledger::{
    AccountClass, AccountId, AccountStatus, ChangeError, LimitsError, OpenError, PeriodError, Side,
};
use store::Timestamp;

use super::{Purse, Reference, Sums, minor_units};
use crate::bugs::Bug;
use crate::words::{Answer, Bounds, Change, Opening, Refusal};

impl Reference {
    pub(super) fn open(
        &mut self,
        id: AccountId,
        opening: &Opening,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        good(opening.bounds)?;
        let mut accounts = self.books.accounts.iter();
        let taken = accounts.find(|(_, purse)| purse.code == opening.code);
        if let (Some((by, _)), false) = (taken, self.is(Bug::CodeTwice)) {
            return Err(OpenError::CodeTaken { by: *by }.into());
        }
        let grows_on = match opening.class {
            AccountClass::Asset if self.is(Bug::AssetsGrowOnCredit) => Side::Credit,
            AccountClass::Income if self.is(Bug::IncomeGrowsOnDebit) => Side::Debit,
            AccountClass::Asset | AccountClass::Expense => Side::Debit,
            AccountClass::Liability | AccountClass::Equity | AccountClass::Income => Side::Credit,
        };
        let purse = Purse {
            code: opening.code.clone(),
            currency: opening.currency,
            class: opening.class,
            grows_on,
            bounds: opening.bounds,
            status: AccountStatus::Open,
            metadata: None,
            debits: Sums::default(),
            credits: Sums::default(),
            version: 0,
            revision: 0,
            opened_at: now,
        };
        self.books.accounts.insert(id, purse);
        Ok(Answer::Stands(Box::new(self.standing(id))))
    }

    pub(super) fn change(&mut self, id: AccountId, change: &Change) -> Result<Answer, Refusal> {
        if let Change::Limits(bounds) = change {
            good(*bounds)?;
        }
        let Some(purse) = self.books.accounts.get(&id).cloned() else {
            return Err(ChangeError::AccountNotFound { account: id }.into());
        };
        let next = self.changed(id, purse, change)?;
        self.books.accounts.insert(id, next);
        Ok(Answer::Stands(Box::new(self.standing(id))))
    }

    fn changed(
        &self,
        account: AccountId,
        mut purse: Purse,
        change: &Change,
    ) -> Result<Purse, Refusal> {
        let status = purse.status;
        let wrong = Err(ChangeError::WrongStatus { account, status }.into());
        let (is_open, is_closed) = (
            status == AccountStatus::Open,
            status == AccountStatus::Closed,
        );
        let mut counts = true;
        match change {
            Change::Freeze if is_open => purse.status = AccountStatus::Frozen,
            Change::Freeze => return wrong,
            Change::Unfreeze if is_open => return wrong,
            Change::Unfreeze if is_closed && !self.is(Bug::ReopensClosed) => return wrong,
            Change::Unfreeze => purse.status = AccountStatus::Open,
            Change::Close if is_closed || (!is_open && self.is(Bug::FrozenStays)) => return wrong,
            Change::Close => {
                self.can_be_closed(account, &purse)?;
                purse.status = AccountStatus::Closed;
            }
            Change::Limits(_) if is_closed && !self.is(Bug::LimitsOfClosed) => return wrong,
            Change::Limits(bounds) => {
                let floor = bounds.floor.map_or(i128::MIN, i128::from);
                let is_within = purse.available() >= floor;
                if is_within || !self.is(Bug::LimitsUndone) {
                    purse.bounds = *bounds;
                }
                counts = !self.is(Bug::RevisionNotBumped);
            }
            Change::Metadata(metadata) => purse.metadata.clone_from(metadata),
        }
        purse.revision += i64::from(counts);
        Ok(purse)
    }

    fn can_be_closed(&self, account: AccountId, purse: &Purse) -> Result<(), ChangeError> {
        let is_pending = purse.debits.outstanding() != 0 || purse.credits.outstanding() != 0;
        let pending = is_pending && !self.is(Bug::ClosesWithPending);
        let pending = pending.then_some(ChangeError::HasPending { account });
        let left = purse.posted() != 0 && !self.is(Bug::ClosesWithBalance);
        let balance = minor_units(purse.posted());
        let left = left.then_some(ChangeError::HasBalance { account, balance });
        let first = if self.is(Bug::BalanceBeforePending) {
            left.or(pending)
        } else {
            pending.or(left)
        };
        first.map_or(Ok(()), Err)
    }

    pub(super) fn close_period(
        &mut self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<(), PeriodError> {
        if before > now || (before == now && self.is(Bug::PeriodNotNow)) {
            return Err(PeriodError::InTheFuture { now });
        }
        if let Some(closed_before) = self.books.closed_before {
            let is_closed = if self.is(Bug::PeriodAgain) {
                before < closed_before
            } else {
                before <= closed_before
            };
            if is_closed && !self.is(Bug::PeriodGoesBack) {
                return Err(PeriodError::Closed { closed_before });
            }
        }
        self.books.closed_before = Some(before);
        Ok(())
    }
}

fn good(bounds: Bounds) -> Result<(), LimitsError> {
    let line = bounds.line.unwrap_or(0);
    if line < 0 {
        return Err(LimitsError::NegativeCreditLine);
    }
    match (bounds.floor, bounds.ceiling) {
        (Some(floor), Some(ceiling))
            if i128::from(ceiling) < i128::from(floor) - i128::from(line) =>
        {
            Err(LimitsError::CeilingBelowFloor)
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}
