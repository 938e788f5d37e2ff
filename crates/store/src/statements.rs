//! The statements that are sent, for whoever wants to see them: `FLORIN_LOG=florin::statements=trace`.

use diesel::Connection;
use diesel::connection::InstrumentationEvent;

/// What such a line of the log is filed under.
const TARGET: &str = "florin::statements";

/// Logs the text of every statement that is sent over a connection, without what is bound to it, which is
/// nobody's business. Unless somebody wants to see it, this costs nothing.
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
