//! Problems from files, with the notes on them.

use std::path::Path;

use anyhow::{Result, bail};

use super::say;
use taskhead::sweep::plan::Digest;
use taskhead_files::{
    FileError, MAX_KERNEL_TOLERANCE, Note, ProblemFile, ProblemParts, TaskFile, read_parts,
    read_parts_with_digest, read_task,
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
    /// Refuses the flags where no file is read.
    pub fn refuse(&self, because: &str) -> Result<()> {
        match self.kernel_tolerance {
            Some(_) => bail!("--kernel-tolerance has no effect {because}"),
            None => Ok(()),
        }
    }

    /// Reads a problem for this many simultaneous runs.
    ///
    /// # Errors
    ///
    /// Those of [`read_parts`], and arrays that do not make a problem.
    pub fn problem(&self, path: &Path, runs: usize, purpose: &str) -> Result<ProblemFile> {
        problem_of(read_parts(path, self.kernel_tolerance, runs, purpose)?, path)
    }

    /// The same with the digest of the bytes of all its files.
    ///
    /// # Errors
    ///
    /// Those of [`Self::problem`], or a file that changes meanwhile.
    pub fn problem_with_digest(
        &self,
        path: &Path,
        runs: usize,
        purpose: &str,
    ) -> Result<(ProblemFile, Digest)> {
        let (parts, digest) = read_parts_with_digest(path, self.kernel_tolerance, runs, purpose)?;
        Ok((problem_of(parts, path)?, digest))
    }

    /// Reads the task of a sweep on all threads.
    ///
    /// # Errors
    ///
    /// Those of [`read_task`].
    pub fn task(&self, path: &Path) -> Result<TaskFile> {
        let threads = rayon::current_num_threads();
        Ok(read_task(path, self.kernel_tolerance, threads)?)
    }
}

fn problem_of(parts: ProblemParts, path: &Path) -> Result<ProblemFile> {
    Ok(parts.problem().map_err(|fault| FileError { path: path.into(), fault })?)
}

/// Prints the notes of a reader, unless it is to be quiet, and returns them as texts.
pub fn print(notes: &[Note], quiet: bool) -> Vec<String> {
    let texts: Vec<String> = notes.iter().map(Note::to_string).collect();
    if !quiet {
        texts.iter().for_each(say::note);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_small() {
        assert!(tolerance("0.11").is_err() && tolerance("nan").is_err());
        assert_eq!(tolerance("1e-3"), Ok(1e-3));
    }
}
