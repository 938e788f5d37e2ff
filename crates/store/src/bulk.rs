//! Set-based writes: many rows in one statement.
//!
//! A row is declared once with [`bulk_insert!`](crate::bulk_insert) or
//! [`bulk_update!`](crate::bulk_update). On PostgreSQL, all rows are sent as one array per column and are
//! unfolded by `UNNEST`, so the statement is prepared once, whatever the number of rows is. On SQLite, where
//! running a statement is a function call, one prepared statement runs in a loop.

use std::any::Any;

use crash_points::{Point, here};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types as sql;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use crate::array::ColumnArray;
use crate::{AnyConnection, Error};

/// A row of one table that can be written together with others of its type. Implemented by the macros.
pub trait BulkRow: Sized + Send + 'static {
    /// The SQL before the arrays: `INSERT INTO … SELECT`, or `UPDATE … FROM (SELECT`.
    const ARRAYS_BEFORE: &'static str;
    /// The SQL after the arrays.
    const ARRAYS_AFTER: &'static str;
    /// True for an update, where each row must still be as it was read; false for an insert of new rows.
    const MUST_FIND: bool;
    /// Turns rows into columns.
    fn columns(rows: &[Self]) -> Vec<ColumnArray>;
    /// The statement for one row, with its values bound.
    ///
    /// # Errors
    /// The error of diesel.
    fn push_row<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// All that a batch writes: rows of any number of tables, in one order.
///
/// On PostgreSQL everything is sent as one statement. So it is atomic even without an explicit transaction, and
/// costs one round trip. On SQLite the rows are written one after another.
#[derive(Default)]
pub struct Writes {
    tables: Vec<(When, Box<dyn Rows + Send>)>,
}

/// The time at which rows of a batch may be written, if the previous batch is not committed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before all other rows of this batch and the next one, because those need these rows.
    First,
    /// At once.
    Early,
    /// After the previous batch is committed.
    InTurn,
}

impl Writes {
    /// Adds rows of one table, to be written when it is the turn of the batch.
    pub fn add<R: BulkRow>(&mut self, rows: Vec<R>) {
        self.push(When::InTurn, rows);
    }

    /// Adds new rows of one table that may be written while the previous batch is being written. No other batch of
    /// this process has the same keys, and the rows need no row that is not committed.
    pub fn add_early<R: BulkRow>(&mut self, rows: Vec<R>) {
        self.push(When::Early, rows);
    }

    /// Adds rows of one table that other rows, of this batch or the next one, must find when they are written.
    pub fn add_first<R: BulkRow>(&mut self, rows: Vec<R>) {
        self.push(When::First, rows);
    }

    /// Adds rows to the rows of the same table, whoever added those. So a batch of many tenants has as many
    /// statements as a batch of one tenant.
    fn push<R: BulkRow>(&mut self, when: When, rows: Vec<R>) {
        if rows.is_empty() {
            return;
        }
        let mut alike = self.tables.iter_mut().filter(|(is, _)| *is == when);
        match alike.find_map(|(_, table)| table.as_any().downcast_mut::<Table<R>>()) {
            Some(table) => table.0.extend(rows),
            None => self.tables.push((when, Box::new(Table(rows)))),
        }
    }

    /// Writes everything, or nothing. On SQLite this needs a transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a unique key exists already or, for an update, if a row is no longer as it was read.
    pub fn run(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        match connection {
            AnyConnection::Postgres(_) => self.statement().run(connection),
            AnyConnection::Sqlite(c) => {
                for (_, rows) in &self.tables {
                    rows.write_each(c)?;
                }
                Ok(())
            }
        }
    }

    /// The one statement for PostgreSQL. It can be made before it is the turn of the batch.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.statement_of(|_any| true)
    }

    /// The two statements for PostgreSQL: one for the rows that may be written early, and one for the rest. `None` if
    /// one statement must do both.
    #[must_use]
    pub fn in_two(&self) -> Option<(Statement, Statement)> {
        let has = |when| self.tables.iter().any(|(is, _)| *is == when);
        (has(When::Early) && !has(When::First)).then(|| {
            (
                self.statement_of(|when| when == When::Early),
                self.statement_of(|when| when != When::Early),
            )
        })
    }

    fn statement_of(&self, wanted: impl Fn(When) -> bool) -> Statement {
        // The server executes the parts from the last to the first (updates before all).
        let tables = self.tables.iter().rev();
        let parts = tables.filter(|(when, _)| wanted(*when));
        Statement {
            parts: parts.map(|(_, rows)| rows.part()).collect(),
        }
    }
}

/// Writes rows of one table. A batch collects [`Writes`] instead.
///
/// # Errors
/// As [`Writes::run`].
pub fn write<R: BulkRow + Clone>(connection: &mut AnyConnection, rows: &[R]) -> Result<(), Error> {
    let mut writes = Writes::default();
    writes.add(rows.to_vec());
    writes.run(connection)
}

/// All that a batch writes, as one statement for PostgreSQL.
#[derive(Debug, Default)]
pub struct Statement {
    parts: Vec<Part>,
}

impl Statement {
    /// Writes everything, or nothing.
    ///
    /// # Errors
    /// As [`Writes::run`]; [`Error::Refused`] on SQLite, where rows are written one by one.
    pub fn run(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let AnyConnection::Postgres(connection) = connection else {
            return Err(Error::Refused("it is not PostgreSQL".to_owned()));
        };
        if !self.parts.is_empty() {
            here(Point::WriteBefore);
            // If an update did not find all its rows, the statement itself fails, which undoes it.
            let _held: bool = AllAtOnce(&self.parts).get_result(connection)?;
            here(Point::WriteAfter);
        }
        Ok(())
    }
}

/// The rows of one table, without their type.
trait Rows {
    fn as_any(&mut self) -> &mut dyn Any;
    fn part(&self) -> Part;
    fn write_each(&self, connection: &mut diesel::SqliteConnection) -> Result<(), Error>;
}

/// The part of the one statement that writes one table.
#[derive(Debug)]
struct Part {
    before: &'static str,
    columns: Vec<ColumnArray>,
    after: &'static str,
    /// Number of rows that an update must find; `None` for an insert, which writes all rows or fails.
    expected: Option<i64>,
}

struct Table<R>(Vec<R>);

impl<R: BulkRow> Rows for Table<R> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn part(&self) -> Part {
        let expected = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        Part {
            before: R::ARRAYS_BEFORE,
            columns: R::columns(&self.0),
            after: R::ARRAYS_AFTER,
            expected: R::MUST_FIND.then_some(expected),
        }
    }

    fn write_each(&self, connection: &mut diesel::SqliteConnection) -> Result<(), Error> {
        here(Point::WriteBefore);
        for row in &self.0 {
            if One(row).execute(connection)? != 1 {
                return Err(Error::Conflict(
                    "a row is no longer as it was seen".to_owned(),
                ));
            }
        }
        here(Point::WriteAfter);
        Ok(())
    }
}

impl Part {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.before);
        // The arrays are in the SELECT list and not in FROM, because in FROM each array would first be copied as a
        // whole, which takes a third of the time.
        let mut separator = "UNNEST(";
        for column in &self.columns {
            out.push_sql(separator);
            column.push(out)?;
            separator = "), UNNEST(";
        }
        out.push_sql(")");
        out.push_sql(self.after);
        Ok(())
    }
}

/// `WITH part_a AS (INSERT …), part_aa AS (UPDATE … RETURNING 1) SELECT …`: every part is executed, and the
/// statement fails if an update did not find all its rows.
struct AllAtOnce<'a>(&'a [Part]);

impl QueryFragment<Pg> for AllAtOnce<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut separator = "WITH ";
        for (place, part) in self.0.iter().enumerate() {
            out.push_sql(separator);
            push_name(&mut out, place);
            out.push_sql(" AS (");
            part.push(&mut out)?;
            out.push_sql(if part.expected.is_some() {
                " RETURNING 1)"
            } else {
                ")"
            });
            separator = ", ";
        }
        out.push_sql(" SELECT true");
        for (place, part) in self.0.iter().enumerate() {
            if let Some(expected) = &part.expected {
                out.push_sql(" AND as_it_was_seen((SELECT count(*) FROM ");
                push_name(&mut out, place);
                out.push_sql("), ");
                out.push_bind_param::<sql::BigInt, _>(expected)?;
                out.push_sql(")");
            }
        }
        Ok(())
    }
}

/// `part_a`, `part_aa`, …: a name for each position without numbers.
fn push_name(out: &mut AstPass<'_, '_, Pg>, place: usize) {
    out.push_sql("part_a");
    for _ in 0..place {
        out.push_sql("a");
    }
}

/// The text depends on which tables are written, so diesel prepares it once for each set of tables.
impl QueryId for AllAtOnce<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl diesel::query_builder::Query for AllAtOnce<'_> {
    type SqlType = sql::Bool;
}

impl<C> RunQueryDsl<C> for AllAtOnce<'_> {}

struct One<'a, R>(&'a R);

impl<R: BulkRow> QueryFragment<Sqlite> for One<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.push_row(&mut out)
    }
}

/// The text depends only on the type of the row, so diesel may prepare it once.
impl<R: BulkRow> QueryId for One<'_, R> {
    type QueryId = One<'static, R>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: BulkRow, C> RunQueryDsl<C> for One<'_, R> {}

/// Declares a row that is inserted in bulk, and read back by position.
///
/// ```
/// store::bulk_insert! {
///     /// A pair.
///     pub struct PairRow in pair {
///         /// Its key.
///         id: i64,
///         /// Its text.
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

        impl $crate::find::StoredRow for $row {
            type Sql = ($(<$type as $crate::array::Column>::Sql,)+);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
        }

        const _: () = {
            impl $crate::bulk::BulkRow for $row {
                const ARRAYS_BEFORE: &'static str = $crate::bulk_insert!(@head $table; $($column),+;
                    ") SELECT ");
                const ARRAYS_AFTER: &'static str = "";
                const MUST_FIND: bool = false;

                $crate::bulk_insert!(@columns $($column),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    out.push_sql($crate::bulk_insert!(@head $table; $($column),+; ") VALUES ("));
                    let mut separator = "";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<<$type as $crate::array::Column>::Sql, _>(&self.$column)?;
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
    (@columns $($column:ident),+) => {
        fn columns(rows: &[Self]) -> Vec<$crate::array::ColumnArray> {
            vec![$($crate::array::ColumnArray::of(rows.iter().map(|row| &row.$column))),+]
        }
    };
}

/// Declares a row that is inserted in bulk. If a row with the same key exists, the `add` columns are added to it
/// instead. Such a row need not be read before, and two writers that add to it are no conflict. No key may occur
/// twice in one write.
#[macro_export]
macro_rules! bulk_add {
    ($(#[$doc:meta])* pub struct $row:ident in $table:ident {
        key { $($(#[$key_doc:meta])* $key:ident : $key_type:ty),+ $(,)? }
        add { $($(#[$add_doc:meta])* $add:ident : $add_type:ty),+ $(,)? }
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, $crate::diesel::Queryable)]
        pub struct $row {
            $($(#[$key_doc])* pub $key: $key_type,)+
            $($(#[$add_doc])* pub $add: $add_type),+
        }

        const _: () = {
            const OR_ADD: &str = concat!(
                " ON CONFLICT (", $crate::bulk_update!(@names $($key),+), ") DO UPDATE SET ",
                $crate::bulk_add!(@sums $table; $($add),+)
            );

            impl $crate::bulk::BulkRow for $row {
                const ARRAYS_BEFORE: &'static str =
                    $crate::bulk_insert!(@head $table; $($key,)+ $($add),+; ") SELECT ");
                const ARRAYS_AFTER: &'static str = OR_ADD;
                const MUST_FIND: bool = false;

                $crate::bulk_insert!(@columns $($key,)+ $($add),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    let mut separator =
                        $crate::bulk_insert!(@head $table; $($key,)+ $($add),+; ") VALUES (");
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<<$key_type as $crate::array::Column>::Sql, _>(&self.$key)?;
                        separator = ", ";
                    )+
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<<$add_type as $crate::array::Column>::Sql, _>(&self.$add)?;
                    )+
                    out.push_sql(")");
                    out.push_sql(OR_ADD);
                    Ok(())
                }
            }
        };
    };
    (@sums $table:ident; $column:ident $(, $columns:ident)*) => {
        concat!(
            stringify!($column), " = ", stringify!($table), ".", stringify!($column),
            " + excluded.", stringify!($column)
            $(, ", ", stringify!($columns), " = ", stringify!($table), ".", stringify!($columns),
              " + excluded.", stringify!($columns))*
        )
    };
}

/// Declares an update of many rows. The `find` columns name the row and the values that were read: if they have
/// changed, the write is a conflict. The `set` columns are written. Each field has the name of its column.
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
            impl $crate::bulk::BulkRow for $row {
                const ARRAYS_BEFORE: &'static str = concat!(
                    "UPDATE ", stringify!($table), " AS target SET ",
                    $crate::bulk_update!(@pairs $($set_column, $set);+),
                    " FROM (SELECT "
                );
                const ARRAYS_AFTER: &'static str = concat!(
                    ") AS wanted (",
                    $crate::bulk_update!(@names $($find),+, $($set),+),
                    ") WHERE ",
                    $crate::bulk_update!(@equal $($find_column, $find);+)
                );
                const MUST_FIND: bool = true;

                $crate::bulk_insert!(@columns $($find,)+ $($set),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    let mut separator = concat!("UPDATE ", stringify!($table), " SET ");
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($set_column), " = "));
                        out.push_bind_param::<<$set_type as $crate::array::Column>::Sql, _>(&self.$set)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    let mut separator = " WHERE ";
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($find_column), " = "));
                        out.push_bind_param::<<$find_type as $crate::array::Column>::Sql, _>(&self.$find)?;
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
