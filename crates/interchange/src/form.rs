//! A format, and the parts of the books that it gets.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use ledger::journal::accounts_named;
use ledger::{Account, AccountId, Exchange, Kind, Leg, Rate, RecordedTransaction, TransactionId};
use money::Currency;
use store::{AnyConnection, Error, TenantId, Timestamp};

/// Number of accounts whose names are remembered between pages.
const REMEMBERED: usize = 100_000;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// Why an export stopped before the end. The part that was written is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database did not answer, or has rows that this program never writes.
    #[error(transparent)]
    Database(#[from] Error),
    /// The output could not be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

/// A format. Its functions are called in this order: every account for a survey, the beginning, every account,
/// every transaction, the balance of every account, the end.
pub(crate) trait Form {
    /// The name of the account in the format.
    fn name(&self, account: &Account) -> String;

    /// Looks at an account before anything is written.
    fn survey(&mut self, _account: &Account) {}

    fn begin(&mut self, output: &mut dyn Write, overview: &Overview) -> Result<(), ExportError>;

    fn account(&mut self, output: &mut dyn Write, account: &Account) -> Result<(), ExportError>;

    fn transaction(
        &mut self,
        output: &mut dyn Write,
        transaction: &RecordedTransaction,
        names: &Names,
    ) -> Result<(), ExportError>;

    /// Whether the balances are written once more at the end, so that the reader can compare them with its own sums.
    fn proves_balances(&self) -> bool {
        false
    }

    fn balance(&mut self, _output: &mut dyn Write, _account: &Account) -> Result<(), ExportError> {
        Ok(())
    }

    fn end(&mut self, _output: &mut dyn Write) -> Result<(), ExportError> {
        Ok(())
    }
}

/// Facts about the books that are known before the first account is written.
pub(crate) struct Overview {
    /// The name of the tenant.
    pub(crate) tenant: String,
    /// All currencies of the accounts.
    pub(crate) currencies: BTreeSet<Currency>,
    /// The first and the last effective time; `None` if there are no transactions.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// The end of the closed period: nothing with an earlier effective time is accepted any more.
    pub(crate) closed_before: Option<Timestamp>,
}

/// The names of accounts in the format, and the terms of exchanges, as far as the present page needs them.
#[derive(Default)]
pub(crate) struct Names {
    accounts: HashMap<AccountId, String>,
    exchanges: HashMap<TransactionId, Exchange>,
}

impl Names {
    /// The name of an account that a posting of `transaction` names.
    pub(crate) fn of(&self, id: AccountId, transaction: TransactionId) -> Result<&str, Error> {
        let missing = || Error::Refused(format!("{id} does not exist, and {transaction} names it"));
        let known = self.accounts.get(&id);
        known.map(String::as_str).ok_or_else(missing)
    }

    /// The exchange of a transaction.
    pub(crate) fn exchange(&self, id: &TransactionId) -> Option<&Exchange> {
        self.exchanges.get(id)
    }

    /// Looks up what a page names and is not known yet.
    pub(crate) fn learn(
        &mut self,
        connection: &mut AnyConnection,
        tenant: TenantId,
        form: &dyn Form,
        page: &[RecordedTransaction],
    ) -> Result<(), Error> {
        if self.accounts.len() > REMEMBERED {
            self.accounts.clear();
        }
        let postings = page.iter().flat_map(|transaction| &transaction.postings);
        let named: BTreeSet<AccountId> = postings
            .flat_map(|posted| [posted.posting.debit, posted.posting.credit])
            .filter(|id| !self.accounts.contains_key(id))
            .collect();
        let named: Vec<AccountId> = named.into_iter().collect();
        for account in accounts_named(connection, tenant, &named)? {
            self.accounts.insert(account.id, form.name(&account));
        }
        let exchanged = page.iter().filter(|one| one.kind == Kind::Exchange);
        let exchanged: Vec<TransactionId> = exchanged.map(|one| one.id).collect();
        let found = ledger::exchanges(connection, tenant, &exchanged)?;
        self.exchanges = found
            .into_iter()
            .map(|one| (one.transaction, one))
            .collect();
        Ok(())
    }
}

/// The price of a unit of one currency in another one, and its time: a quoted rate.
pub(crate) struct Price {
    pub(crate) at: Timestamp,
    pub(crate) of: Currency,
    pub(crate) rate: Rate,
    pub(crate) in_units_of: Currency,
}

impl Price {
    /// The rate of an exchange.
    pub(crate) fn of(transaction: &RecordedTransaction, names: &Names) -> Option<Self> {
        let exchange = names.exchange(&transaction.id)?;
        let currency = |leg: Leg| {
            let mut postings = transaction.postings.iter();
            let posted = postings.find(|posted| posted.ordinal == leg.ordinal());
            posted.map(|posted| posted.posting.currency)
        };
        Some(Self {
            at: exchange.quote.quoted_at,
            of: currency(Leg::Sold)?,
            rate: exchange.quote.rate,
            in_units_of: currency(Leg::Bought)?,
        })
    }
}

/// The balance in minor units, with debits positive and credits negative.
pub(crate) fn signed_balance(account: &Account) -> i128 {
    i128::from(account.debits_posted).saturating_sub(i128::from(account.credits_posted))
}

/// The day of a moment, in UTC: `2026-11-21`. For a moment of older books outside the range, it is the first or the
/// last day of the range: every program can read that, and the moment itself is written beside it.
pub(crate) fn day(at: Timestamp) -> String {
    date_of(at.clamped())
}

/// The day after [`day`], or the last day of the range.
pub(crate) fn day_after(at: Timestamp) -> String {
    date_of(at.clamped().plus_seconds(SECONDS_OF_A_DAY))
}

fn date_of(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('T')
        .map(|(day, _)| day.to_owned())
        .unwrap_or(text)
}

/// A text on one line: line ends and other invisible characters become spaces.
pub(crate) fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_utc() {
        let at = |micros| day(Timestamp::from_micros(micros));
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(-1), "1969-12-31");
        assert_eq!(day_after(Timestamp::from_micros(-1)), "1970-01-01");
    }

    #[test]
    fn a_day_beyond_the_range_is_the_last_one_that_every_program_can_read() {
        for micros in [-62_135_596_800_000_001, i64::MIN] {
            assert_eq!(day(Timestamp::from_micros(micros)), "1900-01-01");
        }
        for micros in [253_402_207_200_000_001, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            let days = (day(at), day_after(at));
            assert_eq!(days, ("9998-12-31".to_owned(), "9999-01-01".to_owned()));
        }
    }

    #[test]
    fn a_text_of_many_lines_becomes_one() {
        assert_eq!(one_line("a\r\nb\tc\u{85}d"), "a  b c d");
    }
}
