-- Captured money has a fee, is pending for the merchant, and becomes available on a day. `../../postgres` has the same
-- change for PostgreSQL: change both files together.

-- What the tenant charges, and when the money is available. A version is never changed.
CREATE TABLE payment_terms (
    rate_millionths INTEGER NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
    fixed           INTEGER NOT NULL CHECK (fixed >= 0),
    least           INTEGER NOT NULL CHECK (least >= 0),
    most            INTEGER CHECK (most >= least),
    dispute_fee     INTEGER NOT NULL CHECK (dispute_fee >= 0),
    created_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL REFERENCES tenant,
    version         INTEGER NOT NULL CHECK (version > 0),
    currency        TEXT NOT NULL,
    method          TEXT NOT NULL,              -- the beginning of the payment methods; empty: all
    delay           TEXT NOT NULL,              -- calendar and business days: target+2
    PRIMARY KEY (tenant_id, version)
) STRICT;
CREATE TRIGGER payment_terms_immutable BEFORE UPDATE ON payment_terms
BEGIN SELECT RAISE(ABORT, 'rows of payment_terms are never changed or deleted'); END;
CREATE TRIGGER payment_terms_kept BEFORE DELETE ON payment_terms
BEGIN SELECT RAISE(ABORT, 'rows of payment_terms are never changed or deleted'); END;

ALTER TABLE operation ADD COLUMN fee INTEGER NOT NULL DEFAULT 0 CHECK (fee >= 0 AND fee <= amount);
ALTER TABLE operation ADD COLUMN terms INTEGER;         -- the version; NULL: none
ALTER TABLE operation ADD COLUMN delay TEXT;            -- NULL: nothing is captured
ALTER TABLE operation ADD COLUMN available_on INTEGER;  -- days since 1970
ALTER TABLE operation ADD COLUMN unreleased INTEGER NOT NULL DEFAULT 0 CHECK (unreleased >= 0);
ALTER TABLE operation ADD COLUMN made_available INTEGER NOT NULL DEFAULT 0
    CHECK (made_available >= 0 AND unreleased + made_available <= amount);
ALTER TABLE operation ADD COLUMN from_pending INTEGER NOT NULL DEFAULT 0
    CHECK (from_pending >= 0 AND from_pending <= amount);
-- What has arrived for the operation after it had failed.
ALTER TABLE operation ADD COLUMN unallocated INTEGER NOT NULL DEFAULT 0
    CHECK (unallocated = 0 OR (unallocated = amount AND status = 'failed'));

-- Money that was captured before is available at once.
UPDATE operation
   SET delay = 'every_day+0', available_on = created_at / 86400000000, unreleased = amount
 WHERE status = 'succeeded' AND kind = 'charge';
INSERT INTO errand (due_at, tenant_id, epoch, kind, place, subject)
SELECT created_at, tenant_id, 0, 'availability', '', id
  FROM operation WHERE status = 'succeeded' AND kind = 'charge';
