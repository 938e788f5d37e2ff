-- Payouts, and approvals by a second person. `../../sqlite` has the same change for SQLite: change both files together.

CREATE TABLE payout (
    amount          BIGINT   NOT NULL CHECK (amount > 0),
    version         BIGINT   NOT NULL,
    created_at      BIGINT   NOT NULL,
    updated_at      BIGINT   NOT NULL,
    tenant_id       BIGINT   NOT NULL REFERENCES tenant,
    operations      INTEGER  NOT NULL,       -- operations so far
    is_returned     SMALLINT NOT NULL CHECK (is_returned IN (0, 1)),
    id              BYTEA    NOT NULL CHECK (length(id) = 16),
    source          BYTEA    CHECK (length(source) = 16),  -- the account that pays; NULL: the merchant's available money
    approval        BYTEA    CHECK (length(approval) = 16),
    currency        TEXT     NOT NULL,
    destination     TEXT     NOT NULL,
    description     TEXT,
    status          TEXT     NOT NULL,
    provider        TEXT     NOT NULL,
    decline_code    TEXT,
    idempotency_key TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- What one person proposes and another one decides. The second is not the first.
CREATE TABLE approval (
    expires_at  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    decided_at  BIGINT,
    tenant_id   BIGINT NOT NULL REFERENCES tenant,
    id          BYTEA  NOT NULL CHECK (length(id) = 16),
    subject     BYTEA  NOT NULL CHECK (length(subject) = 16),  -- what it is about, by the action
    action      TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    proposed_by TEXT   NOT NULL,
    decided_by  TEXT   CHECK (decided_by <> proposed_by),
    reason      TEXT,
    PRIMARY KEY (tenant_id, id)
);

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['payout', 'approval'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name || '_kept', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name || '_undeletable', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OF status ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_illegal_edge()', name || '_edges', name);
    END LOOP;
END $$;
