//! The parts of a sweep or a replay, put together.

use std::path::{Path, PathBuf};

use super::error::{At, Fault, FileError};
use super::table::{TableNote, read_sweep_with_notes};
use taskhead::sweep::{Part, Shard, Sweep};

/// Puts the parts of a run together, in any order: what comes out is the run as if it had never been split. What there
/// is to know of the files comes with their paths.
///
/// # Errors
///
/// A file that is not a part, or is not whole; parts of different runs or of different splits; a part that is there
/// twice; parts that are missing, all of which are named.
pub fn merge<P: AsRef<Path>>(paths: &[P]) -> Result<(Sweep, Vec<(PathBuf, TableNote)>), FileError> {
    let (mut parts, mut notes): (Vec<(&Path, Part, Sweep)>, Vec<_>) = (Vec::new(), Vec::new());
    for path in paths.iter().map(AsRef::as_ref) {
        let (sweep, said) = read_sweep_with_notes(path)?;
        let mut part = None;
        for note in said {
            match note {
                TableNote::Part(found) => part = Some(found),
                other => notes.push((path.to_owned(), other)),
            }
        }
        let Some(part) = part.filter(|_| sweep.identity.is_some()) else {
            return Err(Fault::NoPart).at(path);
        };
        if let Some((first, of_first, head)) = parts.first() {
            let first = first.display().to_string();
            if (head.identity, &head.config, &head.version)
                != (sweep.identity, &sweep.config, &sweep.version)
            {
                return Err(Fault::OtherRun { first }).at(path);
            }
            if (of_first.shard.of(), of_first.cells) != (part.shard.of(), part.cells) {
                return Err(Fault::OtherSplit { first, of: of_first.shard.of(), part }).at(path);
            }
        }
        if let Some((other, ..)) = parts.iter().find(|(_, other, _)| other.shard == part.shard) {
            return Err(Fault::RepeatedPart { part, other: other.display().to_string() }).at(path);
        }
        parts.push((path, part, sweep));
    }
    parts.sort_by_key(|(_, part, _)| part.shard.number());
    let Some((first, part, _)) = parts.first() else { return Err(Fault::NoPart).at(Path::new("")) };
    let (of, cells) = (part.shard.of(), part.cells);
    let missing: Vec<Shard> =
        Shard::all(of).filter(|shard| parts.iter().all(|(_, p, _)| p.shard != *shard)).collect();
    if !missing.is_empty() {
        return Err(Fault::MissingParts { missing, of }).at(first);
    }
    // Each part knows how many cells there are; that they are all there, and each once, is seen here.
    let mut next = 0;
    for (path, _, sweep) in &parts {
        for record in &sweep.records {
            if record.cell.number != next {
                return Err(Fault::MissingCell { cell: next }).at(path);
            }
            next += 1;
        }
    }
    let (last, _, head) = parts.last().expect("there is a first one");
    if next != cells as u64 {
        return Err(Fault::MissingCell { cell: next }).at(last);
    }
    let head = Sweep { records: Vec::new(), ..head.clone() };
    let records = parts.into_iter().flat_map(|(.., sweep)| sweep.records).collect();
    Ok((Sweep { records, ..head }, notes))
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::record;
    use super::super::{write_parquet, write_part};
    use super::*;
    use taskhead::sweep::plan::Digest;

    fn head(byte: u8) -> Sweep {
        let identity = Some(Digest([byte; 32]));
        Sweep {
            config: "a = 1\n".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            identity,
            records: Vec::new(),
        }
    }

    /// Part of 3 of a sweep of 7 cells.
    fn write(
        folder: &Path,
        name: &str,
        byte: u8,
        shard: &str,
        cells: impl Iterator<Item = u64>,
    ) -> PathBuf {
        let path = folder.join(name);
        let part = Part { shard: shard.parse().unwrap(), cells: 7 };
        write_part(&path, &Sweep { records: cells.map(record).collect(), ..head(byte) }, part).unwrap();
        path
    }

    fn refused(paths: &[&PathBuf]) -> String {
        merge(paths).map(|(sweep, _)| sweep.records.len()).unwrap_err().fault.to_string()
    }

    #[test]
    fn parts_in_any_order_are_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (a, b, c) = (
            write(at, "a.parquet", 1, "1/3", 0..2),
            write(at, "b.parquet", 1, "2/3", 2..4),
            write(at, "c.parquet", 1, "3/3", 4..7),
        );
        let whole = at.join("whole.parquet");
        write_parquet(&whole, &Sweep { records: (0..7).map(record).collect(), ..head(1) }).unwrap();
        let (merged, notes) = merge(&[&c, &a, &b]).unwrap();
        assert!(notes.is_empty());
        let own = at.join("merged.parquet");
        write_parquet(&own, &merged).unwrap();
        assert_eq!(std::fs::read(own).unwrap(), std::fs::read(&whole).unwrap());

        assert_eq!(refused(&[&b]), "part 1/3 and part 3/3 of 3 are missing");
        assert_eq!(refused(&[&a, &c]), "part 2/3 of 3 is missing");
        assert!(refused(&[&a, &b, &c, &b]).starts_with("part 2/3 is there already, as "));
        assert!(refused(&[&a, &whole]).starts_with("it is no part of a sweep"));
        assert!(refused(&[]).starts_with("it is no part"));
        let other = write(at, "other.parquet", 2, "3/3", 4..7);
        assert!(refused(&[&a, &b, &other]).starts_with("it belongs to another run than "));
        let split = write(at, "split.parquet", 1, "3/4", 4..7);
        assert!(refused(&[&a, &b, &split]).starts_with("it is one of 4 parts of 7 cells, and "));
        for cells in [4..6, 5..7, 4..8] {
            let cut = write(at, "cut.parquet", 1, "3/3", cells.clone());
            assert!(refused(&[&a, &b, &cut]).starts_with("its cell "), "{cells:?}");
        }
    }
}
