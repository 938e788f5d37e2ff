-- Nothing is done here. `../../sqlite` has new primary keys in this migration, because SQLite stores these tables in
-- the order of their primary key. PostgreSQL stores rows in the order of writing, whatever the key is: rows of many
-- tenants in one commit share pages already. Its key of postings stays (tenant_id, transaction_id, ordinal), which
-- reads the postings of one tenant in order. (docs/adr/0030-the-tenant-comes-last-in-keys-of-sqlite.md)

-- A migration must have a statement.
SELECT 1;
