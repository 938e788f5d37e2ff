//! The balances after a movement. They are computed from the movement's own rows, which never change, so that a
//! reply that is made again has the same bytes (ADR 21).

use ledger::{RecordedPosting, RecordedTransaction};
use money::{Currency, MinorUnits as Units};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Form;
use crate::shapes::*;

/// The balance of an account right after a movement, as the entry of the account has it. It never changes.
/// The present balances, including the pending and the available one, are read from the account.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceAfter {
    /// `acc_…`
    #[schema(value_type = AccountId)]
    pub account: String,
    /// ISO 4217 code, or the code of a custom asset.
    #[schema(value_type = CurrencyCode)]
    pub currency: String,
    /// The posted balance, in minor units on the account's normal side.
    #[schema(value_type = MinorUnits)]
    pub posted: i64,
    /// The number of entries that the account then had.
    #[schema(value_type = Count)]
    pub version: i64,
}

/// The balances of each account after the transaction, in the order of its postings; `None` in the older form
/// of replies.
pub(crate) fn after(posted: &RecordedTransaction, form: Form) -> Option<Vec<BalanceAfter>> {
    match form {
        Form::WithoutBalances => None,
        Form::Now => Some(of_each(&posted.postings)),
    }
}

fn of_each(postings: &[RecordedPosting]) -> Vec<BalanceAfter> {
    let mut last: Vec<Entry> = Vec::with_capacity(2);
    for entry in postings.iter().flat_map(entries) {
        match last.iter_mut().find(|known| known.account == entry.account) {
            Some(known) if known.version < entry.version => *known = entry,
            Some(_later) => {}
            None => last.push(entry),
        }
    }
    last.iter().map(Entry::shown).collect()
}

/// A posting, as seen by one of its accounts.
struct Entry {
    account: ledger::AccountId,
    currency: Currency,
    balance: Units,
    version: i64,
}

impl Entry {
    fn shown(&self) -> BalanceAfter {
        BalanceAfter {
            account: self.account.to_string(),
            currency: self.currency.code().to_owned(),
            posted: self.balance.get(),
            version: self.version,
        }
    }
}

fn entries(of: &RecordedPosting) -> [Entry; 2] {
    let entry = |account, balance, version| Entry {
        account,
        currency: of.posting.currency,
        balance,
        version,
    };
    [
        entry(of.posting.debit, of.debit_balance, of.debit_version),
        entry(of.posting.credit, of.credit_balance, of.credit_version),
    ]
}
