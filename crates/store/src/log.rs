//! The greatest length of the log beside a SQLite file.
//!
//! SQLite copies its log back into the file at a certain number of pages, and begins the log anew when nobody reads
//! an old state any longer. Neither step makes the file of the log shorter, and the file grows while somebody reads
//! an old state.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use crate::{AnyConnection, DatabaseUrl, Tuning};

/// Number of bytes of a page, as SQLite makes it.
const PAGE: u64 = 4_096;
/// Greatest number of pages at which the log is copied back: below it, one copied page can serve many batches; above
/// it, more pages bring no gain. [`MIN_PAGES`] is the least number.
const MAX_PAGES: u64 = 8_000;
const MIN_PAGES: u64 = 100;
/// Pause after an attempt to cut the log, before the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// The settings of a connection for its log: it is copied back at half of its limit, and cut to the limit whenever
/// it begins anew.
pub(crate) fn settings(tuning: &Tuning) -> String {
    let limit = tuning.log_limit;
    let pages = (limit / 2 / PAGE).clamp(MIN_PAGES, MAX_PAGES);
    format!("PRAGMA wal_autocheckpoint = {pages}; PRAGMA journal_size_limit = {limit}")
}

/// The statement that sets how long to wait for a lock.
pub(crate) fn patience(tuning: &Tuning) -> String {
    format!(
        "PRAGMA busy_timeout = {}",
        tuning.longest_lock().as_millis()
    )
}

/// The log of a database. The writer keeps it short.
#[derive(Debug)]
pub struct Log {
    /// The path of the log; `None` if there is no such file.
    path: Option<PathBuf>,
    limit: u64,
    /// The statement that sets how long to wait for a lock.
    patience: String,
    not_before: Option<Instant>,
}

impl Log {
    pub(crate) fn of(url: &DatabaseUrl, tuning: &Tuning) -> Self {
        let path = match url {
            DatabaseUrl::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push("-wal");
                Some(PathBuf::from(name))
            }
            DatabaseUrl::Postgres(_) => None,
        };
        Self {
            path,
            limit: tuning.log_limit,
            patience: patience(tuning),
            not_before: None,
        }
    }

    /// Cuts the log between two commits if it is too long. If somebody reads an old state, this does not wait; it tries
    /// again a second later.
    pub fn keep_short(&mut self, connection: &mut AnyConnection) {
        let Some(path) = &self.path else { return };
        let length = std::fs::metadata(path).map_or(0, |file| file.len());
        let now = Instant::now();
        if length <= self.limit || self.not_before.is_some_and(|until| now < until) {
            return;
        }
        self.not_before = Some(now + PAUSE);
        if let AnyConnection::Sqlite(connection) = connection {
            // If the cut fails for a reason that matters, the next commit fails too. The statement after the cut makes
            // commits wait for locks again, however the cut ended.
            let _as_far_as_it_goes = connection
                .batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
            let _infallible = connection.batch_execute(&self.patience);
        }
    }
}
