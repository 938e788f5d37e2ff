//! The settings for the use of the database.

use std::str::FromStr;
use std::time::Duration;

/// Least time for a statement. With less than a second, a server would refuse everything under load.
const MIN_MILLIS: u32 = 1_000;

/// Longest time of one statement in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DatabaseTimeout(pub(crate) Duration);

/// Why a text is not a time-out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database's time-out is {MIN_MILLIS} to {} milliseconds, in plain digits",
    u32::MAX
)]
pub(crate) struct TimeoutError;

impl FromStr for DatabaseTimeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let millis: u32 = text.parse().map_err(|_no_number| TimeoutError)?;
        if millis < MIN_MILLIS {
            return Err(TimeoutError);
        }
        Ok(Self(Duration::from_millis(millis.into())))
    }
}

/// Greatest limit of the log in MiB: no database should need more.
const MAX_LOG_MIB: u64 = 1 << 20;

/// Greatest length of the log beside a SQLite file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogLimit(pub(crate) u64);

/// Why a text is not a limit of the log.
#[derive(Debug, thiserror::Error)]
#[error("the log's limit is 1 to {MAX_LOG_MIB} MiB, in plain digits")]
pub(crate) struct LimitError;

impl FromStr for LogLimit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let mib: u64 = text.parse().map_err(|_no_number| LimitError)?;
        if !(1..=MAX_LOG_MIB).contains(&mib) {
            return Err(LimitError);
        }
        Ok(Self(mib << 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_may_have_a_mebibyte_at_least() {
        let read = |text: &str| text.parse::<LogLimit>().ok().map(|read| read.0);
        assert_eq!(read("1"), Some(1_048_576));
        assert_eq!(read("1048576"), Some(1 << 40));
        for text in ["0", "", "-1", "1.5", "1048577", "much"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_database_has_a_second_at_least() {
        let read = |text: &str| text.parse::<DatabaseTimeout>().ok().map(|read| read.0);
        assert_eq!(read("1000"), Some(Duration::from_secs(1)));
        assert_eq!(read("60000"), Some(Duration::from_secs(60)));
        for text in ["999", "0", "", "-1", "1.5", "soon", "4294967296"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
