-- The id of a tenant is the same in every database, because tenants move between databases: 64 bits hold it.
-- Guards and the view that name the column are made again as they were.
DROP VIEW entry;
DROP TRIGGER account_stays ON account;
DROP TRIGGER correction_grows ON correction;
DROP TRIGGER period_forward ON period;
DROP TRIGGER time_bucket_grows ON time_bucket;
DROP TRIGGER hold_stays ON hold;
DROP TRIGGER current_metadata_grows ON current_metadata;

ALTER TABLE tenant ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE api_key ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE account ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE ledger_transaction ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE posting ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE idempotency_key ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE payment ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE operation ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE transition ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE inbox ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE quarantine ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE audit_log ALTER COLUMN log TYPE BIGINT;
ALTER TABLE audit_entry ALTER COLUMN log TYPE BIGINT;
ALTER TABLE audit_batch ALTER COLUMN log TYPE BIGINT;
ALTER TABLE hold ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE correction ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE period ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE displaced ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE time_bucket ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE transaction_metadata ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE exchange ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE asset ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE id_lead ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE current_metadata ALTER COLUMN tenant_id TYPE BIGINT;
ALTER TABLE provider_charge ALTER COLUMN tenant_id TYPE BIGINT;

CREATE TRIGGER account_stays
    AFTER UPDATE OF tenant_id, id, code, currency, normal_side, class, opened_at ON account FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.id, OLD.code, OLD.currency, OLD.normal_side, OLD.class, OLD.opened_at)
       IS DISTINCT FROM
          (NEW.tenant_id, NEW.id, NEW.code, NEW.currency, NEW.normal_side, NEW.class, NEW.opened_at))
    EXECUTE FUNCTION refuse_because('what an account is never changes');
ALTER TABLE account ENABLE ALWAYS TRIGGER account_stays;
CREATE TRIGGER correction_grows AFTER UPDATE ON correction FOR EACH ROW
    WHEN (NEW.reversed < OLD.reversed
       OR (OLD.tenant_id, OLD.transaction_id, OLD.ordinal, OLD.amount)
          IS DISTINCT FROM (NEW.tenant_id, NEW.transaction_id, NEW.ordinal, NEW.amount))
    EXECUTE FUNCTION refuse_because('of a correction only what is reversed grows');
ALTER TABLE correction ENABLE ALWAYS TRIGGER correction_grows;
CREATE TRIGGER period_forward AFTER UPDATE ON period FOR EACH ROW
    WHEN (NEW.closed_before < OLD.closed_before OR NEW.tenant_id <> OLD.tenant_id)
    EXECUTE FUNCTION refuse_because('a closed period is never opened again');
ALTER TABLE period ENABLE ALWAYS TRIGGER period_forward;
CREATE TRIGGER time_bucket_grows AFTER UPDATE ON time_bucket FOR EACH ROW
    WHEN (NEW.debits_effective < OLD.debits_effective OR NEW.credits_effective < OLD.credits_effective
       OR NEW.debits_recorded < OLD.debits_recorded OR NEW.credits_recorded < OLD.credits_recorded
       OR (OLD.tenant_id, OLD.level, OLD.account_id, OLD.start)
          IS DISTINCT FROM (NEW.tenant_id, NEW.level, NEW.account_id, NEW.start))
    EXECUTE FUNCTION refuse_because('the sums of a time bucket only grow');
ALTER TABLE time_bucket ENABLE ALWAYS TRIGGER time_bucket_grows;
CREATE TRIGGER hold_stays
    AFTER UPDATE OF tenant_id, transaction_id, ordinal, amount, expires_at ON hold FOR EACH ROW
    WHEN ((OLD.tenant_id, OLD.transaction_id, OLD.ordinal, OLD.amount, OLD.expires_at)
       IS DISTINCT FROM
          (NEW.tenant_id, NEW.transaction_id, NEW.ordinal, NEW.amount, NEW.expires_at))
    EXECUTE FUNCTION refuse_because('of a hold only what is posted and released grows');
ALTER TABLE hold ENABLE ALWAYS TRIGGER hold_stays;
CREATE TRIGGER current_metadata_grows AFTER UPDATE ON current_metadata FOR EACH ROW
    WHEN (NEW.revision <= OLD.revision OR (OLD.tenant_id, OLD.transaction_id)
          IS DISTINCT FROM (NEW.tenant_id, NEW.transaction_id))
    EXECUTE FUNCTION refuse_because('the revision of metadata only grows');
ALTER TABLE current_metadata ENABLE ALWAYS TRIGGER current_metadata_grows;
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1::SMALLINT AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal, phase
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2::SMALLINT,
           amount, currency, credit_balance, transaction_id, ordinal, phase
      FROM posting;
