-- Each change of an operation makes its next version. `../../sqlite` has the same change for SQLite: change both
-- files together.

-- What was changed before counts as the first version.
ALTER TABLE operation ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
