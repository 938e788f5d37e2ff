//! Set-based reads: many rows by their keys, in one statement, locked if requested.

use diesel::query_builder::AstPass;

/// The locking of rows that are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Rows are locked: nobody else changes them until the batch ends.
    Rows,
    /// Rows are not locked: others may change them, so each write must state the values that were read.
    Nothing,
}

/// A row that is read column by column. Implemented by [`bulk_insert!`](crate::bulk_insert).
pub trait StoredRow {
    /// The SQL types of the columns.
    type Sql: 'static;
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];
}

/// Writes `SELECT target.a, target.b`.
#[doc(hidden)]
pub fn push_columns<R: StoredRow, DB: diesel::backend::Backend>(out: &mut AstPass<'_, '_, DB>) {
    let mut separator = "SELECT target.";
    for column in R::COLUMNS {
        out.push_sql(separator);
        out.push_sql(column);
        separator = ", target.";
    }
}

/// Declares a key by which a batch finds rows of a table, and locks them. Its function `find` takes any number of
/// keys and costs one statement. The fields and the tenant are the first columns of an index.
///
/// On PostgreSQL each key is looked up on its own (`LATERAL`, with an `OFFSET 0` that stops the planner), and never
/// compared with `= ANY` or joined. Those forms may be served by the tenant's part of the index alone. A plan that
/// was made while the table was small, and is kept prepared, then reads all rows of the tenant from then on. Locks
/// are taken in the order of the keys. SQLite allows one writer at a time, so a batch needs no other lock there.
#[macro_export]
macro_rules! bulk_find {
    ($(#[$doc:meta])* pub struct $key:ident => $row:ident in $table:ident {
        $($(#[$column_doc:meta])* $column:ident : $type:ty),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $key { $($(#[$column_doc])* pub $column: $type),+ }

        const _: () = {
            use $crate::diesel::QueryResult;
            use $crate::diesel::pg::Pg;
            use $crate::diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
            use $crate::diesel::sqlite::Sqlite;
            use $crate::diesel::{RunQueryDsl, sql_types};

            struct All<'a> {
                tenant: $crate::TenantId,
                lock: $crate::find::Lock,
                $($column: Vec<&'a $type>),+
            }

            impl QueryFragment<Pg> for All<'_> {
                fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                    $crate::find::push_columns::<$row, Pg>(&mut out);
                    let mut separator = " FROM (SELECT * FROM UNNEST(";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<
                            sql_types::Array<<$type as $crate::array::Column>::Sql>, _,
                        >(&self.$column)?;
                        separator = ", ";
                    )+
                    let _ = separator;
                    out.push_sql(concat!(
                        ") AS keys (", $crate::bulk_update!(@names $($column),+), ") ORDER BY ",
                        $crate::bulk_update!(@names $($column),+),
                        ") AS wanted CROSS JOIN LATERAL (SELECT * FROM ", stringify!($table),
                        " AS found WHERE found.tenant_id = "
                    ));
                    out.push_bind_param::<sql_types::BigInt, _>(&self.tenant)?;
                    $(out.push_sql(concat!(
                        " AND found.", stringify!($column), " = wanted.", stringify!($column)
                    ));)+
                    out.push_sql(match self.lock {
                        $crate::find::Lock::Rows => " OFFSET 0 FOR UPDATE) AS target",
                        $crate::find::Lock::Nothing => " OFFSET 0) AS target",
                    });
                    Ok(())
                }
            }

            impl QueryId for All<'_> {
                type QueryId = ();
                const HAS_STATIC_QUERY_ID: bool = false;
            }

            impl Query for All<'_> {
                type SqlType = <$row as $crate::find::StoredRow>::Sql;
            }

            impl<C> RunQueryDsl<C> for All<'_> {}

            struct One<'a> {
                tenant: $crate::TenantId,
                key: &'a $key,
            }

            impl QueryFragment<Sqlite> for One<'_> {
                fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                    $crate::find::push_columns::<$row, Sqlite>(&mut out);
                    out.push_sql(concat!(
                        " FROM ", stringify!($table), " AS target WHERE target.tenant_id = "
                    ));
                    out.push_bind_param::<sql_types::BigInt, _>(&self.tenant)?;
                    $(
                        out.push_sql(concat!(" AND target.", stringify!($column), " = "));
                        out.push_bind_param::<<$type as $crate::array::Column>::Sql, _>(
                            &self.key.$column,
                        )?;
                    )+
                    Ok(())
                }
            }

            impl QueryId for One<'_> {
                type QueryId = One<'static>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl Query for One<'_> {
                type SqlType = <$row as $crate::find::StoredRow>::Sql;
            }

            impl<C> RunQueryDsl<C> for One<'_> {}

            impl $key {
                /// The rows with these keys. No key may occur twice.
                ///
                /// # Errors
                /// The error of the database.
                pub fn find(
                    connection: &mut $crate::AnyConnection,
                    lock: $crate::find::Lock,
                    tenant: $crate::TenantId,
                    keys: &[Self],
                ) -> Result<Vec<$row>, $crate::Error> {
                    if keys.is_empty() {
                        return Ok(Vec::new());
                    }
                    match connection {
                        $crate::AnyConnection::Postgres(c) => {
                            let all = All {
                                tenant,
                                lock,
                                $($column: keys.iter().map(|key| &key.$column).collect()),+
                            };
                            Ok(RunQueryDsl::load(all, c)?)
                        }
                        $crate::AnyConnection::Sqlite(c) => {
                            let mut rows = Vec::with_capacity(keys.len());
                            for key in keys {
                                rows.extend(RunQueryDsl::load::<$row>(One { tenant, key }, c)?);
                            }
                            Ok(rows)
                        }
                    }
                }
            }
        };
    };
}

/// Locks the one row that a query finds by its whole key, until the batch ends.
#[macro_export]
macro_rules! lock_row {
    ($connection:expr, $query:expr, $row:ty) => {
        if let $crate::AnyConnection::Postgres(c) = $connection {
            let locked = $crate::diesel::QueryDsl::for_update($query);
            let _row: Vec<$row> = $crate::diesel::RunQueryDsl::load(locked, c)?;
        }
    };
}
