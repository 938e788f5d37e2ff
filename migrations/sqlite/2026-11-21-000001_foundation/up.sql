-- The schema of Florin. `../../postgres` says the same in PostgreSQL's words: a change goes into both.
-- Amounts are minor units, times are microseconds since 1970 in UTC, ids are UUIDv7 as 16 bytes.
-- STRICT: a column holds its type and nothing else. WITHOUT ROWID: the primary key is the table.

-- Who may act, and for whom. ------------------------------------------------------------------

CREATE TABLE tenant (
    created_at INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE api_key (
    created_at INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL REFERENCES tenant,
    label      TEXT NOT NULL,             -- shown in the audit log: never the key itself
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, hash)
) STRICT;

-- The ledger. ---------------------------------------------------------------------------------

-- Counters only grow; balances are derived from them. `version` counts the account's entries.
CREATE TABLE account (
    debits_pending  INTEGER NOT NULL CHECK (debits_pending  >= 0),
    debits_posted   INTEGER NOT NULL CHECK (debits_posted   >= 0),
    credits_pending INTEGER NOT NULL CHECK (credits_pending >= 0),
    credits_posted  INTEGER NOT NULL CHECK (credits_posted  >= 0),
    version         INTEGER NOT NULL CHECK (version >= 0),
    floor           INTEGER,                  -- the least balance allowed; NULL: no limit
    opened_at       INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL REFERENCES tenant,
    normal_side     INTEGER NOT NULL CHECK (normal_side IN (1, 2)),  -- 1 debit, 2 credit
    status          INTEGER NOT NULL CHECK (status IN (1, 2, 3)),    -- 1 open, 2 frozen, 3 closed
    id              BLOB NOT NULL CHECK (length(id) = 16),
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    currency        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_transaction (
    effective_at INTEGER NOT NULL,          -- when it happened
    recorded_at  INTEGER NOT NULL,          -- when we wrote it
    tenant_id    INTEGER NOT NULL,
    status       INTEGER NOT NULL CHECK (status IN (2)),             -- 2 posted
    id           BLOB NOT NULL,
    kind         TEXT NOT NULL,
    external_id  TEXT,
    description  TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ledger_transaction_external_id
    ON ledger_transaction (tenant_id, external_id) WHERE external_id IS NOT NULL;

-- A posting moves `amount` from the credited to the debited account. Only postings are stored, so
-- that an unbalanced book cannot be written. No foreign keys: the accounts were read and locked in
-- the very batch that writes the row, and `florin check` proves the references.
CREATE TABLE posting (
    amount         INTEGER NOT NULL CHECK (amount > 0),
    debit_version  INTEGER NOT NULL,        -- the entry's number on the debited account, from 1
    debit_balance  INTEGER NOT NULL,        -- that account's posted balance after this entry
    credit_version INTEGER NOT NULL,
    credit_balance INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    debit_account  BLOB NOT NULL,
    credit_account BLOB NOT NULL CHECK (credit_account <> debit_account),
    currency       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX posting_debit  ON posting (tenant_id, debit_account,  debit_version);
CREATE UNIQUE INDEX posting_credit ON posting (tenant_id, credit_account, credit_version);

-- Each posting as its two accounts see it. side: 1 debit, 2 credit.
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1 AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2,
           amount, currency, credit_balance, transaction_id, ordinal
      FROM posting;

-- Requests that were made already. --------------------------------------------------------------

-- `status` and `body` are the saved reply, byte for byte; both NULL while the request is in flight. A
-- reply that can be made again from what never changes (`resource`) has a status and no body.
CREATE TABLE idempotency_key (
    created_at  INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL,
    status      INTEGER,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    resource    TEXT,                        -- what the request has made, where that is needed
    body        BLOB,
    PRIMARY KEY (tenant_id, key),
    CHECK (body IS NOT NULL OR resource IS NOT NULL),
    CHECK (body IS NULL OR status IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Payments. -------------------------------------------------------------------------------------

CREATE TABLE payment (
    amount          INTEGER NOT NULL CHECK (amount > 0),
    authorized      INTEGER NOT NULL CHECK (authorized >= 0 AND authorized <= amount),
    captured        INTEGER NOT NULL CHECK (captured >= 0 AND captured <= authorized),
    refunded        INTEGER NOT NULL CHECK (refunded >= 0 AND refunded <= captured),
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL REFERENCES tenant,
    id              BLOB NOT NULL CHECK (length(id) = 16),
    currency        TEXT NOT NULL,
    status          TEXT NOT NULL,
    customer        TEXT,
    payment_method  TEXT,
    decline_code    TEXT,
    idempotency_key TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;

-- One request to a provider. `provider_key` is the provider's idempotency key, stored before the
-- first call. `lease_epoch` fences: only the holder of the newest lease may record an outcome.
CREATE TABLE operation (
    amount         INTEGER NOT NULL CHECK (amount > 0),
    leased_until   INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    lease_epoch    INTEGER NOT NULL,
    attempt        INTEGER NOT NULL,        -- the payment's first, second … conversation
    id             BLOB NOT NULL CHECK (length(id) = 16),
    payment_id     BLOB NOT NULL,
    kind           TEXT NOT NULL,
    status         TEXT NOT NULL,
    provider       TEXT NOT NULL,
    provider_key   TEXT NOT NULL,
    provider_ref   TEXT,
    currency       TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider_key),
    UNIQUE (tenant_id, payment_id, attempt),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment (tenant_id, id)
) STRICT;
CREATE INDEX operation_unfinished ON operation (tenant_id, leased_until)
    WHERE status IN ('created', 'submitted', 'unknown');

-- Every edge that a state machine took.
CREATE TABLE transition (
    at         INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    subject    BLOB NOT NULL,
    machine    TEXT NOT NULL CHECK (machine IN ('payment', 'operation')),
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, subject, ordinal)
) STRICT, WITHOUT ROWID;

-- Webhooks received. ------------------------------------------------------------------------------

CREATE TABLE inbox (
    received_at INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    provider    TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('applied', 'parked', 'stored')),
    reference   TEXT,                        -- the provider key the event is about
    body_hash   BLOB NOT NULL CHECK (length(body_hash) = 32),
    body        BLOB NOT NULL,
    PRIMARY KEY (tenant_id, provider, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_parked ON inbox (tenant_id, reference) WHERE status = 'parked';

-- Events that were signed rightly and cannot be right: kept for a person, never applied.
CREATE TABLE quarantine (
    received_at INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    provider    TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    reason      TEXT NOT NULL,
    body_hash   BLOB NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (tenant_id, provider, event_id, body_hash)
) STRICT, WITHOUT ROWID;

-- The audit log. ----------------------------------------------------------------------------------

-- One log per tenant. The row is the lock that makes appends take turns.
CREATE TABLE audit_log (
    log INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
) STRICT;

CREATE TABLE audit_entry (
    seq       INTEGER NOT NULL,
    log       INTEGER NOT NULL,
    leaf      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- One row a commit: the tree grew from `start` to `size` records. A second batch from the same
-- start is a fork, a start that is no batch's size is a gap: the keys refuse both. The first row
-- (0 to 0) is the empty tree.
CREATE TABLE audit_batch (
    start    INTEGER NOT NULL,
    size     INTEGER NOT NULL CHECK (size > start OR (start = 0 AND size = 0)),
    log      INTEGER NOT NULL,
    root     BLOB NOT NULL CHECK (length(root) = 32),
    frontier BLOB NOT NULL,
    PRIMARY KEY (log, size),
    FOREIGN KEY (log, start) REFERENCES audit_batch (log, size)
) STRICT;
CREATE UNIQUE INDEX audit_batch_no_fork ON audit_batch (log, start) WHERE size > 0;

-- What is written stays written. --------------------------------------------------------------------

CREATE TRIGGER ledger_transaction_immutable BEFORE UPDATE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'rows of ledger_transaction are never changed or deleted'); END;
CREATE TRIGGER ledger_transaction_kept BEFORE DELETE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'rows of ledger_transaction are never changed or deleted'); END;

CREATE TRIGGER posting_immutable BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'rows of posting are never changed or deleted'); END;
CREATE TRIGGER posting_kept BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'rows of posting are never changed or deleted'); END;

CREATE TRIGGER transition_immutable BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'rows of transition are never changed or deleted'); END;
CREATE TRIGGER transition_kept BEFORE DELETE ON transition
BEGIN SELECT RAISE(ABORT, 'rows of transition are never changed or deleted'); END;

CREATE TRIGGER quarantine_immutable BEFORE UPDATE ON quarantine
BEGIN SELECT RAISE(ABORT, 'rows of quarantine are never changed or deleted'); END;
CREATE TRIGGER quarantine_kept BEFORE DELETE ON quarantine
BEGIN SELECT RAISE(ABORT, 'rows of quarantine are never changed or deleted'); END;

CREATE TRIGGER audit_log_immutable BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'rows of audit_log are never changed or deleted'); END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'rows of audit_log are never changed or deleted'); END;

CREATE TRIGGER audit_entry_immutable BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'rows of audit_entry are never changed or deleted'); END;
CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'rows of audit_entry are never changed or deleted'); END;

CREATE TRIGGER audit_batch_immutable BEFORE UPDATE ON audit_batch
BEGIN SELECT RAISE(ABORT, 'rows of audit_batch are never changed or deleted'); END;
CREATE TRIGGER audit_batch_kept BEFORE DELETE ON audit_batch
BEGIN SELECT RAISE(ABORT, 'rows of audit_batch are never changed or deleted'); END;

CREATE TRIGGER account_undeletable BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'rows of account are never changed or deleted'); END;

CREATE TRIGGER payment_undeletable BEFORE DELETE ON payment
BEGIN SELECT RAISE(ABORT, 'rows of payment are never changed or deleted'); END;

CREATE TRIGGER operation_undeletable BEFORE DELETE ON operation
BEGIN SELECT RAISE(ABORT, 'rows of operation are never changed or deleted'); END;

CREATE TRIGGER inbox_undeletable BEFORE DELETE ON inbox
BEGIN SELECT RAISE(ABORT, 'rows of inbox are never changed or deleted'); END;

-- INSERT OR REPLACE would pass the triggers above: a record only ever goes to the end.
CREATE TRIGGER audit_entry_at_the_end BEFORE INSERT ON audit_entry
WHEN NEW.seq <> coalesce((SELECT max(seq) + 1 FROM audit_entry WHERE log = NEW.log), 0)
BEGIN SELECT RAISE(ABORT, 'a record is only ever appended'); END;

-- The state machines once more: `payments::state` decides, this refuses what it would not do.
CREATE TRIGGER payment_edges BEFORE UPDATE OF status ON payment
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('requires_payment_method', 'requires_confirmation'),
    ('requires_payment_method', 'processing'),
    ('requires_payment_method', 'canceled'),
    ('requires_confirmation', 'processing'),
    ('requires_confirmation', 'canceled'),
    ('processing', 'succeeded'),
    ('processing', 'requires_payment_method')
) BEGIN SELECT RAISE(ABORT, 'a payment never goes this way'); END;
CREATE TRIGGER operation_edges BEFORE UPDATE OF status ON operation
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('created', 'submitted'),
    ('submitted', 'succeeded'),
    ('submitted', 'failed'),
    ('submitted', 'unknown'),
    ('unknown', 'succeeded'),
    ('unknown', 'failed')
) BEGIN SELECT RAISE(ABORT, 'an operation never goes this way'); END;
