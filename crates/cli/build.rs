//! With the feature `page`, the files of the built explorer, `web/dist`, become part of the program; without it nothing
//! is done.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_none() {
        return;
    }
    let [source, out] = ["CARGO_MANIFEST_DIR", "OUT_DIR"]
        .map(|name| PathBuf::from(env::var_os(name).expect("cargo sets it")));
    let root = source.ancestors().nth(2).expect("crates/cli lies in the source");
    let page = root.join("web/dist");
    println!("cargo::rerun-if-changed={}", page.display());
    let mut files = Vec::new();
    for name in ["index.html", "engine.wasm"] {
        if !page.join(name).is_file() {
            println!(
                "cargo::error=the feature `page` takes the explorer into the program, but {} is not there: run \
                 scripts/build-web first",
                page.join(name).display()
            );
            exit(1);
        }
    }
    collect(&page, "", &mut files);
    let mut list = String::from("&[\n");
    for (address, path) in files {
        writeln!(list, "({address:?}, include_bytes!({:?})),", path.display().to_string())
            .expect("a text takes all");
    }
    list.push_str("]\n");
    fs::write(out.join("page.rs"), list).expect("cargo's folder can be written to");
}

/// The files of a folder and of those in it, by their path in an address.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder).expect("the built page can be read");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the built page can be read").path()).collect();
    paths.sort();
    for path in paths {
        let address =
            format!("{prefix}/{}", path.file_name().expect("a file has a name").to_string_lossy());
        if path.is_dir() {
            collect(&path, &address, files);
        } else {
            files.push((address, path));
        }
    }
}
