//! A transaction that is written as debits and credits, without a statement which of them belong together. The debits
//! and credits of each currency are matched on their own, if there is exactly one way to match them.

use std::collections::HashSet;

use ledger::NormalSide;
use money::{Amount, Currency, Money};

use super::assembly::Movement;

/// A debit or a credit.
pub(super) struct Leg {
    pub(super) line: u64,
    pub(super) side: NormalSide,
    pub(super) account: String,
    pub(super) money: Money,
}

/// The postings of a transaction, numbered from 0. One debit and several credits give one posting for each credit; one
/// credit and several debits give one posting for each debit. Several debits and several credits are matched by their
/// amounts, if each amount occurs exactly once on each side.
///
/// # Errors
/// The line, and a description of the mistake.
pub(super) fn matched(legs: Vec<Leg>) -> Result<Vec<Movement>, (u64, String)> {
    let mut currencies: Vec<Currency> = Vec::new();
    for leg in &legs {
        if !currencies.contains(&leg.money.currency) {
            currencies.push(leg.money.currency);
        }
    }
    let mut movements = Vec::with_capacity(legs.len());
    let mut rest = legs;
    for currency in currencies {
        let of_it = |leg: &Leg| leg.money.currency == currency;
        let (own, others) = rest.into_iter().partition(of_it);
        rest = others;
        movements.extend(of_currency(own)?);
    }
    for (number, movement) in (0..).zip(&mut movements) {
        movement.number = number;
    }
    Ok(movements)
}

fn of_currency(legs: Vec<Leg>) -> Result<Vec<Movement>, (u64, String)> {
    let line = legs.first().map_or(0, |leg| leg.line);
    let is_debit = |leg: &Leg| leg.side == NormalSide::Debit;
    let (debits, credits): (Vec<Leg>, Vec<Leg>) = legs.into_iter().partition(is_debit);
    let (debited, credited) = (sum(&debits), sum(&credits));
    if debited != credited {
        let problem = format!("debits come to {debited} minor units, and credits to {credited}");
        return Err((line, problem));
    }
    let pairs: Vec<(&Leg, &Leg, Amount)> = match (debits.as_slice(), credits.as_slice()) {
        ([debit], credits) => credits
            .iter()
            .map(|credit| (debit, credit, credit.money.amount))
            .collect(),
        (debits, [credit]) => debits
            .iter()
            .map(|debit| (debit, credit, debit.money.amount))
            .collect(),
        (debits, credits) => {
            by_amount(debits, credits).ok_or_else(|| (line, AMBIGUOUS.to_owned()))?
        }
    };
    let is_one_debit = debits.len() == 1 && credits.len() > 1;
    let movements = pairs.into_iter().map(|(debit, credit, amount)| Movement {
        line: if is_one_debit {
            credit.line
        } else {
            debit.line
        },
        number: 0,
        debit: debit.account.clone(),
        credit: credit.account.clone(),
        amount,
        currency: debit.money.currency,
    });
    Ok(movements.collect())
}

const AMBIGUOUS: &str =
    "several debits and several credits can be matched in more than one way: number the postings";

fn by_amount<'l>(debits: &'l [Leg], credits: &'l [Leg]) -> Option<Vec<(&'l Leg, &'l Leg, Amount)>> {
    let distinct = |legs: &[Leg]| {
        let mut seen = HashSet::with_capacity(legs.len());
        legs.iter().all(|leg| seen.insert(leg.money.amount))
    };
    if debits.len() != credits.len() || !distinct(debits) || !distinct(credits) {
        return None;
    }
    let partner = |debit: &'l Leg| {
        let amount = debit.money.amount;
        let credit = credits.iter().find(|credit| credit.money.amount == amount);
        credit.map(|credit| (debit, credit, amount))
    };
    debits.iter().map(partner).collect()
}

fn sum(legs: &[Leg]) -> i128 {
    let amounts = legs.iter().map(|leg| i128::from(leg.money.amount.get()));
    amounts.fold(0, i128::saturating_add)
}
