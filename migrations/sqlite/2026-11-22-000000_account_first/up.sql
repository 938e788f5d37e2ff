-- As on PostgreSQL, where it was measured: what tells rows apart comes before the tenant. The primary
-- key of `idempotency_key` is the table itself here, and stays as it is.
DROP INDEX posting_debit;
DROP INDEX posting_credit;
CREATE UNIQUE INDEX posting_debit  ON posting (debit_account,  debit_version,  tenant_id);
CREATE UNIQUE INDEX posting_credit ON posting (credit_account, credit_version, tenant_id);
