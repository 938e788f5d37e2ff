-- Customers, their payment methods, and what a payment is found by. `../../postgres` has the same change for
-- PostgreSQL: change both files together.

-- A payer whom the merchant knows. There is no personal data here.
CREATE TABLE customer (
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    external_id TEXT,                                   -- the merchant's own name for the customer
    description TEXT,
    metadata    TEXT,                                   -- a flat JSON object of texts
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX customer_external ON customer (external_id, tenant_id) WHERE external_id IS NOT NULL;
CREATE TRIGGER customer_undeletable BEFORE DELETE ON customer
BEGIN SELECT RAISE(ABORT, 'rows of customer are never changed or deleted'); END;

-- A provider's token that a customer can pay with again.
CREATE TABLE payment_method (
    created_at  INTEGER NOT NULL,
    detached_at INTEGER,                                -- NULL: still attached
    tenant_id   INTEGER NOT NULL REFERENCES tenant,
    id          BLOB NOT NULL CHECK (length(id) = 16),
    customer_id BLOB NOT NULL CHECK (length(customer_id) = 16),
    provider    TEXT,                                   -- NULL: whichever provider a payment goes to
    token       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX payment_method_attached ON payment_method (customer_id, id, tenant_id) WHERE detached_at IS NULL;
CREATE TRIGGER payment_method_undeletable BEFORE DELETE ON payment_method
BEGIN SELECT RAISE(ABORT, 'rows of payment_method are never changed or deleted'); END;
CREATE TRIGGER payment_method_fixed BEFORE UPDATE ON payment_method
WHEN OLD.detached_at IS NOT NULL OR NEW.tenant_id <> OLD.tenant_id OR NEW.id <> OLD.id
  OR NEW.customer_id <> OLD.customer_id OR NEW.provider IS NOT OLD.provider OR NEW.token <> OLD.token
  OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'a payment method is only detached, and once'); END;

-- The texts of metadata, to find payments (kind 1) and customers (kind 2) by. Without metadata there is nothing here.
CREATE TABLE metadata_text (
    tenant_id INTEGER NOT NULL,
    kind      INTEGER NOT NULL CHECK (kind IN (1, 2)),
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    subject   BLOB NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (kind, tenant_id, key, value, subject)
) STRICT, WITHOUT ROWID;

ALTER TABLE payment ADD COLUMN external_id TEXT;        -- the merchant's own name for the payment
ALTER TABLE payment ADD COLUMN description TEXT;
ALTER TABLE payment ADD COLUMN metadata TEXT;           -- a flat JSON object of texts
ALTER TABLE payment ADD COLUMN customer_id BLOB CHECK (length(customer_id) = 16);
ALTER TABLE payment ADD COLUMN saved_method BLOB CHECK (length(saved_method) = 16);

-- Older payments have a reference for the payer that is no customer. It becomes metadata.
UPDATE payment SET metadata = '{"customer":' || json_quote(customer) || '}' WHERE customer IS NOT NULL;
INSERT INTO metadata_text (tenant_id, kind, key, value, subject)
SELECT tenant_id, 1, 'customer', customer, id FROM payment WHERE customer IS NOT NULL;
ALTER TABLE payment DROP COLUMN customer;

CREATE UNIQUE INDEX payment_external ON payment (external_id, tenant_id) WHERE external_id IS NOT NULL;
CREATE INDEX payment_customer ON payment (customer_id, id, tenant_id) WHERE customer_id IS NOT NULL;
-- The key stays here when the row of the key is gone.
CREATE INDEX payment_key ON payment (idempotency_key, id, tenant_id);
CREATE INDEX dispute_payment ON dispute (payment_id, tenant_id, id);
