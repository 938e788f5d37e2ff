//! A Florin of a test's own: the real program on a free port, with books in a temporary folder.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::books::{Address, BooksError, BooksReport, rehearse_books};
use crate::{RehearsalError, Schedule};

/// The provider never answers in a rehearsal. This is longer than one lasts.
const PROVIDER_TIMEOUT_MS: &str = "600000";

/// A running Florin in sandbox mode. It is killed when the value is dropped, and its books are removed.
#[derive(Debug)]
pub struct Florin {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    address: Address,
    _folder: tempfile::TempDir,
}

/// Why there is no running Florin.
#[derive(Debug, thiserror::Error)]
pub enum FlorinError {
    /// The program cannot be started.
    #[error("cannot start {program}: {cause}")]
    Program {
        /// Its path.
        program: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Its first line is not the one that a server in sandbox mode prints.
    #[error("{program} did not say where it is: {said:?}")]
    Silent {
        /// Its path.
        program: String,
        /// Its first line.
        said: String,
    },
    /// `florin check` found a broken invariant, or could not look.
    #[error("florin check: {0}")]
    Check(String),
}

impl Florin {
    /// Starts `program serve` on a free port and waits until it is ready. `arguments` are more settings, such as
    /// `--database-url`; without that one the books are in a temporary folder.
    ///
    /// # Errors
    /// See [`FlorinError`].
    pub fn start(program: impl AsRef<Path>, arguments: &[&str]) -> Result<Self, FlorinError> {
        let program = program.as_ref().to_owned();
        let named = program.display().to_string();
        let failed = |cause| FlorinError::Program {
            program: named.clone(),
            cause,
        };
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut all = vec!["--data-dir".to_owned(), folder.path().display().to_string()];
        all.extend(arguments.iter().map(ToString::to_string));
        let mut child = Command::new(&program)
            .args(["serve", "--json", "--listen", "127.0.0.1:0"])
            .args(["--provider-timeout-ms", PROVIDER_TIMEOUT_MS])
            .args(&all)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            // An empty line is reported below.
            let _length = BufReader::new(output).read_line(&mut said);
        }
        let Some(address) = address(&said) else {
            let _ended = child.kill();
            let _reaped = child.wait();
            return Err(FlorinError::Silent {
                program: named,
                said,
            });
        };
        Ok(Self {
            child,
            program,
            arguments: all,
            address,
            _folder: folder,
        })
    }

    /// Where it is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Rehearses it, and compares its books: see [`rehearse_books`].
    ///
    /// # Errors
    /// See [`BooksError`].
    pub fn rehearse(
        &self,
        schedules: &[Schedule],
        seed: u64,
        count: u32,
    ) -> Result<BooksReport, BooksError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(RehearsalError::Runtime)?;
        runtime.block_on(rehearse_books(&self.address, schedules, seed, count))
    }

    /// Runs `florin check` on its books.
    ///
    /// # Errors
    /// [`FlorinError::Check`] with what it printed, if an invariant does not hold.
    pub fn check(&self) -> Result<(), FlorinError> {
        let output = Command::new(&self.program)
            .arg("check")
            .args(&self.arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|cause| FlorinError::Program {
                program: self.program.display().to_string(),
                cause,
            })?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(FlorinError::Check(
            String::from_utf8_lossy(&said).into_owned(),
        ))
    }
}

impl Drop for Florin {
    fn drop(&mut self) {
        // This fails only if it has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn address(line: &str) -> Option<Address> {
    let said: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| Some(said.get(name)?.as_str()?.to_owned());
    Some(Address {
        api: text("api")?,
        key: text("key")?,
        webhook_secret: text("webhook_secret")?,
        sandbox: text("sandbox")?,
    })
}
