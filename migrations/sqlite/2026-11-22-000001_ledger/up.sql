-- The ledger, complete: pending transactions, reversals, limits, closed periods. `../../postgres` says
-- the same in PostgreSQL's words: a change goes into both.

-- All six counters only grow. What is outstanding is `pending` less `released`.
ALTER TABLE account ADD COLUMN debits_released  INTEGER NOT NULL DEFAULT 0
    CHECK (debits_released >= 0 AND debits_released <= debits_pending);
ALTER TABLE account ADD COLUMN credits_released INTEGER NOT NULL DEFAULT 0
    CHECK (credits_released >= 0 AND credits_released <= credits_pending);
ALTER TABLE account ADD COLUMN revision    INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0);  -- counts changes of what follows
ALTER TABLE account ADD COLUMN ceiling     INTEGER;          -- the greatest balance allowed; NULL: no limit
ALTER TABLE account ADD COLUMN credit_line INTEGER CHECK (credit_line >= 0);  -- lowers the floor by so much
ALTER TABLE account ADD COLUMN class       INTEGER CHECK (class BETWEEN 1 AND 5);
ALTER TABLE account ADD COLUMN metadata    TEXT;             -- a flat JSON object of texts
-- class: 1 asset, 2 liability, 3 equity, 4 income, 5 expense; NULL where an account is older.

-- step: 1 pending, 2 posted at once, 3 post (of a pending one), 4 void, 5 expiry, 6 reversal.
-- `about` is the transaction that steps 3 to 6 are about.
ALTER TABLE ledger_transaction ADD COLUMN step INTEGER NOT NULL DEFAULT 2 CHECK (step BETWEEN 1 AND 6);
ALTER TABLE ledger_transaction DROP COLUMN status;
ALTER TABLE ledger_transaction ADD COLUMN about BLOB CHECK ((about IS NOT NULL) = (step >= 3));
ALTER TABLE ledger_transaction ADD COLUMN metadata TEXT;
CREATE INDEX ledger_transaction_about
    ON ledger_transaction (tenant_id, about) WHERE about IS NOT NULL;

-- phase, and the counters it adds to on both accounts: 1 pending (pending), 2 posted (posted),
-- 3 settled (posted and released), 4 released (released). Steps 3 to 6 name postings of the
-- transaction they are about: one that settles or reverses bears the other's ordinal, one that
-- releases bears that ordinal plus 100.
ALTER TABLE posting ADD COLUMN phase INTEGER NOT NULL DEFAULT 2 CHECK (phase BETWEEN 1 AND 4);

DROP VIEW entry;
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1 AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal, phase
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2,
           amount, currency, credit_balance, transaction_id, ordinal, phase
      FROM posting;

-- What a pending posting still holds. The status says how it ended, `posted` how much came of it.
CREATE TABLE hold (
    amount         INTEGER NOT NULL CHECK (amount > 0),
    posted         INTEGER NOT NULL CHECK (posted >= 0),
    released       INTEGER NOT NULL CHECK (released >= 0),
    expires_at     INTEGER,
    tenant_id      INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    status         INTEGER NOT NULL CHECK (status IN (1, 2, 3, 4)),  -- 1 pending, 2 posted, 3 voided, 4 expired
    transaction_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal),
    CHECK (posted + released <= amount),
    CHECK ((status = 1) = (posted + released < amount))
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_expiring
    ON hold (tenant_id, expires_at) WHERE status = 1 AND expires_at IS NOT NULL;

-- How much of a posting was reversed; made by its first reversal.
CREATE TABLE correction (
    amount         INTEGER NOT NULL CHECK (amount > 0),
    reversed       INTEGER NOT NULL CHECK (reversed > 0 AND reversed <= amount),
    tenant_id      INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal)
) STRICT, WITHOUT ROWID;

-- Nothing that happened before is accepted any more.
CREATE TABLE period (
    closed_before INTEGER NOT NULL,
    tenant_id     INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
) STRICT;

-- What is written stays written. --------------------------------------------------------------------

CREATE TRIGGER account_grows BEFORE UPDATE ON account
WHEN NEW.debits_pending < OLD.debits_pending OR NEW.credits_pending < OLD.credits_pending
  OR NEW.debits_posted < OLD.debits_posted OR NEW.credits_posted < OLD.credits_posted
  OR NEW.debits_released < OLD.debits_released OR NEW.credits_released < OLD.credits_released
  OR NEW.version < OLD.version OR NEW.revision < OLD.revision
BEGIN SELECT RAISE(ABORT, 'the counters of an account only grow'); END;
CREATE TRIGGER account_stays
    BEFORE UPDATE OF tenant_id, id, code, currency, normal_side, class, opened_at ON account
WHEN OLD.tenant_id <> NEW.tenant_id OR OLD.id <> NEW.id OR OLD.code <> NEW.code
  OR OLD.currency <> NEW.currency OR OLD.normal_side <> NEW.normal_side
  OR OLD.class IS NOT NEW.class OR OLD.opened_at <> NEW.opened_at
BEGIN SELECT RAISE(ABORT, 'what an account is never changes'); END;
CREATE TRIGGER account_edges BEFORE UPDATE OF status ON account
WHEN OLD.status = 3 AND NEW.status <> 3
BEGIN SELECT RAISE(ABORT, 'a closed account is never opened again'); END;

CREATE TRIGGER hold_grows BEFORE UPDATE ON hold
WHEN NEW.posted < OLD.posted OR NEW.released < OLD.released
  OR OLD.tenant_id <> NEW.tenant_id OR OLD.transaction_id <> NEW.transaction_id
  OR OLD.ordinal <> NEW.ordinal OR OLD.amount <> NEW.amount OR OLD.expires_at IS NOT NEW.expires_at
BEGIN SELECT RAISE(ABORT, 'of a hold only what is posted and released grows'); END;
CREATE TRIGGER hold_edges BEFORE UPDATE OF status ON hold
WHEN OLD.status <> 1 AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'a hold that has ended stays as it ended'); END;
CREATE TRIGGER hold_undeletable BEFORE DELETE ON hold
BEGIN SELECT RAISE(ABORT, 'rows of hold are never changed or deleted'); END;

CREATE TRIGGER correction_grows BEFORE UPDATE ON correction
WHEN NEW.reversed < OLD.reversed OR OLD.tenant_id <> NEW.tenant_id
  OR OLD.transaction_id <> NEW.transaction_id OR OLD.ordinal <> NEW.ordinal
  OR OLD.amount <> NEW.amount
BEGIN SELECT RAISE(ABORT, 'of a correction only what is reversed grows'); END;
CREATE TRIGGER correction_undeletable BEFORE DELETE ON correction
BEGIN SELECT RAISE(ABORT, 'rows of correction are never changed or deleted'); END;

CREATE TRIGGER period_forward BEFORE UPDATE ON period
WHEN NEW.closed_before < OLD.closed_before OR NEW.tenant_id <> OLD.tenant_id
BEGIN SELECT RAISE(ABORT, 'a closed period is never opened again'); END;
CREATE TRIGGER period_undeletable BEFORE DELETE ON period
BEGIN SELECT RAISE(ABORT, 'rows of period are never changed or deleted'); END;

CREATE TRIGGER posting_fits BEFORE INSERT ON posting
WHEN NOT EXISTS (SELECT 1 FROM account WHERE tenant_id = NEW.tenant_id
                    AND id = NEW.debit_account AND currency = NEW.currency)
  OR NOT EXISTS (SELECT 1 FROM account WHERE tenant_id = NEW.tenant_id
                    AND id = NEW.credit_account AND currency = NEW.currency)
BEGIN SELECT RAISE(ABORT, 'a posting moves what both its accounts hold'); END;
