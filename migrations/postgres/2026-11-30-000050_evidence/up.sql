-- Evidence of the merchant for a dispute. `../../sqlite` has the same change for SQLite: change both files together.

-- The evidence is a draft until it is sent, and what was sent stays as it is.
ALTER TABLE dispute
    ADD COLUMN evidence TEXT,                                  -- a flat JSON object of texts; NULL: nothing was written
    ADD COLUMN evidence_due_by BIGINT,                         -- NULL: the provider does not tell it
    ADD COLUMN submissions INTEGER NOT NULL DEFAULT 0 CHECK (submissions >= 0),
    ADD COLUMN submission BYTEA CHECK (length(submission) = 16),  -- the operation that sends it
    ADD COLUMN submitted_at BIGINT,                            -- when the provider had taken it
    ADD COLUMN evidence_decline_code TEXT;                     -- why the provider refused it the last time
CREATE TRIGGER dispute_evidence_sent BEFORE UPDATE ON dispute FOR EACH ROW
    WHEN ((OLD.submission IS NOT NULL AND NEW.evidence IS DISTINCT FROM OLD.evidence)
       OR (OLD.submitted_at IS NOT NULL
           AND (NEW.submitted_at, NEW.submission) IS DISTINCT FROM (OLD.submitted_at, OLD.submission))
       OR (NEW.submission IS NOT NULL AND NEW.evidence IS NULL)
       OR (NEW.submitted_at IS NOT NULL AND NEW.submission IS NULL))
    EXECUTE FUNCTION refuse_because('evidence that was sent is never changed');

-- An operation can send evidence.
ALTER TABLE operation
    DROP CONSTRAINT operation_kind_check,
    ADD CHECK (kind IN ('charge', 'authorize', 'capture', 'void', 'increment', 'refund', 'refund_return', 'payout',
                        'payout_return', 'evidence'));
