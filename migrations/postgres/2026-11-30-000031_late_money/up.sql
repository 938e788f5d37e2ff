-- Money that arrived after its operation had failed goes to the merchant, or back to the payer. `../../sqlite` has the
-- same change for SQLite: change both files together.

-- What was decided about it. The rest of it is still unallocated.
ALTER TABLE operation
    ADD COLUMN allocated BIGINT NOT NULL DEFAULT 0 CHECK (allocated = 0 OR allocated = unallocated),
    ADD COLUMN given_back BIGINT NOT NULL DEFAULT 0
        CHECK (given_back >= 0 AND allocated + given_back <= unallocated),
    ADD COLUMN gives_back BYTEA CHECK (length(gives_back) = 16);  -- the operation whose late money a refund gives back

-- What happens to it by itself.
ALTER TABLE payment_terms ADD COLUMN late_money TEXT NOT NULL DEFAULT 'hold' CHECK (late_money IN ('hold', 'refund'));
