-- Each event that was received has an id of ours, by which it is shown and listed, and keeps how it was delivered.
-- `../../sqlite` has the same change for SQLite: change both files together.

-- `meaning` is a hash of what the event says, without what a provider may change in a repetition. `body` is NULL once it
-- was removed by the retention; the row stays, so a repetition is known for as long as the books are. `delivery` is JSON:
-- the headers and the verdict. Older rows have neither meaning nor delivery.
ALTER TABLE inbox
    ADD COLUMN id BYTEA CHECK (length(id) = 16),
    ADD COLUMN meaning BYTEA CHECK (length(meaning) = 32),
    ADD COLUMN delivery TEXT,
    ALTER COLUMN body DROP NOT NULL,
    DROP CONSTRAINT inbox_status_check,
    ADD CONSTRAINT inbox_status_check CHECK (status IN ('applied', 'parked', 'stored', 'dead'));
-- The ids of older rows have the millisecond of arrival, as new ids do (UUIDv7, RFC 9562).
UPDATE inbox SET id = decode(
    lpad(to_hex(received_at / 1000), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15), 'hex');
ALTER TABLE inbox
    ALTER COLUMN id SET NOT NULL,
    DROP CONSTRAINT inbox_pkey,
    ADD PRIMARY KEY (tenant_id, id);
CREATE UNIQUE INDEX inbox_event ON inbox (event_id, provider, tenant_id);
CREATE INDEX inbox_reference ON inbox (reference, tenant_id, id) WHERE reference IS NOT NULL;

ALTER TABLE quarantine
    ADD COLUMN id BYTEA CHECK (length(id) = 16),
    ADD COLUMN delivery TEXT;
ALTER TABLE quarantine DISABLE TRIGGER quarantine_immutable;
-- An event that is in the inbox as well has one id in both.
UPDATE quarantine AS q SET id = coalesce(
    (SELECT i.id FROM inbox AS i WHERE i.tenant_id = q.tenant_id AND i.provider = q.provider
        AND i.event_id = q.event_id AND i.body_hash = q.body_hash),
    decode(lpad(to_hex(received_at / 1000), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15), 'hex'));
ALTER TABLE quarantine ENABLE ALWAYS TRIGGER quarantine_immutable;
CREATE UNIQUE INDEX quarantine_id ON quarantine (tenant_id, id);
