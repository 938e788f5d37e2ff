-- Evidence of the merchant for a dispute. `../../postgres` has the same change for PostgreSQL: change both files
-- together.

-- The evidence is a draft until it is sent, and what was sent stays as it is.
ALTER TABLE dispute ADD COLUMN evidence TEXT;                  -- a flat JSON object of texts; NULL: nothing was written
ALTER TABLE dispute ADD COLUMN evidence_due_by INTEGER;        -- NULL: the provider does not tell it
ALTER TABLE dispute ADD COLUMN submissions INTEGER NOT NULL DEFAULT 0 CHECK (submissions >= 0);
ALTER TABLE dispute ADD COLUMN submission BLOB CHECK (length(submission) = 16);  -- the operation that sends it
ALTER TABLE dispute ADD COLUMN submitted_at INTEGER;           -- when the provider had taken it
ALTER TABLE dispute ADD COLUMN evidence_decline_code TEXT;     -- why the provider refused it the last time
CREATE TRIGGER dispute_evidence_sent BEFORE UPDATE ON dispute
WHEN (OLD.submission IS NOT NULL AND NEW.evidence IS NOT OLD.evidence)
  OR (OLD.submitted_at IS NOT NULL
      AND (NEW.submitted_at IS NOT OLD.submitted_at OR NEW.submission IS NOT OLD.submission))
  OR (NEW.submission IS NOT NULL AND NEW.evidence IS NULL)
  OR (NEW.submitted_at IS NOT NULL AND NEW.submission IS NULL)
BEGIN SELECT RAISE(ABORT, 'evidence that was sent is never changed'); END;

-- An operation can send evidence.
PRAGMA legacy_alter_table = ON;
CREATE TABLE operation_copy (
    amount          INTEGER NOT NULL CHECK (amount > 0),
    reserved        INTEGER NOT NULL CHECK (reserved >= 0),
    created_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL,
    ordinal         INTEGER NOT NULL CHECK (ordinal > 0),   -- the first, second … operation of what it belongs to
    attempt         INTEGER NOT NULL,                       -- the payment's first, second … conversation
    id              BLOB NOT NULL CHECK (length(id) = 16),
    subject_id      BLOB NOT NULL CHECK (length(subject_id) = 16),  -- the payment, the payout or the dispute
    kind            TEXT NOT NULL CHECK (kind IN
        ('charge', 'authorize', 'capture', 'void', 'increment', 'refund', 'refund_return', 'payout', 'payout_return',
         'evidence')),
    source          BLOB CHECK (length(source) = 16),       -- the account that a payout is paid from
    status          TEXT NOT NULL,
    provider        TEXT NOT NULL,
    provider_key    TEXT NOT NULL,
    provider_ref    TEXT,
    charge_ref      TEXT,                                   -- the charge or the dispute that the operation is about
    decline_code    TEXT,                                   -- NULL: not refused, or older than this column
    currency        TEXT NOT NULL,
    payment_method  TEXT NOT NULL,
    reason          TEXT,
    idempotency_key TEXT NOT NULL,                          -- of the request that waits; empty: of none
    fee             INTEGER NOT NULL DEFAULT 0 CHECK (fee >= 0 AND fee <= amount),
    terms           INTEGER,                                -- the version; NULL: none
    delay           TEXT,                                   -- NULL: nothing is captured
    available_on    INTEGER,                                -- days since 1970
    unreleased      INTEGER NOT NULL DEFAULT 0 CHECK (unreleased >= 0),
    made_available  INTEGER NOT NULL DEFAULT 0 CHECK (made_available >= 0 AND unreleased + made_available <= amount),
    from_pending    INTEGER NOT NULL DEFAULT 0 CHECK (from_pending >= 0 AND from_pending <= amount),
    unallocated     INTEGER NOT NULL DEFAULT 0
        CHECK (unallocated = 0 OR (unallocated = amount AND status = 'failed')),
    allocated       INTEGER NOT NULL DEFAULT 0 CHECK (allocated = 0 OR allocated = unallocated),
    given_back      INTEGER NOT NULL DEFAULT 0 CHECK (given_back >= 0 AND allocated + given_back <= unallocated),
    gives_back      BLOB CHECK (length(gives_back) = 16),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider_key),
    UNIQUE (tenant_id, subject_id, ordinal)
) STRICT;
INSERT INTO operation_copy (amount, reserved, created_at, tenant_id, ordinal, attempt, id, subject_id, kind, source,
                            status, provider, provider_key, provider_ref, charge_ref, decline_code, currency,
                            payment_method, reason, idempotency_key, fee, terms, delay, available_on, unreleased,
                            made_available, from_pending, unallocated, allocated, given_back, gives_back)
SELECT amount, reserved, created_at, tenant_id, ordinal, attempt, id, subject_id, kind, source,
       status, provider, provider_key, provider_ref, charge_ref, decline_code, currency,
       payment_method, reason, idempotency_key, fee, terms, delay, available_on, unreleased,
       made_available, from_pending, unallocated, allocated, given_back, gives_back
  FROM operation ORDER BY rowid;
DROP TRIGGER operation_undeletable;
DROP INDEX operation_refunds;
DROP TABLE operation;
ALTER TABLE operation_copy RENAME TO operation;
CREATE INDEX operation_refunds ON operation (tenant_id, id) WHERE kind = 'refund';
CREATE TRIGGER operation_undeletable BEFORE DELETE ON operation
BEGIN SELECT RAISE(ABORT, 'rows of operation are never changed or deleted'); END;
CREATE TRIGGER operation_edges BEFORE UPDATE OF status ON operation
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('created', 'submitted'),
    ('submitted', 'succeeded'),
    ('submitted', 'failed'),
    ('submitted', 'unknown'),
    ('unknown', 'succeeded'),
    ('unknown', 'failed')
) BEGIN SELECT RAISE(ABORT, 'an operation never goes this way'); END;
PRAGMA legacy_alter_table = OFF;
