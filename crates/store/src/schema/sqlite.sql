-- The schema as one line an object: what kind, of which table, its name, and what it is. Columns and
-- constraints are part of their table's text.
SELECT CASE WHEN type = 'index' AND sql LIKE 'CREATE UNIQUE%' THEN 'unique index' ELSE type END AS kind,
       tbl_name AS owner,
       CASE WHEN type = 'table' THEN '' ELSE name END AS name,
       sql AS definition
  FROM sqlite_master
 WHERE sql IS NOT NULL
   AND name NOT LIKE 'sqlite@_%' ESCAPE '@'
   AND name <> '__diesel_schema_migrations'
