//! Set-based writes: many rows in one statement.
//!
//! A row is declared once with [`bulk_insert!`](crate::bulk_insert) or
//! [`bulk_update!`](crate::bulk_update). On PostgreSQL all rows travel as one array per column and
//! are unfolded by `UNNEST`, so that the statement is prepared once whatever the number of rows; on
//! SQLite, where a statement is a function call away, one prepared statement runs in a loop.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types as sql;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use crate::{AnyConnection, Error};

/// A Rust type that can stand in a column of a bulk statement.
pub trait Column {
    /// The column's SQL type.
    type Sql: 'static;
}

macro_rules! columns {
    ($($rust:ty => $sql:ty),* $(,)?) => { $(impl Column for $rust { type Sql = $sql; })* };
}
columns! {
    i16 => sql::SmallInt,
    i32 => sql::Integer,
    i64 => sql::BigInt,
    String => sql::Text,
    Vec<u8> => sql::Binary,
    crate::TenantId => sql::Integer,
}
impl<T: Column<Sql: diesel::sql_types::SqlType<IsNull = sql::is_nullable::NotNull>>> Column
    for Option<T>
{
    type Sql = sql::Nullable<T::Sql>;
}

/// A row of one table, ready to be written with others of its kind. Implemented by the macros.
pub trait BulkRow: Sized + 'static {
    /// All rows, turned into one array per column.
    type Arrays<'a>;
    /// `INSERT INTO …` up to the opening parenthesis of `UNNEST`, or `UPDATE … FROM UNNEST(`.
    const ARRAYS_BEFORE: &'static str;
    /// From the closing parenthesis of `UNNEST`.
    const ARRAYS_AFTER: &'static str;
    /// Turns rows into columns.
    fn arrays(rows: &[Self]) -> Self::Arrays<'_>;
    /// Binds the arrays, separated by commas.
    ///
    /// # Errors
    /// What diesel says.
    fn push_arrays<'b>(
        arrays: &'b Self::Arrays<'_>,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()>;
    /// The statement for one row, with its values bound.
    ///
    /// # Errors
    /// What diesel says.
    fn push_row<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// Writes all rows.
///
/// # Errors
/// [`Error::Conflict`] if a unique key exists already or, for an update, a row is no longer as it
/// was seen.
pub fn write<R: BulkRow>(connection: &mut AnyConnection, rows: &[R]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let written = match connection {
        AnyConnection::Postgres(c) => Many::<R>(R::arrays(rows)).execute(c)?,
        AnyConnection::Sqlite(c) => {
            let mut written = 0_usize;
            for row in rows {
                written = written.saturating_add(One(row).execute(c)?);
            }
            written
        }
    };
    if written == rows.len() {
        Ok(())
    } else {
        Err(Error::Conflict(format!(
            "{written} of {} rows of `{}` were as they had been seen",
            rows.len(),
            R::ARRAYS_BEFORE
                .split_whitespace()
                .nth(1)
                .unwrap_or_default(),
        )))
    }
}

struct Many<'a, R: BulkRow>(R::Arrays<'a>);
struct One<'a, R>(&'a R);

impl<R: BulkRow> QueryFragment<Pg> for Many<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(R::ARRAYS_BEFORE);
        R::push_arrays(&self.0, &mut out)?;
        out.push_sql(R::ARRAYS_AFTER);
        Ok(())
    }
}

impl<R: BulkRow> QueryFragment<Sqlite> for One<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.push_row(&mut out)
    }
}

/// The statement's text depends on the row's type alone, so diesel may prepare it once.
impl<R: BulkRow> QueryId for Many<'_, R> {
    type QueryId = Many<'static, R>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: BulkRow> QueryId for One<'_, R> {
    type QueryId = One<'static, R>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: BulkRow, C> RunQueryDsl<C> for Many<'_, R> {}
impl<R: BulkRow, C> RunQueryDsl<C> for One<'_, R> {}

/// Declares a row that is inserted in bulk, and read back by position.
///
/// ```
/// store::bulk_insert! {
///     /// A pair.
///     pub struct PairRow in pair {
///         /// Its key.
///         id: i64,
///         /// What it says.
///         text: Option<String>,
///     }
/// }
/// ```
#[macro_export]
macro_rules! bulk_insert {
    ($(#[$doc:meta])* pub struct $row:ident in $table:ident {
        $($(#[$column_doc:meta])* $column:ident : $type:ty),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, $crate::diesel::Queryable)]
        pub struct $row { $($(#[$column_doc])* pub $column: $type),+ }

        const _: () = {
            pub struct Arrays<'a> { $($column: Vec<&'a $type>),+ }

            impl $crate::bulk::BulkRow for $row {
                type Arrays<'a> = Arrays<'a>;
                const ARRAYS_BEFORE: &'static str = $crate::bulk_insert!(@head $table; $($column),+;
                    ") SELECT * FROM UNNEST(");
                const ARRAYS_AFTER: &'static str = ")";

                $crate::bulk_insert!(@arrays $($column: $type),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    out.push_sql($crate::bulk_insert!(@head $table; $($column),+; ") VALUES ("));
                    let mut separator = "";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<<$type as $crate::bulk::Column>::Sql, _>(&self.$column)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    out.push_sql(")");
                    Ok(())
                }
            }
        };
    };
    (@head $table:ident; $first:ident $(, $rest:ident)*; $tail:literal) => {
        concat!("INSERT INTO ", stringify!($table), " (", stringify!($first), $(", ", stringify!($rest),)* $tail)
    };
    (@arrays $($column:ident : $type:ty),+) => {
        fn arrays(rows: &[Self]) -> Arrays<'_> {
            Arrays { $($column: rows.iter().map(|row| &row.$column).collect()),+ }
        }

        fn push_arrays<'b>(
            arrays: &'b Arrays<'_>,
            out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::pg::Pg>,
        ) -> $crate::diesel::QueryResult<()> {
            let mut separator = "";
            $(
                out.push_sql(separator);
                out.push_bind_param::<
                    $crate::diesel::sql_types::Array<<$type as $crate::bulk::Column>::Sql>, _,
                >(&arrays.$column)?;
                separator = ", ";
            )+
            let _ = separator;
            Ok(())
        }
    };
}

/// Declares an update of many rows: `find` columns say which row and how it was seen (a row that is
/// no longer so makes the write a conflict), `set` columns are written. Each field names its column.
#[macro_export]
macro_rules! bulk_update {
    ($(#[$doc:meta])* pub struct $row:ident in $table:ident {
        find { $($find:ident : $find_type:ty = $find_column:ident),+ $(,)? }
        set { $($set:ident : $set_type:ty = $set_column:ident),+ $(,)? }
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[expect(missing_docs, reason = "the fields are the table's columns")]
        pub struct $row { $(pub $find: $find_type,)+ $(pub $set: $set_type),+ }

        const _: () = {
            pub struct Arrays<'a> { $($find: Vec<&'a $find_type>,)+ $($set: Vec<&'a $set_type>),+ }

            impl $crate::bulk::BulkRow for $row {
                type Arrays<'a> = Arrays<'a>;
                const ARRAYS_BEFORE: &'static str = concat!(
                    "UPDATE ", stringify!($table), " AS target SET ",
                    $crate::bulk_update!(@pairs $($set_column, $set);+),
                    " FROM UNNEST("
                );
                const ARRAYS_AFTER: &'static str = concat!(
                    ") AS wanted (",
                    $crate::bulk_update!(@names $($find),+, $($set),+),
                    ") WHERE ",
                    $crate::bulk_update!(@equal $($find_column, $find);+)
                );

                $crate::bulk_insert!(@arrays $($find: $find_type,)+ $($set: $set_type),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    let mut separator = concat!("UPDATE ", stringify!($table), " SET ");
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($set_column), " = "));
                        out.push_bind_param::<<$set_type as $crate::bulk::Column>::Sql, _>(&self.$set)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    let mut separator = " WHERE ";
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($find_column), " = "));
                        out.push_bind_param::<<$find_type as $crate::bulk::Column>::Sql, _>(&self.$find)?;
                        separator = " AND ";
                    )+
                    let _ = separator;
                    Ok(())
                }
            }
        };
    };
    (@pairs $column:ident, $field:ident $(; $columns:ident, $fields:ident)*) => {
        concat!(stringify!($column), " = wanted.", stringify!($field)
            $(, ", ", stringify!($columns), " = wanted.", stringify!($fields))*)
    };
    (@equal $column:ident, $field:ident $(; $columns:ident, $fields:ident)*) => {
        concat!("target.", stringify!($column), " = wanted.", stringify!($field)
            $(, " AND target.", stringify!($columns), " = wanted.", stringify!($fields))*)
    };
    (@names $first:ident $(, $rest:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($rest))*)
    };
}

/// Runs a query that selects rows by key, ordered by key, and locks them until the batch ends.
/// SQLite has one writer at a time, so there the batch itself is the lock.
#[macro_export]
macro_rules! lock_and_load {
    ($connection:expr, $query:expr) => {
        match $connection {
            $crate::AnyConnection::Postgres(c) => {
                $crate::diesel::RunQueryDsl::load($crate::diesel::QueryDsl::for_update($query), c)
            }
            $crate::AnyConnection::Sqlite(c) => $crate::diesel::RunQueryDsl::load($query, c),
        }
    };
}
