-- A payout is canceled before it is sent. `../../sqlite` has the same change for SQLite:
-- change both files together.

-- The state machines once more: `payments::machines` decides, this refuses what it would not do.
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
        ('operation', 'submitted', 'canceled'),
        ('operation', 'unknown', 'succeeded'),
        ('operation', 'unknown', 'failed'),
        ('payout', 'requires_approval', 'processing'),
        ('payout', 'requires_approval', 'canceled'),
        ('payout', 'processing', 'paid'),
        ('payout', 'processing', 'failed'),
        ('payout', 'processing', 'canceled'),
        ('approval', 'proposed', 'approved'),
        ('approval', 'proposed', 'rejected'),
        ('approval', 'proposed', 'expired'),
        ('approval', 'proposed', 'withdrawn'),
        ('dispute', 'open', 'won'),
        ('dispute', 'open', 'lost')
    ) THEN
        RAISE EXCEPTION 'a % never goes from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- What a bank gets is not canceled, and what was canceled goes to no bank.
CREATE FUNCTION refuse_canceled_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM bank_order_transfer AS t
                WHERE t.tenant_id = NEW.tenant_id AND t.operation_id = NEW.id) THEN
        RAISE EXCEPTION 'an operation in an order of a bank is not canceled' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operation_ordered BEFORE UPDATE OF status ON operation FOR EACH ROW
    WHEN (NEW.status = 'canceled' AND OLD.status <> 'canceled') EXECUTE FUNCTION refuse_canceled_in_order();
CREATE FUNCTION refuse_order_of_canceled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM operation AS o
                WHERE o.tenant_id = NEW.tenant_id AND o.id = NEW.operation_id AND o.status = 'canceled') THEN
        RAISE EXCEPTION 'a canceled operation goes to no bank' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_order_transfer_sent BEFORE INSERT ON bank_order_transfer FOR EACH ROW
    EXECUTE FUNCTION refuse_order_of_canceled();
