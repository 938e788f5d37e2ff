-- Custom assets. `../../postgres` says the same in PostgreSQL's words: a change goes into both.

-- A code has one exponent, for ever. Which codes are those of ISO 4217, the program knows.
CREATE TABLE asset (
    created_at INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL REFERENCES tenant,
    exponent   INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 18),  -- decimal places of its minor unit
    code       TEXT    NOT NULL
        CHECK (length(code) BETWEEN 3 AND 10 AND code GLOB '[A-Z]*' AND code NOT GLOB '*[^A-Z0-9]*'),
    name       TEXT    NOT NULL,             -- what people call it
    PRIMARY KEY (tenant_id, code)
) STRICT, WITHOUT ROWID;

-- Accounts that are older than the table hold `CODE/EXPONENT` too. Where two of them share a code, the
-- older one has it; `florin check` names the other.
INSERT INTO asset (created_at, tenant_id, exponent, code, name)
SELECT min(opened_at), tenant_id, CAST(substr(currency, instr(currency, '/') + 1) AS INTEGER),
       substr(currency, 1, instr(currency, '/') - 1), substr(currency, 1, instr(currency, '/') - 1)
  FROM account
 WHERE currency LIKE '%/%'
 GROUP BY tenant_id, currency
 ORDER BY min(opened_at), currency
    ON CONFLICT DO NOTHING;

CREATE TRIGGER asset_immutable BEFORE UPDATE ON asset
BEGIN SELECT RAISE(ABORT, 'rows of asset are never changed or deleted'); END;
CREATE TRIGGER asset_kept BEFORE DELETE ON asset
BEGIN SELECT RAISE(ABORT, 'rows of asset are never changed or deleted'); END;

CREATE TRIGGER account_fits BEFORE INSERT ON account
WHEN NEW.currency LIKE '%/%' AND NOT EXISTS (
    SELECT 1 FROM asset
     WHERE tenant_id = NEW.tenant_id AND code = substr(NEW.currency, 1, instr(NEW.currency, '/') - 1)
       AND code || '/' || exponent = NEW.currency)
BEGIN SELECT RAISE(ABORT, 'an account holds what is registered'); END;
