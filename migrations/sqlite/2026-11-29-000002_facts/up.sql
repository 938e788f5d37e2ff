-- A fact is compared in all of its fields: an operation keeps the decline code of its first final fact.
-- `../../postgres` says the same in PostgreSQL's words: a change goes into both.

ALTER TABLE operation ADD COLUMN decline_code TEXT;     -- NULL: not refused, or older than this column

-- A payment shows the decline code of its last attempt, and none once it is tried again.
UPDATE operation
   SET decline_code = (SELECT p.decline_code FROM payment AS p
                        WHERE p.tenant_id = operation.tenant_id AND p.id = operation.payment_id)
 WHERE status = 'failed'
   AND attempt = (SELECT max(o.attempt) FROM operation AS o
                   WHERE o.tenant_id = operation.tenant_id AND o.payment_id = operation.payment_id);
