//! What sweeps and replays share around their cells: the files that they write, going on after a stop, and what the
//! program says and returns if cells failed or stopped early.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use taskhead::sweep::Sweep;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::plan::Digest;
use taskhead::sweep::record::{Counts, Record};
use taskhead_files::{
    FileError, TableJournal, check_output, check_replaceable, write_csv, write_parquet,
};

/// Where a sweep goes: OUT.parquet and OUT.csv, and OUT.partial.parquet until it is whole.
pub struct Output {
    /// For programs.
    pub parquet: PathBuf,
    /// For eyes.
    pub csv: PathBuf,
    partial: PathBuf,
}

impl Output {
    /// Checks that the files can be written.
    pub fn new(out: &Path) -> Result<Self> {
        let [parquet, csv, partial] =
            ["parquet", "csv", "partial.parquet"].map(|suffix| with_suffix(out, suffix));
        check_output(&parquet, &["parquet"])?;
        check_output(&csv, &["csv"])?;
        Ok(Self { parquet, csv, partial })
    }

    /// The journal of a sweep (without records) of which so many records are computed together. Neither a finished
    /// nor an interrupted sweep of another identity is touched, unless it is by `force`.
    pub fn journal(
        &self,
        head: Sweep,
        together: usize,
        every: Duration,
        force: bool,
    ) -> Result<TableJournal> {
        let identity = head.identity.expect("a sweep that is run has an identity");
        if force && self.partial.exists() && check_replaceable(&self.partial, identity).is_err() {
            std::fs::remove_file(&self.partial)?;
        }
        if !force {
            self.check(identity)?;
        }
        let warn = |error: &FileError| eprintln!("warning: cannot store the finished part: {error}");
        Ok(TableJournal::open(&self.partial, head, together, every, warn)?)
    }

    fn check(&self, identity: Digest) -> Result<()> {
        check_replaceable(&self.parquet, identity)?;
        check_replaceable(&self.csv, identity)?;
        Ok(())
    }

    /// Writes the whole sweep; its journal goes.
    ///
    /// Fails, and writes nothing, if no cell has numbers: then the input is to blame.
    pub fn write(&self, sweep: &Sweep, journal: TableJournal) -> Result<()> {
        let counts = Counts::of(&sweep.records);
        if let (true, Some(first)) = (counts.failed == counts.cells, counts.first_failed) {
            journal.finish();
            bail!(
                "all {} cells failed; the first one: {}",
                counts.cells,
                first.reason().unwrap_or_default()
            );
        }
        write_parquet(&self.parquet, sweep)?;
        write_csv(&self.csv, sweep)?;
        journal.finish();
        Ok(())
    }
}

/// OUT.suffix
pub fn with_suffix(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Says on standard error, also with --quiet, which cells failed and which stopped early; the exit code is 1 if any
/// did.
pub fn report(counts: &Counts) -> ExitCode {
    let say = |count: usize, what: &str, first: Option<&Record>| {
        if let Some(record) = first {
            let (number, reason) = (record.cell.number, record.reason().unwrap_or_default());
            eprintln!(
                "warning: {count} of {} cells {what}; the first one is cell {number}: {reason}",
                counts.cells
            );
        }
    };
    say(counts.failed, "failed", counts.first_failed);
    say(counts.stopped, "stopped early", counts.first_stopped);
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
