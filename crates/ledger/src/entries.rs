//! The effect of a posting on its two accounts, after the rules have allowed it.

use money::{Amount, MinorUnits};

use crate::{
    Account, AccountId, AccountStatus, Phase, Posting, RecordedPosting, Refusal, Shelf, Side,
    TransactionId,
};

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

/// Copies of the accounts that these postings name: each once, in the order of the first mention.
pub(crate) fn copies<'p>(
    shelf: &Shelf,
    postings: impl Iterator<Item = &'p Posting>,
) -> Result<Vec<Account>, Refusal> {
    let mut found: Vec<Account> = Vec::with_capacity(2);
    for (posting, p) in postings.enumerate() {
        for account in [p.debit, p.credit] {
            if !found.iter().any(|known| known.id == account) {
                let known = shelf.account(&account);
                let known = known.ok_or(Refusal::AccountNotFound { posting, account })?;
                found.push(known.clone());
            }
        }
    }
    Ok(found)
}

/// Checks that the accounts that are moved are open: first that none is frozen, then that none is closed.
pub(crate) fn check_open(
    accounts: &[Account],
    moves: impl Fn(&AccountId) -> bool,
) -> Result<(), Refusal> {
    let first = |status| {
        let mut accounts = accounts.iter();
        let found = accounts.find(|account| account.status == status && moves(&account.id));
        found.map(|account| account.id)
    };
    if let Some(account) = first(AccountStatus::Frozen) {
        return Err(Refusal::AccountFrozen { account });
    }
    match first(AccountStatus::Closed) {
        Some(account) => Err(Refusal::AccountClosed { account }),
        None => Ok(()),
    }
}

/// Applies the movements to the copies, one after another.
pub(crate) fn apply(
    accounts: &mut [Account],
    movements: impl Iterator<Item = Movement>,
) -> Result<Vec<RecordedPosting>, Refusal> {
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
) -> Result<(i64, MinorUnits), Refusal> {
    let overflow = Refusal::Overflow { account: id };
    let account = accounts.iter_mut().find(|account| account.id == id);
    let account = account.ok_or(overflow)?;
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
        *counter = counter.checked_add(amount).ok_or(overflow)?;
    }
    // The sum of outstanding and posted amounts is limited, so every later step stays within an i64.
    let debits = account
        .debits_posted
        .checked_add(account.outstanding_debits());
    let credits = account
        .credits_posted
        .checked_add(account.outstanding_credits());
    debits.and(credits).ok_or(overflow)?;
    account.version = account.version.checked_add(1).ok_or(overflow)?;
    Ok((account.version, account.posted()))
}

/// The rows that a later step needs: the postings of the transaction that the step is about, and copies of their
/// accounts. The transaction is not found if the shelf does not hold all of them.
pub(crate) fn concerned(
    shelf: &Shelf,
    transaction: TransactionId,
) -> Result<(Vec<RecordedPosting>, Vec<Account>), Refusal> {
    let missing = Refusal::TransactionNotFound { transaction };
    let (_, postings) = shelf.recorded(&transaction).ok_or(missing)?;
    let accounts = copies(shelf, postings.iter().map(|posted| &posted.posting));
    let accounts = accounts.map_err(|_missing| missing)?;
    Ok((postings.to_vec(), accounts))
}
