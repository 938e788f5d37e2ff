//! Commands: requested changes, each decided in memory by its own capability.

use std::sync::Arc;

use idempotency::{Claim, Reply};

use crate::book::Book;
use crate::shelf::Asks;
use crate::tenant::Tenant;

/// A change that can be requested. What all commands have in common (idempotency key, savepoint, reply, audit
/// record of a refusal, answer) is in [`crate::job`], once.
pub trait Command: Send + Sync + 'static {
    /// The outcome of the command.
    type Done: Send + 'static;
    /// The rule that was broken.
    type Refusal: Send + 'static;

    /// Asks for the rows that the command may read or change.
    fn asks(&self, asks: &mut Asks<'_>);

    /// Weight of the command: the number of plain commands that are about as much work.
    fn weight(&self) -> usize {
        1
    }

    /// Decides the command: changes the book, and records each change. It reads and changes nothing but the book.
    /// If it refuses, its earlier changes are undone.
    ///
    /// # Errors
    /// The first broken rule.
    fn decide(&self, book: &mut Book) -> Result<Decision<Self::Done>, Self::Refusal>;

    /// Name of the attempt and its subject, for the audit record of a refusal.
    fn attempt(&self) -> Attempt;
}

/// An outcome, and how its reply is stored with the idempotency key.
#[derive(Debug, Clone)]
pub struct Decision<T> {
    /// The outcome.
    pub done: T,
    /// How the reply is stored.
    pub keep: Keep,
}

impl<T> Decision<T> {
    /// An outcome whose reply is stored as bytes.
    pub const fn now(done: T) -> Self {
        Self {
            done,
            keep: Keep::Reply,
        }
    }
}

/// How the reply to a command is stored with its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// As bytes.
    Reply,
    /// As a reference to rows that never change. The reply can be made again from them.
    Reference(String),
    /// Later. This resource has been made, and its outcome comes in a later commit.
    Later(String),
}

/// An attempt that may be refused, as the audit log names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Name of the attempt, as `account.open`.
    pub action: &'static str,
    /// Kind of the thing that the attempt is about.
    pub kind: &'static str,
    /// Id of the thing that the attempt is about; empty if it has no id.
    pub id: String,
}

/// The reply to a refused command.
#[derive(Debug, Clone)]
pub struct RefusalReply {
    /// True if the refusal is a decision: each repetition of the request gets the same reply. False if it is a
    /// mistake in the request, which a repetition may correct.
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
    /// True for a dry run: the command is decided and answered, and nothing is stored.
    pub is_dry_run: bool,
    /// Makes the reply to an outcome. The second argument is true for a dry run. The function runs inside the
    /// lane, so it is pure and quick.
    pub show: Show<C>,
    /// Makes the reply to a refusal.
    pub show_refusal: ShowRefusal<C>,
}

/// Makes the reply to an outcome.
pub type Show<C> = fn(&<C as Command>::Done, bool) -> Reply;
/// Makes the reply to a refusal.
pub type ShowRefusal<C> = fn(&C, &<C as Command>::Refusal) -> RefusalReply;

impl<C: Command> Request<C> {
    /// A command of the system itself. Nobody reads its reply.
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
    /// The effect is committed, and the outcome is not known yet.
    InFlight {
        /// True if this request had the effect; false if an earlier one with the same key had it.
        is_first: bool,
    },
    /// The idempotency key names another request.
    KeyReused {
        /// The resource that the other request has made, if that request is not answered yet.
        resource: Option<String>,
        /// The reply to the other request.
        reply: Option<Reply>,
    },
}

/// An answer, and the outcome itself if the command was decided now.
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
