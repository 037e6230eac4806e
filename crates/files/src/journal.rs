//! The journal of a running sweep or replay: a table beside the output, from which an interrupted run resumes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::error::{At, Fault, FileError};
use super::result;
use super::table::{self, TableNote, read_sweep_with_notes, write_unfinished};
use taskhead::sweep::Sweep;
use taskhead::sweep::journal::Journal;
use taskhead::sweep::plan::Digest;
use taskhead::sweep::record::Record;

/// A journal as a Parquet table of what is finished.
///
/// Only a journal of the same identity is resumed: the same configuration, the same bytes of all input files, the same
/// version.
#[derive(Debug)]
pub struct TableJournal {
    path: PathBuf,
    /// How many records there are in the end.
    cells: usize,
    /// How many records are kept together.
    together: usize,
    every: Duration,
    known: HashMap<u64, Vec<Record>>,
    /// The sweep with what is finished, and when it was stored.
    kept: Mutex<(Sweep, Instant)>,
    warn: fn(&FileError),
}

impl TableJournal {
    /// Opens the journal of a sweep (`head`, whose records do not count) of `cells` cells, `together` of which are
    /// computed at a time, and stores it at most once in `every`. `warn` is told of a store that failed: the sweep goes
    /// on, and after a stop it would start again.
    ///
    /// # Errors
    ///
    /// A journal that cannot be read ([`Fault::DamagedJournal`]), or one of another identity ([`Fault::OtherJournal`]).
    pub fn open(
        path: impl AsRef<Path>,
        head: Sweep,
        cells: usize,
        together: usize,
        every: Duration,
        warn: fn(&FileError),
    ) -> Result<Self, FileError> {
        let path = path.as_ref().to_owned();
        let head = Sweep { records: Vec::new(), ..head };
        let mut known: HashMap<u64, Vec<Record>> = HashMap::new();
        if path.exists() {
            let damaged =
                |fault| FileError { path: path.clone(), fault: Fault::DamagedJournal(Box::new(fault)) };
            if table::stored_identity(&path).map_err(damaged)? != head.identity {
                return Err(Fault::OtherJournal).at(&path);
            }
            let (sweep, notes) = read_sweep_with_notes(&path).map_err(|error| damaged(error.fault))?;
            // Without the seal nothing tells whether these are the numbers that were stored.
            if notes.contains(&TableNote::NoSeal) {
                return Err(damaged(Fault::NotASweep { missing: "its seal" }));
            }
            for record in sweep.records {
                let first = record.cell.number / together as u64 * together as u64;
                known.entry(first).or_default().push(record);
            }
            known.retain(|_, records| {
                records.sort_by_key(|r| r.cell.number);
                records.len() == together
            });
        }
        let records = known.values().flatten().cloned().collect();
        let kept = Mutex::new((Sweep { records, ..head }, Instant::now()));
        Ok(Self { path, cells, together, every, known, kept, warn })
    }

    /// How many records are known from before.
    pub fn count(&self) -> usize {
        self.known.len() * self.together
    }

    /// Stores what was kept, so that nothing of it is lost by a stop.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    ///
    /// # Panics
    ///
    /// If a thread has panicked while it stored.
    pub fn store(&self) -> Result<(), FileError> {
        self.write(&self.kept.lock().expect("no thread panics while it stores").0)
    }

    fn write(&self, kept: &Sweep) -> Result<(), FileError> {
        write_unfinished(&self.path, kept, self.cells)
    }

    /// The sweep is stored elsewhere: removes the journal.
    pub fn finish(self) {
        let _ = std::fs::remove_file(self.path);
    }
}

impl Journal for TableJournal {
    fn known(&self, first: u64) -> Option<Vec<Record>> {
        self.known.get(&first).cloned()
    }

    fn keep(&self, records: &[Record]) {
        let mut kept = self.kept.lock().expect("no thread panics while it stores");
        kept.0.records.extend_from_slice(records);
        if kept.1.elapsed() >= self.every {
            if let Err(error) = self.write(&kept.0) {
                (self.warn)(&error);
            }
            kept.1 = Instant::now();
        }
    }
}

/// Whether a table or a file of arrays says that it is of this identity.
fn is_of(path: &Path, identity: Option<Digest>) -> bool {
    let stored = || result::stored_identity(path).or_else(|_| table::stored_identity(path));
    identity.is_some() && stored().is_ok_and(|stored| stored == identity)
}

/// Checks that nothing would be lost if a table or a file of arrays were written here: there is no file, or one of this
/// identity.
///
/// # Errors
///
/// Any other file ([`Fault::OtherResult`]).
pub fn check_replaceable(path: impl AsRef<Path>, identity: Digest) -> Result<(), FileError> {
    let path = path.as_ref();
    if path.symlink_metadata().is_ok() && !is_of(path, Some(identity)) {
        return Err(Fault::OtherResult).at(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::record;
    use super::super::{SweepFiles, write_csv, write_parquet, write_result, write_result_of};
    use super::*;

    fn head(byte: u8) -> Sweep {
        let identity = Some(Digest([byte; 32]));
        Sweep { config: String::new(), version: "0.1.0".into(), identity, records: Vec::new() }
    }

    fn open(path: &Path, byte: u8) -> Result<TableJournal, String> {
        let warn = |error: &FileError| panic!("{error}");
        TableJournal::open(path, head(byte), 8, 2, Duration::ZERO, warn).map_err(|e| e.fault.to_string())
    }

    #[test]
    fn what_was_kept_is_known_to_the_same_identity_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.partial.parquet");
        let journal = open(&path, 1).unwrap();
        assert_eq!((journal.count(), journal.known(0)), (0, None));
        journal.keep(&[record(2), record(3)]);
        drop(journal);
        let journal = open(&path, 1).unwrap();
        assert_eq!((journal.count(), journal.known(0)), (2, None));
        assert_eq!(journal.known(2), Some(vec![record(2), record(3)]));
        assert!(
            open(&path, 2).unwrap_err().starts_with("this is left from an interrupted run of another")
        );
        // Nothing of what was known is lost when more is kept.
        journal.keep(&[record(6), record(7)]);
        assert_eq!(open(&path, 1).unwrap().count(), 4);
        // Of cells that belong together, one is not enough.
        write_parquet(&path, &Sweep { records: vec![record(2), record(4), record(5)], ..head(1) })
            .unwrap();
        let journal = open(&path, 1).unwrap();
        assert_eq!((journal.count(), journal.known(2)), (2, None));
        for (bytes, why) in [
            (&b"PAR1"[..], "4 bytes are too few"),
            (&std::fs::read(&path).unwrap()[..500], "it does not end as a Parquet file does"),
            (b"notes of mine", "this is text"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            for byte in [1, 2] {
                let text = open(&path, byte).unwrap_err();
                assert!(
                    text.starts_with("what an interrupted run has left here is damaged ("),
                    "{text}"
                );
                assert!(text.contains(why), "{text}");
            }
        }
        journal.finish();
        assert!(!path.exists());
    }

    /// A changed byte of the seal let every other change pass.
    #[test]
    fn what_has_lost_its_seal_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let files = SweepFiles::new(&folder.path().join("s"), None).unwrap();
        let paths = ["s.partial.parquet", "s.parquet"].map(|name| folder.path().join(name));
        for path in &paths {
            write_parquet(path, &Sweep { records: vec![record(2), record(3)], ..head(1) }).unwrap();
        }
        assert_eq!(open(&paths[0], 1).unwrap().count(), 2);
        assert_eq!(files.finished().unwrap().records.len(), 2);
        for path in &paths {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[5] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }
        let text = open(&paths[0], 1).unwrap_err();
        assert!(text.contains("damaged") && text.contains("its seal is missing"), "{text}");
        assert!(files.finished().is_none());
    }

    #[test]
    fn only_a_result_of_the_same_identity_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["s.csv", "s.parquet", "s.npz", "s.safetensors"] {
            let path = folder.path().join(name);
            let check =
                |byte| check_replaceable(&path, Digest([byte; 32])).map_err(|e| e.fault.to_string());
            assert_eq!(check(1), Ok(()));
            let arrays = [("features", &nalgebra::dmatrix![1.0])];
            match name {
                "s.csv" => write_csv(&path, &head(1)),
                "s.parquet" => write_parquet(&path, &head(1)),
                _ => write_result_of(&path, &arrays, Digest([1; 32])),
            }
            .unwrap();
            assert_eq!(check(1), Ok(()), "{name}");
            assert!(check(2).unwrap_err().starts_with("this is there already"));
            if path.extension().is_some_and(|e| e == "npz" || e == "safetensors") {
                write_result(&path, &arrays).unwrap();
                assert!(check(1).is_err(), "arrays of somebody else");
            }
            for other in ["notes of mine", "", "PK\x03\x04", "\x02\0\0\0\0\0\0\0{}"] {
                std::fs::write(&path, other).unwrap();
                assert!(check(1).is_err(), "{name} {other:?}");
            }
        }
    }
}
