-- Disputes. `../../postgres` has the same change for PostgreSQL: change both files together.

-- What is disputed cannot be refunded too.
ALTER TABLE payment ADD COLUMN disputed INTEGER NOT NULL DEFAULT 0
    CHECK (disputed >= 0 AND refunded + disputed <= captured);

-- Money that the payer's bank claims back. The marks say what has happened to it; each is set once.
CREATE TABLE dispute (
    amount        INTEGER NOT NULL CHECK (amount > 0),
    fee           INTEGER NOT NULL CHECK (fee >= 0),
    blocked       INTEGER NOT NULL CHECK (blocked >= 0 AND blocked <= amount),
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    tenant_id     INTEGER NOT NULL REFERENCES tenant,
    is_withdrawn  INTEGER NOT NULL CHECK (is_withdrawn IN (0, 1)),
    is_reinstated INTEGER NOT NULL CHECK (is_reinstated IN (0, 1)),
    is_released   INTEGER NOT NULL CHECK (is_released IN (0, 1)),
    id            BLOB NOT NULL CHECK (length(id) = 16),
    payment_id    BLOB NOT NULL CHECK (length(payment_id) = 16),
    provider      TEXT NOT NULL,
    reference     TEXT NOT NULL,
    currency      TEXT NOT NULL,
    reason        TEXT NOT NULL,
    status        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (reference, tenant_id, provider)
) STRICT;
CREATE TRIGGER dispute_undeletable BEFORE DELETE ON dispute
BEGIN SELECT RAISE(ABORT, 'rows of dispute are never changed or deleted'); END;
CREATE TRIGGER dispute_edges BEFORE UPDATE OF status ON dispute
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('open', 'won'),
    ('open', 'lost')
) BEGIN SELECT RAISE(ABORT, 'a dispute never goes this way'); END;
