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
