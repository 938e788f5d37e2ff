-- A commit carries the rows of many tenants, and a table is stored in the order of its primary key. If the tenant
-- comes first in the key, each tenant's rows go to another page, and each of these pages is written by the commit.
-- So the tenant comes last, or the rows are stored in the order of writing. PostgreSQL needs none of this, because
-- its tables are always stored in the order of writing (docs/adr/0030-the-tenant-comes-last-in-keys-of-sqlite.md).

-- Each table is made under another name, filled, and put in the place of the old one. Views and triggers that name the
-- old one stay as they are, also those that do not belong to this program.
PRAGMA legacy_alter_table = ON;

-- Postings: in the order of their transactions' ids, which grow with time.
CREATE TABLE posting_copy (
    amount         INTEGER NOT NULL CHECK (amount > 0),
    debit_version  INTEGER NOT NULL,        -- the entry's number on the debited account, from 1
    debit_balance  INTEGER NOT NULL,        -- that account's posted balance after this entry
    credit_version INTEGER NOT NULL,
    credit_balance INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    transaction_id BLOB NOT NULL,
    debit_account  BLOB NOT NULL,
    credit_account BLOB NOT NULL CHECK (credit_account <> debit_account),
    currency       TEXT NOT NULL,
    phase          INTEGER NOT NULL DEFAULT 2 CHECK (phase BETWEEN 1 AND 4),
    PRIMARY KEY (transaction_id, ordinal, tenant_id)
) STRICT, WITHOUT ROWID;
INSERT INTO posting_copy (amount, debit_version, debit_balance, credit_version, credit_balance, tenant_id, ordinal,
                          transaction_id, debit_account, credit_account, currency, phase)
SELECT amount, debit_version, debit_balance, credit_version, credit_balance, tenant_id, ordinal,
       transaction_id, debit_account, credit_account, currency, phase
  FROM posting
 ORDER BY transaction_id, ordinal, tenant_id;
DROP INDEX posting_debit;
DROP INDEX posting_credit;
DROP INDEX posting_pending_debit;
DROP INDEX posting_pending_credit;
DROP TABLE posting;
ALTER TABLE posting_copy RENAME TO posting;
CREATE UNIQUE INDEX posting_debit  ON posting (debit_account,  debit_version,  tenant_id);
CREATE UNIQUE INDEX posting_credit ON posting (credit_account, credit_version, tenant_id);
CREATE INDEX posting_pending_debit  ON posting (debit_account,  debit_version,  tenant_id) WHERE phase = 1;
CREATE INDEX posting_pending_credit ON posting (credit_account, credit_version, tenant_id) WHERE phase = 1;
CREATE TRIGGER posting_immutable BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'rows of posting are never changed or deleted'); END;
CREATE TRIGGER posting_kept BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'rows of posting are never changed or deleted'); END;
CREATE TRIGGER posting_fits BEFORE INSERT ON posting
WHEN NOT EXISTS (SELECT 1 FROM account WHERE tenant_id = NEW.tenant_id
                    AND id = NEW.debit_account AND currency = NEW.currency)
  OR NOT EXISTS (SELECT 1 FROM account WHERE tenant_id = NEW.tenant_id
                    AND id = NEW.credit_account AND currency = NEW.currency)
BEGIN SELECT RAISE(ABORT, 'a posting moves what both its accounts hold'); END;

-- Keys of requests: in the order of their texts, as in PostgreSQL's key. Clients often make keys that grow.
CREATE TABLE idempotency_key_copy (
    created_at  INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL,
    status      INTEGER,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    resource    TEXT,                        -- what the request has made, where that is needed
    body        BLOB,
    PRIMARY KEY (key, tenant_id),
    CHECK (body IS NOT NULL OR resource IS NOT NULL),
    CHECK (body IS NULL OR status IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency_key_copy (created_at, tenant_id, status, key, fingerprint, resource, body)
SELECT created_at, tenant_id, status, key, fingerprint, resource, body
  FROM idempotency_key
 ORDER BY key, tenant_id;
DROP TABLE idempotency_key;
ALTER TABLE idempotency_key_copy RENAME TO idempotency_key;

-- Audit records: in the order of writing. Only the small entries of the index go to a page of each tenant.
CREATE TABLE audit_entry_copy (
    seq       INTEGER NOT NULL,
    log       INTEGER NOT NULL,
    leaf      BLOB NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (log, seq)
) STRICT;
INSERT INTO audit_entry_copy (seq, log, leaf, leaf_hash)
SELECT seq, log, leaf, leaf_hash FROM audit_entry ORDER BY log, seq;
DROP TABLE audit_entry;
ALTER TABLE audit_entry_copy RENAME TO audit_entry;
CREATE TRIGGER audit_entry_immutable BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'rows of audit_entry are never changed or deleted'); END;
CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'rows of audit_entry are never changed or deleted'); END;
CREATE TRIGGER audit_entry_at_the_end BEFORE INSERT ON audit_entry
WHEN NEW.seq <> coalesce((SELECT max(seq) + 1 FROM audit_entry WHERE log = NEW.log), 0)
  -- INSERT OR REPLACE would replace the row with this number.
  OR EXISTS (SELECT 1 FROM audit_entry WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'a record is only ever appended'); END;

-- A batch begins where the last one ended. This refuses a fork without an index of its own.
DROP INDEX audit_batch_no_fork;
CREATE TRIGGER audit_batch_at_the_end BEFORE INSERT ON audit_batch
WHEN NEW.start <> coalesce((SELECT max(size) FROM audit_batch WHERE log = NEW.log), 0)
BEGIN SELECT RAISE(ABORT, 'a batch is only ever appended'); END;

PRAGMA legacy_alter_table = OFF;
