-- Settlement and reconciliation. `../../sqlite` has the same change for SQLite: change both files together.

-- A line of a provider's settlement report. It is known again by its content and its ordinal among equal lines.
CREATE TABLE settlement_line (
    gross        BIGINT NOT NULL,
    fee          BIGINT NOT NULL CHECK (fee >= 0),
    net          BIGINT NOT NULL CHECK (net = gross - fee),
    number       BIGINT NOT NULL CHECK (number > 0),      -- of the line in its report
    created_at   BIGINT NOT NULL,
    tenant_id    BIGINT NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,                          -- days since 1970
    id           BYTEA NOT NULL CHECK (length(id) = 16),
    content      BYTEA NOT NULL CHECK (length(content) = 32),
    provider     TEXT NOT NULL,
    report       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    reference    TEXT NOT NULL,                            -- the provider's; empty: none
    currency     TEXT NOT NULL,
    settlement   TEXT NOT NULL,                            -- the provider's name of it; empty: not told
    status       TEXT NOT NULL CHECK (status IN ('matched', 'open', 'ignored', 'resolved')),
    subject      TEXT,                                     -- the operation or dispute that it settles
    transaction_id BYTEA,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (content, tenant_id, provider)
);
-- What settles is settled once.
CREATE UNIQUE INDEX settlement_line_subject ON settlement_line (subject, tenant_id, kind);
CREATE INDEX settlement_line_settlement ON settlement_line (tenant_id, provider, settlement, id);

-- A settlement: the money of many lines, which the provider sends to our bank as one.
CREATE TABLE settlement (
    lines        BIGINT NOT NULL CHECK (lines >= 0),
    gross        BIGINT NOT NULL,
    fee          BIGINT NOT NULL,
    net          BIGINT NOT NULL CHECK (net = gross - fee),
    banked       BIGINT NOT NULL,                          -- what has arrived at the bank
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    tenant_id    BIGINT NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,                          -- of its latest line, in days since 1970
    id           BYTEA NOT NULL CHECK (length(id) = 16),
    provider     TEXT NOT NULL,
    reference    TEXT NOT NULL,
    currency     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (reference, tenant_id, provider, currency)
);
CREATE INDEX settlement_open ON settlement (tenant_id, currency, net) WHERE banked <> net;

-- A line of a bank statement. It is known again by account, statement, content and ordinal.
CREATE TABLE bank_line (
    amount       BIGINT NOT NULL CHECK (amount <> 0),      -- positive: money in
    number       BIGINT NOT NULL CHECK (number > 0),
    created_at   BIGINT NOT NULL,
    tenant_id    BIGINT NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,
    id           BYTEA NOT NULL CHECK (length(id) = 16),
    content      BYTEA NOT NULL CHECK (length(content) = 32),
    account      TEXT NOT NULL,
    statement    TEXT NOT NULL,
    currency     TEXT NOT NULL,
    reference    TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('matched', 'open', 'resolved')),
    subject      TEXT,                                     -- the settlement or payout
    transaction_id BYTEA,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (content, tenant_id)
);
CREATE INDEX bank_line_subject ON bank_line (subject, tenant_id);
-- A payout is on the statement once.
CREATE UNIQUE INDEX bank_line_payout ON bank_line (subject, tenant_id)
    WHERE status = 'matched' AND transaction_id IS NULL;

-- A difference between two sides, until it is resolved.
CREATE TABLE reconciliation_exception (
    amount       BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    opened_at    BIGINT NOT NULL,
    closed_at    BIGINT,
    tenant_id    BIGINT NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,
    id           BYTEA NOT NULL CHECK (length(id) = 16),
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    provider     TEXT NOT NULL,
    currency     TEXT NOT NULL,
    detail       TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
    resolution   TEXT,
    reason       TEXT,
    closed_by    TEXT,
    transaction_id BYTEA,
    CHECK ((status = 'resolved') = (closed_at IS NOT NULL AND resolution IS NOT NULL)),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (subject, tenant_id, kind)
);
CREATE INDEX reconciliation_exception_open ON reconciliation_exception (tenant_id, id) WHERE status = 'open';
CREATE TRIGGER settlement_line_kept BEFORE TRUNCATE ON settlement_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER settlement_line_undeletable BEFORE DELETE ON settlement_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER settlement_kept BEFORE TRUNCATE ON settlement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER settlement_undeletable BEFORE DELETE ON settlement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_line_kept BEFORE TRUNCATE ON bank_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_line_undeletable BEFORE DELETE ON bank_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reconciliation_exception_kept BEFORE TRUNCATE ON reconciliation_exception
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reconciliation_exception_undeletable BEFORE DELETE ON reconciliation_exception
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
