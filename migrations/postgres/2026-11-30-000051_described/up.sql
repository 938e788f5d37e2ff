-- Refunds and payouts have metadata too. `../../sqlite` has the same change for SQLite: change both files together.

ALTER TABLE operation ADD COLUMN metadata TEXT;         -- of a refund: a flat JSON object of texts
ALTER TABLE payout ADD COLUMN metadata TEXT;            -- a flat JSON object of texts

-- The texts of metadata: of payments (kind 1), customers (2), refunds (3) and payouts (4).
ALTER TABLE metadata_text
    DROP CONSTRAINT metadata_text_kind_check,
    ADD CHECK (kind BETWEEN 1 AND 4);
