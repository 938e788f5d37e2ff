-- Rows that are changed soon after they were made have room on their page. The changed row then stays on the page and
-- needs no new entry in any index (a HOT update). `../../sqlite` has no such pages.
ALTER TABLE payment SET (fillfactor = 50);
ALTER TABLE operation SET (fillfactor = 50);
ALTER TABLE idempotency_key SET (fillfactor = 70);
