//! Numbers that follow from a seed: the same on every machine and in every version.

/// A number from 0 to 999 for the call with this number. Its method is SplitMix64, whose arithmetic wraps on purpose.
pub(crate) fn per_mille(seed: u64, call: u64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = seed.wrapping_add(call.wrapping_mul(STEP));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % 1_000
}

#[cfg(test)]
mod tests {
    use super::per_mille;

    #[test]
    fn a_seed_gives_the_same_numbers_in_every_version() {
        let of = |seed| {
            (1..=6)
                .map(|call| per_mille(seed, call))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_eq!(of(7), [487, 804, 346, 203, 674, 305]);
        let hits = (1..=10_000)
            .filter(|call| per_mille(1, *call) < 250)
            .count();
        assert!(
            (2_300..2_700).contains(&hits),
            "{hits} of 10,000 at 250 per mille"
        );
    }
}
