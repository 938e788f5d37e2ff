//! The movements that fulfil a hold: amounts that are posted from the hold, released, or posted beyond it.

use crate::entries::Movement;
use crate::transaction::{EXCEEDS_FROM, Part, RELEASES_FROM};
use crate::{AccountId, Hold, HoldStatus, Phase, RecordedPosting};

/// All movements: first the fulfilled amounts, then the released ones, then the excess.
pub(super) fn movements(
    next: &[(RecordedPosting, Hold, Hold)],
    named: Option<&[Part]>,
) -> impl Iterator<Item = Movement> {
    let fulfilled = next.iter().filter_map(|(p, hold, next)| {
        let amount = next.posted.saturating_sub(hold.posted);
        Movement::of(p.posting, p.ordinal, Phase::Fulfilled, amount)
    });
    let released = next.iter().filter_map(|(p, hold, next)| {
        let amount = next.released.saturating_sub(hold.released);
        let ordinal = p.ordinal.saturating_add(RELEASES_FROM);
        Movement::of(p.posting, ordinal, Phase::Released, amount)
    });
    let exceeding = next.iter().filter_map(move |(p, hold, _)| {
        let ordinal = p.ordinal.saturating_add(EXCEEDS_FROM);
        let amount = wanted(*hold, named).exceeding;
        Movement::of(p.posting, ordinal, Phase::Posted, amount)
    });
    fulfilled.chain(released).chain(exceeding)
}

/// Whether a fulfilled amount or an excess moves this account, or, with `last`, a released amount.
pub(super) fn moves(
    named: Option<&[Part]>,
    last: bool,
    held: &[(RecordedPosting, Hold)],
    id: &AccountId,
) -> bool {
    held.iter().any(|(posted, hold)| {
        let wanted = wanted(*hold, named);
        let moved = wanted.held > 0 || wanted.exceeding > 0 || (last && hold.remaining() > 0);
        moved && posted.posting.names(id)
    })
}

/// The amount of one posting that is to be posted, in minor units.
struct AmountToPost {
    /// The part that the posting still holds.
    held: i64,
    /// The part beyond what the posting holds: the excess.
    exceeding: i64,
}

fn wanted(hold: Hold, named: Option<&[Part]>) -> AmountToPost {
    let remaining = hold.remaining();
    let amount = match named {
        None => remaining,
        Some(parts) => {
            let part = parts.iter().find(|(ordinal, _)| *ordinal == hold.ordinal);
            part.map_or(0, |(_, amount)| amount.get())
        }
    };
    AmountToPost {
        held: amount.min(remaining),
        exceeding: amount.saturating_sub(remaining).max(0),
    }
}

pub(super) fn advance(hold: Hold, named: Option<&[Part]>, last: bool) -> Hold {
    let posted = wanted(hold, named).held;
    let rest = if last {
        hold.remaining().saturating_sub(posted)
    } else {
        0
    };
    hold.moved_on(posted, rest, HoldStatus::Posted)
}
