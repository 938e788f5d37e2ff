//! Where the steps of the books are decided as a request asks for them: one, or many at once.

use idempotency::{Claim, Reply};
use ledger::{
    AccountId, Exchange, Heading, Kind, Metadata, NewExchange, NewRelease, NewReversal,
    NewSettlement, NewTransaction, Posted, Step, TransactionId,
};
use store::Timestamp;

use crate::action::{AccountChange, Action, Draft, Saying};
use crate::book::Book;
use crate::command::{Answer, Form, Origin, Refusal, Rendered};
use crate::execute::{Rules, refuse, save, save_by_reference};
use crate::records::{Said, changed, digest, set};

/// The audit log's name for metadata that is set later.
const METADATA_SET: &str = "transaction.metadata_set";

/// One step. A dry run is decided like any other, and leaves nothing behind.
pub(crate) fn transact(
    book: &mut Book<'_>,
    action: &Action,
    dry_run: bool,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    if dry_run {
        let before = book.ledger.clone();
        let decided = decide(book, action);
        let reply = match &decided {
            Ok(posted) => (rules.render)(made(book, posted, true)),
            Err(refusal) => (rules.render)(Rendered::Refused(refusal)),
        };
        book.ledger = before;
        book.answered_without_trace(claim);
        return replied(reply);
    }
    match decide(book, action) {
        Ok(posted) => {
            let reply = (rules.render)(made(book, &posted, false));
            if let Action::Exchange(_) = action {
                // Its terms are told too, and stand in another table.
                save(book, claim, &reply);
            } else {
                save_by_reference(book, claim, &reply, || crate::reference::to(posted.id));
            }
            record(book, &posted, origin);
            replied(reply)
        }
        Err(refusal) => {
            let about = action.about().map(|id| id.to_string()).unwrap_or_default();
            let subject = ("transaction", about.as_str());
            refuse(book, &refusal, action.name(), subject, claim, origin, rules)
        }
    }
}

/// Many steps in one commit, one after the other. Atomic: all or none. Else each by itself, and the
/// reply tells of each.
pub(crate) fn bulk(
    book: &mut Book<'_>,
    (actions, atomic, dry_run): (&[Action], bool, bool),
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let before = (atomic || dry_run).then(|| book.ledger.clone());
    let mut results = Vec::with_capacity(actions.len());
    for (index, action) in actions.iter().enumerate() {
        match decide(book, action) {
            Err(refusal) if atomic => {
                book.ledger = before.unwrap_or_default();
                let refusal = Refusal::At {
                    index,
                    refusal: Box::new(refusal),
                };
                if dry_run {
                    book.answered_without_trace(claim);
                    return replied((rules.render)(Rendered::Refused(&refusal)));
                }
                let subject = ("bulk", "");
                return refuse(
                    book,
                    &refusal,
                    "transaction.bulk",
                    subject,
                    claim,
                    origin,
                    rules,
                );
            }
            result => results.push(result),
        }
    }
    let reply = (rules.render)(Rendered::Bulk {
        results: &results,
        dry_run,
        form: Form::Now,
    });
    if let (true, Some(before)) = (dry_run, before) {
        book.ledger = before;
        book.answered_without_trace(claim);
        return replied(reply);
    }
    for (action, result) in actions.iter().zip(&results) {
        match result {
            Ok(posted) => record(book, posted, origin),
            Err(refusal) => record_refusal(book, action, refusal, origin),
        }
    }
    book.refused |= results.iter().any(Result::is_err);
    let all: Result<Vec<_>, _> = results.iter().map(Result::as_ref).collect();
    match all {
        Ok(all) => save_by_reference(book, claim, &reply, || {
            crate::reference::to_bulk(all.iter().map(|posted| posted.id))
        }),
        Err(_refused) => save(book, claim, &reply),
    }
    replied(reply)
}

/// What may change of an account besides its counters.
pub(crate) fn change_account(
    book: &mut Book<'_>,
    (id, change): (AccountId, &AccountChange),
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let shelf = &mut book.ledger;
    let changed = match change {
        AccountChange::Freeze => ledger::freeze(shelf, id),
        AccountChange::Unfreeze => ledger::unfreeze(shelf, id),
        AccountChange::Close => ledger::close(shelf, id),
        AccountChange::SetLimits(limits) => ledger::set_limits(shelf, id, *limits),
        AccountChange::SetMetadata(metadata) => ledger::set_metadata(shelf, id, metadata.clone()),
    };
    let changed = changed.cloned();
    let text = id.to_string();
    match changed {
        Ok(account) => {
            let reply = (rules.render)(Rendered::Changed(&account));
            save(book, claim, &reply);
            book.record(
                origin,
                &Said {
                    action: change.name(),
                    subject: ("account", &text),
                    outcome: "ok",
                    reason: None,
                    delta: &[set("status", account.status.name())],
                    cause: None,
                },
            );
            replied(reply)
        }
        Err(rule) => {
            let refusal = Refusal::Change(rule);
            let subject = ("account", text.as_str());
            refuse(book, &refusal, change.name(), subject, claim, origin, rules)
        }
    }
}

/// What is kept with a transaction from now on. The record says what it was and is by their digests.
pub(crate) fn describe(
    book: &mut Book<'_>,
    (id, metadata): (TransactionId, &Option<Metadata>),
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let text = id.to_string();
    match ledger::describe(&mut book.ledger, id, metadata.clone(), book.now) {
        Ok(described) => {
            let reply = (rules.render)(Rendered::Described(&described.posted));
            save(book, claim, &reply);
            let before = digest(described.before.as_ref().map(Metadata::as_json));
            let after = digest(metadata.as_ref().map(Metadata::as_json));
            let revision = described.revision.to_string();
            book.record(
                origin,
                &Said {
                    action: METADATA_SET,
                    subject: ("transaction", &text),
                    outcome: "ok",
                    reason: None,
                    delta: &[
                        changed("metadata", &before, &after),
                        set("revision", &revision),
                    ],
                    cause: None,
                },
            );
            replied(reply)
        }
        Err(rule) => {
            let refusal = Refusal::Describe(rule);
            let subject = ("transaction", text.as_str());
            refuse(book, &refusal, METADATA_SET, subject, claim, origin, rules)
        }
    }
}

/// Nothing that happened earlier is accepted any more.
pub(crate) fn close_period(
    book: &mut Book<'_>,
    before: Timestamp,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let (subject, text) = (("period", ""), before.to_string());
    match ledger::close_period(&mut book.ledger, before, book.now) {
        Ok(()) => {
            let reply = (rules.render)(Rendered::PeriodClosed(before));
            save(book, claim, &reply);
            book.record(
                origin,
                &Said {
                    action: "period.closed",
                    subject,
                    outcome: "ok",
                    reason: None,
                    delta: &[set("closed_before", &text)],
                    cause: None,
                },
            );
            replied(reply)
        }
        Err(rule) => {
            let refusal = Refusal::Period(rule);
            refuse(
                book,
                &refusal,
                "period.closed",
                subject,
                claim,
                origin,
                rules,
            )
        }
    }
}

/// Releases what pending transactions still hold whose time is over. Those that have ended meanwhile
/// are let be.
pub(crate) fn expire(book: &mut Book<'_>, pending: &[TransactionId], origin: &Origin) -> Answer {
    for pending in pending {
        let heading = heading(book, &Saying::default(), kind_of(Step::Expiry));
        let release = NewRelease {
            heading,
            pending: *pending,
            conditions: Vec::new(),
        };
        if let Ok(posted) = ledger::expire(&mut book.ledger, release) {
            record(book, &posted, origin);
        }
    }
    Answer::Done
}

/// What is told of a step that was made, or would have been.
fn made<'b>(book: &'b Book<'_>, posted: &'b Posted, dry_run: bool) -> Rendered<'b> {
    match book.ledger.exchange(&posted.id) {
        Some(exchange) => Rendered::Exchanged {
            posted,
            exchange,
            dry_run,
        },
        None if dry_run => Rendered::WouldPost(posted),
        None => Rendered::Transaction(posted, Form::Now),
    }
}

fn decide(book: &mut Book<'_>, action: &Action) -> Result<Posted, Refusal> {
    match action {
        Action::Post(draft) => {
            let new = transaction(book, draft);
            ledger::post(&mut book.ledger, new).map_err(Refusal::Post)
        }
        Action::Settle {
            pending,
            amounts,
            last,
            exceed,
            conditions,
            said,
        } => {
            let settlement = NewSettlement {
                heading: heading(book, said, kind_of(Step::Settlement)),
                pending: *pending,
                amounts: amounts.clone(),
                last: *last,
                exceed: *exceed,
                conditions: conditions.clone(),
            };
            ledger::settle(&mut book.ledger, settlement).map_err(Refusal::Settle)
        }
        Action::Void {
            pending,
            conditions,
            said,
        } => {
            let release = NewRelease {
                heading: heading(book, said, kind_of(Step::Void)),
                pending: *pending,
                conditions: conditions.clone(),
            };
            ledger::void(&mut book.ledger, release).map_err(Refusal::Release)
        }
        Action::Reverse {
            of,
            amounts,
            conditions,
            said,
        } => {
            let reversal = NewReversal {
                heading: heading(book, said, kind_of(Step::Reversal)),
                of: *of,
                amounts: amounts.clone(),
                conditions: conditions.clone(),
            };
            ledger::reverse(&mut book.ledger, reversal).map_err(Refusal::Reverse)
        }
        Action::Exchange(swap) => {
            let new = NewExchange {
                heading: heading(book, &swap.said, Kind::Exchange),
                from: swap.from,
                to: swap.to,
                sold_to: swap.sold_to,
                bought_from: swap.bought_from,
                amount: swap.amount,
                given: swap.given,
                quote: swap.quote.clone(),
                conditions: swap.conditions.clone(),
            };
            ledger::exchange(&mut book.ledger, new).map_err(Refusal::Exchange)
        }
    }
}

fn transaction(book: &mut Book<'_>, draft: &Draft) -> NewTransaction {
    let Saying {
        external_id,
        description,
        metadata,
        effective_at,
    } = draft.said.clone();
    let id = TransactionId::from_bytes(book.ids.next(book.now));
    NewTransaction {
        pending: draft.pending.map(|expiry| expiry.pending(book.now)),
        conditions: draft.conditions.clone(),
        external_id: external_id.map(String::from),
        description: description.map(String::from),
        metadata,
        effective_at: effective_at.unwrap_or(book.now),
        ..NewTransaction::plain(id, draft.kind, draft.postings.clone(), book.now)
    }
}

/// The kind of a step that is about another transaction: the step's own name.
fn kind_of(step: Step) -> Kind {
    // A step's name is a kind's name: the default is never taken.
    Kind::parse(step.name()).unwrap_or(Kind::Transfer)
}

/// What a step says of itself.
fn heading(book: &mut Book<'_>, said: &Saying, kind: Kind) -> Heading {
    let Saying {
        external_id,
        description,
        metadata,
        effective_at,
    } = said.clone();
    let id = TransactionId::from_bytes(book.ids.next(book.now));
    Heading {
        external_id: external_id.map(String::from),
        description: description.map(String::from),
        metadata,
        effective_at: effective_at.unwrap_or(book.now),
        ..Heading::plain(id, kind, book.now)
    }
}

fn record(book: &mut Book<'_>, posted: &Posted, origin: &Origin) {
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
    let terms = book.ledger.exchange(&posted.id).map(terms);
    let expires_at = posted.expires_at.map(|at| at.to_string());
    let mut delta = vec![set("postings", &moved)];
    delta.extend(about.as_deref().map(|about| set("about", about)));
    delta.extend(terms.as_deref().map(|terms| set("exchange", terms)));
    delta.extend(expires_at.as_deref().map(|at| set("expires_at", at)));
    book.record(
        origin,
        &Said {
            action: recorded_as(posted.step),
            subject: ("transaction", &posted.id.to_string()),
            outcome: "ok",
            reason: None,
            delta: &delta,
            cause: None,
        },
    );
}

/// On which terms currencies were exchanged.
fn terms(exchange: &Exchange) -> String {
    let quote = &exchange.quote;
    let (rate, rounding, source) = (quote.rate, quote.rounding, &quote.source);
    format!("{rate} {rounding} {} {source}", quote.quoted_at)
}

/// One of many that was refused while others were not.
fn record_refusal(book: &mut Book<'_>, action: &Action, refusal: &Refusal, origin: &Origin) {
    let about = action.about().map(|id| id.to_string()).unwrap_or_default();
    book.record(
        origin,
        &Said {
            action: action.name(),
            subject: ("transaction", &about),
            outcome: "refused",
            reason: Some(crate::records::reason(refusal)),
            delta: &[],
            cause: None,
        },
    );
}

const fn recorded_as(step: Step) -> &'static str {
    match step {
        Step::Pending => "transaction.pended",
        Step::Posted => "transaction.posted",
        Step::Settlement => "transaction.settled",
        Step::Void => "transaction.voided",
        Step::Expiry => "transaction.expired",
        Step::Reversal => "transaction.reversed",
    }
}

const fn replied(reply: Reply) -> Answer {
    Answer::Replied {
        reply,
        replayed: false,
    }
}
