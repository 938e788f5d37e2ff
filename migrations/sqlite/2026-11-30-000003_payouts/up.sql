-- Payouts, and approvals by a second person. `../../postgres` has the same change for PostgreSQL: change both files
-- together.

CREATE TABLE payout (
    amount          INTEGER NOT NULL CHECK (amount > 0),
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    tenant_id       INTEGER NOT NULL REFERENCES tenant,
    operations      INTEGER NOT NULL,        -- operations so far
    is_returned     INTEGER NOT NULL CHECK (is_returned IN (0, 1)),
    id              BLOB NOT NULL CHECK (length(id) = 16),
    source          BLOB CHECK (length(source) = 16),  -- the account that pays; NULL: the merchant's available money
    approval        BLOB CHECK (length(approval) = 16),
    currency        TEXT NOT NULL,
    destination     TEXT NOT NULL,
    description     TEXT,
    status          TEXT NOT NULL,
    provider        TEXT NOT NULL,
    decline_code    TEXT,
    idempotency_key TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TRIGGER payout_undeletable BEFORE DELETE ON payout
BEGIN SELECT RAISE(ABORT, 'rows of payout are never changed or deleted'); END;
CREATE TRIGGER payout_edges BEFORE UPDATE OF status ON payout
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('requires_approval', 'processing'),
    ('requires_approval', 'canceled'),
    ('processing', 'paid'),
    ('processing', 'failed')
) BEGIN SELECT RAISE(ABORT, 'a payout never goes this way'); END;

-- What one person proposes and another one decides. The second is not the first.
CREATE TABLE approval (
    expires_at  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    decided_at  INTEGER,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    subject     BLOB NOT NULL CHECK (length(subject) = 16),  -- what it is about, by the action
    action      TEXT NOT NULL,
    status      TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    decided_by  TEXT CHECK (decided_by <> proposed_by),
    reason      TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TRIGGER approval_undeletable BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'rows of approval are never changed or deleted'); END;
CREATE TRIGGER approval_edges BEFORE UPDATE OF status ON approval
WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES
    ('proposed', 'approved'),
    ('proposed', 'rejected'),
    ('proposed', 'expired')
) BEGIN SELECT RAISE(ABORT, 'an approval never goes this way'); END;
