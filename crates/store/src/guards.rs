//! What a whole-book check asks of a database: rows in pages by key, and whether the triggers that
//! keep written rows as they are still stand.

use diesel::prelude::*;

use crate::{AnyConnection, Error, TenantId};

/// Why an invariant was not found to hold.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database did not answer: nothing is said of the book.
    #[error(transparent)]
    Database(#[from] Error),
    /// A row breaks it; there may be more of them.
    #[error("{subject}: {detail}")]
    Broken {
        /// Whose row it is, where the rows of many were looked at together.
        tenant: Option<TenantId>,
        /// Which row.
        subject: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl CheckError {
    /// Names the row, and what is wrong with it.
    pub fn broken(subject: impl ToString, detail: impl Into<String>) -> Self {
        Self::Broken {
            tenant: None,
            subject: subject.to_string(),
            detail: detail.into(),
        }
    }

    /// The same, of a row of this tenant's.
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

/// The rows of one tenant, or of all, in the order of their key, a page at a time: never more than one page
/// is in memory, however long the table is.
pub struct Pages<R> {
    fetch: Fetch<R>,
    page: std::iter::Peekable<std::vec::IntoIter<R>>,
    last: Option<R>,
    ended: bool,
}

/// Loads the rows that follow a row, or the first ones; none at the end.
type Fetch<R> = Box<dyn Fn(&mut AnyConnection, Option<&R>) -> Result<Vec<R>, Error> + Send>;

impl<R: Clone> Pages<R> {
    /// A tenant's rows as `fetch` loads them: those after a row, or the first ones; none at the end.
    pub fn new(
        tenant: TenantId,
        fetch: impl Fn(&mut AnyConnection, TenantId, Option<&R>) -> Result<Vec<R>, Error>
        + Send
        + 'static,
    ) -> Self {
        Self::over(move |connection, after: Option<&R>| fetch(connection, tenant, after))
    }

    /// Rows as `fetch` loads them: those after a row, or the first ones; none at the end.
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

    /// The next row, left where it is; `None` at the end.
    ///
    /// # Errors
    /// [`Error`] as the database gives it.
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
    /// [`Error`] as the database gives it.
    pub fn next(&mut self, connection: &mut AnyConnection) -> Result<Option<R>, Error> {
        self.next_if(connection, |_any| true)
    }

    /// The next row if it is wanted; else it stays where it is.
    ///
    /// # Errors
    /// [`Error`] as the database gives it.
    pub fn next_if(
        &mut self,
        connection: &mut AnyConnection,
        wanted: impl FnOnce(&R) -> bool,
    ) -> Result<Option<R>, Error> {
        self.peek(connection)?;
        Ok(self.page.next_if(wanted))
    }

    /// All rows of the next page, or what is left of this one; empty at the end.
    ///
    /// # Errors
    /// [`Error`] as the database gives it.
    pub fn page(&mut self, connection: &mut AnyConnection) -> Result<Vec<R>, Error> {
        self.peek(connection)?;
        Ok(self.page.by_ref().collect())
    }
}

/// Those of the `expected` triggers that are not there, or do not fire whoever writes, or no longer
/// refuse anything.
///
/// # Errors
/// [`Error`] as the database gives it.
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

/// Whose rows are not to be deleted is not to be emptied at once either, which is another trigger where
/// there is such a statement.
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
        /// Whether a table is the one that its bare name means.
        fn pg_table_is_visible(table: Oid) -> Bool;
    }
}

/// As `ENABLE ALWAYS TRIGGER` leaves it. Any other trigger can be passed by a session that calls
/// itself a replica.
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
