//! Rules for a currency that no longer exists.

use std::collections::BTreeMap;

use ledger::{AccountId, Phase, RecordedPosting, Side};
use money::Currency;
use store::Timestamp;

use super::{Purse, Reference};
use crate::bugs::Bug;

/// The first moment without the kuna, the only currency of the model that ends.
pub(crate) const WITHOUT_KUNA: i64 = 1_672_531_200_000_000;

impl Reference {
    /// The first posting that is too late, and its currency. `bought` is the posting that an exchange buys.
    pub(super) fn too_late(
        &self,
        before: &BTreeMap<AccountId, Purse>,
        postings: &[RecordedPosting],
        happened: Timestamp,
        bought: Option<usize>,
    ) -> Option<(usize, Currency)> {
        let end = WITHOUT_KUNA + i64::from(self.is(Bug::EndsOneLater));
        let is_over = |p: &RecordedPosting| {
            p.posting.currency.code() == "HRK"
                && happened.micros() >= end
                && !self.is(Bug::KunaGoesOn)
        };
        let place = postings.iter().position(is_over)?;
        let phase = postings[place].phase;
        let mut concerned = Vec::new();
        for posting in postings.iter().filter(|p| is_over(p)) {
            for id in [posting.posting.debit, posting.posting.credit] {
                if !concerned.contains(&id) {
                    concerned.push(id);
                }
            }
        }
        let balances: Vec<(i128, i128)> = concerned
            .iter()
            .map(|id| (balance(&before[id], phase), balance(self.purse(*id), phase)))
            .collect();
        let moves = |p: &RecordedPosting| p.phase != Phase::Released;
        let converts =
            postings.iter().any(|p| moves(p) && !is_over(p)) && !self.is(Bug::NothingIsConverted);
        let is_bought = bought == Some(place);
        let is_emptied = if converts && !is_bought {
            let held: i128 = balances.iter().map(|(before, _)| before.abs()).sum();
            let holds: i128 = balances.iter().map(|(_, after)| after.abs()).sum();
            holds <= held
        } else {
            balances.iter().all(|(before, after)| {
                let is_past =
                    before.signum() * after.signum() < 0 && !self.is(Bug::EmptiedPastZero);
                after.abs() <= before.abs() && !is_past
            })
        };
        (!is_emptied).then(|| (place, postings[place].posting.currency))
    }
}

/// The balance with all pending amounts if the posting is pending, otherwise without them.
fn balance(purse: &Purse, phase: Phase) -> i128 {
    if phase != Phase::Pending {
        return purse.posted();
    }
    match purse.grows_on {
        Side::Debit => purse.debits.all() - purse.credits.all(),
        Side::Credit => purse.credits.all() - purse.debits.all(),
    }
}
