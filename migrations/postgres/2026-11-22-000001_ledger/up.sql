-- The ledger, complete: pending transactions, reversals, limits, closed periods. `../../sqlite` says
-- the same in SQLite's words: a change goes into both.

-- All six counters only grow. What is outstanding is `pending` less `released`.
ALTER TABLE account
    ADD COLUMN debits_released  BIGINT NOT NULL DEFAULT 0
        CHECK (debits_released >= 0 AND debits_released <= debits_pending),
    ADD COLUMN credits_released BIGINT NOT NULL DEFAULT 0
        CHECK (credits_released >= 0 AND credits_released <= credits_pending),
    ADD COLUMN revision    BIGINT NOT NULL DEFAULT 0 CHECK (revision >= 0),  -- counts changes of what follows
    ADD COLUMN ceiling     BIGINT,           -- the greatest balance allowed; NULL: no limit
    ADD COLUMN credit_line BIGINT CHECK (credit_line >= 0),       -- lowers the floor by so much
    ADD COLUMN class       SMALLINT CHECK (class BETWEEN 1 AND 5),
    ADD COLUMN metadata    TEXT;             -- a flat JSON object of texts
-- class: 1 asset, 2 liability, 3 equity, 4 income, 5 expense; NULL where an account is older.

-- step: 1 pending, 2 posted at once, 3 post (of a pending one), 4 void, 5 expiry, 6 reversal.
-- `about` is the transaction that steps 3 to 6 are about.
ALTER TABLE ledger_transaction RENAME COLUMN status TO step;
ALTER TABLE ledger_transaction
    DROP CONSTRAINT ledger_transaction_status_check,
    ADD CONSTRAINT ledger_transaction_step_check CHECK (step BETWEEN 1 AND 6),
    ADD COLUMN about    BYTEA CHECK ((about IS NOT NULL) = (step >= 3)),
    ADD COLUMN metadata TEXT;
CREATE INDEX ledger_transaction_about
    ON ledger_transaction (tenant_id, about) WHERE about IS NOT NULL;

-- phase, and the counters it adds to on both accounts: 1 pending (pending), 2 posted (posted),
-- 3 settled (posted and released), 4 released (released). Steps 3 to 6 name postings of the
-- transaction they are about: one that settles or reverses bears the other's ordinal, one that
-- releases bears that ordinal plus 100.
ALTER TABLE posting
    ADD COLUMN phase SMALLINT NOT NULL DEFAULT 2 CHECK (phase BETWEEN 1 AND 4);

DROP VIEW entry;
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1::SMALLINT AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal, phase
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2::SMALLINT,
           amount, currency, credit_balance, transaction_id, ordinal, phase
      FROM posting;

-- What a pending posting still holds. The status says how it ended, `posted` how much came of it.
CREATE TABLE hold (
    amount         BIGINT   NOT NULL CHECK (amount > 0),
    posted         BIGINT   NOT NULL CHECK (posted >= 0),
    released       BIGINT   NOT NULL CHECK (released >= 0),
    expires_at     BIGINT,
    tenant_id      INTEGER  NOT NULL,
    ordinal        SMALLINT NOT NULL,
    status         SMALLINT NOT NULL CHECK (status IN (1, 2, 3, 4)),  -- 1 pending, 2 posted, 3 voided, 4 expired
    transaction_id BYTEA    NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal),
    CHECK (posted + released <= amount),
    CHECK ((status = 1) = (posted + released < amount))
) WITH (fillfactor = 70);                    -- room for the two sums to be updated in place
CREATE INDEX hold_expiring
    ON hold (tenant_id, expires_at) WHERE status = 1 AND expires_at IS NOT NULL;

-- How much of a posting was reversed; made by its first reversal.
CREATE TABLE correction (
    amount         BIGINT   NOT NULL CHECK (amount > 0),
    reversed       BIGINT   NOT NULL CHECK (reversed > 0 AND reversed <= amount),
    tenant_id      INTEGER  NOT NULL,
    ordinal        SMALLINT NOT NULL,
    transaction_id BYTEA    NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, ordinal)
) WITH (fillfactor = 70);

-- Nothing that happened before is accepted any more.
CREATE TABLE period (
    closed_before BIGINT  NOT NULL,
    tenant_id     INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
);

-- What is written stays written. --------------------------------------------------------------------

-- The reason stands with each trigger. They run after the row was written: a trigger before it would
-- lock each row once more, whether it has anything to say or not.
CREATE FUNCTION refuse_because() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER account_grows AFTER UPDATE ON account FOR EACH ROW
    WHEN (NEW.debits_pending < OLD.debits_pending OR NEW.credits_pending < OLD.credits_pending
       OR NEW.debits_posted < OLD.debits_posted OR NEW.credits_posted < OLD.credits_posted
       OR NEW.debits_released < OLD.debits_released OR NEW.credits_released < OLD.credits_released
       OR NEW.version < OLD.version OR NEW.revision < OLD.revision)
    EXECUTE FUNCTION refuse_because('the counters of an account only grow');
CREATE TRIGGER account_stays
    AFTER UPDATE OF tenant_id, id, code, currency, normal_side, class, opened_at ON account FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.id, OLD.code, OLD.currency, OLD.normal_side, OLD.class, OLD.opened_at)
       IS DISTINCT FROM
          (NEW.tenant_id, NEW.id, NEW.code, NEW.currency, NEW.normal_side, NEW.class, NEW.opened_at))
    EXECUTE FUNCTION refuse_because('what an account is never changes');
CREATE TRIGGER account_edges AFTER UPDATE OF status ON account FOR EACH ROW
    WHEN (OLD.status = 3 AND NEW.status <> 3)
    EXECUTE FUNCTION refuse_because('a closed account is never opened again');

CREATE TRIGGER hold_grows AFTER UPDATE ON hold FOR EACH ROW
    WHEN (NEW.posted < OLD.posted OR NEW.released < OLD.released
       OR (OLD.tenant_id, OLD.transaction_id, OLD.ordinal, OLD.amount, OLD.expires_at)
          IS DISTINCT FROM
          (NEW.tenant_id, NEW.transaction_id, NEW.ordinal, NEW.amount, NEW.expires_at))
    EXECUTE FUNCTION refuse_because('of a hold only what is posted and released grows');
CREATE TRIGGER hold_edges AFTER UPDATE OF status ON hold FOR EACH ROW
    WHEN (OLD.status <> 1 AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_because('a hold that has ended stays as it ended');
CREATE TRIGGER correction_grows AFTER UPDATE ON correction FOR EACH ROW
    WHEN (NEW.reversed < OLD.reversed
       OR (OLD.tenant_id, OLD.transaction_id, OLD.ordinal, OLD.amount)
          IS DISTINCT FROM (NEW.tenant_id, NEW.transaction_id, NEW.ordinal, NEW.amount))
    EXECUTE FUNCTION refuse_because('of a correction only what is reversed grows');
CREATE TRIGGER period_forward AFTER UPDATE ON period FOR EACH ROW
    WHEN (NEW.closed_before < OLD.closed_before OR NEW.tenant_id <> OLD.tenant_id)
    EXECUTE FUNCTION refuse_because('a closed period is never opened again');

-- One question for all rows of a statement, asked of the accounts' primary key. It runs once the whole
-- statement is done: accounts that were opened by the same one are there.
CREATE FUNCTION refuse_unfit_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
          FROM added
          LEFT JOIN account AS debited
            ON debited.tenant_id = added.tenant_id AND debited.id = added.debit_account
          LEFT JOIN account AS credited
            ON credited.tenant_id = added.tenant_id AND credited.id = added.credit_account
         WHERE debited.currency IS DISTINCT FROM added.currency
            OR credited.currency IS DISTINCT FROM added.currency
    ) THEN
        RAISE EXCEPTION 'a posting moves what both its accounts hold'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_fits AFTER INSERT ON posting
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unfit_postings();

DO $$
DECLARE name TEXT; guard TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['hold', 'correction', 'period'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', name || '_undeletable', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name || '_kept', name);
    END LOOP;
    FOR name, guard IN SELECT tgrelid::regclass::text, tgname FROM pg_trigger
         WHERE NOT tgisinternal AND tgrelid IN ('account'::regclass, 'posting'::regclass,
               'hold'::regclass, 'correction'::regclass, 'period'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', name, guard);
    END LOOP;
END $$;
