//! The HTTP edge: what comes in is parsed into types that cannot be wrong, what goes out is a wire
//! type or a problem. Every URL is in [`routes`], on one screen.
//!
//! A handler does four things: who calls ([`caller`]), what they ask ([`strict_json`], [`headers`]),
//! submit the command and wait for its commit, answer ([`respond`]). It decides nothing about money.
//!
//! What this crate never does: SQL; a business rule; an answer that says something of the inside.

mod accounts;
pub mod amounts;
mod assets;
pub mod caller;
mod connection;
pub mod currencies;
pub mod cursor;
pub mod headers;
mod metadata;
pub mod openapi;
mod payments;
mod periods;
pub mod problem;
mod query;
mod render;
mod request;
mod respond;
pub mod routes;
mod server;
pub mod strict_json;
mod system;
mod totals;
mod transactions;
mod transfers;
mod webhooks;
pub mod wire;

pub use render::{account_opened, bulk_made, made, make_again, payment_reply, tell, transfer_made};
pub use server::{Api, Receiver, ServeError, Server, serve};

/// The API version that a request's fingerprint covers.
pub const API_VERSION: &str = "1";
