//! The API: what comes in is parsed into types that cannot be wrong, what goes out is a wire type or a
//! problem. Each capability has its routes as rows beside its handlers; [`routes`] lists the capabilities,
//! [`mount`] serves the rows, [`openapi`] describes them.
//!
//! A handler does three things: read what is asked (with the readers of [`edge::strict_json`]), submit the
//! command and wait for its commit, answer ([`respond`]). It decides nothing about money.
//!
//! This crate never does SQL, never decides by a business rule, and never answers something of the inside.

mod accounts;
pub mod amounts;
mod assets;
pub mod caller;
mod code;
mod connection;
pub mod currencies;
mod metadata;
mod mount;
pub mod openapi;
mod payments;
mod periods;
mod query;
mod reading;
mod render;
mod request;
mod respond;
mod routes;
mod server;
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
