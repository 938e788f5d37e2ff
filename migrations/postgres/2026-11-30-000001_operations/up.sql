-- Payments are authorized, captured, incremented, voided and refunded. `../../sqlite` has the same change for SQLite:
-- change both files together.

-- What is left of an authorization is a column, changed in the commit that uses it: captured + capturable + released,
-- and the part of it that is in flight, are the authorized amount. `refunded` counts refunds from the moment in which
-- they are made.
ALTER TABLE payment
    ADD COLUMN capture_method TEXT NOT NULL DEFAULT 'automatic' CHECK (capture_method IN ('automatic', 'manual')),
    ADD COLUMN capturable BIGINT NOT NULL DEFAULT 0 CHECK (capturable >= 0),
    ADD COLUMN released BIGINT NOT NULL DEFAULT 0
        CHECK (released >= 0 AND captured + capturable + released <= authorized),
    ADD COLUMN incrementing BIGINT NOT NULL DEFAULT 0 CHECK (incrementing >= 0),
    ADD COLUMN action_url TEXT,                        -- where the payer must go
    ADD COLUMN provider TEXT,                          -- of the last attempt
    ADD COLUMN charge_ref TEXT,                        -- the provider's charge that has succeeded
    ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0,    -- conversations with a provider so far
    ADD COLUMN operations INTEGER NOT NULL DEFAULT 0,  -- operations so far
    ADD COLUMN capture_before BIGINT;                  -- when the authorization is given up

-- An operation has a place among those of its payment, takes a part of the authorization, and answers a request.
ALTER TABLE operation RENAME COLUMN payment_id TO subject_id;  -- the payment, or the payout
ALTER TABLE operation
    DROP CONSTRAINT operation_tenant_id_payment_id_fkey,
    ALTER COLUMN attempt TYPE INTEGER,
    ADD COLUMN source BYTEA CHECK (length(source) = 16),  -- the account that a payout is paid from
    ADD COLUMN ordinal INTEGER,                        -- the payment's first, second … operation
    ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    ADD COLUMN charge_ref TEXT,                        -- the charge that the operation is about
    ADD COLUMN reason TEXT,
    ADD COLUMN idempotency_key TEXT NOT NULL DEFAULT '';  -- of the request that waits; empty: of none
UPDATE operation AS o
   SET ordinal = o.attempt,
       idempotency_key = CASE WHEN o.status IN ('created', 'submitted', 'unknown') THEN p.idempotency_key ELSE '' END
  FROM payment AS p
 WHERE p.tenant_id = o.tenant_id AND p.id = o.subject_id;
ALTER TABLE operation
    ALTER COLUMN ordinal SET NOT NULL,
    ALTER COLUMN reserved DROP DEFAULT,
    ALTER COLUMN idempotency_key DROP DEFAULT,
    ADD CHECK (ordinal > 0),
    ADD CHECK (length(subject_id) = 16),
    ADD CHECK (kind IN ('charge', 'authorize', 'capture', 'void', 'increment', 'refund', 'refund_return', 'payout',
                        'payout_return')),
    DROP CONSTRAINT operation_payment_id_attempt_tenant_id_key,
    ADD UNIQUE (subject_id, ordinal, tenant_id);
CREATE INDEX operation_refunds ON operation (tenant_id, id) WHERE kind = 'refund';

-- The history of payouts and of approvals is in the same table.
ALTER TABLE transition
    DROP CONSTRAINT transition_machine_check,
    ADD CHECK (machine IN ('payment', 'operation', 'payout', 'approval', 'dispute'));

UPDATE payment AS p
   SET attempts = o.attempts, operations = o.attempts, provider = o.provider, charge_ref = o.charge_ref
  FROM (SELECT tenant_id, subject_id, count(*)::INTEGER AS attempts,
               (array_agg(provider ORDER BY ordinal DESC))[1] AS provider,
               max(provider_ref) FILTER (WHERE status = 'succeeded') AS charge_ref
          FROM operation GROUP BY tenant_id, subject_id) AS o
 WHERE o.tenant_id = p.tenant_id AND o.subject_id = p.id;

-- The state machines once more: `payments::state` decides, this refuses what it would not do.
CREATE OR REPLACE FUNCTION refuse_illegal_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT (TG_TABLE_NAME, OLD.status, NEW.status) IN (
        ('payment', 'requires_payment_method', 'processing'),
        ('payment', 'requires_payment_method', 'canceled'),
        ('payment', 'requires_confirmation', 'processing'),
        ('payment', 'requires_confirmation', 'canceled'),
        ('payment', 'processing', 'requires_action'),
        ('payment', 'processing', 'requires_capture'),
        ('payment', 'processing', 'requires_payment_method'),
        ('payment', 'processing', 'succeeded'),
        ('payment', 'processing', 'canceled'),
        ('payment', 'requires_action', 'requires_capture'),
        ('payment', 'requires_action', 'requires_payment_method'),
        ('payment', 'requires_action', 'succeeded'),
        ('payment', 'requires_capture', 'processing'),
        ('operation', 'created', 'submitted'),
        ('operation', 'submitted', 'succeeded'),
        ('operation', 'submitted', 'failed'),
        ('operation', 'submitted', 'unknown'),
        ('operation', 'unknown', 'succeeded'),
        ('operation', 'unknown', 'failed'),
        ('payout', 'requires_approval', 'processing'),
        ('payout', 'requires_approval', 'canceled'),
        ('payout', 'processing', 'paid'),
        ('payout', 'processing', 'failed'),
        ('approval', 'proposed', 'approved'),
        ('approval', 'proposed', 'rejected'),
        ('approval', 'proposed', 'expired'),
        ('dispute', 'open', 'won'),
        ('dispute', 'open', 'lost')
    ) THEN
        RAISE EXCEPTION 'a % never goes from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- The errand of an operation is named after it.
UPDATE errand SET kind = 'operation' WHERE kind = 'charge';
