//! Waiting for a database that is busy, and giving up on one that does not answer.

use std::time::Duration;

use crate::{DatabaseUrl, Error, OpenError};

/// Runs `work` on a thread. If it takes longer than three times `patience`, the thread is left behind.
pub(crate) fn within<T: Send + 'static>(
    patience: Duration,
    url: &DatabaseUrl,
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let failed = |cause: String| OpenError::Database {
        url: url.clone(),
        cause: Error::Unavailable(cause),
    };
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("look".into());
    let started = thread.spawn(move || {
        // The caller may have stopped waiting.
        let _gone = tell.send(work());
    });
    started.map_err(|error| failed(error.to_string()))?;
    // Three times as long, because the work needs several answers and creates a schema.
    let answer = told.recv_timeout(patience.saturating_mul(3));
    answer.unwrap_or_else(|_silent| Err(failed("the database does not answer".to_owned())))
}

/// Turning a new SQLite file to WAL does not wait for another process that does the same, whatever the busy
/// timeout is. So this function waits.
pub(crate) fn patiently<T>(mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut tries = 250_u32;
    loop {
        match work() {
            Err(Error::Busy(_)) if tries > 0 => {
                tries = tries.saturating_sub(1);
                std::thread::sleep(PAUSE);
            }
            outcome => return outcome,
        }
    }
}
