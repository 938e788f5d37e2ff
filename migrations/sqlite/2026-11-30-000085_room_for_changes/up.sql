-- Nothing: SQLite writes a changed row to its old place. `../../postgres` has a change for PostgreSQL.
SELECT 1;
