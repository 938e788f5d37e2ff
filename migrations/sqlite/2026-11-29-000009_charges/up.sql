-- A charge of a provider belongs to one operation. `../../postgres` has the same change for PostgreSQL: change both files
-- together.

-- The operation of each charge, from the first fact that is accepted. If a provider names the charge again for another
-- operation, that fact is not accepted.
CREATE TABLE provider_charge (
    tenant_id    INTEGER NOT NULL,
    operation_id BLOB NOT NULL,
    provider     TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    PRIMARY KEY (provider_ref, provider, tenant_id)
) STRICT, WITHOUT ROWID;

-- Older books: if one charge was accepted for two operations, it belongs to the earlier one, and `check` names the other.
INSERT INTO provider_charge (tenant_id, operation_id, provider, provider_ref)
SELECT tenant_id, min(id), provider, provider_ref
  FROM operation
 WHERE provider_ref IS NOT NULL
 GROUP BY tenant_id, provider, provider_ref;

CREATE TRIGGER provider_charge_immutable BEFORE UPDATE ON provider_charge
BEGIN SELECT RAISE(ABORT, 'rows of provider_charge are never changed or deleted'); END;
CREATE TRIGGER provider_charge_kept BEFORE DELETE ON provider_charge
BEGIN SELECT RAISE(ABORT, 'rows of provider_charge are never changed or deleted'); END;
