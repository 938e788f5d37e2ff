//! Holds: amounts that pending postings reserve.

use store::Timestamp;

use crate::{AccountId, RecordedPosting, Refusal, Shelf, Step, TransactionId};

/// The status of a hold: open, or the way in which it ended. [`Hold::posted`] says how much was fulfilled; a
/// hold that was fulfilled in part and then voided is voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// An amount is still held.
    Pending,
    /// The last part was fulfilled, or the rest was released by the fulfilment that was marked as the last one.
    Posted,
    /// The rest was released on request.
    Voided,
    /// The rest was released because the time of expiry had come.
    Expired,
}

impl HoldStatus {
    /// The name that clients see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Display for HoldStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The hold of one posting of a pending transaction. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// The ordinal of its posting.
    pub ordinal: i16,
    /// The amount that was reserved.
    pub amount: i64,
    /// The part of that amount that was fulfilled, that is, posted.
    pub posted: i64,
    /// The part of that amount that was released without being posted.
    pub released: i64,
    /// The status.
    pub status: HoldStatus,
    /// From this moment on the hold can no longer be fulfilled.
    pub expires_at: Option<Timestamp>,
}

impl Hold {
    /// The hold of a pending posting before anything is done about it.
    pub(crate) const fn of(
        transaction: TransactionId,
        promised: &RecordedPosting,
        expires_at: Option<Timestamp>,
    ) -> Self {
        Self {
            transaction,
            ordinal: promised.ordinal,
            amount: promised.posting.amount.get(),
            posted: 0,
            released: 0,
            status: HoldStatus::Pending,
            expires_at,
        }
    }

    /// Whether the hold has a row of its own. It has none as long as nothing was done about it and it never
    /// expires, because then its posting says everything.
    pub(crate) const fn has_row(&self) -> bool {
        self.posted > 0 || self.released > 0 || self.expires_at.is_some()
    }

    /// The amount that is still held.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.amount
            .saturating_sub(self.posted)
            .saturating_sub(self.released)
    }

    /// Whether the time of expiry has come.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The hold after `posted` more is posted and `released` more is released; `ends` is its status if nothing remains.
    pub(crate) const fn moved_on(self, posted: i64, released: i64, ends: HoldStatus) -> Self {
        let mut next = Self {
            posted: self.posted.saturating_add(posted),
            released: self.released.saturating_add(released),
            ..self
        };
        if next.remaining() == 0 && self.remaining() > 0 {
            next.status = ends;
        }
        next
    }
}

/// A pending transaction as a batch leaves it, with all that a later batch needs to fulfil, void or expire it.
#[derive(Debug, Clone)]
pub struct Promise {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// The postings of the transaction, in order.
    pub postings: Vec<RecordedPosting>,
    /// The hold of each posting.
    pub holds: Vec<Hold>,
}

impl Promise {
    /// Whether any amount is still held.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.holds.iter().any(|hold| hold.remaining() > 0)
    }

    /// The accounts of the postings.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let sides = |posted: &RecordedPosting| [posted.posting.debit, posted.posting.credit];
        self.postings.iter().flat_map(sides)
    }
}

/// The way in which a pending transaction ended, once nothing is held any more. A void or an expiry ends all
/// that was left, and fulfilled postings ended before it. So expired counts before voided, and voided before
/// posted.
#[must_use]
pub fn ended(holds: &[Hold]) -> Option<HoldStatus> {
    if holds.iter().any(|hold| hold.remaining() > 0) {
        return None;
    }
    let is = |status| holds.iter().any(|hold| hold.status == status);
    Some(if is(HoldStatus::Expired) {
        HoldStatus::Expired
    } else if is(HoldStatus::Voided) {
        HoldStatus::Voided
    } else {
        HoldStatus::Posted
    })
}

/// The holds of a pending transaction, each with its posting.
pub(crate) fn held(
    shelf: &Shelf,
    pending: &TransactionId,
    postings: &[RecordedPosting],
) -> Result<Vec<(RecordedPosting, Hold)>, Refusal> {
    match shelf.recorded(pending).map(|(step, _)| step) {
        Some(Step::Pending) => {}
        Some(
            step @ (Step::Posted | Step::Fulfilment | Step::Void | Step::Expiry | Step::Reversal),
        ) => {
            return Err(Refusal::NotPending { step });
        }
        // The caller has just found the transaction.
        None => {
            let step = Step::Posted;
            return Err(Refusal::NotPending { step });
        }
    }
    let holds = shelf.holds(pending);
    if let Some(how) = ended(&holds) {
        return Err(Refusal::Ended { how });
    }
    let beside = |posted: &RecordedPosting| {
        let hold = holds.iter().find(|hold| hold.ordinal == posted.ordinal);
        hold.map(|hold| (*posted, *hold))
    };
    Ok(postings.iter().filter_map(beside).collect())
}

/// The time of expiry of these holds, if it has come.
pub(crate) fn expired_at(held: &[(RecordedPosting, Hold)], now: Timestamp) -> Option<Timestamp> {
    let (_, over) = held.iter().find(|(_, hold)| hold.has_expired(now))?;
    over.expires_at
}
