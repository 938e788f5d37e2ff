-- Customers can be suspended, payouts name the customer whom they pay, and each change of an operation makes its next
-- version. `../../sqlite` has the same change for SQLite: change both files together.

ALTER TABLE customer ADD COLUMN standing TEXT NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'suspended'));

ALTER TABLE payout ADD COLUMN customer_id BYTEA CHECK (length(customer_id) = 16);

-- What was changed before counts as the first version.
ALTER TABLE operation ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
