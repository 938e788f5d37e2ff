//! The edge of an API: strict JSON, problems, pages, and routes as data. It knows nothing of a server: a mount
//! reads bytes, makes a [`Call`] of them, and writes the [`Response`].
//!
//! A handler does three things: it reads the request (with the readers of [`strict_json`]), submits a command
//! and waits for its commit, and answers ([`State::submit`]); or it asks a question ([`State::read`]).
//!
//! This crate never does I/O of its own, never decides about the books, and never names the subject of a route.

mod call;
mod caller;
pub mod code;
pub mod cursor;
mod describe;
pub mod headers;
mod key_rule;
mod page;
pub mod problem;
pub mod query;
pub mod reply;
pub mod respond;
mod response;
pub mod route;
mod shape;
pub mod shapes;
mod state;
pub mod strict_json;
mod submission;
mod surface;

pub use call::{Call, Headers};
pub use caller::Caller;
pub use code::Code;
pub use describe::{Describe, Schema};
pub use key_rule::KeyRule;
pub use page::{Page, page};
pub use problem::Problem;
pub use response::Response;
pub use route::{Method, Proof, Right, Route, Routes};
pub use shape::{Labels, Shape};
pub use state::{Shared, State};
pub use strict_json::Reader;
pub use submission::{API_VERSION, Submission};
pub use surface::{Capability, Signature, Surface};
