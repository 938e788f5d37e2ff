//! The amounts of Stripe. Its smallest unit of a currency is not always the minor unit of ISO 4217.
//!
//! A currency has a number of decimals at Stripe, and a step: amounts that Stripe takes are multiples of it.

use money::{Amount, Currency, Money};

/// Currencies without decimals at Stripe. In ISO 4217 the Malagasy ariary has two; all others have none there either.
const WITHOUT_DECIMALS: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Currencies without decimals in ISO 4217 that are written with two at Stripe. Only whole units are taken.
const WHOLE_WITH_TWO_DECIMALS: [&str; 2] = ["ISK", "UGX"];
/// Currencies with two decimals of which only whole units are paid out.
const PAID_OUT_WHOLE: [&str; 2] = ["HUF", "TWD"];

/// The unit of a currency at Stripe.
struct Unit {
    /// Number of decimals.
    decimals: u8,
    /// Every amount that Stripe takes is a multiple of this.
    step: i64,
}

/// The unit of a currency; `None` if Stripe does not have the currency, or nothing is known of its unit there.
fn unit(currency: Currency, is_payout: bool) -> Option<Unit> {
    if currency.is_custom() {
        return None;
    }
    let code = currency.code();
    if WITHOUT_DECIMALS.contains(&code) {
        return Some(Unit {
            decimals: 0,
            step: 1,
        });
    }
    let is_whole = WHOLE_WITH_TWO_DECIMALS.contains(&code);
    let is_paid_out_whole = is_payout && PAID_OUT_WHOLE.contains(&code);
    match currency.exponent() {
        _ if is_whole || is_paid_out_whole => Some(Unit {
            decimals: 2,
            step: 100,
        }),
        2 => Some(Unit {
            decimals: 2,
            step: 1,
        }),
        // The last digit is 0.
        3 => Some(Unit {
            decimals: 3,
            step: 10,
        }),
        _ => None,
    }
}

/// The factor between Stripe's unit and the minor unit of ISO 4217, and whether Stripe's unit is the smaller one.
fn factor(unit: &Unit, currency: Currency) -> Option<(i64, bool)> {
    let is_smaller = unit.decimals > currency.exponent();
    let digits = unit.decimals.abs_diff(currency.exponent());
    Some((10_i64.checked_pow(digits.into())?, is_smaller))
}

/// An amount in Stripe's unit; `None` if Stripe cannot take exactly this amount.
pub(super) fn to_stripe(money: Money, is_payout: bool) -> Option<i64> {
    let unit = unit(money.currency, is_payout)?;
    let (factor, is_smaller) = factor(&unit, money.currency)?;
    let amount = money.amount.get();
    let converted = if is_smaller {
        amount.checked_mul(factor)?
    } else {
        whole(amount, factor)?
    };
    (converted % unit.step == 0).then_some(converted)
}

/// The minor units of an amount in Stripe's unit; `None` if they are no whole number.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    let unit = unit(currency, false)?;
    let (factor, is_smaller) = factor(&unit, currency)?;
    if is_smaller {
        whole(amount, factor)
    } else {
        amount.checked_mul(factor)
    }
}

/// The quotient, if nothing remains.
const fn whole(amount: i64, factor: i64) -> Option<i64> {
    match (amount.checked_div(factor), amount.checked_rem(factor)) {
        (Some(quotient), Some(0)) => Some(quotient),
        (Some(_) | None, _) => None,
    }
}

/// The money of an amount above zero in Stripe's unit.
pub(super) fn money(amount: i64, currency: Currency) -> Option<Money> {
    let amount = from_stripe(amount, currency)?;
    let amount = Amount::new(amount).ok()?;
    Some(Money { amount, currency })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn of(code: &str, amount: i64) -> Money {
        Money {
            amount: Amount::new(amount).unwrap(),
            currency: Currency::from_code(code).unwrap(),
        }
    }

    #[test]
    fn an_amount_is_converted_or_refused() {
        for (code, ours, charged, paid_out) in [
            ("EUR", 1099, Some(1099), Some(1099)),
            ("JPY", 500, Some(500), Some(500)),
            ("KRW", 1, Some(1), Some(1)),
            // The ariary has two decimals in ISO 4217, and none at Stripe.
            ("MGA", 500, Some(5), Some(5)),
            ("MGA", 510, None, None),
            // Two decimals at Stripe, none in ISO 4217.
            ("ISK", 5, Some(500), Some(500)),
            ("UGX", 1_234, Some(123_400), Some(123_400)),
            ("ISK", i64::MAX, None, None),
            // The last of three digits is 0.
            ("KWD", 5_120, Some(5_120), Some(5_120)),
            ("KWD", 5_124, None, None),
            ("JOD", 10, Some(10), Some(10)),
            // Whole units only when they are paid out.
            ("HUF", 1_045, Some(1_045), None),
            ("HUF", 1_000, Some(1_000), Some(1_000)),
            ("TWD", 50, Some(50), None),
            // Four decimals: not at Stripe.
            ("CLF", 10_000, None, None),
        ] {
            let money = of(code, ours);
            assert_eq!(to_stripe(money, false), charged, "{code} {ours}");
            assert_eq!(to_stripe(money, true), paid_out, "{code} {ours}");
            if let Some(charged) = charged {
                assert_eq!(super::money(charged, money.currency), Some(money), "{code}");
            }
        }
        let coin = Currency::custom("USDC", 2).unwrap();
        let amount = Amount::new(100).unwrap();
        let coins = Money {
            amount,
            currency: coin,
        };
        assert_eq!(to_stripe(coins, false), None);
        assert_eq!(from_stripe(100, coin), None);
    }

    #[test]
    fn an_amount_of_stripe_that_is_no_whole_minor_unit_is_no_money() {
        let krona = Currency::from_code("ISK").unwrap();
        assert_eq!(money(501, krona), None);
        assert_eq!(money(500, krona), Some(of("ISK", 5)));
        assert_eq!(money(0, krona), None);
        assert_eq!(from_stripe(0, krona), Some(0));
        let ariary = Currency::from_code("MGA").unwrap();
        assert_eq!(money(i64::MAX, ariary), None);
    }

    proptest! {
        #[test]
        fn both_ways_are_exact(letters in "[A-Z]{3}", amount in 1_i64.., is_payout: bool) {
            if let Ok(currency) = Currency::from_code(&letters) {
                let money = Money { amount: Amount::new(amount).unwrap(), currency };
                if let Some(there) = to_stripe(money, is_payout) {
                    prop_assert_eq!(super::money(there, currency), Some(money));
                }
                if let Some(here) = super::money(amount, currency)
                    && let Some(there) = to_stripe(here, false)
                {
                    prop_assert_eq!(there, amount);
                }
            }
        }
    }
}
