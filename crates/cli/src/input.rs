//! Problems from files, with what there is to say about them.

use std::path::Path;

use anyhow::{Error, Result, anyhow};

use taskhead_files::{
    FileError, MAX_KERNEL_TOLERANCE, Note, ProblemFile, ProblemParts, TaskFile, read_task,
};

/// How a problem file is read.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Rounding error that the kernel of a problem file may have, relative to its size, up to 0.1 (default: 1e-5 if its
    /// numbers are those of single precision, else 1e-10).
    #[arg(long, value_name = "ERROR", value_parser = tolerance)]
    kernel_tolerance: Option<f64>,
}

fn tolerance(text: &str) -> Result<f64, String> {
    super::number(text, |v| (0.0..=MAX_KERNEL_TOLERANCE).contains(&v), "a number from 0 to 0.1")
}

impl Reading {
    /// Reads a problem.
    ///
    /// # Errors
    ///
    /// Those of [`taskhead_files::read_problem`].
    pub fn problem(&self, path: &Path) -> Result<ProblemFile> {
        let read = |parts: ProblemParts| {
            let parts = match self.kernel_tolerance {
                Some(tolerance) => parts.with_kernel_tolerance(tolerance),
                None => parts,
            };
            parts.problem().map_err(|fault| FileError { path: path.into(), fault })
        };
        ProblemParts::read(path).and_then(read).map_err(with_flag)
    }

    /// Reads the task of a sweep on all threads.
    ///
    /// # Errors
    ///
    /// Those of [`read_task`].
    pub fn task(&self, path: &Path) -> Result<TaskFile> {
        let threads = rayon::current_num_threads();
        read_task(path, self.kernel_tolerance, threads).map_err(with_flag)
    }
}

/// A kernel that is refused for what may be rounding comes with the flag that accepts it.
fn with_flag(error: FileError) -> Error {
    match error.fault.kernel_tolerance() {
        Some(needed) => anyhow!(
            "{error}; if the kernel is no more precise than that, add --kernel-tolerance {needed:e}"
        ),
        None => error.into(),
    }
}

/// Prints the notes of a reader, unless it shall be quiet, and gives them as texts.
pub fn print(notes: &[Note], quiet: bool) -> Vec<String> {
    let texts: Vec<String> = notes.iter().map(Note::to_string).collect();
    if !quiet {
        texts.iter().for_each(|text| eprintln!("note: {text}"));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_at_most_a_tenth() {
        assert!(tolerance("0.11").is_err() && tolerance("nan").is_err());
        assert_eq!(tolerance("1e-3"), Ok(1e-3));
    }
}
