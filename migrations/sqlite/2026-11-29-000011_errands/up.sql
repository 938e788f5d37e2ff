-- Errands: work that is due at some time and belongs to no request, of all tenants in one table. `due_at` is when it
-- may be taken; while somebody works on it, when their lease runs out. `epoch` grows with every lease: only the
-- newest holder may record an outcome.
CREATE TABLE errand (
    due_at    INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL REFERENCES tenant,
    epoch     INTEGER NOT NULL CHECK (epoch >= 0),
    kind      TEXT    NOT NULL,
    place     TEXT    NOT NULL,              -- whose places the work takes, as a provider's name; may be empty
    subject   BLOB    NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (tenant_id, kind, subject)
) STRICT;
CREATE INDEX errand_due ON errand (due_at);

INSERT INTO errand (due_at, tenant_id, epoch, kind, place, subject)
SELECT leased_until, tenant_id, lease_epoch, 'charge', provider, id
  FROM operation WHERE status IN ('created', 'submitted', 'unknown');
INSERT INTO errand (due_at, tenant_id, epoch, kind, place, subject)
SELECT MIN(expires_at), tenant_id, 0, 'expiry', '', transaction_id
  FROM hold WHERE status = 1 AND expires_at IS NOT NULL GROUP BY tenant_id, transaction_id;

-- The lease of an operation is its errand's.
DROP INDEX operation_unfinished;
ALTER TABLE operation DROP COLUMN leased_until;
ALTER TABLE operation DROP COLUMN lease_epoch;

-- What is pending is found by its errand once its time is over.
DROP INDEX hold_due;
ALTER TABLE hold DROP COLUMN due_at;
