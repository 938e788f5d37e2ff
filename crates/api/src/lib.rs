//! The server of an API: it serves the routes that it gets on actix ([`serve`]) and describes them
//! ([`openapi`]). The families provide the routes and their meaning.
//!
//! | file | what it does |
//! |---|---|
//! | `server.rs` | the server, and the limits that hold before any handler runs |
//! | `connection.rs` | HTTP as it is on the wire |
//! | `request.rs` | what every request has: an id, a bounded body, an answer in one form |
//! | `mount.rs` | a request becomes a call of its route, a response becomes an answer |
//! | `caller.rs` | the API key of a request |
//! | `amounts.rs` | amounts as JSON strings, for clients that ask for them |
//! | `openapi.rs` | the description, printed from the routes |
//! | `system.rs` | the routes for operators and tools |
//!
//! This crate never runs SQL, never decides by a business rule, and never shows internal details in an answer.

mod amounts;
mod caller;
mod connection;
mod mount;
pub mod openapi;
mod request;
mod server;
mod system;

pub use server::{Api, ServeError, Server, serve};
