//! A part of a walk: its rows, its ids and its end.

use super::Place;
use crate::TransactionId;

/// The id before every other id. [`LAST`] is the id after every other id.
pub(super) const FIRST: TransactionId = TransactionId::from_bytes([0; 16]);
pub(super) const LAST: TransactionId = TransactionId::from_bytes([0xff; 16]);

/// The ids from `from` on and before `to`.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) from: TransactionId,
    pub(super) to: TransactionId,
}

/// The length of one part of a walk.
#[derive(Clone, Copy)]
pub(super) struct Length {
    /// Number of rows of the index that are read.
    pub(super) rows: usize,
    /// Number of matches after which the part ends early.
    pub(super) most: usize,
}

/// A part of a walk.
pub(super) struct Stretch {
    /// The matches, in the order of the walk.
    pub(super) places: Vec<Place>,
    /// Number of rows that were read.
    pub(super) count: usize,
    /// The place after which the next part begins; `None`: nothing is left.
    pub(super) end: Option<Place>,
}

impl Stretch {
    /// A part in which each row matches. If fewer than `rows` were found, the walk ends.
    pub(super) fn of(found: Vec<TransactionId>, rows: usize) -> Self {
        let end = found.last().filter(|_| found.len() >= rows).copied();
        Self::ending(found, rows, end)
    }

    /// The matches among the rows down to `floor`. Without a floor the walk ends.
    pub(super) fn within(
        mut found: Vec<TransactionId>,
        length: Length,
        floor: Option<TransactionId>,
    ) -> Self {
        let is_full = found.len() >= length.most;
        // Several rows of one transaction follow each other.
        found.dedup();
        let end = if is_full {
            found.last().copied()
        } else {
            floor
        };
        Self::ending(found, length.rows, end)
    }

    pub(super) fn ending(
        found: Vec<TransactionId>,
        count: usize,
        end: Option<TransactionId>,
    ) -> Self {
        let place = |id| Place { at: 0, id };
        Self {
            places: found.into_iter().map(place).collect(),
            count,
            end: end.map(place),
        }
    }
}

impl Ids {
    /// The part of the range after a place.
    pub(super) fn below(self, after: Option<Place>) -> Self {
        let to = after.map_or(self.to, |place| place.id.min(self.to));
        Self { to, ..self }
    }

    /// The part of the range from `floor` on, if there is a floor.
    pub(super) fn above(self, floor: Option<TransactionId>) -> Self {
        let from = floor.unwrap_or(self.from);
        Self { from, ..self }
    }
}

/// A number of rows in the type that the database takes.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The first id of a millisecond since 1970.
pub(super) fn made_at(millis: i64) -> TransactionId {
    let millis = u64::try_from(millis).unwrap_or(0).min((1 << 48) - 1) << 16;
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(millis.to_be_bytes()) {
        *byte = of;
    }
    TransactionId::from_bytes(bytes)
}
