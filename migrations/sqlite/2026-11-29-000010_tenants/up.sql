-- The id of a tenant is the same in every database, because tenants move between databases. An INTEGER of SQLite
-- has 64 bits already, so that nothing is changed here.
SELECT 1;
