//! Exchange of one currency for another.

use ledger::{
    AccountId, Exchange, Leg, NewExchange, NewTransaction, Posting, Quote, Refusal, Side, Step,
};
use money::{Amount, Currency, Rounding};

use super::{MAX, Purse, Reference};
use crate::bugs::Bug;
use crate::words::Moved;

impl Reference {
    pub(super) fn exchange(&mut self, new: &NewExchange) -> Result<Moved, Refusal> {
        if let Some(by) = self.taken(new.heading.external_id.as_ref()) {
            return Err(Refusal::ExternalIdTaken { by });
        }
        self.is_well_formed_exchange(new)?;
        let (from, sold_to) = self.leg(0, new.from, new.sold_to)?;
        let (to, bought_from) = self.leg(1, new.to, new.bought_from)?;
        for (posting, own, account, holds) in [
            (0, from.currency, new.sold_to, sold_to.currency),
            (1, to.currency, new.bought_from, bought_from.currency),
        ] {
            if own != holds {
                let rule = Refusal::CurrencyMismatch {
                    posting,
                    account,
                    holds,
                    asked: own,
                };
                return Err(rule);
            }
        }
        if from.currency == to.currency && !self.is(Bug::ExchangesTheSame) {
            let currency = from.currency;
            return Err(Refusal::SameCurrency { currency });
        }
        if from.grows_on != to.grows_on && !self.is(Bug::SidesMayDiffer) {
            let (from, to) = (new.from, new.to);
            return Err(Refusal::SidesDiffer { from, to });
        }
        let other = self.follows(new, (from.currency, to.currency))?;
        let (sold, bought) = match new.given {
            Leg::Sold => (new.amount, other),
            Leg::Bought => (other, new.amount),
        };
        let mut postings = vec![
            self.falls(&from, (new.from, new.sold_to), sold),
            turned(self.falls(&to, (new.to, new.bought_from), bought)),
        ];
        if self.is(Bug::OneLegAlone) {
            postings.truncate(1);
        }
        let moved = self.post_buying(&transaction(new, postings), Some(1))?;
        let terms = Exchange {
            transaction: moved.id,
            sold,
            bought,
            given: new.given,
            quote: new.quote.clone(),
        };
        if !self.is(Bug::TermsAreLost) {
            self.books.terms.insert(moved.id, terms);
        }
        Ok(moved)
    }

    fn is_well_formed_exchange(&self, new: &NewExchange) -> Result<(), Refusal> {
        let legs = [[new.from, new.sold_to], [new.to, new.bought_from]];
        if let Some(posting) = legs.iter().position(|[own, liquidity]| own == liquidity) {
            return Err(Refusal::SameAccount { posting });
        }
        let named = legs.concat();
        let mut conditions = new.conditions.iter();
        let elsewhere = conditions.position(|condition| !named.contains(&condition.account));
        if let Some(condition) = elsewhere {
            return Err(Refusal::ConditionElsewhere {
                condition,
                step: Step::Posted,
            });
        }
        match self.ahead(new.heading.effective_at, new.heading.recorded_at) {
            Some(latest) => Err(Refusal::EffectiveInTheFuture { latest }),
            None => Ok(()),
        }
    }

    fn leg(
        &self,
        posting: usize,
        own: AccountId,
        liquidity: AccountId,
    ) -> Result<(Purse, Purse), Refusal> {
        let find = |account: AccountId| {
            let purse = self.books.accounts.get(&account).cloned();
            purse.ok_or(Refusal::AccountNotFound { posting, account })
        };
        Ok((find(own)?, find(liquidity)?))
    }

    /// A posting by which the account gives the amount to the other one, whichever side it grows on.
    fn falls(
        &self,
        purse: &Purse,
        (own, liquidity): (AccountId, AccountId),
        amount: Amount,
    ) -> Posting {
        let grows_on_debit = purse.grows_on == Side::Debit && !self.is(Bug::AllGiveOnDebit);
        let (debit, credit) = if grows_on_debit {
            (liquidity, own)
        } else {
            (own, liquidity)
        };
        Posting {
            debit,
            credit,
            amount,
            currency: purse.currency,
        }
    }

    /// The amount of the other leg: bought = sold × rate, counted in minor units of each.
    fn follows(
        &self,
        new: &NewExchange,
        (sold, bought): (Currency, Currency),
    ) -> Result<Amount, Refusal> {
        let Quote { rate, rounding, .. } = &new.quote;
        let text = rate.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().expect("digits");
        let power = |exponent: usize| (0..exponent).fold(1_i128, |power, _| power * 10);
        let exponent = |currency: Currency| {
            let counts = !self.is(Bug::ExponentsForgotten);
            usize::from(counts) * usize::from(currency.exponent())
        };
        let mut ratio = (
            digits * power(exponent(bought)),
            power(fraction.len() + exponent(sold)),
        );
        if new.given == Leg::Bought && !self.is(Bug::RateTheSameWay) {
            ratio = (ratio.1, ratio.0);
        }
        let product = i128::from(new.amount.get()).checked_mul(ratio.0);
        let other = product.map(|product| self.rounded(product, ratio.1, *rounding));
        match other {
            None => Err(Refusal::AmountTooLarge),
            Some(other) if other > MAX => Err(Refusal::AmountTooLarge),
            Some(0) if self.is(Bug::NothingIsOne) => Ok(Amount::new(1).expect("positive")),
            Some(other) => {
                let other = i64::try_from(other).expect("within an i64");
                Amount::new(other).map_err(|_nothing| Refusal::AmountTooSmall)
            }
        }
    }

    fn rounded(&self, dividend: i128, divisor: i128, rounding: Rounding) -> i128 {
        let (whole, rest) = (dividend / divisor, dividend % divisor);
        let (is_half, is_more) = (rest * 2 == divisor, rest * 2 > divisor);
        let goes_up = match rounding {
            Rounding::HalfEven if self.is(Bug::EvenIsUp) => is_half || is_more,
            Rounding::HalfEven => is_more || (is_half && whole % 2 == 1),
            Rounding::HalfUp => is_half || is_more,
            Rounding::Down => false,
            Rounding::Up => rest > 0 && !self.is(Bug::UpIsCutOff),
        };
        whole + i128::from(goes_up)
    }
}

fn turned(posting: Posting) -> Posting {
    Posting {
        debit: posting.credit,
        credit: posting.debit,
        ..posting
    }
}

fn transaction(new: &NewExchange, postings: Vec<Posting>) -> NewTransaction {
    let heading = new.heading.clone();
    NewTransaction {
        beyond_limits: false,
        id: heading.id,
        kind: heading.kind,
        postings,
        pending: None,
        conditions: new.conditions.clone(),
        external_id: heading.external_id,
        description: heading.description,
        metadata: heading.metadata,
        effective_at: heading.effective_at,
        recorded_at: heading.recorded_at,
    }
}
