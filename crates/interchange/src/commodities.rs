//! Names of currencies in plain-text accounting.

use std::collections::{BTreeMap, BTreeSet};

use money::Currency;

/// A name for each currency of the books. The name is the code, unless a format cannot write the code, or two
/// currencies have the same code and different exponents.
#[derive(Debug, Default)]
pub(crate) struct Commodities(BTreeMap<Currency, String>);

impl Commodities {
    /// Makes the names. `spell` makes the name of a currency; its second argument says whether no other currency has
    /// the code.
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

    /// Each name, with the number of decimal places of its currency.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u8)> {
        let named = self.0.iter();
        named.map(|(currency, name)| (name.as_str(), currency.exponent()))
    }

    /// The name, for example `EUR`. A currency that no account holds has only its code as its name, which cannot be
    /// confused with another one.
    pub(crate) fn name<'a>(&'a self, currency: &'a Currency) -> &'a str {
        self.0.get(currency).map_or(currency.code(), String::as_str)
    }

    /// An amount with its name: `10.99 EUR`.
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
