//! The greatest length of the log beside a SQLite file.
//!
//! SQLite copies its log back into the file at a certain number of pages, and begins the log anew when nobody reads
//! an old state any longer. Neither step makes the file of the log shorter, and the file grows while somebody reads
//! an old state.
//!
//! A commit that copies thousands of pages back takes 50 ms, and everybody waits for it. So another thread copies
//! most of them before, over a connection of its own, while commits go on. Only a commit can begin the log anew: it
//! copies the few pages that are left.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{RunQueryDsl, SqliteConnection};

use crate::connection::Purpose;
use crate::{AnyConnection, DatabaseUrl, Tuning};

/// Weight of the commits after which the other thread looks at the log. A command of weight 1 writes about two pages.
const LOOK_AFTER: usize = 100;
/// Pause after an attempt to cut the log, before the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// The log of a database. The writer keeps it short.
#[derive(Debug)]
pub struct Log {
    /// The log's file; `None` if there is no such file.
    file: Option<LogFile>,
}

#[derive(Debug)]
struct LogFile {
    url: DatabaseUrl,
    tuning: Tuning,
    path: PathBuf,
    /// The statement that sets how long to wait for a lock.
    patience: String,
    not_before: Option<Instant>,
    /// Weight of the commits since the other thread was last asked to look at the log.
    weight: usize,
    copier: Option<Copier>,
}

/// The thread that copies the log back into the file. It ends when this is dropped.
#[derive(Debug)]
struct Copier {
    /// `None` while it ends.
    ask: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The state of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel::QueryableByName)]
struct Copied {
    /// Number of pages in the log; -1 if another connection is copying.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    log: i64,
    /// Number of these pages that are in the file.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    checkpointed: i64,
}

impl Log {
    pub(crate) fn of(url: &DatabaseUrl, tuning: &Tuning) -> Self {
        let file = match url {
            DatabaseUrl::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push("-wal");
                Some(LogFile {
                    url: url.clone(),
                    tuning: *tuning,
                    path: PathBuf::from(name),
                    patience: tuning.sqlite_patience(),
                    not_before: None,
                    weight: 0,
                    copier: None,
                })
            }
            DatabaseUrl::Postgres(_) => None,
        };
        Self { file }
    }

    /// Notes a commit of this weight. If enough was committed, the log is copied back by another thread. If the log is
    /// too long, it is cut, between two commits. If somebody reads an old state, this does not wait; it tries again a
    /// second later.
    pub fn committed(&mut self, connection: &mut AnyConnection, weight: usize) {
        let Some(file) = &mut self.file else { return };
        file.weight = file.weight.saturating_add(weight);
        if file.weight >= LOOK_AFTER {
            file.weight = 0;
            file.copy_back();
        }
        file.keep_short(connection);
    }
}

impl LogFile {
    fn copy_back(&mut self) {
        if self.copier.is_none() {
            // Without the thread, each commit copies what it finds.
            self.copier = Copier::start(self.url.clone(), self.tuning).ok();
        }
        if let Some(Copier { ask: Some(ask), .. }) = &self.copier {
            // If the thread was asked before and has not begun, it copies these pages too.
            let _asked_already = ask.try_send(());
        }
    }

    fn keep_short(&mut self, connection: &mut AnyConnection) {
        let length = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        let now = Instant::now();
        let is_long = length > self.tuning.log_limit;
        if !is_long || self.not_before.is_some_and(|until| now < until) {
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

impl Copier {
    fn start(url: DatabaseUrl, tuning: Tuning) -> std::io::Result<Self> {
        let (ask, asked) = mpsc::sync_channel(1);
        let begin = i64::try_from(tuning.log_pages()).unwrap_or(i64::MAX);
        let work = move || {
            let mut connection = None;
            for () in asked {
                if connection.is_none() {
                    connection = AnyConnection::open(&url, Purpose::Write, &tuning).ok();
                }
                if let Some(AnyConnection::Sqlite(open)) = &mut connection {
                    copy(open, begin);
                }
            }
        };
        let thread = std::thread::Builder::new().name("log-copier".to_owned());
        Ok(Self {
            ask: Some(ask),
            thread: Some(thread.spawn(work)?),
        })
    }
}

/// Copies the log back once it has `begin` pages, and goes on until nothing is left, so that the commit that begins the
/// log anew finds few pages. What is not copied now is copied by that commit, which reports the fault if there is one.
fn copy(connection: &mut SqliteConnection, begin: i64) {
    let mut before = None;
    let mut run = |mode| {
        diesel::sql_query(mode)
            .get_result::<Copied>(connection)
            .ok()
    };
    while run("PRAGMA wal_checkpoint(NOOP)").is_some_and(|now| now.log >= begin) {
        let copied = run("PRAGMA wal_checkpoint(PASSIVE)");
        if copied == before {
            return;
        }
        before = copied;
    }
}

impl Drop for Copier {
    /// Waits until its connection is closed, so that the last connection to be closed is the writer's, which then
    /// removes the log.
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
