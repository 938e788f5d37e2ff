-- What is asked of transactions later: their metadata may be set, and what is pending on an account is
-- listed. `../../sqlite` says the same in SQLite's words: a change goes into both.

-- What is kept with a transaction now, if it was set after the transaction was recorded. The transaction's
-- own row stays as it was. `revision` counts how often it was set; the audit log has a record of each time.
CREATE TABLE current_metadata (
    revision       BIGINT  NOT NULL CHECK (revision > 0),
    set_at         BIGINT  NOT NULL,
    tenant_id      INTEGER NOT NULL,
    transaction_id BYTEA   NOT NULL,
    metadata       TEXT,                     -- a flat JSON object of texts; NULL: nothing is kept
    PRIMARY KEY (tenant_id, transaction_id)
);

CREATE TRIGGER current_metadata_grows AFTER UPDATE ON current_metadata FOR EACH ROW
    WHEN (NEW.revision <= OLD.revision OR (OLD.tenant_id, OLD.transaction_id)
          IS DISTINCT FROM (NEW.tenant_id, NEW.transaction_id))
    EXECUTE FUNCTION refuse_because('the revision of metadata only grows');
CREATE TRIGGER current_metadata_undeletable BEFORE DELETE ON current_metadata
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER current_metadata_kept BEFORE TRUNCATE ON current_metadata
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A transaction is found by the metadata that it has now: what it has no longer, goes. Looked at once the
-- whole statement is done, which says both.
DROP TRIGGER transaction_metadata_immutable ON transaction_metadata;
CREATE TRIGGER transaction_metadata_immutable BEFORE UPDATE ON transaction_metadata
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_lost_metadata() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM current_metadata
                    WHERE tenant_id = OLD.tenant_id AND transaction_id = OLD.transaction_id) THEN
        RAISE EXCEPTION 'metadata that was not set later stays' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transaction_metadata_undeletable AFTER DELETE ON transaction_metadata
    FOR EACH ROW EXECUTE FUNCTION refuse_lost_metadata();
DO $$
DECLARE name TEXT; guard TEXT;
BEGIN
    FOR name, guard IN SELECT tgrelid::regclass::text, tgname FROM pg_trigger
         WHERE NOT tgisinternal AND tgrelid IN ('current_metadata'::regclass, 'transaction_metadata'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', name, guard);
    END LOOP;
END $$;

-- The pending entries of an account, without all its others. Only pending postings are in these.
CREATE INDEX posting_pending_debit  ON posting (debit_account,  debit_version,  tenant_id) WHERE phase = 1;
CREATE INDEX posting_pending_credit ON posting (credit_account, credit_version, tenant_id) WHERE phase = 1;
