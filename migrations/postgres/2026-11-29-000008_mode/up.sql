-- Whether the money in these books is real. `../../sqlite` says the same in SQLite's words: a change
-- goes into both.

-- One row, written when the books are begun. mode: 1 sandbox, 2 live.
CREATE TABLE books (
    begun_at BIGINT   NOT NULL,
    number   SMALLINT NOT NULL PRIMARY KEY CHECK (number = 1),
    mode     SMALLINT NOT NULL CHECK (mode IN (1, 2))
);

-- Older books: the first tenant was called `main` in live mode and `demo` in the sandbox, and `florin bench`
-- called its own otherwise. A key of the sandbox says nothing: it could be added to live books.
INSERT INTO books (begun_at, number, mode)
SELECT min(created_at), 1, max(CASE WHEN tenant_id = 1 AND name = 'main' THEN 2 ELSE 1 END)
  FROM tenant
HAVING count(*) > 0;

CREATE TRIGGER books_immutable BEFORE UPDATE OR DELETE ON books
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER books_kept BEFORE TRUNCATE ON books
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE books ENABLE ALWAYS TRIGGER books_immutable;
ALTER TABLE books ENABLE ALWAYS TRIGGER books_kept;
