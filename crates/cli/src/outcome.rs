//! What sweeps and replays share around their cells: the files that they write, going on after a stop, and what the
//! program says and returns if cells failed or stopped early.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::builder::{PathBufValueParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};

use super::say::{self, counted};
use taskhead::sweep::Sweep;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::plan::Digest;
use taskhead::sweep::record::{Counts, Record};
use taskhead_files::{
    FileError, OutputLock, SWEEP_EXTENSIONS, TableJournal, available_memory, check_memory, check_output,
    check_replaceable, memory_of_records, write_csv, write_parquet,
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

/// Where a sweep goes: OUT.parquet and OUT.csv, and OUT.partial.parquet until it is whole. Nobody else writes there
/// meanwhile: OUT.lock sees to it.
pub struct Output {
    /// For programs.
    pub parquet: PathBuf,
    /// For eyes.
    pub csv: PathBuf,
    partial: PathBuf,
    _lock: OutputLock,
}

impl Output {
    /// Checks that the files can be written, by this run alone.
    pub fn new(out: &Path) -> Result<Self> {
        let [parquet, csv, partial, lock] =
            ["parquet", "csv", "partial.parquet", "lock"].map(|suffix| with_suffix(out, suffix));
        check_output(&parquet, &["parquet"])?;
        check_output(&csv, &["csv"])?;
        Ok(Self { parquet, csv, partial, _lock: OutputLock::new(lock)? })
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
            let cannot = || format!("{}: cannot be removed", self.partial.display());
            std::fs::remove_file(&self.partial).with_context(cannot)?;
        }
        if !force {
            self.check(identity)?;
        }
        let warn = |error: &FileError| {
            say::warning(format_args!("cannot store the finished part: {error}"));
        };
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
            let reason = first.reason().unwrap_or_default();
            match counts.cells {
                1 => bail!("the only cell failed: {reason}"),
                cells => bail!("all {cells} cells failed; the first one: {reason}"),
            }
        }
        write_parquet(&self.parquet, sweep)?;
        write_csv(&self.csv, sweep)?;
        journal.finish();
        Ok(())
    }
}

/// Makes a folder, if it is missing.
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{}: the folder cannot be made", folder.display()))
}

/// OUT.suffix
pub fn with_suffix(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Refuses more cells than there is memory for.
pub fn check_cells(cells: usize) -> Result<()> {
    let what = format!("a sweep of {}", counted(cells, "cell"));
    Ok(check_memory(what, memory_of_records(cells), available_memory())?)
}

/// Says on standard error, also with --quiet, which cells failed and which stopped early; the exit code is 1 if any
/// did.
pub fn report(counts: &Counts) -> ExitCode {
    let say = |count: usize, what: &str, first: Option<&Record>| {
        if let Some(record) = first {
            let (number, reason) = (record.cell.number, record.reason().unwrap_or_default());
            let cells = counted(counts.cells, "cell");
            say::warning(format_args!(
                "{count} of {cells} {what}; the first one is cell {number}: {reason}"
            ));
        }
    };
    say(counts.failed, "failed", counts.first_failed);
    say(counts.stopped, "stopped early", counts.first_stopped);
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

/// A bar with rate and time left, hidden where nobody looks.
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
