//! What the program keeps about the database itself: one row that says nothing of the books.

use diesel::prelude::*;

use crate::{AnyConnection, Error, Timestamp, begin_write, commit, rollback};

diesel::table! {
    housekeeping (id) {
        id -> SmallInt,
        touched_at -> BigInt,
        program -> Text,
    }
}

/// Writes and commits something that changes nothing of the books, to see whether that can be done.
///
/// # Errors
/// [`Error`] as the database gives it: why nothing can be written.
pub fn leave_trace(connection: &mut AnyConnection, now: Timestamp) -> Result<(), Error> {
    begin_write(connection)?;
    let touched = diesel::update(housekeeping::table)
        .set(housekeeping::touched_at.eq(now.micros()))
        .execute(connection);
    let written = match touched {
        Ok(1) => commit(connection),
        Ok(_) => Err(Error::Refused("housekeeping has no row".to_owned())),
        Err(error) => Err(error.into()),
    };
    written.map_err(|error| match rollback(connection) {
        Ok(()) => error,
        // The connection is good for nothing any longer.
        Err(gone) => Error::Unavailable(format!("{error}; {gone}")),
    })
}

/// Which version of the program has made the schema what it is; `None` where that is not known.
pub(crate) fn signed_by(connection: &mut AnyConnection) -> Option<String> {
    let program: Result<String, _> = housekeeping::table
        .select(housekeeping::program)
        .first(connection);
    program.ok().filter(|program| !program.is_empty())
}

/// Remembers which version of the program has made the schema what it is.
pub(crate) fn sign(connection: &mut AnyConnection) -> Result<(), Error> {
    diesel::update(housekeeping::table)
        .set(housekeeping::program.eq(env!("CARGO_PKG_VERSION")))
        .execute(connection)?;
    Ok(())
}
