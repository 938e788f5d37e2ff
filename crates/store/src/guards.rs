//! Support for checks of the whole book: rows in pages by key, and the question whether the triggers that keep
//! written rows unchanged are in place.

use diesel::prelude::*;

use crate::{AnyConnection, Error, TenantId};

/// Why a check did not prove an invariant.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database did not answer: nothing is known about the book.
    #[error(transparent)]
    Database(#[from] Error),
    /// A row breaks the invariant; there may be more such rows.
    #[error("{subject}: {detail}")]
    Broken {
        /// The tenant of the row, if rows of many tenants were checked together.
        tenant: Option<TenantId>,
        /// The name of the row.
        subject: String,
        /// The fault of the row.
        detail: String,
    },
}

impl CheckError {
    /// An error with the name of the row and its fault.
    pub fn broken(subject: impl ToString, detail: impl Into<String>) -> Self {
        Self::Broken {
            tenant: None,
            subject: subject.to_string(),
            detail: detail.into(),
        }
    }

    /// The error, with the tenant of the row.
    #[must_use]
    pub fn of(self, whose: TenantId) -> Self {
        match self {
            Self::Broken {
                tenant: _,
                subject,
                detail,
            } => Self::Broken {
                tenant: Some(whose),
                subject,
                detail,
            },
            Self::Database(error) => Self::Database(error),
        }
    }
}

/// The rows of one tenant, or of all tenants, in the order of their key, a page at a time. Never more than one page
/// is in memory, however long the table is.
pub struct Pages<R> {
    fetch: Fetch<R>,
    page: std::iter::Peekable<std::vec::IntoIter<R>>,
    last: Option<R>,
    ended: bool,
}

/// Loads the rows after a given row, or the first rows; none at the end.
type Fetch<R> = Box<dyn Fn(&mut AnyConnection, Option<&R>) -> Result<Vec<R>, Error> + Send>;

impl<R: Clone> Pages<R> {
    /// The rows of a tenant, loaded by `fetch`: those after a given row, or the first ones; none at the end.
    pub fn new(
        tenant: TenantId,
        fetch: impl Fn(&mut AnyConnection, TenantId, Option<&R>) -> Result<Vec<R>, Error>
        + Send
        + 'static,
    ) -> Self {
        Self::over(move |connection, after: Option<&R>| fetch(connection, tenant, after))
    }

    /// The rows that `fetch` loads: those after a given row, or the first ones; none at the end.
    pub fn over(
        fetch: impl Fn(&mut AnyConnection, Option<&R>) -> Result<Vec<R>, Error> + Send + 'static,
    ) -> Self {
        Self {
            fetch: Box::new(fetch),
            page: Vec::new().into_iter().peekable(),
            last: None,
            ended: false,
        }
    }

    /// The next row, without taking it; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn peek(&mut self, connection: &mut AnyConnection) -> Result<Option<&R>, Error> {
        if self.page.peek().is_none() && !self.ended {
            let rows = (self.fetch)(connection, self.last.as_ref())?;
            self.ended = rows.is_empty();
            self.last = rows.last().cloned();
            self.page = rows.into_iter().peekable();
        }
        Ok(self.page.peek())
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn next(&mut self, connection: &mut AnyConnection) -> Result<Option<R>, Error> {
        self.next_if(connection, |_any| true)
    }

    /// The next row, if the condition holds; otherwise it stays.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn next_if(
        &mut self,
        connection: &mut AnyConnection,
        wanted: impl FnOnce(&R) -> bool,
    ) -> Result<Option<R>, Error> {
        self.peek(connection)?;
        Ok(self.page.next_if(wanted))
    }

    /// All rows of the next page, or the rest of the present page; empty at the end.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn page(&mut self, connection: &mut AnyConnection) -> Result<Vec<R>, Error> {
        self.peek(connection)?;
        Ok(self.page.by_ref().collect())
    }
}

/// Those of the `expected` triggers that do not exist, or do not fire for every writer, or no longer refuse
/// anything.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn missing_guards(
    connection: &mut AnyConnection,
    expected: &[&str],
) -> Result<Vec<String>, Error> {
    let mut expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    let standing = match connection {
        AnyConnection::Postgres(c) => {
            expected.extend(against_truncation(&expected));
            postgres_guards(c, &expected)?
        }
        AnyConnection::Sqlite(c) => sqlite_guards(c, &expected)?,
    };
    expected.retain(|name| !standing.contains(name));
    Ok(expected)
}

/// The triggers against TRUNCATE that belong to the triggers against deletion: where rows must not be deleted, the
/// table must not be emptied at once either. Only PostgreSQL has such a statement.
fn against_truncation(expected: &[String]) -> Vec<String> {
    let tables = expected
        .iter()
        .filter_map(|name| name.strip_suffix("_undeletable"));
    tables.map(|table| format!("{table}_kept")).collect()
}

mod postgres_catalogue {
    diesel::table! {
        pg_trigger (oid) {
            oid -> Oid,
            tgname -> Text,
            tgrelid -> Oid,
            tgfoid -> Oid,
            tgenabled -> CChar,
        }
    }
    diesel::table! {
        pg_proc (oid) {
            oid -> Oid,
            prosrc -> Text,
        }
    }
    diesel::allow_tables_to_appear_in_same_query!(pg_trigger, pg_proc);
    use diesel::sql_types::Oid;
    diesel::define_sql_function! {
        /// Whether the bare name of a table means this table.
        fn pg_table_is_visible(table: Oid) -> Bool;
    }
}

/// The state that `ENABLE ALWAYS TRIGGER` sets. A session that calls itself a replica can avoid any other
/// trigger.
const ALWAYS: u8 = b'A';

fn postgres_guards(
    connection: &mut diesel::PgConnection,
    expected: &[String],
) -> Result<Vec<String>, Error> {
    use postgres_catalogue::{pg_proc, pg_table_is_visible, pg_trigger};
    Ok(pg_trigger::table
        .inner_join(pg_proc::table.on(pg_proc::oid.eq(pg_trigger::tgfoid)))
        .filter(pg_trigger::tgname.eq_any(expected))
        .filter(pg_table_is_visible(pg_trigger::tgrelid))
        .filter(pg_trigger::tgenabled.eq(ALWAYS))
        .filter(pg_proc::prosrc.like("%RAISE EXCEPTION%"))
        .select(pg_trigger::tgname)
        .load(connection)?)
}

mod sqlite_catalogue {
    diesel::table! {
        sqlite_master (name) {
            name -> Text,
            #[sql_name = "type"]
            kind -> Text,
            sql -> Nullable<Text>,
        }
    }
}

fn sqlite_guards(
    connection: &mut diesel::SqliteConnection,
    expected: &[String],
) -> Result<Vec<String>, Error> {
    use sqlite_catalogue::sqlite_master;
    Ok(sqlite_master::table
        .filter(sqlite_master::kind.eq("trigger"))
        .filter(sqlite_master::name.eq_any(expected))
        .filter(sqlite_master::sql.like("%RAISE(ABORT%"))
        .select(sqlite_master::name)
        .load(connection)?)
}
