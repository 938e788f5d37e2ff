-- The schema as one line an object: what kind, of which table, its name, and what it is. The schema is the
-- one that holds the table of the migrations; everything is printed as a session sees it whose search path
-- leads there.
WITH home AS (
    SELECT relnamespace AS id
      FROM pg_catalog.pg_class
     WHERE oid = to_regclass('__diesel_schema_migrations')
), relation AS (
    SELECT c.*
      FROM pg_catalog.pg_class c
      JOIN home ON c.relnamespace = home.id
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT 'table' AS kind, r.relname::text AS owner, '' AS name,
       concat_ws(' ', 'kind', r.relkind::text, 'persistence', r.relpersistence::text,
                 CASE WHEN r.relrowsecurity THEN 'ROW LEVEL SECURITY' END,
                 (SELECT 'disabled internal triggers ' || count(*)
                    FROM pg_catalog.pg_trigger t
                   WHERE t.tgrelid = r.oid AND t.tgisinternal AND t.tgenabled = 'D'
                  HAVING count(*) > 0),
                 (SELECT 'inherited by ' || string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid)
                    FROM pg_catalog.pg_inherits i
                   WHERE i.inhparent = r.oid)) AS definition
  FROM relation r
UNION ALL
SELECT 'column', r.relname::text, a.attname::text,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
                 'IDENTITY ' || nullif(a.attidentity::text, ''),
                 'GENERATED ' || nullif(a.attgenerated::text, ''),
                 'COLLATE ' || nullif(k.collname::text, 'default'))
  FROM relation r
  JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation k ON k.oid = a.attcollation
UNION ALL
-- NOT NULL is a constraint of its own in newer servers; here it belongs to its column.
SELECT 'constraint', r.relname::text, c.conname::text, pg_get_constraintdef(c.oid, true)
  FROM relation r
  JOIN pg_catalog.pg_constraint c ON c.conrelid = r.oid
 WHERE c.contype <> 'n'
UNION ALL
SELECT CASE WHEN i.indisunique THEN 'unique index' ELSE 'index' END, r.relname::text, c.relname::text,
       pg_get_indexdef(i.indexrelid, 0, true) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
  FROM relation r
  JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
UNION ALL
SELECT 'view', r.relname::text, '', pg_get_viewdef(r.oid, true)
  FROM relation r
 WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'trigger', r.relname::text, t.tgname::text,
       concat_ws(' ', pg_get_triggerdef(t.oid, true), 'enabled', t.tgenabled::text)
  FROM relation r
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid
 WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule', r.relname::text, w.rulename::text,
       concat_ws(' ', pg_get_ruledef(w.oid, true), 'enabled', w.ev_enabled::text)
  FROM relation r
  JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid
 WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', r.relname::text, p.polname::text, ''
  FROM relation r
  JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'function', '', p.proname::text || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       concat_ws(' ', pg_get_function_result(p.oid), l.lanname, p.provolatile::text,
                 CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END,
                 array_to_string(p.proconfig, ', '), p.prosrc)
  FROM home
  JOIN pg_catalog.pg_proc p ON p.pronamespace = home.id
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
