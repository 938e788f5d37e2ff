//! A program of somebody else that runs beside Florin until the scenario ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::scratch;

/// A running program. It is killed when the value is dropped; if the test is failing, its log is printed.
#[derive(Debug)]
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program. Its output goes to a file in `folder`.
    pub fn start(mut command: Command, folder: &Path) -> Self {
        let kept = tempfile::Builder::new()
            .prefix("program-")
            .suffix(".log")
            .tempfile_in(folder);
        let (file, log): (File, PathBuf) =
            kept.and_then(|file| Ok(file.keep()?)).expect("a log file");
        let beside = file.try_clone().expect("a log file");
        command.stdin(Stdio::null()).stdout(beside).stderr(file);
        command.current_dir(scratch::folder());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        scratch::born(child.id());
        Self { child, log }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        scratch::died(self.child.id());
        // This fails only if the program has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("---- log of {} ----\n{log}", self.log.display());
        }
    }
}
