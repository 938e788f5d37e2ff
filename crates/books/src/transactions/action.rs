//! Actions: the steps of the books that a request can ask for.

use ledger::{
    AccountId, Amounts, Condition, Description, ExternalId, Kind, Leg, Metadata, Part, Pending,
    Posting, Quote, TransactionId,
};
use money::Amount;
use store::Timestamp;

/// A step of the books that a request asks for.
#[derive(Debug, Clone)]
pub enum Action {
    /// Post a transaction, pending or final at once.
    Post(Draft),
    /// Fulfil a pending transaction, or a part of it.
    Fulfil {
        /// The pending transaction.
        pending: TransactionId,
        /// The amounts that are fulfilled, by posting; `None`: all that remains.
        amounts: Option<Vec<Part>>,
        /// True if the amount that remains afterwards is released.
        last: bool,
        /// True if an amount may be more than its posting still holds.
        exceed: bool,
        /// Conditions that must hold.
        conditions: Vec<Condition>,
        /// External id, description, metadata and effective time.
        details: Details,
    },
    /// Release everything that a pending transaction still holds.
    Void {
        /// The pending transaction.
        pending: TransactionId,
        /// Conditions that must hold.
        conditions: Vec<Condition>,
        /// External id, description, metadata and effective time.
        details: Details,
    },
    /// Reverse a final transaction, or a part of it.
    Reverse {
        /// The final transaction.
        of: TransactionId,
        /// The part that is reversed.
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
    /// The earlier transaction that the step is about, if there is one.
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

    /// Weight of the step: the number of its postings, because a posting is nearly as much work as a plain
    /// transfer. The number of postings of an earlier transaction is not known before it is loaded, and counts
    /// as 1.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Post(draft) => draft.postings.len().max(1),
            Self::Exchange(_) => 2,
            Self::Fulfil { .. } | Self::Void { .. } | Self::Reverse { .. } => 1,
        }
    }

    /// The name of a refused step in the audit log.
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

/// A requested transaction.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The kind.
    pub kind: Kind,
    /// The postings, in order.
    pub postings: Vec<Posting>,
    /// The expiry, if the transaction is pending; `None` if it is final at once.
    pub pending: Option<Expiry>,
    /// Conditions that must hold.
    pub conditions: Vec<Condition>,
    /// External id, description, metadata and effective time.
    pub details: Details,
}

/// The time until which a pending transaction can be fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It never expires.
    Never,
    /// Until this moment.
    At(Timestamp),
    /// For this number of seconds after the recording time, which may differ from the clock.
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

/// A requested currency exchange.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The account that gives the sold currency.
    pub from: AccountId,
    /// The account that gets the bought currency.
    pub to: AccountId,
    /// The liquidity account of the sold currency.
    pub sold_to: AccountId,
    /// The liquidity account of the bought currency.
    pub bought_from: AccountId,
    /// The amount of one leg.
    pub amount: Amount,
    /// The leg to which the amount belongs.
    pub given: Leg,
    /// The terms: the rate, its rounding, its source and its time.
    pub quote: Quote,
    /// Conditions that must hold.
    pub conditions: Vec<Condition>,
    /// External id, description, metadata and effective time.
    pub details: Details,
}

/// External id, description, metadata and effective time of a transaction.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The caller's own id for the transaction.
    pub external_id: Option<ExternalId>,
    /// A text for people.
    pub description: Option<Description>,
    /// Texts that the tenant stores with the transaction.
    pub metadata: Option<Metadata>,
    /// The effective time; `None` means the recording time.
    pub effective_at: Option<Timestamp>,
}
