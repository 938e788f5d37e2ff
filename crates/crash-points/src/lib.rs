//! Crash points: named places in the path of a request, at which a test lets the process die.
//!
//! A point stands before and after each write to the database, each call of a provider, and each hand-over between
//! threads. It is one line: `crash_points::here(Point::CommitBefore)`. A test starts the real binary with
//! `FAILPOINTS=commit.before=return`, and the process is aborted there: nothing is undone, closed or answered, as if
//! it had been killed. `FAILPOINTS=commit.before=3*off->return` lets three hits pass first.
//!
//! Without the feature `armed`, or without debug assertions, `here` is an empty function, and the crate has no
//! dependency. So no release has crash points.
//!
//! [`Point::ALL`] is the one list. `tests/tests/scenarios/crash_points.rs` walks it, so a new point cannot be missed.

macro_rules! points {
    ($($(#[$says:meta])+ $point:ident = $name:literal;)+) => {
        /// A place at which the process can die.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Point {
            $($(#[$says])+ $point,)+
        }

        impl Point {
            /// All points.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// The name in `FAILPOINTS`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// A batch was taken from the lines; nothing is begun.
    LaneTaken = "lane.taken";
    /// All rows that the batch needs are loaded.
    LaneLoaded = "lane.loaded";
    /// All commands are decided; nothing is written.
    LaneDecided = "lane.decided";
    /// The batch is committed; nobody is answered.
    LaneCommitted = "lane.committed";
    /// Some of the batch's commands are answered.
    LaneAnswered = "lane.answered";
    /// All are answered; the messages for the works are not sent.
    LaneSilent = "lane.silent";

    /// A transaction is about to begin.
    BeginBefore = "begin.before";
    /// A transaction has begun.
    BeginAfter = "begin.after";
    /// Rows are about to be written: one table, or all of them in one statement.
    WriteBefore = "write.before";
    /// They are written. A statement without a transaction is committed too.
    WriteAfter = "write.after";
    /// A commit is about to be sent.
    CommitBefore = "commit.before";
    /// The database has committed.
    CommitAfter = "commit.after";

    /// A thread that writes a large batch has got it.
    WriterBefore = "writer.before";
    /// The first part of a heavy batch is written, and its predecessor may not be committed.
    WriterEarly = "writer.early";
    /// The thread has written the batch, and has not reported it.
    WriterAfter = "writer.after";

    /// The first commit of a request is done; it waits for its outcome.
    WaitBegun = "wait.begun";
    /// The time to wait is over; the present state is about to become the answer.
    WaitOver = "wait.over";
    /// The answer is there, and is not sent.
    ReplyBefore = "reply.before";

    /// A message of a commit arrived at the works.
    MessageHeard = "message.heard";
    /// Errands that are due were found.
    ErrandFound = "errand.found";
    /// Their work was begun, or is done.
    ErrandTaken = "errand.taken";
    /// Operations whose lease has run out are about to be leased.
    LeaseBefore = "lease.before";
    /// They are leased; nobody has asked about them.
    LeaseAfter = "lease.after";
    /// The provider is about to be asked about an operation.
    InquiryBefore = "inquiry.before";
    /// It has answered.
    InquiryAfter = "inquiry.after";
    /// It does not know the operation, which is about to be requested again.
    AgainBefore = "again.before";

    /// A request is about to go to a provider.
    CallBefore = "call.before";
    /// The provider has got it and has begun to answer.
    CallSent = "call.sent";
    /// The whole answer is read.
    CallAfter = "call.after";
    /// What the provider answered is about to be recorded.
    OutcomeBefore = "outcome.before";
    /// It is recorded.
    OutcomeAfter = "outcome.after";

    /// A webhook is verified; nothing is stored.
    WebhookBefore = "webhook.before";
    /// It is committed; its sender has no answer.
    WebhookAfter = "webhook.after";
    /// Parked webhooks whose cause has come were found.
    ParkedBefore = "parked.before";
    /// They are applied.
    ParkedAfter = "parked.after";
}

/// A crash point. The process dies here if `FAILPOINTS` names the point.
#[cfg(all(feature = "armed", debug_assertions))]
pub fn here(point: Point) {
    fail::fail_point!(point.name(), |_| die(point));
}

/// A crash point, which is not compiled in.
#[cfg(not(all(feature = "armed", debug_assertions)))]
#[inline(always)]
pub const fn here(_point: Point) {}

/// Reads `FAILPOINTS`, and from now on the points that it names are armed. Without compiled points this does nothing.
pub fn arm() {
    #[cfg(all(feature = "armed", debug_assertions))]
    // Dropping the scenario would disarm all points.
    std::mem::forget(fail::FailScenario::setup());
}

/// Ends the process at once. Standard error gets the name of the point, so that a test sees where.
#[cfg(all(feature = "armed", debug_assertions))]
fn die(point: Point) {
    use std::io::Write as _;

    let _unseen = writeln!(std::io::stderr(), "{DIED_AT}{}", point.name());
    std::process::abort();
}

/// The beginning of the last line of a process that has died at a point.
pub const DIED_AT: &str = "crash point: ";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Point;

    #[test]
    fn no_two_points_have_the_same_name() {
        let names: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
