//! What currencies are called in plain-text accounting.

use std::collections::{BTreeMap, BTreeSet};

use money::Currency;

/// A name for each currency of the books. That is its code, unless a format cannot write that, or two
/// currencies share it and differ in their exponents.
#[derive(Debug, Default)]
pub(crate) struct Commodities(BTreeMap<Currency, String>);

impl Commodities {
    /// `spell` makes a name of a currency, told whether the code is its alone.
    pub(crate) fn of(
        currencies: &BTreeSet<Currency>,
        spell: fn(&Currency, bool) -> String,
    ) -> Self {
        let named = |currency: &Currency| {
            let sharing = currencies.iter().filter(|c| c.code() == currency.code());
            (*currency, spell(currency, sharing.count() == 1))
        };
        Self(currencies.iter().map(named).collect())
    }

    /// Each name, with how many decimal places the currency has.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u8)> {
        let named = self.0.iter();
        named.map(|(currency, name)| (name.as_str(), currency.exponent()))
    }

    /// `EUR`. A currency that no account holds has no name but its code, and will not be taken for
    /// another.
    pub(crate) fn name<'a>(&'a self, currency: &'a Currency) -> &'a str {
        self.0.get(currency).map_or(currency.code(), String::as_str)
    }

    /// `10.99 EUR`.
    pub(crate) fn amount(&self, currency: Currency, minor_units: i128) -> String {
        format!("{} {}", currency.decimal(minor_units), self.name(&currency))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_shared_code_is_told_apart() {
        let asset = |code, exponent| Currency::custom(code, exponent).unwrap();
        let (six, eighteen, coin) = (asset("USDC", 6), asset("USDC", 18), asset("COIN", 2));
        let commodities = Commodities::of(&[six, eighteen, coin].into(), |currency, alone| {
            if alone {
                currency.code().to_owned()
            } else {
                currency.stored().into_owned()
            }
        });
        assert_eq!(commodities.amount(six, 1), "0.000001 USDC/6");
        assert_eq!(
            commodities.amount(eighteen, -1),
            "-0.000000000000000001 USDC/18"
        );
        assert_eq!(commodities.amount(coin, 0), "0.00 COIN");
        assert_eq!(commodities.iter().count(), 3);
    }
}
