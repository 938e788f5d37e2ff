//! Steps of the books, as a request asks for them.

use ledger::{
    AccountId, Amounts, Condition, Description, ExternalId, Kind, Leg, Metadata, Part, Pending,
    Posting, Quote, TransactionId,
};
use money::Amount;
use store::Timestamp;

/// A step of the books, as a request asks for it.
#[derive(Debug, Clone)]
pub enum Action {
    /// A transaction, pending or final at once.
    Post(Draft),
    /// Post a pending one, or a part of it.
    Fulfil {
        /// The pending one.
        pending: TransactionId,
        /// Amount of each posting that is posted; `None`: all that remains.
        amounts: Option<Vec<Part>>,
        /// True if all that remains then is released.
        last: bool,
        /// True if an amount may be more than its posting still holds.
        exceed: bool,
        /// Conditions that must hold.
        conditions: Vec<Condition>,
        /// External id, description, metadata and effective time.
        details: Details,
    },
    /// Release all that a pending one still holds.
    Void {
        /// The pending one.
        pending: TransactionId,
        /// Conditions that must hold.
        conditions: Vec<Condition>,
        /// External id, description, metadata and effective time.
        details: Details,
    },
    /// Undo a final one, or a part of it.
    Reverse {
        /// The final one.
        of: TransactionId,
        /// The part that is undone.
        amounts: Amounts,
        /// Conditions that must hold.
        conditions: Vec<Condition>,
        /// External id, description, metadata and effective time.
        details: Details,
    },
    /// Exchange one currency for another.
    Exchange(Swap),
}

impl Action {
    /// The transaction it is about, if it is about one.
    #[must_use]
    pub const fn about(&self) -> Option<TransactionId> {
        match self {
            Self::Post(_) | Self::Exchange(_) => None,
            Self::Fulfil { pending: id, .. }
            | Self::Void { pending: id, .. }
            | Self::Reverse { of: id, .. } => Some(*id),
        }
    }

    /// External id, description, metadata and effective time.
    #[must_use]
    pub const fn details(&self) -> &Details {
        match self {
            Self::Post(draft) => &draft.details,
            Self::Exchange(swap) => &swap.details,
            Self::Fulfil { details, .. }
            | Self::Void { details, .. }
            | Self::Reverse { details, .. } => details,
        }
    }

    /// Number of plain transfers that are about as much work: each posting takes most of what one takes. How many
    /// postings an earlier transaction has is not known before it is looked up.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Post(draft) => draft.postings.len().max(1),
            Self::Exchange(_) => 2,
            Self::Fulfil { .. } | Self::Void { .. } | Self::Reverse { .. } => 1,
        }
    }

    /// Its name in the audit log, where it was refused.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Post(_) => "transaction.post",
            Self::Fulfil { .. } => "transaction.settle",
            Self::Void { .. } => "transaction.void",
            Self::Reverse { .. } => "transaction.reverse",
            Self::Exchange(_) => "transaction.exchange",
        }
    }
}

/// A transaction that is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its kind.
    pub kind: Kind,
    /// Its movements, in order.
    pub postings: Vec<Posting>,
    /// Time until which it is only pending; `None` if it is final at once.
    pub pending: Option<Expiry>,
    /// Conditions that must hold.
    pub conditions: Vec<Condition>,
    /// External id, description, metadata and effective time.
    pub details: Details,
}

/// Time until which a pending transaction can be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It never expires.
    Never,
    /// Until this moment.
    At(Timestamp),
    /// For this number of seconds from the time at which it is recorded, which need not be the clock's.
    In {
        /// Number of seconds, positive.
        seconds: i64,
    },
}

impl Expiry {
    /// The pending state of a transaction that is recorded now.
    pub(crate) fn pending(self, now: Timestamp) -> Pending {
        Pending {
            expires_at: match self {
                Self::Never => None,
                Self::At(moment) => Some(moment),
                Self::In { seconds } => Some(now.plus_seconds(seconds)),
            },
        }
    }
}

/// A currency exchange that is asked for.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The account that gives.
    pub from: AccountId,
    /// The account that gets.
    pub to: AccountId,
    /// The liquidity account of the sold currency.
    pub sold_to: AccountId,
    /// The liquidity account of the bought currency.
    pub bought_from: AccountId,
    /// Amount of one leg.
    pub amount: Amount,
    /// The leg that the amount is of.
    pub given: Leg,
    /// The terms.
    pub quote: Quote,
    /// Conditions that must hold.
    pub conditions: Vec<Condition>,
    /// External id, description, metadata and effective time.
    pub details: Details,
}

/// External id, description, metadata and effective time of a transaction.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The caller's own id for it.
    pub external_id: Option<ExternalId>,
    /// A text for people.
    pub description: Option<Description>,
    /// Texts that the tenant keeps with it.
    pub metadata: Option<Metadata>,
    /// Time at which it happened; `None`: the time at which it is recorded.
    pub effective_at: Option<Timestamp>,
}
