//! Problems from files: read once, with what there is to say about them.

use anyhow::Result;

use taskhead::tasks::{Task, TaskError, TaskSpec};
use taskhead_files::{Note, available_memory, check_memory, read_problem};

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
    let file = read_problem(path)?;
    let threads = rayon::current_num_threads();
    check_memory(
        format!("{path}: a sweep on {threads} threads"),
        file.size * threads as f64,
        available_memory(),
    )?;
    let notes = print(&file.notes, quiet);
    Ok(Input { task: Some(Task::of_problem(file.problem, file.head, file.held_out_targets)), notes })
}
