-- Refunds and payouts have metadata too. `../../postgres` has the same change for PostgreSQL: change both files
-- together.

ALTER TABLE operation ADD COLUMN metadata TEXT;         -- of a refund: a flat JSON object of texts
ALTER TABLE payout ADD COLUMN metadata TEXT;            -- a flat JSON object of texts

-- The texts of metadata: of payments (kind 1), customers (2), refunds (3) and payouts (4).
CREATE TABLE metadata_text_copy (
    tenant_id INTEGER NOT NULL,
    kind      INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    subject   BLOB NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (kind, tenant_id, key, value, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO metadata_text_copy (tenant_id, kind, key, value, subject)
SELECT tenant_id, kind, key, value, subject FROM metadata_text ORDER BY kind, tenant_id, key, value, subject;
DROP TABLE metadata_text;
ALTER TABLE metadata_text_copy RENAME TO metadata_text;
