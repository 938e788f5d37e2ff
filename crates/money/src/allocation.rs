//! Splits an amount into parts that add up to it.

use std::cmp::Reverse;

use thiserror::Error;

use crate::Amount;

/// Why an amount cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AllocationError {
    /// There are no weights, so there is no part.
    #[error("an allocation needs at least one weight")]
    NoWeights,
    /// Every weight is zero, so every part would be zero.
    #[error("an allocation needs a weight above zero")]
    OnlyZeroWeights,
    /// A number did not fit. No weights that fit in memory lead to this error; it makes sure that a mistake in
    /// this file is refused and does not become a wrong split.
    #[error("the allocation overflowed")]
    Overflow,
}

/// Splits an amount by weights: one part per weight, in minor units. The parts add up to the whole.
///
/// The method is the largest remainder method (Hamilton). Each part gets its share rounded down. The minor units left
/// over go, one each, to the parts that lost most by the rounding. Of parts that lost equally, the earlier one comes
/// first. So each part is within one minor unit of its exact share, and a weight of zero gets zero.
///
/// ```
/// use money::{Amount, allocate};
///
/// assert_eq!(allocate(Amount::new(100)?, &[1, 1, 1])?, [34, 33, 33]);
/// assert_eq!(allocate(Amount::new(5)?, &[3, 7])?, [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`AllocationError::NoWeights`] or [`AllocationError::OnlyZeroWeights`].
pub fn allocate(total: Amount, weights: &[u64]) -> Result<Vec<i64>, AllocationError> {
    if weights.is_empty() {
        return Err(AllocationError::NoWeights);
    }
    if weights.iter().all(|weight| *weight == 0) {
        return Err(AllocationError::OnlyZeroWeights);
    }
    split(total, weights).ok_or(AllocationError::Overflow)
}

/// One part during the computation: the share that it gets in any case, and the fraction lost by rounding down.
struct Share {
    part: i64,
    remainder: u128,
}

fn split(total: Amount, weights: &[u64]) -> Option<Vec<i64>> {
    let all_weights = weights
        .iter()
        .try_fold(0_u128, |sum, weight| sum.checked_add(u128::from(*weight)))?;
    let mut shares = weights
        .iter()
        .map(|weight| share(total, *weight, all_weights))
        .collect::<Option<Vec<Share>>>()?;
    let given = shares
        .iter()
        .try_fold(0_i64, |sum, share| sum.checked_add(share.part))?;
    let left_over = usize::try_from(total.get().checked_sub(given)?).ok()?;

    // The sort is stable, so that among equal remainders the earlier part stays in front.
    let mut by_remainder: Vec<&mut Share> = shares.iter_mut().collect();
    by_remainder.sort_by_key(|share| Reverse(share.remainder));
    for share in by_remainder.into_iter().take(left_over) {
        share.part = share.part.checked_add(1)?;
    }
    Some(shares.into_iter().map(|share| share.part).collect())
}

/// `total × weight ÷ all_weights`, rounded down, and the remainder of the division. The product of 63 and 64
/// bits always fits into 128.
fn share(total: Amount, weight: u64, all_weights: u128) -> Option<Share> {
    let product = u128::try_from(total.get())
        .ok()?
        .checked_mul(u128::from(weight))?;
    Some(Share {
        part: i64::try_from(product.checked_div(all_weights)?).ok()?,
        remainder: product.checked_rem(all_weights)?,
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        reason = "a test may stop at the first surprise, and compares with plain i128"
    )]

    use proptest::prelude::*;

    use super::*;

    fn split_of(total: i64, weights: &[u64]) -> Vec<i64> {
        allocate(Amount::new(total).unwrap(), weights).unwrap()
    }

    fn positive() -> impl Strategy<Value = i64> {
        prop_oneof![1..=50_i64, (i64::MAX - 2)..=i64::MAX, 1..=i64::MAX]
    }

    fn weights() -> impl Strategy<Value = Vec<u64>> {
        let weight = prop_oneof![0..=4_u64, (u64::MAX - 2)..=u64::MAX, any::<u64>()];
        prop::collection::vec(weight, 1..12).prop_filter("a weight above zero", |weights| {
            weights.iter().any(|w| *w > 0)
        })
    }

    #[test]
    fn minor_units_left_over_go_to_the_largest_remainders() {
        // Exact shares are 0.5, 1.75 and 2.75 of 5.
        assert_eq!(split_of(5, &[2, 7, 11]), [0, 2, 3]);
        assert_eq!(split_of(100, &[50, 30, 20]), [50, 30, 20]);
    }

    #[test]
    fn among_equal_remainders_the_earlier_part_wins() {
        assert_eq!(split_of(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split_of(101, &[1, 1, 1]), [34, 34, 33]);
        assert_eq!(split_of(1, &[1, 1]), [1, 0]);
        assert_eq!(split_of(2, &[1, 1, 1, 1]), [1, 1, 0, 0]);
    }

    #[test]
    fn a_weight_of_zero_gets_nothing() {
        assert_eq!(split_of(7, &[0, 1, 0, 1]), [0, 4, 0, 3]);
    }

    #[test]
    fn the_largest_numbers_are_split_exactly() {
        assert_eq!(split_of(i64::MAX, &[u64::MAX]), [i64::MAX]);
        assert_eq!(
            split_of(i64::MAX, &[u64::MAX, u64::MAX]),
            [i64::MAX / 2 + 1, i64::MAX / 2]
        );
    }

    #[test]
    fn no_weights_and_only_zero_weights_are_refused() {
        assert_eq!(allocate(Amount::MAX, &[]), Err(AllocationError::NoWeights));
        assert_eq!(
            allocate(Amount::MAX, &[0, 0]),
            Err(AllocationError::OnlyZeroWeights)
        );
    }

    proptest! {
        #[test]
        fn the_parts_add_up_to_the_whole(total in positive(), weights in weights()) {
            let parts = split_of(total, &weights);
            prop_assert_eq!(parts.len(), weights.len());
            prop_assert_eq!(
                parts.iter().copied().map(i128::from).sum::<i128>(),
                i128::from(total)
            );
        }

        #[test]
        fn each_part_is_within_one_minor_unit_of_its_share(total in positive(), weights in weights()) {
            let parts = split_of(total, &weights);
            let all_weights: u128 = weights.iter().copied().map(u128::from).sum();
            for (part, weight) in parts.into_iter().zip(weights) {
                let product = u128::try_from(total).unwrap() * u128::from(weight);
                let part = u128::try_from(part).unwrap();
                prop_assert!(part >= product / all_weights);
                prop_assert!(part <= product.div_ceil(all_weights));
            }
        }

        #[test]
        fn a_heavier_or_equal_earlier_part_never_gets_less(total in positive(), weights in weights()) {
            let parts = split_of(total, &weights);
            let pairs: Vec<(u64, i64)> = weights.into_iter().zip(parts).collect();
            for (later, (weight, part)) in pairs.iter().enumerate() {
                for (earlier_weight, earlier_part) in pairs.iter().take(later) {
                    if earlier_weight >= weight {
                        prop_assert!(earlier_part >= part);
                    }
                }
            }
        }
    }
}
