//! Commands: changes that are asked for, each decided in memory by its own capability.

use std::sync::Arc;

use idempotency::{Claim, Reply};

use crate::book::Book;
use crate::shelf::Asks;
use crate::tenant::Tenant;

/// A change that can be asked for. Everything that is the same for all of them (idempotency key, savepoint,
/// reply, audit record of a refusal, answer) stands in [`crate::job`], once.
pub trait Command: Send + Sync + 'static {
    /// The outcome of the command.
    type Done: Send + 'static;
    /// The rule that refuses it.
    type Refusal: Send + 'static;

    /// Asks for the rows that the command may read or change.
    fn asks(&self, asks: &mut Asks<'_>);

    /// Number of plain commands that are about as much work.
    fn weight(&self) -> usize {
        1
    }

    /// Decides the command: changes the book, and records each change. It is pure but for the book. What it has
    /// changed before it refuses is undone.
    ///
    /// # Errors
    /// The first broken rule.
    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Self::Refusal>;

    /// Name of the attempt and its subject, for the audit record of a refusal.
    fn attempt(&self) -> Attempt;
}

/// An outcome, and how the reply to it is kept with its idempotency key.
#[derive(Debug, Clone)]
pub struct Decision<T> {
    /// The outcome.
    pub done: T,
    /// The way in which the reply is kept.
    pub keep: Keep,
}

impl<T> Decision<T> {
    /// An outcome of which the reply is kept as it is.
    pub const fn now(done: T) -> Self {
        Self {
            done,
            keep: Keep::Reply,
        }
    }
}

/// How the reply to a command is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// As bytes.
    Reply,
    /// As a reference to what the reply can be made again from, because that never changes.
    Reference(String),
    /// Not yet: this resource has been made, and its outcome comes in a later commit.
    Later(String),
}

/// An attempt that may be refused, as the audit log names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Name of the attempt, as `account.open`.
    pub action: &'static str,
    /// Kind of the thing that it is about.
    pub kind: &'static str,
    /// Id of the thing that it is about; empty if it has none.
    pub id: String,
}

/// A refusal, as it is told.
#[derive(Debug, Clone)]
pub struct RefusalReply {
    /// True if it is a decision that every repetition of the request hears again. False if it is a mistake in
    /// the request, which a repetition may mend.
    pub is_kept: bool,
    /// Code of the rule, for the audit log.
    pub reason: &'static str,
    /// The reply.
    pub reply: Reply,
}

/// A command on its way to the lane.
pub struct Request<C: Command> {
    /// The tenant whose books are changed.
    pub tenant: Tenant,
    /// The command.
    pub command: C,
    /// The idempotency key and fingerprint, if the request has a key.
    pub claim: Option<Claim>,
    /// The author, for the audit log.
    pub origin: Origin,
    /// True if the command is only tried: it is decided and answered, and leaves nothing.
    pub is_dry_run: bool,
    /// Makes the reply to an outcome; the second argument is true for a dry run. It runs inside the lane: pure
    /// and quick.
    pub show: Show<C>,
    /// Makes the reply to a refusal.
    pub show_refusal: ShowRefusal<C>,
}

/// Makes the reply to an outcome.
pub type Show<C> = fn(&<C as Command>::Done, bool) -> Reply;
/// Makes the reply to a refusal.
pub type ShowRefusal<C> = fn(&C, &<C as Command>::Refusal) -> RefusalReply;

impl<C: Command> Request<C> {
    /// A command of the system, outside of any request: nobody reads a reply to it.
    #[must_use]
    pub fn of_system(tenant: Tenant, author: &'static str, command: C) -> Self {
        Self {
            tenant,
            command,
            claim: None,
            origin: Origin {
                kind: "system",
                id: author.into(),
                request: None,
            },
            is_dry_run: false,
            show: |_done, _is_dry_run| NO_REPLY,
            show_refusal: |_command, _refusal| RefusalReply {
                is_kept: false,
                reason: "refused",
                reply: NO_REPLY,
            },
        }
    }
}

impl<C: Command + Clone> Clone for Request<C> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            command: self.command.clone(),
            claim: self.claim.clone(),
            origin: self.origin.clone(),
            ..*self
        }
    }
}

const NO_REPLY: Reply = Reply {
    status: 0,
    body: Vec::new(),
};

/// The author of a command, for the audit log.
#[derive(Debug, Clone)]
pub struct Origin {
    /// `api_key`, `provider` or `system`.
    pub kind: &'static str,
    /// Id of the author.
    pub id: Arc<str>,
    /// Id of the request.
    pub request: Option<String>,
}

/// An answer to a request, once it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The command was decided.
    Replied {
        /// The reply.
        reply: Reply,
        /// True if an earlier request with the same key got this reply.
        is_replay: bool,
    },
    /// The effect is committed, its outcome is not known yet.
    InFlight {
        /// True if this very request had the effect.
        is_first: bool,
    },
    /// The idempotency key names another request.
    KeyReused {
        /// The thing that the other request has made, if it is not answered yet.
        resource: Option<String>,
        /// The reply to the other request.
        reply: Option<Reply>,
    },
}

/// An answer, and the outcome itself if it was decided now.
pub struct Outcome<C: Command> {
    /// The answer.
    pub answer: Answer,
    /// The outcome; `None` if an earlier request was answered, or the key names another one.
    pub decided: Option<Result<C::Done, C::Refusal>>,
}

impl<C: Command> Outcome<C> {
    /// The outcome of a request without an idempotency key, which is always decided now.
    #[must_use]
    pub fn done(self) -> Option<C::Done> {
        self.decided?.ok()
    }
}
