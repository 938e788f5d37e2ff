//! The decision of one step of the books, and its audit record.

use engine::errand::{Errand, Errands};
use engine::{AuditEvent, Book, set};
use ledger::{
    Exchange, Heading, Kind, NewExchange, NewFulfilment, NewRelease, NewReversal, NewTransaction,
    RecordedTransaction, Step, TransactionId,
};

use super::action::{Action, Details, Draft};
use crate::Refusal;
use crate::shelf::Books;

pub(crate) fn decide(book: &mut Book, action: &Action) -> Result<RecordedTransaction, Refusal> {
    match action {
        Action::Post(draft) => {
            let new = transaction(book, draft);
            ledger::post(book.shelf_mut::<Books>().0, new).map_err(Refusal::Step)
        }
        Action::Fulfil {
            pending,
            amounts,
            last,
            exceed,
            conditions,
            details,
        } => {
            let fulfilment = NewFulfilment {
                heading: heading(book, details, kind_of(Step::Fulfilment)),
                pending: *pending,
                amounts: amounts.clone(),
                last: *last,
                exceed: *exceed,
                conditions: conditions.clone(),
            };
            ledger::fulfil(book.shelf_mut::<Books>().0, fulfilment).map_err(Refusal::Step)
        }
        Action::Void {
            pending,
            conditions,
            details,
        } => {
            let release = NewRelease {
                heading: heading(book, details, kind_of(Step::Void)),
                pending: *pending,
                conditions: conditions.clone(),
            };
            ledger::void(book.shelf_mut::<Books>().0, release).map_err(Refusal::Step)
        }
        Action::Reverse {
            of,
            amounts,
            conditions,
            details,
        } => {
            let reversal = NewReversal {
                heading: heading(book, details, kind_of(Step::Reversal)),
                of: *of,
                amounts: amounts.clone(),
                conditions: conditions.clone(),
            };
            ledger::reverse(book.shelf_mut::<Books>().0, reversal).map_err(Refusal::Step)
        }
        Action::Exchange(swap) => {
            let new = NewExchange {
                heading: heading(book, &swap.details, Kind::Exchange),
                from: swap.from,
                to: swap.to,
                sold_to: swap.sold_to,
                bought_from: swap.bought_from,
                amount: swap.amount,
                given: swap.given,
                quote: swap.quote.clone(),
                conditions: swap.conditions.clone(),
            };
            ledger::exchange(book.shelf_mut::<Books>().0, new).map_err(Refusal::Exchange)
        }
    }
}

fn transaction(book: &mut Book, draft: &Draft) -> NewTransaction {
    let Details {
        external_id,
        description,
        metadata,
        effective_at,
    } = draft.details.clone();
    let id = TransactionId::from_bytes(book.next_id());
    NewTransaction {
        pending: draft.pending.map(|expiry| expiry.pending(book.now())),
        conditions: draft.conditions.clone(),
        external_id: external_id.map(String::from),
        description: description.map(String::from),
        metadata,
        effective_at: effective_at.unwrap_or(book.now()),
        ..NewTransaction::plain(id, draft.kind, draft.postings.clone(), book.now())
    }
}

/// The kind of a step that is about another transaction. It is the name of the step.
pub(crate) fn kind_of(step: Step) -> Kind {
    // The name of a step is a valid kind, so the default is never used.
    Kind::parse(step.name()).unwrap_or(Kind::Transfer)
}

/// The heading of a step's transaction.
pub(crate) fn heading(book: &mut Book, details: &Details, kind: Kind) -> Heading {
    let Details {
        external_id,
        description,
        metadata,
        effective_at,
    } = details.clone();
    let id = TransactionId::from_bytes(book.next_id());
    Heading {
        external_id: external_id.map(String::from),
        description: description.map(String::from),
        metadata,
        effective_at: effective_at.unwrap_or(book.now()),
        ..Heading::plain(id, kind, book.now())
    }
}

pub(crate) fn record(book: &mut Book, posted: &RecordedTransaction) {
    let moved: Vec<String> = posted
        .postings
        .iter()
        .map(|p| {
            let posting = p.posting;
            let (debit, credit) = (posting.debit, posting.credit);
            let (amount, currency) = (posting.amount.get(), posting.currency.stored());
            format!("{debit} {credit} {amount} {currency}")
        })
        .collect();
    let moved = moved.join("; ");
    let about = posted.about.map(|id| id.to_string());
    let terms = book.shelf::<Books>().exchange(&posted.id).map(terms);
    let expires_at = posted.expires_at.map(|at| at.to_string());
    let mut delta = vec![set("postings", &moved)];
    delta.extend(about.as_deref().map(|about| set("about", about)));
    delta.extend(terms.as_deref().map(|terms| set("exchange", terms)));
    delta.extend(expires_at.as_deref().map(|at| set("expires_at", at)));
    let (action, id) = (recorded_as(posted.step), posted.id.to_string());
    book.record(&AuditEvent::done(action, ("transaction", &id), &delta));
    add_expiry(book, posted);
}

/// Kind of the errand that expires a pending transaction.
pub const EXPIRY: &str = "expiry";

/// Adds the errand of a pending transaction that expires. The errand stays if the transaction ends earlier in
/// another way; there is then nothing to release.
fn add_expiry(book: &mut Book, posted: &RecordedTransaction) {
    if let (Step::Pending, Some(due_at)) = (posted.step, posted.expires_at) {
        let errand = Errand {
            due_at,
            epoch: 0,
            place: String::new(),
        };
        let name = (EXPIRY, posted.id.bytes());
        book.shelf_mut::<Errands>().0.add(name, errand);
    }
}

/// The terms of an exchange, as text.
fn terms(exchange: &Exchange) -> String {
    let quote = &exchange.quote;
    let (rate, rounding, source) = (quote.rate, quote.rounding, &quote.source);
    format!("{rate} {rounding} {} {source}", quote.quoted_at)
}

const fn recorded_as(step: Step) -> &'static str {
    match step {
        Step::Pending => "transaction.pended",
        Step::Posted => "transaction.posted",
        Step::Fulfilment => "transaction.settled",
        Step::Void => "transaction.voided",
        Step::Expiry => "transaction.expired",
        Step::Reversal => "transaction.reversed",
    }
}
