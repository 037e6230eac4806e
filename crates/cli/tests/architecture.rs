//! ARCHITECTURE.md names paths that exist and every part of the engine.

use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The paths in backquotes: those with a slash whose first part is a folder of the project.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|p| p.contains('/') && !p.contains(' ')).collect()
}

#[test]
fn the_paths_exist() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let all = paths(&text);
    let missing: Vec<_> = all
        .iter()
        .filter(|p| {
            // Folders inside a row, like `plot/`, belong to the crate that the row is about.
            let inside =
                text.lines().find(|l| l.contains(&format!("`{p}`"))).and_then(|l| l.split('`').nth(1));
            !Path::new(ROOT).join(p).exists()
                && !inside.is_some_and(|i| {
                    [format!("{i}{p}"), format!("{i}src/{p}")]
                        .iter()
                        .any(|p| Path::new(ROOT).join(p).exists())
                })
        })
        .collect();
    assert!(all.len() > 30, "only {} paths were found", all.len());
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}

#[test]
fn every_part_of_the_engine_is_named() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    for entry in std::fs::read_dir(Path::new(ROOT).join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "lib.rs" || text.contains(&format!("src/{name}")),
            "ARCHITECTURE.md leaves out src/{name}"
        );
    }
}
