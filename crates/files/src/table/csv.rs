//! A sweep as CSV: version, schema, identity and configuration as comments, then the table.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use super::columns::{Row, Slot, Value, WHOLE, whole_of, written};
use super::rows::{TableNote, find, records};
use crate::error::{At, Fault, FileError, printable};
use crate::output::write_atomically;
use taskhead::sweep::plan::Digest;
use taskhead::sweep::{OLDEST_SCHEMA, SCHEMA, Sweep};

/// How such a file begins; the version follows.
pub(super) const START: &str = "# taskhead ";

/// What a line of the configuration begins with.
const COMMENT: &str = "# ";

/// What the second line begins with; the schema follows.
const SCHEMA_IS: &str = "schema ";

/// What the third line begins with; the identity follows, or "none".
const IDENTITY_IS: &str = "identity ";

/// Writes a sweep as CSV, in one step ([`write_atomically`]).
///
/// The first three lines are `# taskhead` and the version, `# schema` and its number, `# identity` and the
/// identity; then come each line of the configuration after `# `, the header and the rows. Numbers are in the
/// shortest form that reads back as the same, infinities are `inf` and `-inf`; what a cell does not have is empty.
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
    let identity = sweep.identity.map_or("none".to_owned(), |identity| identity.to_string());
    writeln!(writer, "{START}{}", sweep.version)?;
    writeln!(writer, "{COMMENT}{SCHEMA_IS}{SCHEMA}\n{COMMENT}{IDENTITY_IS}{identity}")?;
    sweep.config.split('\n').try_for_each(|line| writeln!(writer, "{COMMENT}{line}"))
}

fn rows(writer: &mut impl Write, sweep: &Sweep) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_writer(writer);
    let columns: Vec<_> = written(&sweep.records).collect();
    table.write_record(columns.iter().map(|c| c.name))?;
    for record in &sweep.records {
        let row = Row::from(record);
        for column in &columns {
            match (column.value)(&row) {
                None => table.write_field("")?,
                Some(Value::Count(count)) => table.write_field(count.to_string())?,
                // Unlike `Display`, `Debug` writes 1e300 without its zeros.
                Some(Value::Number(number)) => table.write_field(format!("{number:?}"))?,
                Some(Value::Text(text)) => table.write_field(text)?,
            }
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.flush().map_err(csv::Error::from)
}

/// What the comments say.
struct Head {
    version: String,
    identity: Option<Digest>,
    config: String,
}

/// What some programs put before text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What may stand between the fields of a row.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// What programs write for a missing value, besides nothing.
const MISSING: [&str; 6] = ["NA", "N/A", "<NA>", "null", "NULL", "None"];

/// Whether a file begins like a table of ours that another program has rewritten, without the comments.
pub(super) fn is_rewritten(file: &mut File) -> Result<bool, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut start = Vec::new();
    (&mut *file).take(MAX_HEADER).read_to_end(&mut start).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(separator(start.strip_prefix(MARK).unwrap_or(&start)).is_some())
}

/// The longest line of names that is looked at.
const MAX_HEADER: u64 = 1 << 16;

/// What stands between the names of the columns, if they are ours.
fn separator(text: &[u8]) -> Option<u8> {
    let first = text.split(|&byte| matches!(byte, b'\n' | b'\r')).next()?;
    SEPARATORS.into_iter().find(|&separator| {
        let mut line = csv::ReaderBuilder::new().delimiter(separator).from_reader(first);
        let there = |names: &csv::StringRecord, name| names.iter().any(|other| other == name);
        line.headers().is_ok_and(|names| there(names, "cell") && there(names, "problem"))
    })
}

/// What ends the lines of a text, as its first line says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Of most programs, and ours.
    Feed,
    /// Of Windows.
    ReturnAndFeed,
    /// Of old programs of the Mac.
    Return,
}

impl End {
    fn of(text: &[u8]) -> Self {
        let first = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        match first.map(|at| &text[at..]) {
            Some([b'\r', b'\n', ..]) => Self::ReturnAndFeed,
            Some([b'\r', _, ..]) => Self::Return,
            _ => Self::Feed,
        }
    }

    /// The last byte of a line.
    fn last(self) -> u8 {
        if self == Self::Return { b'\r' } else { b'\n' }
    }
}

/// Reads the comments; the table follows.
fn head(reader: &mut impl BufRead) -> Result<Head, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut comments = Vec::new();
    let end = End::of(reader.fill_buf().map_err(failed)?);
    while reader.fill_buf().map_err(failed)?.first() == Some(&b'#') {
        let mut line = Vec::new();
        reader.read_until(end.last(), &mut line).map_err(failed)?;
        let line = String::from_utf8(line).map_err(|error| failed(io::Error::other(error)))?;
        let line = line.strip_suffix(char::from(end.last())).ok_or(Fault::NotASweep { missing: END })?;
        // Only where all lines end so: a configuration may have such an end itself.
        let line = line.strip_suffix('\r').filter(|_| end == End::ReturnAndFeed).unwrap_or(line);
        // An editor may trim the space of an empty line.
        comments.push(line.strip_prefix(COMMENT).unwrap_or(&line[1..]).to_owned());
    }
    let version = comments.first().and_then(|first| first.strip_prefix(&START[COMMENT.len()..]));
    let version = version.ok_or(Fault::NotASweep { missing: "its version" })?.to_owned();
    let schema = comments.get(1).and_then(|line| line.strip_prefix(SCHEMA_IS)?.parse().ok());
    // The first edition did not say it.
    let schema = schema.unwrap_or(1);
    if !(OLDEST_SCHEMA..=SCHEMA).contains(&schema) {
        return Err(Fault::Schema { found: schema, version: printable(&version), read: SCHEMA });
    }
    let identity = comments.get(2).and_then(|line| line.strip_prefix(IDENTITY_IS));
    let identity = match identity {
        Some("none") => None,
        Some(digits) => Some(digits.parse().map_err(|_| Fault::NotASweep { missing: "its identity" })?),
        None => return Err(Fault::NotASweep { missing: "its identity" }),
    };
    if comments.len() < 4 {
        return Err(Fault::NotASweep { missing: "its configuration" });
    }
    Ok(Head { version, identity, config: comments[3..].join("\n") })
}

/// The identity of what [`write_csv`] has written.
pub(super) fn identity(file: File) -> Result<Option<Digest>, Fault> {
    Ok(head(&mut BufReader::new(file))?.identity)
}

/// Reads what [`write_csv`] has written, or another program that has read it: without the comments, with columns in
/// another order, other quotes, other separators, and other words for no value.
pub(super) fn read(file: File, notes: &mut Vec<TableNote>) -> Result<Sweep, Fault> {
    let failed = |source| Fault::Io { action: "read", source };
    let mut reader = BufReader::new(file);
    let mut end = End::of(reader.fill_buf().map_err(failed)?);
    if reader.fill_buf().map_err(failed)?.starts_with(MARK) {
        reader.consume(MARK.len());
    }
    let Head { version, identity, config } = if reader.fill_buf().map_err(failed)?.first() == Some(&b'#')
    {
        head(&mut reader)?
    } else {
        notes.push(TableNote::NoMetadata);
        Head { version: String::new(), identity: None, config: String::new() }
    };
    let mut text = Vec::new();
    reader.read_to_end(&mut text).map_err(failed)?;
    // The names of columns of a table without comments may be more than were looked at.
    if config.is_empty() {
        end = End::of(&text);
    }
    if text.last() != Some(&end.last()) {
        return Err(Fault::NotASweep { missing: END });
    }
    let separator = separator(&text).unwrap_or(b',');
    let mut table = csv::ReaderBuilder::new().delimiter(separator).from_reader(&text[..]);
    let columns = find(table.headers()?, notes)?;
    let row = |(row, fields): (usize, Result<csv::StringRecord, csv::Error>)| {
        let fields = fields?;
        let mut flat = Row::default();
        for (column, field) in columns.iter().zip(&fields) {
            let Some(column) = column else { continue };
            let wrong = |wanted| Fault::Cell {
                row: row + 1,
                column: column.name,
                value: printable(field),
                wanted,
            };
            if field.is_empty() || !column.required && MISSING.contains(&field) {
                continue;
            }
            match (column.slot)(&mut flat) {
                Slot::Count(count) => {
                    *count = Some(whole(field).ok_or_else(|| wrong(WHOLE))?);
                }
                Slot::Number(number) => *number = Some(field.parse().map_err(|_| wrong("a number"))?),
                Slot::Text(text) => *text = Some(field.to_owned()),
            }
        }
        Ok(flat)
    };
    let records = records(table.records().enumerate().map(row))?;
    Ok(Sweep { config, version, identity, records })
}

/// A whole number, also as one of floating point.
fn whole(field: &str) -> Option<u64> {
    field.parse().ok().or_else(|| whole_of(field.parse().ok()?))
}

const END: &str = "the end of its last line";

#[cfg(test)]
mod tests {
    use super::super::tests::{measured, record};
    use super::*;
    use crate::read_sweep;
    use taskhead::flow::Stop;
    use taskhead::sweep::record::{Outcome, Record};

    fn text() -> String {
        let failed = Record::failed(record(7).cell, "a \"b\"");
        let stopped = Record {
            outcome: Outcome::of(Stop::StepLimit { steps: 3, time: 0.5 }, measured(1e300)),
            ..record(8)
        };
        let sweep = Sweep {
            config: "a = 1\nb = 2".into(),
            version: "0.1.0".into(),
            identity: Some(Digest([0xab; 32])),
            records: vec![failed, stopped],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_csv(&path, &sweep).unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn the_text_is_pinned() {
        let names: Vec<&str> = written(&[]).map(|c| c.name).collect();
        let failed =
            format!("7,test,1,0.5,0.0,1.0,7,share,0.25,inf,failed,,\"a \"\"b\"\"\"{}", ",".repeat(29));
        let stopped = "8,test,1,0.5,0.0,1.0,8,share,0.25,inf,step-limit,steps=3.0 time=0.5,,flow,0.25,1e300,1e300,\
                       0.5,0.125,,,1.0,,-0.0,inf,,,,,,,,,1.0,2.0,,,,,,,";
        let identity = "ab".repeat(32);
        let expected = format!(
            "# taskhead 0.1.0\n# schema 4\n# identity {identity}\n# a = 1\n# b = 2\n{}\n{failed}\n{stopped}\n",
            names.join(",")
        );
        assert_eq!(text(), expected);
    }

    #[test]
    fn wrong_values_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let read = |from: &str, to: &str| {
            let text = text();
            assert!(text.contains(from), "{from} in {text}");
            std::fs::write(&path, text.replace(from, to)).unwrap();
            read_sweep(&path).map(|s| s.records.len()).map_err(|e| e.fault.to_string())
        };
        let is =
            |from: &str, to: &str, expected: &str| assert_eq!(read(from, to).unwrap_err(), expected);
        assert_eq!(read("1e300", "1e301"), Ok(2));
        assert_eq!(read("# a = 1", "#a = 1"), Ok(2));
        let wrong = read("1e300", "1,5").unwrap_err();
        assert!(wrong.contains("found record with 44 fields"), "{wrong}");
        is("1e300", "high", "row 2, column `aie`: \"high\" is not a number");
        is("\n7,", "\n-7,", "row 1, column `cell`: \"-7\" is not a whole number from 0");
        is("\n7,", "\n,", "row 1, column `cell`: \"\" is not a whole number");
        is(",0.125,", ",,", "row 2, column `residual`: \"\" is not a number");
        is(",share,", ",luck,", "row 1, column `asked_by`: \"luck\" is not `time`, `energy` or `share`");
        let stop = "is not `failed`, or a stop with its numbers in `stop`";
        is("step-limit", "tired", &format!("row 2, column `status`: \"tired\" {stop}"));
        is("steps=3.0 ", "", &format!("row 2, column `status`: \"step-limit\" {stop}"));
        is("\n8,", "\n7,", "the cell 7 is there twice");
        let other = read("# taskhead 0.1.0\n", "#tahead \u{feff},cell,problem\n").unwrap_err();
        assert!(other.contains("its version is missing"), "{other}");
        assert!(read("# a = 1\n# b = 2\n", "").unwrap_err().contains("its configuration"));
        assert!(read("# identity ab", "# identity x").unwrap_err().contains("its identity is missing"));
        assert!(read(",,,,,,\n", ",,,,,,").unwrap_err().contains("the end of its last line"));
    }

    /// The first edition did not say its schema.
    #[test]
    fn tables_of_another_schema_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        for (line, found) in [("", 1), ("# schema 2\n", 2), ("# schema 5\n", 5)] {
            std::fs::write(&path, text().replace("# schema 4\n", line)).unwrap();
            let error = read_sweep(&path).unwrap_err().fault.to_string();
            let expected = format!(
                "this table is of schema {found}, written by taskhead 0.1.0; this program reads schemas 3 and 4"
            );
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    /// As other programs write it: no comments, other columns first, quotes, separators, words and line ends.
    #[test]
    fn a_table_that_was_rewritten_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text()).unwrap();
        let records = read_sweep(&path).unwrap().records;
        let table: String =
            text().lines().filter(|l| !l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let names = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let rewritten = |separator: u8, missing: &str, start: &str, end: csv::Terminator| {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(separator)
                .quote_style(csv::QuoteStyle::NonNumeric)
                .terminator(end)
                .from_writer(start.as_bytes().to_vec());
            writer.write_record(names.iter().rev().chain([""])).unwrap();
            for (row, fields) in rows.iter().enumerate() {
                let float = |(name, field): (&str, &str)| match (name, field) {
                    ("cell" | "seed" | "point", whole) => format!("{whole}.0"),
                    (_, "") => missing.to_owned(),
                    (_, other) => other.to_owned(),
                };
                let fields: Vec<String> = names.iter().zip(fields).map(float).collect();
                writer.write_record(fields.into_iter().rev().chain([row.to_string()])).unwrap();
            }
            writer.into_inner().unwrap()
        };
        let line = csv::Terminator::Any(b'\n');
        for (separator, missing, start, end) in [
            (b',', "", "", line),
            (b',', "NA", "\u{feff}", csv::Terminator::CRLF),
            (b';', "null", "", csv::Terminator::CRLF),
            (b'\t', "None", "", line),
        ] {
            std::fs::write(&path, rewritten(separator, missing, start, end)).unwrap();
            let (sweep, notes) = crate::read_sweep_with_notes(&path).unwrap();
            assert_eq!(sweep.records, records, "{separator} {missing}");
            assert_eq!(notes, [TableNote::NoMetadata, TableNote::Ignored(vec![String::new()])]);
        }
        assert_eq!(["3", "3.0", "3e2"].map(whole), [Some(3), Some(3), Some(300)]);
        assert_eq!(["-3", "3.5", "1e17", "nan", "inf", ""].map(whole), [None; 6]);
    }

    /// Every line end, of a table with its comments and of one without them; breaks within quotes stay.
    #[test]
    fn lines_end_in_every_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = text().replace("a \"\"b\"\"", "a\u{1}b");
        let bare: String =
            text.lines().filter(|l| !l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        for (text, whole) in [(&text, true), (&bare, false)] {
            let read = |end: &str, cut: usize| {
                let text = text.replace('\n', end).replace('\u{1}', "\n");
                std::fs::write(&path, &text[..text.len() - cut]).unwrap();
                read_sweep(&path).map_err(|error| error.fault.to_string())
            };
            let sweep = read("\n", 0).unwrap();
            assert_eq!(sweep.records[0].outcome, Outcome::Failed("a\nb".into()));
            assert_eq!(sweep.config, if whole { "a = 1\nb = 2" } else { "" });
            for end in ["\r", "\r\n"] {
                assert_eq!(read(end, 0), Ok(sweep.clone()), "{end:?}");
                assert!(read(end, 1).unwrap_err().contains("the end of its last line"), "{end:?}");
            }
        }
    }

    /// Whoever reads them would draw them.
    #[test]
    fn values_that_cannot_be_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = text();
        let names: Vec<&str> = written(&[]).map(|c| c.name).collect();
        let read = |column: &str, value: &str| {
            let place = names.iter().position(|name| *name == column).unwrap();
            let line = text.lines().last().unwrap();
            let mut fields: Vec<&str> = line.split(',').collect();
            fields[place] = value;
            std::fs::write(&path, text.replace(line, &fields.join(","))).unwrap();
            read_sweep(&path).map(drop).map_err(|error| error.fault.to_string())
        };
        for (column, value, wanted) in [
            ("aie", "-0.5", "a number of at least 0"),
            ("frobenius", "-inf", "a number of at least 0"),
            ("euclidean", "-1e-300", "a number of at least 0"),
            ("held_out_norm", "-1", "a number of at least 0"),
            ("time", "-1", "a number of at least 0"),
            ("cosine", "2.5", "a cosine distance, from 0 to 2"),
            ("held_out_cosine", "-0.1", "a cosine distance, from 0 to 2"),
            ("accuracy", "93", "a share from 0 to 1"),
            ("smoothing", "1.5", "a share from 0 to 1"),
        ] {
            let expected = format!("row 2, column `{column}`: \"{value}\" is not {wanted}");
            assert_eq!(read(column, value), Err(expected));
        }
        // Rounding of other programs, what is not known, and what may have any sign.
        for (column, value) in [
            ("cosine", "-1e-7"),
            ("cosine", "2"),
            ("norm", "NaN"),
            ("dot", "-3"),
            ("aie", "-0.0"),
            ("risk", "-1"),
        ] {
            assert_eq!(read(column, value), Ok(()), "{column} {value}");
        }
    }

    #[test]
    fn a_version_of_two_lines_is_refused() {
        let (config, version) = (String::new(), "1\n2".into());
        let sweep = Sweep { config, version, identity: None, records: Vec::new() };
        let error = write_csv("a.csv", &sweep).unwrap_err().to_string();
        assert_eq!(error, "a.csv: the version \"1\\n2\" has a line break");
    }
}
