-- What will expire is found by a column of its own, as in `../../postgres`. The other changes there are of
-- no use here: SQLite reads constraints once and not for every statement.
DROP INDEX hold_expiring;
ALTER TABLE hold ADD COLUMN
    due_at INTEGER GENERATED ALWAYS AS (CASE WHEN status = 1 THEN expires_at END) VIRTUAL;
CREATE INDEX hold_due ON hold (tenant_id, due_at) WHERE due_at IS NOT NULL;

-- The guards bear the same names in both databases.
DROP TRIGGER hold_grows;
CREATE TRIGGER hold_grows BEFORE UPDATE ON hold
WHEN NEW.posted < OLD.posted OR NEW.released < OLD.released
BEGIN SELECT RAISE(ABORT, 'of a hold only what is posted and released grows'); END;
CREATE TRIGGER hold_stays BEFORE UPDATE OF tenant_id, transaction_id, ordinal, amount, expires_at ON hold
WHEN OLD.tenant_id <> NEW.tenant_id OR OLD.transaction_id <> NEW.transaction_id
  OR OLD.ordinal <> NEW.ordinal OR OLD.amount <> NEW.amount OR OLD.expires_at IS NOT NEW.expires_at
BEGIN SELECT RAISE(ABORT, 'of a hold only what is posted and released grows'); END;
