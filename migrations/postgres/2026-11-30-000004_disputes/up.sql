-- Disputes. `../../sqlite` has the same change for SQLite: change both files together.

-- What is disputed cannot be refunded too.
ALTER TABLE payment ADD COLUMN disputed BIGINT NOT NULL DEFAULT 0
    CHECK (disputed >= 0 AND refunded + disputed <= captured);

-- Money that the payer's bank claims back. The marks say what has happened to it; each is set once.
CREATE TABLE dispute (
    amount        BIGINT   NOT NULL CHECK (amount > 0),
    fee           BIGINT   NOT NULL CHECK (fee >= 0),
    blocked       BIGINT   NOT NULL CHECK (blocked >= 0 AND blocked <= amount),
    version       BIGINT   NOT NULL,
    created_at    BIGINT   NOT NULL,
    updated_at    BIGINT   NOT NULL,
    tenant_id     BIGINT   NOT NULL REFERENCES tenant,
    is_withdrawn  SMALLINT NOT NULL CHECK (is_withdrawn IN (0, 1)),
    is_reinstated SMALLINT NOT NULL CHECK (is_reinstated IN (0, 1)),
    is_released   SMALLINT NOT NULL CHECK (is_released IN (0, 1)),
    id            BYTEA    NOT NULL CHECK (length(id) = 16),
    payment_id    BYTEA    NOT NULL CHECK (length(payment_id) = 16),
    provider      TEXT     NOT NULL,
    reference     TEXT     NOT NULL,
    currency      TEXT     NOT NULL,
    reason        TEXT     NOT NULL,
    status        TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (reference, tenant_id, provider)
);
CREATE TRIGGER dispute_kept BEFORE TRUNCATE ON dispute
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dispute_undeletable BEFORE DELETE ON dispute
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dispute_edges BEFORE UPDATE OF status ON dispute
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_edge();
