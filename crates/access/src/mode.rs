//! The mode of the books: sandbox or live.

use diesel::prelude::*;
use store::{AnyConnection, Error};

use crate::schema::books;

/// The mode of the books, which tells whether their money is real. Books have one mode from their first day, which
/// never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The money is not real. The API key is known to everybody.
    Sandbox,
    /// The money is real.
    Live,
}

impl Mode {
    /// The name, as in `sk_live_…` and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// The other mode.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sandbox => Self::Live,
            Self::Live => Self::Sandbox,
        }
    }

    /// The prefix of the keys of this mode.
    #[must_use]
    pub const fn key_prefix(self) -> &'static str {
        match self {
            Self::Sandbox => "sk_sandbox_",
            Self::Live => "sk_live_",
        }
    }

    pub(crate) const fn number(self) -> i16 {
        match self {
            Self::Sandbox => 1,
            Self::Live => 2,
        }
    }

    fn from_number(number: i16) -> Result<Self, Error> {
        let known = [Self::Sandbox, Self::Live]
            .into_iter()
            .find(|mode| mode.number() == number);
        known.ok_or_else(|| Error::Refused(format!("there is no mode {number} of books")))
    }
}

store::bulk_insert! {
    /// The row of `books`.
    pub struct BooksRow in books {
        /// Always 1: there is one row.
        number: i16,
        /// 1 sandbox, 2 live.
        mode: i16,
        /// Microseconds since 1970.
        begun_at: i64,
    }
}

/// The mode of the books; `None` before their first day.
///
/// # Errors
/// [`Error`] as the database gives it, and for a mode that this program does not know.
pub fn mode(connection: &mut AnyConnection) -> Result<Option<Mode>, Error> {
    let number: Option<i16> = books::table
        .select(books::mode)
        .first(connection)
        .optional()?;
    number.map(Mode::from_number).transpose()
}
