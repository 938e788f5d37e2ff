-- Bank accounts that payouts go to, and the orders of payouts that a bank gets as files. `../../postgres` has the same
-- change for PostgreSQL: change both files together.

-- The only place with the names and numbers of payees.
CREATE TABLE bank_account (
    created_at INTEGER NOT NULL,
    closed_at  INTEGER,                                           -- NULL: it gets payouts
    tenant_id  INTEGER NOT NULL REFERENCES tenant,
    id         BLOB NOT NULL CHECK (length(id) = 16),
    holder     TEXT NOT NULL,
    iban       TEXT NOT NULL,
    bic        TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TRIGGER bank_account_undeletable BEFORE DELETE ON bank_account
BEGIN SELECT RAISE(ABORT, 'rows of bank_account are never changed or deleted'); END;
CREATE TRIGGER bank_account_fixed BEFORE UPDATE ON bank_account
WHEN OLD.closed_at IS NOT NULL OR NEW.tenant_id <> OLD.tenant_id OR NEW.id <> OLD.id OR NEW.holder <> OLD.holder
  OR NEW.iban <> OLD.iban OR NEW.bic IS NOT OLD.bic OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'a bank account is only closed, and once'); END;

-- `file` has the bytes that the bank gets.
CREATE TABLE bank_order (
    sum          INTEGER NOT NULL CHECK (sum > 0),
    transfers    INTEGER NOT NULL CHECK (transfers > 0),
    requested_on INTEGER NOT NULL,                                -- days since 1970
    created_at   INTEGER NOT NULL,
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    id           BLOB NOT NULL CHECK (length(id) = 16),
    provider     TEXT NOT NULL,
    currency     TEXT NOT NULL,
    file         BLOB NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TRIGGER bank_order_immutable BEFORE UPDATE ON bank_order
BEGIN SELECT RAISE(ABORT, 'rows of bank_order are never changed or deleted'); END;
CREATE TRIGGER bank_order_kept BEFORE DELETE ON bank_order
BEGIN SELECT RAISE(ABORT, 'rows of bank_order are never changed or deleted'); END;

-- The payouts of an order. A payout is in one order at most: the primary key says so.
CREATE TABLE bank_order_transfer (
    position     INTEGER NOT NULL CHECK (position > 0),
    tenant_id    INTEGER NOT NULL REFERENCES tenant,
    operation_id BLOB NOT NULL CHECK (length(operation_id) = 16),
    order_id     BLOB NOT NULL CHECK (length(order_id) = 16),
    PRIMARY KEY (tenant_id, operation_id)
) STRICT;
CREATE UNIQUE INDEX bank_order_transfers ON bank_order_transfer (order_id, tenant_id, position);
CREATE TRIGGER bank_order_transfer_immutable BEFORE UPDATE ON bank_order_transfer
BEGIN SELECT RAISE(ABORT, 'rows of bank_order_transfer are never changed or deleted'); END;
CREATE TRIGGER bank_order_transfer_kept BEFORE DELETE ON bank_order_transfer
BEGIN SELECT RAISE(ABORT, 'rows of bank_order_transfer are never changed or deleted'); END;
