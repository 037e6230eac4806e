//! Tables of records: as other programs rewrite them, and damaged in every way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use taskhead::sweep::Sweep;
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::{Asked, Outcome, Record};
use taskhead::tasks::{RankOneTask, TaskSpec};
use taskhead_files::{TableNote, digest, read_sweep, read_sweep_with_notes, write_csv, write_parquet};

/// A sweep of twelve cells, of which every fifth has failed.
fn sweep() -> Sweep {
    let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
    config.probe.points = Some(12);
    let plan = Plan::new(config).unwrap();
    let mut records = plan.records();
    for record in records.iter_mut().filter(|r| r.cell.number % 5 == 4) {
        record.outcome = Outcome::Failed("no, \"not\"\nthis".into());
    }
    plan.finished("a = 1\n".into(), digest(plan.identity()), records)
}

/// Changes some bytes, or takes some out or puts some in.
fn damage(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..damaged.len());
        match random.random_range(0..8) {
            0 => drop(damaged.remove(at)),
            1 => damaged.insert(at, random.random_range(0..=255)),
            2 => damaged[at] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            _ => damaged[at] ^= 1 << random.random_range(0..8),
        }
    }
    damaged
}

/// `table.csv` as pandas and polars have written it anew: `to_csv()` of `read_csv(…, comment="#")`; all quoted, columns
/// backwards, with a byte order mark, "null" and Windows' line ends.
#[test]
fn csv_of_pandas_and_polars_is_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let ours = read_sweep(data.join("table.csv")).unwrap();
    assert!(ours.records.len() == 6 && ours.records[4].reached().is_none());
    let unnamed = TableNote::Ignored(vec![String::new()]);
    for (name, notes) in [
        ("pandas.csv", vec![TableNote::NoMetadata, unnamed]),
        ("polars.csv", vec![TableNote::NoMetadata]),
    ] {
        let (theirs, found) = read_sweep_with_notes(data.join(name)).unwrap();
        assert_eq!(theirs.records, ours.records, "{name}");
        assert_eq!(found, notes);
    }
}

#[test]
fn a_damaged_sweep_never_panics_and_parquet_is_never_misread() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for name in ["s.csv", "s.parquet"] {
        let path = folder.path().join(name);
        if name == "s.csv" {
            write_csv(&path, &sweep()).unwrap();
        } else {
            write_parquet(&path, &sweep()).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        let (mut refused, rounds) = (0, 3000);
        for _ in 0..rounds {
            let damaged = damage(&bytes, &mut random);
            let path = folder.path().join("damaged");
            std::fs::write(&path, &damaged).unwrap();
            match read_sweep_with_notes(&path) {
                // A checksum covers the whole file, unless it is the seal itself that is damaged: that is said.
                Ok((_, notes)) => {
                    assert!(name == "s.csv" || damaged == bytes || notes.contains(&TableNote::NoSeal))
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > rounds / 10, "{name}: {refused} of {rounds}");
    }
}

/// What another program makes of a table: no seal, no metadata, every column optional, in another order, a column of
/// its own, texts without a value as a column of integers without a value, and only some of the rows.
fn rewrite(from: &Path, to: &Path, keep: impl Fn(u64) -> bool) {
    rewrite_as(from, to, keep, |_| {});
}

/// The same with columns (name, type, values) that are changed before, in our order.
fn rewrite_as(
    from: &Path,
    to: &Path,
    keep: impl Fn(u64) -> bool,
    change: impl Fn(&mut Vec<(String, &'static str, Values)>),
) {
    let file = SerializedFileReader::new(std::fs::File::open(from).unwrap()).unwrap();
    let columns: Vec<_> = file.metadata().file_metadata().schema_descr().columns().to_vec();
    let group = file.get_row_group(0).unwrap();
    let mut all: Vec<(String, &'static str, Values)> = Vec::new();
    for (i, column) in columns.iter().enumerate() {
        let (mut levels, most) = (Vec::new(), column.max_def_level());
        let (kind, values) = match group.get_column_reader(i).unwrap() {
            ColumnReader::Int64ColumnReader(mut r) => {
                let mut values = Vec::new();
                r.read_records(1000, Some(&mut levels), None, &mut values).unwrap();
                ("INT64", Values::Counts(spread(values, &levels, most)))
            }
            ColumnReader::DoubleColumnReader(mut r) => {
                let mut values = Vec::new();
                r.read_records(1000, Some(&mut levels), None, &mut values).unwrap();
                ("DOUBLE", Values::Numbers(spread(values, &levels, most)))
            }
            ColumnReader::ByteArrayColumnReader(mut r) => {
                let mut values = Vec::new();
                r.read_records(1000, Some(&mut levels), None, &mut values).unwrap();
                ("BYTE_ARRAY", Values::Texts(spread(values, &levels, most)))
            }
            _ => panic!("no such column is written"),
        };
        all.push((column.name().to_owned(), kind, values));
    }
    let Values::Counts(cells) = &all[0].2 else { panic!("the first column is the cell") };
    let kept: Vec<usize> = (0..cells.len()).filter(|&i| keep(cells[i].unwrap() as u64)).rev().collect();
    change(&mut all);
    for (_, kind, values) in &mut all {
        values.select(&kept);
        if matches!(values, Values::Texts(texts) if texts.iter().all(Option::is_none)) {
            (*kind, *values) = ("INT32", Values::None(kept.len()));
        }
    }
    all.reverse();
    all.push(("__index_level_0__".into(), "INT64", Values::Counts(vec![Some(-1); kept.len()])));
    let fields: Vec<String> =
        all.iter().map(|(name, kind, _)| format!("optional {kind} {name};")).collect();
    let schema = parse_message_type(&format!("message other {{ {} }}", fields.join(" "))).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let file = std::fs::File::create(to).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), properties).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    for (_, _, values) in all {
        let mut column = rows.next_column().unwrap().unwrap();
        let levels = values.levels();
        let levels = Some(&levels[..]);
        match values {
            Values::Counts(v) => {
                column.typed::<Int64Type>().write_batch(&flat(v), levels, None).unwrap();
            }
            Values::Numbers(v) => {
                column.typed::<DoubleType>().write_batch(&flat(v), levels, None).unwrap();
            }
            Values::Texts(v) => {
                column.typed::<ByteArrayType>().write_batch(&flat(v), levels, None).unwrap();
            }
            Values::None(_) => {
                column.typed::<Int32Type>().write_batch(&[], levels, None).unwrap();
            }
        }
        column.close().unwrap();
    }
    rows.close().unwrap();
    writer.close().unwrap();
}

/// The values of a column.
enum Values {
    Counts(Vec<Option<i64>>),
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<parquet::data_type::ByteArray>>),
    None(usize),
}

impl Values {
    fn select(&mut self, rows: &[usize]) {
        fn of<T: Clone>(values: &mut Vec<T>, rows: &[usize]) {
            *values = rows.iter().map(|&i| values[i].clone()).collect();
        }
        match self {
            Self::Counts(v) => of(v, rows),
            Self::Numbers(v) => of(v, rows),
            Self::Texts(v) => of(v, rows),
            Self::None(n) => *n = rows.len(),
        }
    }

    fn levels(&self) -> Vec<i16> {
        fn of<T>(values: &[Option<T>]) -> Vec<i16> {
            values.iter().map(|v| i16::from(v.is_some())).collect()
        }
        match self {
            Self::Counts(v) => of(v),
            Self::Numbers(v) => of(v),
            Self::Texts(v) => of(v),
            Self::None(n) => vec![0; *n],
        }
    }
}

fn spread<T>(values: Vec<T>, levels: &[i16], most: i16) -> Vec<Option<T>> {
    let mut values = values.into_iter();
    match most {
        0 => values.map(Some).collect(),
        _ => levels.iter().map(|&level| if level == most { values.next() } else { None }).collect(),
    }
}

fn flat<T>(values: Vec<Option<T>>) -> Vec<T> {
    values.into_iter().flatten().collect()
}

/// It was refused for its missing seal.
#[test]
fn a_table_that_another_program_has_filtered_is_read_with_notes() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.parquet", "theirs.parquet"].map(|name| folder.path().join(name));
    let sweep = sweep();
    write_parquet(&ours, &sweep).unwrap();
    assert_eq!(read_sweep_with_notes(&ours).unwrap(), (sweep.clone(), vec![]));
    for keep in [|_| true, |cell| cell % 3 == 0, |cell: u64| cell % 5 != 4] {
        rewrite(&ours, &theirs, keep);
        let (read, notes) = read_sweep_with_notes(&theirs).unwrap();
        let ignored = TableNote::Ignored(vec!["__index_level_0__".into()]);
        assert_eq!(notes, [TableNote::NoSeal, TableNote::NoMetadata, ignored]);
        let kept = sweep.records.iter().rev().filter(|r| keep(r.cell.number));
        assert_eq!(read.records, kept.cloned().collect::<Vec<_>>());
        assert_eq!((read.config.as_str(), read.identity), ("", None));
    }
}

/// Whoever damages a table without a seal gets an error or other values, and never a panic.
#[test]
fn a_damaged_table_of_another_program_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.parquet", "theirs.parquet"].map(|name| folder.path().join(name));
    write_parquet(&ours, &sweep()).unwrap();
    rewrite(&ours, &theirs, |_| true);
    let bytes = std::fs::read(&theirs).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut refused = 0;
    for _ in 0..3000 {
        std::fs::write(&theirs, damage(&bytes, &mut random)).unwrap();
        refused += usize::from(read_sweep(&theirs).is_err());
    }
    assert!(refused > 300, "{refused}");
}

/// Tables that took the library seconds and minutes: lists of 2³¹ entries of no bytes, skipped one by one.
#[test]
fn lists_longer_than_the_file_are_refused_before_they_are_skipped() {
    let hex = "504152310606062a06faf9f9f9f90b060b06f1ffffffdb0606dbdb061600000050415231";
    let byte = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    let short: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    // Field after field of the same kind, none of which is known, at the top and inside each other.
    let list = [0xf9, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07];
    let file = |metadata: &[u8]| {
        [&b"PAR1"[..], metadata, &(metadata.len() as u32).to_le_bytes(), b"PAR1"].concat()
    };
    let many = file(&list.repeat(20));
    let nested = file(&[vec![0xf9, 0xf9, 0x10], [0x19, 0xf9, 0x10].repeat(39)].concat());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.parquet");
    for (bytes, expected) in [
        (&short, "a list of 25066745 entries where 13 bytes are left"),
        (&many, "a list of 2147483647 entries where 133 bytes are left"),
        (&nested, "metadata of more than 24 levels"),
        (&file(&[]), "its metadata end too early"),
        (&b"PAR1PAR1PAR1".to_vec(), "metadata of 827474256 bytes in a file of 12"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = read_sweep(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// What `write_parquet` of polars makes of a table by default.
#[test]
fn another_compression_is_refused_with_its_name_and_what_to_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/polars-zstd.parquet");
    let error = read_sweep(path).unwrap_err().to_string();
    let expected = "column `cell` is compressed with zstd; accepted: snappy or none, as by write_parquet(…, \
                    compression=\"snappy\") of polars and to_parquet of pandas";
    assert!(error.ends_with(expected), "{error}");
}

/// A page that promises gigabytes, a text that every cell shares, rows that take no bytes.
#[test]
fn promises_beyond_the_size_of_the_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.parquet", "theirs.parquet"].map(|name| folder.path().join(name));
    let mut shared = sweep();
    let record = shared.records[0].clone();
    shared.records = (0..900).map(|_| record.clone()).collect();
    for (record, number) in shared.records.iter_mut().zip(0..) {
        record.cell.number = number;
        record.outcome = Outcome::Failed("x".repeat(20_000));
    }
    write_parquet(&ours, &shared).unwrap();
    rewrite(&ours, &theirs, |_| true);
    let refused = || read_sweep(&theirs).unwrap_err().to_string();
    assert!(refused().contains("its texts take more than 64 times its size"), "{}", refused());

    // The size that the first page of the first column says it unpacks to is the second field of its header.
    write_parquet(&ours, &sweep()).unwrap();
    rewrite(&ours, &theirs, |_| true);
    let mut bytes = std::fs::read(&theirs).unwrap();
    let at = 4 + 3;
    let end = at + bytes[at..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    bytes.splice(at..end, [0xfe, 0xff, 0xff, 0xff, 0x0f]);
    std::fs::write(&theirs, bytes).unwrap();
    assert!(refused().contains("that become 2147483647"), "{}", refused());
}

/// The lines of a table; the second table is the same again with other numbers of cells.
#[test]
fn sweeps_that_are_pasted_together_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let sweep = sweep();
    let again = |change: fn(&mut Record)| {
        let mut both = sweep.clone();
        for record in &sweep.records {
            let mut record = record.clone();
            record.cell.number += 100;
            change(&mut record);
            both.records.push(record);
        }
        write_parquet(path("s.parquet"), &both).unwrap();
        write_csv(path("s.csv"), &both).unwrap();
        ["s.parquet", "s.csv"].map(|name| {
            let read = read_sweep(path(name)).map(|sweep| sweep.records.len());
            read.map_err(|error| error.fault.to_string())
        })
    };
    for refused in again(|_| {}) {
        let text = refused.unwrap_err();
        let expected = "the cells 0 and 100 are both of problem rank-one, seed 0, point 0 and time inf, with the same";
        assert!(text.starts_with(expected), "{text}");
    }
    // What was asked for belongs to the point.
    assert!(again(|record| record.cell.probe = Asked::Share(0.5))[0].is_err());
    let changes: [fn(&mut Record); 7] = [
        |record| record.cell.problem += " again",
        |record| record.cell.seed = 1,
        |record| record.cell.time = 3.0,
        |record| record.cell.head_scale = 2.0,
        |record| record.cell.smoothing = 0.1,
        |record| record.cell.head_rate = 2.0,
        |record| record.cell.point += 12,
    ];
    for change in changes {
        assert_eq!(again(change), [Ok(24), Ok(24)]);
    }
}

/// pandas makes a column of integers one of DOUBLE where a row has none.
#[test]
fn whole_numbers_in_floating_point_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours.parquet", "theirs.parquet"].map(|name| folder.path().join(name));
    let sweep = sweep();
    write_parquet(&ours, &sweep).unwrap();
    let read = |column: usize, row: usize, value: Option<f64>| {
        rewrite_as(
            &ours,
            &theirs,
            |_| true,
            |all| {
                let (_, kind, values) = &mut all[column];
                let Values::Counts(counts) = values else { panic!("whole numbers") };
                let mut numbers: Vec<Option<f64>> = counts.iter().map(|v| v.map(|v| v as f64)).collect();
                numbers[row] = value.or(numbers[row]);
                (*kind, *values) = ("DOUBLE", Values::Numbers(numbers));
            },
        );
        read_sweep(&theirs).map(|sweep| sweep.records).map_err(|error| error.fault.to_string())
    };
    let backwards: Vec<Record> = sweep.records.iter().rev().cloned().collect();
    for (column, name) in [(0, "cell"), (2, "seed"), (6, "point")] {
        assert_eq!(read(column, 0, None), Ok(backwards.clone()));
        for (value, text) in
            [(0.5, "0.5"), (-1.0, "-1"), (f64::NAN, "NaN"), (1e17, "100000000000000000")]
        {
            let expected = format!("row 5, column `{name}`: \"{text}\" is not a whole number from 0");
            assert_eq!(read(column, 7, Some(value)), Err(expected));
        }
    }
    rewrite_as(
        &ours,
        &theirs,
        |_| true,
        |all| {
            let Values::Counts(seeds) = &mut all[2].2 else { panic!("whole numbers") };
            seeds[7] = Some(-3);
        },
    );
    let text = read_sweep(&theirs).unwrap_err().to_string();
    assert!(text.ends_with("row 5, column `seed`: \"-3\" is not a whole number from 0"), "{text}");
}

#[test]
fn a_cell_that_is_there_twice_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut twice = sweep();
    twice.records.extend_from_slice(&twice.records.clone()[3..4]);
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    write_parquet(path("s.parquet"), &twice).unwrap();
    write_csv(path("s.csv"), &twice).unwrap();
    for name in ["s.parquet", "s.csv"] {
        let error = read_sweep(path(name)).unwrap_err().to_string();
        assert!(error.ends_with(": the cell 3 is there twice"), "{error}");
    }
}
