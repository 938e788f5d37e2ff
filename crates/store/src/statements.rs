//! The log of the statements that are sent: `FLORIN_LOG=florin::statements=trace`.

use diesel::Connection;
use diesel::connection::InstrumentationEvent;

/// The target of these log lines.
const TARGET: &str = "florin::statements";

/// Logs the text of every statement that is sent over a connection. Bound values are not logged, because they are
/// private. While the log is off, this costs nothing.
pub(crate) fn show(connection: &mut impl Connection) {
    if !tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        return;
    }
    connection.set_instrumentation(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let statement = text.split(" -- binds:").next().unwrap_or_default();
            tracing::trace!(target: TARGET, "{statement}");
        }
    });
}
