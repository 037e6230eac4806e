//! ARCHITECTURE.md names paths that exist and every part of the engine; no two files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
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

/// A plant that fits nowhere any more, or in two places, would stop `scripts/plants` or `proofs/plants` on the way.
#[test]
fn every_planted_error_fits_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    for (list, folder, name, least) in [
        ("tests/plants/plants.toml", "", "name", 50),
        ("proofs/plants.toml", "proofs/theories/", "theorem", 20),
    ] {
        let plants: toml::Table = read(list).parse().expect("TOML");
        let plants = plants["plant"].as_array().expect("a list");
        assert!(plants.len() >= least, "{list}: {}", plants.len());
        for plant in plants {
            let text = |key: &str| plant[key].as_str().expect("a text");
            let file = format!("{folder}{}", text("file"));
            let places = read(&file).matches(text("from")).count();
            assert_eq!(places, 1, "{}: {places} places in {file}", text(name));
        }
    }
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

/// The documents, whose prose has lines of at most 120 characters.
const DOCUMENTS: [&str; 18] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "DESIGN.md",
    "benches/RESULTS.md",
    "docs/beyond-one-sample.md",
    "docs/advise.md",
    "docs/faults.md",
    "web/README.md",
    "proofs/README.md",
    "fuzz/README.md",
    "plots/README.md",
    "plots/replay/README.md",
    "web/teach/derivation.md",
    "web/teach/lesson.md",
    "web/teach/slides.md",
    "benches/advise/README.md",
    "benches/alternatives/README.md",
];

/// Numbers of the lines that are too long; rows of tables, HTML and lines that are only a link are no prose.
fn long_lines(text: &str) -> Vec<usize> {
    let is_prose = |line: &str| {
        let link = line.split_whitespace().any(|word| word.chars().count() > 100);
        !line.starts_with(['|', '<']) && !link
    };
    let lines = text.lines().enumerate();
    let long = lines.filter(|(_, line)| line.chars().count() > 120 && is_prose(line));
    long.map(|(i, _)| i + 1).collect()
}

#[test]
fn lines_of_prose_are_short() {
    for name in DOCUMENTS {
        let text = std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
        assert_eq!(long_lines(&text), [0; 0], "{name} has lines of more than 120 characters");
    }
    let (full, long) = ("ö".repeat(4) + &" word".repeat(23) + "!", "word ".repeat(25));
    let others = format!("| {long} |\n<p>{long}\n[{}](https://example.org)", "x".repeat(120));
    assert!(long_lines(&format!("{full}\n{others}")).is_empty());
    assert_eq!(long_lines(&format!("{full}\n{long}\n* {full}")), [2, 3]);
}

/// Lists of figures that are written by hand: the help of the command, the docstring and the types for Python.
#[test]
fn every_figure_is_in_every_list() {
    let read = |file: &str| std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let stored = read("crates/figures/src/gallery/stored.rs");
    let names =
        stored.split_once("pub const NAMES").and_then(|(_, after)| after.split_once("];")).unwrap().0;
    let names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() >= 8, "{names:?}");
    for list in [
        "crates/cli/src/plot.rs",
        "crates/python/src/sweep.rs",
        "crates/python/python/taskhead/_taskhead.pyi",
    ] {
        let whole = |line: &str| names.iter().all(|name| has_word(line, name));
        assert!(read(list).lines().any(whole), "{list} leaves out a figure of {names:?}");
    }
}

/// Macros of nalgebra expand to `nalgebra::…`, which a crate that depends on `taskhead` alone does not have; examples
/// in here would compile all the same, since the engine depends on it.
#[test]
fn examples_take_the_name_of_nalgebra_along() {
    let alone = |text: &str| -> Vec<String> {
        let of_nalgebra = |line: &&str| {
            line.contains("use taskhead::nalgebra::")
                || line.trim_start().starts_with("/// use nalgebra")
        };
        let items = text.lines().filter(of_nalgebra);
        let macros = ["matrix", "vector", "point", "stack"];
        let needs = |line: &&str| {
            line.split(|c| !is_word(c)).any(|word| macros.iter().any(|m| word.ends_with(m)))
        };
        items.filter(needs).filter(|line| !line.contains("self")).map(str::to_owned).collect()
    };
    let (mut folders, mut seen) =
        (vec![Path::new(ROOT).join("src"), Path::new(ROOT).join("examples")], 0);
    let mut files = vec![Path::new(ROOT).join("README.md")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs" || e == "md")) {
        let text = std::fs::read_to_string(file).unwrap();
        seen += text.matches("use taskhead::nalgebra::{self").count();
        assert_eq!(alone(&text), [""; 0], "{}", file.display());
    }
    assert!(seen >= 10, "only {seen} examples were found");
    let planted = "use taskhead::nalgebra::DMatrix;\n//! use taskhead::nalgebra::dmatrix;\n /// use nalgebra::dmatrix;";
    assert_eq!(alone(planted).len(), 2);
}

/// The folders of sources, one for each crate.
const CRATES: [&str; 9] = [
    "src",
    "crates/files/src",
    "crates/theorems/src",
    "crates/figures/src",
    "crates/replay/src",
    "crates/cli/src",
    "crates/python/src",
    "web/engine/src",
    "tests/readers/src",
];

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for folder in CRATES {
        let files = Files::of(&Path::new(ROOT).join(folder));
        assert!(files.imports.values().map(Vec::len).sum::<usize>() > 0, "{folder} imports nothing");
        let all = files.circles();
        circles.extend(all.iter().map(|files| format!("{folder}: {}", files.join(" -> "))));
    }
    assert!(circles.is_empty(), "files import each other in a circle:\n{}", circles.join("\n"));
}

/// A circle is found, directly and through what a third file gives on.
#[test]
fn a_planted_circle_is_found() {
    let file = |name: &str, text: &str| (name.split("::").map(String::from).collect(), text.to_owned());
    let of = |files: &[(&str, &str)]| Files::read(files.iter().map(|(name, text)| file(name, text)));
    let straight = [("a", "use crate::b::{c::D, E};"), ("b", "mod c;"), ("b::c", "use std::fmt;\n")];
    assert!(of(&straight).circles().is_empty());
    let direct = [("a", "use crate::b::E;"), ("b", "\nuse super::a::{self, F as G};")];
    assert_eq!(of(&direct).circles(), [["a", "b"]]);
    let given_on =
        [("a", "use crate::b::E;"), ("b", "mod c;\npub use c::E;"), ("b::c", "use crate::a;")];
    assert_eq!(of(&given_on).circles(), [["a", "b::c"]]);
    let both = [
        ("a", "use crate::b::E;"),
        ("b", "mod c;\npub use c::F;\nfn f() -> F {}"),
        ("b::c", "use super::E;"),
    ];
    assert_eq!(of(&both).circles(), [["b", "b::c"]]);
    let by_path = [
        ("a", "fn f() { crate::b::g(); } // ::c"),
        ("b", "mod c;"),
        ("b::c", "fn f() -> super::super::a::D {}"),
    ];
    assert!(of(&by_path).circles().is_empty());
    let by_paths = [("a", "use crate::b;\nfn f() { b::g(); }"), ("b", "fn g(_: &crate::a::D) {}")];
    assert_eq!(of(&by_paths).circles(), [["a", "b"]]);
    let within = [("a", "fn g() {}"), ("b", "mod c {\n    use super::D;\n}\nfn f() { crate::a::g() }")];
    assert!(of(&within).circles().is_empty());
    let in_tests =
        [("a", "use crate::b::E;"), ("b", "#[cfg(test)]\nmod tests {\n    use crate::a::F;\n}")];
    assert!(of(&in_tests).circles().is_empty());
}

/// Files of a crate by their modules, with the modules of the files that each imports from.
struct Files {
    imports: BTreeMap<Vec<String>, Vec<Vec<String>>>,
}

impl Files {
    fn of(folder: &Path) -> Self {
        let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
        while let Some(next) = folders.pop() {
            for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                    let place = path.strip_prefix(folder).unwrap().with_extension("");
                    let mut module: Vec<String> =
                        place.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
                    module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
                    files.push((module, std::fs::read_to_string(path).unwrap()));
                }
            }
        }
        Self::read(files)
    }

    fn read(files: impl IntoIterator<Item = (Vec<String>, String)>) -> Self {
        let files: BTreeMap<_, _> =
            files.into_iter().map(|(module, text)| (module, code(&text))).collect();
        let absolute = |module: &Vec<String>, path: &[String]| match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([module, &path[1..]].concat()),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Some([&module[..module.len() - up], &path[up..]].concat())
            }
            child if files.contains_key(&[&module[..], &[child.to_owned()]].concat()) => {
                Some([module, path].concat())
            }
            _ => None,
        };
        // What each file takes in, as paths from the root of the crate.
        let uses: BTreeMap<&Vec<String>, Vec<Use>> = files
            .iter()
            .map(|(module, text)| {
                let all = use_items(text).0.into_iter();
                (
                    module,
                    all.filter_map(|u| Some(Use { path: absolute(module, &u.path)?, ..u })).collect(),
                )
            })
            .collect();
        // The file that a path leads to: where its longest part is a file, or where that one has it from.
        let home = |path: &[String]| {
            let mut path = path.to_vec();
            for _ in 0..5 {
                let place = (0..=path.len()).rev().find(|&n| files.contains_key(&path[..n]))?;
                let given = uses[&path[..place].to_vec()]
                    .iter()
                    .find(|u| place < path.len() && u.name == path[place] && u.path != path);
                match given {
                    Some(u) => path = [&u.path[..], &path[place + 1..]].concat(),
                    None => return Some(path[..place].to_vec()),
                }
            }
            None
        };
        let imports = files.iter().map(|(module, text)| {
            let (_, rest) = use_items(text);
            // What is only given on is not used.
            let used = uses[module].iter().filter(|u| !u.public || has_word(&rest, &u.name));
            let paths = paths_in(&rest).into_iter().filter_map(|path| {
                match uses[module].iter().find(|u| u.name == path[0]) {
                    Some(u) => Some([&u.path[..], &path[1..]].concat()),
                    None => absolute(module, &path),
                }
            });
            let all = used.map(|u| u.path.clone()).chain(paths);
            let found = all.filter_map(|path| home(&path)).filter(|other| other != module);
            (module.clone(), found.collect())
        });
        Self { imports: imports.collect() }
    }

    /// Files from which imports lead back to themselves, in groups, by name.
    fn circles(&self) -> Vec<Vec<String>> {
        let reach = |from: &Vec<String>| {
            let (mut seen, mut next) = (BTreeSet::new(), self.imports[from].clone());
            while let Some(module) = next.pop() {
                if seen.insert(module.clone()) {
                    next.extend(self.imports[&module].iter().cloned());
                }
            }
            seen
        };
        let all: BTreeMap<_, _> = self.imports.keys().map(|module| (module, reach(module))).collect();
        let groups: BTreeSet<Vec<String>> = all
            .iter()
            .filter(|(module, seen)| seen.contains(**module))
            .map(|(module, seen)| {
                let back = seen.iter().filter(|other| all[other].contains(*module));
                back.map(|module| module.join("::")).collect()
            })
            .collect();
        groups.into_iter().collect()
    }
}

/// Something that a file takes in, under a name, and whether it gives it on.
struct Use {
    path: Vec<String>,
    name: String,
    public: bool,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text has a word, outside of the lines that name modules.
fn has_word(text: &str, word: &str) -> bool {
    let lines = text.lines().filter(|line| !(line.contains("mod ") && line.ends_with(';')));
    lines.flat_map(|line| line.split(|c| !is_word(c))).any(|w| w == word)
}

/// A text without comments and without the module of its tests; inside another module of the same file, what stands
/// above it counts as the file's own.
fn code(text: &str) -> String {
    let is_test = |line: &str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
    let opens = |line: &str| {
        let item = line.split_once("mod ").map(|(before, _)| before);
        line.ends_with('{') && item.is_some_and(|before| before.is_empty() || before.starts_with("pub"))
    };
    let (mut kept, mut inside) = (String::new(), false);
    let mut lines = text.lines().map(|line| line.split("//").next().unwrap().trim_end()).peekable();
    while let Some(line) = lines.next() {
        if is_test(line) && lines.peek().is_some_and(|next| opens(next)) {
            break;
        }
        inside = (inside || opens(line)) && line != "}";
        kept += &if inside { line.replace("super::", "self::") } else { line.to_owned() };
        kept.push('\n');
    }
    kept
}

/// All `use` items, and the text without them.
fn use_items(text: &str) -> (Vec<Use>, String) {
    let (mut all, mut left, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].rsplit('\n').next().unwrap().trim_start();
        let public = before.starts_with("pub");
        let is_item = before.is_empty() || (public && !before.contains("fn "));
        left += &rest[..at + 4 * usize::from(!is_item)];
        rest = &rest[at + 4..];
        if is_item {
            let (item, after) = rest.split_once(';').unwrap_or((rest, ""));
            let item: String = item.split_whitespace().collect::<Vec<_>>().join(" ");
            all.extend(expand(&item).into_iter().map(|(path, name)| Use { path, name, public }));
            rest = after;
        }
    }
    (all, left + rest)
}

/// Every `a::b` of two parts or more.
fn paths_in(text: &str) -> Vec<Vec<String>> {
    let words = text.split(|c| !is_word(c) && c != ':');
    let paths = words.map(|path| path.split("::").map(str::to_owned).collect::<Vec<_>>());
    paths.filter(|path| path.len() > 1 && path.iter().all(|part| part.chars().all(is_word))).collect()
}

/// `a::{b, c::{self, d as e}}` as a::b, a::c, and a::c::d under the name e.
fn expand(item: &str) -> Vec<(Vec<String>, String)> {
    let braces = item.trim().strip_suffix('}').and_then(|item| item.split_once('{'));
    let Some((front, inside)) = braces else {
        let (path, name) =
            item.split_once(" as ").map_or((item, None), |(path, name)| (path, Some(name)));
        let parts = path.split("::").map(|part| part.trim().to_owned());
        let mut path: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        path.pop_if(|last| last == "self" || last == "*");
        let name = name.map(|name| name.trim().to_owned()).or_else(|| path.last().cloned());
        return name.map(|name| (path, name)).into_iter().collect();
    };
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| expand(&format!("{front}{}", part.trim())))
        .collect()
}
