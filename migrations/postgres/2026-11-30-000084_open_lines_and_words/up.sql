-- Open lines of bank statements are looked at again, and refunds have a description. `../../sqlite` has the same
-- change for SQLite: change both files together.

CREATE INDEX reconciliation_exception_resolved ON reconciliation_exception (tenant_id, id) WHERE status = 'resolved';
CREATE INDEX bank_line_open ON bank_line (tenant_id, id) WHERE status = 'open';

ALTER TABLE operation ADD COLUMN description TEXT;  -- the tenant's own words about a refund
