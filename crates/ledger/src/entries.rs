//! The effect of a posting on its two accounts, after the rules have allowed it.

use money::{Amount, MinorUnits};

use crate::{
    Account, AccountId, AccountStatus, Phase, Posting, RecordedPosting, Shelf, Side, TransactionId,
};

/// The account of which a counter would pass `i64::MAX`.
pub(crate) struct Overflow(pub(crate) AccountId);

/// A movement that is to be made.
pub(crate) struct Movement {
    pub(crate) ordinal: i16,
    pub(crate) phase: Phase,
    pub(crate) posting: Posting,
}

impl Movement {
    /// A movement of `amount` of a posting; `None` if the amount is zero.
    pub(crate) fn of(posting: Posting, ordinal: i16, phase: Phase, amount: i64) -> Option<Self> {
        let amount = Amount::new(amount).ok()?;
        let posting = Posting { amount, ..posting };
        Some(Self {
            ordinal,
            phase,
            posting,
        })
    }
}

/// An account that the shelf does not hold, and the posting that names it.
pub(crate) struct Missing {
    pub(crate) posting: usize,
    pub(crate) account: AccountId,
}

/// Copies of the accounts that these postings name: each once, in the order of the first mention.
pub(crate) fn copies<'p>(
    shelf: &Shelf,
    postings: impl Iterator<Item = &'p Posting>,
) -> Result<Vec<Account>, Missing> {
    let mut found: Vec<Account> = Vec::with_capacity(2);
    for (posting, p) in postings.enumerate() {
        for account in [p.debit, p.credit] {
            if !found.iter().any(|known| known.id == account) {
                let known = shelf.account(&account);
                found.push(known.ok_or(Missing { posting, account })?.clone());
            }
        }
    }
    Ok(found)
}

/// The first of these accounts that has this status.
pub(crate) fn first_that_is(accounts: &[Account], status: AccountStatus) -> Option<AccountId> {
    let first = accounts.iter().find(|account| account.status == status);
    first.map(|account| account.id)
}

/// Applies the movements to the copies, one after another.
pub(crate) fn apply(
    accounts: &mut [Account],
    movements: impl Iterator<Item = Movement>,
) -> Result<Vec<RecordedPosting>, Overflow> {
    let mut applied = Vec::with_capacity(movements.size_hint().0);
    for Movement {
        ordinal,
        phase,
        posting,
    } in movements
    {
        let amount = posting.amount.get();
        let debit = enter(accounts, posting.debit, Side::Debit, phase, amount)?;
        let credit = enter(accounts, posting.credit, Side::Credit, phase, amount)?;
        applied.push(RecordedPosting {
            ordinal,
            phase,
            posting,
            debit_version: debit.0,
            debit_balance: debit.1,
            credit_version: credit.0,
            credit_balance: credit.1,
        });
    }
    Ok(applied)
}

/// Adds an amount to the counters of one side of one account. Returns the number of the entry and the posted
/// balance after it.
fn enter(
    accounts: &mut [Account],
    id: AccountId,
    side: Side,
    phase: Phase,
    amount: i64,
) -> Result<(i64, MinorUnits), Overflow> {
    let account = accounts.iter_mut().find(|account| account.id == id);
    let account = account.ok_or(Overflow(id))?;
    let (pending, posted, released) = match side {
        Side::Debit => (
            &mut account.debits_pending,
            &mut account.debits_posted,
            &mut account.debits_released,
        ),
        Side::Credit => (
            &mut account.credits_pending,
            &mut account.credits_posted,
            &mut account.credits_released,
        ),
    };
    let (grows, grows_too) = match phase {
        Phase::Pending => (pending, None),
        Phase::Posted => (posted, None),
        Phase::Fulfilled => (posted, Some(released)),
        Phase::Released => (released, None),
    };
    for counter in std::iter::once(grows).chain(grows_too) {
        *counter = counter.checked_add(amount).ok_or(Overflow(id))?;
    }
    // The sum of outstanding and posted amounts is limited, so every later step stays within an i64.
    let debits = account
        .debits_posted
        .checked_add(account.outstanding_debits());
    let credits = account
        .credits_posted
        .checked_add(account.outstanding_credits());
    debits.and(credits).ok_or(Overflow(id))?;
    account.version = account.version.checked_add(1).ok_or(Overflow(id))?;
    Ok((account.version, account.posted()))
}

/// The rows that a later step needs: the postings of the transaction that it is about, and copies of their
/// accounts. `None` if the shelf does not hold all of them.
pub(crate) fn concerned(
    shelf: &Shelf,
    about: &TransactionId,
) -> Option<(Vec<RecordedPosting>, Vec<Account>)> {
    let (_, postings) = shelf.recorded(about)?;
    let accounts = copies(shelf, postings.iter().map(|posted| &posted.posting)).ok()?;
    Some((postings.to_vec(), accounts))
}
