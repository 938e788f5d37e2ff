//! How long the log beside a SQLite file may become.
//!
//! SQLite copies its log back into the file when it has so many pages, and begins it anew when nobody looks
//! at an old state any longer. Nothing of that makes it shorter, and as long as somebody looks, it grows.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use crate::{AnyConnection, DatabaseUrl, Tuning};

/// Bytes of a page, as SQLite makes them.
const PAGE: u64 = 4_096;
/// Pages at which the log is copied back: at most, because one page image can serve many batches before,
/// and more bring no more; and at least.
const MOST_PAGES: u64 = 8_000;
const LEAST_PAGES: u64 = 100;
/// After a log that is too long was looked after, how long it is not again.
const PAUSE: Duration = Duration::from_secs(1);

/// What a connection is told of its log: copied back at half of its limit, and cut to the limit whenever it
/// begins anew.
pub(crate) fn settings(tuning: &Tuning) -> String {
    let limit = tuning.log_limit;
    let pages = (limit / 2 / PAGE).clamp(LEAST_PAGES, MOST_PAGES);
    format!("PRAGMA wal_autocheckpoint = {pages}; PRAGMA journal_size_limit = {limit}")
}

/// Sets how long a lock is waited for.
pub(crate) fn patience(tuning: &Tuning) -> String {
    format!(
        "PRAGMA busy_timeout = {}",
        tuning.longest_lock().as_millis()
    )
}

/// The log of a database, looked after by whoever writes.
#[derive(Debug)]
pub struct Log {
    /// `None` where there is no such file.
    path: Option<PathBuf>,
    limit: u64,
    /// The statement that sets how long a lock is waited for.
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

    /// Cuts the log if it is too long, between two commits. If somebody looks at an old state, that is not
    /// waited for: it is tried again a second later.
    pub fn keep_short(&mut self, connection: &mut AnyConnection) {
        let Some(path) = &self.path else { return };
        let length = std::fs::metadata(path).map_or(0, |file| file.len());
        let now = Instant::now();
        if length <= self.limit || self.not_before.is_some_and(|until| now < until) {
            return;
        }
        self.not_before = Some(now + PAUSE);
        if let AnyConnection::Sqlite(connection) = connection {
            // Whatever keeps it from being cut shows at the next commit, if that matters; and that waits for
            // others again, however the cut has ended.
            let _as_far_as_it_goes = connection
                .batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
            let _infallible = connection.batch_execute(&self.patience);
        }
    }
}
