-- A charge of a provider is one operation's. `../../sqlite` says the same in SQLite's words: a change goes
-- into both.

-- Whose each charge is, from the moment it is believed: a provider that names it again for another operation
-- is not believed.
CREATE TABLE provider_charge (
    tenant_id    INTEGER NOT NULL,
    operation_id BYTEA   NOT NULL,
    provider     TEXT    NOT NULL,
    provider_ref TEXT    NOT NULL,
    PRIMARY KEY (provider_ref, provider, tenant_id)
);

-- Older books: where one charge was believed twice, it is the earlier operation's, and `check` names the other.
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
