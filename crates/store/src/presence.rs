//! Whether an address has books, and creation of their first file.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::connection::{AnyConnection, Purpose};
use crate::patience::{patiently, within};
use crate::{DatabaseUrl, Error, OpenError, Tuning};

/// Whether the migrations have created Florin's tables at this address. Creates nothing.
///
/// # Errors
/// [`OpenError`] if the database refuses the connection.
pub fn has_books(url: &DatabaseUrl, tuning: Tuning) -> Result<bool, OpenError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Ok(false);
    }
    let address = url.clone();
    let look = move || {
        patiently(|| AnyConnection::open(&address, Purpose::Read, &tuning))
            .and_then(|mut connection| has_schema(&mut connection))
            .map_err(|cause| OpenError::Database {
                url: address,
                cause,
            })
    };
    within(tuning.longest_answer(), url, look)
}

/// Whether the table of applied migrations exists.
pub(crate) fn has_schema(connection: &mut AnyConnection) -> Result<bool, Error> {
    let found = match connection {
        AnyConnection::Postgres(c) => {
            let table = to_regclass("__diesel_schema_migrations");
            diesel::select(table.is_not_null()).get_result(c)?
        }
        AnyConnection::Sqlite(c) => {
            let table = sqlite_master::table
                .filter(sqlite_master::name.eq("__diesel_schema_migrations"))
                .count();
            table.get_result::<i64>(c)? > 0
        }
    };
    Ok(found)
}

diesel::define_sql_function! {
    /// The table with this name in the search path, if it exists.
    fn to_regclass(name: Text) -> Nullable<Oid>;
}

diesel::table! {
    sqlite_master (name) {
        name -> Text,
    }
}

/// Creates a folder and its parents, which only this user may read.
///
/// # Errors
/// The error of the operating system.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Creates the file of new books, which only this user may read; SQLite gives the same rights to the files beside
/// it. An existing file stays as it is.
pub(crate) fn make_private_file(path: &Path) -> io::Result<()> {
    // SQLite does not read these as file names.
    let text = path.as_os_str().as_encoded_bytes();
    if text.starts_with(b":memory:") || text.starts_with(b"file:") {
        return Ok(());
    }
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}
