//! Two tasks on the molecules of tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use rand::seq::SliceRandom;

use super::found::fault;
use super::molecule::{CHANNELS, Molecule};
use super::{ImageTasks, Images, Split};
use crate::config::Table;
use crate::error::ReplayError;
use taskhead::tasks::stream;

/// The largest table, unpacked: 1 GiB.
const LIMIT: u64 = 1 << 30;

/// The most classes of a column; one with more holds numbers.
const MOST_CLASSES: usize = 20;

/// Of each class every third molecule is held out, and both halves of those need one.
const HELD_OUT_EVERY: usize = 3;
const LEAST: usize = 2 * HELD_OUT_EVERY;

/// Columns that a message lists.
const LISTED: usize = 20;

/// Purposes of random streams: of the one that deals molecules out to two tasks, and of those that order a task's.
const DEAL: u64 = 161;
const SOURCE: u64 = 162;
const DOWNSTREAM: u64 = 163;

/// What stands for a label that is missing, whatever its case.
const MISSING: [&str; 6] = ["", "nan", "na", "n/a", "null", "none"];

/// A table with the flag that names it.
struct Source<'a> {
    path: &'a Path,
    flag: &'static str,
    bytes: Vec<u8>,
}

/// A column of labels.
#[derive(Clone, Copy)]
struct Column<'a> {
    name: &'a str,
    flag: &'static str,
    /// Of the random stream that orders its molecules.
    purpose: u64,
}

/// A row with a molecule that is not too large, and its labels in the columns asked for.
struct Entry {
    key: Vec<u64>,
    molecule: Molecule,
    labels: Vec<Option<String>>,
}

/// The molecules of a task: each once, with its label.
#[derive(Default)]
struct Labelled<'a> {
    all: Vec<(&'a Entry, &'a str)>,
    notes: Vec<String>,
}

impl Table {
    /// Source and downstream task.
    pub(super) fn tasks(&self) -> Result<ImageTasks, ReplayError> {
        let source = self.source_file.as_deref().map(read).transpose()?;
        self.tasks_of(read(&self.file)?, source)
    }

    /// Those of the contents of tables: of the downstream one, and of the source task's if it is another.
    pub(super) fn tasks_of(
        &self,
        bytes: Vec<u8>,
        source_bytes: Option<Vec<u8>>,
    ) -> Result<ImageTasks, ReplayError> {
        let downstream = Column { name: &self.label, flag: "--label", purpose: DOWNSTREAM };
        let flag = if self.source_label.is_some() { "--source-label" } else { "--label" };
        let name = self.source_label.as_ref().unwrap_or(&self.label);
        let source = Column { name, flag, purpose: SOURCE };
        let table = Source { path: &self.file, flag: "--data", bytes };
        let path = self.source_file.as_ref().unwrap_or(&self.file);
        let (entries, others, mut notes) = match source_bytes {
            None => {
                let (entries, notes) = self.entries(&table, &[downstream, source])?;
                (entries, None, notes)
            }
            Some(bytes) => {
                let (entries, mut notes) = self.entries(&table, &[downstream])?;
                let table = Source { path, flag: "--source-data", bytes };
                let (others, more) = self.entries(&table, &[source])?;
                notes.extend(more);
                (entries, Some(others), notes)
            }
        };
        let mut of_downstream = labelled(&self.file, &entries, 0, downstream);
        let mut of_source = match &others {
            None => labelled(path, &entries, 1, source),
            Some(others) => labelled(path, others, 0, source),
        };
        notes.append(&mut of_downstream.notes);
        if others.is_some() || source.name != downstream.name {
            notes.append(&mut of_source.notes);
        }
        match &others {
            None => deal(&mut of_source, &mut of_downstream),
            Some(_) => {
                let there: BTreeSet<_> = of_downstream.all.iter().map(|(entry, _)| &entry.key).collect();
                let before = of_source.all.len();
                of_source.all.retain(|(entry, _)| !there.contains(&entry.key));
                let left_out = before - of_source.all.len();
                if left_out > 0 {
                    let table = path.display();
                    notes.push(format!(
                        "{table}: left out {left_out} molecules that the downstream task has, too"
                    ));
                }
            }
        }
        let both = of_source.all.iter().chain(&of_downstream.all);
        let atoms = both.map(|(entry, _)| entry.molecule.count()).max().unwrap_or(0);
        let mut pretraining = split(path, source, &of_source, atoms)?;
        if let Some(most) = self.source_samples {
            let train = &pretraining.train;
            pretraining.train = train.select(&(0..most.min(train.count())).collect::<Vec<_>>());
        }
        Ok(ImageTasks {
            source: pretraining,
            downstream: split(&self.file, downstream, &of_downstream, atoms)?,
            samples: self.samples,
            notes,
        })
    }

    /// The rows of a table, with notes.
    fn entries(
        &self,
        table: &Source<'_>,
        columns: &[Column<'_>],
    ) -> Result<(Vec<Entry>, Vec<String>), ReplayError> {
        let Source { path, flag, bytes } = table;
        let bad = |fault: String| ReplayError::Data { path: path.to_path_buf(), fault };
        let text =
            std::str::from_utf8(bytes).map_err(|e| bad(format!("this is no text in UTF-8: {e}")))?;
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next().unwrap_or("");
        let delimiter =
            [b'\t', b';'].into_iter().find(|&d| first.contains(char::from(d))).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
        let unread = |e: csv::Error| bad(format!("this table cannot be read: {e} ({flag})"));
        let names: Vec<String> = reader.headers().map_err(unread)?.iter().map(str::to_owned).collect();
        let place = |flag: &str, name: &str, is: &dyn Fn(&str) -> bool| {
            let mut places = (0..names.len()).filter(|&i| is(&names[i]));
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(bad(format!("two columns are named {name} ({flag})"))),
                (None, _) => {
                    let listed = names[..names.len().min(LISTED)].join(", ");
                    Err(bad(format!("there is no column {name}; {flag} takes one of {listed}")))
                }
            }
        };
        let smiles = match &self.smiles {
            Some(name) => place("--smiles", name, &|other| other == name)?,
            None => place("--smiles", "smiles", &|other| other.eq_ignore_ascii_case("smiles"))?,
        };
        let labels = columns.iter().map(|c| place(c.flag, c.name, &|other| other == c.name));
        let labels = labels.collect::<Result<Vec<_>, _>>()?;
        let (mut entries, mut large, mut missing) = (Vec::new(), 0, vec![0; columns.len()]);
        for record in reader.records() {
            let record = record.map_err(unread)?;
            let labels: Vec<_> = labels.iter().map(|&at| label(&record[at])).collect();
            for (count, label) in missing.iter_mut().zip(&labels) {
                *count += usize::from(label.is_none());
            }
            if labels.iter().all(Option::is_none) {
                // Its labels are missing; so may be its molecule.
                continue;
            }
            let molecule = Molecule::read(&record[smiles], self.atoms);
            let line = record.position().map_or(0, csv::Position::line);
            match molecule.map_err(|reason| bad(format!("line {line}: {reason}")))? {
                Some(molecule) => entries.push(Entry { key: molecule.key(), molecule, labels }),
                None => large += 1,
            }
        }
        let path = path.display();
        let mut notes: Vec<String> = columns
            .iter()
            .zip(missing)
            .filter(|(_, count)| *count > 0)
            .map(|(column, count)| {
                format!("{path}: {}: {count} rows skipped, which have no label", column.name)
            })
            .collect();
        notes.dedup();
        if large > 0 {
            notes.push(format!(
                "{path}: skipped {large} molecules with more than {} atoms (--atoms) or an atom with more than 8 neighbours",
                self.atoms
            ));
        }
        Ok((entries, notes))
    }
}

/// The contents of a table, unpacked.
fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    let failed = |e: std::io::Error| {
        let fault = format!("this table cannot be read: {e}");
        ReplayError::Data { path: path.to_owned(), fault }
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..]).take(LIMIT).read_to_end(&mut unpacked).map_err(failed)?;
        bytes = unpacked;
    }
    if bytes.len() as u64 == LIMIT {
        return fault(path, "this table is larger than 1 GiB, unpacked".into());
    }
    Ok(bytes)
}

/// A label, if it is there; equal numbers are equal labels.
fn label(text: &str) -> Option<String> {
    if MISSING.contains(&text.to_lowercase().as_str()) {
        return None;
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    Some(number.map_or_else(|| text.to_owned(), |number| (number + 0.0).to_string()))
}

/// The molecules with a label in a column: each once, and none with two labels.
fn labelled<'a>(
    path: &Path,
    entries: &'a [Entry],
    column: usize,
    Column { name, .. }: Column<'_>,
) -> Labelled<'a> {
    let mut found: BTreeMap<&[u64], (usize, BTreeSet<&str>)> = BTreeMap::new();
    let mut again = 0;
    for (i, entry) in entries.iter().enumerate() {
        let Some(label) = &entry.labels[column] else { continue };
        let place = found.entry(&entry.key).or_insert((i, BTreeSet::new()));
        again += usize::from(!place.1.is_empty());
        place.1.insert(label);
    }
    let contrary = found.values().filter(|(_, labels)| labels.len() > 1).count();
    let mut all: Vec<(usize, &str)> = found
        .values()
        .filter(|(_, labels)| labels.len() == 1)
        .filter_map(|(i, labels)| Some((*i, *labels.first()?)))
        .collect();
    all.sort_unstable();
    let path = path.display();
    let note = |count: usize, what: &str| (count > 0).then(|| format!("{path}: {name}: {count} {what}"));
    let notes = [
        note(again, "rows skipped, whose molecules come again"),
        note(contrary, "molecules skipped, which have different labels"),
    ];
    Labelled {
        all: all.into_iter().map(|(i, label)| (&entries[i], label)).collect(),
        notes: notes.into_iter().flatten().collect(),
    }
}

/// Deals the molecules that two tasks have out to one of them each, in turn.
fn deal(source: &mut Labelled<'_>, downstream: &mut Labelled<'_>) {
    let there: BTreeSet<_> = source.all.iter().map(|(entry, _)| &entry.key).collect();
    let both = downstream.all.iter().map(|(entry, _)| &entry.key).filter(|key| there.contains(key));
    let mut both: Vec<&Vec<u64>> = both.collect();
    both.shuffle(&mut stream(0, DEAL));
    let part =
        |first: usize| -> BTreeSet<&Vec<u64>> { both.iter().skip(first).step_by(2).copied().collect() };
    let parts = [part(0), part(1)];
    source.all.retain(|(entry, _)| !parts[1].contains(&entry.key));
    downstream.all.retain(|(entry, _)| !parts[0].contains(&entry.key));
}

/// The molecules of a task, a third of each class held out, with places for so many atoms.
fn split(
    path: &Path,
    Column { name, flag, purpose }: Column<'_>,
    Labelled { all, .. }: &Labelled<'_>,
    atoms: usize,
) -> Result<Split, ReplayError> {
    let number = |label: &str| label.parse::<f64>().ok();
    let names: BTreeSet<&str> = all.iter().map(|(_, label)| *label).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    if names.iter().all(|label| number(label).is_some()) {
        names.sort_by(|a, b| number(a).partial_cmp(&number(b)).expect("finite numbers"));
    }
    if !(2..=MOST_CLASSES).contains(&names.len()) {
        let listed = names[..names.len().min(3)].join(", ");
        let listed = if listed.is_empty() {
            listed
        } else {
            format!(" ({listed}{})", if names.len() > 3 { ", …" } else { "" })
        };
        return fault(
            path,
            format!(
                "the column {name} has {} different labels{listed}; accepted: 2 to {MOST_CLASSES} classes ({flag})",
                names.len()
            ),
        );
    }
    let class = |label: &str| names.iter().position(|name| *name == label).expect("one of them");
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.shuffle(&mut stream(0, purpose));
    let mut by_class = order.clone();
    by_class.sort_by_key(|&i| class(all[i].1));
    for (label, name_of_class) in names.iter().enumerate() {
        let count = by_class.iter().filter(|&&i| class(all[i].1) == label).count();
        if count < LEAST {
            return fault(
                path,
                format!(
                    "the class {name_of_class} of the column {name} has {count} molecules for this task; accepted: at \
                     least {LEAST} ({flag})"
                ),
            );
        }
    }
    let held: BTreeSet<usize> =
        by_class.iter().copied().skip(HELD_OUT_EVERY - 1).step_by(HELD_OUT_EVERY).collect();
    let images = |keep: &dyn Fn(&usize) -> bool| {
        let chosen: Vec<_> = order.iter().filter(|i| keep(i)).map(|&i| &all[i]).collect();
        let channels = chosen.iter().flat_map(|(entry, _)| entry.molecule.channels(atoms)).collect();
        let labels = chosen.iter().map(|(_, label)| class(label) as u16).collect();
        Images::new([atoms, 1, CHANNELS], channels, labels, names.len(), 1.0)
    };
    let made = images(&|i| !held.contains(i)).and_then(|train| {
        let held_out = images(&|i| held.contains(i))?;
        Split::new(train, held_out, None)
    });
    made.or_else(|reason| fault(path, reason))
}
