//! The file of the journal: lines of JSON, which are only ever appended.
//!
//! Each line is written in one go. Lines reach the operating system before a reply, so they survive when the process
//! is killed. They are not forced to the disk, so a power cut may lose the newest of them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Greatest length of a line: far more than the journal ever writes, so that a foreign file cannot fill the memory.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened, read or cut.
    #[error("the journal cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// Another process uses the file.
    #[error("the journal is in use by another process")]
    InUse,
    /// A complete line has content that no sandbox wrote.
    #[error("line {line} of the journal cannot be understood")]
    Corrupt {
        /// The number of the line, from 1.
        line: u64,
    },
}

/// Why a call could not be recorded; the call then had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the journal is closed")]
    Closed,
    #[error("the entry cannot be written as JSON: {0}")]
    Entry(#[from] serde_json::Error),
    #[error("the journal cannot be written: {0}")]
    File(#[from] io::Error),
}

/// The open file.
pub(crate) struct Lines {
    /// `None` once nothing may be written any more.
    pub(crate) file: Option<File>,
    /// Number of bytes of complete lines.
    length: u64,
}

impl Lines {
    /// Opens or creates the file, locks it against other processes and gives each complete line to `take`, which
    /// returns false for a line that makes no sense.
    pub(crate) fn open<T: DeserializeOwned>(
        path: &Path,
        take: impl FnMut(T) -> bool,
    ) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .mode(0o600)
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => OpenError::File(error),
        })?;
        let length = read_back(&file, take)?;
        // A line without its end was never answered: the process died while it wrote the line.
        if file.metadata()?.len() > length {
            tracing::warn!("the journal's last line was torn and is dropped");
            file.set_len(length)?;
        }
        Ok(Self {
            file: Some(file),
            length,
        })
    }

    pub(crate) fn append(&mut self, entry: &impl Serialize) -> Result<(), WriteError> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let Some(file) = &mut self.file else {
            return Err(WriteError::Closed);
        };
        if let Err(error) = file.write_all(&line).and_then(|()| file.flush()) {
            // Half a line may be in the file. It is removed; if that fails too, nothing more is written,
            // because the next line would be joined to it.
            if file.set_len(self.length).is_err() {
                self.file = None;
            }
            return Err(WriteError::File(error));
        }
        self.length += byte_count(&line);
        Ok(())
    }

    /// Closes the file; from here on nothing is written.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }
}

/// Reads all complete lines and returns the number of their bytes.
fn read_back<T: DeserializeOwned>(
    file: &File,
    mut take: impl FnMut(T) -> bool,
) -> Result<u64, OpenError> {
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    let mut length = 0;
    let mut line = 0;
    loop {
        bytes.clear();
        reader
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut bytes)?;
        line += 1;
        let Some(text) = bytes.strip_suffix(b"\n") else {
            if byte_count(&bytes) == MAX_LINE_BYTES {
                return Err(OpenError::Corrupt { line });
            }
            return Ok(length);
        };
        let entry = serde_json::from_slice(text).map_err(|error| {
            tracing::error!(%error, line, "a line of the journal cannot be read");
            OpenError::Corrupt { line }
        })?;
        if !take(entry) {
            return Err(OpenError::Corrupt { line });
        }
        length += byte_count(&bytes);
    }
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
