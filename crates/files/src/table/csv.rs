//! A sweep as CSV: the version and the configuration as comments, then the table.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use super::{COLUMNS, Cell, Slot, columns};
use crate::error::{At, Fault, FileError, printable};
use crate::output::write_atomically;
use taskhead::sweep::Sweep;
use taskhead::sweep::record::Record;

/// How such a file begins; the version follows.
pub(super) const START: &str = "# taskhead ";

/// What a line of the configuration begins with.
const COMMENT: &str = "# ";

/// Writes a sweep as CSV, in one step ([`write_atomically`]).
///
/// The first line is `# taskhead` and the version, then comes each line of the configuration after
/// `# `, then the header and the rows. Numbers are in the shortest form that reads back as the same;
/// NaN is an empty field, infinities are `inf` and `-inf`.
///
/// # Errors
///
/// A version with a line break, and whatever the operating system says.
pub fn write_csv(path: impl AsRef<Path>, sweep: &Sweep) -> Result<(), FileError> {
    let path = path.as_ref();
    if sweep.version.contains(['\n', '\r']) {
        return Err(Fault::Version { version: sweep.version.clone() }).at(path);
    }
    write_atomically(path, |writer| {
        comments(writer, sweep).map_err(|source| Fault::Io { action: "write", source })?;
        rows(writer, sweep).map_err(|e| Fault::Io { action: "write", source: e.into() })
    })
}

fn comments(writer: &mut impl Write, sweep: &Sweep) -> io::Result<()> {
    writeln!(writer, "{START}{}", sweep.version)?;
    sweep.config.split('\n').try_for_each(|line| writeln!(writer, "{COMMENT}{line}"))
}

fn rows(writer: &mut impl Write, sweep: &Sweep) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_writer(writer);
    table.write_record(COLUMNS.iter().map(|c| c.name))?;
    for record in &sweep.records {
        for column in COLUMNS {
            match (column.cell)(record) {
                Cell::Count(count) => table.write_field(count.to_string())?,
                Cell::Number(number) if number.is_nan() => table.write_field("")?,
                // Unlike `Display`, `Debug` writes 1e300 without its zeros.
                Cell::Number(number) => table.write_field(format!("{number:?}"))?,
                Cell::Text(text) => table.write_field(text)?,
            }
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.flush().map_err(csv::Error::from)
}

/// Reads what [`write_csv`] has written. The file begins with [`START`].
pub(super) fn read(file: File) -> Result<Sweep, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut reader = BufReader::new(file);
    let mut comments = Vec::new();
    while reader.fill_buf().map_err(failed)?.first() == Some(&b'#') {
        let mut line = String::new();
        reader.read_line(&mut line).map_err(failed)?;
        let line = line.strip_suffix('\n').ok_or(Fault::NotASweep { missing: END })?;
        // An editor may trim the space of an empty line.
        comments.push(line.strip_prefix(COMMENT).unwrap_or(&line[1..]).to_owned());
    }
    let [first, config @ ..] = &comments[..] else {
        return Err(Fault::NotASweep { missing: "its version" });
    };
    if config.is_empty() {
        return Err(Fault::NotASweep { missing: "its configuration" });
    }
    let version = first[START.len() - COMMENT.len()..].to_owned();
    let config = config.join("\n");
    let mut text = Vec::new();
    reader.read_to_end(&mut text).map_err(failed)?;
    if text.last() != Some(&b'\n') {
        return Err(Fault::NotASweep { missing: END });
    }
    let mut table = csv::Reader::from_reader(&text[..]);
    let columns = columns(table.headers()?)?;
    let mut records = Vec::new();
    for (row, fields) in table.records().enumerate() {
        let fields = fields?;
        let mut record = Record::default();
        for (column, field) in columns.iter().zip(&fields) {
            let wrong = |wanted| Fault::Cell {
                row: row + 1,
                column: column.name,
                value: printable(field),
                wanted,
            };
            match (column.slot)(&mut record) {
                Slot::Count(count) => {
                    *count = field.parse().map_err(|_| wrong("a whole number from 0"))?;
                }
                Slot::Number(number) if field.is_empty() => *number = f64::NAN,
                Slot::Number(number) => *number = field.parse().map_err(|_| wrong("a number"))?,
                Slot::Text(text) => field.clone_into(text),
            }
        }
        records.push(record);
    }
    Ok(Sweep { config, version, records })
}

const END: &str = "the end of its last line";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_sweep;

    fn text() -> String {
        let (cell, aie, time, error) = (7, 1e300, f64::INFINITY, "a \"b\"".to_owned());
        let record = Record { cell, aie, time, error, ..Record::default() };
        let sweep =
            Sweep { config: "a = 1\nb = 2".into(), version: "0.1.0".into(), records: vec![record] };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_csv(&path, &sweep).unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn the_text_is_pinned() {
        let names: Vec<&str> = COLUMNS.iter().map(|c| c.name).collect();
        let row = format!("7,,0,,,,0,,1e300,,inf{}\"a \"\"b\"\"\"", ",".repeat(names.len() - 11));
        let expected = format!("# taskhead 0.1.0\n# a = 1\n# b = 2\n{}\n{row}\n", names.join(","));
        assert_eq!(text(), expected);
    }

    #[test]
    fn wrong_values_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let read = |from: &str, to: &str| {
            let text = text();
            assert!(text.contains(from));
            std::fs::write(&path, text.replace(from, to)).unwrap();
            read_sweep(&path).map(|s| s.records.len()).map_err(|e| e.fault.to_string())
        };
        assert_eq!(read("1e300", "1e301"), Ok(1));
        assert_eq!(read("# a = 1", "#a = 1"), Ok(1));
        let wrong = read("1e300", "1,5").unwrap_err();
        assert!(wrong.contains("found record with 35 fields"), "{wrong}");
        let wrong = read("1e300", "high").unwrap_err();
        assert_eq!(wrong, "row 1, column `aie`: \"high\" is not a number");
        let wrong = read("\n7,", "\n-7,").unwrap_err();
        assert_eq!(wrong, "row 1, column `cell`: \"-7\" is not a whole number from 0");
        assert!(read("# a = 1\n# b = 2\n", "").unwrap_err().contains("its configuration"));
        assert!(read("b\"\"\"\n", "b\"\"\"").unwrap_err().contains("the end of its last line"));
    }

    #[test]
    fn a_version_of_two_lines_is_refused() {
        let sweep = Sweep { config: String::new(), version: "1\n2".into(), records: Vec::new() };
        let error = write_csv("a.csv", &sweep).unwrap_err().to_string();
        assert_eq!(error, "a.csv: the version \"1\\n2\" has a line break");
    }
}
