//! Rehearsals of webhooks.
mod body;
mod chance;
mod drive;
mod effects;
mod order;
pub mod plan;
mod rehearsal;
mod render;
mod report;
mod schedule;
mod signer;

pub use effects::{Credited, Effects};
pub use order::{Event, Order, TemplateError, Templates};
pub use rehearsal::{AT_ONCE, COUNT, Rehearsal, RehearsalError};
pub use report::{Case, EffectsFound, Report, ScheduleReport, Verdict, WrongAnswer, WrongEffect};
pub use schedule::Schedule;
pub use signer::{SANDBOX_SECRET, Signer, SignerError};
