-- What is asked of transactions later: their metadata may be set, and what is pending on an account is
-- listed. `../../postgres` says the same in PostgreSQL's words: a change goes into both.

-- What is kept with a transaction now, if it was set after the transaction was recorded. The transaction's
-- own row stays as it was. `revision` counts how often it was set; the audit log has a record of each time.
CREATE TABLE current_metadata (
    revision       INTEGER NOT NULL CHECK (revision > 0),
    set_at         INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    metadata       TEXT,                     -- a flat JSON object of texts; NULL: nothing is kept
    PRIMARY KEY (tenant_id, transaction_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER current_metadata_grows BEFORE UPDATE ON current_metadata
WHEN NEW.revision <= OLD.revision OR OLD.tenant_id <> NEW.tenant_id OR OLD.transaction_id <> NEW.transaction_id
BEGIN SELECT RAISE(ABORT, 'the revision of metadata only grows'); END;
CREATE TRIGGER current_metadata_undeletable BEFORE DELETE ON current_metadata
BEGIN SELECT RAISE(ABORT, 'rows of current_metadata are never changed or deleted'); END;

-- A transaction is found by the metadata that it has now: what it has no longer, goes.
DROP TRIGGER transaction_metadata_kept;
CREATE TRIGGER transaction_metadata_undeletable BEFORE DELETE ON transaction_metadata
WHEN NOT EXISTS (SELECT 1 FROM current_metadata
                  WHERE tenant_id = OLD.tenant_id AND transaction_id = OLD.transaction_id)
BEGIN SELECT RAISE(ABORT, 'metadata that was not set later stays'); END;

-- The pending entries of an account, without all its others. Only pending postings are in these.
CREATE INDEX posting_pending_debit  ON posting (debit_account,  debit_version,  tenant_id) WHERE phase = 1;
CREATE INDEX posting_pending_credit ON posting (credit_account, credit_version, tenant_id) WHERE phase = 1;
