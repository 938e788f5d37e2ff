-- The id of a tenant is the same in every database, because tenants move between databases. An INTEGER of SQLite
-- has 64 bits already: only the view is made again, as in `../../postgres`.
DROP VIEW entry;
CREATE VIEW entry AS
    SELECT tenant_id, debit_account AS account_id, debit_version AS version, 1 AS side,
           amount, currency, debit_balance AS balance, transaction_id, ordinal, phase
      FROM posting
    UNION ALL
    SELECT tenant_id, credit_account, credit_version, 2,
           amount, currency, credit_balance, transaction_id, ordinal, phase
      FROM posting;
