-- Time: when a commit was recorded. `../../postgres` says the same in PostgreSQL's words: a change goes
-- into both.

-- Recorded time never goes back within a log: the next batch looks at the last one. Of the batches that
-- were there before only the last is looked at.
ALTER TABLE audit_batch ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER audit_batch_immutable;
UPDATE audit_batch AS last
   SET at = COALESCE((SELECT max(recorded_at) FROM ledger_transaction WHERE tenant_id = last.log), 0)
 WHERE size = (SELECT max(size) FROM audit_batch WHERE log = last.log);
CREATE TRIGGER audit_batch_immutable BEFORE UPDATE ON audit_batch
BEGIN SELECT RAISE(ABORT, 'rows of audit_batch are never changed or deleted'); END;

-- Entries that moved what is posted and happened at another time than they were recorded. No other entry
-- leaves anything here, and before this migration there was none.
CREATE TABLE displaced (
    version      INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL CHECK (recorded_at <> effective_at),
    debit        INTEGER NOT NULL CHECK (debit  >= 0),
    credit       INTEGER NOT NULL CHECK (credit >= 0),
    tenant_id    INTEGER NOT NULL,
    account_id   BLOB NOT NULL,
    PRIMARY KEY (account_id, version, tenant_id),
    CHECK ((debit > 0) <> (credit > 0))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX displaced_effective ON displaced (account_id, effective_at, version, tenant_id);

-- Sums of the displaced entries of an account, by when they happened and by when they were recorded. A
-- bucket of level n begins at `start` and is 256^n microseconds long.
CREATE TABLE time_bucket (
    start             INTEGER NOT NULL,
    debits_effective  INTEGER NOT NULL CHECK (debits_effective  >= 0),
    credits_effective INTEGER NOT NULL CHECK (credits_effective >= 0),
    debits_recorded   INTEGER NOT NULL CHECK (debits_recorded   >= 0),
    credits_recorded  INTEGER NOT NULL CHECK (credits_recorded  >= 0),
    tenant_id         INTEGER NOT NULL,
    level             INTEGER NOT NULL CHECK (level BETWEEN 0 AND 6),
    account_id        BLOB NOT NULL,
    PRIMARY KEY (level, account_id, start, tenant_id)
) STRICT, WITHOUT ROWID;

-- The metadata of transactions, to find them by. One that has none leaves nothing here.
CREATE TABLE transaction_metadata (
    tenant_id      INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    key            TEXT NOT NULL,
    value          TEXT NOT NULL,
    PRIMARY KEY (key, value, transaction_id, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER time_bucket_grows BEFORE UPDATE ON time_bucket
WHEN NEW.debits_effective < OLD.debits_effective OR NEW.credits_effective < OLD.credits_effective
  OR NEW.debits_recorded < OLD.debits_recorded OR NEW.credits_recorded < OLD.credits_recorded
  OR OLD.tenant_id <> NEW.tenant_id OR OLD.level <> NEW.level OR OLD.account_id <> NEW.account_id
  OR OLD.start <> NEW.start
BEGIN SELECT RAISE(ABORT, 'the sums of a time bucket only grow'); END;
CREATE TRIGGER time_bucket_undeletable BEFORE DELETE ON time_bucket
BEGIN SELECT RAISE(ABORT, 'rows of time_bucket are never changed or deleted'); END;

CREATE TRIGGER displaced_immutable BEFORE UPDATE ON displaced
BEGIN SELECT RAISE(ABORT, 'rows of displaced are never changed or deleted'); END;
CREATE TRIGGER displaced_kept BEFORE DELETE ON displaced
BEGIN SELECT RAISE(ABORT, 'rows of displaced are never changed or deleted'); END;

CREATE TRIGGER transaction_metadata_immutable BEFORE UPDATE ON transaction_metadata
BEGIN SELECT RAISE(ABORT, 'rows of transaction_metadata are never changed or deleted'); END;
CREATE TRIGGER transaction_metadata_kept BEFORE DELETE ON transaction_metadata
BEGIN SELECT RAISE(ABORT, 'rows of transaction_metadata are never changed or deleted'); END;
