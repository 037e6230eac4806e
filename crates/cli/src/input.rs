//! Problems from files: read once, with what there is to say about them.

use anyhow::Result;

use taskhead::tasks::{Task, TaskError, TaskSpec};
use taskhead_files::{FileError, Note, ProblemParts, available_memory, check_memory};

/// Prints the notes of a reader, unless it shall be quiet, and gives them as texts.
pub fn print(notes: &[Note], quiet: bool) -> Vec<String> {
    let texts: Vec<String> = notes.iter().map(Note::to_string).collect();
    if !quiet {
        texts.iter().for_each(|text| eprintln!("note: {text}"));
    }
    texts
}

/// What makes the task of a seed.
pub struct Input {
    /// The task of a file.
    task: Option<Task>,
    /// What the reader said.
    pub notes: Vec<String>,
}

impl Input {
    /// The task of a seed.
    pub fn task(&self, spec: &TaskSpec, seed: u64) -> Result<Task, TaskError> {
        self.task.as_ref().map_or_else(|| Task::new(spec, seed), |task| Ok(task.clone()))
    }
}

/// Reads the file of a task, if it has one.
///
/// # Errors
///
/// A file that cannot be read, or memory that does not suffice for a copy on each thread.
pub fn task_of(spec: &TaskSpec, quiet: bool) -> Result<Input> {
    let TaskSpec::File { path } = spec else { return Ok(Input { task: None, notes: Vec::new() }) };
    let named = |fault| FileError { path: path.into(), fault };
    let parts = ProblemParts::read(path)?;
    // Each thread has its copy.
    let threads = rayon::current_num_threads();
    let purpose = format!("a sweep on {threads} threads of {}", parts.purpose());
    check_memory(purpose, parts.memory(threads), available_memory()).map_err(named)?;
    let file = parts.problem().map_err(named)?;
    let notes = print(&file.notes, quiet);
    Ok(Input { task: Some(Task::of_problem(file.problem, file.head, file.held_out_targets)), notes })
}
