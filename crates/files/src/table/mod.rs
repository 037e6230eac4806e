//! Sweeps as tables: Parquet for programs, CSV for eyes.
//!
//! Both have one column for each field of [`Record`], in its order, and both keep the configuration and
//! the version, so that what was read is what was written.

mod csv;
mod parquet;

use std::path::Path;

use super::error::{At, Fault, FileError, printable};
use super::source::open;
use taskhead::sweep::Sweep;
use taskhead::sweep::record::Record;

pub use csv::write_csv;
pub use parquet::write_parquet;

/// Extensions of the files that hold a sweep.
pub const SWEEP_EXTENSIONS: &[&str] = &["parquet", "csv"];

/// A value of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell<'a> {
    Count(u64),
    Number(f64),
    Text(&'a str),
}

/// The place of a value in a record.
enum Slot<'a> {
    Count(&'a mut u64),
    Number(&'a mut f64),
    Text(&'a mut String),
}

/// A type that a field of [`Record`] may have.
trait Field {
    fn cell(&self) -> Cell<'_>;
    fn slot(&mut self) -> Slot<'_>;
}

impl Field for u64 {
    fn cell(&self) -> Cell<'_> {
        Cell::Count(*self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::Count(self)
    }
}

impl Field for f64 {
    fn cell(&self) -> Cell<'_> {
        Cell::Number(*self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::Number(self)
    }
}

impl Field for String {
    fn cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::Text(self)
    }
}

/// A column of the table.
struct Column {
    name: &'static str,
    cell: fn(&Record) -> Cell<'_>,
    slot: fn(&mut Record) -> Slot<'_>,
}

macro_rules! columns {
    ($($field:ident)*) => {
        /// All columns, in the order of the fields.
        const COLUMNS: &[Column] = &[$(Column {
            name: stringify!($field),
            cell: |record| record.$field.cell(),
            slot: |record| record.$field.slot(),
        }),*];

        // Does not compile if the list below lacks a field.
        const _: fn(Record) = |record| { let Record { $($field: _),* } = record; };
    };
}

columns! {
    cell problem seed head_scale smoothing head_rate point probe_time aie frobenius time method status
    residual drift euclidean cosine dot norm held_out_euclidean held_out_cosine held_out_dot
    held_out_norm budget_backbone budget_head head_norm_start head_norm risk_start risk accuracy_start
    accuracy held_out_accuracy_start held_out_accuracy error
}

/// Finds the columns of a table by their names: all of them, each once, in any order.
fn columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<&'static Column>, Fault> {
    let mut missing: Vec<_> = COLUMNS.iter().map(|c| c.name).collect();
    let (mut found, mut surplus) = (Vec::new(), Vec::new());
    for name in names {
        match missing.iter().position(|m| *m == name) {
            Some(i) => {
                missing.remove(i);
                found.extend(COLUMNS.iter().find(|c| c.name == name));
            }
            None => surplus.push(printable(name)),
        }
    }
    if missing.is_empty() && surplus.is_empty() {
        Ok(found)
    } else {
        Err(Fault::Columns { missing, surplus })
    }
}

/// Reads a sweep that [`write_parquet`] or [`write_csv`] has written; the content decides which.
///
/// # Errors
///
/// A file that is missing, damaged or of another kind; other columns than this version has; a table
/// without configuration and version.
pub fn read_sweep(path: impl AsRef<Path>) -> Result<Sweep, FileError> {
    let path = path.as_ref();
    read(path).at(path)
}

fn read(path: &Path) -> Result<Sweep, Fault> {
    let (file, start) = open(path, 16)?;
    if start.starts_with(b"PAR1") {
        parquet::read(file)
    } else if start.starts_with(csv::START.as_bytes()) {
        csv::read(file)
    } else {
        Err(Fault::Format { start, accepted: "sweeps as Parquet or as CSV" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// Rows with every awkward value.
    fn sweep() -> Sweep {
        let texts = ["", "plain", "a,b", "say \"no\"", "two\nlines\r\nand three\r", " # ü \u{1b} ", "#"];
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let numbers = [nan, inf, -inf, -0.0, 0.1 + 0.2, 5e-324, f64::MAX, 1e16, -1.0];
        let counts = [0, 1, u64::MAX, 1 << 63];
        let mut records = Vec::new();
        for i in 0..40 {
            let mut record = Record::default();
            for (j, column) in COLUMNS.iter().enumerate() {
                match (column.slot)(&mut record) {
                    Slot::Count(count) => *count = counts[(i + j) % counts.len()],
                    Slot::Number(number) => *number = numbers[(i + j) % numbers.len()],
                    Slot::Text(text) => texts[(i + j) % texts.len()].clone_into(text),
                }
            }
            records.push(record);
        }
        records.push(Record::default());
        let config = "seeds = 3\n\n# note\r\nname = \"ü\"\n".to_owned();
        Sweep { config, version: "0.1.0".into(), records }
    }

    fn write(sweep: &Sweep, path: &Path) {
        if path.extension().unwrap() == "csv" {
            write_csv(path, sweep).unwrap();
        } else {
            write_parquet(path, sweep).unwrap();
        }
    }

    /// Debug text tells −0 from 0, and NaN equals NaN.
    fn same(a: &Sweep, b: &Sweep) {
        assert_eq!((&a.config, &a.version), (&b.config, &b.version));
        assert_eq!(a.records.len(), b.records.len());
        for (a, b) in a.records.iter().zip(&b.records) {
            assert_eq!(format!("{a:?}"), format!("{b:?}"));
        }
    }

    fn paths(folder: &Path) -> [PathBuf; 2] {
        ["a.csv", "a.parquet"].map(|name| folder.join(name))
    }

    #[test]
    fn the_columns_are_the_fields_in_order() {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.serialize(Record::default()).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let fields: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        assert_eq!(COLUMNS.iter().map(|c| c.name).collect::<Vec<_>>(), fields);
    }

    #[test]
    fn a_round_trip_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let full = sweep();
        let empty = Sweep { config: String::new(), version: "1".into(), records: Vec::new() };
        let lines = Sweep { config: "\n\na".into(), ..full.clone() };
        for path in paths(folder.path()) {
            for sweep in [&full, &empty, &lines] {
                write(sweep, &path);
                let first = std::fs::read(&path).unwrap();
                same(&read_sweep(&path).unwrap(), sweep);
                write(sweep, &path);
                assert_eq!(std::fs::read(&path).unwrap(), first, "same content, same bytes");
            }
        }
    }

    #[test]
    fn the_content_decides_and_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_parquet(&path, &sweep()).unwrap();
        same(&read_sweep(&path).unwrap(), &sweep());
    }

    #[test]
    fn other_columns_are_named() {
        let names = COLUMNS.iter().map(|c| c.name);
        assert_eq!(columns(names.clone().rev()).unwrap().len(), COLUMNS.len());
        let wrong = names.skip(1).chain(["error", "cel\x1bl"]);
        let Err(fault) = columns(wrong) else { panic!("accepted") };
        let text = fault.to_string();
        assert!(
            text.ends_with("missing: `cell`; unknown or repeated: `error`, `cel\\u{1b}l`"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_sweep(&path).unwrap_err().fault.to_string()
        };
        let accepted = "accepted: sweeps as Parquet or as CSV";
        assert_eq!(
            read(b"x,y\n1,2\n"),
            format!(r#"this is text that begins with "x,y\n1,2\n"; {accepted}"#)
        );
        assert_eq!(read(b""), "the file is empty");
        assert!(read(b"PAR1 and more than 16 bytes").contains("its checksum is missing"));
        assert!(read(b"# taskhead 0.1.0\n# \nx,y\n1,2\n").contains("missing: `cell`, `problem`"));
        let folder = read_sweep(folder.path()).unwrap_err().to_string();
        assert!(folder.ends_with("this is a folder, not a file"), "{folder}");
        assert!(read_sweep("no/such.csv").unwrap_err().to_string().contains("cannot open"));
    }

    #[test]
    fn cut_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut small = sweep();
        small.records.truncate(3);
        for path in paths(folder.path()) {
            write(&small, &path);
            let bytes = std::fs::read(&path).unwrap();
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            for length in (0..bytes.len()).rev() {
                file.set_len(length as u64).unwrap();
                if let Ok(mut part) = read_sweep(&path) {
                    // Text that is cut after a row is a shorter table.
                    assert!(path.extension().unwrap() == "csv" && bytes[length - 1] == b'\n');
                    part.records.extend_from_slice(&small.records[part.records.len()..]);
                    same(&part, &small);
                }
            }
        }
    }
}
