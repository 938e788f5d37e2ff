//! The command by which a person resolves an exception: with a reason alone, or with a posting too.

use books::Books;
use engine::{Asks, Attempt, AuditEvent, Book, Command, Decision, set as field};
use ledger::TransactionId;
use money::Currency;

use super::bank_rows::BankLineResolved;
use super::exception::{Exception, ExceptionId, ExceptionKind, Resolution};
use super::rows::{LineResolved, OPEN, RESOLVED};
use super::settle::{Settled, post_set};
use super::shelf::{End, SettlementShelf};
use super::{BankLineId, SettlementLineId};
use crate::balances_after::BalancesAfter;
use crate::postings::*;

/// Resolves an exception.
#[derive(Debug, Clone)]
pub struct ResolveException {
    /// The exception.
    pub exception: ExceptionId,
    /// How it is resolved. [`Resolution::Matched`] is not for people.
    pub resolution: Resolution,
    /// The reason.
    pub reason: String,
    /// The person, by the label of the API key.
    pub by: String,
}

/// Why an exception is not resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// There is no such exception.
    #[error("there is no such exception")]
    NotFound,
    /// It is resolved already.
    #[error("the exception is resolved already")]
    Resolved,
    /// It is about no line, or about the fee of a line that is posted already.
    #[error("an exception of the kind {0} about this has no money that is still to be posted")]
    NothingToPost(&'static str),
    /// The books refuse the posting.
    #[error(transparent)]
    Ledger(#[from] ledger::Refusal),
}

impl Command for ResolveException {
    type Done = (Exception, BalancesAfter);
    type Refusal = ResolveError;

    fn asks(&self, asks: &mut Asks<'_>) {
        if let Some(needs) = asks.of::<SettlementShelf>() {
            needs.exceptions.push(self.exception);
        }
    }

    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, ResolveError> {
        let state = &book.shelf::<SettlementShelf>().state.value;
        let mut held = state.exceptions.iter();
        let held = held.find(|(_, held)| held.row.id == self.exception);
        let (name, exception) = held.ok_or(ResolveError::NotFound)?;
        let (name, exception) = (name.clone(), exception.row.clone());
        if exception.resolution.is_some() {
            return Err(ResolveError::Resolved);
        }
        // A line whose fee is not the agreed one is matched, and stays so.
        let is_of_open_line = exception.fees.is_none();
        let line: Option<SettlementLineId> = exception.subject.parse().ok();
        let line = line.filter(|_| is_of_open_line);
        let bank_line: Option<BankLineId> = exception.subject.parse().ok();
        let posted = self.post(book, &exception, bank_line.is_some(), line.is_some())?;
        let (transaction, after) = posted.unwrap_or_default();
        let now = book.now();
        let end = End {
            resolution: self.resolution,
            reason: Some(self.reason.clone()),
            by: Some(self.by.clone()),
            transaction,
        };
        let tenant_id = book.tenant().id;
        let state = &mut book.shelf_mut::<SettlementShelf>().0.state.value;
        state.resolve(&name, &end, now);
        // The line stays open if another exception is about it.
        let is_last = !ExceptionKind::ALL.into_iter().any(|kind| {
            let other = state.exceptions.get(&(exception.subject.clone(), kind));
            other.is_some_and(|held| held.row.resolution.is_none())
        });
        if is_last {
            state.resolved_lines.extend(line.map(|id| LineResolved {
                tenant_id,
                id,
                seen_status: OPEN.to_owned(),
                status: RESOLVED.to_owned(),
                subject: None,
                transaction_id: transaction,
            }));
            let bank_lines = bank_line.map(|id| BankLineResolved {
                tenant_id,
                id,
                seen_status: OPEN.to_owned(),
                status: RESOLVED.to_owned(),
                subject: None,
                transaction_id: transaction,
            });
            state.resolved_bank_lines.extend(bank_lines);
        }
        let resolved = state.exceptions.get(&name).map(|held| held.row.clone());
        let resolved = resolved.ok_or(ResolveError::NotFound)?;
        let id = self.exception.to_string();
        let transaction = transaction.map(|id| id.to_string());
        let mut delta = vec![
            field("resolution", self.resolution.name()),
            field("reason", &self.reason),
        ];
        delta.extend(transaction.iter().map(|id| field("transaction", id)));
        let about = ("exception", id.as_str());
        book.record(&AuditEvent::done("exception.resolved", about, &delta));
        Ok(Decision::now((resolved, after)))
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            action: "exception.resolve",
            kind: "exception",
            id: self.exception.to_string(),
        }
    }
}

impl ResolveException {
    /// Posts the money of the line, if that is how the exception is resolved.
    fn post(
        &self,
        book: &mut Book,
        exception: &Exception,
        is_of_bank: bool,
        is_of_report: bool,
    ) -> Result<Option<(Option<TransactionId>, BalancesAfter)>, ResolveError> {
        let as_fee = match self.resolution {
            Resolution::Matched | Resolution::Accepted => return Ok(None),
            Resolution::PostedAsFee => true,
            Resolution::PostedAsUnallocated => false,
        };
        let nothing = || ResolveError::NothingToPost(exception.kind.name());
        let currency = Currency::from_code(&exception.currency).map_err(|_unknown| nothing())?;
        if exception.amount == 0 || !(is_of_bank || is_of_report) {
            return Err(nothing());
        }
        let comes_in = exception.amount > 0;
        let set = match (is_of_bank, as_fee, comes_in) {
            (false, true, false) => EXCEPTION_FEE_OUT,
            (false, true, true) => EXCEPTION_FEE_IN,
            (false, false, true) => EXCEPTION_RECEIPT_IN,
            (false, false, false) => EXCEPTION_RECEIPT_OUT,
            (true, true, false) => EXCEPTION_BANK_FEE_OUT,
            (true, true, true) => EXCEPTION_BANK_FEE_IN,
            (true, false, true) => EXCEPTION_BANK_RECEIPT_IN,
            (true, false, false) => EXCEPTION_BANK_RECEIPT_OUT,
        };
        let name = exception.id.to_string();
        let posted = Settled {
            subject: &name,
            currency,
            amount: exception.amount.saturating_abs(),
            fee: 0,
        };
        let transaction = post_set(book, &posted, set)?;
        let after = BalancesAfter::by(book.shelf::<Books>(), &posted, &[set]);
        Ok(Some((transaction, after)))
    }
}
