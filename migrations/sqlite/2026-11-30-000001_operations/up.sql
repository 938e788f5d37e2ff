-- Payments are authorized, captured, incremented, voided and refunded. `../../postgres` has the same change for
-- PostgreSQL: change both files together.

-- What is left of an authorization is a column, changed in the commit that uses it: captured + capturable + released,
-- and the part of it that is in flight, are the authorized amount. `refunded` counts refunds from the moment in which
-- they are made.
ALTER TABLE payment ADD COLUMN capture_method TEXT NOT NULL DEFAULT 'automatic'
    CHECK (capture_method IN ('automatic', 'manual'));
ALTER TABLE payment ADD COLUMN capturable INTEGER NOT NULL DEFAULT 0 CHECK (capturable >= 0);
ALTER TABLE payment ADD COLUMN released INTEGER NOT NULL DEFAULT 0
    CHECK (released >= 0 AND captured + capturable + released <= authorized);
ALTER TABLE payment ADD COLUMN incrementing INTEGER NOT NULL DEFAULT 0 CHECK (incrementing >= 0);
ALTER TABLE payment ADD COLUMN action_url TEXT;                        -- where the payer must go
ALTER TABLE payment ADD COLUMN provider TEXT;                          -- of the last attempt
ALTER TABLE payment ADD COLUMN charge_ref TEXT;                        -- the provider's charge that has succeeded
ALTER TABLE payment ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;    -- conversations with a provider so far
ALTER TABLE payment ADD COLUMN operations INTEGER NOT NULL DEFAULT 0;  -- operations so far
ALTER TABLE payment ADD COLUMN capture_before INTEGER;                 -- when the authorization is given up

-- An operation has a place among those of its payment, takes a part of the authorization, and answers a request.
PRAGMA legacy_alter_table = ON;
CREATE TABLE operation_copy (
    amount          INTEGER NOT NULL CHECK (amount > 0),
    reserved        INTEGER NOT NULL CHECK (reserved >= 0),
    created_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL,
    ordinal         INTEGER NOT NULL CHECK (ordinal > 0),   -- the payment's first, second … operation
    attempt         INTEGER NOT NULL,                       -- the payment's first, second … conversation
    id              BLOB NOT NULL CHECK (length(id) = 16),
    subject_id      BLOB NOT NULL CHECK (length(subject_id) = 16),  -- the payment, or the payout
    kind            TEXT NOT NULL CHECK (kind IN
        ('charge', 'authorize', 'capture', 'void', 'increment', 'refund', 'refund_return', 'payout', 'payout_return')),
    source          BLOB CHECK (length(source) = 16),       -- the account that a payout is paid from
    status          TEXT NOT NULL,
    provider        TEXT NOT NULL,
    provider_key    TEXT NOT NULL,
    provider_ref    TEXT,
    charge_ref      TEXT,                                   -- the charge that the operation is about
    decline_code    TEXT,                                   -- NULL: not refused, or older than this column
    currency        TEXT NOT NULL,
    payment_method  TEXT NOT NULL,
    reason          TEXT,
    idempotency_key TEXT NOT NULL,                          -- of the request that waits; empty: of none
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider_key),
    UNIQUE (tenant_id, subject_id, ordinal)
) STRICT;
INSERT INTO operation_copy (amount, reserved, created_at, tenant_id, ordinal, attempt, id, subject_id, kind, status,
                            provider, provider_key, provider_ref, charge_ref, decline_code, currency, payment_method,
                            reason, idempotency_key)
SELECT o.amount, 0, o.created_at, o.tenant_id, o.attempt, o.attempt, o.id, o.payment_id, o.kind, o.status,
       o.provider, o.provider_key, o.provider_ref, NULL, o.decline_code, o.currency, o.payment_method,
       NULL, iif(o.status IN ('created', 'submitted', 'unknown'), p.idempotency_key, '')
  FROM operation AS o JOIN payment AS p ON p.tenant_id = o.tenant_id AND p.id = o.payment_id
 ORDER BY o.rowid;
DROP TABLE operation;
ALTER TABLE operation_copy RENAME TO operation;
CREATE INDEX operation_refunds ON operation (tenant_id, id) WHERE kind = 'refund';

-- The history of payouts and of approvals is in the same table.
CREATE TABLE transition_copy (
    at         INTEGER NOT NULL,
    tenant_id  INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    subject    BLOB NOT NULL,
    machine    TEXT NOT NULL CHECK (machine IN ('payment', 'operation', 'payout', 'approval', 'dispute')),
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, subject, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO transition_copy (at, tenant_id, ordinal, subject, machine, from_state, to_state)
SELECT at, tenant_id, ordinal, subject, machine, from_state, to_state FROM transition
 ORDER BY tenant_id, subject, ordinal;
DROP TABLE transition;
ALTER TABLE transition_copy RENAME TO transition;
CREATE TRIGGER transition_immutable BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'rows of transition are never changed or deleted'); END;
CREATE TRIGGER transition_kept BEFORE DELETE ON transition
BEGIN SELECT RAISE(ABORT, 'rows of transition are never changed or deleted'); END;

UPDATE payment
   SET attempts = (SELECT count(*) FROM operation AS o WHERE o.tenant_id = payment.tenant_id AND o.subject_id = payment.id),
       operations = (SELECT count(*) FROM operation AS o WHERE o.tenant_id = payment.tenant_id AND o.subject_id = payment.id),
       provider = (SELECT o.provider FROM operation AS o
                    WHERE o.tenant_id = payment.tenant_id AND o.subject_id = payment.id
                    ORDER BY o.ordinal DESC LIMIT 1),
       charge_ref = (SELECT o.provider_ref FROM operation AS o
                      WHERE o.tenant_id = payment.tenant_id AND o.subject_id = payment.id AND o.status = 'succeeded');

CREATE TRIGGER operation_undeletable BEFORE DELETE ON operation
BEGIN SELECT RAISE(ABORT, 'rows of operation are never changed or deleted'); END;

-- The state machines once more: `payments::state` decides, this refuses what it would not do.
DROP TRIGGER payment_edges;
CREATE TRIGGER payment_edges BEFORE UPDATE OF status ON payment
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('requires_payment_method', 'processing'),
    ('requires_payment_method', 'canceled'),
    ('requires_confirmation', 'processing'),
    ('requires_confirmation', 'canceled'),
    ('processing', 'requires_action'),
    ('processing', 'requires_capture'),
    ('processing', 'requires_payment_method'),
    ('processing', 'succeeded'),
    ('processing', 'canceled'),
    ('requires_action', 'requires_capture'),
    ('requires_action', 'requires_payment_method'),
    ('requires_action', 'succeeded'),
    ('requires_capture', 'processing')
) BEGIN SELECT RAISE(ABORT, 'a payment never goes this way'); END;
CREATE TRIGGER operation_edges BEFORE UPDATE OF status ON operation
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('created', 'submitted'),
    ('submitted', 'succeeded'),
    ('submitted', 'failed'),
    ('submitted', 'unknown'),
    ('unknown', 'succeeded'),
    ('unknown', 'failed')
) BEGIN SELECT RAISE(ABORT, 'an operation never goes this way'); END;

-- The errand of an operation is named after it.
UPDATE errand SET kind = 'operation' WHERE kind = 'charge';
