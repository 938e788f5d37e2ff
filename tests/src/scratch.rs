//! The folder of this test process, and the watchdog that removes it.
//!
//! Databases, settings and logs of the tests are in one folder, so one removal leaves nothing behind. The same
//! watchdog kills the servers that the process could not kill itself.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::watchdog::{Identity, Watchdog};

/// Greatest length of a folder for a unix socket: its whole path must fit into 104 bytes (macOS; Linux 108).
const MAX_BASE_LENGTH: usize = 60;

struct Scratch {
    folder: PathBuf,
    watchdog: Mutex<Watchdog>,
}

static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
    let folder = fresh_folder("florin-tests-");
    let watchdog = Watchdog::spawn(
        include_str!("scratch.sh"),
        &[folder.as_os_str()],
        &folder,
        None,
    );
    Scratch {
        folder,
        watchdog: Mutex::new(watchdog),
    }
});

/// The folder of this process; everything in it is removed when the process ends.
pub(crate) fn folder() -> &'static Path {
    &SCRATCH.folder
}

/// Makes the watchdog kill the process `pid` when this process ends.
pub(crate) fn born(pid: u32) {
    tell(&format!("born {pid}"));
}

/// Tells the watchdog that `pid` is about to be waited for: after that the number may belong to another process.
pub(crate) fn died(pid: u32) {
    tell(&format!("died {pid}"));
}

fn tell(order: &str) {
    SCRATCH
        .watchdog
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .tell(order);
}

/// The user to run PostgreSQL as; `None` for the present user, who is not root.
pub(crate) fn another_identity() -> Option<Identity> {
    let owner = folder().metadata().expect("the folder exists").uid();
    (owner == 0).then(Identity::unprivileged)
}

/// Creates a folder that stays until it is removed. It has a short path that other users can reach, and only its
/// owner can enter it, because the PostgreSQL in it asks for no password.
pub(crate) fn fresh_folder(prefix: &str) -> PathBuf {
    let wanted = std::env::temp_dir();
    let suitable = wanted.as_os_str().len() <= MAX_BASE_LENGTH && is_reachable(&wanted);
    let base = if suitable {
        wanted
    } else {
        PathBuf::from("/tmp")
    };
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(prefix)
        .permissions(Permissions::from_mode(0o700));
    let made = builder.tempdir_in(&base);
    made.unwrap_or_else(|error| panic!("cannot make a folder in {}: {error}", base.display()))
        .keep()
}

/// True if every user of the machine can reach this path.
pub(crate) fn is_reachable(path: &Path) -> bool {
    const OTHERS_MAY_ENTER: u32 = 0o001;
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    path.ancestors().all(|folder| {
        folder
            .metadata()
            .is_ok_and(|found| found.mode() & OTHERS_MAY_ENTER != 0)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::{born, died, folder, fresh_folder, is_reachable};
    use crate::cluster::Cluster;
    use crate::postgres;

    #[test]
    fn a_private_folder_is_not_reachable_and_the_root_is() {
        let private = fresh_folder("florin-tests-private-");
        assert!(is_reachable(Path::new("/")));
        assert!(!is_reachable(&private));
        assert!(!is_reachable(&private.join("absent")));
        std::fs::remove_dir(private).expect("it was empty");
    }

    /// The second half of the next test, in a process of its own.
    #[test]
    #[ignore = "is run, and killed, by nothing_is_left_of_a_killed_test_process"]
    fn victim() {
        let mut server = Command::new("tail")
            .args(["-f", "/dev/null"])
            .spawn()
            .expect("it starts");
        let mut reaped = Command::new("true").spawn().expect("it starts");
        born(reaped.id());
        born(server.id());
        died(reaped.id());
        reaped.wait().expect("it ends");
        let cluster =
            postgres::programs().map(|programs| Cluster::start_with(programs).expect("started"));
        let mut folders = vec![folder()];
        folders.extend(cluster.as_ref().map(Cluster::folder));
        let mut output = std::io::stdout();
        for folder in folders {
            writeln!(output, "left: {}", folder.display()).expect("somebody reads");
        }
        writeln!(output, "ready").expect("somebody reads");
        let _until_killed = std::io::stdin().read(&mut [0]);
        server.kill().expect("it runs");
        server.wait().expect("it ends");
    }

    #[test]
    fn nothing_is_left_of_a_killed_test_process() {
        let mut victim = Command::new(std::env::current_exe().expect("known"))
            .args([
                "--exact",
                "scratch::tests::victim",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut output = BufReader::new(victim.stdout.take().expect("piped"));
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut line = String::new();
        while line.trim_end() != "ready" {
            line.clear();
            assert_ne!(
                output.read_line(&mut line).expect("text"),
                0,
                "it ended before it was ready"
            );
            folders.extend(line.trim_end().strip_prefix("left: ").map(PathBuf::from));
        }
        assert!(!folders.is_empty());
        for folder in &folders {
            assert!(folder.exists(), "{}", folder.display());
        }

        victim.kill().expect("it runs");
        victim.wait().expect("it ends");
        // The watchdogs and the server hold the other end: this returns when the last of them has ended.
        let mut said = Vec::new();
        victim
            .stderr
            .take()
            .expect("piped")
            .read_to_end(&mut said)
            .expect("readable");

        for folder in &folders {
            assert!(!folder.exists(), "{} is left", folder.display());
        }
    }
}
