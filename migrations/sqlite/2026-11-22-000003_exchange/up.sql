-- On which terms currencies were exchanged. `../../postgres` says the same in PostgreSQL's words: a change
-- goes into both.

-- The transaction's posting 0 moves what was sold, posting 1 what was bought. One of the two amounts was
-- given, the other follows from it, exactly computed and rounded once.
CREATE TABLE exchange (
    sold           INTEGER NOT NULL CHECK (sold > 0),
    bought         INTEGER NOT NULL CHECK (bought > 0),
    quoted_at      INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    given          INTEGER NOT NULL CHECK (given IN (1, 2)),      -- 1 what is sold, 2 what is bought
    transaction_id BLOB    NOT NULL,
    rate           TEXT    NOT NULL,         -- units bought for one unit sold, a plain decimal
    rounding       TEXT    NOT NULL CHECK (rounding IN ('half_even', 'half_up', 'down', 'up')),
    source         TEXT    NOT NULL,         -- who quoted the rate
    PRIMARY KEY (tenant_id, transaction_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER exchange_immutable BEFORE UPDATE ON exchange
BEGIN SELECT RAISE(ABORT, 'rows of exchange are never changed or deleted'); END;
CREATE TRIGGER exchange_kept BEFORE DELETE ON exchange
BEGIN SELECT RAISE(ABORT, 'rows of exchange are never changed or deleted'); END;
