-- What lists go by. `../../postgres` says the same in PostgreSQL's words: a change goes into both.

-- Most transactions happen when they are recorded, which their ids tell. The others are found by this;
-- those that are not displaced leave nothing in it.
CREATE INDEX ledger_transaction_displaced
    ON ledger_transaction (tenant_id, effective_at, id) WHERE effective_at <> recorded_at;

-- Who has anything at all under a key, latest first.
CREATE INDEX transaction_metadata_key ON transaction_metadata (tenant_id, key, transaction_id);

-- An id tells the millisecond in which it was recorded. It did not always: of more than 4,096 made at one
-- moment, the later ones told a later millisecond. Of what was recorded up to `until`, an id may be ahead
-- by so many milliseconds.
CREATE TABLE id_lead (
    millis    INTEGER NOT NULL CHECK (millis > 0),
    until     INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
) STRICT;
-- Twelve hexadecimal digits are read one by one.
INSERT INTO id_lead (millis, until, tenant_id)
SELECT max(made.millis - made.recorded_at / 1000), max(made.recorded_at), made.tenant_id
  FROM (SELECT tenant_id, recorded_at,
               ((instr('0123456789ABCDEF', substr(digits, 1, 1)) - 1) << 44) +
               ((instr('0123456789ABCDEF', substr(digits, 2, 1)) - 1) << 40) +
               ((instr('0123456789ABCDEF', substr(digits, 3, 1)) - 1) << 36) +
               ((instr('0123456789ABCDEF', substr(digits, 4, 1)) - 1) << 32) +
               ((instr('0123456789ABCDEF', substr(digits, 5, 1)) - 1) << 28) +
               ((instr('0123456789ABCDEF', substr(digits, 6, 1)) - 1) << 24) +
               ((instr('0123456789ABCDEF', substr(digits, 7, 1)) - 1) << 20) +
               ((instr('0123456789ABCDEF', substr(digits, 8, 1)) - 1) << 16) +
               ((instr('0123456789ABCDEF', substr(digits, 9, 1)) - 1) << 12) +
               ((instr('0123456789ABCDEF', substr(digits, 10, 1)) - 1) << 8) +
               ((instr('0123456789ABCDEF', substr(digits, 11, 1)) - 1) << 4) +
               ((instr('0123456789ABCDEF', substr(digits, 12, 1)) - 1) << 0) AS millis
          FROM (SELECT tenant_id, recorded_at, hex(substr(id, 1, 6)) AS digits
                  FROM ledger_transaction)) AS made
 GROUP BY made.tenant_id
HAVING max(made.millis - made.recorded_at / 1000) > 0;
