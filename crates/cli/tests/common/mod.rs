//! What tests of the command share.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the command in a folder.
pub fn taskhead(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_taskhead"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("it starts")
}
