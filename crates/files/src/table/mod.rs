//! Sweeps as tables: Parquet for programs, CSV for people.
//!
//! Both have the same columns, and both keep the configuration, the version and the identity, so that what was read is
//! what was written. What a cell does not have is null in Parquet and empty in CSV.

mod columns;
mod csv;
mod parquet;
mod promises;
mod rows;

use std::path::Path;

use super::error::{At, Fault, FileError, printable};
use super::source::open;
use taskhead::sweep::Sweep;
use taskhead::sweep::plan::Digest;

pub use columns::{Field, Kind, columns, fields, record_of};
pub use csv::write_csv;
pub(crate) use parquet::write_unfinished;
pub use parquet::{write_parquet, write_part};
pub use rows::{TableNote, check_repeated};

/// What is read here.
const ACCEPTED: &str = "sweeps as Parquet or as CSV";

/// Extensions of the files that hold a sweep.
pub const SWEEP_EXTENSIONS: &[&str] = &["parquet", "csv"];

/// Reads a sweep that [`write_parquet`] or [`write_csv`] has written, or another program that has read it; the content
/// decides which.
///
/// # Errors
///
/// A file that is missing, damaged or of another kind; a table of another schema; columns that are missing or
/// repeated; a value that cannot be, as a negative distance; a cell or its place that is there twice.
pub fn read_sweep(path: impl AsRef<Path>) -> Result<Sweep, FileError> {
    read_sweep_with_notes(path).map(|(sweep, _)| sweep)
}

/// The same, with what a reader should know of it.
///
/// # Errors
///
/// Those of [`read_sweep`].
pub fn read_sweep_with_notes(path: impl AsRef<Path>) -> Result<(Sweep, Vec<TableNote>), FileError> {
    let path = path.as_ref();
    let mut notes = Vec::new();
    let sweep = read(path, &mut notes).at(path)?;
    if !["", env!("CARGO_PKG_VERSION")].contains(&sweep.version.as_str()) {
        notes.push(TableNote::Version(printable(&sweep.version)));
    }
    Ok((sweep, notes))
}

fn read(path: &Path, notes: &mut Vec<TableNote>) -> Result<Sweep, Fault> {
    let (mut file, start) = open(path, 16)?;
    if start.starts_with(b"PAR1") {
        parquet::read(file, notes)
    } else if start.starts_with(csv::START.as_bytes()) || csv::is_rewritten(&mut file)? {
        csv::read(file, notes)
    } else {
        Err(Fault::Format { start, accepted: ACCEPTED })
    }
}

/// The identity that a table says it has, without a look at its rows.
pub(crate) fn stored_identity(path: &Path) -> Result<Option<Digest>, Fault> {
    let (file, start) = open(path, 16)?;
    match &start {
        table if table.starts_with(b"PAR1") => parquet::identity(file),
        table if table.starts_with(csv::START.as_bytes()) => csv::identity(file),
        _ => Err(Fault::Format { start, accepted: ACCEPTED }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::path::PathBuf;
    use taskhead::energy::Energy;
    use taskhead::flow::{Budget, Saddle, Stop};
    use taskhead::sweep::record::{
        Asked, Cell, Change, Measured, Metrics, Outcome, Record, Score, ScoreKind,
    };

    /// Numbers with an energy, without most of what a cell may have.
    pub(crate) fn measured(energy: f64) -> Measured {
        Measured {
            method: "flow".into(),
            probe_time: 0.25,
            energies: Energy { aie: energy, frobenius: energy },
            time: 0.5,
            residual: 0.125,
            loss: None,
            drift: None,
            training: [Some(1.0), None, Some(-0.0), Some(f64::INFINITY), None].into(),
            held_out: None,
            budget: None,
            head_norm: Change { start: 1.0, end: 2.0 },
            risk: None,
            accuracy: None,
            held_out_accuracy: None,
            validation_accuracy: None,
            score: None,
        }
    }

    /// A cell that reached its end.
    pub(crate) fn record(number: u64) -> Record {
        let cell = Cell {
            number,
            problem: "test".into(),
            seed: 1,
            head_scale: 0.5,
            smoothing: 0.0,
            head_rate: 1.0,
            point: number,
            probe: Asked::Share(0.25),
            time: f64::INFINITY,
        };
        Record { cell, outcome: Outcome::of(Stop::Converged, measured(1.0)) }
    }

    /// Rows with every awkward value, and every kind of outcome.
    fn sweep() -> Sweep {
        let texts = ["", "plain", "a,b", "say \"no\"", "two\nlines\r\nand three\r", " # ü \u{1b} ", "#"];
        let inf = f64::INFINITY;
        let numbers = [inf, -inf, -0.0, 0.1 + 0.2, 5e-324, f64::MAX, 1e16, -1.0];
        let stops = [
            Stop::Exact,
            Stop::Time,
            Stop::Residual { level: 1e-300 },
            Stop::StepLimit { steps: 100_000, time: 0.1 },
            Stop::StepTooSmall { step: 1e-20, time: 4.0 },
            Stop::Rounding { error: inf },
            Stop::Saddle(Saddle { time: inf, growth: 2.0, size: 1e-16, sample: 3, output: 1 }),
        ];
        let mut records = Vec::new();
        for i in 0..40_usize {
            let number = |j: usize| numbers[(i + j) % numbers.len()];
            // Of what cannot be negative, or is a share, or is at most 2.
            let size = |j: usize| if number(j) < 0.0 { -number(j) } else { number(j) };
            let share = |j: usize| size(j).min(1.0);
            let change = |j: usize| (i % 3 > 0).then(|| Change { start: number(j), end: number(j + 1) });
            let shares = |j: usize| (i % 3 > 0).then(|| Change { start: share(j), end: share(j + 1) });
            let metrics = |j: usize| {
                let all = [size(j), size(j + 1).min(2.0), number(j + 2), size(j + 3), size(j + 4)];
                let mut kept = all.map(Some);
                kept[i % 5] = None;
                Metrics::from(kept)
            };
            let text = |j: usize| texts[(i + j) % texts.len()].to_owned();
            let mut record = record(if i == 0 { u64::MAX } else { i as u64 });
            record.cell.problem = text(0);
            record.cell.seed = [0, 1, u64::MAX, 1 << 63][i % 4];
            (record.cell.head_scale, record.cell.smoothing, record.cell.head_rate) =
                (size(1), share(2), size(3));
            record.cell.time = size(4);
            // Cells of one place are refused.
            record.cell.point = i as u64;
            record.cell.probe =
                [Asked::Time(size(5)), Asked::Energy(size(5)), Asked::Share(size(5))][i % 3];
            let measured = Measured {
                method: text(1),
                probe_time: size(6),
                energies: Energy { aie: size(7), frobenius: size(8) },
                time: size(9),
                residual: size(10),
                loss: (i % 3 > 0).then(|| number(27)),
                drift: (i % 2 > 0).then(|| number(11)),
                training: metrics(12),
                held_out: (i % 4 > 0).then(|| metrics(16)),
                budget: change(20).map(|c| Budget { backbone: c.start, head: c.end }),
                head_norm: Change { start: size(22), end: size(23) },
                risk: change(24),
                accuracy: shares(25),
                held_out_accuracy: shares(26),
                validation_accuracy: (i % 2 > 0).then(|| share(28)),
                score: shares(29).map(|training| Score {
                    kind: ScoreKind::MeanIou,
                    training,
                    held_out: Change { start: share(31), end: share(32) },
                    validation: share(33),
                }),
            };
            record.outcome = match i % 7 {
                6 => Outcome::Failed(text(2)),
                kind => Outcome::of(stops[kind], measured),
            };
            records.push(record);
        }
        let config = "seeds = 3\n\n# note\r\nname = \"ü\"\n".to_owned();
        Sweep { config, version: "0.1.0".into(), identity: Some(Digest([7; 32])), records }
    }

    fn write(sweep: &Sweep, path: &Path) {
        if path.extension().unwrap() == "csv" {
            write_csv(path, sweep).unwrap();
        } else {
            write_parquet(path, sweep).unwrap();
        }
    }

    /// Debug text tells −0 from 0.
    fn same(a: &Sweep, b: &Sweep) {
        assert_eq!((&a.config, &a.version, a.identity), (&b.config, &b.version, b.identity));
        assert_eq!(a.records.len(), b.records.len());
        for (a, b) in a.records.iter().zip(&b.records) {
            assert_eq!(format!("{a:?}"), format!("{b:?}"));
        }
    }

    fn paths(folder: &Path) -> [PathBuf; 2] {
        ["a.csv", "a.parquet"].map(|name| folder.join(name))
    }

    #[test]
    fn a_round_trip_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let full = sweep();
        let empty = Sweep { config: String::new(), identity: None, records: Vec::new(), ..full.clone() };
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

    /// Row groups hold 65,536 rows; rows of a second one are neither lost nor out of order.
    #[test]
    fn a_long_table_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let long = Sweep { records: (0..70_000).map(record).collect(), ..sweep() };
        write_parquet(&path, &long).unwrap();
        let read = read_sweep(&path).unwrap();
        assert_eq!(read.records.len(), 70_000);
        for i in [0, 65_535, 65_536, 69_999] {
            assert_eq!(read.records[i].cell.number, i as u64);
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
        assert!(read(b"PAR1 and more than 16 bytes").contains("the Parquet file cannot be read"));
        let comments = "# taskhead 0.1.0\n# schema 4\n# identity none\n# \n";
        assert!(read(format!("{comments}x,y\n1,2\n").as_bytes()).contains("missing: `cell`, `problem`"));
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
