-- On which terms currencies were exchanged. `../../sqlite` says the same in SQLite's words: a change goes
-- into both.

-- The transaction's posting 0 moves what was sold, posting 1 what was bought. One of the two amounts was
-- given, the other follows from it, exactly computed and rounded once.
CREATE TABLE exchange (
    sold           BIGINT   NOT NULL CHECK (sold > 0),
    bought         BIGINT   NOT NULL CHECK (bought > 0),
    quoted_at      BIGINT   NOT NULL,
    tenant_id      INTEGER  NOT NULL,
    given          SMALLINT NOT NULL CHECK (given IN (1, 2)),      -- 1 what is sold, 2 what is bought
    transaction_id BYTEA    NOT NULL,
    rate           TEXT     NOT NULL,        -- units bought for one unit sold, a plain decimal
    rounding       TEXT     NOT NULL CHECK (rounding IN ('half_even', 'half_up', 'down', 'up')),
    source         TEXT     NOT NULL,        -- who quoted the rate
    PRIMARY KEY (tenant_id, transaction_id)
);

CREATE TRIGGER exchange_immutable BEFORE UPDATE OR DELETE ON exchange
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exchange_kept BEFORE TRUNCATE ON exchange
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE exchange ENABLE ALWAYS TRIGGER exchange_immutable;
ALTER TABLE exchange ENABLE ALWAYS TRIGGER exchange_kept;
