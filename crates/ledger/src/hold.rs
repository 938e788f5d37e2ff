//! What a pending posting still holds.

use store::Timestamp;

use crate::{AccountId, PostedPosting, Shelf, Step, TransactionId};

/// How a hold stands, or how it has ended. The status says how, [`Hold::posted`] how much came of it:
/// one that was posted in part and then voided is voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// Something is held.
    Pending,
    /// Its last part was posted, or released by the settlement that was said to be the last.
    Posted,
    /// What remained was released because somebody wished so.
    Voided,
    /// What remained was released because its time was over.
    Expired,
}

impl HoldStatus {
    /// As it is shown.
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

/// What one posting of a pending transaction holds. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// Its posting.
    pub ordinal: i16,
    /// What was promised.
    pub amount: i64,
    /// How much of it was posted.
    pub posted: i64,
    /// How much of it was released without being posted.
    pub released: i64,
    /// How it stands.
    pub status: HoldStatus,
    /// From when on it can no longer be posted.
    pub expires_at: Option<Timestamp>,
}

impl Hold {
    /// What a pending posting holds before anything is done about it.
    pub(crate) const fn of(
        transaction: TransactionId,
        promised: &PostedPosting,
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

    /// Whether it has a row of its own. As long as nothing was done about it and it never expires, it
    /// is as its posting says.
    pub(crate) const fn has_row(&self) -> bool {
        self.posted > 0 || self.released > 0 || self.expires_at.is_some()
    }

    /// What it still holds.
    #[must_use]
    pub const fn remaining(&self) -> i64 {
        self.amount
            .saturating_sub(self.posted)
            .saturating_sub(self.released)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// So much is posted of it and so much released; `ends` is how it stands if nothing remains.
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

/// A pending transaction as a batch leaves it: what a later one needs to know to post, void or expire it.
#[derive(Debug, Clone)]
pub struct Promise {
    /// The pending transaction.
    pub transaction: TransactionId,
    /// Its postings, in their order.
    pub postings: Vec<PostedPosting>,
    /// What each of them holds.
    pub holds: Vec<Hold>,
}

impl Promise {
    /// Whether anything is still held.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.holds.iter().any(|hold| hold.remaining() > 0)
    }

    /// The accounts of its postings.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let sides = |posted: &PostedPosting| [posted.posting.debit, posted.posting.credit];
        self.postings.iter().flat_map(sides)
    }
}

/// How a pending transaction has ended, once nothing of it is held any more. What ended last, ended
/// all that was left, and a posting ends the others earlier: so the later word wins.
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

/// Why a transaction cannot be posted, voided or expired.
pub(crate) enum NotHeld {
    NotPending(Step),
    Ended(HoldStatus),
}

/// The holds of a pending transaction, beside its postings.
pub(crate) fn held(
    shelf: &Shelf,
    pending: &TransactionId,
    postings: &[PostedPosting],
) -> Result<Vec<(PostedPosting, Hold)>, NotHeld> {
    match shelf.recorded(pending).map(|(step, _)| step) {
        Some(Step::Pending) => {}
        Some(
            step @ (Step::Posted | Step::Settlement | Step::Void | Step::Expiry | Step::Reversal),
        ) => {
            return Err(NotHeld::NotPending(step));
        }
        // Whoever asks has found it just now.
        None => return Err(NotHeld::NotPending(Step::Posted)),
    }
    let holds = shelf.holds(pending);
    if let Some(how) = ended(&holds) {
        return Err(NotHeld::Ended(how));
    }
    let beside = |posted: &PostedPosting| {
        let hold = holds.iter().find(|hold| hold.ordinal == posted.ordinal);
        hold.map(|hold| (*posted, *hold))
    };
    Ok(postings.iter().filter_map(beside).collect())
}
