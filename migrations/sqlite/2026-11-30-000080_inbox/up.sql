-- Each event that was received has an id of ours, by which it is shown and listed, and keeps how it was delivered.
-- `../../postgres` has the same change for PostgreSQL: change both files together.

-- `meaning` is a hash of what the event says, without what a provider may change in a repetition. `body` is NULL once it
-- was removed by the retention; the row stays, so a repetition is known for as long as the books are. `delivery` is JSON:
-- the headers and the verdict. Older rows have neither meaning nor delivery.
CREATE TABLE inbox_with_id (
    received_at INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    provider    TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('applied', 'parked', 'stored', 'dead')),
    reference   TEXT,                        -- the provider key the event is about
    meaning     BLOB CHECK (length(meaning) = 32),
    body_hash   BLOB NOT NULL CHECK (length(body_hash) = 32),
    body        BLOB,
    delivery    TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
-- The ids of older rows have the millisecond of arrival, as new ids do (UUIDv7, RFC 9562).
INSERT INTO inbox_with_id (received_at, tenant_id, id, provider, event_id, kind, status, reference, body_hash, body)
SELECT received_at, tenant_id,
    unhex(printf('%012x', received_at / 1000) || '7' || substr(hex(randomblob(2)), 1, 3) || '8' || substr(hex(randomblob(8)), 1, 15)),
    provider, event_id, kind, status, reference, body_hash, body
FROM inbox;
DROP TRIGGER inbox_undeletable;
DROP INDEX inbox_parked;
DROP TABLE inbox;
ALTER TABLE inbox_with_id RENAME TO inbox;
CREATE UNIQUE INDEX inbox_event ON inbox (event_id, provider, tenant_id);
CREATE INDEX inbox_reference ON inbox (reference, tenant_id, id) WHERE reference IS NOT NULL;
CREATE INDEX inbox_parked ON inbox (tenant_id, reference) WHERE status = 'parked';
CREATE TRIGGER inbox_undeletable BEFORE DELETE ON inbox
BEGIN SELECT RAISE(ABORT, 'rows of inbox are never changed or deleted'); END;

DROP TRIGGER quarantine_immutable;
ALTER TABLE quarantine ADD COLUMN id BLOB CHECK (length(id) = 16);
ALTER TABLE quarantine ADD COLUMN delivery TEXT;
-- An event that is in the inbox as well has one id in both.
UPDATE quarantine SET id = coalesce(
    (SELECT i.id FROM inbox AS i WHERE i.tenant_id = quarantine.tenant_id AND i.provider = quarantine.provider
        AND i.event_id = quarantine.event_id AND i.body_hash = quarantine.body_hash),
    unhex(printf('%012x', received_at / 1000) || '7' || substr(hex(randomblob(2)), 1, 3) || '8' || substr(hex(randomblob(8)), 1, 15)));
CREATE UNIQUE INDEX quarantine_id ON quarantine (tenant_id, id);
CREATE TRIGGER quarantine_immutable BEFORE UPDATE ON quarantine
BEGIN SELECT RAISE(ABORT, 'rows of quarantine are never changed or deleted'); END;
