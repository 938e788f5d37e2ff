//! How much of each posting of a pending transaction a settlement posts, releases, and posts beyond it.

use crate::entries::Movement;
use crate::transaction::{EXCEEDS_FROM, Part, RELEASES_FROM};
use crate::{AccountId, Hold, HoldStatus, Phase, PostedPosting};

/// What is posted of what was held, what of it is released, and what exceeds it.
pub(super) fn movements(
    next: &[(PostedPosting, Hold, Hold)],
    named: Option<&[Part]>,
) -> impl Iterator<Item = Movement> {
    let settled = next.iter().filter_map(|(p, hold, next)| {
        let amount = next.posted.saturating_sub(hold.posted);
        Movement::of(p.posting, p.ordinal, Phase::Settled, amount)
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
    settled.chain(released).chain(exceeding)
}

/// Whether something is posted that moves this account, or (with the last part) released.
pub(super) fn moves(
    named: Option<&[Part]>,
    last: bool,
    held: &[(PostedPosting, Hold)],
    id: &AccountId,
) -> bool {
    held.iter().any(|(posted, hold)| {
        let wanted = wanted(*hold, named);
        let moved = wanted.held > 0 || wanted.exceeding > 0 || (last && hold.remaining() > 0);
        moved && posted.posting.names(id)
    })
}

/// What is to be posted, in minor units.
struct Wanted {
    /// Of what a posting still holds.
    held: i64,
    /// Beyond it.
    exceeding: i64,
}

fn wanted(hold: Hold, named: Option<&[Part]>) -> Wanted {
    let remaining = hold.remaining();
    let amount = match named {
        None => remaining,
        Some(parts) => {
            let part = parts.iter().find(|(ordinal, _)| *ordinal == hold.ordinal);
            part.map_or(0, |(_, amount)| amount.get())
        }
    };
    Wanted {
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
