//! Problems from files, with what there is to say about them.

use std::path::Path;

use anyhow::{Error, Result, anyhow, bail};

use super::say::{self, counted};
use taskhead::problem::ProblemError;
use taskhead::sweep::plan::Digest;
use taskhead::tasks::Task;
use taskhead_files::{
    Fault, FileError, Note, ProblemFile, ProblemParts, available_memory, check_memory, digest,
    digest_of_file,
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
    super::number(text, |v| (0.0..=MOST).contains(&v), "a number from 0 to 0.1")
}

/// The largest tolerance: a kernel that is wrong by more is no kernel.
const MOST: f64 = 0.1;

impl Reading {
    fn parts(&self, path: &Path) -> Result<ProblemParts, FileError> {
        let parts = ProblemParts::read(path)?;
        match self.kernel_tolerance {
            Some(_) if !parts.has_kernel() => {
                Err(FileError { path: path.into(), fault: Fault::NoKernel })
            }
            Some(tolerance) => Ok(parts.with_kernel_tolerance(tolerance)),
            None => Ok(parts),
        }
    }

    /// Refuses the flags where no file is read.
    pub fn refuse(&self, because: &str) -> Result<()> {
        match self.kernel_tolerance {
            Some(_) => bail!("--kernel-tolerance has no effect {because}"),
            None => Ok(()),
        }
    }

    /// Reads a problem for so many runs at once, with the digest of the bytes of all its files.
    ///
    /// # Errors
    ///
    /// Those of [`taskhead_files::read_problem`], a file that changes meanwhile, and memory that does not suffice.
    pub fn problem(&self, path: &Path, runs: usize, purpose: &str) -> Result<(ProblemFile, Digest)> {
        // Which files there are is known after reading them, so the digests before come from a first look.
        let before = digest_of_files(&ProblemParts::read(path)?)?;
        let parts = self.parts(path)?;
        if digest_of_files(&parts)? != before {
            bail!("{}: the file has changed while it was read", path.display());
        }
        check_memory(format!("{purpose} {}", parts.purpose()), parts.memory(runs), available_memory())
            .map_err(|fault| FileError { path: path.into(), fault })?;
        Ok((problem_of(parts, path)?, before))
    }
}

/// Makes the problem; a kernel that is refused for what may be rounding comes with the flag that accepts it.
fn problem_of(parts: ProblemParts, path: &Path) -> Result<ProblemFile> {
    parts.problem().map_err(|fault| {
        let needed = match &fault {
            Fault::Problem(
                ProblemError::Asymmetric { relative, .. } | ProblemError::Indefinite { relative, .. },
            ) => Some(*relative),
            // An eigenvalue that is lost to rounding may leave its square root there.
            Fault::Problem(ProblemError::HeldOutRange { relative, .. }) => Some(relative * relative),
            _ => None,
        };
        let error = FileError { path: path.into(), fault };
        match needed.map(rounded_up).filter(|needed| *needed <= MOST) {
            Some(needed) => anyhow!(
                "{error}; if the kernel is no more precise than that, add --kernel-tolerance {needed:e}"
            ),
            None => Error::from(error),
        }
    })
}

/// The next number of one digit.
fn rounded_up(value: f64) -> f64 {
    let unit = value.log10().floor();
    // Through its text: 3 · 10⁻⁸ is not the number that is written 3e-8.
    format!("{}e{unit}", (value / 10f64.powf(unit)).ceil()).parse().unwrap_or(value)
}

/// Prints the notes of a reader, unless it shall be quiet, and gives them as texts.
pub fn print(notes: &[Note], quiet: bool) -> Vec<String> {
    let texts: Vec<String> = notes.iter().map(Note::to_string).collect();
    if !quiet {
        texts.iter().for_each(say::note);
    }
    texts
}

/// The task of a file or folder.
pub struct Input {
    /// The task.
    pub task: Task,
    /// What the reader said.
    pub notes: Vec<String>,
    /// The digest of the bytes of every file that was read.
    pub digest: Digest,
}

/// Reads the task of a file or folder, and what tells its bytes from others.
///
/// # Errors
///
/// A file that cannot be read or that changes meanwhile, or memory that does not suffice for all threads.
pub fn task_of_file(path: &Path, reading: &Reading, quiet: bool) -> Result<Input> {
    // Each thread reduces the problem for itself.
    let threads = rayon::current_num_threads();
    let purpose = format!("a sweep on {} of", counted(threads, "thread"));
    let (file, digest) = reading.problem(path, threads, &purpose)?;
    let notes = print(&file.notes, quiet);
    let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
    Ok(Input { task: Task { linear: file.linear, ..task }, notes, digest })
}

/// The digest of the bytes of all files of a problem, in the order of their names.
fn digest_of_files(parts: &ProblemParts) -> Result<Digest> {
    let mut all = String::new();
    for file in parts.files() {
        all += &format!("{}\n", digest_of_file(file)?);
    }
    Ok(digest(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_rounded_up() {
        assert_eq!(rounded_up(2.9e-8), 3e-8);
        assert_eq!(rounded_up(3e-8), 3e-8);
        assert_eq!(rounded_up(9.1e-8), 1e-7);
        assert!(tolerance("0.11").is_err() && tolerance("nan").is_err());
        assert_eq!(tolerance("1e-3"), Ok(1e-3));
    }
}
