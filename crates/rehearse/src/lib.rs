//! Rehearsals: deliveries of webhooks that go wrong on purpose, and the verdict on the consumer that gets them.
//!
//! A [`Schedule`] names what goes wrong. [`plan::plan`] makes its deliveries from a seed: bodies, signatures to be made,
//! order, and what a correct consumer answers to each. [`Rehearsal`] sends them over HTTP, asks the consumer for its
//! effects ([`Effects`]: how much was credited to this order?), and returns a [`Report`]. The report is a table for people
//! (`Display`), JSON, or XML in the form of JUnit.
//!
//! ```no_run
//! use rehearse::{Rehearsal, Signer};
//! use webhook_signatures::Scheme;
//!
//! # fn credited(_: &str) -> i64 { 0 }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "http://127.0.0.1:9000/webhooks";
//! let signer = Signer::new(Scheme::StandardWebhooks, None, url, None, None)?;
//! let report = Rehearsal::new(url, signer)?
//!     .seed(7)
//!     .effects(|order: &str| credited(order))
//!     .run_blocking()?;
//! assert!(report.passed(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! [`Florin`] starts a Florin on a free port, rehearses it with events about real payments, and compares its books.
//!
//! # What it never does
//!
//! It sends nothing to any other address than the given ones, follows no redirect and uses no proxy. It has no database.
//!
//! # Invariants
//!
//! - A plan depends on its arguments only: no clock, no randomness. The clock is read when a delivery is signed.
//! - A delivery that a correct consumer refuses has a fault in its signature or its time, and in nothing else.
//! - The effect that is expected of an order is that of its genuine events, each once.

mod body;
mod books;
mod chance;
mod drive;
mod effects;
mod florin;
mod histories;
mod order;
pub mod plan;
mod rehearsal;
mod render;
mod report;
mod schedule;
mod shuffle;
mod signer;

pub use books::{Address, BooksError, BooksReport, Difference, MOST_PAYMENTS, rehearse_books};
pub use effects::{Credited, Effects};
pub use florin::{Florin, FlorinError};
pub use histories::{HISTORIES_AT_ONCE, HistoriesReport, OtherEnd, rehearse_histories};
pub use order::{Event, Order, TemplateError, Templates};
pub use rehearsal::{AT_ONCE, COUNT, Rehearsal, RehearsalError};
pub use report::{Case, EffectsFound, Report, ScheduleReport, Verdict, WrongAnswer, WrongEffect};
pub use schedule::Schedule;
pub use signer::{SANDBOX_SECRET, Signer, SignerError};
