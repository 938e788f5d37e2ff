//! A small shell that survives the test process and cleans up after it, however the process ended.
//!
//! The shell reads orders from a pipe whose only write end is in the test process (Rust opens pipes close-on-exec, so
//! no other child inherits it). When the process ends, even by SIGKILL, the kernel closes that end. Then the shell
//! reads end-of-file and does its clean-up. A signal on the death of the parent would not work: it is sent when the
//! spawning *thread* ends, and tests are threads.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The user to run as, because PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Identity {
    /// The user of the PostgreSQL package, or else the user that owns nothing.
    pub(crate) fn unprivileged() -> Self {
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                let uid = number_of("-u", name)?;
                let gid = number_of("-g", name)?;
                (uid != 0).then_some(Self { uid, gid })
            })
            .expect(
                "running as root, and neither `postgres` nor `nobody` exists to run PostgreSQL as",
            )
    }
}

fn number_of(flag: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([flag, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The running shell. Dropping it closes the pipe and waits for the clean-up.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Watchdog {
    /// Runs `script` with `arguments` as `$1`, `$2`, in `folder`, as the user `identity` if one is given.
    ///
    /// It gets a separate process group, so that an interrupt of the terminal does not end it before its clean-up is
    /// done.
    pub(crate) fn spawn(
        script: &str,
        arguments: &[&OsStr],
        folder: &Path,
        identity: Option<Identity>,
    ) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(script)
            .arg("watchdog")
            .args(arguments);
        command
            .current_dir(folder)
            .process_group(0)
            .env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(Identity { uid, gid }) = identity {
            command.uid(uid).gid(gid);
        }
        let mut shell = command.spawn().expect("the watchdog's shell starts");
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("its output is piped"));
        Self {
            shell,
            orders,
            answers,
        }
    }

    /// Gives an order that has no answer.
    pub(crate) fn tell(&mut self, order: &str) {
        let orders = self
            .orders
            .as_mut()
            .expect("the pipe is open until the drop");
        // One write, so that a process that dies during it leaves a complete line or none.
        orders
            .write_all(format!("{order}\n").as_bytes())
            .expect("the watchdog listens");
    }

    /// The next line that the shell prints; empty if it has ended.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the watchdog answers in text");
        line.trim_end().to_owned()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.orders = None;
        // A watchdog that cannot be waited for has ended, which is enough here.
        let _ended = self.shell.wait();
    }
}
