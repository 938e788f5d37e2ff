//! Set-based deletes: rows that are deleted among the other writes of a batch ([`crate::bulk`]).

/// Declares rows that are deleted in bulk, each found by all its columns. If a row does not exist, the write is a
/// conflict.
#[macro_export]
macro_rules! bulk_delete {
    ($(#[$doc:meta])* pub struct $row:ident in $table:ident {
        $($(#[$column_doc:meta])* $column:ident : $type:ty),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $row { $($(#[$column_doc])* pub $column: $type),+ }

        const _: () = {
            impl $crate::bulk::BulkRow for $row {
                const ARRAYS_BEFORE: &'static str =
                    concat!("DELETE FROM ", stringify!($table), " AS target USING (SELECT ");
                const ARRAYS_AFTER: &'static str = concat!(
                    ") AS wanted (",
                    $crate::bulk_update!(@names $($column),+),
                    ") WHERE ",
                    $crate::bulk_update!(@equal $($column, $column);+)
                );
                const MUST_FIND: bool = true;

                $crate::bulk_insert!(@columns $($column),+);

                fn push_row<'b>(
                    &'b self,
                    out: &mut $crate::diesel::query_builder::AstPass<'_, 'b, $crate::diesel::sqlite::Sqlite>,
                ) -> $crate::diesel::QueryResult<()> {
                    let mut separator = concat!("DELETE FROM ", stringify!($table), " WHERE ");
                    $(
                        out.push_sql(separator);
                        out.push_sql(concat!(stringify!($column), " = "));
                        out.push_bind_param::<<$type as $crate::array::Column>::Sql, _>(&self.$column)?;
                        separator = " AND ";
                    )+
                    let _ = separator;
                    Ok(())
                }
            }
        };
    };
}
