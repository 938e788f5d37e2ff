//! The lane: every change is a command, decided in memory and committed in a batch.
//!
//! ```text
//! take what is queued (1 … max_batch; wait for the first, never for more)
//! begin
//! prefetch   load every row the batch may read or change, locked in id order     book.rs
//! execute    run the commands one after another, in memory, pure                 execute.rs
//! flush      write all changes, one statement per table                          book.rs
//! commit
//! reply      only now does any caller hear of it                                 lane.rs
//! ```
//!
//! There is no second write path. No network call happens between begin and commit: providers are
//! called by a worker ([`workers`]), whose answer comes back as another command.
//!
//! This crate joins the domain crates: it knows in which order their shelves are loaded and saved,
//! which audit record each command leaves, and which reply is saved for its idempotency key. It never
//! knows HTTP: what a reply looks like is a function handed to it ([`Render`]).

pub mod access;
mod action;
mod book;
pub mod check;
mod command;
mod execute;
mod import;
mod lane;
mod memory;
mod outcome;
pub mod provider;
mod pulse;
mod readiness;
mod reading;
mod records;
mod reference;
mod register;
mod repeated;
mod schema;
pub mod standstill;
mod transact;
mod waiting;
mod webhook;
pub mod workers;

pub use action::{AccountChange, Action, Draft, Expiry, Saying, Swap};
pub use command::{
    Answer, Command, Envelope, Form, Origin, Refusal, Render, Rendered, WebhookAnswer,
};
pub use idempotency::Reply;
pub use lane::{Engine, LaneError, Settings};
pub use readiness::Readiness;
pub use repeated::Repeated;
