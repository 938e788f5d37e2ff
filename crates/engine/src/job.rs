//! The steps that are the same for every command, in this order:
//!
//! 1. **key**: a request that was sent before gets the same answer again;
//! 2. **savepoint**: a refused command, or a dry run, changes nothing;
//! 3. **decide**: the capability's own rule;
//! 4. **show**: the reply is made;
//! 5. **record**: a refusal that is a decision leaves an audit record (the command has recorded the rest);
//! 6. **keep**: the reply is stored with its key;
//! 7. **answer**: after the commit of the batch, and not before.

use idempotency::{Claim, KeyState};
use store::rows::Savepoint as _;
use tokio::sync::oneshot;

use crate::audit::AuditEvent;
use crate::book::Book;
use crate::command::{Answer, Command, Decision, Keep, Origin, Outcome, Request};
use crate::lane::LaneError;
use crate::shelf::Asks;
use crate::tenant::Tenant;

/// A request as the lane sees it, without the type of its command.
pub(crate) trait Job: Send {
    fn tenant(&self) -> &Tenant;
    fn weight(&self) -> usize;
    fn asks(&self, asks: &mut Asks<'_>);
    /// Decides the command in memory. A second decision replaces the first.
    fn decide(&mut self, book: &mut Book);
    /// Sends the outcome of the batch to the caller that waits.
    fn end(self: Box<Self>, outcome: Result<(), LaneError>);
}

/// A request, and the channel to the caller that waits for its outcome.
pub(crate) struct QueuedRequest<C: Command> {
    request: Request<C>,
    outcome: Option<Outcome<C>>,
    waiter: oneshot::Sender<Result<Outcome<C>, LaneError>>,
}

impl<C: Command> QueuedRequest<C> {
    pub(crate) const fn new(
        request: Request<C>,
        waiter: oneshot::Sender<Result<Outcome<C>, LaneError>>,
    ) -> Self {
        Self {
            request,
            outcome: None,
            waiter,
        }
    }
}

impl<C: Command> Job for QueuedRequest<C> {
    fn tenant(&self) -> &Tenant {
        &self.request.tenant
    }

    fn weight(&self) -> usize {
        self.request.command.weight()
    }

    fn asks(&self, asks: &mut Asks<'_>) {
        if let (Some(claim), Some(keys)) = (&self.request.claim, asks.of::<idempotency::Shelf>()) {
            keys.claimed.push(claim.key.clone());
        }
        self.request.command.asks(asks);
    }

    fn decide(&mut self, book: &mut Book) {
        self.outcome = Some(decide(book, &self.request));
    }

    fn end(self: Box<Self>, outcome: Result<(), LaneError>) {
        let Self {
            outcome: decided,
            waiter,
            ..
        } = *self;
        let told = outcome.and_then(|()| decided.ok_or(LaneError::Failed));
        // The caller may be gone. The commit is valid all the same.
        let _gone = waiter.send(told);
    }
}

fn decide<C: Command>(book: &mut Book, request: &Request<C>) -> Outcome<C> {
    let claim = request.claim.as_ref();
    if let Some(answer) = claim.and_then(|claim| known(book, claim)) {
        return Outcome {
            answer,
            decided: None,
        };
    }
    book.begin(&request.origin);
    let decided = request.command.decide(book);
    if request.is_dry_run || decided.is_err() {
        book.undo();
    } else {
        book.release();
    }
    let (reply, decided) = match decided {
        Ok(Decision { done, keep }) => {
            let reply = (request.show)(&done, request.is_dry_run);
            if request.is_dry_run {
                book.answered_without_trace(claim);
            } else if save(book, claim, &reply, keep) == ReplyTime::Later {
                return Outcome {
                    answer: Answer::InFlight { is_first: true },
                    decided: Some(Ok(done)),
                };
            }
            (reply, Ok(done))
        }
        Err(refusal) => {
            let told = (request.show_refusal)(&request.command, &refusal);
            if told.is_kept && !request.is_dry_run {
                book.refused = true;
                save(book, claim, &told.reply, Keep::Reply);
                let attempt = request.command.attempt();
                book.record(&AuditEvent {
                    action: attempt.action,
                    subject: (attempt.kind, &attempt.id),
                    outcome: "refused",
                    reason: Some(told.reason),
                    delta: &[],
                    cause: None,
                });
            } else {
                book.answered_without_trace(claim);
            }
            (told.reply, Err(refusal))
        }
    };
    Outcome {
        answer: Answer::Replied {
            reply,
            is_replay: false,
        },
        decided: Some(decided),
    }
}

/// The answer to a request whose key is known.
fn known(book: &Book, claim: &Claim) -> Option<Answer> {
    match book.keys()?.look(claim, book.oldest_key()) {
        KeyState::New => None,
        KeyState::InFlight => Some(Answer::InFlight { is_first: false }),
        KeyState::Replay(reply) => Some(Answer::Replied {
            reply: reply.clone(),
            is_replay: true,
        }),
        KeyState::Reused { resource, reply } => Some(Answer::KeyReused {
            resource: resource.map(str::to_owned),
            reply: reply.cloned(),
        }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReplyTime {
    Now,
    Later,
}

fn save(
    book: &mut Book,
    claim: Option<&Claim>,
    reply: &idempotency::Reply,
    keep: Keep,
) -> ReplyTime {
    let now = book.now;
    if let (Some(claim), Some(keys)) = (claim.cloned(), book.keys_mut()) {
        match &keep {
            Keep::Reply => keys.save(claim, reply.clone(), now),
            Keep::Reference(resource) => {
                keys.save_reference(claim, reply.clone(), resource.clone(), now);
            }
            Keep::Later(resource) => keys.begin(claim, resource.clone(), now),
        }
    }
    match keep {
        Keep::Reply | Keep::Reference(_) => ReplyTime::Now,
        Keep::Later(_) => ReplyTime::Later,
    }
}

impl Book {
    /// Begins the decision of a command of this author. Every later change can be undone.
    fn begin(&mut self, origin: &Origin) {
        self.origin = origin.clone();
        self.shelves.mark();
        self.leaves.mark();
        self.after.mark();
    }

    fn undo(&mut self) {
        self.shelves.undo();
        self.leaves.undo();
        self.after.undo();
    }

    fn release(&mut self) {
        self.shelves.release();
        self.leaves.release();
        self.after.release();
    }

    /// Decides a part of a command. A part can be refused without the rest; it then changes nothing.
    ///
    /// # Errors
    /// The error of the part.
    pub fn try_part<T, E>(&mut self, part: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.shelves.mark();
        self.leaves.mark();
        self.after.mark();
        let outcome = part(self);
        if outcome.is_ok() {
            self.release();
        } else {
            self.undo();
        }
        outcome
    }
}
