//! The random parts of a block: its accounts and its keys.

use serde::Serialize;

use super::Level;

/// The kind of load of a block, with its spread over the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// Any account pays any other, all equally often.
    Uniform,
    /// Any account pays one of ten hot accounts, the k-th of them with weight 1/k.
    Zipf,
    /// Any account pays the same hot account.
    Hot,
    /// Any account pays any other in two steps, pending and then posted (counted once; the lane only).
    TwoPhase,
    /// Any account pays ten others in one transaction (counted once; the lane only).
    TenPostings,
    /// Any account pays a thousand times, to any others, in one request of a thousand transactions (HTTP
    /// only, eight requests in flight).
    Bulk,
}

/// Number of transactions in a request of [`Shape::Bulk`]: the greatest number that the API takes.
pub(crate) const BULK: u64 = 1_000;
/// Number of requests of [`Shape::Bulk`] in flight: two batches of the lane, and as many on their way.
pub(crate) const BULKS_IN_FLIGHT: u32 = 8;

impl Shape {
    /// The name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Zipf => "zipf",
            Self::Hot => "hot",
            Self::TwoPhase => "two-phase",
            Self::TenPostings => "ten-postings",
            Self::Bulk => "bulk",
        }
    }

    /// The numbers in flight with which the shape is measured at this level, among the requested ones.
    pub(crate) fn in_flight(self, level: Level, asked: &[u32]) -> Vec<u32> {
        match (self, level) {
            (Self::Uniform | Self::Zipf | Self::Hot, Level::Lane | Level::Http)
            | (Self::TwoPhase | Self::TenPostings, Level::Lane) => asked.to_vec(),
            (Self::Bulk, Level::Http) => vec![BULKS_IN_FLIGHT],
            (Self::TwoPhase | Self::TenPostings, Level::Http) | (Self::Bulk, Level::Lane) => {
                Vec::new()
            }
        }
    }

    /// Number of hot accounts. They are the first ones, and never pay.
    const fn hot(self) -> u64 {
        match self {
            Self::Uniform | Self::TwoPhase | Self::TenPostings | Self::Bulk => 0,
            Self::Zipf => 10,
            Self::Hot => 1,
        }
    }
}

/// 1/k for k from 1 to 10, times 2520, their least common denominator.
const ZIPF: [u64; 10] = [2520, 1260, 840, 630, 504, 420, 360, 315, 280, 252];

/// Least number of accounts for every shape.
pub(crate) const MIN_ACCOUNTS: u32 = 12;

/// Numbers that look random and are the same for the same seed: SplitMix64, by Steele, Lea and Flood (2014). They
/// are good enough to spread load, and must be used for nothing else.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The numbers of one task of one block of a run.
    pub(crate) fn of(seed: u64, block: u64, task: u64) -> Self {
        let mut outer = Self(seed);
        let mut inner = Self(outer.next() ^ block);
        Self(inner.next() ^ task)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to less than `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let scaled = (u128::from(self.next()) * u128::from(limit)) >> 64;
        u64::try_from(scaled).unwrap_or(0)
    }

    /// The places of two different accounts of `accounts`: the payer and the payee.
    pub(crate) fn pair(&mut self, shape: Shape, accounts: u64) -> (u64, u64) {
        let hot = shape.hot();
        let from = hot + self.below(accounts.saturating_sub(hot));
        (from, self.payee(from, shape, accounts))
    }

    /// The place of the payee of the account at `from`.
    pub(crate) fn payee(&mut self, from: u64, shape: Shape, accounts: u64) -> u64 {
        match shape {
            Shape::Uniform | Shape::TwoPhase | Shape::TenPostings | Shape::Bulk => {
                // The payer's place is left out: the places behind it move up by one.
                let to = self.below(accounts.saturating_sub(1));
                if to < from { to } else { to + 1 }
            }
            Shape::Zipf => self.rank(),
            Shape::Hot => 0,
        }
    }

    fn rank(&mut self) -> u64 {
        let mut left = self.below(ZIPF.iter().sum());
        for (rank, weight) in (0_u64..).zip(ZIPF) {
            if left < weight {
                return rank;
            }
            left -= weight;
        }
        0
    }

    /// A fresh idempotency key as most clients make it: a UUID of version 4.
    pub(crate) fn key(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]
mod tests {
    use super::*;

    #[test]
    fn nobody_pays_themselves_and_a_hot_account_never_pays() {
        let mut chance = Chance::of(1, 2, 3);
        for shape in [Shape::Uniform, Shape::Zipf, Shape::Hot] {
            for _ in 0..10_000 {
                let (from, to) = chance.pair(shape, MIN_ACCOUNTS.into());
                assert!(from < MIN_ACCOUNTS.into() && to < MIN_ACCOUNTS.into());
                assert_ne!(from, to);
                assert!(from >= shape.hot());
            }
        }
    }

    #[test]
    fn the_hottest_account_is_paid_ten_times_as_often_as_the_tenth() {
        let mut chance = Chance::of(1, 2, 3);
        let mut paid = [0_u32; 10];
        for _ in 0..73_810 {
            let rank = usize::try_from(chance.rank()).unwrap_or_default();
            paid[rank] += 1;
        }
        assert!((24_000..26_500).contains(&paid[0]), "{paid:?}");
        assert!((2_200..2_850).contains(&paid[9]), "{paid:?}");
    }

    #[test]
    fn keys_look_like_uuids_and_do_not_repeat() {
        let mut chance = Chance::of(1, 2, 3);
        let mut keys: Vec<String> = (0..1_000).map(|_| chance.key()).collect();
        assert!(
            keys.iter()
                .all(|key| key.len() == 36 && key.split('-').count() == 5)
        );
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 1_000);
        assert_ne!(Chance::of(1, 2, 3).key(), Chance::of(1, 2, 4).key());
        assert_ne!(Chance::of(1, 2, 3).key(), Chance::of(1, 3, 3).key());
    }
}
