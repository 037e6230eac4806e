//! Stored sweeps: Parquet and CSV.

use taskhead::sweep::Sweep;
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::Outcome;
use taskhead::tasks::{RankOneTask, TaskSpec};
use taskhead_files::{columns, digest, read_sweep, write_csv, write_parquet};

use crate::reader::{Reader, bounded};
use crate::scratch::with_files;

/// The whole of a file, in either format.
pub const SWEEP: Reader = Reader {
    name: "sweep",
    read: sweep,
    seeds: || [2, 60].into_iter().flat_map(|cells| [csv(cells), parquet(cells)]).collect(),
    words,
};

/// CSV after the line that says what it is, or one that another program has written anew.
pub const CSV: Reader = Reader {
    name: "csv",
    read: |bytes| {
        // A fuzzer rarely finds the first bytes by itself.
        let ours =
            bytes.starts_with(b"# taskhead ") || bytes.contains(&b'l') && !bytes.starts_with(b"#");
        let start: &[u8] = if ours { b"" } else { b"# taskhead 0.1.0\n# schema " };
        sweep(&[start, bytes].concat())
    },
    seeds: || {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/files/tests/data");
        let rewritten = ["pandas.csv", "polars.csv"].map(|name| std::fs::read(format!("{data}/{name}")));
        let rewritten = rewritten.map(|read| read.expect("the table is there"));
        [csv(2)].into_iter().chain(rewritten).chain([csv(60)]).collect()
    },
    words,
};

/// Parquet without a seal, as another program may write it: the whole of a file, or the metadata behind no data.
pub const PARQUET: Reader = Reader {
    name: "parquet",
    read: |bytes| {
        sweep(&if bytes.starts_with(b"PAR1") && bytes.len() > 16 {
            [&bytes[..4], b"no seal.", &bytes[12..]].concat()
        } else {
            [b"PAR1", bytes, &(bytes.len() as u32).to_le_bytes(), b"PAR1"].concat()
        })
    },
    seeds: || vec![parquet(2), parquet(60)],
    words,
};

fn sweep(bytes: &[u8]) -> bool {
    with_files("sweep", &[("sweep", bytes)], |folder| {
        let path = folder.join("sweep");
        bounded(bytes.len(), || unpacked(bytes), || read_sweep(&path).is_ok())
    })
}

/// Bytes of a table as plain numbers. Parquet has at most one row per byte, a row of CSV at least its commas.
fn unpacked(bytes: &[u8]) -> usize {
    let columns = columns(&[]).count();
    let rows = match bytes.starts_with(b"PAR1") {
        true => bytes.len(),
        false => bytes.iter().filter(|&&byte| byte == b'\n').count().min(bytes.len() / columns),
    };
    rows * columns * size_of::<f64>()
}

/// A sweep of this many cells, of which every fifth has failed.
fn cells(count: usize) -> Sweep {
    let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
    config.probe.points = Some(count);
    let plan = Plan::new(config).expect("a valid configuration");
    let mut records = plan.records();
    for record in records.iter_mut().filter(|r| r.cell.number % 5 == 4) {
        record.outcome = Outcome::Failed("no, \"not\"\nthis".into());
    }
    plan.finished("a = 1\n".into(), digest(plan.identity()), records)
}

fn csv(count: usize) -> Vec<u8> {
    stored("csv", |path| write_csv(path, &cells(count)).is_ok())
}

fn parquet(count: usize) -> Vec<u8> {
    stored("parquet", |path| write_parquet(path, &cells(count)).is_ok())
}

fn stored(extension: &str, write: impl FnOnce(&std::path::Path) -> bool) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder for the table");
    let path = folder.path().join("sweep").with_extension(extension);
    assert!(write(&path), "space for the table");
    std::fs::read(path).expect("the table is there")
}

fn words() -> Vec<&'static str> {
    let more = [
        "# taskhead 0.1.0\n",
        "# schema 4\n",
        "# identity none\n",
        "# \n",
        "failed",
        "time",
        "energy",
        "share",
        "exact",
        "converged",
        "step-limit",
        "steps=3.0 time=0.5",
        "inf",
        "-inf",
        "NaN",
        "NA",
        "null",
        "\"",
        "\"\"",
        "\r\n",
        "\u{feff}",
        ";",
        "\t",
        "18446744073709551615",
        "3.0",
        "PAR1",
        "taskhead.config",
        "taskhead.version",
        "taskhead.schema",
        "taskhead.identity",
    ];
    columns(&[]).map(|(name, ..)| name).chain(more).collect()
}
