//! The edge of an API, whatever it is about: strict JSON in, problems and pages out, routes as data.
//! It knows nothing of a server: a mount reads bytes, makes a [`Call`] of them, and writes the
//! [`Response`].
//!
//! This crate never does I/O, never decides about the books, and never names what a route is about.

mod call;
pub mod code;
pub mod cursor;
mod describe;
pub mod headers;
mod page;
pub mod problem;
pub mod query;
mod response;
pub mod route;
mod shape;
pub mod strict_json;

pub use call::{Call, Headers};
pub use code::Code;
pub use describe::{Describe, Schema};
pub use page::{Page, page};
pub use problem::Problem;
pub use response::Response;
pub use route::{KeyRule, Method, Right, Route, Routes};
pub use shape::{Labels, Shape};
pub use strict_json::Reader;
