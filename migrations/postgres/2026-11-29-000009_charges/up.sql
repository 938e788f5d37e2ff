-- A charge of a provider belongs to one operation. `../../sqlite` has the same change for SQLite: change both files
-- together.

-- The operation of each charge, from the first fact that is accepted. If a provider names the charge again for another
-- operation, that fact is not accepted.
CREATE TABLE provider_charge (
    tenant_id    INTEGER NOT NULL,
    operation_id BYTEA   NOT NULL,
    provider     TEXT    NOT NULL,
    provider_ref TEXT    NOT NULL,
    PRIMARY KEY (provider_ref, provider, tenant_id)
);

-- Older books: if one charge was accepted for two operations, it belongs to the earlier one, and `check` names the other.
INSERT INTO provider_charge (tenant_id, operation_id, provider, provider_ref)
SELECT DISTINCT ON (tenant_id, provider, provider_ref) tenant_id, id, provider, provider_ref
  FROM operation
 WHERE provider_ref IS NOT NULL
 ORDER BY tenant_id, provider, provider_ref, id;

CREATE TRIGGER provider_charge_immutable BEFORE UPDATE OR DELETE ON provider_charge
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_charge_kept BEFORE TRUNCATE ON provider_charge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE provider_charge ENABLE ALWAYS TRIGGER provider_charge_immutable;
ALTER TABLE provider_charge ENABLE ALWAYS TRIGGER provider_charge_kept;
