//! Where a command is decided: first what its idempotency key says, then the domain's rule, then
//! what is left behind (reply, audit record). Pure: everything it touches is the book.

use idempotency::{Claim, Look};
use ledger::{AccountId, Description, Kind, NewAccount, NewTransaction, Posting, TransactionId};
use money::Money;
use payments::{NewPayment, PaymentId, PaymentMethod};

use crate::access::Mode;
use crate::book::Book;
use crate::command::{Answer, Command, Envelope, Form, Origin, Refusal, Render, Rendered};
use crate::records::{Said, changed, set};

/// What a batch needs to know besides its commands.
pub(crate) struct Rules {
    pub(crate) render: Render,
    pub(crate) provider: payments::Provider,
}

/// Decides one command. A refused one leaves nothing for its neighbours but its saved reply.
pub(crate) fn execute(book: &mut Book<'_>, envelope: &Envelope, rules: &Rules) -> Answer {
    if let Some(claim) = &envelope.claim {
        match book.keys.look(claim) {
            Look::New => {}
            Look::InFlight => {
                return Answer::InFlight {
                    first: false,
                    payment: None,
                };
            }
            Look::Replay(reply) => {
                return Answer::Replied {
                    reply: reply.clone(),
                    replayed: true,
                };
            }
            Look::Reused { resource, reply } => {
                return Answer::KeyReused {
                    resource: resource.map(str::to_owned),
                    reply: reply.cloned(),
                };
            }
        }
    }
    let origin = &envelope.origin;
    let claim = envelope.claim.as_ref();
    match &envelope.command {
        Command::Provision { mode, key } => provision(book, *mode, key.as_ref(), origin),
        Command::RegisterAsset(new) => {
            crate::register::register_asset(book, new, claim, origin, rules)
        }
        Command::OpenAccount(new) => open_account(book, new, claim, origin, rules),
        Command::Transfer {
            from,
            to,
            money,
            description,
        } => {
            let description = description.clone();
            transfer(
                book,
                (*from, *to),
                *money,
                description,
                claim,
                origin,
                rules,
            )
        }
        Command::Import {
            books,
            on_known,
            dry_run,
        } => {
            let how = (*on_known, *dry_run);
            crate::import::import(book, books, how, claim, origin, rules)
        }
        Command::Transact { action, dry_run } => {
            crate::transact::transact(book, action, *dry_run, claim, origin, rules)
        }
        Command::Bulk {
            actions,
            atomic,
            dry_run,
        } => crate::transact::bulk(book, (actions, *atomic, *dry_run), claim, origin, rules),
        Command::ChangeAccount { id, change } => {
            crate::transact::change_account(book, (*id, change), claim, origin, rules)
        }
        Command::Describe { id, metadata } => {
            crate::transact::describe(book, (*id, metadata), claim, origin, rules)
        }
        Command::ClosePeriod { before } => {
            crate::transact::close_period(book, *before, claim, origin, rules)
        }
        Command::Expire { pending } => crate::transact::expire(book, pending, origin),
        Command::CreatePayment(new) => create_payment(book, new, claim, origin, rules),
        Command::ConfirmPayment { id, payment_method } => {
            confirm_payment(book, *id, payment_method.clone(), claim, origin, rules)
        }
        Command::AnswerNow { key, payment } => {
            crate::outcome::answer_now(book, key, *payment, origin, rules)
        }
        Command::RecordOutcome {
            operation,
            epoch,
            fact,
            answer,
        } => {
            let heard = crate::outcome::Answered {
                fact,
                answer: answer.as_deref(),
            };
            crate::outcome::from_worker(book, (*operation, *epoch), &heard, origin, rules)
        }
        Command::LeaseDue { .. } => crate::outcome::lease_due(book, origin, rules),
        Command::ReceiveWebhook { event, fact } => {
            crate::webhook::receive(book, event, fact.as_ref(), origin, rules)
        }
        Command::QuarantineWebhook { event } => crate::webhook::quarantine(book, event, origin),
        Command::ApplyParked { .. } => crate::webhook::apply_parked(book, origin, rules),
    }
}

fn provision(
    book: &mut Book<'_>,
    mode: Mode,
    key: Option<&([u8; 32], String)>,
    origin: &Origin,
) -> Answer {
    let provisioned = book.access.provision(book.tenant, mode, key, book.now);
    let changed = match provisioned {
        Ok(changed) => changed,
        Err(other) => return Answer::OtherMode(other),
    };
    if changed {
        let name = book.tenant.name.clone();
        let label = key.map_or("", |(_, label)| label.as_str());
        book.record(
            origin,
            &Said {
                action: "tenant.provisioned",
                subject: ("tenant", &name),
                outcome: "ok",
                reason: None,
                delta: &[set("mode", mode.name()), set("api_key", label)],
                cause: None,
            },
        );
    }
    Answer::Done
}

fn open_account(
    book: &mut Book<'_>,
    new: &NewAccount,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let id = AccountId::from_bytes(book.ids.next(book.now));
    let opened = ledger::open(&mut book.ledger, id, new.clone(), book.now);
    let account = match opened {
        Ok(account) => account.clone(),
        Err(rule) => {
            let refusal = Refusal::Open(rule);
            let subject = ("account_code", new.code.as_str());
            return refuse(
                book,
                &refusal,
                "account.open",
                subject,
                claim,
                origin,
                rules,
            );
        }
    };
    let reply = (rules.render)(Rendered::Account(&account));
    save(book, claim, &reply);
    book.record(
        origin,
        &Said {
            action: "account.opened",
            subject: ("account", &account.id.to_string()),
            outcome: "ok",
            reason: None,
            delta: &[
                set("code", &account.code),
                set("currency", &account.currency.stored()),
            ],
            cause: None,
        },
    );
    Answer::Replied {
        reply,
        replayed: false,
    }
}

fn transfer(
    book: &mut Book<'_>,
    (from, to): (AccountId, AccountId),
    money: Money,
    description: Option<Description>,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let id = TransactionId::from_bytes(book.ids.next(book.now));
    // A wallet is a liability: paying out of it debits it.
    let posting = Posting {
        debit: from,
        credit: to,
        amount: money.amount,
        currency: money.currency,
    };
    let transaction = NewTransaction {
        description: description.map(String::from),
        ..NewTransaction::plain(id, Kind::Transfer, vec![posting], book.now)
    };
    let posted = match ledger::post(&mut book.ledger, transaction) {
        Ok(posted) => posted,
        Err(rule) => {
            let refusal = Refusal::Transfer { from, rule };
            let subject = ("account", from.to_string());
            let subject = (subject.0, subject.1.as_str());
            return refuse(
                book,
                &refusal,
                "transfer.post",
                subject,
                claim,
                origin,
                rules,
            );
        }
    };
    let reply = (rules.render)(Rendered::Transfer(&posted, Form::Now));
    save_by_reference(book, claim, &reply, || crate::reference::to(posted.id));
    let currency = money.currency.stored();
    let moved = format!("{from} {to} {} {currency}", money.amount.get());
    book.record(
        origin,
        &Said {
            action: "transfer.posted",
            subject: ("transaction", &posted.id.to_string()),
            outcome: "ok",
            reason: None,
            delta: &[set("postings", &moved)],
            cause: None,
        },
    );
    Answer::Replied {
        reply,
        replayed: false,
    }
}

fn create_payment(
    book: &mut Book<'_>,
    new: &NewPayment,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let key = claim.map_or("", |claim| claim.key.as_str());
    let made = payments::create(
        &mut book.payments,
        new.clone(),
        key,
        &rules.provider,
        book.ids,
        book.now,
    );
    let payment = match made {
        Ok(payment) => payment,
        Err(rule) => {
            let refusal = Refusal::Confirm(rule);
            let subject = ("payment", "");
            return refuse(
                book,
                &refusal,
                "payment.create",
                subject,
                claim,
                origin,
                rules,
            );
        }
    };
    let id = payment.id.to_string();
    let amount = payment.money.amount.get().to_string();
    book.record(
        origin,
        &Said {
            action: "payment.created",
            subject: ("payment", &id),
            outcome: "ok",
            reason: None,
            delta: &[
                set("amount", &amount),
                set("currency", payment.money.currency.code()),
                set("status", payment.state.name()),
            ],
            cause: None,
        },
    );
    if new.confirm {
        begin(book, claim, id);
        return Answer::InFlight {
            first: true,
            payment: Some(payment.id),
        };
    }
    let reply = (rules.render)(Rendered::Payment(&payment));
    save(book, claim, &reply);
    Answer::Replied {
        reply,
        replayed: false,
    }
}

fn confirm_payment(
    book: &mut Book<'_>,
    id: PaymentId,
    payment_method: Option<PaymentMethod>,
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let key = claim.map_or("", |claim| claim.key.as_str());
    let before = book
        .payments
        .payment(&id)
        .map_or("", |payment| payment.state.name());
    let confirmed = payments::confirm(
        &mut book.payments,
        id,
        payment_method,
        key,
        &rules.provider,
        book.ids,
        book.now,
    );
    let text = id.to_string();
    let payment = match confirmed {
        Ok(payment) => payment,
        Err(rule) => {
            let refusal = Refusal::Confirm(rule);
            let subject = ("payment", text.as_str());
            return refuse(
                book,
                &refusal,
                "payment.confirm",
                subject,
                claim,
                origin,
                rules,
            );
        }
    };
    book.record(
        origin,
        &Said {
            action: "payment.confirmed",
            subject: ("payment", &text),
            outcome: "ok",
            reason: None,
            delta: &[changed("status", before, payment.state.name())],
            cause: None,
        },
    );
    begin(book, claim, text);
    Answer::InFlight {
        first: true,
        payment: Some(id),
    }
}

/// Answers a refusal. One that is a decision is saved with its key and recorded.
pub(crate) fn refuse(
    book: &mut Book<'_>,
    refusal: &Refusal,
    action: &str,
    subject: (&str, &str),
    claim: Option<&Claim>,
    origin: &Origin,
    rules: &Rules,
) -> Answer {
    let reply = (rules.render)(Rendered::Refused(refusal));
    if !refusal.is_saved() {
        book.answered_without_trace(claim);
    } else {
        book.refused = true;
        save(book, claim, &reply);
        let reason = crate::records::reason(refusal);
        book.record(
            origin,
            &Said {
                action,
                subject,
                outcome: "refused",
                reason: Some(reason),
                delta: &[],
                cause: None,
            },
        );
    }
    Answer::Replied {
        reply,
        replayed: false,
    }
}

pub(crate) fn save(book: &mut Book<'_>, claim: Option<&Claim>, reply: &idempotency::Reply) {
    if let Some(claim) = claim {
        book.keys.save(claim.clone(), reply.clone(), book.now);
    }
}

/// Only what the reply is made from is kept: what was posted never changes, so that it can be made again.
pub(crate) fn save_by_reference(
    book: &mut Book<'_>,
    claim: Option<&Claim>,
    reply: &idempotency::Reply,
    resource: impl FnOnce() -> String,
) {
    if let Some(claim) = claim {
        book.keys
            .save_reference(claim.clone(), reply.clone(), resource(), book.now);
    }
}

fn begin(book: &mut Book<'_>, claim: Option<&Claim>, resource: String) {
    if let Some(claim) = claim {
        book.keys.begin(claim.clone(), resource, book.now);
    }
}
