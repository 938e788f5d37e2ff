//! What Florin promises, end to end: the real binary, on SQLite and on PostgreSQL.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod databases;
