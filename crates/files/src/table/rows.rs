//! What readers of both kinds of table share: the columns by name, the rows as records, and notes.

use std::fmt;

use super::columns::{COLUMNS, Column, Row};
use crate::error::{Fault, printable};
use taskhead::sweep::Part;
use taskhead::sweep::record::{Cell, Record};

/// What a reader should know of a table that was read nevertheless.
#[derive(Debug, Clone, PartialEq)]
pub enum TableNote {
    /// A Parquet file without our checksum.
    NoSeal,
    /// A Parquet file without configuration and version.
    NoMetadata,
    /// Columns that a sweep does not have.
    Ignored(Vec<String>),
    /// A part of a sweep.
    Part(Part),
    /// What is there of a run that has not finished.
    Unfinished {
        /// Cells that are there.
        found: usize,
        /// Cells of the run.
        cells: usize,
    },
    /// A table that another version of this program has written.
    Version(String),
}

impl fmt::Display for TableNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSeal => f.write_str(
                "it has no seal: another program has written it, so that nothing tells whether it is damaged",
            ),
            Self::NoMetadata => f.write_str("it does not say which configuration and version made it"),
            Self::Ignored(names) => {
                let named = |name: &String| match name.is_empty() {
                    true => "one without a name".to_owned(),
                    false => name.clone(),
                };
                let names: Vec<String> = names.iter().map(named).collect();
                write!(f, "columns that a sweep does not have are left alone: {}", names.join(", "))
            }
            Self::Part(Part { shard, cells }) => {
                write!(f, "it is part {shard} of {cells} cells; all parts merged are the whole")
            }
            Self::Unfinished { found, cells } => {
                write!(f, "the run that writes it has not finished: it holds {found} of {cells} cells")
            }
            Self::Version(version) => {
                let own = env!("CARGO_PKG_VERSION");
                write!(f, "it was written by taskhead {version}, and this is {own}: its numbers may differ")
            }
        }
    }
}

/// Columns that came with schema 4: a table may lack them.
const NEW: [&str; 2] = ["frobenius_distance", "held_out_frobenius_distance"];

/// Finds the columns of a table by their names: all of ours, each once, in any order; new ones and those of a score may
/// be missing. Others are none.
pub(super) fn find<'a>(
    names: impl IntoIterator<Item = &'a str>,
    notes: &mut Vec<TableNote>,
) -> Result<Vec<Option<&'static Column>>, Fault> {
    let mut missing: Vec<_> = COLUMNS.iter().map(|c| c.name).collect();
    let (mut found, mut ignored, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let column = COLUMNS.iter().find(|c| c.name == name);
        match missing.iter().position(|m| *m == name) {
            Some(i) => drop(missing.remove(i)),
            None if column.is_some() => repeated.push(printable(name)),
            None => ignored.push(printable(name)),
        }
        found.push(column);
    }
    let scored = |name: &str| COLUMNS.iter().any(|column| column.name == name && column.scored);
    missing.retain(|name| !NEW.contains(name) && !scored(name));
    if !missing.is_empty() || !repeated.is_empty() {
        return Err(Fault::Columns { missing, repeated });
    }
    if !ignored.is_empty() {
        notes.push(TableNote::Ignored(ignored));
    }
    Ok(found)
}

/// The records of all rows, one by one as they come; a cell may be there only once, and so may its place.
pub(super) fn records(rows: impl IntoIterator<Item = Result<Row, Fault>>) -> Result<Vec<Record>, Fault> {
    let record = |(i, row): (usize, Result<Row, Fault>)| row?.record(i);
    let records: Vec<Record> = rows.into_iter().enumerate().map(record).collect::<Result<_, _>>()?;
    check_repeated(&records)?;
    Ok(records)
}

/// Refuses two records of one cell, and two cells of one place: the same problem, head, probing point and time, which
/// would be drawn as one curve.
///
/// # Errors
///
/// The first record that is there twice.
pub fn check_repeated(records: &[Record]) -> Result<(), Fault> {
    let twice = |same: &dyn Fn(&Cell, &Cell) -> std::cmp::Ordering| {
        let mut order: Vec<usize> = (0..records.len()).collect();
        order.sort_by(|&a, &b| same(&records[a].cell, &records[b].cell));
        let pairs = order.windows(2).map(|pair| [pair[0], pair[1]]);
        let pairs = pairs.filter(|[a, b]| same(&records[*a].cell, &records[*b].cell).is_eq());
        pairs.min_by_key(|pair| pair[1]).map(|pair| pair.map(|i| &records[i].cell))
    };
    if let Some([cell, _]) = twice(&|a, b| a.number.cmp(&b.number)) {
        return Err(Fault::RepeatedCell { cell: cell.number });
    }
    if let Some([first, second]) = twice(&|a, b| place(a).cmp(&place(b))) {
        return Err(Fault::RepeatedPlace {
            first: first.number,
            second: second.number,
            problem: printable(&first.problem),
            seed: first.seed,
            point: first.point,
            time: first.time,
        });
    }
    Ok(())
}

/// Where a cell is on the figures: what it is asked for belongs to its probing point. Numbers by their bits, 0 and −0
/// alike.
fn place(cell: &Cell) -> (&str, u64, u64, [u64; 4]) {
    let Cell { problem, seed, head_scale, smoothing, head_rate, point, time, .. } = cell;
    let numbers = [head_scale, smoothing, head_rate, time].map(|number| (number + 0.0).to_bits());
    (problem, *seed, *point, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_columns_are_named() {
        let names: Vec<&str> = COLUMNS.iter().map(|c| c.name).collect();
        let mut notes = Vec::new();
        let found = find(names.iter().rev().copied().chain(["__index__"]), &mut notes).unwrap();
        assert_eq!(found.iter().filter(|c| c.is_some()).count(), COLUMNS.len());
        assert_eq!(notes, [TableNote::Ignored(vec!["__index__".into()])]);
        let wrong = names[1..].iter().copied().chain(["error", "cel\x1bl"]);
        let Err(fault) = find(wrong, &mut notes) else { panic!("accepted") };
        let text = fault.to_string();
        assert!(text.ends_with("missing: `cell`; repeated: `error`"), "{text}");
        let old = names.iter().copied().filter(|name| !NEW.contains(name));
        assert_eq!(find(old, &mut notes).unwrap().len(), COLUMNS.len() - NEW.len());
    }
}
