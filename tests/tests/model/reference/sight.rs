//! The visible state of the books, as the real ledger's questions show it.

use std::collections::BTreeSet;

use ledger::{
    Account, AccountId, AccountStatus, Correction, Entry, Hold, NormalSide, RecordedPosting, Side,
    TransactionId,
};
use money::MinorUnits;
use store::Timestamp;

use super::{Purse, Reference, Written, amount_of, minor_units};
use crate::words::{Seen, Standing, limits};

impl Reference {
    pub(super) fn look(&self, now: Timestamp) -> Seen {
        let accounts = self.books.accounts.keys();
        let accounts = accounts.map(|id| (self.standing(*id), self.entries(*id)));
        let transactions = self.books.transactions.values();
        Seen {
            accounts: accounts.collect(),
            holds: transactions.clone().flat_map(holds).collect(),
            corrections: transactions.clone().flat_map(corrections).collect(),
            transactions: transactions.map(|written| written.moved.clone()).collect(),
            exchanges: self.books.terms.values().cloned().collect(),
            closed_before: self.books.closed_before,
            expired: self.expired(now),
        }
    }

    /// The transactions that still hold something.
    pub(crate) fn promises(&self) -> Vec<TransactionId> {
        let all = self.books.transactions.iter();
        let open = all.filter(|(_, written)| is_promise(written) && written.ended().is_none());
        open.map(|(id, _)| *id).collect()
    }

    /// The final transactions of which something is not reversed.
    pub(crate) fn standing_transactions(&self) -> Vec<TransactionId> {
        let all = self.books.transactions.iter();
        let stand = all.filter(|(_, written)| {
            let is_final = |place: &usize| written.moved.postings[*place].phase.is_final();
            let is_reversal = written.moved.step == ledger::Step::Reversal;
            let mut places = written.places().filter(is_final);
            !is_reversal && places.any(|place| written.stands(place) > 0)
        });
        stand.map(|(id, _)| *id).collect()
    }

    /// Exchanges of which something can still be reversed.
    pub(crate) fn standing_exchanges(&self) -> Vec<TransactionId> {
        let mut standing = self.standing_transactions();
        standing.retain(|id| self.books.terms.contains_key(id));
        standing
    }

    /// The amount that a posting of a transaction still holds; for a final one, the amount that is not reversed.
    pub(crate) fn remainder(&self, transaction: TransactionId, ordinal: i16) -> Option<i64> {
        let written = self.books.transactions.get(&transaction)?;
        let place = written.place(ordinal)?;
        let amount = if is_promise(written) {
            written.holds(place)
        } else {
            written.stands(place)
        };
        i64::try_from(amount).ok()
    }

    /// The ordinals of a transaction's postings.
    pub(crate) fn ordinals(&self, transaction: TransactionId) -> Vec<i16> {
        let written = self.books.transactions.get(&transaction);
        let postings = written.iter().flat_map(|written| &written.moved.postings);
        postings.map(|posted| posted.ordinal).collect()
    }

    /// True if two accounts grow on the same side.
    pub(crate) fn grow_alike(&self, one: AccountId, other: AccountId) -> bool {
        let side = |id| Some(self.books.accounts.get(&id)?.grows_on);
        side(one) == side(other)
    }

    pub(crate) fn is_open(&self, account: AccountId) -> bool {
        let purse = self.books.accounts.get(&account);
        purse.is_some_and(|purse| purse.status == AccountStatus::Open)
    }

    /// The version of an account, and its available balance.
    pub(crate) fn version_and_available(&self, account: AccountId) -> Option<(i64, i64)> {
        let purse = self.books.accounts.get(&account)?;
        Some((purse.version, minor_units(purse.available())))
    }

    pub(super) fn standing(&self, id: AccountId) -> Standing {
        let purse = self.purse(id);
        let pending = match purse.grows_on {
            Side::Debit => purse.debits.all() - purse.credits.all(),
            Side::Credit => purse.credits.all() - purse.debits.all(),
        };
        Standing {
            account: account(id, purse),
            balances: [purse.posted(), pending, purse.available(), purse.possible()],
        }
    }

    /// The entries of an account, newest first.
    fn entries(&self, id: AccountId) -> Vec<Entry> {
        let mut entries = Vec::new();
        for written in self.books.transactions.values() {
            for posted in &written.moved.postings {
                let entry = |side, version, balance: MinorUnits| Entry {
                    version,
                    side,
                    phase: posted.phase,
                    amount: posted.posting.amount.get(),
                    currency: posted.posting.currency,
                    balance: balance.get(),
                    transaction: written.moved.id,
                    recorded_at: written.moved.recorded_at,
                };
                if posted.posting.debit == id {
                    entries.push(entry(
                        Side::Debit,
                        posted.debit_version,
                        posted.debit_balance,
                    ));
                }
                if posted.posting.credit == id {
                    let (version, balance) = (posted.credit_version, posted.credit_balance);
                    entries.push(entry(Side::Credit, version, balance));
                }
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.version));
        entries
    }

    fn expired(&self, now: Timestamp) -> Vec<TransactionId> {
        let all = self.books.transactions.iter();
        let over = all.filter(|(_, written)| {
            let is_over = written.expires_at.is_some_and(|at| at <= now);
            is_over && is_promise(written) && written.ended().is_none()
        });
        let over: BTreeSet<TransactionId> = over.map(|(id, _)| *id).collect();
        over.into_iter().collect()
    }
}

fn is_promise(written: &Written) -> bool {
    written.moved.step == ledger::Step::Pending
}

fn account(id: AccountId, purse: &Purse) -> Account {
    Account {
        id,
        code: purse.code.clone(),
        name: purse.code.clone(),
        currency: purse.currency,
        normal_side: match purse.grows_on {
            Side::Debit => NormalSide::Debit,
            Side::Credit => NormalSide::Credit,
        },
        class: Some(purse.class),
        limits: limits(purse.bounds).expect("they were looked at"),
        status: purse.status,
        metadata: purse.metadata.clone(),
        debits_pending: minor_units(purse.debits.pending),
        debits_posted: minor_units(purse.debits.posted),
        debits_released: minor_units(purse.debits.released),
        credits_pending: minor_units(purse.credits.pending),
        credits_posted: minor_units(purse.credits.posted),
        credits_released: minor_units(purse.credits.released),
        version: purse.version,
        revision: purse.revision,
        opened_at: purse.opened_at,
    }
}

fn holds(written: &Written) -> Vec<Hold> {
    if !is_promise(written) {
        return Vec::new();
    }
    let beside = written.since.iter().zip(&written.moved.postings);
    let hold = |(since, posted): (&super::Since, &RecordedPosting)| Hold {
        transaction: written.moved.id,
        ordinal: posted.ordinal,
        amount: minor_units(amount_of(posted)),
        posted: minor_units(since.fulfilled),
        released: minor_units(since.released),
        status: since.status,
        expires_at: written.expires_at,
    };
    beside.map(hold).collect()
}

fn corrections(written: &Written) -> Vec<Correction> {
    let beside = written.since.iter().zip(&written.moved.postings);
    let some = beside.filter(|(since, _)| since.reversed > 0);
    let mut corrections: Vec<Correction> = some
        .map(|(since, posted)| Correction {
            transaction: written.moved.id,
            ordinal: posted.ordinal,
            amount: minor_units(amount_of(posted)),
            reversed: minor_units(since.reversed),
        })
        .collect();
    corrections.sort_by_key(|correction| correction.ordinal);
    corrections
}
