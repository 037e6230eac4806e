//! What sweeps and replays share around their cells: the files that they write, going on after a stop, and what the
//! program says and returns if cells failed or stopped early.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::builder::{PathBufValueParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use taskhead::counted;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::record::{Counts, Record};
use taskhead::sweep::{Shard, Sweep};
use taskhead_files::{
    FileError, SWEEP_EXTENSIONS, SweepFiles, TableJournal, available_memory, check_memory,
    memory_of_records,
};

/// Parses OUT: a path to which endings are added, whether one of them is there already or not.
pub fn output() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(text) => stem(text),
        None => Ok(path),
    })
}

fn stem(text: &str) -> Result<PathBuf, String> {
    let stem = SWEEP_EXTENSIONS
        .iter()
        .find_map(|extension| text.strip_suffix(&format!(".{extension}")))
        .unwrap_or(text);
    if stem.is_empty() || stem.ends_with(['/', '.', std::path::MAIN_SEPARATOR]) {
        return Err(
            "it must be a path that ends with a name, to which .parquet and .csv are added".into()
        );
    }
    Ok(stem.into())
}

/// Flags of what can be done by several machines.
#[derive(Debug, clap::Args)]
pub struct Split {
    /// Run part I (from 1) of N only, and write OUT.I-of-N.parquet; `merge` puts all parts together.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Run nothing; write OUT.slurm, an array job of N tasks that each run one part.
    #[arg(long, value_name = "N", conflicts_with_all = ["shard", "json"],
          value_parser = super::whole::<usize>(1..).try_map(NonZeroUsize::try_from))]
    pub slurm: Option<NonZeroUsize>,
    /// Submit it to Slurm, with a job after it that merges the parts.
    #[arg(long, requires = "slurm")]
    pub submit: bool,
}

/// Warns of a failed attempt to store.
pub fn warn(error: &FileError) {
    say::warning(format_args!("cannot store the finished part: {error}"));
}

/// Writes the whole sweep, and removes its journal.
///
/// Fails, and writes nothing, if no cell has numbers; a part has whatever it has.
pub fn write(files: &SweepFiles, sweep: &Sweep, journal: TableJournal) -> Result<()> {
    if let (false, Err(error)) = (files.is_part(), Counts::of(&sweep.records).some_succeeded()) {
        journal.finish();
        return Err(error.into());
    }
    files.write(sweep)?;
    journal.finish();
    Ok(())
}

/// Makes a folder, if it is missing.
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{}: the folder cannot be made", folder.display()))
}

/// Refuses more cells than there is memory for.
pub fn check_cells(cells: usize) -> Result<()> {
    let what = format!("a sweep of {}", counted(cells, "cell"));
    Ok(check_memory(what, memory_of_records(cells), available_memory())?)
}

/// Says on standard error, also with --quiet, which cells failed and which stopped early; the exit code is 1 if any
/// did.
pub fn report(counts: &Counts) -> ExitCode {
    counts.warnings().iter().for_each(say::warning);
    if counts.all_reached() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// "24 cells, 0 failed, 0 stopped early"
pub fn summary(counts: &Counts) -> String {
    let cells = counted(counts.cells, "cell");
    format!("{cells}, {} failed, {} stopped early", counts.failed, counts.stopped)
}

/// A journal that moves a bar by a step for each `unit` of records that are kept.
pub struct Watched<'a> {
    /// The journal.
    pub journal: &'a dyn Journal,
    /// The bar.
    pub bar: &'a ProgressBar,
    /// Records of a step.
    pub unit: usize,
}

impl Journal for Watched<'_> {
    fn known(&self, first: u64) -> Option<Vec<Record>> {
        self.journal.known(first)
    }

    fn keep(&self, records: &[Record]) {
        self.journal.keep(records);
        self.bar.inc((records.len() / self.unit) as u64);
    }
}

/// A bar with rate and time left, hidden unless standard error is a terminal.
pub fn progress_bar(cells: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = "{bar:30} {pos}/{len} cells, {per_sec}, {eta} left";
    ProgressBar::new(cells).with_style(ProgressStyle::with_template(style).expect("a valid template"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskhead_files::with_suffix;

    /// `--out x.parquet` made x.parquet.parquet.
    #[test]
    fn an_output_has_one_ending() {
        for (given, stem) in
            [("x", "x"), ("x.parquet", "x"), ("a/x.csv", "a/x"), ("x.v2", "x.v2"), ("ü.csv", "ü")]
        {
            assert_eq!(super::stem(given), Ok(stem.into()));
            assert_eq!(with_suffix(Path::new(stem), "csv"), PathBuf::from(format!("{stem}.csv")));
        }
        for bad in ["", ".", "..", "a/", "a/..", ".parquet", "a/.csv"] {
            assert!(super::stem(bad).is_err(), "{bad}");
        }
    }
}
