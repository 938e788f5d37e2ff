-- A payout is canceled before it is sent. `../../postgres` has the same change for PostgreSQL:
-- change both files together.

-- The state machines once more: `payments::machines` decides, this refuses what it would not do.
DROP TRIGGER operation_edges;
CREATE TRIGGER operation_edges BEFORE UPDATE OF status ON operation
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('created', 'submitted'),
    ('submitted', 'succeeded'),
    ('submitted', 'failed'),
    ('submitted', 'unknown'),
    ('submitted', 'canceled'),
    ('unknown', 'succeeded'),
    ('unknown', 'failed')
) BEGIN SELECT RAISE(ABORT, 'an operation never goes this way'); END;
DROP TRIGGER payout_edges;
CREATE TRIGGER payout_edges BEFORE UPDATE OF status ON payout
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('requires_approval', 'processing'),
    ('requires_approval', 'canceled'),
    ('processing', 'paid'),
    ('processing', 'failed'),
    ('processing', 'canceled')
) BEGIN SELECT RAISE(ABORT, 'a payout never goes this way'); END;
DROP TRIGGER approval_edges;
CREATE TRIGGER approval_edges BEFORE UPDATE OF status ON approval
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('proposed', 'approved'),
    ('proposed', 'rejected'),
    ('proposed', 'expired'),
    ('proposed', 'withdrawn')
) BEGIN SELECT RAISE(ABORT, 'an approval never goes this way'); END;

-- What a bank gets is not canceled, and what was canceled goes to no bank.
CREATE TRIGGER operation_ordered BEFORE UPDATE OF status ON operation
WHEN NEW.status = 'canceled' AND OLD.status <> 'canceled' AND EXISTS (
    SELECT 1 FROM bank_order_transfer AS t WHERE t.tenant_id = NEW.tenant_id AND t.operation_id = NEW.id
) BEGIN SELECT RAISE(ABORT, 'an operation in an order of a bank is not canceled'); END;
CREATE TRIGGER bank_order_transfer_sent BEFORE INSERT ON bank_order_transfer
WHEN EXISTS (
    SELECT 1 FROM operation AS o
     WHERE o.tenant_id = NEW.tenant_id AND o.id = NEW.operation_id AND o.status = 'canceled'
) BEGIN SELECT RAISE(ABORT, 'a canceled operation goes to no bank'); END;
