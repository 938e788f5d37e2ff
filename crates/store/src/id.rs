//! Ids: UUIDv7 (RFC 9562) made by the application, and the types that keep them apart.

use crate::timestamp::Timestamp;

/// A tenant's id, the same in every database, because tenants move between databases. It is part of the keys of
/// nearly all tables, so it is as short as it can be without a register of all ids: 47 random bits, which SQLite
/// keeps in 6 bytes. Older books have small numbers, and so do the first books of a sandbox.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::BigInt)]
pub struct TenantId(pub i64);

impl TenantId {
    /// The id that these bytes give. It is never a small number: those are of older books.
    #[must_use]
    pub fn of_bytes([a, b, c, d, e, f]: [u8; 6]) -> Self {
        let number = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        Self((number >> 1).max(FIRST_TENANT))
    }
}

impl<DB> diesel::serialize::ToSql<diesel::sql_types::BigInt, DB> for TenantId
where
    DB: diesel::backend::Backend,
    i64: diesel::serialize::ToSql<diesel::sql_types::BigInt, DB>,
{
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, DB>,
    ) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB> for TenantId
where
    DB: diesel::backend::Backend,
    i64: diesel::deserialize::FromSql<diesel::sql_types::BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        i64::from_sql(bytes).map(Self)
    }
}

impl TenantId {
    /// True for the small numbers of older books and of the first books of a sandbox. They are not global: other books
    /// have the same numbers.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0 < FIRST_TENANT
    }
}

impl std::fmt::Display for TenantId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// 256 random bits, for a secret.
#[must_use]
pub fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    Randomness::System { pool: Vec::new() }.fill(&mut secret);
    secret
}

/// Why a text is not an id of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is its prefix, an underscore and 32 lower-case hexadecimal digits")]
pub struct IdError;

/// A source of ids. An id contains the millisecond in which it was made; searches by recording time use that. Ids
/// from one source grow in the order in which they were made, as long as the clock does not go back. Tenants whose
/// clocks differ share a source: the ids of each of them grow.
#[derive(Debug)]
pub struct Ids {
    randomness: Randomness,
    /// The latest millisecond for which an id was made. The counter begins again only after it.
    latest: u64,
    counter: u16,
    /// A count in the random part that goes on after the counter is full.
    surplus: u32,
}

/// The smallest id of a tenant that is not among the first of its books.
const FIRST_TENANT: i64 = 1 << 20;

/// The counter has twelve bits (`rand_a` of RFC 9562, section 6.2, method 1).
const FULL: u16 = 0x0fff;

#[derive(Debug)]
enum Randomness {
    System { pool: Vec<u8> },
    Seeded(u64),
}

impl Ids {
    /// A source of ids that nobody can guess or repeat.
    #[must_use]
    pub const fn random() -> Self {
        Self::over(Randomness::System { pool: Vec::new() })
    }

    /// A source that makes the same ids for the same seed and the same times: for runs that must be repeatable.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self::over(Randomness::Seeded(seed))
    }

    const fn over(randomness: Randomness) -> Self {
        Self {
            randomness,
            latest: 0,
            counter: 0,
            surplus: 0,
        }
    }

    /// The id of a new tenant.
    pub fn tenant(&mut self) -> TenantId {
        let mut random = [0; 6];
        self.randomness.fill(&mut random);
        TenantId::of_bytes(random)
    }

    /// The next id, made at `now`.
    pub fn next(&mut self, now: Timestamp) -> [u8; 16] {
        let now = u64::try_from(now.micros().div_euclid(1000)).unwrap_or(0);
        if now > self.latest {
            self.latest = now;
            self.counter = 0;
            self.surplus = 0;
        } else if self.counter < FULL {
            self.counter = self.counter.saturating_add(1);
        } else {
            self.surplus = self.surplus.saturating_add(1);
        }
        let mut tail = [0; 10];
        if let Some((counter, random)) = tail.split_first_chunk_mut::<2>() {
            *counter = self.counter.to_be_bytes();
            self.randomness.fill(random);
            // Two of these bits belong to the variant; a thousand million ids can be made before any bit is lost.
            if self.counter == FULL
                && let Some(high) = random.first_chunk_mut::<4>()
            {
                *high = self.surplus.to_be_bytes();
            }
        }
        *uuid::Builder::from_unix_timestamp_millis(now, &tail)
            .into_uuid()
            .as_bytes()
    }
}

impl Randomness {
    fn fill(&mut self, out: &mut [u8]) {
        match self {
            // One call to the operating system serves many ids.
            Self::System { pool } => {
                if pool.len() < out.len() {
                    pool.resize(4096, 0);
                    // Without randomness ids are not unique, so the program must not go on.
                    if getrandom::fill(pool).is_err() {
                        std::process::abort();
                    }
                }
                let rest = pool.split_off(pool.len().saturating_sub(out.len()));
                out.copy_from_slice(&rest);
            }
            // SplitMix64, by Steele, Lea and Flood (2014).
            Self::Seeded(state) => {
                for chunk in out.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut z = *state;
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    let bytes = (z ^ (z >> 31)).to_be_bytes();
                    for (to, from) in chunk.iter_mut().zip(bytes) {
                        *to = from;
                    }
                }
            }
        }
    }
}

/// Reads `prefix_` followed by 32 lower-case hexadecimal digits.
///
/// # Errors
/// [`IdError`] for anything else.
pub fn parse(prefix: &str, text: &str) -> Result<[u8; 16], IdError> {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|digits| digits.len() == 32)
        .ok_or(IdError)?;
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if !digits.bytes().all(lower) {
        return Err(IdError);
    }
    let number = u128::from_str_radix(digits, 16).map_err(|_not_hex| IdError)?;
    Ok(number.to_be_bytes())
}

/// Declares an id type: a UUID that is stored as 16 bytes and shown as `prefix_` followed by 32 hexadecimal
/// digits.
#[macro_export]
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            $crate::diesel::expression::AsExpression, $crate::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = $crate::diesel::sql_types::Binary)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The prefix of the public form.
            pub const PREFIX: &'static str = $prefix;

            /// An id from the bytes of a UUID.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes of the UUID.
            #[must_use]
            pub const fn bytes(&self) -> [u8; 16] {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{:032x}"), u128::from_be_bytes(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::parse($prefix, text).map(Self)
            }
        }

        impl<DB> $crate::diesel::serialize::ToSql<$crate::diesel::sql_types::Binary, DB> for $name
        where
            DB: $crate::diesel::backend::Backend,
            [u8]: $crate::diesel::serialize::ToSql<$crate::diesel::sql_types::Binary, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut $crate::diesel::serialize::Output<'b, '_, DB>,
            ) -> $crate::diesel::serialize::Result {
                self.0.as_slice().to_sql(out)
            }
        }

        impl<DB> $crate::diesel::deserialize::FromSql<$crate::diesel::sql_types::Binary, DB> for $name
        where
            DB: $crate::diesel::backend::Backend,
            Vec<u8>: $crate::diesel::deserialize::FromSql<$crate::diesel::sql_types::Binary, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> $crate::diesel::deserialize::Result<Self> {
                let bytes = Vec::<u8>::from_sql(bytes)?;
                let bytes = bytes.try_into().map_err(|_| "an id that is not 16 bytes long")?;
                Ok(Self(bytes))
            }
        }

        impl $crate::array::Column for $name {
            type Sql = $crate::diesel::sql_types::Binary;
            const ELEMENT: $crate::array::Element = $crate::array::Element::Binary;

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }
        }
    };
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    typed_id!(
        /// An id type for the tests below.
        ThingId,
        "thing"
    );

    #[test]
    fn ids_grow_and_tell_the_millisecond_however_many_are_made_in_it() {
        let mut ids = Ids::random();
        let mut last = [0; 16];
        for millis in [1_767_225_600_000_u64, 1_767_225_600_001] {
            let now = Timestamp::from_micros(i64::try_from(millis).unwrap() * 1_000 + 999);
            for _ in 0..10_000 {
                let id = ids.next(now);
                assert!(id > last);
                assert_eq!(id.get(..6), millis.to_be_bytes().get(2..));
                assert_eq!(uuid::Uuid::from_bytes(id).get_version_num(), 7);
                last = id;
            }
        }
        // A clock that goes back is trusted: ids made then have the earlier time.
        let earlier = ids.next(Timestamp::from_micros(1_767_225_599_999_000));
        assert!(earlier < last);
    }

    #[test]
    fn a_seed_repeats_its_ids() {
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        let (mut one, mut two) = (Ids::seeded(7), Ids::seeded(7));
        assert_eq!(one.next(now), two.next(now));
        assert_ne!(one.next(now), Ids::seeded(8).next(now));
    }

    #[test]
    fn an_id_is_read_back_as_it_was_shown_and_in_no_other_way() {
        let id = ThingId::from_bytes(Ids::random().next(Timestamp::from_micros(0)));
        assert_eq!(id.to_string().parse::<ThingId>().unwrap(), id);
        for wrong in [
            "",
            "thing_",
            "thing_+0000000000000000000000000000001",
            "other_00000000000000000000000000000001",
            "thing_0000000000000000000000000000000G",
            "thing_0000000000000000000000000000000A",
            "thing_000000000000000000000000000000011",
        ] {
            assert_eq!(wrong.parse::<ThingId>(), Err(IdError), "{wrong}");
        }
    }
}
