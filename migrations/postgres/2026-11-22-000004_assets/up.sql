-- Custom assets. `../../sqlite` says the same in SQLite's words: a change goes into both.

-- A code has one exponent, for ever. Which codes are those of ISO 4217, the program knows.
CREATE TABLE asset (
    created_at BIGINT   NOT NULL,
    tenant_id  INTEGER  NOT NULL REFERENCES tenant,
    exponent   SMALLINT NOT NULL CHECK (exponent BETWEEN 0 AND 18),  -- decimal places of its minor unit
    code       TEXT COLLATE "C" NOT NULL CHECK (code ~ '^[A-Z][A-Z0-9]{2,9}$'),
    name       TEXT     NOT NULL,            -- what people call it
    PRIMARY KEY (tenant_id, code)
);

-- Accounts that are older than the table hold `CODE/EXPONENT` too. Where two of them share a code, the
-- older one has it; `florin check` names the other.
INSERT INTO asset (created_at, tenant_id, exponent, code, name)
SELECT min(opened_at), tenant_id, split_part(currency, '/', 2)::SMALLINT, split_part(currency, '/', 1),
       split_part(currency, '/', 1)
  FROM account
 WHERE currency LIKE '%/%'
 GROUP BY tenant_id, currency
 ORDER BY min(opened_at), currency
    ON CONFLICT DO NOTHING;

CREATE TRIGGER asset_immutable BEFORE UPDATE OR DELETE ON asset
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER asset_kept BEFORE TRUNCATE ON asset
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- It runs once the whole statement is done: an asset that was registered by the same one is there.
CREATE FUNCTION refuse_unregistered_asset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1
          FROM asset
         WHERE tenant_id = NEW.tenant_id
           AND code = split_part(NEW.currency, '/', 1)
           AND code || '/' || exponent = NEW.currency
    ) THEN
        RAISE EXCEPTION 'an account holds what is registered'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_fits AFTER INSERT ON account FOR EACH ROW
    WHEN (NEW.currency LIKE '%/%')
    EXECUTE FUNCTION refuse_unregistered_asset();

ALTER TABLE asset ENABLE ALWAYS TRIGGER asset_immutable;
ALTER TABLE asset ENABLE ALWAYS TRIGGER asset_kept;
ALTER TABLE account ENABLE ALWAYS TRIGGER account_fits;
