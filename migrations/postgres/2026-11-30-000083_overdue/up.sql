-- Outcomes that do not come in time. `../../sqlite` has the same change for SQLite: change both files together.

-- What a bank has in an order since before is expected within a week.
INSERT INTO errand (due_at, tenant_id, epoch, kind, place, subject)
SELECT (b.requested_on + 8) * CAST(86400000000 AS BIGINT), t.tenant_id, 0, 'outcome_overdue', '', t.operation_id
  FROM bank_order_transfer AS t
  JOIN bank_order AS b ON b.tenant_id = t.tenant_id AND b.id = t.order_id
  JOIN operation AS o ON o.tenant_id = t.tenant_id AND o.id = t.operation_id
 WHERE o.status IN ('submitted', 'unknown');
