-- Captured money has a fee, is pending for the merchant, and becomes available on a day. `../../sqlite` has the same
-- change for SQLite: change both files together.

-- What the tenant charges, and when the money is available. A version is never changed.
CREATE TABLE payment_terms (
    rate_millionths BIGINT  NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
    fixed           BIGINT  NOT NULL CHECK (fixed >= 0),
    least           BIGINT  NOT NULL CHECK (least >= 0),
    most            BIGINT  CHECK (most >= least),
    dispute_fee     BIGINT  NOT NULL CHECK (dispute_fee >= 0),
    created_at      BIGINT  NOT NULL,
    tenant_id       BIGINT  NOT NULL REFERENCES tenant,
    version         INTEGER NOT NULL CHECK (version > 0),
    currency        TEXT    NOT NULL,
    method          TEXT    NOT NULL,           -- the beginning of the payment methods; empty: all
    delay           TEXT    NOT NULL,           -- calendar and business days: target+2
    PRIMARY KEY (tenant_id, version)
);
CREATE TRIGGER payment_terms_immutable BEFORE UPDATE OR DELETE ON payment_terms
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_terms_kept BEFORE TRUNCATE ON payment_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE payment_terms ENABLE ALWAYS TRIGGER payment_terms_immutable;
ALTER TABLE payment_terms ENABLE ALWAYS TRIGGER payment_terms_kept;

ALTER TABLE operation
    ADD COLUMN fee BIGINT NOT NULL DEFAULT 0 CHECK (fee >= 0 AND fee <= amount),
    ADD COLUMN terms INTEGER,                   -- the version; NULL: none
    ADD COLUMN delay TEXT,                      -- NULL: nothing is captured
    ADD COLUMN available_on INTEGER,            -- days since 1970
    ADD COLUMN unreleased BIGINT NOT NULL DEFAULT 0 CHECK (unreleased >= 0),
    ADD COLUMN made_available BIGINT NOT NULL DEFAULT 0
        CHECK (made_available >= 0 AND unreleased + made_available <= amount),
    ADD COLUMN from_pending BIGINT NOT NULL DEFAULT 0 CHECK (from_pending >= 0 AND from_pending <= amount),
    ADD COLUMN unallocated BIGINT NOT NULL DEFAULT 0    -- what has arrived after the operation had failed
        CHECK (unallocated = 0 OR (unallocated = amount AND status = 'failed'));

-- Money that was captured before is available at once.
UPDATE operation
   SET delay = 'every_day+0', available_on = (created_at / 86400000000)::INTEGER, unreleased = amount
 WHERE status = 'succeeded' AND kind = 'charge';
INSERT INTO errand (due_at, tenant_id, epoch, kind, place, subject)
SELECT created_at, tenant_id, 0, 'availability', '', id
  FROM operation WHERE status = 'succeeded' AND kind = 'charge';
