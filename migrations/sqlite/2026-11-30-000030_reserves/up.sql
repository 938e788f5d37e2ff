-- Reserves: available money that is held back until a day, or until a person releases it. `../../postgres` has the same
-- change for PostgreSQL: change both files together.

-- The share of the money of a capture that is held back when it becomes available, and for how many days.
ALTER TABLE payment_terms ADD COLUMN reserve_millionths INTEGER NOT NULL DEFAULT 0
    CHECK (reserve_millionths BETWEEN 0 AND 1000000);
ALTER TABLE payment_terms ADD COLUMN reserve_days INTEGER NOT NULL DEFAULT 0 CHECK (reserve_days >= 0);

-- `remaining` is what is left to release. It is changed in the commit that releases.
CREATE TABLE reserve (
    amount       INTEGER NOT NULL CHECK (amount > 0),
    remaining    INTEGER NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
    version      INTEGER NOT NULL,
    release_at   INTEGER,                                         -- NULL: when a person releases it
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    payment_id   BLOB CHECK (length(payment_id) = 16),            -- NULL: made by a person
    operation_id BLOB CHECK (length(operation_id) = 16),          -- the capture whose money it holds
    currency     TEXT NOT NULL,
    reason       TEXT,
    PRIMARY KEY (tenant_id, id),
    CHECK ((payment_id IS NULL) = (operation_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX reserve_operations ON reserve (operation_id, tenant_id);
CREATE INDEX reserve_payments ON reserve (payment_id, tenant_id);
CREATE TRIGGER reserve_undeletable BEFORE DELETE ON reserve
BEGIN SELECT RAISE(ABORT, 'rows of reserve are never changed or deleted'); END;

-- Each release of a reserve, or of a part of it.
CREATE TABLE reserve_release (
    amount     INTEGER NOT NULL CHECK (amount > 0),
    created_at INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL REFERENCES tenant,
    id         BLOB NOT NULL CHECK (length(id) = 16),
    reserve_id BLOB NOT NULL CHECK (length(reserve_id) = 16),
    dispute_id BLOB CHECK (length(dispute_id) = 16),              -- the dispute that needed the money
    cause      TEXT NOT NULL CHECK (cause IN ('asked', 'due', 'dispute')),
    PRIMARY KEY (tenant_id, id),
    CHECK ((cause = 'dispute') = (dispute_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX reserve_releases ON reserve_release (tenant_id, reserve_id, id);
CREATE TRIGGER reserve_release_immutable BEFORE UPDATE ON reserve_release
BEGIN SELECT RAISE(ABORT, 'rows of reserve_release are never changed or deleted'); END;
CREATE TRIGGER reserve_release_kept BEFORE DELETE ON reserve_release
BEGIN SELECT RAISE(ABORT, 'rows of reserve_release are never changed or deleted'); END;
