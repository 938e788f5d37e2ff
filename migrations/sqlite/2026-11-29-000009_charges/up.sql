-- A charge of a provider is one operation's. `../../postgres` says the same in PostgreSQL's words: a change
-- goes into both.

-- Whose each charge is, from the moment it is believed: a provider that names it again for another operation
-- is not believed.
CREATE TABLE provider_charge (
    tenant_id    INTEGER NOT NULL,
    operation_id BLOB NOT NULL,
    provider     TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    PRIMARY KEY (provider_ref, provider, tenant_id)
) STRICT, WITHOUT ROWID;

-- Older books: where one charge was believed twice, it is the earlier operation's, and `check` names the other.
INSERT INTO provider_charge (tenant_id, operation_id, provider, provider_ref)
SELECT tenant_id, min(id), provider, provider_ref
  FROM operation
 WHERE provider_ref IS NOT NULL
 GROUP BY tenant_id, provider, provider_ref;

CREATE TRIGGER provider_charge_immutable BEFORE UPDATE ON provider_charge
BEGIN SELECT RAISE(ABORT, 'rows of provider_charge are never changed or deleted'); END;
CREATE TRIGGER provider_charge_kept BEFORE DELETE ON provider_charge
BEGIN SELECT RAISE(ABORT, 'rows of provider_charge are never changed or deleted'); END;
