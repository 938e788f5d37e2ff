//! What may be asked of the lane, and what it answers.

use std::sync::Arc;

use idempotency::{Claim, Key, Reply};
use ledger::{
    Account, AccountId, Import, Imported, Misfit, NewAccount, OpenError, PostError, Posted,
};
use money::Money;
use payments::{ConfirmError, Fact, NewPayment, Operation, OperationId, Payment, PaymentId};
use webhooks::Event;

use crate::access::Tenant;

/// A change that is asked for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Make sure that the tenant exists, and that this key may act for it.
    Provision {
        /// SHA-256 of an API key, and what to call it.
        key: Option<([u8; 32], String)>,
    },
    /// Open an account.
    OpenAccount(NewAccount),
    /// Move money from wallet to wallet.
    Transfer {
        /// Who pays.
        from: AccountId,
        /// Who is paid.
        to: AccountId,
        /// How much.
        money: Money,
        /// For people.
        description: Option<String>,
    },
    /// Take over books from elsewhere, all of them or nothing.
    Import {
        /// What they are.
        books: Arc<Import>,
        /// Whether only to say what would become of it.
        dry_run: bool,
    },
    /// Make a payment.
    CreatePayment(NewPayment),
    /// Go to the provider with a payment.
    ConfirmPayment {
        /// Which.
        id: PaymentId,
        /// How the payer pays, if that is new.
        payment_method: Option<String>,
    },
    /// Answer the request that made or confirmed a payment as it stands: nobody waits any longer.
    AnswerNow {
        /// The request.
        key: Key,
        /// Its payment.
        payment: PaymentId,
    },
    /// What a worker heard from the provider.
    RecordOutcome {
        /// Of which operation.
        operation: OperationId,
        /// Under which lease.
        epoch: i32,
        /// What it said.
        fact: Fact,
    },
    /// Take over operations whose worker has died.
    LeaseDue {
        /// At most so many.
        limit: i64,
    },
    /// A webhook whose signature was verified.
    ReceiveWebhook {
        /// What was received.
        event: Event,
        /// What it says of which operation (by provider key), if it means anything to us.
        fact: Option<(String, Fact)>,
    },
    /// A webhook with a right signature over something that is no event.
    QuarantineWebhook {
        /// What was received; its id is made from its bytes.
        event: Event,
    },
    /// Try again what arrived before its cause.
    ApplyParked {
        /// By what the events are about (provider keys), whose cause is now here.
        references: Vec<String>,
    },
}

/// A command on its way into the lane.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// For whom.
    pub tenant: Tenant,
    /// What.
    pub command: Command,
    /// The request's wish to have one effect only.
    pub claim: Option<Claim>,
    /// Who asks.
    pub origin: Origin,
}

/// Who asks, for the audit log.
#[derive(Debug, Clone)]
pub struct Origin {
    /// `api_key`, `provider` or `system`.
    pub kind: &'static str,
    /// Which.
    pub id: Arc<str>,
    /// The request's id.
    pub request: Option<String>,
}

/// What the lane answers once it has committed.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The command was decided.
    Replied {
        /// What to answer.
        reply: Reply,
        /// Whether it was answered before.
        replayed: bool,
    },
    /// The effect is committed, its outcome is not known yet.
    InFlight {
        /// Whether this very command had the effect.
        first: bool,
        /// The payment, where this command made or confirmed it.
        payment: Option<PaymentId>,
    },
    /// The idempotency key names another request.
    KeyReused {
        /// What that one has made, if it is not answered yet.
        resource: Option<String>,
        /// What that one was answered.
        reply: Option<Reply>,
    },
    /// What became of a webhook.
    Webhook(WebhookAnswer),
    /// Operations now leased to the caller.
    Leased(Vec<Operation>),
    /// Nothing was imported, because of these.
    Misfits(Vec<Misfit>),
    /// There is nothing to say.
    Done,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// It took effect.
    Applied,
    /// It was known.
    Duplicate,
    /// It arrived before its cause.
    Parked,
    /// Its type means nothing to us.
    Stored,
    /// It cannot be right: kept for a person.
    Quarantined,
}

/// Why a command was refused, by the rule of one of the domain crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No account was opened.
    Open(OpenError),
    /// Nothing was moved.
    Transfer {
        /// Who was to pay; an account that a rule names and that is not this one was to be paid.
        from: AccountId,
        /// The ledger's rule.
        rule: PostError,
    },
    /// No payment was made or confirmed.
    Confirm(ConfirmError),
}

impl Refusal {
    /// Whether the refusal is a decision about this request, which a retry must hear again, and not
    /// a mistake in it, which a retry may mend.
    #[must_use]
    pub const fn is_saved(&self) -> bool {
        match self {
            Self::Open(OpenError::CodeTaken { .. })
            | Self::Transfer {
                rule:
                    PostError::ExternalIdTaken { .. }
                    | PostError::AccountFrozen { .. }
                    | PostError::AccountClosed { .. }
                    | PostError::PeriodClosed { .. }
                    | PostError::VersionMismatch { .. }
                    | PostError::Overflow { .. }
                    | PostError::InsufficientFunds { .. }
                    | PostError::CeilingExceeded { .. }
                    | PostError::ConditionFailed { .. },
                ..
            }
            | Self::Confirm(ConfirmError::WrongState { .. }) => true,
            Self::Transfer {
                rule:
                    PostError::NoPostings
                    | PostError::TooManyPostings
                    | PostError::SameAccount { .. }
                    | PostError::ConditionElsewhere { .. }
                    | PostError::ExpiresTooSoon { .. }
                    | PostError::AccountNotFound { .. }
                    | PostError::CurrencyMismatch { .. },
                ..
            }
            | Self::Confirm(ConfirmError::NotFound | ConfirmError::NoPaymentMethod) => false,
        }
    }
}

/// What a reply is made from.
#[derive(Debug, Clone, Copy)]
pub enum Rendered<'a> {
    /// An account was opened.
    Account(&'a Account),
    /// A transfer was posted.
    Transfer(&'a Posted),
    /// Books were taken over.
    Imported(&'a Imported),
    /// A payment as it stands.
    Payment(&'a Payment),
    /// The command was refused.
    Refused(&'a Refusal),
}

/// Makes a reply. It runs inside the lane: pure and quick.
pub type Render = fn(Rendered<'_>) -> Reply;
