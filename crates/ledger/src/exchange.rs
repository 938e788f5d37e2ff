//! Here a currency exchange is decided: one transaction with two postings, each in a currency of its own.
//! The sold amount goes from an account to the liquidity account of its currency. The bought amount comes
//! from the liquidity account of the other currency. Per currency the exchange balances like any other
//! transaction; the tenant's position is the balance of the liquidity accounts. One amount is given and the
//! other follows from the rate. Rate, rounding and source are stored beside the postings.

use money::{Amount, Currency, Rounding};
use store::Timestamp;

use crate::post::post_buying;
use crate::rate::ConversionError;
use crate::{
    Account, AccountId, Condition, Heading, NewTransaction, NormalSide, PostError, Posting, Rate,
    RateSource, RecordedTransaction, Shelf, TransactionId,
};

/// One of the two sides of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leg {
    /// What the account gives away.
    Sold,
    /// What the account gets instead.
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
    /// The transaction that made it.
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

/// Why nothing was exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// A rule for all transactions is broken. Posting 0 is the sold leg, posting 1 the bought leg.
    #[error(transparent)]
    Post(#[from] PostError),
    /// Both accounts have the same currency.
    #[error("both accounts hold {currency}")]
    SameCurrency {
        /// The currency of both accounts.
        currency: Currency,
    },
    /// One account must lose what the other gains. An asset and a liability would both lose, or both gain.
    #[error("account {from} and account {to} do not grow on the same side")]
    SidesDiffer {
        /// The account that would give.
        from: AccountId,
        /// The account that would get.
        to: AccountId,
    },
    /// The other amount comes to zero, but a transaction moves something in both currencies.
    #[error("the amount comes to less than one minor unit of the other currency")]
    AmountTooSmall,
    /// The other amount is more than `i64::MAX`.
    #[error(
        "the amount comes to more than {} minor units of the other currency",
        i64::MAX
    )]
    AmountTooLarge,
}

impl ExchangeError {
    /// All rules in the order in which they are checked: the code of each rule and its text.
    pub const ORDER: &[(&str, &str)] = &[
        (
            "external_id_taken",
            "An external id names one transaction of a tenant.",
        ),
        ("same_account", "A posting's two accounts differ."),
        (
            "condition_elsewhere",
            "A condition is about one of the four accounts.",
        ),
        (
            "effective_in_the_future",
            "What happens, happens at most five minutes after it is recorded.",
        ),
        (
            "account_not_found",
            "All four accounts exist, and are the tenant's.",
        ),
        (
            "currency_mismatch",
            "Each liquidity account holds the currency that goes through it.",
        ),
        ("same_currency", "What is bought is not what is sold."),
        (
            "sides_differ",
            "The account that gives and the one that gets grow on the same side.",
        ),
        (
            "amount_too_small",
            "What follows from the rate is at least one minor unit.",
        ),
        (
            "amount_too_large",
            "What follows from the rate is at most 2^63 - 1.",
        ),
        ("account_frozen", "No account is frozen."),
        ("account_closed", "No account is closed."),
        (
            "period_closed",
            "What happened, happened in an open period.",
        ),
        (
            "version_mismatch",
            "Each account is at the version that a condition names.",
        ),
        (
            "balance_overflow",
            "No counter, nor what is posted and pending together, passes 2^63 - 1.",
        ),
        (
            "currency_withdrawn",
            "What happened after the end of a withdrawn currency only empties balances in it.",
        ),
        (
            "insufficient_funds",
            "No account is lowered below its floor less its credit line, counting what is pending against it.",
        ),
        (
            "ceiling_exceeded",
            "No account is raised above its ceiling, counting what is pending in favour of it.",
        ),
        (
            "condition_failed",
            "Each account has as much available afterwards as a condition names.",
        ),
    ];

    /// The code of the broken rule; a code never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Post(rule) => rule.code(),
            Self::SameCurrency { .. } => "same_currency",
            Self::SidesDiffer { .. } => "sides_differ",
            Self::AmountTooSmall => "amount_too_small",
            Self::AmountTooLarge => "amount_too_large",
        }
    }
}

/// Exchanges one currency for another: both legs or neither.
///
/// # Errors
/// [`ExchangeError`] names the first broken rule in documented order; the shelf is then unchanged.
pub fn exchange(shelf: &mut Shelf, new: NewExchange) -> Result<RecordedTransaction, ExchangeError> {
    if let Some(by) = shelf.taken(new.heading.external_id.as_ref()) {
        return Err(PostError::ExternalIdTaken { by }.into());
    }
    check_shape(&new)?;
    let (from, sold_to) = pair(shelf, 0, (new.from, new.sold_to))?;
    let (to, bought_from) = pair(shelf, 1, (new.to, new.bought_from))?;
    check_currency(0, from.currency, sold_to)?;
    check_currency(1, to.currency, bought_from)?;
    let currencies = (from.currency, to.currency);
    if currencies.0 == currencies.1 {
        let currency = currencies.0;
        return Err(ExchangeError::SameCurrency { currency });
    }
    if from.normal_side != to.normal_side {
        let (from, to) = (from.id, to.id);
        return Err(ExchangeError::SidesDiffer { from, to });
    }
    let (rate, rounding) = (new.quote.rate, new.quote.rounding);
    let (sold, bought) = rate
        .amounts((new.amount, new.given), currencies, rounding)
        .map_err(|why| match why {
            ConversionError::TooSmall => ExchangeError::AmountTooSmall,
            ConversionError::TooLarge => ExchangeError::AmountTooLarge,
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

fn check_shape(new: &NewExchange) -> Result<(), PostError> {
    let pairs = [(new.from, new.sold_to), (new.to, new.bought_from)];
    if let Some(posting) = pairs.iter().position(|(one, other)| one == other) {
        return Err(PostError::SameAccount { posting });
    }
    let concerned = |account| pairs.iter().any(|(a, b)| *a == account || *b == account);
    if let Some(condition) = new.conditions.iter().position(|c| !concerned(c.account)) {
        return Err(PostError::ConditionElsewhere { condition });
    }
    match new.heading.too_far_ahead() {
        Some(latest) => Err(PostError::EffectiveInTheFuture { latest }),
        None => Ok(()),
    }
}

/// The two accounts of a leg.
fn pair(
    shelf: &Shelf,
    posting: usize,
    (own, liquidity): (AccountId, AccountId),
) -> Result<(&Account, &Account), PostError> {
    let find = |account| {
        let found = shelf.account(&account);
        found.ok_or(PostError::AccountNotFound { posting, account })
    };
    Ok((find(own)?, find(liquidity)?))
}

fn check_currency(posting: usize, asked: Currency, liquidity: &Account) -> Result<(), PostError> {
    if liquidity.currency == asked {
        return Ok(());
    }
    Err(PostError::CurrencyMismatch {
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
