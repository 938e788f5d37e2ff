//! What may be asked of the lane, and what it answers.

use std::sync::Arc;

use idempotency::{Claim, Key, Reply};
use ledger::{
    Account, AccountId, Asset, ChangeError, DescribeError, Description, Exchange, ExchangeError,
    Import, Imported, Metadata, Misfit, NewAccount, NewAsset, OnKnown, OpenError, PeriodError,
    PostError, Posted, RegisterError, ReleaseError, ReverseError, SettleError, TransactionId,
};
use money::Money;
use payments::{
    ConfirmError, Fact, NewPayment, Operation, OperationId, Payment, PaymentId, PaymentMethod,
};
use store::Timestamp;
use webhooks::Event;

use crate::access::{Mode, Tenant};
use crate::action::{AccountChange, Action};

/// A change that is asked for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Make sure that the books have begun in this mode, that the tenant exists, and that this key may
    /// act for it.
    Provision {
        /// Whether the money is real.
        mode: Mode,
        /// SHA-256 of an API key, and what to call it.
        key: Option<([u8; 32], String)>,
    },
    /// Register a custom asset.
    RegisterAsset(NewAsset),
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
        description: Option<Description>,
    },
    /// Take over books from elsewhere, all of them or nothing.
    Import {
        /// What they are.
        books: Arc<Import>,
        /// What becomes of what is there already.
        on_known: OnKnown,
        /// Whether only to say what would become of it.
        dry_run: bool,
    },
    /// One step of the books.
    Transact {
        /// Which.
        action: Action,
        /// Whether it is only asked what would happen.
        dry_run: bool,
    },
    /// Many steps in one commit, each seeing those before it.
    Bulk {
        /// Which, in order.
        actions: Vec<Action>,
        /// All or none; else each by itself.
        atomic: bool,
        /// Whether it is only asked what would happen.
        dry_run: bool,
    },
    /// Change an account, not its counters.
    ChangeAccount {
        /// Which.
        id: AccountId,
        /// What.
        change: AccountChange,
    },
    /// Replace what is kept with a transaction.
    Describe {
        /// Which.
        id: TransactionId,
        /// What is kept with it from now on.
        metadata: Option<Metadata>,
    },
    /// Accept nothing any more that happened before this moment.
    ClosePeriod {
        /// The earliest moment that stays open.
        before: Timestamp,
    },
    /// Release what these hold, if their time is over.
    Expire {
        /// Pending transactions.
        pending: Vec<TransactionId>,
    },
    /// Make a payment.
    CreatePayment(NewPayment),
    /// Go to the provider with a payment.
    ConfirmPayment {
        /// Which.
        id: PaymentId,
        /// How the payer pays, if that is new.
        payment_method: Option<PaymentMethod>,
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
        /// The answer that said it, to be put aside if it cannot be right. With an unknown outcome: an
        /// answer that cannot be right whatever is known.
        answer: Option<Box<Event>>,
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

impl Command {
    /// About how many plain commands it weighs.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Bulk { actions, .. } => actions.iter().map(Action::weight).sum(),
            Self::Import { books, .. } => books.transactions.len(),
            Self::Transact { action, .. } => action.weight(),
            Self::RegisterAsset(_)
            | Self::OpenAccount(_)
            | Self::Transfer { .. }
            | Self::ChangeAccount { .. }
            | Self::Describe { .. }
            | Self::ClosePeriod { .. }
            | Self::Expire { .. }
            | Self::Provision { .. }
            | Self::CreatePayment(_)
            | Self::ConfirmPayment { .. }
            | Self::AnswerNow { .. }
            | Self::RecordOutcome { .. }
            | Self::LeaseDue { .. }
            | Self::ReceiveWebhook { .. }
            | Self::QuarantineWebhook { .. }
            | Self::ApplyParked { .. } => 1,
        }
    }
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
    /// Nothing was provisioned, because the books are in this other mode.
    OtherMode(Mode),
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
    /// No asset was registered.
    Register(RegisterError),
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
    /// No transaction was posted.
    Post(PostError),
    /// Nothing of a pending one was posted.
    Settle(SettleError),
    /// Nothing was released.
    Release(ReleaseError),
    /// Nothing was undone.
    Reverse(ReverseError),
    /// Nothing was exchanged.
    Exchange(ExchangeError),
    /// No account was changed.
    Change(ChangeError),
    /// No metadata was set.
    Describe(DescribeError),
    /// No period was closed.
    Period(PeriodError),
    /// One of many was refused, and so all of them.
    At {
        /// Its place among them, from 0.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
}

impl Refusal {
    /// Whether the refusal is a decision about this request, which a retry must hear again, and not
    /// a mistake in it, which a retry may mend.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        match self {
            Self::Register(RegisterError::CodeTaken { .. })
            | Self::Open(OpenError::CodeTaken { .. })
            | Self::Confirm(
                ConfirmError::WrongState { .. } | ConfirmError::CurrencyWithdrawn { .. },
            ) => true,
            Self::Open(OpenError::AssetNotRegistered { .. })
            | Self::Confirm(ConfirmError::NotFound | ConfirmError::NoPaymentMethod) => false,
            Self::Transfer { rule, .. } | Self::Post(rule) => !is_mistake_in_posting(rule),
            Self::Settle(rule) => !matches!(
                rule,
                SettleError::NoAmounts
                    | SettleError::PostingNamedTwice { .. }
                    | SettleError::EffectiveInTheFuture { .. }
                    | SettleError::TransactionNotFound { .. }
                    | SettleError::PostingNotFound { .. }
                    | SettleError::ConditionElsewhere { .. }
            ),
            Self::Release(rule) => !matches!(
                rule,
                ReleaseError::EffectiveInTheFuture { .. }
                    | ReleaseError::TransactionNotFound { .. }
                    | ReleaseError::ConditionElsewhere { .. }
            ),
            Self::Reverse(rule) => !matches!(
                rule,
                ReverseError::NotAnExchange { .. }
                    | ReverseError::LegAlone
                    | ReverseError::AmountTooSmall { .. }
                    | ReverseError::NotInProportion { .. }
                    | ReverseError::NoAmounts
                    | ReverseError::PostingNamedTwice { .. }
                    | ReverseError::EffectiveInTheFuture { .. }
                    | ReverseError::TransactionNotFound { .. }
                    | ReverseError::PostingNotFound { .. }
                    | ReverseError::ConditionElsewhere { .. }
            ),
            Self::Exchange(ExchangeError::Post(rule)) => !is_mistake_in_posting(rule),
            Self::Exchange(
                ExchangeError::SameCurrency { .. }
                | ExchangeError::SidesDiffer { .. }
                | ExchangeError::AmountTooSmall
                | ExchangeError::AmountTooLarge,
            ) => false,
            Self::Change(rule) => !matches!(rule, ChangeError::AccountNotFound { .. }),
            Self::Describe(DescribeError::TransactionNotFound { .. }) => false,
            Self::Period(PeriodError::Closed { .. }) => true,
            Self::Period(PeriodError::InTheFuture { .. }) => false,
            Self::At { refusal, .. } => refusal.is_saved(),
        }
    }
}

const fn is_mistake_in_posting(rule: &PostError) -> bool {
    match rule {
        PostError::NoPostings
        | PostError::TooManyPostings
        | PostError::SameAccount { .. }
        | PostError::ConditionElsewhere { .. }
        | PostError::ExpiresTooSoon { .. }
        | PostError::EffectiveInTheFuture { .. }
        | PostError::AccountNotFound { .. }
        | PostError::CurrencyMismatch { .. } => true,
        PostError::ExternalIdTaken { .. }
        | PostError::AccountFrozen { .. }
        | PostError::AccountClosed { .. }
        | PostError::PeriodClosed { .. }
        | PostError::VersionMismatch { .. }
        | PostError::Overflow { .. }
        | PostError::CurrencyWithdrawn { .. }
        | PostError::InsufficientFunds { .. }
        | PostError::CeilingExceeded { .. }
        | PostError::ConditionFailed { .. } => false,
    }
}

/// What a reply that is made from stored rows tells. One that is made again has the form that it had first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Replies did not tell yet how a movement left its accounts.
    WithoutBalances,
    /// All that is told now.
    Now,
}

/// What a reply is made from.
#[derive(Debug, Clone, Copy)]
pub enum Rendered<'a> {
    /// An asset was registered.
    Asset(&'a Asset),
    /// An account was opened.
    Account(&'a Account),
    /// An account was changed.
    Changed(&'a Account),
    /// A transfer was posted.
    Transfer(&'a Posted, Form),
    /// Books were taken over.
    Imported(&'a Imported),
    /// A step of the books was made.
    Transaction(&'a Posted, Form),
    /// It would have been made.
    WouldPost(&'a Posted),
    /// What is kept with a transaction was replaced.
    Described(&'a Posted),
    /// One currency was exchanged for another.
    Exchanged {
        /// The transaction.
        posted: &'a Posted,
        /// Its terms.
        exchange: &'a Exchange,
        /// Whether nothing was kept.
        dry_run: bool,
    },
    /// Many steps were made, or refused.
    Bulk {
        /// What became of each, in order.
        results: &'a [Result<Posted, Refusal>],
        /// Whether nothing was kept.
        dry_run: bool,
        /// What a reply tells of each.
        form: Form,
    },
    /// Nothing that happened earlier is accepted any more.
    PeriodClosed(Timestamp),
    /// A payment as it stands.
    Payment(&'a Payment),
    /// The command was refused.
    Refused(&'a Refusal),
}

/// Makes a reply. It runs inside the lane: pure and quick.
pub type Render = fn(Rendered<'_>) -> Reply;
