-- Reserves: available money that is held back until a day, or until a person releases it. `../../sqlite` has the same
-- change for SQLite: change both files together.

-- The share of the money of a capture that is held back when it becomes available, and for how many days.
ALTER TABLE payment_terms
    ADD COLUMN reserve_millionths BIGINT NOT NULL DEFAULT 0 CHECK (reserve_millionths BETWEEN 0 AND 1000000),
    ADD COLUMN reserve_days INTEGER NOT NULL DEFAULT 0 CHECK (reserve_days >= 0);

-- `remaining` is what is left to release. It is changed in the commit that releases.
CREATE TABLE reserve (
    amount       BIGINT NOT NULL CHECK (amount > 0),
    remaining    BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
    version      BIGINT NOT NULL,
    release_at   BIGINT,                                          -- NULL: when a person releases it
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    tenant_id    BIGINT NOT NULL REFERENCES tenant,
    id           BYTEA  NOT NULL CHECK (length(id) = 16),
    payment_id   BYTEA  CHECK (length(payment_id) = 16),          -- NULL: made by a person
    operation_id BYTEA  CHECK (length(operation_id) = 16),        -- the capture whose money it holds
    currency     TEXT   NOT NULL,
    reason       TEXT,
    PRIMARY KEY (tenant_id, id),
    CHECK ((payment_id IS NULL) = (operation_id IS NULL))
);
CREATE UNIQUE INDEX reserve_operations ON reserve (operation_id, tenant_id);
CREATE INDEX reserve_payments ON reserve (payment_id, tenant_id);
CREATE TRIGGER reserve_kept BEFORE TRUNCATE ON reserve
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reserve_undeletable BEFORE DELETE ON reserve
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Each release of a reserve, or of a part of it.
CREATE TABLE reserve_release (
    amount     BIGINT NOT NULL CHECK (amount > 0),
    created_at BIGINT NOT NULL,
    tenant_id  BIGINT NOT NULL REFERENCES tenant,
    id         BYTEA  NOT NULL CHECK (length(id) = 16),
    reserve_id BYTEA  NOT NULL CHECK (length(reserve_id) = 16),
    dispute_id BYTEA  CHECK (length(dispute_id) = 16),            -- the dispute that needed the money
    cause      TEXT   NOT NULL CHECK (cause IN ('asked', 'due', 'dispute')),
    PRIMARY KEY (tenant_id, id),
    CHECK ((cause = 'dispute') = (dispute_id IS NOT NULL))
);
CREATE UNIQUE INDEX reserve_releases ON reserve_release (tenant_id, reserve_id, id);
CREATE TRIGGER reserve_release_immutable BEFORE UPDATE OR DELETE ON reserve_release
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reserve_release_kept BEFORE TRUNCATE ON reserve_release
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE reserve_release ENABLE ALWAYS TRIGGER reserve_release_immutable;
ALTER TABLE reserve_release ENABLE ALWAYS TRIGGER reserve_release_kept;
