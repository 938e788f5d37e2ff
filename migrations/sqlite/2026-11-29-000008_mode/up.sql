-- Whether the money in these books is real. `../../postgres` says the same in PostgreSQL's words: a
-- change goes into both.

-- One row, written when the books are begun. mode: 1 sandbox, 2 live.
CREATE TABLE books (
    begun_at INTEGER NOT NULL,
    number   INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
    mode     INTEGER NOT NULL CHECK (mode IN (1, 2))
) STRICT;

-- Older books: the first tenant was called `main` in live mode and `demo` in the sandbox, and `florin bench`
-- called its own otherwise. A key of the sandbox says nothing: it could be added to live books.
INSERT INTO books (begun_at, number, mode)
SELECT min(created_at), 1, max(CASE WHEN tenant_id = 1 AND name = 'main' THEN 2 ELSE 1 END)
  FROM tenant
HAVING count(*) > 0;

CREATE TRIGGER books_immutable BEFORE UPDATE ON books
BEGIN SELECT RAISE(ABORT, 'rows of books are never changed or deleted'); END;
CREATE TRIGGER books_kept BEFORE DELETE ON books
BEGIN SELECT RAISE(ABORT, 'rows of books are never changed or deleted'); END;
