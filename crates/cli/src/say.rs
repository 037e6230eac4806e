//! What the program says: the one place that writes to standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written: {0}")]
pub struct Unwritten(#[from] io::Error);

impl Unwritten {
    /// How the program ends. Whoever closes a pipe has seen enough: then it ends silently, with the code
    /// that a shell shows for programs that the signal SIGPIPE ends.
    pub fn end(&self) -> ExitCode {
        if self.0.kind() == ErrorKind::BrokenPipe {
            return ExitCode::from(141);
        }
        error(self);
        ExitCode::FAILURE
    }
}

/// Prints a text and a line break.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn line(text: impl Display) -> Result<(), Unwritten> {
    print(format_args!("{text}\n"))
}

/// Prints a text.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn print(text: impl Display) -> Result<(), Unwritten> {
    let mut out = io::stdout().lock();
    out.write_all(text.to_string().as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a help or a version, in colours where there are some.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn help(text: &clap::Error) -> Result<(), Unwritten> {
    text.print()?;
    Ok(io::stdout().flush()?)
}

/// Tells of an error on standard error.
pub fn error(text: impl Display) {
    tell("error: ", text);
}

/// Tells of something that is amiss.
pub fn warning(text: impl Display) {
    tell("warning: ", text);
}

/// Tells of something worth knowing.
pub fn note(text: impl Display) {
    tell("note: ", text);
}

/// Tells something on standard error. Where that is closed or full, the text is lost.
pub fn tell(kind: &str, text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{kind}{text}");
}
