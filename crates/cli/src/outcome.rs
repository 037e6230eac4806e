//! What sweeps and replays share around their cells: the files that they write, going on after a stop, and what the
//! program says and returns if cells failed or stopped early.

use std::process::ExitCode;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use taskhead::sweep::Sweep;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::record::{Counts, Record};
use taskhead_files::{FileError, SweepFiles, TableJournal};

/// What is told of a store that failed.
pub fn warn(error: &FileError) {
    eprintln!("warning: cannot store the finished part: {error}");
}

/// Writes the whole sweep; its journal goes.
///
/// Fails, and writes nothing, if no cell has numbers.
pub fn write(files: &SweepFiles, sweep: &Sweep, journal: TableJournal) -> Result<()> {
    if let Err(error) = Counts::of(&sweep.records).some_succeeded() {
        journal.finish();
        return Err(error.into());
    }
    files.write(sweep)?;
    journal.finish();
    Ok(())
}

/// Says on standard error, also with --quiet, which cells failed and which stopped early; the exit code is 1 if any
/// did.
pub fn report(counts: &Counts) -> ExitCode {
    counts.warnings().iter().for_each(|text| eprintln!("warning: {text}"));
    if counts.all_reached() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// "24 cells, 0 failed, 0 stopped early"
pub fn summary(counts: &Counts) -> String {
    format!("{} cells, {} failed, {} stopped early", counts.cells, counts.failed, counts.stopped)
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

/// A bar with rate and time left, hidden where nobody looks.
pub fn progress_bar(cells: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = "{bar:30} {pos}/{len} cells, {per_sec}, {eta} left";
    ProgressBar::new(cells).with_style(ProgressStyle::with_template(style).expect("a valid template"))
}
