-- What a provider charges by agreement, and what it has reported. `../../postgres` has the same change for PostgreSQL: change
-- both files together.

-- A version is never changed. For a line of a report, the price with the latest `valid_from` until its day counts, and of
-- these the newest version.
CREATE TABLE provider_price (
    rate_millionths INTEGER NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
    fixed           INTEGER NOT NULL CHECK (fixed >= 0),
    least           INTEGER NOT NULL CHECK (least >= 0),
    most            INTEGER CHECK (most >= least),
    tolerance       INTEGER NOT NULL CHECK (tolerance >= 0),
    created_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL REFERENCES tenant,
    version         INTEGER NOT NULL CHECK (version > 0),
    valid_from      INTEGER NOT NULL,            -- days since 1970
    provider        TEXT NOT NULL,
    currency        TEXT NOT NULL,
    kind            TEXT NOT NULL,               -- of the lines of reports
    PRIMARY KEY (tenant_id, version)
) STRICT;
CREATE TRIGGER provider_price_immutable BEFORE UPDATE ON provider_price
BEGIN SELECT RAISE(ABORT, 'rows of provider_price are never changed or deleted'); END;
CREATE TRIGGER provider_price_kept BEFORE DELETE ON provider_price
BEGIN SELECT RAISE(ABORT, 'rows of provider_price are never changed or deleted'); END;

-- The fees that differ, if an exception is about that.
ALTER TABLE reconciliation_exception ADD COLUMN expected_fee INTEGER;
ALTER TABLE reconciliation_exception ADD COLUMN reported_fee INTEGER
    CHECK ((reported_fee IS NULL) = (expected_fee IS NULL));
