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

-- Codes are compared byte by byte, so that the accounts of a subtree stand together in the index.
DROP TRIGGER account_stays ON account;
ALTER TABLE account ALTER COLUMN code TYPE TEXT COLLATE "C";
CREATE TRIGGER account_stays
    AFTER UPDATE OF tenant_id, id, code, currency, normal_side, class, opened_at ON account FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.id, OLD.code, OLD.currency, OLD.normal_side, OLD.class, OLD.opened_at)
       IS DISTINCT FROM
          (NEW.tenant_id, NEW.id, NEW.code, NEW.currency, NEW.normal_side, NEW.class, NEW.opened_at))
    EXECUTE FUNCTION refuse_because('what an account is never changes');
ALTER TABLE account ENABLE ALWAYS TRIGGER account_stays;

-- Entries that moved what is posted and happened at another time than they were recorded. No other entry
-- leaves anything here, and before this migration there was none.
CREATE TABLE displaced (
    version      BIGINT  NOT NULL,
    effective_at BIGINT  NOT NULL,
    recorded_at  BIGINT  NOT NULL CHECK (recorded_at <> effective_at),
    debit        BIGINT  NOT NULL CHECK (debit  >= 0),
    credit       BIGINT  NOT NULL CHECK (credit >= 0),
    tenant_id    INTEGER NOT NULL,
    account_id   BYTEA   NOT NULL,
    PRIMARY KEY (account_id, version, tenant_id),
    CHECK ((debit > 0) <> (credit > 0))
);
CREATE UNIQUE INDEX displaced_effective ON displaced (account_id, effective_at, version, tenant_id);

-- Sums of the displaced entries of an account, by when they happened and by when they were recorded. A
-- bucket of level n begins at `start` and is 256^n microseconds long.
CREATE TABLE time_bucket (
    start             BIGINT   NOT NULL,
    debits_effective  BIGINT   NOT NULL CHECK (debits_effective  >= 0),
    credits_effective BIGINT   NOT NULL CHECK (credits_effective >= 0),
    debits_recorded   BIGINT   NOT NULL CHECK (debits_recorded   >= 0),
    credits_recorded  BIGINT   NOT NULL CHECK (credits_recorded  >= 0),
    tenant_id         INTEGER  NOT NULL,
    level             SMALLINT NOT NULL CHECK (level BETWEEN 0 AND 6),
    account_id        BYTEA    NOT NULL,
    PRIMARY KEY (level, account_id, start, tenant_id)
) WITH (fillfactor = 70);                    -- room for the sums to be updated in place

-- The metadata of transactions, to find them by. One that has none leaves nothing here.
CREATE TABLE transaction_metadata (
    tenant_id      INTEGER NOT NULL,
    transaction_id BYTEA   NOT NULL,
    key            TEXT    NOT NULL,
    value          TEXT    NOT NULL,
    PRIMARY KEY (key, value, transaction_id, tenant_id)
);

CREATE TRIGGER time_bucket_grows AFTER UPDATE ON time_bucket FOR EACH ROW
    WHEN (NEW.debits_effective < OLD.debits_effective OR NEW.credits_effective < OLD.credits_effective
       OR NEW.debits_recorded < OLD.debits_recorded OR NEW.credits_recorded < OLD.credits_recorded
       OR (OLD.tenant_id, OLD.level, OLD.account_id, OLD.start)
          IS DISTINCT FROM (NEW.tenant_id, NEW.level, NEW.account_id, NEW.start))
    EXECUTE FUNCTION refuse_because('the sums of a time bucket only grow');
CREATE TRIGGER displaced_immutable BEFORE UPDATE OR DELETE ON displaced
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transaction_metadata_immutable BEFORE UPDATE OR DELETE ON transaction_metadata
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER time_bucket_undeletable BEFORE DELETE ON time_bucket
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

DO $$
DECLARE name TEXT; guard TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['displaced', 'time_bucket', 'transaction_metadata'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name || '_kept', name);
    END LOOP;
    FOR name, guard IN SELECT tgrelid::regclass::text, tgname FROM pg_trigger
         WHERE NOT tgisinternal AND tgrelid IN ('displaced'::regclass, 'time_bucket'::regclass,
               'transaction_metadata'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', name, guard);
    END LOOP;
END $$;
