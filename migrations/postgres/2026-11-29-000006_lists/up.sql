-- What lists go by. `../../sqlite` says the same in SQLite's words: a change goes into both.

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
    millis    BIGINT  NOT NULL CHECK (millis > 0),
    until     BIGINT  NOT NULL,
    tenant_id INTEGER NOT NULL PRIMARY KEY REFERENCES tenant
);
INSERT INTO id_lead (millis, until, tenant_id)
SELECT max(made.millis - made.recorded_at / 1000), max(made.recorded_at), made.tenant_id
  FROM (SELECT tenant_id, recorded_at, ('x' || encode(substr(id, 1, 6), 'hex'))::bit(48)::bigint AS millis
          FROM ledger_transaction) AS made
 GROUP BY made.tenant_id
HAVING max(made.millis - made.recorded_at / 1000) > 0;
