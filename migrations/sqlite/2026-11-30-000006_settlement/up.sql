-- Settlement and reconciliation. `../../postgres` has the same change for PostgreSQL: change both files together.

-- A line of a provider's settlement report. It is known again by its content and its ordinal among equal lines.
CREATE TABLE settlement_line (
    gross        INTEGER NOT NULL,
    fee          INTEGER NOT NULL CHECK (fee >= 0),
    net          INTEGER NOT NULL CHECK (net = gross - fee),
    number       INTEGER NOT NULL CHECK (number > 0),      -- of the line in its report
    created_at   INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,                          -- days since 1970
    id           BLOB NOT NULL CHECK (length(id) = 16),
    content      BLOB NOT NULL CHECK (length(content) = 32),
    provider     TEXT NOT NULL,
    report       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    reference    TEXT NOT NULL,                            -- the provider's; empty: none
    currency     TEXT NOT NULL,
    settlement   TEXT NOT NULL,                            -- the provider's name of it; empty: not told
    status       TEXT NOT NULL CHECK (status IN ('matched', 'open', 'ignored', 'resolved')),
    subject      TEXT,                                     -- the operation or dispute that it settles
    transaction_id BLOB,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (content, tenant_id, provider)
) STRICT;
-- What settles is settled once.
CREATE UNIQUE INDEX settlement_line_subject ON settlement_line (subject, tenant_id, kind);
CREATE INDEX settlement_line_settlement ON settlement_line (tenant_id, provider, settlement, id);

-- A settlement: the money of many lines, which the provider sends to our bank as one.
CREATE TABLE settlement (
    lines        INTEGER NOT NULL CHECK (lines >= 0),
    gross        INTEGER NOT NULL,
    fee          INTEGER NOT NULL,
    net          INTEGER NOT NULL CHECK (net = gross - fee),
    banked       INTEGER NOT NULL,                          -- what has arrived at the bank
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,                          -- of its latest line, in days since 1970
    id           BLOB NOT NULL CHECK (length(id) = 16),
    provider     TEXT NOT NULL,
    reference    TEXT NOT NULL,
    currency     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (reference, tenant_id, provider, currency)
) STRICT;
CREATE INDEX settlement_open ON settlement (tenant_id, currency, net) WHERE banked <> net;

-- A line of a bank statement. It is known again by account, statement, content and ordinal.
CREATE TABLE bank_line (
    amount       INTEGER NOT NULL CHECK (amount <> 0),      -- positive: money in
    number       INTEGER NOT NULL CHECK (number > 0),
    created_at   INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    content      BLOB NOT NULL CHECK (length(content) = 32),
    account      TEXT NOT NULL,
    statement    TEXT NOT NULL,
    currency     TEXT NOT NULL,
    reference    TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('matched', 'open', 'resolved')),
    subject      TEXT,                                     -- the settlement or payout
    transaction_id BLOB,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (content, tenant_id)
) STRICT;
CREATE INDEX bank_line_subject ON bank_line (subject, tenant_id);
-- A payout is on the statement once.
CREATE UNIQUE INDEX bank_line_payout ON bank_line (subject, tenant_id)
    WHERE status = 'matched' AND transaction_id IS NULL;

-- A difference between two sides, until it is resolved.
CREATE TABLE reconciliation_exception (
    amount       INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    opened_at    INTEGER NOT NULL,
    closed_at    INTEGER,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    day          INTEGER NOT NULL,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    provider     TEXT NOT NULL,
    currency     TEXT NOT NULL,
    detail       TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('open', 'resolved')),
    resolution   TEXT,
    reason       TEXT,
    closed_by    TEXT,
    transaction_id BLOB,
    CHECK ((status = 'resolved') = (closed_at IS NOT NULL AND resolution IS NOT NULL)),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (subject, tenant_id, kind)
) STRICT;
CREATE INDEX reconciliation_exception_open ON reconciliation_exception (tenant_id, id) WHERE status = 'open';
CREATE TRIGGER settlement_line_undeletable BEFORE DELETE ON settlement_line
BEGIN SELECT RAISE(ABORT, 'rows of settlement_line are never changed or deleted'); END;
CREATE TRIGGER settlement_undeletable BEFORE DELETE ON settlement
BEGIN SELECT RAISE(ABORT, 'rows of settlement are never changed or deleted'); END;
CREATE TRIGGER bank_line_undeletable BEFORE DELETE ON bank_line
BEGIN SELECT RAISE(ABORT, 'rows of bank_line are never changed or deleted'); END;
CREATE TRIGGER reconciliation_exception_undeletable BEFORE DELETE ON reconciliation_exception
BEGIN SELECT RAISE(ABORT, 'rows of reconciliation_exception are never changed or deleted'); END;
