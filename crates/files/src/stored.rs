//! The files of one sweep: its two tables, and its journal until they are whole.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{At, Fault, FileError, Remedy};
use super::journal::{TableJournal, check_replaceable};
use super::lock::OutputLock;
use super::output::{check_apart, check_output};
use super::table::{TableNote, read_sweep_with_notes, write_csv, write_parquet, write_part};
use taskhead::sweep::plan::Digest;
use taskhead::sweep::{Part, Sweep};

/// How often the finished part of a sweep is stored.
pub const STORE_EVERY: Duration = Duration::from_secs(2);

/// Where a sweep goes: OUT.parquet and OUT.csv, and OUT.partial.parquet until it is whole. For part 2/8, OUT is
/// OUT.2-of-8, and there is no CSV. No other run writes there meanwhile: OUT.lock prevents it.
#[derive(Debug)]
pub struct SweepFiles {
    /// For programs.
    pub parquet: PathBuf,
    /// For eyes.
    pub csv: Option<PathBuf>,
    part: Option<Part>,
    partial: PathBuf,
    superseded: Option<Digest>,
    _lock: OutputLock,
}

impl SweepFiles {
    /// Checks that the files of a sweep, or of a part of it, can be written, by this run alone.
    ///
    /// # Errors
    ///
    /// What [`check_output`] refuses, and a run that writes there already.
    pub fn new(out: &Path, part: Option<Part>) -> Result<Self, FileError> {
        let out = match part {
            None => out.to_owned(),
            Some(Part { shard, .. }) => {
                with_suffix(out, &format!("{}-of-{}", shard.number(), shard.of()))
            }
        };
        let [parquet, csv, partial, lock] =
            ["parquet", "csv", "partial.parquet", "lock"].map(|suffix| with_suffix(&out, suffix));
        let csv = part.is_none().then_some(csv);
        check_output(&parquet, &["parquet"])?;
        csv.iter().try_for_each(|csv| check_output(csv, &["csv"]))?;
        let superseded = None;
        Ok(Self { parquet, csv, part, partial, superseded, _lock: OutputLock::new(lock)? })
    }

    /// The tables that come out.
    pub fn tables(&self) -> impl Iterator<Item = &Path> {
        [&self.parquet].into_iter().chain(&self.csv).map(PathBuf::as_path)
    }

    /// Whether it is a part that goes there.
    pub fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// Refuses inputs that would be written over.
    ///
    /// # Errors
    ///
    /// A table or a journal that is one of them.
    pub fn check_apart<P: AsRef<Path>>(&self, inputs: &[P]) -> Result<(), FileError> {
        check_apart(self.tables().chain([&*self.partial]), inputs)
    }

    /// The journal of a sweep (without records, with its identity), by its number of cells and by how many of them are
    /// computed together. Neither a finished nor an interrupted sweep of another identity is touched, unless it is by
    /// `force`. `warn` is told of a store that failed.
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
        cells: usize,
        together: usize,
        every: Duration,
        force: bool,
        warn: fn(&FileError),
    ) -> Result<TableJournal, FileError> {
        let identity = head.identity.expect("a sweep that is run has an identity");
        self.check(identity, force)?;
        let open = |head| TableJournal::open(&self.partial, head, cells, together, every, warn);
        match open(head.clone()) {
            Err(error) if force && error.fault.remedy() == Some(Remedy::Replacement) => {
                let remove = std::fs::remove_file(&self.partial);
                remove.map_err(|source| Fault::Io { action: "remove", source }).at(&self.partial)?;
                open(head)
            }
            opened => opened,
        }
    }

    /// The same files, whose tables may also be replaced if they are of this identity: by a sweep that holds all of it.
    pub fn superseding(self, identity: Digest) -> Self {
        Self { superseded: Some(identity), ..self }
    }

    /// The finished sweep that is there already; none if there is none that can be read, or if it has no seal, without
    /// which nothing tells whether it is what was stored.
    pub fn finished(&self) -> Option<Sweep> {
        let (sweep, notes) =
            self.parquet.exists().then(|| read_sweep_with_notes(&self.parquet).ok())??;
        (!notes.contains(&TableNote::NoSeal)).then_some(sweep)
    }

    /// Checks that no table of another identity would be lost, unless it is by `force`.
    ///
    /// # Errors
    ///
    /// Files that would be lost.
    pub fn check(&self, identity: Digest, force: bool) -> Result<(), FileError> {
        let check = |table: &Path| match self.superseded {
            Some(old) if check_replaceable(table, old).is_ok() => Ok(()),
            _ => check_replaceable(table, identity),
        };
        self.tables().filter(|_| !force).try_for_each(check)
    }

    /// Writes all tables.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn write(&self, sweep: &Sweep) -> Result<(), FileError> {
        match self.part {
            None => write_parquet(&self.parquet, sweep)?,
            Some(part) => write_part(&self.parquet, sweep, part)?,
        }
        self.csv.iter().try_for_each(|csv| write_csv(csv, sweep))
    }
}

/// OUT.suffix
pub fn with_suffix(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
