-- Each change of an operation makes its next version. `../../postgres` has the same change for PostgreSQL: change both
-- files together.

-- What was changed before counts as the first version.
ALTER TABLE operation ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
