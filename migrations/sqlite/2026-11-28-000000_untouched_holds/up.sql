-- A hold has a row only when there is something to say that its posting does not say: that some of it was
-- posted or released, or when it expires. `../../postgres` says the same in PostgreSQL's words: a change
-- goes into both.

-- When a pending transaction expires is part of what it is; the hold's copy is what the sweeper finds it by.
DROP TRIGGER ledger_transaction_immutable;
ALTER TABLE ledger_transaction ADD COLUMN expires_at INTEGER CHECK (expires_at IS NULL OR step = 1);
UPDATE ledger_transaction
   SET expires_at = hold.expires_at
  FROM hold
 WHERE hold.tenant_id = ledger_transaction.tenant_id
   AND hold.transaction_id = ledger_transaction.id
   AND hold.ordinal = 0
   AND hold.expires_at IS NOT NULL;
CREATE TRIGGER ledger_transaction_immutable BEFORE UPDATE ON ledger_transaction
BEGIN SELECT RAISE(ABORT, 'rows of ledger_transaction are never changed or deleted'); END;

DROP TRIGGER hold_undeletable;
DELETE FROM hold WHERE posted = 0 AND released = 0 AND expires_at IS NULL;
CREATE TRIGGER hold_undeletable BEFORE DELETE ON hold
BEGIN SELECT RAISE(ABORT, 'rows of hold are never changed or deleted'); END;

CREATE TRIGGER hold_fits BEFORE INSERT ON hold
WHEN NEW.posted = 0 AND NEW.released = 0 AND NEW.expires_at IS NULL
BEGIN SELECT RAISE(ABORT, 'a hold states what its posting does not state'); END;
