//! Replays of molecules: graphs from SMILES, embedded or of a table, with an AUC beside accuracy; bad input.
#![cfg(feature = "replay")]

mod common;

use std::path::Path;

use common::{refuse, succeed};
use serde_json::Value;
use taskhead::sweep::record::ScoreKind;
use taskhead_files::read_sweep;

const FLAGS: &str = "replay molecules --samples 24 --widths 8,8 --pretrain-epochs 1 --points 3 --longest 5 --times 1,2 --cache b -q";

fn args<'a>(flags: &'a str, more: &'a str) -> Vec<&'a str> {
    flags.split(' ').chain(more.split(' ')).collect()
}

/// A task on 24 alcohols and 24 amines, with a missing label, and a second column of labels.
fn table(folder: &Path) {
    let mut text = String::from("Smiles,alcohol,long\n");
    for n in 1..=24 {
        let chain = "C".repeat(n);
        text += &format!("{chain}O,1,{}\n{chain}N,0,{}\n", u8::from(n > 12), u8::from(n > 12));
    }
    text += "CCOC,,1\n";
    std::fs::write(folder.join("t.csv"), text).unwrap();
}

#[test]
fn molecules_are_scored_by_auc_and_parts_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = succeed(here, &args(FLAGS, "--seeds 2 --out whole"));
    assert!(text.contains("molecules gin: largest validation AUC ("), "{text}");
    for part in ["1/2", "2/2"] {
        succeed(here, &args(FLAGS, &format!("--seeds 2 --out parts --shard {part}")));
    }
    succeed(here, &["merge", "parts.1-of-2.parquet", "parts.2-of-2.parquet", "--out", "parts"]);
    let json: Value =
        serde_json::from_str(&succeed(here, &args(FLAGS, "--seeds 2 --out whole --json"))).unwrap();
    assert_eq!((&json["known"], &json["best"][0]["chosen_by"]), (&6.into(), &"validation_auc".into()));
    for kind in ["parquet", "csv"] {
        let read = |name: &str| std::fs::read(here.join(format!("{name}.{kind}"))).unwrap();
        assert!(read("whole") == read("parts"), "{kind}");
    }
    for r in read_sweep(here.join("whole.csv")).unwrap().records {
        let m = r.reached().unwrap();
        let score = m.score.unwrap();
        assert_eq!(score.kind, ScoreKind::Auc);
        assert!(score.held_out.end > 0.0 && score.held_out.end < 1.0);
        // Energies are means over molecules of residuals of probabilities.
        assert!(m.energies.aie > 0.0 && m.energies.aie < 2f64.sqrt());
    }
}

/// The table is chosen by AUC; of a graph network no layer can be part of the head, so that there is no such row.
#[test]
fn a_table_of_methods_has_auc_and_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let text = succeed(folder.path(), &args(FLAGS, "--seeds 2 --out t --experiment table"));
    assert!(text.contains("validation AUC chooses") && text.contains("  test AUC "), "{text}");
    assert!(text.lines().any(|line| line.starts_with("two-layer head")), "{text}");
    let csv = std::fs::read_to_string(folder.path().join("t/table.csv")).unwrap();
    assert!(csv.lines().count() == 6 && csv.contains(",auc,") && !csv.contains("part of"), "{csv}");
}

/// What differs in one atom is learned, and the theory is laid over graphs, too.
#[test]
fn a_table_is_read_learned_and_overlaid() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(here);
    let flags = "replay molecules --data t.csv --label alcohol --source-label long --widths 8 --pretrain-epochs 5 \
                 --rate 0.05 --points 2 --seeds 1 --longest 20 --times 60 --out o --json";
    let found: Value =
        serde_json::from_str(&succeed(here, &args(&flags.replace("                 ", ""), "--theory")))
            .unwrap();
    assert!(found["best"][0]["test_auc"].as_f64().unwrap() > 0.95, "{found}");
    assert!(!found["theory"].as_array().unwrap().is_empty());
}

#[test]
fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    table(here);
    let good = std::fs::read_to_string(here.join("t.csv")).unwrap();
    let with = |line: &str| std::fs::write(here.join("t.csv"), good.clone() + line).unwrap();
    let flags = "replay molecules --data t.csv --label alcohol --out o";
    for (line, expected) in [
        ("[Xx]C,1,1\n", "line 51: [Xx]C is no SMILES that is read"),
        ("C1CC,1,1\n", "unmatched ring closure"),
        ("C*,1,1\n", "C* holds *, which is no atom"),
        (",1,1\n", "there is no SMILES"),
        ("CC,1\n", "this table cannot be read"),
        ("CF,maybe,1\n", "the class maybe of the column alcohol has"),
    ] {
        with(line);
        let error = refuse(here, &args(flags, "-q"));
        assert!(error.contains(expected), "{line:?}: {error}");
    }
    with("");
    for (more, expected) in [
        ("--label toxic", "there is no column toxic; --label takes one of Smiles, alcohol, long"),
        ("--smiles structure", "there is no column structure"),
        ("--source-label dose", "there is no column dose"),
        ("--atoms 1", "--atoms"),
        ("--samples 1000", "(--samples)"),
        ("--backbone cnn", "backbone"),
    ] {
        let flags =
            if more.starts_with("--label") { "replay molecules --data t.csv --out o" } else { flags };
        let error = refuse(here, &args(flags, more));
        assert!(error.contains(expected), "{more}: {error}");
    }
    std::fs::write(here.join("t.csv"), [0x1f, 0x8b, 8, 0, 1, 2]).unwrap();
    assert!(refuse(here, &args(flags, "-q")).contains("this table cannot be read"));
    assert!(
        refuse(here, &args("replay molecules --data no.csv --label a --out o", "-q"))
            .contains("cannot be read")
    );
}
