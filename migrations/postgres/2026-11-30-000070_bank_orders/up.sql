-- Bank accounts that payouts go to, and the orders of payouts that a bank gets as files. `../../sqlite` has the same
-- change for SQLite: change both files together.

-- The only place with the names and numbers of payees.
CREATE TABLE bank_account (
    created_at BIGINT NOT NULL,
    closed_at  BIGINT,                                            -- NULL: it gets payouts
    tenant_id  BIGINT NOT NULL REFERENCES tenant,
    id         BYTEA  NOT NULL CHECK (length(id) = 16),
    holder     TEXT   NOT NULL,
    iban       TEXT   NOT NULL,
    bic        TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE TRIGGER bank_account_kept BEFORE TRUNCATE ON bank_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_account_undeletable BEFORE DELETE ON bank_account
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_account_fixed BEFORE UPDATE ON bank_account FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL
       OR (NEW.tenant_id, NEW.id, NEW.holder, NEW.iban, NEW.bic, NEW.created_at)
          IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.holder, OLD.iban, OLD.bic, OLD.created_at))
    EXECUTE FUNCTION refuse_because('a bank account is only closed, and once');

-- `file` has the bytes that the bank gets.
CREATE TABLE bank_order (
    sum          BIGINT  NOT NULL CHECK (sum > 0),
    transfers    INTEGER NOT NULL CHECK (transfers > 0),
    requested_on INTEGER NOT NULL,                                -- days since 1970
    created_at   BIGINT  NOT NULL,
    tenant_id    BIGINT  NOT NULL REFERENCES tenant,
    id           BYTEA   NOT NULL CHECK (length(id) = 16),
    provider     TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    file         BYTEA   NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TRIGGER bank_order_immutable BEFORE UPDATE OR DELETE ON bank_order
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_order_kept BEFORE TRUNCATE ON bank_order
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE bank_order ENABLE ALWAYS TRIGGER bank_order_immutable;
ALTER TABLE bank_order ENABLE ALWAYS TRIGGER bank_order_kept;

-- The payouts of an order. A payout is in one order at most: the primary key says so.
CREATE TABLE bank_order_transfer (
    position     INTEGER NOT NULL CHECK (position > 0),
    tenant_id    BIGINT  NOT NULL REFERENCES tenant,
    operation_id BYTEA   NOT NULL CHECK (length(operation_id) = 16),
    order_id     BYTEA   NOT NULL CHECK (length(order_id) = 16),
    PRIMARY KEY (tenant_id, operation_id)
);
CREATE UNIQUE INDEX bank_order_transfers ON bank_order_transfer (order_id, tenant_id, position);
CREATE TRIGGER bank_order_transfer_immutable BEFORE UPDATE OR DELETE ON bank_order_transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_order_transfer_kept BEFORE TRUNCATE ON bank_order_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE bank_order_transfer ENABLE ALWAYS TRIGGER bank_order_transfer_immutable;
ALTER TABLE bank_order_transfer ENABLE ALWAYS TRIGGER bank_order_transfer_kept;
