-- Time: when a commit was recorded. `../../sqlite` says the same in SQLite's words: a change goes into
-- both.

-- Recorded time never goes back within a log: the next batch looks at the last one. Of the batches that
-- were there before only the last is looked at.
ALTER TABLE audit_batch ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_batch DISABLE TRIGGER audit_batch_immutable;
UPDATE audit_batch AS last
   SET at = COALESCE((SELECT max(recorded_at) FROM ledger_transaction WHERE tenant_id = last.log), 0)
 WHERE size = (SELECT max(size) FROM audit_batch WHERE log = last.log);
ALTER TABLE audit_batch ENABLE ALWAYS TRIGGER audit_batch_immutable;
