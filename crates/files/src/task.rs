//! The task of a file or folder, with what tells its bytes from others.

use std::path::{Path, PathBuf};

use nalgebra::DMatrix;

use super::error::{At, Fault, FileError};
use super::memory::{available_memory, check_memory};
use super::notes::Note;
use super::parts::ProblemParts;
use taskhead::counted;
use taskhead::problem::Problem;
use taskhead::sweep::plan::Digest;
use taskhead::tasks::{Linear, Task};

/// The task of a file or folder.
#[derive(Debug)]
pub struct TaskFile {
    /// The task.
    pub task: Task,
    /// What the reader has to say.
    pub notes: Vec<Note>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
    /// The digest of their bytes.
    pub digest: Digest,
}

/// Reads a task that this many threads will run at once. `kernel_tolerance` is that of
/// [`ProblemParts::with_kernel_tolerance`].
///
/// # Errors
///
/// A file that cannot be read or that changes meanwhile, or memory that does not suffice for all threads.
pub fn read_task(
    path: impl AsRef<Path>,
    kernel_tolerance: Option<f64>,
    threads: usize,
) -> Result<TaskFile, FileError> {
    let path = path.as_ref();
    // Each thread reduces the problem for itself.
    let purpose = sweep_of(threads);
    let (parts, digest) = read_parts_with_digest(path, kernel_tolerance, threads, &purpose)?;
    let files = parts.files().to_vec();
    parts.task_within_memory().at(path).map(|(task, notes)| TaskFile { task, notes, files, digest })
}

/// Reads the arrays of a problem for this many simultaneous runs. The purpose is named where memory does not suffice.
///
/// # Errors
///
/// A file that cannot be read, a tolerance for a kernel that is not there, or memory that does not suffice.
pub fn read_parts(
    path: impl AsRef<Path>,
    kernel_tolerance: Option<f64>,
    runs: usize,
    purpose: &str,
) -> Result<ProblemParts, FileError> {
    let path = path.as_ref();
    ProblemParts::read(path)?.accepted(kernel_tolerance, runs, purpose).at(path)
}

/// The same with the digest of the bytes of all files.
///
/// # Errors
///
/// Those of [`read_parts`], or a file that changes meanwhile.
pub fn read_parts_with_digest(
    path: impl AsRef<Path>,
    kernel_tolerance: Option<f64>,
    runs: usize,
    purpose: &str,
) -> Result<(ProblemParts, Digest), FileError> {
    let path = path.as_ref();
    // Which files there are is known after reading them, so the digests before come from a first look.
    let before = ProblemParts::read(path)?.digest_of_files()?;
    let parts = ProblemParts::read(path)?;
    if parts.digest_of_files()? != before {
        return Err(Fault::Changed).at(path);
    }
    Ok((parts.accepted(kernel_tolerance, runs, purpose).at(path)?, before))
}

fn sweep_of(threads: usize) -> String {
    format!("a sweep on {} of", counted(threads, "thread"))
}

impl ProblemParts {
    /// The parts with this tolerance, if there is a kernel for it and memory for this many simultaneous runs.
    fn accepted(self, kernel_tolerance: Option<f64>, runs: usize, purpose: &str) -> Result<Self, Fault> {
        let parts = match kernel_tolerance {
            Some(_) if !self.has_kernel() => return Err(Fault::NoKernel),
            Some(tolerance) => self.with_kernel_tolerance(tolerance),
            None => self,
        };
        check_memory(format!("{purpose} {}", parts.purpose()), parts.memory(runs), available_memory())?;
        Ok(parts)
    }

    /// Makes the task that this many threads will run at once, with the notes on it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::problem`], or memory that does not suffice for all threads.
    pub fn task(self, threads: usize) -> Result<(Task, Vec<Note>), Fault> {
        let purpose = format!("{} {}", sweep_of(threads), self.purpose());
        check_memory(purpose, self.memory(threads), available_memory())?;
        self.task_within_memory()
    }

    fn task_within_memory(self) -> Result<(Task, Vec<Note>), Fault> {
        let file = self.problem()?;
        let on_features_of = || file.problem.is_on_features().then(|| on_features(&file.problem));
        let linear = file.linear.or_else(on_features_of);
        let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
        Ok((Task { linear, ..task }, file.notes))
    }
}

/// The linear model of a layer on the features, which starts as the identity.
fn on_features(problem: &Problem) -> Linear {
    let held_out = problem.held_out().map(|held_out| held_out.features().clone());
    let backbone = DMatrix::identity(problem.width(), problem.width());
    Linear { inputs: problem.features().clone(), backbone, held_out }
}
