//! What a verb prints. A pipe that was closed meanwhile is no mistake: whoever closed it wants no more,
//! as `head` does. `println!` would panic there.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Exit status of a verb for which a setting, an address or a file is wrong.
pub(crate) const CANNOT: u8 = 2;

/// Prints a line to standard output.
///
/// # Errors
/// As the operating system says it; for a closed pipe too, so that a verb whose answer is needed can say
/// that nobody heard it.
pub(crate) fn line(text: &dyn Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a text to standard output, as much of it as is wanted.
///
/// # Errors
/// As the operating system says it, but for a closed pipe.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a mistake to standard error, in one line. If nobody listens there either, the exit status still
/// says it.
pub(crate) fn mistake(text: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let _unheard = writeln!(io::stderr(), "florin: {}", words.join(" "));
}

/// One line that says what is wrong.
pub(crate) fn cannot(error: &dyn std::error::Error) -> ExitCode {
    mistake(&error.to_string());
    ExitCode::from(CANNOT)
}
