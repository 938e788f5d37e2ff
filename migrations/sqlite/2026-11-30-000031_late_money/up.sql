-- Money that arrived after its operation had failed goes to the merchant, or back to the payer. `../../postgres` has the
-- same change for PostgreSQL: change both files together.

-- What was decided about it. The rest of it is still unallocated.
ALTER TABLE operation ADD COLUMN allocated INTEGER NOT NULL DEFAULT 0
    CHECK (allocated = 0 OR allocated = unallocated);
ALTER TABLE operation ADD COLUMN given_back INTEGER NOT NULL DEFAULT 0
    CHECK (given_back >= 0 AND allocated + given_back <= unallocated);
-- The operation whose late money a refund gives back.
ALTER TABLE operation ADD COLUMN gives_back BLOB CHECK (length(gives_back) = 16);

-- What happens to it by itself.
ALTER TABLE payment_terms ADD COLUMN late_money TEXT NOT NULL DEFAULT 'hold' CHECK (late_money IN ('hold', 'refund'));
