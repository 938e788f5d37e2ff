-- The schema of Florin. `../../sqlite` says the same in SQLite's words: a change goes into both.
-- Amounts are minor units, times are microseconds since 1970 in UTC, ids are UUIDv7 as 16 bytes.
-- Columns stand in the order that wastes no padding: 8-byte integers, smaller ones, then the rest.

-- Who may act, and for whom. ------------------------------------------------------------------

CREATE TABLE tenant (
    created_at BIGINT  NOT NULL,
    tenant_id  INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE
);

CREATE TABLE api_key (
    created_at BIGINT  NOT NULL,
    tenant_id  INTEGER NOT NULL REFERENCES tenant,
    label      TEXT    NOT NULL,             -- shown in the audit log: never the key itself
    hash       BYTEA   NOT NULL UNIQUE CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, hash)
);

-- The ledger. ---------------------------------------------------------------------------------

-- Counters only grow; balances are derived from them. `version` counts the account's entries.
CREATE TABLE account (
    debits_pending  BIGINT   NOT NULL CHECK (debits_pending  >= 0),
    debits_posted   BIGINT   NOT NULL CHECK (debits_posted   >= 0),
    credits_pending BIGINT   NOT NULL CHECK (credits_pending >= 0),
    credits_posted  BIGINT   NOT NULL CHECK (credits_posted  >= 0),
    version         BIGINT   NOT NULL CHECK (version >= 0),
    floor           BIGINT,                  -- the least balance allowed; NULL: no limit
    opened_at       BIGINT   NOT NULL,
    tenant_id       INTEGER  NOT NULL REFERENCES tenant,
    normal_side     SMALLINT NOT NULL CHECK (normal_side IN (1, 2)),  -- 1 debit, 2 credit
    status          SMALLINT NOT NULL CHECK (status IN (1, 2, 3)),    -- 1 open, 2 frozen, 3 closed
    id              BYTEA    NOT NULL CHECK (length(id) = 16),
    code            TEXT     NOT NULL,
    name            TEXT     NOT NULL,
    currency        TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code)
) WITH (fillfactor = 50);                    -- room for the counters to be updated in place

CREATE TABLE ledger_transaction (
    effective_at BIGINT   NOT NULL,          -- when it happened
    recorded_at  BIGINT   NOT NULL,          -- when we wrote it
    tenant_id    INTEGER  NOT NULL,
    status       SMALLINT NOT NULL CHECK (status IN (2)),             -- 2 posted
    id           BYTEA    NOT NULL,
    kind         TEXT     NOT NULL,
    external_id  TEXT,
    description  TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX ledger_transaction_external_id
    ON ledger_transaction (tenant_id, external_id) WHERE external_id IS NOT NULL;

-- A posting moves `amount` from the credited to the debited account. Only postings are stored, so
-- that an unbalanced book cannot be written. No foreign keys: the accounts were read and locked in
-- the very batch that writes the row, and `florin check` proves the references.
CREATE TABLE posting (
    amount         BIGINT   NOT NULL CHECK (amount > 0),
    debit_version  BIGINT   NOT NULL,        -- the entry's number on the debited account, from 1
    debit_balance  BIGINT   NOT NULL,        -- that account's posted balance after this entry
    credit_version BIGINT   NOT NULL,
    credit_balance BIGINT   NOT NULL,
    tenant_id      INTEGER  NOT NULL,
    ordinal        SMALLINT NOT NULL,
    transaction_id BYTEA    NOT NULL,
    debit_account  BYTEA    NOT NULL,
    credit_account BYTEA    NOT NULL CHECK (credit_account <> debit_account),
    currency       TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal)
);
CREATE UNIQUE INDEX posting_debit  ON posting (tenant_id, debit_account,  debit_version);
CREATE UNIQUE INDEX posting_credit ON posting (tenant_id, credit_account, credit_version);

-- Each posting as its two accounts see it. side: 1 debit, 2 credit.
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1::SMALLINT AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2::SMALLINT,
           amount, currency, credit_balance, transaction_id, ordinal
      FROM posting;

-- Requests that were made already. --------------------------------------------------------------

-- `status` and `body` are the saved reply, byte for byte; both NULL while the request is in flight. A
-- reply that can be made again from what never changes (`resource`) has a status and no body.
CREATE TABLE idempotency_key (
    created_at  BIGINT   NOT NULL,
    tenant_id   INTEGER  NOT NULL,
    status      SMALLINT,
    key         TEXT     NOT NULL,
    fingerprint BYTEA    NOT NULL CHECK (length(fingerprint) = 32),
    resource    TEXT,                        -- what the request has made, where that is needed
    body        BYTEA,
    PRIMARY KEY (tenant_id, key),
    CHECK (body IS NOT NULL OR resource IS NOT NULL),
    CHECK (body IS NULL OR status IS NOT NULL)
);

-- Payments. -------------------------------------------------------------------------------------

CREATE TABLE payment (
    amount          BIGINT   NOT NULL CHECK (amount > 0),
    authorized      BIGINT   NOT NULL CHECK (authorized >= 0 AND authorized <= amount),
    captured        BIGINT   NOT NULL CHECK (captured >= 0 AND captured <= authorized),
    refunded        BIGINT   NOT NULL CHECK (refunded >= 0 AND refunded <= captured),
    version         BIGINT   NOT NULL,
    created_at      BIGINT   NOT NULL,
    updated_at      BIGINT   NOT NULL,
    tenant_id       INTEGER  NOT NULL REFERENCES tenant,
    id              BYTEA    NOT NULL CHECK (length(id) = 16),
    currency        TEXT     NOT NULL,
    status          TEXT     NOT NULL,
    customer        TEXT,
    payment_method  TEXT,
    decline_code    TEXT,
    idempotency_key TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- One request to a provider. `provider_key` is the provider's idempotency key, stored before the
-- first call. `lease_epoch` fences: only the holder of the newest lease may record an outcome.
CREATE TABLE operation (
    amount         BIGINT   NOT NULL CHECK (amount > 0),
    leased_until   BIGINT   NOT NULL,
    created_at     BIGINT   NOT NULL,
    tenant_id      INTEGER  NOT NULL,
    lease_epoch    INTEGER  NOT NULL,
    attempt        SMALLINT NOT NULL,        -- the payment's first, second … conversation
    id             BYTEA    NOT NULL CHECK (length(id) = 16),
    payment_id     BYTEA    NOT NULL,
    kind           TEXT     NOT NULL,
    status         TEXT     NOT NULL,
    provider       TEXT     NOT NULL,
    provider_key   TEXT     NOT NULL,
    provider_ref   TEXT,
    currency       TEXT     NOT NULL,
    payment_method TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider_key),
    UNIQUE (tenant_id, payment_id, attempt),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment
);
CREATE INDEX operation_unfinished ON operation (tenant_id, leased_until)
    WHERE status IN ('created', 'submitted', 'unknown');

-- Every edge that a state machine took.
CREATE TABLE transition (
    at         BIGINT  NOT NULL,
    tenant_id  INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    subject    BYTEA   NOT NULL,
    machine    TEXT    NOT NULL CHECK (machine IN ('payment', 'operation')),
    from_state TEXT    NOT NULL,
    to_state   TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, subject, ordinal)
);

-- Webhooks received. ------------------------------------------------------------------------------

CREATE TABLE inbox (
    received_at BIGINT  NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('applied', 'parked', 'stored')),
    reference   TEXT,                        -- the provider key the event is about
    body_hash   BYTEA   NOT NULL CHECK (length(body_hash) = 32),
    body        BYTEA   NOT NULL,
    PRIMARY KEY (tenant_id, provider, event_id)
);
CREATE INDEX inbox_parked ON inbox (tenant_id, reference) WHERE status = 'parked';

-- Events that were signed rightly and cannot be right: kept for a person, never applied.
CREATE TABLE quarantine (
    received_at BIGINT  NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    provider    TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    body_hash   BYTEA   NOT NULL,
    body        BYTEA   NOT NULL,
    PRIMARY KEY (tenant_id, provider, event_id, body_hash)
);

-- The audit log. ----------------------------------------------------------------------------------

-- One log per tenant. The row is the lock that makes appends take turns.
CREATE TABLE audit_log (
    log INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
);

CREATE TABLE audit_entry (
    seq       BIGINT  NOT NULL,
    log       INTEGER NOT NULL,
    leaf      BYTEA   NOT NULL,
    leaf_hash BYTEA   NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (log, seq)
);

-- One row a commit: the tree grew from `start` to `size` records. A second batch from the same
-- start is a fork, a start that is no batch's size is a gap: the keys refuse both. The first row
-- (0 to 0) is the empty tree.
CREATE TABLE audit_batch (
    start    BIGINT  NOT NULL,
    size     BIGINT  NOT NULL CHECK (size > start OR (start = 0 AND size = 0)),
    log      INTEGER NOT NULL,
    root     BYTEA   NOT NULL CHECK (length(root) = 32),
    frontier BYTEA   NOT NULL,
    PRIMARY KEY (log, size),
    FOREIGN KEY (log, start) REFERENCES audit_batch (log, size)
);
CREATE UNIQUE INDEX audit_batch_no_fork ON audit_batch (log, start) WHERE size > 0;

-- An update of many rows says how many it must find: fewer means that somebody was quicker.
CREATE FUNCTION as_it_was_seen(rows_found BIGINT, rows_expected BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    IF rows_found <> rows_expected THEN
        RAISE EXCEPTION '% of % rows are as they were seen', rows_found, rows_expected
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN true;
END $$;

-- What is written stays written. --------------------------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

DO $$
DECLARE name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_transaction', 'posting', 'transition', 'quarantine',
                                'audit_log', 'audit_entry', 'audit_batch'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name || '_immutable', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name || '_kept', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', name, name || '_immutable');
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', name, name || '_kept');
    END LOOP;
    FOREACH name IN ARRAY ARRAY['account', 'payment', 'operation', 'inbox', 'idempotency_key'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name || '_kept', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['account', 'payment', 'operation', 'inbox'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name || '_undeletable', name);
    END LOOP;
END $$;

-- The state machines once more: `payments::state` decides, this refuses what it would not do.
CREATE FUNCTION refuse_illegal_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT (TG_TABLE_NAME, OLD.status, NEW.status) IN (
        ('payment', 'requires_payment_method', 'requires_confirmation'),
        ('payment', 'requires_payment_method', 'processing'),
        ('payment', 'requires_payment_method', 'canceled'),
        ('payment', 'requires_confirmation', 'processing'),
        ('payment', 'requires_confirmation', 'canceled'),
        ('payment', 'processing', 'succeeded'),
        ('payment', 'processing', 'requires_payment_method'),
        ('operation', 'created', 'submitted'),
        ('operation', 'submitted', 'succeeded'),
        ('operation', 'submitted', 'failed'),
        ('operation', 'submitted', 'unknown'),
        ('operation', 'unknown', 'succeeded'),
        ('operation', 'unknown', 'failed')
    ) THEN
        RAISE EXCEPTION 'a % never goes from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_edges BEFORE UPDATE OF status ON payment
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_edge();
CREATE TRIGGER operation_edges BEFORE UPDATE OF status ON operation
    FOR EACH ROW EXECUTE FUNCTION refuse_illegal_edge();
