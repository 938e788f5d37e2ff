-- What a provider charges by agreement, and what it has reported. `../../sqlite` has the same change for SQLite: change
-- both files together.

-- A version is never changed. For a line of a report, the price with the latest `valid_from` until its day counts, and of
-- these the newest version.
CREATE TABLE provider_price (
    rate_millionths BIGINT NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
    fixed           BIGINT NOT NULL CHECK (fixed >= 0),
    least           BIGINT NOT NULL CHECK (least >= 0),
    most            BIGINT CHECK (most >= least),
    tolerance       BIGINT NOT NULL CHECK (tolerance >= 0),
    created_at      BIGINT NOT NULL,
    tenant_id       BIGINT NOT NULL REFERENCES tenant,
    version         INTEGER NOT NULL CHECK (version > 0),
    valid_from      INTEGER NOT NULL,            -- days since 1970
    provider        TEXT NOT NULL,
    currency        TEXT NOT NULL,
    kind            TEXT NOT NULL,               -- of the lines of reports
    PRIMARY KEY (tenant_id, version)
);
CREATE TRIGGER provider_price_immutable BEFORE UPDATE OR DELETE ON provider_price
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_price_kept BEFORE TRUNCATE ON provider_price
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE provider_price ENABLE ALWAYS TRIGGER provider_price_immutable;
ALTER TABLE provider_price ENABLE ALWAYS TRIGGER provider_price_kept;

-- The fees that differ, if an exception is about that.
ALTER TABLE reconciliation_exception
    ADD COLUMN expected_fee BIGINT,
    ADD COLUMN reported_fee BIGINT,
    ADD CHECK ((reported_fee IS NULL) = (expected_fee IS NULL));
