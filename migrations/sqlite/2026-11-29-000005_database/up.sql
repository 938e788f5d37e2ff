-- What the program keeps about the database, and not about the books: one row.
CREATE TABLE housekeeping (
    touched_at INTEGER NOT NULL,            -- when a server last tried whether it can write
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    program    TEXT    NOT NULL             -- the version of Florin that made the schema what it is
) STRICT, WITHOUT ROWID;
INSERT INTO housekeeping (touched_at, id, program) VALUES (0, 1, '');
