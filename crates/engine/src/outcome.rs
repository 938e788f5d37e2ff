//! What becomes of a payment after its intent was committed: outcomes, leases, early answers.

use idempotency::Key;
use ledger::AccountId;
use payments::{Fact, OperationId, OutcomeError, PaymentId, Recorded};
use webhooks::Event;

use crate::book::Book;
use crate::command::{Answer, Origin, Rendered};
use crate::execute::Rules;
use crate::records::{Said, changed, set};

/// How long an operation rests after the provider contradicted itself: a person has to look.
const REST_SECONDS: i64 = 3_600;

/// What a worker has heard.
pub(crate) struct Answered<'a> {
    pub(crate) fact: &'a Fact,
    /// The answer that said it, where there was one.
    pub(crate) answer: Option<&'a Event>,
}

/// A worker has heard from the provider, under a lease of an operation.
pub(crate) fn from_worker(
    book: &mut Book<'_>,
    (id, epoch): (OperationId, i32),
    heard: &Answered<'_>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    match record(book, id, Some(epoch), heard.fact, origin, rules) {
        Ok(_) => match (heard.fact, heard.answer) {
            (Fact::Unknown { .. }, Some(answer)) => {
                put_aside(
                    book,
                    id,
                    answer,
                    "cannot be right, whatever is known",
                    origin,
                );
            }
            (Fact::Succeeded { .. } | Fact::Failed { .. } | Fact::Unknown { .. }, _) => {}
        },
        // Another worker holds the lease: it will find out by itself.
        Err(OutcomeError::StaleLease { .. } | OutcomeError::NotFound) => {}
        Err(
            error @ (OutcomeError::Contradiction { .. }
            | OutcomeError::WrongAmount { .. }
            | OutcomeError::WrongPayment
            | OutcomeError::WrongMethod
            | OutcomeError::SecondCharge { .. }
            | OutcomeError::ChargeOfAnother { .. }
            | OutcomeError::OtherDeclineCode
            | OutcomeError::Ledger(_)),
        ) => {
            tracing::error!(operation = %id, %error, "a provider's answer cannot be right");
            metrics::counter!("florin_provider_answers_refused_total").increment(1);
            if let Some(answer) = heard.answer {
                put_aside(book, id, answer, error.rule(), origin);
            }
            let retry_at = book.now.plus_seconds(REST_SECONDS);
            let unknown = Fact::Unknown { retry_at };
            let _known = record(book, id, Some(epoch), &unknown, origin, rules);
        }
    }
    Answer::Done
}

/// Keeps an answer for a person to look at, once.
fn put_aside(
    book: &mut Book<'_>,
    id: OperationId,
    answer: &Event,
    reason: &'static str,
    origin: &Origin,
) {
    if book.inbox.quarantine(answer, reason) {
        metrics::counter!("florin_provider_answers_quarantined_total").increment(1);
        book.record(
            origin,
            &Said {
                action: "provider.answered",
                subject: (
                    "provider_answer",
                    &webhooks::check::name(&answer.provider, &answer.id),
                ),
                outcome: "quarantined",
                reason: Some(reason),
                delta: &[],
                cause: Some(&id.to_string()),
            },
        );
    }
}

/// Believes a fact, answers the request that waits for it, and leaves a record.
pub(crate) fn record(
    book: &mut Book<'_>,
    id: OperationId,
    epoch: Option<i32>,
    fact: &Fact,
    origin: &Origin,
    rules: &Rules,
) -> Result<Recorded, OutcomeError> {
    let posted_before = book.ledger.posted().len();
    let opened_before = ids_of(&book.ledger);
    let recorded = payments::record_outcome(
        &mut book.payments,
        &mut book.ledger,
        id,
        epoch,
        fact,
        book.ids,
        book.now,
    );
    record_opened(book, &opened_before, origin);
    let recorded = recorded?;
    let (payment, action) = match &recorded {
        Recorded::Known => return Ok(recorded),
        Recorded::Settled(payment) if payment.decline_code.is_some() => {
            (payment, "payment.declined")
        }
        Recorded::Settled(payment) => (payment, "payment.succeeded"),
        Recorded::Open(payment) => (payment, "payment.outcome_unknown"),
    };
    let reply = (rules.render)(Rendered::Payment(payment));
    book.settle(&payment.idempotency_key, reply);
    let transaction = book
        .ledger
        .posted()
        .get(posted_before)
        .map(|posted| posted.id.to_string());
    let captured = payment.captured.to_string();
    let mut delta = vec![changed("status", "processing", payment.state.name())];
    if let Some(transaction) = &transaction {
        delta.push(changed("captured", "0", &captured));
        delta.push(set("transaction", transaction));
    }
    book.record(
        origin,
        &Said {
            action,
            subject: ("payment", &payment.id.to_string()),
            outcome: if payment.decline_code.is_some() {
                "declined"
            } else {
                "ok"
            },
            reason: payment.decline_code.as_deref(),
            delta: &delta,
            cause: Some(&id.to_string()),
        },
    );
    Ok(recorded)
}

fn ids_of(books: &ledger::Shelf) -> Vec<AccountId> {
    books.opened().iter().map(|account| account.id).collect()
}

/// The accounts that a first payment in a currency has opened.
fn record_opened(book: &mut Book<'_>, before: &[AccountId], origin: &Origin) {
    let opened = book
        .ledger
        .opened()
        .into_iter()
        .filter(|account| !before.contains(&account.id));
    let opened: Vec<_> = opened
        .map(|account| {
            (
                account.id.to_string(),
                account.code.clone(),
                account.currency,
            )
        })
        .collect();
    for (id, code, currency) in opened {
        book.record(
            origin,
            &Said {
                action: "account.opened",
                subject: ("account", &id),
                outcome: "ok",
                reason: None,
                delta: &[set("code", &code), set("currency", currency.code())],
                cause: None,
            },
        );
    }
}

/// Nobody waits any longer: the request is answered with the payment as it stands.
pub(crate) fn answer_now(
    book: &mut Book<'_>,
    key: &Key,
    id: PaymentId,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    if let Some(reply) = book.keys.reply(key) {
        return Answer::Replied {
            reply: reply.clone(),
            replayed: false,
        };
    }
    let Some(payment) = book.payments.payment(&id).cloned() else {
        return Answer::Done;
    };
    let reply = (rules.render)(Rendered::Payment(&payment));
    book.keys.settle(key, reply.clone());
    book.record(
        origin,
        &Said {
            action: "payment.answered_early",
            subject: ("payment", &id.to_string()),
            outcome: "ok",
            reason: None,
            delta: &[],
            cause: None,
        },
    );
    Answer::Replied {
        reply,
        replayed: false,
    }
}

/// Takes over what a dead worker has left.
pub(crate) fn lease_due(book: &mut Book<'_>, origin: &Origin, rules: &Rules) -> Answer {
    let leased = payments::lease(&mut book.payments, book.now, rules.provider.lease_millis);
    for operation in &leased {
        let epoch = operation.lease_epoch.to_string();
        book.record(
            origin,
            &Said {
                action: "operation.leased",
                subject: ("operation", &operation.id.to_string()),
                outcome: "ok",
                reason: None,
                delta: &[set("lease_epoch", &epoch)],
                cause: None,
            },
        );
    }
    Answer::Leased(leased)
}
