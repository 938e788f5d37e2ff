//! The amount of each posting that a reversal reverses.
//!
//! An exchange is reversed by the same share of both legs. The amount of one leg is named; the amount of the
//! other follows from the total that is then reversed of the first. With S sold and B bought, when s of S is
//! reversed in total, ⌊B·s ÷ S⌋ of B is reversed in total. It is computed from these totals each time, so rounding
//! errors do not add up. It is rounded down, so neither leg is used up before the other. The last share is the
//! rest of both legs.

use super::{Amounts, Correction};
use crate::transaction::Part;
use crate::{Leg, Phase, RecordedPosting, Refusal, Shelf, Step, TransactionId};

/// A posting that is reversed, wholly or in part.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReversedPart {
    pub(super) posted: RecordedPosting,
    /// The amount of the posting that was reversed before.
    pub(super) correction: Correction,
    /// The amount of the posting that is reversed now, in minor units.
    pub(super) amount: i64,
}

/// Each posting that is to be reversed, with its amount.
pub(super) fn reversed_parts(
    shelf: &Shelf,
    transaction: TransactionId,
    amounts: &Amounts,
) -> Result<Vec<ReversedPart>, Refusal> {
    let (step, postings) = shelf
        .recorded(&transaction)
        .ok_or(Refusal::TransactionNotFound { transaction })?;
    if let Amounts::OfPostings(named) = amounts {
        for (ordinal, _) in named {
            let is_it = |p: &&RecordedPosting| p.ordinal == *ordinal && p.phase != Phase::Released;
            if postings.iter().find(is_it).is_none() {
                return Err(not_found(*ordinal));
            }
        }
    }
    match step {
        Step::Posted | Step::Fulfilment => {}
        Step::Pending | Step::Void | Step::Expiry | Step::Reversal => {
            return Err(Refusal::NotReversible { step });
        }
    }
    let is_exchange = shelf.is_exchange(&transaction);
    match amounts {
        Amounts::OfLeg(leg, _) if !is_exchange => {
            return Err(Refusal::NotAnExchange { leg: *leg });
        }
        Amounts::OfPostings(named) if is_exchange && named.len() < Leg::ALL.len() => {
            return Err(Refusal::LegAlone);
        }
        Amounts::Rest | Amounts::OfLeg(..) | Amounts::OfPostings(_) => {}
    }
    let moved = postings.iter().filter(|posted| posted.phase.is_final());
    let all: Vec<ReversedPart> = moved
        .map(|posted| {
            let known = shelf.correction(&transaction, posted.ordinal);
            let correction = known.copied().unwrap_or(Correction {
                transaction,
                ordinal: posted.ordinal,
                amount: posted.posting.amount.get(),
                reversed: 0,
            });
            ReversedPart {
                posted: *posted,
                correction,
                amount: correction.remaining(),
            }
        })
        .filter(|all| all.amount > 0 || *amounts != Amounts::Rest)
        .collect();
    if all.iter().all(|posting| posting.amount == 0) {
        return Err(Refusal::Reversed);
    }
    match amounts {
        Amounts::Rest => Ok(all),
        Amounts::OfLeg(leg, amount) => share(&all, *leg, amount.get()),
        Amounts::OfPostings(named) => {
            let chosen = choose(&all, named)?;
            if is_exchange {
                check_proportion(&all, &chosen)?;
            }
            Ok(chosen)
        }
    }
}

fn choose(all: &[ReversedPart], named: &[Part]) -> Result<Vec<ReversedPart>, Refusal> {
    let mut parts = Vec::with_capacity(named.len());
    for (ordinal, amount) in named {
        let ordinal = *ordinal;
        let part = find(all, ordinal)?;
        if amount.get() > part.amount {
            return Err(Refusal::ExceedsPosted {
                ordinal,
                remaining: part.amount,
            });
        }
        let amount = amount.get();
        parts.push(ReversedPart { amount, ..part });
    }
    Ok(parts)
}

/// The named amount of one leg, and the same share of the other leg.
fn share(all: &[ReversedPart], leg: Leg, amount: i64) -> Result<Vec<ReversedPart>, Refusal> {
    let (named, other) = legs(all, leg)?;
    if amount > named.amount {
        return Err(Refusal::ExceedsLeg {
            leg,
            remaining: named.amount,
        });
    }
    let follows = following(&named.correction, amount, &other.correction);
    if follows == 0 {
        return Err(Refusal::ShareTooSmall { leg });
    }
    let named = ReversedPart { amount, ..named };
    let other = ReversedPart {
        amount: follows,
        ..other
    };
    Ok(match leg {
        Leg::Sold => vec![named, other],
        Leg::Bought => vec![other, named],
    })
}

/// Checks an exchange of which both legs are named: one amount follows from the other, or the amounts are all that
/// remains.
fn check_proportion(all: &[ReversedPart], chosen: &[ReversedPart]) -> Result<(), Refusal> {
    let (sold, bought) = legs(chosen, Leg::Sold)?;
    let follows = following(&sold.correction, sold.amount, &bought.correction);
    let leads = following(&bought.correction, bought.amount, &sold.correction);
    let is_rest = chosen.iter().all(|part| {
        let whole = all
            .iter()
            .find(|one| one.posted.ordinal == part.posted.ordinal);
        whole.is_some_and(|whole| whole.amount == part.amount)
    });
    if bought.amount == follows || sold.amount == leads || is_rest {
        return Ok(());
    }
    Err(Refusal::NotInProportion { bought: follows })
}

/// The amount of the other leg that is reversed together with `amount` of this leg.
fn following(this: &Correction, amount: i64, other: &Correction) -> i64 {
    let done = i128::from(this.reversed).saturating_add(i128::from(amount));
    let product = done.saturating_mul(i128::from(other.amount));
    // The share is at most the amount of the other leg, because no more than the whole of this leg is reversed.
    let share = product.checked_div(i128::from(this.amount)).unwrap_or(0);
    let share = i64::try_from(share).unwrap_or(other.amount);
    share.saturating_sub(other.reversed).max(0)
}

fn legs(all: &[ReversedPart], leg: Leg) -> Result<(ReversedPart, ReversedPart), Refusal> {
    let other = match leg {
        Leg::Sold => Leg::Bought,
        Leg::Bought => Leg::Sold,
    };
    Ok((find(all, leg.ordinal())?, find(all, other.ordinal())?))
}

fn find(all: &[ReversedPart], ordinal: i16) -> Result<ReversedPart, Refusal> {
    let found = all.iter().find(|part| part.posted.ordinal == ordinal);
    found.copied().ok_or_else(|| not_found(ordinal))
}

const fn not_found(ordinal: i16) -> Refusal {
    Refusal::PostingNotFound {
        ordinal,
        step: Step::Reversal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leg(amount: i64, reversed: i64) -> Correction {
        Correction {
            transaction: TransactionId::from_bytes([0; 16]),
            ordinal: 0,
            amount,
            reversed,
        }
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let most = leg(i64::MAX, 0);
        assert_eq!(following(&most, i64::MAX, &most), i64::MAX);
        assert_eq!(following(&most, i64::MAX, &leg(1, 0)), 1);
        assert_eq!(following(&most, i64::MAX - 1, &leg(1, 0)), 0);
        assert_eq!(following(&leg(1, 0), 1, &most), i64::MAX);
    }

    proptest! {
        /// Whichever leg is named each time, no leg is used up before the other, and each stays within one minor
        /// unit of its share.
        #[test]
        fn shares_stay_in_proportion(
            (sold, bought) in (1..10_000_i64, 1..10_000_i64),
            steps in prop::collection::vec((any::<bool>(), 1..1_000_i64), 0..40),
        ) {
            let (mut sold, mut bought) = (leg(sold, 0), leg(bought, 0));
            for (sells, amount) in steps {
                let (this, other) = if sells { (&mut sold, &mut bought) } else { (&mut bought, &mut sold) };
                let follows = following(this, amount, other);
                if amount > this.remaining() || follows == 0 {
                    continue;
                }
                this.reversed += amount;
                other.reversed += follows;
                let exact = |one: &Correction, other: &Correction| {
                    i128::from(one.reversed) * i128::from(other.amount)
                };
                let (one, two) = (exact(&sold, &bought), exact(&bought, &sold));
                prop_assert!((one - two).abs() < i128::from(sold.amount.max(bought.amount)));
                prop_assert_eq!(sold.remaining() == 0, bought.remaining() == 0);
            }
        }
    }
}
