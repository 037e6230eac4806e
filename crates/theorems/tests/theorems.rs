//! The catalogue, the table of machine proofs and the gallery name the same things.

use std::collections::BTreeSet;
use std::path::Path;

use taskhead_theorems::catalogue::{Entry, catalogue};

/// A row of the table in `proofs/README.md`: number, Coq name, file, check, figure.
struct Row {
    id: String,
    coq: String,
    file: String,
    check: String,
    figure: String,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn rows() -> Vec<Row> {
    let table = read("proofs/README.md");
    let rows: Vec<Row> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(".v) |"))
        .map(|line| {
            // Bars inside a cell are written \|.
            let line = line.replace("\\|", "¦");
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [id, _, name, check, figure] = cells[..] else { panic!("not five cells: {line}") };
            let (coq, file) = name.split_once(" (").expect("name and file");
            Row {
                id: id.into(),
                coq: coq.trim_matches('`').into(),
                file: file.trim_end_matches(')').into(),
                check: check.trim_matches('`').into(),
                figure: figure.into(),
            }
        })
        .collect();
    assert!(rows.len() > 60, "only {} rows were read", rows.len());
    rows
}

fn entry(id: &str) -> Option<&'static Entry> {
    catalogue().into_iter().find(|e| e.id == id)
}

#[test]
fn every_proof_of_the_table_is_in_the_catalogue_and_the_other_way_round() {
    let table: BTreeSet<(String, String)> =
        rows().into_iter().filter(|row| entry(&row.id).is_some()).map(|row| (row.id, row.coq)).collect();
    let listed: BTreeSet<(String, String)> = catalogue()
        .iter()
        .flat_map(|e| e.proofs.iter().map(|p| (e.id.to_owned(), (*p).to_owned())))
        .collect();
    assert_eq!(table, listed);
}

#[test]
fn every_proof_is_stated_in_its_file() {
    for row in rows() {
        let text = read(&format!("proofs/theories/{}", row.file));
        let stated = format!("Theorem {}", row.coq);
        let found = text.lines().any(|line| {
            line.strip_prefix(&stated).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '\'')
            })
        });
        assert!(found, "{} is not stated in {}", row.coq, row.file);
    }
}

#[test]
fn checks_and_figures_of_the_table_are_those_of_the_catalogue() {
    for row in rows() {
        match entry(&row.id) {
            Some(entry) => {
                assert_eq!(row.check, format!("taskhead verify {}", entry.id), "{}", row.coq);
                let figure = entry.figure.map_or("-".into(), |f| format!("[{f}](../plots/{f}.svg)"));
                assert_eq!(row.figure, figure, "{}", row.coq);
            }
            None => assert_eq!((row.check.as_str(), row.figure.as_str()), ("-", "-"), "{}", row.coq),
        }
    }
}

#[test]
fn every_figure_of_the_catalogue_is_in_the_gallery() {
    for entry in catalogue() {
        let Some(figure) = entry.figure else { continue };
        assert!(read("plots/README.md").contains(&format!("{figure}.svg")), "{}: {figure}", entry.id);
        assert!(read(&format!("plots/{figure}.svg")).starts_with("<svg"), "{figure}");
    }
}
