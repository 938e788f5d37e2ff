//! How the database is used, as it is told.

use std::str::FromStr;
use std::time::Duration;

/// The database must have a second at least: less is a server that refuses everything under load.
const SHORTEST: u32 = 1_000;

/// How long the database may take for one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DatabaseTimeout(pub(crate) Duration);

/// Why a text is no time-out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database's time-out is {SHORTEST} to {} milliseconds, in plain digits",
    u32::MAX
)]
pub(crate) struct TimeoutError;

impl FromStr for DatabaseTimeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let millis: u32 = text.parse().map_err(|_no_number| TimeoutError)?;
        if millis < SHORTEST {
            return Err(TimeoutError);
        }
        Ok(Self(Duration::from_millis(millis.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
