-- The lines of a settlement are found by the settlement first. `../../sqlite` has the same change for SQLite: change
-- both files together.

-- PostgreSQL plans a look-up once and keeps the plan. While a table is empty, all its indexes cost the same, and of these
-- it takes the newest. So an index that begins with the tenant was taken for look-ups by content and by subject, and each
-- of them read all lines of the tenant, until the server next looked at the table.
DROP INDEX settlement_line_settlement;
CREATE INDEX settlement_line_settlement ON settlement_line (settlement, tenant_id, provider, id);
