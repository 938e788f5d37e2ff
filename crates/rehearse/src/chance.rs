//! Numbers that follow from a seed: the same on every machine and in every version.

/// A row of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The numbers of one place in a run: a schedule and an order. What happens to one order does not depend on how many
    /// others there are.
    pub(crate) fn of(seed: u64, schedule: u64, order: u64) -> Self {
        let mut outer = Self(seed);
        let mut inner = Self(outer.next() ^ schedule);
        Self(inner.next() ^ order)
    }

    /// SplitMix64. Arithmetic wraps on purpose: these are no amounts.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u32, most: u32) -> u32 {
        let span = u64::from(most.saturating_sub(least)).saturating_add(1);
        let above = (u128::from(self.next()).saturating_mul(u128::from(span))) >> 64;
        least.saturating_add(u32::try_from(above).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_gives_the_same_numbers_in_every_version() {
        let mut chance = Chance::of(7, 1, 2);
        let numbers: Vec<u32> = (0..6).map(|_| chance.between(1, 100)).collect();
        assert_eq!(numbers, [9, 46, 55, 47, 74, 82]);
        let mut other = Chance::of(8, 1, 2);
        let others: Vec<u32> = (0..6).map(|_| other.between(1, 100)).collect();
        assert_ne!(numbers, others);
        assert!((0..1000).all(|_| (3..=5).contains(&chance.between(3, 5))));
    }
}
