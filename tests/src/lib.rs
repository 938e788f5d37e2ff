//! The harness of the end-to-end tests: the real binary and real databases, without mocks.
//!
//! It starts `florin` as users do, on a port that the system chooses, with a separate database, and talks to it over
//! HTTP. Every scenario runs twice, on SQLite and on PostgreSQL.
//!
//! - [`Database`]: a new, empty database, removed with the value; [`on_both_databases!`].
//! - [`Florin`]: a running server that can be killed, paused or asked to end; [`run`] for the verbs that end on
//!   their own.
//! - [`Client`]: requests with a key, an idempotency key, or bytes that no client would send. Each answer is compared
//!   with `docs/openapi.json`.
//! - [`packages`]: files of other people, from pinned packages of Python.
//! - [`Program`]: a program of somebody else that runs beside it.
//! - [`Cluster`]: a PostgreSQL of the test, to be stopped and started under the server.
//!
//! What it never does: touch a database that it did not create; leave anything behind (a watchdog survives even a test
//! process that was killed); guess from a clock that something is ready; pass silently without PostgreSQL: it prints
//! `postgres: SKIPPED`, and fails with `REQUIRE_PG=1`.
//!
//! Its PostgreSQL runs with `fsync = off`. That loses nothing when a process is killed, and everything when the power
//! is cut: tests of durability need a server of their own.
//!
//! ```no_run
//! use tests::{Database, Florin, on_both_databases};
//!
//! on_both_databases!(a_server_says_it_is_alive);
//! async fn a_server_says_it_is_alive(database: Database) {
//!     let florin = Florin::start(&database, &[]);
//!     let reply = florin.client().get("/livez").await;
//!     assert_eq!(reply.status, 200);
//! }
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, and this crate is part of the tests"
)]

mod client;
mod cluster;
mod contract;
mod database;
mod florin;
mod histories;
mod postgres;
mod program;
mod scratch;
mod watchdog;
mod wheel;

pub use client::{Client, Reply};
pub use cluster::Cluster;
pub use database::{Database, Kind, scenario};
pub use florin::{Florin, binary, run};
pub use histories::schedules_by_chance;
pub use program::Program;
pub use wheel::{packages, pinned};
