//! What tests of the command share; none of them needs all of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nalgebra::DMatrix;
use taskhead::tasks::{normal, stream};
use taskhead_files::write_result;

/// Runs the command in a folder.
pub fn taskhead(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_taskhead"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("it starts")
}

/// Standard output of a run that must succeed.
pub fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = taskhead(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Standard error of a run that must fail as bad input: exit code 2, no panic, nothing on standard output.
pub fn refuse(folder: &Path, args: &[&str]) -> String {
    let before = listing(folder);
    let output = taskhead(folder, args);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(listing(folder), before, "{args:?} left something behind");
    text
}

/// What a folder holds.
pub fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    names.sort();
    names
}

/// A folder that goes away.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Inputs, backbone, targets and head of a random problem, and held-out inputs.
pub fn arrays(seed: u64) -> [DMatrix<f64>; 5] {
    let rng = |purpose| stream(seed, purpose);
    [
        normal(&mut rng(1), 4, 6, 0.5),
        normal(&mut rng(2), 5, 6, 0.5),
        normal(&mut rng(3), 4, 2, 1.0),
        normal(&mut rng(4), 5, 2, 0.5),
        normal(&mut rng(5), 3, 6, 0.5),
    ]
}

/// Such a problem as a file.
pub fn write_problem(path: &Path) -> [DMatrix<f64>; 5] {
    let all = arrays(7);
    let [x, b, y, v, held] = &all;
    write_result(
        path,
        &[("inputs", x), ("backbone", b), ("targets", y), ("head", v), ("probe_inputs", held)],
    )
    .expect("a problem file");
    all
}
