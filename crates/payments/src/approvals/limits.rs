//! The amounts above which a second person has to approve.

use std::collections::BTreeMap;

use money::{Currency, Money};

/// The amounts, by currency. A currency without one needs no approval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalLimits(BTreeMap<String, i64>);

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a limit is CURRENCY=AMOUNT in minor units, as EUR=100000")]
pub struct LimitError;

impl ApprovalLimits {
    /// Reads limits, each as `EUR=100000`, in minor units. Of two for one currency the last one counts.
    ///
    /// # Errors
    /// [`LimitError`] if one of them is no limit.
    pub fn parse<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Self, LimitError> {
        let limit = |text: &str| {
            let (code, amount) = text.split_once('=').ok_or(LimitError)?;
            let currency = Currency::from_code(code).map_err(|_unknown| LimitError)?;
            let amount: i64 = amount.parse().map_err(|_no_number| LimitError)?;
            if amount < 0 {
                return Err(LimitError);
            }
            Ok((currency.code().to_owned(), amount))
        };
        Ok(Self(texts.map(limit).collect::<Result<_, _>>()?))
    }

    /// True if this money is above the limit of its currency.
    #[must_use]
    pub fn needs_approval(&self, money: Money) -> bool {
        let limit = self.0.get(money.currency.code());
        limit.is_some_and(|limit| money.amount.get() > *limit)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_limit_is_of_a_currency_and_what_is_above_it_needs_approval() {
        let limits = ApprovalLimits::parse(["EUR=1", "EUR=100", "JPY=0"].into_iter()).unwrap();
        let money = |code: &str, amount: i64| Money {
            amount: money::Amount::new(amount).unwrap(),
            currency: Currency::from_code(code).unwrap(),
        };
        assert!(!limits.needs_approval(money("EUR", 100)));
        assert!(limits.needs_approval(money("EUR", 101)));
        assert!(limits.needs_approval(money("JPY", 1)));
        assert!(!limits.needs_approval(money("USD", i64::MAX)));
        for wrong in ["", "EUR", "EUR=", "EUR=-1", "EUR=1.5", "eur=1", "XXX=1"] {
            assert_eq!(
                ApprovalLimits::parse([wrong].into_iter()),
                Err(LimitError),
                "{wrong}"
            );
        }
    }
}
