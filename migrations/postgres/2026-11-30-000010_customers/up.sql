-- Customers, their payment methods, and what a payment is found by. `../../sqlite` has the same change for SQLite:
-- change both files together.

-- A payer whom the merchant knows. There is no personal data here.
CREATE TABLE customer (
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    tenant_id   BIGINT NOT NULL REFERENCES tenant,
    id          BYTEA  NOT NULL CHECK (length(id) = 16),
    external_id TEXT,                                   -- the merchant's own name for the customer
    description TEXT,
    metadata    TEXT,                                   -- a flat JSON object of texts
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX customer_external ON customer (external_id, tenant_id) WHERE external_id IS NOT NULL;
CREATE TRIGGER customer_kept BEFORE TRUNCATE ON customer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER customer_undeletable BEFORE DELETE ON customer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A provider's token that a customer can pay with again.
CREATE TABLE payment_method (
    created_at  BIGINT NOT NULL,
    detached_at BIGINT,                                 -- NULL: still attached
    tenant_id   BIGINT NOT NULL REFERENCES tenant,
    id          BYTEA  NOT NULL CHECK (length(id) = 16),
    customer_id BYTEA  NOT NULL CHECK (length(customer_id) = 16),
    provider    TEXT,                                   -- NULL: whichever provider a payment goes to
    token       TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX payment_method_attached ON payment_method (customer_id, id, tenant_id) WHERE detached_at IS NULL;
CREATE TRIGGER payment_method_kept BEFORE TRUNCATE ON payment_method
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_method_undeletable BEFORE DELETE ON payment_method
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_method_fixed BEFORE UPDATE ON payment_method FOR EACH ROW
    WHEN (OLD.detached_at IS NOT NULL
       OR (NEW.tenant_id, NEW.id, NEW.customer_id, NEW.provider, NEW.token, NEW.created_at)
          IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.customer_id, OLD.provider, OLD.token, OLD.created_at))
    EXECUTE FUNCTION refuse_because('a payment method is only detached, and once');

-- The texts of metadata, to find payments (kind 1) and customers (kind 2) by. Without metadata there is nothing here.
CREATE TABLE metadata_text (
    tenant_id BIGINT   NOT NULL,
    kind      SMALLINT NOT NULL CHECK (kind IN (1, 2)),
    key       TEXT     NOT NULL,
    value     TEXT     NOT NULL,
    subject   BYTEA    NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (kind, tenant_id, key, value, subject)
);

ALTER TABLE payment
    ADD COLUMN external_id TEXT,                        -- the merchant's own name for the payment
    ADD COLUMN description TEXT,
    ADD COLUMN metadata TEXT,                           -- a flat JSON object of texts
    ADD COLUMN customer_id BYTEA CHECK (length(customer_id) = 16),
    ADD COLUMN saved_method BYTEA CHECK (length(saved_method) = 16);

-- Older payments have a reference for the payer that is no customer. It becomes metadata.
UPDATE payment SET metadata = '{"customer":' || to_json(customer)::TEXT || '}' WHERE customer IS NOT NULL;
INSERT INTO metadata_text (tenant_id, kind, key, value, subject)
SELECT tenant_id, 1, 'customer', customer, id FROM payment WHERE customer IS NOT NULL;
ALTER TABLE payment DROP COLUMN customer;

CREATE UNIQUE INDEX payment_external ON payment (external_id, tenant_id) WHERE external_id IS NOT NULL;
CREATE INDEX payment_customer ON payment (customer_id, id, tenant_id) WHERE customer_id IS NOT NULL;
-- The key stays here when the row of the key is gone.
CREATE INDEX payment_key ON payment (idempotency_key, id, tenant_id);
CREATE INDEX dispute_payment ON dispute (payment_id, tenant_id, id);
