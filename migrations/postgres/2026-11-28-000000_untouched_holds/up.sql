-- A hold has a row only when there is something to say that its posting does not say: that some of it was
-- posted or released, or when it expires. `../../sqlite` says the same in SQLite's words: a change goes
-- into both.

-- When a pending transaction expires is part of what it is; the hold's copy is what the sweeper finds it by.
ALTER TABLE ledger_transaction
    ADD COLUMN expires_at BIGINT,
    DROP CONSTRAINT ledger_transaction_step_check,
    DROP CONSTRAINT ledger_transaction_check,
    ADD CONSTRAINT ledger_transaction_step_check CHECK (
        step BETWEEN 1 AND 6 AND (about IS NOT NULL) = (step >= 3) AND (expires_at IS NULL OR step = 1));
ALTER TABLE ledger_transaction DISABLE TRIGGER ledger_transaction_immutable;
UPDATE ledger_transaction
   SET expires_at = hold.expires_at
  FROM hold
 WHERE hold.tenant_id = ledger_transaction.tenant_id
   AND hold.transaction_id = ledger_transaction.id
   AND hold.ordinal = 0
   AND hold.expires_at IS NOT NULL;
ALTER TABLE ledger_transaction ENABLE ALWAYS TRIGGER ledger_transaction_immutable;

ALTER TABLE hold DISABLE TRIGGER hold_undeletable;
DELETE FROM hold WHERE posted = 0 AND released = 0 AND expires_at IS NULL;
ALTER TABLE hold ENABLE ALWAYS TRIGGER hold_undeletable;

CREATE TRIGGER hold_fits AFTER INSERT ON hold FOR EACH ROW
    WHEN (NEW.posted = 0 AND NEW.released = 0 AND NEW.expires_at IS NULL)
    EXECUTE FUNCTION refuse_because('a hold states what its posting does not state');
ALTER TABLE hold ENABLE ALWAYS TRIGGER hold_fits;

-- Most holds are written once, when they end.
ALTER TABLE hold SET (fillfactor = 90);
