//! The output of a verb. A pipe that was closed meanwhile is no error: its reader, such as `head`, wants no
//! more. `println!` would panic there.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Exit status of a verb for which a setting, an address or a file is wrong.
pub(crate) const CANNOT: u8 = 2;

/// Prints a line to standard output.
///
/// # Errors
/// The error of the operating system, also for a closed pipe, so that a verb can report that its result was not
/// read.
pub(crate) fn line(text: &dyn Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a text to standard output, as far as the reader wants it.
///
/// # Errors
/// The error of the operating system, but not for a closed pipe.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints an error message to standard error, in one line. If that is closed too, the exit status still shows
/// the error.
pub(crate) fn mistake(text: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let _unheard = writeln!(io::stderr(), "florin: {}", words.join(" "));
}

/// Prints an error, and returns the exit status for it.
pub(crate) fn cannot(error: &dyn std::error::Error) -> ExitCode {
    mistake(&error.to_string());
    ExitCode::from(CANNOT)
}
