//! Rows about the database itself: they say nothing about the books.

use crash_points::{Point, here};
use diesel::prelude::*;

use crate::{AnyConnection, Error, Timestamp, begin_write, commit, rollback};

diesel::table! {
    housekeeping (id) {
        id -> SmallInt,
        touched_at -> BigInt,
        program -> Text,
    }
}

/// Writes and commits one row that changes nothing in the books, to see whether that is possible.
///
/// # Errors
/// [`Error`] if the database fails: the reason why nothing can be written.
pub fn leave_trace(connection: &mut AnyConnection, now: Timestamp) -> Result<(), Error> {
    begin_write(connection)?;
    here(Point::WriteBefore);
    let touched = diesel::update(housekeeping::table)
        .set(housekeeping::touched_at.eq(now.micros()))
        .execute(connection);
    here(Point::WriteAfter);
    let written = match touched {
        Ok(1) => commit(connection),
        Ok(_) => Err(Error::Refused("housekeeping has no row".to_owned())),
        Err(error) => Err(error.into()),
    };
    written.map_err(|error| match rollback(connection) {
        Ok(()) => error,
        // The connection can no longer be used.
        Err(gone) => Error::Unavailable(format!("{error}; {gone}")),
    })
}

/// The version of the program that made the present schema; `None` if it is not known.
pub(crate) fn signed_by(connection: &mut AnyConnection) -> Option<String> {
    let program: Result<String, _> = housekeeping::table
        .select(housekeeping::program)
        .first(connection);
    program.ok().filter(|program| !program.is_empty())
}

/// Stores the version of the program that made the present schema.
pub(crate) fn sign(connection: &mut AnyConnection) -> Result<(), Error> {
    diesel::update(housekeeping::table)
        .set(housekeeping::program.eq(env!("CARGO_PKG_VERSION")))
        .execute(connection)?;
    Ok(())
}
