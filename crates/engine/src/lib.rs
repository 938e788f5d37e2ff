//! The lane: every change is a command, decided in memory and committed in a batch.
//!
//! ```text
//! take      1 … max_batch commands of the tenants' lines; waits for the first one only   lane/lines.rs
//! begin
//! load      every row that the batch may read or change, locked in one order             book.rs, shelf.rs
//! decide    the commands one after another, in memory, pure                              job.rs
//! flush     all changes: one statement on PostgreSQL, one row after another on SQLite    book.rs
//! commit
//! answer    every caller gets its answer, and not before the commit                      lane.rs
//! ```
//!
//! There is no second write path. No network call happens between begin and commit.
//!
//! This crate names no capability. A family brings its shelves ([`Shelf`]), its commands ([`Command`]) and its
//! invariants ([`check::Invariant`]); the engine does what is the same for all of them. It never knows HTTP: a
//! reply is made by a function that comes with the request.

mod audit;
mod book;
pub mod check;
mod command;
pub mod errand;
mod job;
pub mod keys;
mod lane;
mod memory;
mod pulse;
mod readiness;
mod reading;
mod repeated;
mod shelf;
pub mod standstill;
mod tenant;
mod waiters;
mod waiting;

pub use audit::{AuditEvent, changed, digest, set};
pub use book::{Book, MakeAgain};
pub use command::{
    Answer, Attempt, Command, Decision, Keep, Origin, Outcome, RefusalReply, Request, Show,
    ShowRefusal,
};
pub use idempotency::{Claim, Key, Reply};
pub use lane::{Engine, LaneError, Settings};
pub use memory::KeyAsks;
pub use readiness::Readiness;
pub use repeated::RepeatedWarning;
pub use shelf::{Asks, Kind, Loading, Shelf};
pub use standstill::Watch;
pub use tenant::Tenant;
pub use waiting::pause;
