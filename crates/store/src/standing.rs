//! The state of a database, which is checked before the database is used for books.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::{AnyConnection, DatabaseUrl, Error, OpenError, Tuning, session};

/// Why a database is not used, in words that follow its address in a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// Two sessions share one session of the database.
    #[error(
        "there is a pooler in {0} mode in between, which gives each transaction another session: \
         use one in session mode, or connect to the database itself"
    )]
    Pooler(&'static str),
    /// The encoding of the database is not UTF-8, so texts would change.
    #[error(
        "its encoding is {0}, and texts are UTF-8: create the database with ENCODING 'UTF8' and \
         TEMPLATE template0"
    )]
    Encoding(String),
    /// The schema is newer than this program.
    #[error(
        "its schema is newer than this program, Florin {ours}: use {theirs} (it has migration {version})"
    )]
    Newer {
        /// The version of this program.
        ours: &'static str,
        /// The version of the program to use.
        theirs: String,
        /// The first migration that this program does not know.
        version: String,
    },
    /// The schema is not what the migrations make.
    #[error(
        "its schema is not what the migrations make: {0}; see `florin check`, and restore what was \
         changed"
    )]
    Changed(crate::Difference),
}

impl Unsuitable {
    /// The error for a schema with a migration that this program does not know, made by the version `made_by`.
    pub(crate) fn newer(version: &str, made_by: Option<String>) -> Self {
        let theirs = match made_by {
            Some(program) => format!("Florin {program}, which made it, or a later one"),
            None => "a later one".to_owned(),
        };
        Self::Newer {
            ours: env!("CARGO_PKG_VERSION"),
            theirs,
            version: version.to_owned(),
        }
    }
}

/// Number of comparisons of two sessions. A busy pooler may sometimes give each of them a session of its own.
const COMPARISONS: u32 = 5;

/// The settings of the database that can lose acknowledged data, one line each. Empty if there are none.
///
/// # Errors
/// [`Unsuitable`] as an [`OpenError`], or the error of the database.
pub(crate) fn look(url: &DatabaseUrl, tuning: &Tuning) -> Result<Vec<String>, OpenError> {
    let failed = |cause| OpenError::Database {
        url: url.clone(),
        cause,
    };
    let unsuitable = |why| OpenError::Unsuitable {
        url: url.clone(),
        why,
    };
    let DatabaseUrl::Postgres(uri) = url else {
        return Ok(Vec::new());
    };
    // Sessions without settings, because settings would stay behind in a pooler.
    let mut first = session::bare(uri, tuning).map_err(failed)?;
    let mut second = session::bare(uri, tuning).map_err(failed)?;
    if let Some(mode) = pooler(&mut first, &mut second).map_err(failed)? {
        return Err(unsuitable(Unsuitable::Pooler(mode)));
    }
    risks(&mut first).map_err(failed)
}

/// Refuses a database whose texts are not UTF-8.
pub(crate) fn refuse_encoding(
    connection: &mut AnyConnection,
    url: &DatabaseUrl,
) -> Result<(), OpenError> {
    let encoding = match connection {
        AnyConnection::Postgres(c) => setting(c, "current_setting('server_encoding')"),
        AnyConnection::Sqlite(c) => sql::<Text>("PRAGMA encoding")
            .get_result::<String>(c)
            .map_err(Error::from),
    };
    let encoding = encoding.map_err(|cause| OpenError::Database {
        url: url.clone(),
        cause,
    })?;
    match encoding.as_str() {
        "UTF8" | "UTF-8" => Ok(()),
        _ => Err(OpenError::Unsuitable {
            url: url.clone(),
            why: Unsuitable::Encoding(encoding),
        }),
    }
}

/// The mode in which a pooler gives two sessions the same database session; `None` if there is no such pooler.
pub(crate) fn pooler(
    first: &mut diesel::PgConnection,
    second: &mut diesel::PgConnection,
) -> Result<Option<&'static str>, Error> {
    match is_shared(first, second) {
        Ok(true) => Ok(Some("transaction")),
        Ok(false) => Ok(None),
        // A pooler in statement mode takes statements, and closes a connection that begins a transaction.
        Err(error) => match number(second) {
            Ok(_) if in_transaction(second, |_| Ok(())).is_err() => Ok(Some("statement")),
            Ok(_) | Err(_) => Err(error),
        },
    }
}

fn is_shared(
    first: &mut diesel::PgConnection,
    second: &mut diesel::PgConnection,
) -> Result<bool, Error> {
    for _ in 0..COMPARISONS {
        let mine = in_transaction(first, number)?;
        let is_shared = in_transaction(second, |second| {
            // The first comparison finds a pool of one session; after that, a question to `first` would wait for ever.
            Ok(number(second)? == mine || in_transaction(first, number)? != mine)
        })?;
        if is_shared {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_transaction<T>(
    connection: &mut diesel::PgConnection,
    question: impl FnOnce(&mut diesel::PgConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN")?;
    let answer = question(connection);
    AnsiTransactionManager::rollback_transaction(connection)?;
    answer
}

/// The number of the session in the database.
fn number(connection: &mut diesel::PgConnection) -> Result<i32, Error> {
    Ok(diesel::select(sql::<Integer>("pg_backend_pid()")).get_result(connection)?)
}

fn setting(connection: &mut diesel::PgConnection, shown: &'static str) -> Result<String, Error> {
    Ok(diesel::select(sql::<Text>(shown)).get_result(connection)?)
}

/// The settings that can lose acknowledged data: those of the server, and those of this role and database.
fn risks(connection: &mut diesel::PgConnection) -> Result<Vec<String>, Error> {
    const SETTINGS: [(&str, &str, &str); 3] = [
        (
            "fsync",
            "current_setting('fsync')",
            "a machine that loses its power can lose or damage the books",
        ),
        (
            "full_page_writes",
            "current_setting('full_page_writes')",
            "a machine that loses its power can damage the books",
        ),
        (
            "synchronous_commit",
            "current_setting('synchronous_commit')",
            "a crash of the server loses what was acknowledged just before it",
        ),
    ];
    let mut risks = Vec::new();
    for (name, shown, what) in SETTINGS {
        if setting(connection, shown)? == "off" {
            risks.push(format!("{name} is off: {what}"));
        }
    }
    Ok(risks)
}
