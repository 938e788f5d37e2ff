//! Here a currency exchange is decided: one transaction with two postings, each in a currency of its own.
//! The sold amount goes from an account to the liquidity account of its currency. The bought amount comes
//! from the liquidity account of the other currency. Per currency the exchange balances like any other
//! transaction; the tenant's position is the balance of the liquidity accounts. One amount is given and the
//! other follows from the rate. Rate, rounding and source are stored beside the postings.

use money::{Amount, Currency, Rounding};
use store::Timestamp;

use crate::post::post_buying;
use crate::rate::ConversionError;
use crate::refusal::order;
use crate::{
    Account, AccountId, Condition, Heading, NewTransaction, NormalSide, Posting, Rate, RateSource,
    RecordedTransaction, Refusal, Shelf, Step, TransactionId, condition,
};

/// One of the two sides of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leg {
    /// The amount that the account gives.
    Sold,
    /// The amount that the account gets in return.
    Bought,
}

impl Leg {
    /// Both legs.
    pub const ALL: [Self; 2] = [Self::Sold, Self::Bought];

    /// The ordinal of the leg's posting in the transaction.
    #[must_use]
    pub const fn ordinal(self) -> i16 {
        match self {
            Self::Sold => 0,
            Self::Bought => 1,
        }
    }
}

impl std::fmt::Display for Leg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sold => "sold",
            Self::Bought => "bought",
        })
    }
}

/// The terms of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Units of the bought currency for one unit of the sold one.
    pub rate: Rate,
    /// How the computed amount is rounded to minor units.
    pub rounding: Rounding,
    /// Who quoted the rate.
    pub source: RateSource,
    /// When the rate was quoted.
    pub quoted_at: Timestamp,
}

/// The position of the bought leg among the postings.
const BOUGHT: usize = 1;

/// A request to exchange currencies.
#[derive(Debug, Clone)]
pub struct NewExchange {
    /// Id, kind, external id, description, metadata and times of the new transaction.
    pub heading: Heading,
    /// The account that gives: its balance falls by the sold amount.
    pub from: AccountId,
    /// The account that gets: its balance grows by the bought amount.
    pub to: AccountId,
    /// The liquidity account of the sold currency.
    pub sold_to: AccountId,
    /// The liquidity account of the bought currency.
    pub bought_from: AccountId,
    /// The given amount, in minor units of the currency of its leg.
    pub amount: Amount,
    /// The leg whose amount is given.
    pub given: Leg,
    /// The terms.
    pub quote: Quote,
    /// Conditions that must hold in addition to the rules.
    pub conditions: Vec<Condition>,
}

/// An exchange that is part of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The transaction that made the exchange.
    pub transaction: TransactionId,
    /// The sold amount.
    pub sold: Amount,
    /// The bought amount.
    pub bought: Amount,
    /// The leg whose amount was given; the other follows from it.
    pub given: Leg,
    /// The terms.
    pub quote: Quote,
}

/// Exchanges one currency for another: both legs or neither.
///
/// # Errors
/// The first broken rule of [`order::EXCHANGE`], where posting 0 is the sold leg and posting 1 the bought leg; the
/// shelf is then unchanged.
pub fn exchange(shelf: &mut Shelf, new: NewExchange) -> Result<RecordedTransaction, Refusal> {
    swap(shelf, new).map_err(|refusal| refusal.among(order::EXCHANGE))
}

fn swap(shelf: &mut Shelf, new: NewExchange) -> Result<RecordedTransaction, Refusal> {
    shelf.check_external_id(new.heading.external_id.as_ref())?;
    check_shape(&new)?;
    let (from, sold_to) = pair(shelf, 0, (new.from, new.sold_to))?;
    let (to, bought_from) = pair(shelf, 1, (new.to, new.bought_from))?;
    check_currency(0, from.currency, sold_to)?;
    check_currency(1, to.currency, bought_from)?;
    let currencies = (from.currency, to.currency);
    if currencies.0 == currencies.1 {
        let currency = currencies.0;
        return Err(Refusal::SameCurrency { currency });
    }
    if from.normal_side != to.normal_side {
        let (from, to) = (from.id, to.id);
        return Err(Refusal::SidesDiffer { from, to });
    }
    let (rate, rounding) = (new.quote.rate, new.quote.rounding);
    let (sold, bought) = rate
        .amounts((new.amount, new.given), currencies, rounding)
        .map_err(|why| match why {
            ConversionError::TooSmall => Refusal::AmountTooSmall,
            ConversionError::TooLarge => Refusal::AmountTooLarge,
        })?;
    let postings = vec![
        falls(from, new.sold_to, sold),
        grows(to, new.bought_from, bought),
    ];
    let transaction = transaction(new.heading, postings, new.conditions);
    let posted = post_buying(shelf, transaction, Some(BOUGHT))?;
    // After this point it must succeed.
    shelf.put_exchange(Exchange {
        transaction: posted.id,
        sold,
        bought,
        given: new.given,
        quote: new.quote,
    });
    Ok(posted)
}

fn check_shape(new: &NewExchange) -> Result<(), Refusal> {
    let pairs = [(new.from, new.sold_to), (new.to, new.bought_from)];
    if let Some(posting) = pairs.iter().position(|(one, other)| one == other) {
        return Err(Refusal::SameAccount { posting });
    }
    let moves = |account: &AccountId| pairs.iter().any(|(a, b)| a == account || b == account);
    condition::check_accounts(&new.conditions, Step::Posted, moves)?;
    new.heading.check_moment()
}

/// The two accounts of a leg.
fn pair(
    shelf: &Shelf,
    posting: usize,
    (own, liquidity): (AccountId, AccountId),
) -> Result<(&Account, &Account), Refusal> {
    let find = |account| {
        let found = shelf.account(&account);
        found.ok_or(Refusal::AccountNotFound { posting, account })
    };
    Ok((find(own)?, find(liquidity)?))
}

fn check_currency(posting: usize, asked: Currency, liquidity: &Account) -> Result<(), Refusal> {
    if liquidity.currency == asked {
        return Ok(());
    }
    Err(Refusal::CurrencyMismatch {
        posting,
        account: liquidity.id,
        holds: liquidity.currency,
        asked,
    })
}

/// A posting that lowers the balance of the account by `amount`, on either side.
fn falls(account: &Account, liquidity: AccountId, amount: Amount) -> Posting {
    let (debit, credit) = match account.normal_side {
        NormalSide::Debit => (liquidity, account.id),
        NormalSide::Credit => (account.id, liquidity),
    };
    Posting {
        debit,
        credit,
        amount,
        currency: account.currency,
    }
}

fn grows(account: &Account, liquidity: AccountId, amount: Amount) -> Posting {
    let falls = falls(account, liquidity, amount);
    Posting {
        debit: falls.credit,
        credit: falls.debit,
        ..falls
    }
}

fn transaction(
    heading: Heading,
    postings: Vec<Posting>,
    conditions: Vec<Condition>,
) -> NewTransaction {
    NewTransaction {
        beyond_limits: false,
        id: heading.id,
        kind: heading.kind,
        postings,
        pending: None,
        conditions,
        external_id: heading.external_id,
        description: heading.description,
        metadata: heading.metadata,
        effective_at: heading.effective_at,
        recorded_at: heading.recorded_at,
    }
}
