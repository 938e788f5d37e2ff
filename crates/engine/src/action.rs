//! The steps of the books, as a request asks for them.

use ledger::{
    AccountId, Amounts, Condition, Description, ExternalId, Kind, Leg, Limits, Metadata, Part,
    Pending, Posting, Quote, TransactionId,
};
use money::Amount;
use store::Timestamp;

/// A step of the books, as a request asks for it.
#[derive(Debug, Clone)]
pub enum Action {
    /// A transaction, pending or final at once.
    Post(Draft),
    /// Post a pending one, or a part of it.
    Settle {
        /// The pending one.
        pending: TransactionId,
        /// How much of which posting; `None`: all that remains.
        amounts: Option<Vec<Part>>,
        /// Whether all that remains then is released.
        last: bool,
        /// Whether an amount may be more than its posting still holds.
        exceed: bool,
        /// What else must be so.
        conditions: Vec<Condition>,
        /// What it says of itself.
        said: Saying,
    },
    /// Release all that a pending one still holds.
    Void {
        /// The pending one.
        pending: TransactionId,
        /// What else must be so.
        conditions: Vec<Condition>,
        /// What it says of itself.
        said: Saying,
    },
    /// Undo a final one, or a part of it.
    Reverse {
        /// The final one.
        of: TransactionId,
        /// How much of it.
        amounts: Amounts,
        /// What else must be so.
        conditions: Vec<Condition>,
        /// What it says of itself.
        said: Saying,
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
            Self::Settle { pending: id, .. }
            | Self::Void { pending: id, .. }
            | Self::Reverse { of: id, .. } => Some(*id),
        }
    }

    /// What it says of itself.
    #[must_use]
    pub const fn said(&self) -> &Saying {
        match self {
            Self::Post(draft) => &draft.said,
            Self::Exchange(swap) => &swap.said,
            Self::Settle { said, .. } | Self::Void { said, .. } | Self::Reverse { said, .. } => {
                said
            }
        }
    }

    /// About how many plain transfers it weighs: each posting takes most of what one takes. Of what is
    /// about an earlier transaction that is not known before it is looked up.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Post(draft) => draft.postings.len().max(1),
            Self::Exchange(_) => 2,
            Self::Settle { .. } | Self::Void { .. } | Self::Reverse { .. } => 1,
        }
    }

    /// Its name in the audit log, where it was refused.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Post(_) => "transaction.post",
            Self::Settle { .. } => "transaction.settle",
            Self::Void { .. } => "transaction.void",
            Self::Reverse { .. } => "transaction.reverse",
            Self::Exchange(_) => "transaction.exchange",
        }
    }
}

/// A transaction that is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is for.
    pub kind: Kind,
    /// Its movements, in order.
    pub postings: Vec<Posting>,
    /// Whether it is only promised as yet, and until when.
    pub pending: Option<Expiry>,
    /// What else must be so.
    pub conditions: Vec<Condition>,
    /// What it says of itself.
    pub said: Saying,
}

/// Until when what is pending can be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It never expires.
    Never,
    /// Until this moment.
    At(Timestamp),
    /// So many seconds from when it is recorded. That is the record's own time, which need not be the clock's.
    In {
        /// How many, positive.
        seconds: i64,
    },
}

impl Expiry {
    /// What is pending, recorded now.
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
    /// How much of one leg.
    pub amount: Amount,
    /// Of which leg.
    pub given: Leg,
    /// The terms.
    pub quote: Quote,
    /// What else must be so.
    pub conditions: Vec<Condition>,
    /// What it says of itself.
    pub said: Saying,
}

/// What a transaction says of itself.
#[derive(Debug, Clone, Default)]
pub struct Saying {
    /// The caller's own name for it.
    pub external_id: Option<ExternalId>,
    /// For people.
    pub description: Option<Description>,
    /// What the tenant keeps with it.
    pub metadata: Option<Metadata>,
    /// When it happened; `None`: when it is recorded.
    pub effective_at: Option<Timestamp>,
}

/// What may change of an account.
#[derive(Debug, Clone)]
pub enum AccountChange {
    /// It takes no postings for now.
    Freeze,
    /// It takes postings again.
    Unfreeze,
    /// It never takes postings again.
    Close,
    /// What its balance may be from now on.
    SetLimits(Limits),
    /// What the tenant keeps with it.
    SetMetadata(Option<Metadata>),
}

impl AccountChange {
    /// Its name in the audit log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Freeze => "account.frozen",
            Self::Unfreeze => "account.unfrozen",
            Self::Close => "account.closed",
            Self::SetLimits(_) => "account.limits_set",
            Self::SetMetadata(_) => "account.metadata_set",
        }
    }
}
