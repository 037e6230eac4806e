//! Problems from files, with what there is to say about them.

use anyhow::{Result, bail};

use taskhead::sweep::plan::Digest;
use taskhead::tasks::Task;
use taskhead_files::{
    FileError, Note, ProblemParts, available_memory, check_memory, digest, digest_of_file,
};

/// Prints the notes of a reader, unless it shall be quiet, and gives them as texts.
pub fn print(notes: &[Note], quiet: bool) -> Vec<String> {
    let texts: Vec<String> = notes.iter().map(Note::to_string).collect();
    if !quiet {
        texts.iter().for_each(|text| eprintln!("note: {text}"));
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
pub fn task_of_file(path: &str, quiet: bool) -> Result<Input> {
    let named = |fault| FileError { path: path.into(), fault };
    // Which files there are is known after reading them, so the digests before come from a first look.
    let before = digest_of_files(&ProblemParts::read(path)?)?;
    let parts = ProblemParts::read(path)?;
    if digest_of_files(&parts)? != before {
        bail!("{path}: the file has changed while it was read");
    }
    // Each thread reduces the problem for itself.
    let threads = rayon::current_num_threads();
    let purpose = format!("a sweep on {threads} threads of {}", parts.purpose());
    check_memory(purpose, parts.memory(threads), available_memory()).map_err(named)?;
    let file = parts.problem().map_err(named)?;
    let notes = print(&file.notes, quiet);
    let task = Task::of_problem(file.problem, file.head, file.held_out_targets);
    Ok(Input { task: Task { linear: file.linear, ..task }, notes, digest: before })
}

/// The digest of the bytes of all files of a problem, in the order of their names.
fn digest_of_files(parts: &ProblemParts) -> Result<Digest> {
    let mut all = String::new();
    for file in parts.files() {
        all += &format!("{}\n", digest_of_file(file)?);
    }
    Ok(digest(all))
}
