-- How far the clock of a tenant is ahead, in microseconds. Only in sandbox mode is it ever moved.
-- `../../postgres` has the same change for PostgreSQL: change both files together.
ALTER TABLE tenant ADD COLUMN clock_offset INTEGER NOT NULL DEFAULT 0 CHECK (clock_offset >= 0);
CREATE INDEX tenant_clocks ON tenant (clock_offset) WHERE clock_offset > 0;
