//! A private PostgreSQL: one folder, one unix socket, no network, removed with its owner.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::database::Database;
use crate::postgres::{self, Programs};
use crate::scratch;
use crate::watchdog::{Identity, Watchdog};

/// A private PostgreSQL server. When it is dropped, it is stopped and its folder is removed.
///
/// All scenarios of a process share one; a scenario about the loss of the database starts another
/// ([`Cluster::private`]) and stops that.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    watchdog: Mutex<Watchdog>,
}

impl Cluster {
    /// A server for this caller only, to stop and start at will.
    ///
    /// `None` if this machine has no PostgreSQL programs, or if `TEST_DATABASE_URL` names a server that the harness
    /// may not stop.
    pub fn private() -> Option<Self> {
        let programs = postgres::programs()?;
        Some(Self::start_with(programs).unwrap_or_else(|log| panic!("{log}")))
    }

    /// Creates the cluster and starts it (about a second). The error is the log of the server.
    pub(crate) fn start_with(programs: &Programs) -> Result<Self, String> {
        let identity = scratch::another_identity();
        let folder = scratch::fresh_folder("florin-pg-");
        let bin = within_reach(programs, &folder, identity);
        if let Some(identity) = identity {
            hand_over(&folder, identity);
        }
        let arguments = [bin.as_os_str(), folder.as_os_str()];
        let watchdog = Watchdog::spawn(include_str!("cluster.sh"), &arguments, &folder, identity);
        let cluster = Self {
            folder,
            watchdog: Mutex::new(watchdog),
        };
        cluster.order("create")?;
        cluster.order("start")?;
        Ok(cluster)
    }

    /// Stops the server as an administrator would: connections are closed, everything is written.
    pub fn stop(&self) {
        self.order("stop").unwrap_or_else(|log| panic!("{log}"));
    }

    /// Stops the server as a crash would.
    pub fn kill(&self) {
        self.order("kill").unwrap_or_else(|log| panic!("{log}"));
    }

    /// Starts the server again; it accepts connections when this returns.
    pub fn start(&self) {
        self.order("start").unwrap_or_else(|log| panic!("{log}"));
    }

    /// Pauses all processes of the server: it sends nothing and closes nothing, as if the network had lost it.
    pub fn freeze(&self) {
        self.order("freeze").unwrap_or_else(|log| panic!("{log}"));
    }

    /// Pauses only the sessions that exist: new sessions are accepted.
    pub fn freeze_backends(&self) {
        self.order("freeze_backends")
            .unwrap_or_else(|log| panic!("{log}"));
    }

    /// Lets all processes of the server go on.
    pub fn thaw(&self) {
        self.order("thaw").unwrap_or_else(|log| panic!("{log}"));
    }

    /// The log of the server.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).expect("it logs into its folder")
    }

    /// Starts PgBouncer in front of the server, in this mode (`session` or `transaction`); it is stopped with the
    /// server. Returns the address of `database` through it. `None` if PgBouncer is not installed, which is an error
    /// with `REQUIRE_PGBOUNCER=1`.
    pub fn pooled(&self, mode: &str, database: &Database) -> Option<String> {
        if Command::new("pgbouncer").arg("--version").output().is_err() {
            let required = std::env::var_os("REQUIRE_PGBOUNCER").is_some_and(|value| value == "1");
            assert!(
                !required,
                "pgbouncer is not on the PATH, and REQUIRE_PGBOUNCER=1"
            );
            println!("pgbouncer: SKIPPED, it is not on the PATH");
            return None;
        }
        self.order(&format!("pool_{mode}"))
            .unwrap_or_else(|log| panic!("{log}"));
        Some(database.url().replace("port=5432", "port=6432"))
    }

    /// The URL of the database that every PostgreSQL has, from which others are created.
    pub(crate) fn administration_url(&self) -> String {
        // In libpq the parameters override the host of the URL, which URL parsers require.
        format!(
            "postgres://postgres@localhost/postgres?host={}&port=5432",
            self.folder.display()
        )
    }

    /// The folder of the server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn order(&self, order: &str) -> Result<(), String> {
        let mut watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner);
        watchdog.tell(order);
        match watchdog.answer().as_str() {
            "done" => Ok(()),
            _ => {
                let log = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
                Err(format!("PostgreSQL did not {order}; its log:\n{log}"))
            }
        }
    }
}

/// A place where `identity` can run the programs. Downloaded programs may be in a closed home folder; then they are
/// copied to a place beside the cluster.
fn within_reach(programs: &Programs, folder: &Path, identity: Option<Identity>) -> PathBuf {
    let inside = programs
        .movable
        .as_ref()
        .and_then(|root| Some((root, programs.bin.strip_prefix(root).ok()?)));
    match inside {
        Some((root, bin)) if identity.is_some() && !scratch::is_reachable(&programs.bin) => {
            let copy = folder.join("programs");
            finish(Command::new("cp").arg("-R").arg(root).arg(&copy));
            copy.join(bin)
        }
        Some(_) | None => programs.bin.clone(),
    }
}

fn hand_over(folder: &Path, Identity { uid, gid }: Identity) {
    finish(
        Command::new("chown")
            .arg("-R")
            .arg(format!("{uid}:{gid}"))
            .arg(folder),
    );
}

fn finish(command: &mut Command) {
    let output = command.output().expect("cp and chown are everywhere");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
