//! Rehearsals of webhooks.
mod body;
mod books;
mod chance;
mod drive;
mod effects;
mod florin;
mod order;
pub mod plan;
mod rehearsal;
mod render;
mod report;
mod schedule;
mod signer;

pub use books::{Address, BooksError, BooksReport, Difference, MOST_PAYMENTS, rehearse_books};
pub use effects::{Credited, Effects};
pub use florin::{Florin, FlorinError};
pub use order::{Event, Order, TemplateError, Templates};
pub use rehearsal::{AT_ONCE, COUNT, Rehearsal, RehearsalError};
pub use report::{Case, EffectsFound, Report, ScheduleReport, Verdict, WrongAnswer, WrongEffect};
pub use schedule::Schedule;
pub use signer::{SANDBOX_SECRET, Signer, SignerError};
