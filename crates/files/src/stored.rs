//! The files of one sweep: its two tables, and its journal until they are whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{At, Fault, FileError};
use super::journal::{TableJournal, check_replaceable};
use super::lock::OutputLock;
use super::output::check_output;
use super::table::{write_csv, write_parquet};
use taskhead::sweep::Sweep;

/// How often the finished part of a sweep is stored.
pub const STORE_EVERY: Duration = Duration::from_secs(2);

/// Where a sweep goes: OUT.parquet and OUT.csv, and OUT.partial.parquet until it is whole. No other run writes there
/// meanwhile: OUT.lock prevents it.
#[derive(Debug)]
pub struct SweepFiles {
    /// For programs.
    pub parquet: PathBuf,
    /// For eyes.
    pub csv: PathBuf,
    partial: PathBuf,
    _lock: OutputLock,
}

impl SweepFiles {
    /// Checks that the files can be written, by this run alone.
    ///
    /// # Errors
    ///
    /// What [`check_output`] refuses, and a run that writes there already.
    pub fn new(out: &Path) -> Result<Self, FileError> {
        let [parquet, csv, partial, lock] =
            ["parquet", "csv", "partial.parquet", "lock"].map(|suffix| with_suffix(out, suffix));
        check_output(&parquet, &["parquet"])?;
        check_output(&csv, &["csv"])?;
        Ok(Self { parquet, csv, partial, _lock: OutputLock::new(lock)? })
    }

    /// The journal of a sweep (without records, with its identity) of which so many records are computed together.
    /// Neither a finished nor an interrupted sweep of another identity is touched, unless it is by `force`. `warn` is
    /// told of a store that failed.
    ///
    /// # Errors
    ///
    /// Files that would be lost, or a journal that cannot be read.
    ///
    /// # Panics
    ///
    /// If the sweep has no identity.
    pub fn journal(
        &self,
        head: Sweep,
        together: usize,
        every: Duration,
        force: bool,
        warn: fn(&FileError),
    ) -> Result<TableJournal, FileError> {
        let identity = head.identity.expect("a sweep that is run has an identity");
        if force && self.partial.exists() && check_replaceable(&self.partial, identity).is_err() {
            let remove = std::fs::remove_file(&self.partial);
            remove.map_err(|source| Fault::Io { action: "remove", source }).at(&self.partial)?;
        }
        if !force {
            check_replaceable(&self.parquet, identity)?;
            check_replaceable(&self.csv, identity)?;
        }
        TableJournal::open(&self.partial, head, together, every, warn)
    }

    /// Writes both tables.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn write(&self, sweep: &Sweep) -> Result<(), FileError> {
        write_parquet(&self.parquet, sweep)?;
        write_csv(&self.csv, sweep)
    }
}

/// OUT.suffix
pub fn with_suffix(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
